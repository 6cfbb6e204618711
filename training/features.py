"""Files as the training programs hear them: through reference/, in plain Python."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reference import (
    analyzer,
    rhythm,
)


@dataclass
class Heard:
    sequence: analyzer.Sequence  # of format 2 the first
    division: analyzer.Division
    onsets: list[rhythm.Onset]
    middle: float  # median pitch of what is no drum
    drums: float  # their share of the onsets


def hear(path: Path) -> Heard | None:
    """None for what mido cannot read."""
    try:
        format_, division, tracks = analyzer.read(path.read_bytes())
    except analyzer.Unreadable:
        return None
    sequence = analyzer.Sequence(tracks[:1] if format_ == 2 else tracks, division)
    onsets = analyzer.onsets_of(sequence, division)
    drums = sum(o.drum for o in onsets) / max(len(onsets), 1)
    return Heard(sequence, division, onsets, rhythm.median([o.pitch for o in onsets if not o.drum]), drums)
