"""Short ways to write notes: melodies, step patterns, chords, and rules that play from chords.

Everything returns notes (or controllers) timed in quarter notes, so that pieces add them up. Chance
comes from the caller's random.Random alone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import NamedTuple

from sample import smf
from sample.score import Note

KIT = {
    "kick": 36, "rim": 37, "snare": 38, "clap": 39, "hat": 42, "pedal": 44, "low": 45, "open": 46, "mid": 47,
    "crash": 49, "high": 50, "ride": 51, "tambourine": 54, "cowbell": 56, "shaker": 70,
}  # fmt: skip
LOUDNESS = {"X": 112, "x": 92, "o": 58}  # accent, plain, ghost note


# Notations


def pitch(name: str) -> int:
    """ "F#4" -> 66."""
    letter, accidental, octave = _parse(r"([A-G])([#b]?)(-?\d)", name)
    return 12 * int(octave) + 12 + "C D EF G A B".index(letter) + {"#": 1, "b": -1, "": 0}[accidental]


def _parse(pattern: str, name: str) -> tuple[str, ...]:
    if not (match := re.fullmatch(pattern, name)):
        raise ValueError(f"{name!r} is not the name of a pitch or chord")
    return match.groups()


def line(words: str, start: float = 0, velocity: int = 80, gate: float = 0.95) -> list[Note]:
    """A melody: "C5:1.5 D5:.5 | E5+G5:2 -". A length holds until the next, + is a chord, - a rest; | is for the eye.

    `gate` is the share of its length that a note sounds.
    """
    notes = []
    length = 1.0
    for word in words.replace("|", " ").split():
        names, _, duration = word.partition(":")
        length = float(duration or length)
        if names != "-":
            notes += [Note(start, length * gate, pitch(name), velocity) for name in names.split("+")]
        start += length
    return notes


def steps(pattern: str) -> Iterator[tuple[int, int, str]]:
    """A step sequencer's row: (step, steps held, character). A dot rests, - holds; spaces and | are for the eye."""
    row = re.sub(r"[\s|]", "", pattern)
    for hit in re.finditer(r"[^.-]-*", row):
        yield hit.start(), len(hit[0]), hit[0][0]


def drums(rows: Mapping[str, str], bars: int, start: float = 0, bar: float = 4) -> list[Note]:
    """A kit's rows (see KIT and LOUDNESS), each spanning one bar, for so many bars."""
    notes = []
    for name, pattern in rows.items():
        step = bar / len(re.sub(r"[\s|]", "", pattern))
        for at, held, mark in steps(pattern):
            notes += [Note(start + b * bar + at * step, held * step / 2, KIT[name], LOUDNESS[mark]) for b in range(bars)]
    return notes


CHORDS = {
    "": (0, 4, 7), "m": (0, 3, 7), "7": (0, 4, 7, 10), "m7": (0, 3, 7, 10), "maj7": (0, 4, 7, 11), "dim": (0, 3, 6),
    "m7b5": (0, 3, 6, 10), "6": (0, 4, 7, 9), "m6": (0, 3, 7, 9), "9": (0, 4, 7, 10, 14), "sus4": (0, 5, 7),
}  # fmt: skip


class Chord(NamedTuple):
    start: float  # quarter notes
    length: float  # quarter notes
    root: int  # pitch class
    intervals: tuple[int, ...]  # semitones above the root

    def tone(self, number: int, low: int) -> int:
        """The chord's tone 1, 2, 3... counted up from its first root at or above `low`."""
        octave, index = divmod(number - 1, len(self.intervals))
        return low + (self.root - low) % 12 + 12 * octave + self.intervals[index]

    def voicing(self, low: int) -> list[int]:
        """All tones at or above `low`, as close as they go."""
        return sorted({low + (self.root + interval - low) % 12 for interval in self.intervals})


def chords(names: str, each: float = 4, start: float = 0) -> list[Chord]:
    """ "Am F:2 G:2 C": chords of `each` quarter notes unless said otherwise."""
    out = []
    for word in names.replace("|", " ").split():
        name, _, duration = word.partition(":")
        root, quality = _parse(r"([A-G][#b]?)(.*)", name)
        length = float(duration or each)
        out.append(Chord(start, length, pitch(root + "0") % 12, CHORDS[quality]))
        start += length
    return out


def comp(harmony: Sequence[Chord], pattern: str, low: int, velocity: int = 74, step: float = 0.5, gate: float = 0.9) -> list[Note]:
    """Whole chords in a rhythm that begins anew with each chord."""
    return [
        Note(chord.start + at * step, held * step * gate, tone, velocity + (10 if mark == "X" else 0))
        for chord in harmony
        for at, held, mark in _within(chord, pattern, step)
        for tone in chord.voicing(low)
    ]


def arpeggio(harmony: Sequence[Chord], pattern: str, low: int, velocity: int = 74, step: float = 0.5, gate: float = 0.9) -> list[Note]:
    """Single tones in a rhythm: the digits of the pattern number the tones of the chord, the root being 1."""
    return [
        Note(chord.start + at * step, held * step * gate, chord.tone(int(mark), low), velocity)
        for chord in harmony
        for at, held, mark in _within(chord, pattern, step)
    ]


