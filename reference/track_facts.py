"""Facts of each track: those of a file that had only the notes of the track, at the same tempo.

track_facts(data) -> [{column: value}] of all tracks
"""

from __future__ import annotations

import copy

from reference.analyzer import sequences_of
from reference.form import role
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
    sequences = sequences_of(tracks, format_, division)
    parts = [(s, part_of(s, i)) for s in sequences for i in range(len(s.track_ends))]
    names, _ = decoded_names(tracks)
    return [{"track": i, "name": names[i]} | _facts_of_notes(sequence, part, division.quarter) for i, (sequence, part) in enumerate(parts)]


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
    }
