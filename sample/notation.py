"""Short notations for melodies, drum patterns and chords, and rules such as a walking bass that play from chords.

Every function returns notes or controller events timed in quarter notes, so that a piece concatenates them. Random choices
come from the caller's random.Random.
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
VELOCITIES = {"X": 112, "x": 92, "o": 58}  # accent, plain, ghost note


# --- notations -------------------------------------------------------------------------------------


def pitch(name: str) -> int:
    """The MIDI note number of a name: "F#4" -> 66."""
    letter, accidental, octave = _parse(r"([A-G])([#b]?)(-?\d)", name)
    return 12 * int(octave) + 12 + "C D EF G A B".index(letter) + {"#": 1, "b": -1, "": 0}[accidental]


def _parse(pattern: str, name: str) -> tuple[str, ...]:
    """The groups of a pattern that must match the whole name."""
    if not (match := re.fullmatch(pattern, name)):
        raise ValueError(f"{name!r} is not the name of a pitch or chord")
    return match.groups()


def line(words: str, start: float = 0, velocity: int = 80, gate: float = 0.95) -> list[Note]:
    """A melody: "C5:1.5 D5:.5 | E5+G5:2 -", pitches with lengths in quarter notes.

    A length applies until the next one, + joins the notes of a chord, - is a rest, | is ignored. A note sounds for the
    share `gate` of its length.
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
    """A row of a step sequencer: (step, steps held, character) of each hit. A dot is a rest, - holds; spaces and | are ignored."""
    row = re.sub(r"[\s|]", "", pattern)
    for hit in re.finditer(r"[^.-]-*", row):
        yield hit.start(), len(hit[0]), hit[0][0]


def drums(rows: Mapping[str, str], bars: int, start: float = 0, bar: float = 4) -> list[Note]:
    """Rows for the drums of KIT in the marks of VELOCITIES, each one bar long, repeated for a number of bars."""
    notes = []
    for name, pattern in rows.items():
        step = bar / len(re.sub(r"[\s|]", "", pattern))
        for at, held, mark in steps(pattern):
            notes += [Note(start + b * bar + at * step, held * step / 2, KIT[name], VELOCITIES[mark]) for b in range(bars)]
    return notes


CHORDS = {
    "": (0, 4, 7), "m": (0, 3, 7), "7": (0, 4, 7, 10), "m7": (0, 3, 7, 10), "maj7": (0, 4, 7, 11), "dim": (0, 3, 6),
    "m7b5": (0, 3, 6, 10), "6": (0, 4, 7, 9), "m6": (0, 3, 7, 9), "9": (0, 4, 7, 10, 14), "sus4": (0, 5, 7),
}  # fmt: skip


class Chord(NamedTuple):
    """A chord with its place in the piece."""

    start: float  # quarter notes
    length: float  # quarter notes
    root: int  # pitch class
    intervals: tuple[int, ...]  # semitones above the root

    def tone(self, number: int, low: int) -> int:
        """Tone 1, 2, 3, ... of the chord, counted up from the lowest root at or above `low`."""
        octave, index = divmod(number - 1, len(self.intervals))
        return low + (self.root - low) % 12 + 12 * octave + self.intervals[index]

    def voicing(self, low: int) -> list[int]:
        """The tones of the chord in the octave above `low`."""
        return sorted({low + (self.root + interval - low) % 12 for interval in self.intervals})


def chords(names: str, each: float = 4, start: float = 0) -> list[Chord]:
    """Chord symbols with lengths: "Am F:2 G:2 C"; a chord without one lasts `each` quarter notes."""
    out = []
    for word in names.replace("|", " ").split():
        name, _, duration = word.partition(":")
        root, quality = _parse(r"([A-G][#b]?)(.*)", name)
        length = float(duration or each)
        out.append(Chord(start, length, pitch(root + "0") % 12, CHORDS[quality]))
        start += length
    return out


def comp(harmony: Sequence[Chord], pattern: str, low: int, velocity: int = 74, step: float = 0.5, gate: float = 0.9) -> list[Note]:
    """Comping: whole chords, in a rhythm that restarts with each chord."""
    return [
        Note(chord.start + at * step, held * step * gate, tone, velocity + (10 if mark == "X" else 0))
        for chord in harmony
        for at, held, mark in _within(chord, pattern, step)
        for tone in chord.voicing(low)
    ]


def arpeggio(harmony: Sequence[Chord], pattern: str, low: int, velocity: int = 74, step: float = 0.5, gate: float = 0.9) -> list[Note]:
    """Single tones in a rhythm: the digits of the pattern are the tones of the chord, 1 the root."""
    return [
        Note(chord.start + at * step, held * step * gate, chord.tone(int(mark), low), velocity)
        for chord in harmony
        for at, held, mark in _within(chord, pattern, step)
    ]