def bassline(harmony: Sequence[Chord], pattern: str, low: int, velocity: int = 84, step: float = 0.5, gate: float = 0.9) -> list[Note]:
    """The same with degrees, as bass players count: 1 the root, 3, 5, and 8 the octave."""
    notes = []
    for chord in harmony:
        degrees = {"1": 0, "3": chord.intervals[1], "5": chord.intervals[2], "8": 12}
        for at, held, mark in _within(chord, pattern, step):
            notes.append(Note(chord.start + at * step, held * step * gate, chord.tone(1, low) + degrees[mark], velocity))
    return notes


def _within(chord: Chord, pattern: str, step: float) -> Iterator[tuple[int, int, str]]:
    room = round(chord.length / step)
    return (hit for hit in steps(pattern) if hit[0] < room)


# Rules


def walk(harmony: Sequence[Chord], rng: Random, low: int, velocity: int = 84) -> list[Note]:
    """A walking bass: the root, tones of the chord, and on the last beat a semitone beside the next root."""
    notes = []
    for chord, following in zip(harmony, [*harmony[1:], harmony[0]], strict=True):
        beats = round(chord.length)
        target = following.tone(1, low)
        tones = [chord.tone(1, low), *(chord.tone(rng.choice((2, 3, 4)), low) for _ in range(beats - 2))]
        tones.append(target + rng.choice((-1, 1)))
        notes += [Note(chord.start + i, 0.9, tone, velocity) for i, tone in enumerate(tones[:beats])]
    return notes


def improvise(harmony: Sequence[Chord], scale: str, rng: Random, low: int, rhythms: Sequence[str], velocity: int = 84) -> list[Note]:
    """A solo: wander by step over two octaves of a scale, and land on a tone of the chord on each strong beat.

    A rhythm is a row of eighths for four beats, of which one is drawn for each bar.
    """
    steps_up = sorted({low + (pitch(name + "0") - low) % 12 + octave for name in scale.split() for octave in (0, 12)})
    here = len(steps_up) // 2
    notes = []
    for chord in harmony:
        tones = {(chord.root + interval) % 12 for interval in chord.intervals}
        for at, held, _ in _within(chord, rng.choice(rhythms), 0.5):
            here = max(1, min(len(steps_up) - 2, here + rng.choice((-2, -1, -1, 1, 1, 2))))
            if at % 4 == 0:
                here = min(range(len(steps_up)), key=lambda i: (steps_up[i] % 12 not in tones, abs(i - here)))
            notes.append(Note(chord.start + at * 0.5, held * 0.45, steps_up[here], velocity))
    return notes


def shift(notes: Sequence[Note], beats: float = 0, semitones: int = 0, velocity: int = 0) -> list[Note]:
    return [Note(n.start + beats, n.length, n.pitch + semitones, n.velocity + velocity) for n in notes]


def repeat(notes: Sequence[Note], times: int, period: float) -> list[Note]:
    return [note for i in range(times) for note in shift(notes, i * period)]


def swing(notes: Sequence[Note], late: float = 1 / 6) -> list[Note]:
    """Off-beat eighths come late: by a sixth of a beat they are triplets."""
    return [n._replace(start=n.start + late) if n.start % 1 == 0.5 else n for n in notes]


def arch(notes: Sequence[Note], phrase: float, depth: int = 12) -> list[Note]:
    """Grow towards the middle of each phrase and come back."""
    return [n._replace(velocity=round(n.velocity + depth * (math.sin(math.pi * (n.start % phrase) / phrase) - 0.5))) for n in notes]


def humanise(notes: Sequence[Note], rng: Random, timing: float = 0.012, loudness: int = 7) -> list[Note]:
    """Off the grid by up to `timing` beats and `loudness` steps, mostly by less: two dice make a triangle."""

    def spread(limit: float) -> float:
        return limit * (rng.random() + rng.random() - 1)

    return [
        n._replace(start=max(0.0, n.start + spread(timing)), velocity=max(1, min(127, round(n.velocity + spread(loudness))))) for n in notes
    ]


# Controllers


def ramp(channel: int, controller: int, start: float, beats: float, first: int, last: int, count: int = 16) -> list[tuple[float, bytes]]:
    """A controller moved evenly from one value to another."""
    values = (round(first + (last - first) * i / (count - 1)) for i in range(count))
    return [(start + beats * i / count, smf.control(channel, controller, value)) for i, value in enumerate(values)]


def pedal(channel: int, harmony: Sequence[Chord]) -> list[tuple[float, bytes]]:
    """The sustain pedal: down just after each chord, up just before the next."""
    down = [(chord.start + 0.1, smf.control(channel, 64, 127)) for chord in harmony]
    up = [(chord.start + chord.length - 0.05, smf.control(channel, 64, 0)) for chord in harmony]
    return sorted(down + up, key=lambda event: event[0])
