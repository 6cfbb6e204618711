"""A chord per beat by template matching and a Viterbi path (docs/accuracy-methods.md, "Chords")."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from fractions import Fraction
from itertools import groupby, pairwise
from typing import NamedTuple

from midiopt.core.harmony.chord_scores import BASS, BIAS, CHANGE, NO_CHORD, NO_CHORD_WEIGHT, SILENCE
from midiopt.core.harmony.chord_symbols import BASSES, FLAT_FIFTH, FLAT_ROOTS, QUALITIES, SIXTHS, TRIADS
from midiopt.schema import MAJOR_TONICS, MINOR_TONICS
from reference.bar_grid import SUBTICKS, Beats
from reference.sequence import Note

WEIGHT_SCALE = 4096  # weight of a pitch class that sounds for a usual beat
MAX_WEIGHT = 1 << 20
WEIGHT_OFFSET = 0.37123456789  # added before a weight is truncated, so that the same music weighs the same at every division
MAX_BEATS_HELD = 128  # a note sounds in at most this many beats after the first
THIN_DIVISOR = 4  # notes of thin parts count a quarter,
BASS_DIVISOR = 2  # and of the bass half
MAX_PART_TRACKS = 64  # any tracks beyond share the parts of the last
SUFFIXES = (*(suffix for suffix, _ in QUALITIES), *SIXTHS.values(), FLAT_FIFTH)


class Chord(NamedTuple):
    """Root and bass count from the pitch class of the lowest note."""

    quality: int  # in SUFFIXES
    root: int
    bass: int

    @property
    def triad(self) -> Chord:
        """The chord without its seventh, sixth or flat fifth, over its root."""
        return Chord(TRIADS[self.quality], self.root, self.root)

    def symbol(self, lowest: int) -> str:
        """The chord in writing, spelled after its third; `lowest` is the pitch class of the lowest note."""
        tones = QUALITIES[TRIADS[self.quality]][1]
        minor, diminished = 3 in tones, 3 in tones and 6 in tones
        root, bass = (self.root + lowest) % 12, (self.bass + lowest) % 12
        over = "" if bass == root else "/" + BASSES[root in FLAT_ROOTS[minor + diminished]][bass]
        return (MINOR_TONICS if minor else MAJOR_TONICS)[root] + SUFFIXES[self.quality] + over


def thin_parts(notes: list[Note], quarter: int, *, everywhere: bool = False) -> dict[tuple[int, int], int]:
    """By what the weights of the notes of parts, channels of a track, are divided that play single notes beside others, or `everywhere`."""
    parts: dict[tuple[int, int], list[Note]] = defaultdict(list)
    for note in sorted(notes, key=lambda note: (note.track, note.onset)):
        parts[part_of(note)].append(note)
    thin = {}
    means = {part: Fraction(sum(n.pitch for n in of_part), len(of_part)) for part, of_part in parts.items()}
    lowest = min(means.values())
    for part, of_part in parts.items():
        together = sum(0 <= b.onset - a.onset <= quarter // 12 for a, b in pairwise(of_part))
        if len(of_part) < 2 or 5 * together < len(of_part) - 1:
            thin[part] = BASS_DIVISOR if means[part] == lowest else THIN_DIVISOR
    if len(thin) == len(parts) and not everywhere:
        return {}
    return thin


def part_of(note: Note) -> tuple[int, int]:
    """Track and channel."""
    return min(note.track, MAX_PART_TRACKS - 1), note.channel


def beat_weights(beats: Beats, notes: list[Note], lowest: int, quarter: int) -> tuple[list[list[int]], list[int | None]]:
    """The weight (sounding time) of each pitch class in each beat, and the lowest pitch that sounds for a third of it.

    Pitches and pitch classes count from `lowest`, the pitch class of the lowest note.
    """
    weights = [[0] * 12 for _ in beats.starts]
    bass: list[int | None] = [None] * len(weights)
    scale = WEIGHT_SCALE / beats.main.beat
    thin = thin_parts(notes, quarter)
    for note in notes:
        on, off = SUBTICKS * note.onset, SUBTICKS * note.end
        first = bisect_right(beats.starts, on) - 1
        for i in range(first, min(first + MAX_BEATS_HELD + 1, len(weights))):
            start, end = beats.starts[i], beats.ends[i]
            sounding = min(off, end) - max(on, start)
            if (i > first and sounding <= 0) or on >= end:
                break
            pc, pitch = (note.pitch - lowest) % 12, note.pitch - lowest
            weight = min(int(sounding * scale + WEIGHT_OFFSET), MAX_WEIGHT)
            weights[i][pc] = min(weights[i][pc] + weight // thin.get(part_of(note), 1), MAX_WEIGHT)
            if 3 * sounding >= end - start:
                bass[i] = pitch if bass[i] is None else min(bass[i] or 0, pitch)
    return weights, [None if pitch is None else pitch % 12 for pitch in bass]


def beat_scores(weights: list[int], bass: int | None) -> list[int]:
    """The score of each chord in a beat, all roots of a quality in a row, and that of no chord."""
    if not any(weights):
        return [0] * (12 * len(QUALITIES)) + [SILENCE]
    shares = [min(weight, WEIGHT_SCALE) // 4 for weight in weights]
    twice = shares * 2  # two octaves, for tones above any root

    def place(tones: tuple[int, ...], root: int) -> int:
        interval = ((bass or 0) - root) % 12
        return BASS[tones.index(interval) if interval in tones else 4] if bass is not None else 0

    chords = [
        BIAS[quality] + place(tones, root) + sum([twice[root + tone] for tone in tones])
        for quality, (_, tones) in enumerate(QUALITIES)
        for root in range(12)
    ]
    return [*chords, NO_CHORD + sum(shares) * NO_CHORD_WEIGHT // 1024]


def best_path(scores: list[list[int]]) -> list[int]:
    """The chord of each beat on the path with the highest sum of scores less CHANGE per change (A. Viterbi, 1967)."""
    totals = [0] * len(scores[0])
    sources: list[list[int]] = []
    for of_beat in scores:
        leader = totals.index(max(totals))
        after_change = totals[leader] - CHANGE
        sources.append([k if total > after_change else leader for k, total in enumerate(totals)])
        totals = [max(total, after_change) + score for total, score in zip(totals, of_beat, strict=True)]
    path = [totals.index(max(totals))]
    for source in reversed(sources[1:]):
        path.append(source[path[-1]])
    return path[::-1]


def estimate_chords(weights: list[list[int]], basses: list[int | None]) -> list[Chord | None]:
    """A chord, or None, per beat. Its bass is the pitch class that is lowest in more than half of its beats, else the root."""
    chords: list[Chord | None] = []
    path = best_path([beat_scores(w, bass) for w, bass in zip(weights, basses, strict=True)])
    for state, group in groupby(range(len(path)), key=path.__getitem__):
        beats = list(group)
        if state == 12 * len(QUALITIES):
            chords += [None] * len(beats)
            continue
        quality, root = divmod(state, 12)
        lows = Counter(basses[i] for i in beats if basses[i] is not None)
        bass = next((low for low, n in lows.items() if 2 * n > len(beats) and low is not None), root)
        if quality in SIXTHS and bass == (root + 3) % 12:  # the notes of Am7 over C are C6
            quality, root = len(QUALITIES) + list(SIXTHS).index(quality), bass
        elif SUFFIXES[quality] == "dim7" and (bass - root) % 3 == 0:  # each of its notes may be the root
            root = bass
        elif SUFFIXES[quality] == "m7b5" and bass == (root + 6) % 12 and has_flat_fifth([weights[i] for i in beats], bass):
            quality, root = SUFFIXES.index(FLAT_FIFTH), bass
        chords += [Chord(quality, root, bass)] * len(beats)
    return chords


def has_flat_fifth(weights: list[list[int]], root: int) -> bool:
    """Whether these beats have a major third and no sixth above a root: C E Gb are three of the notes of Gbm7b5."""
    return any(w[(root + 4) % 12] for w in weights) and not any(w[(root + 9) % 12] for w in weights)


def held(chords: list[Chord | None]) -> list[Chord | None]:
    """The chords, each until the next one."""
    found: list[Chord | None] = []
    for chord in chords:
        found.append(chord or (found[-1] if found else None))
    return found