def bassline(harmony: Sequence[Chord], pattern: str, low: int, velocity: int = 84, step: float = 0.5, gate: float = 0.9) -> list[Note]:
    """The same with degrees: 1 the root, 3, 5, and 8 the octave."""
    notes = []
    for chord in harmony:
        degrees = {"1": 0, "3": chord.intervals[1], "5": chord.intervals[2], "8": 12}
        for at, held, mark in _within(chord, pattern, step):
            notes.append(Note(chord.start + at * step, held * step * gate, chord.tone(1, low) + degrees[mark], velocity))
    return notes


def _within(chord: Chord, pattern: str, step: float) -> Iterator[tuple[int, int, str]]:
    """The hits of a pattern that begin within a chord."""
    count = round(chord.length / step)
    return (hit for hit in steps(pattern) if hit[0] < count)


# --- rules -----------------------------------------------------------------------------------------


def walking_bass(harmony: Sequence[Chord], rng: Random, low: int, velocity: int = 84) -> list[Note]:
    """The root, random tones of the chord, and on the last beat a semitone above or below the next root."""
    notes = []
    for chord, following in zip(harmony, [*harmony[1:], harmony[0]], strict=True):
        beats = round(chord.length)
        target = following.tone(1, low)
        tones = [chord.tone(1, low), *(chord.tone(rng.choice((2, 3, 4)), low) for _ in range(beats - 2))]
        tones.append(target + rng.choice((-1, 1)))
        notes += [Note(chord.start + i, 0.9, tone, velocity) for i, tone in enumerate(tones[:beats])]
    return notes


def improvise(harmony: Sequence[Chord], scale: str, rng: Random, low: int, rhythms: Sequence[str], velocity: int = 84) -> list[Note]:
    """A solo: a random walk over two octaves of a scale that lands on a tone of the chord on each strong beat.

    A rhythm is a row of eighths for four beats; one is drawn for each chord.
    """
    ladder = sorted({low + (pitch(name + "0") - low) % 12 + octave for name in scale.split() for octave in (0, 12)})
    here = len(ladder) // 2
    notes = []
    for chord in harmony:
        tones = {(chord.root + interval) % 12 for interval in chord.intervals}
        for at, held, _ in _within(chord, rng.choice(rhythms), 0.5):
            here = max(1, min(len(ladder) - 2, here + rng.choice((-2, -1, -1, 1, 1, 2))))
            if at % 4 == 0:
                here = min(range(len(ladder)), key=lambda i: (ladder[i] % 12 not in tones, abs(i - here)))
            notes.append(Note(chord.start + at * 0.5, held * 0.45, ladder[here], velocity))
    return notes


def shift(notes: Sequence[Note], beats: float = 0, semitones: int = 0, velocity: int = 0) -> list[Note]:
    """Move notes in time, pitch and velocity."""
    return [Note(n.start + beats, n.length, n.pitch + semitones, n.velocity + velocity) for n in notes]


def repeat(notes: Sequence[Note], times: int, period: float) -> list[Note]:
    """Repeat notes every `period` quarter notes."""
    return [note for i in range(times) for note in shift(notes, i * period)]


def swing(notes: Sequence[Note], late: float = 1 / 6) -> list[Note]:
    """Delay off-beat eighths; by a sixth of a beat they become triplets."""
    return [n._replace(start=n.start + late) if n.start % 1 == 0.5 else n for n in notes]


def swell(notes: Sequence[Note], phrase: float, depth: int = 12) -> list[Note]:
    """Raise the velocity towards the middle of each phrase of a number of quarter notes."""
    return [n._replace(velocity=round(n.velocity + depth * (math.sin(math.pi * (n.start % phrase) / phrase) - 0.5))) for n in notes]


def humanise(notes: Sequence[Note], rng: Random, timing: float = 0.012, loudness: int = 7) -> list[Note]:
    """Random deviations of up to `timing` beats and `loudness` in velocity, triangularly distributed."""

    def deviation(limit: float) -> float:
        return limit * (rng.random() + rng.random() - 1)

    return [
        n._replace(
            start=max(0.0, n.start + deviation(timing)),
            velocity=max(1, min(127, round(n.velocity + deviation(loudness)))),
        )
        for n in notes
    ]


# --- controllers -----------------------------------------------------------------------------------


def ramp(channel: int, controller: int, start: float, beats: float, first: int, last: int, count: int = 16) -> list[tuple[float, bytes]]:
    """A controller that moves linearly from one value to another, in `count` events."""
    values = (round(first + (last - first) * i / (count - 1)) for i in range(count))
    return [(start + beats * i / count, smf.control_change(channel, controller, value)) for i, value in enumerate(values)]


def pedal(channel: int, harmony: Sequence[Chord]) -> list[tuple[float, bytes]]:
    """The sustain pedal: down just after each chord, up just before the next."""
    down = [(chord.start + 0.1, smf.control_change(channel, 64, 127)) for chord in harmony]
    up = [(chord.start + chord.length - 0.05, smf.control_change(channel, 64, 0)) for chord in harmony]
    return sorted(down + up, key=lambda event: event[0])
