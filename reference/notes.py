"""Facts of the notes: pitches, velocities, programs, polyphony, and the hash that identifies them."""

from __future__ import annotations

import struct
from collections import Counter
from statistics import fmean, pstdev

from reference.sequence import Facts, Note, Sequence


def pitch_facts(sequences: list[Sequence]) -> Facts:
    """Columns of the pitched notes. Shares and means are over time units, so that tempo changes count."""
    pitches = [n.pitch for s in sequences for n in s.pitched]
    units = [sum(s.sounding_units(n) for s in sequences for n in s.pitched if n.pitch % 12 == pc) for pc in range(12)]
    total = sum(units)
    polyphony = [s.polyphony() for s in sequences]
    covered = sum(units_covered for _, units_covered in polyphony)
    programs = Counter(n.program for s in sequences for n in s.pitched)
    return {
        "pitch_classes": [round(u / total, 6) if total else 0.0 for u in units],
        "pitch_min": min(pitches, default=None),
        "pitch_max": max(pitches, default=None),
        "unique_pitches": len(set(pitches)) or None,
        "note_seconds_mean": total / len(pitches) / sequences[0].tempo_map.units_per_second if pitches else None,
        "polyphony_max": max(maximum for maximum, _ in polyphony),
        "polyphony_mean": total / covered if covered else 0.0,
        "programs": sorted(programs),
        "primary_program": min(programs, key=lambda p: (-programs[p], p), default=None),
    }


def note_facts(sequences: list[Sequence]) -> Facts:
    """Columns of all notes, drums included."""
    notes = [n for s in sequences for n in s.notes]
    velocities = [n.velocity for n in notes]
    return {
        "note_count": len(notes),
        "drum_note_count": sum(not n.pitched for n in notes),
        "first_note_s": min((s.tempo_map.seconds(n.onset) for s in sequences for n in s.notes), default=None),
        "last_note_s": max((s.tempo_map.seconds(n.end) for s in sequences for n in s.notes), default=None),
        "velocity_mean": fmean(velocities) if notes else None,
        "velocity_std": pstdev(velocities) if notes else None,
        "velocity_min": min(velocities, default=None),
        "velocity_max": max(velocities, default=None),
        "unique_velocities": len(set(velocities)) or None,
        "channels": sorted({n.channel + 1 for n in notes}),
    }


def notes_hash(sequences: list[Sequence], quarter: float) -> bytes | None:
    """The sum modulo 2**64 of the hashes of the notes, which does not depend on their order; None without notes."""
    hashes = [note_hash(n, quarter) for s in sequences for n in s.notes]
    return (sum(hashes) % 2**64).to_bytes(8, "big") if hashes else None


def note_hash(note: Note, quarter: float) -> int:
    """The hash of one note: onset (float64) and length (float32) in quarters, pitch, velocity, is drum."""
    record = struct.pack("<dBBBxf", note.onset / quarter, note.pitch, note.velocity, not note.pitched, (note.end - note.onset) / quarter)
    onset, rest = int.from_bytes(record[:8], "little"), int.from_bytes(record[8:], "little")
    value = onset * 0x9E3779B97F4A7C15 % 2**64
    value = ((value ^ value >> 32) ^ rest) * 0xFF51AFD7ED558CCD % 2**64
    value = (value ^ value >> 29) * 0xC4CEB9FE1A85EC53 % 2**64
    return value ^ value >> 32
