"""The sketch, from its definition (docs/similar.md): the greatest hash of the grams in each of 32 places."""

from __future__ import annotations

import math
from collections import defaultdict
from itertools import pairwise

from reference.sequence import Note, Sequence

FRAMES_PER_QUARTER = 24
MAX_FRAMES = 65_536
MAX_GROUPS = 8192
GROUP_FRAMES = 3
STEPS, MIN_MOVES = 7, 3
DRUM_GROUPS, MAX_SIXTEENTHS = 5, 8
MIN_PLACES = 4
FEW_PLACES, MAX_SHORT = 8, 512
KINDS = ({35, 36}, {37, 38, 39, 40}, {42, 44}, {46}, {41, 43, 45, 47, 48, 50}, {49, 52, 55, 57}, {51, 53, 59})

Groups = list[tuple[int, int]]  # the frame at which each begins, and its highest pitch or the classes of its drums


def sketch(sequences: list[Sequence], quarter: float) -> list[int] | None:
    """The hashes that are kept, by place; None for fewer than MIN_PLACES."""
    pitched: dict[int, int] = defaultdict(int)
    drums: dict[int, int] = defaultdict(int)
    for sequence in sequences:
        add(pitched, [gram for groups in pitched_groups(sequence, quarter) for gram in pitched_grams(groups)])
        if len(pitched) < FEW_PLACES and len(sequence.pitched) <= MAX_SHORT:
            add(pitched, pitched_grams(single_notes(sequence, quarter)))
        if len(pitched) < MIN_PLACES:
            add(drums, drum_grams(drum_groups(sequence, quarter)))
    for places in (pitched, drums):
        if len(places) >= MIN_PLACES:
            return [places[place] for place in sorted(places)]
    return None


def add(places: dict[int, int], grams: list[bytes]) -> None:
    for gram in grams:
        value = hash_of(gram)
        if value:
            places[value >> 19] = max(places[value >> 19], value)


def hash_of(gram: bytes) -> int:
    """24 bits of a gram of eight bytes."""
    value = int.from_bytes(gram[:4], "little") * 0x9E3779B1 % 2**32
    value = ((value ^ value >> 15) + int.from_bytes(gram[4:], "little")) * 0x85EBCA6B % 2**32
    value = (value ^ value >> 13) * 0xC2B2AE35 % 2**32
    return (value ^ value >> 16) >> 8


def frames(notes: list[Note], sequence: Sequence, quarter: float) -> list[tuple[int, Note]]:
    """Notes in time order with their frames; those after the last one count as of a frame of their own."""
    first = min(note.onset for note in sequence.notes)
    timed = [(min(math.floor((n.onset - first) * (FRAMES_PER_QUARTER / quarter) + 0.5), MAX_FRAMES), n) for n in notes]
    return sorted(timed, key=lambda item: item[0])


def joined(codes: list[tuple[int, int]], join: str) -> Groups:
    """Frames in time order, with their codes, to groups."""
    groups: Groups = []
    for frame, code in codes:
        if groups and frame - groups[-1][0] < GROUP_FRAMES:
            start, before = groups[-1]
            groups[-1] = (start, before | code if join == "or" else max(before, code))
        elif len(groups) == MAX_GROUPS:
            groups[-1] = (frame, code)
        else:
            groups.append((frame, code))
    return groups


def pitched_groups(sequence: Sequence, quarter: float) -> list[Groups]:
    """The groups of each track, and of all tracks together where there are several (with drums or without)."""
    tracks: dict[int, list[Note]] = defaultdict(list)
    for note in sequence.pitched:
        tracks[note.track].append(note)
    groups = [joined([(f, n.pitch) for f, n in frames(notes, sequence, quarter)], "max") for notes in tracks.values()]
    if len({note.track for note in sequence.notes}) > 1:
        together = sorted(item for items in groups for item in items if item[0] < MAX_FRAMES)
        groups.append(joined(together, "max"))
    return groups


def single_notes(sequence: Sequence, quarter: float) -> Groups:
    """The notes group by group, in each from the lowest, and each pitch once."""
    found = frames(sequence.pitched, sequence, quarter) if sequence.pitched else []
    starts = joined([(frame, 0) for frame, _ in found], "max")
    return sorted({(max(start for start, _ in starts if start <= frame), note.pitch) for frame, note in found})


def pitched_grams(groups: Groups) -> list[bytes]:
    """Seven steps from pitch to pitch, of which three are not 0."""
    steps = [(after - before) % 256 for (_, before), (_, after) in pairwise(groups)]
    grams = [bytes(steps[i : i + STEPS]) for i in range(len(steps) - STEPS + 1)]
    return [gram + b"\0" for gram in grams if STEPS - gram.count(0) >= MIN_MOVES]


def drum_groups(sequence: Sequence, quarter: float) -> Groups:
    drums = frames([note for note in sequence.notes if not note.pitched], sequence, quarter) if sequence.notes else []
    return joined([(frame, class_of(note.pitch)) for frame, note in drums if frame < MAX_FRAMES], "or")


def class_of(pitch: int) -> int:
    """A bit for the kind of drum: kick, snare or clap, closed and open hi-hat, tom, crash, ride, any other."""
    return next((1 << i for i, pitches in enumerate(KINDS) if pitch in pitches), 128)


def drum_grams(groups: Groups) -> list[bytes]:
    """Five groups that are not all alike, and the sixteenths from one to the next."""
    grams = []
    for i in range(len(groups) - DRUM_GROUPS + 1):
        starts, codes = zip(*groups[i : i + DRUM_GROUPS], strict=True)
        gaps = 0
        for before, after in pairwise(starts):
            gaps = gaps << 4 | min((after - before + 3) // 6, MAX_SIXTEENTHS)
        if len(set(codes)) > 1:
            grams.append(bytes(codes) + gaps.to_bytes(2, "little") + b"\1")
    return grams
