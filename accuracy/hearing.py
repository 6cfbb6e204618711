"""Files as the training programs hear them: through the twins of tests/, in plain Python."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent / "tests"), str(Path(__file__).resolve().parent.parent)]
import twin  # noqa: E402
import twin_tempo  # noqa: E402


@dataclass
class Heard:
    sequence: twin.Sequence  # of format 2 the first
    division: twin.Division
    onsets: list[twin_tempo.Onset]
    middle: float  # median pitch of what is no drum
    drums: float  # their share of the onsets


def hear(path: Path) -> Heard | None:
    """None for what mido cannot read."""
    try:
        format_, division, tracks = twin.read(path.read_bytes())
    except twin.Unreadable:
        return None
    sequence = twin.Sequence(tracks[:1] if format_ == 2 else tracks, division)
    onsets = twin.onsets_of(sequence, division)
    drums = sum(o.drum for o in onsets) / max(len(onsets), 1)
    return Heard(sequence, division, onsets, twin_tempo.median([o.pitch for o in onsets if not o.drum]), drums)
