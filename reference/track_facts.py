"""Facts of each track: those of a file that had only the notes of the track, at the same tempo.

track_facts(data) -> [{column: value}] of all tracks
"""

from __future__ import annotations

import copy
from statistics import fmean

from reference.analyzer import sequences_of
from reference.form import role
from reference.main_parts import Part, intervals_of, main_parts
from reference.names import decoded_names
from reference.notes import note_facts, notes_hash, pitch_facts
from reference.sequence import Facts, Sequence
from reference.tracks import read_tracks


def part_of(sequence: Sequence, track: int) -> Sequence:
    """The sequence with the notes of one track alone: what other tracks say of programs, drums and ends of notes holds."""
    part = copy.copy(sequence)
    part.notes = [n for n in sequence.notes if n.track == track]
    part.pitched = [n for n in part.notes if n.pitched]
    return part


def track_facts(data: bytes) -> list[Facts]:
    """Every fact of the tracks of a file from its bytes; raises Unreadable if mido cannot read it."""
    format_, division, tracks = read_tracks(data)
    names, _ = decoded_names(tracks)
    rows = []
    for sequence in sequences_of(tracks, format_, division):
        parts = [part_of(sequence, i) for i in range(len(sequence.track_ends))]
        facts = [_facts_of_notes(sequence, part, division.quarter) for part in parts]
        pitched = [(row, part) for row, part in zip(facts, parts, strict=True) if part.pitched]
        for (row, _), name in zip(pitched, main_parts([_shape(sequence, row, part) for row, part in pitched]), strict=True):
            row["main_part"] = name
        rows += facts
    return [{"track": i, "name": names[i]} | row for i, row in enumerate(rows)]


def _facts_of_notes(sequence: Sequence, part: Sequence, quarter: float) -> Facts:
    facts = pitch_facts([part]) | note_facts([part])
    onsets = [sequence.tempo_map.seconds(n.onset) for n in part.notes]
    copied = ("channels", "note_count", "pitch_min", "pitch_max", "polyphony_max", "polyphony_mean", "velocity_mean")
    return {name: facts[name] for name in copied} | {
        "program": facts["primary_program"],
        "first_onset_s": min(onsets, default=None),
        "last_onset_s": max(onsets, default=None),
        "role": role([part], quarter, facts["polyphony_mean"]),
        "notes_hash": notes_hash([part], quarter),
        "main_part": None,
    }


def _shape(sequence: Sequence, row: Facts, part: Sequence) -> Part:
    return Part(
        len(part.pitched),
        fmean(n.pitch for n in part.pitched),
        row["pitch_max"] - row["pitch_min"],
        row["polyphony_mean"],
        part.polyphony()[1] / sequence.tempo_map.units_per_second,
        row["first_onset_s"],
        row["last_onset_s"],
        row["velocity_mean"],
        row["program"],
        intervals_of([(n.onset, n.pitch) for n in part.pitched]),
    )
