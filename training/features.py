"""Files as the training programs see them, through the reference analyzer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reference.beat import Onset, lower_median, onsets_of
from reference.sequence import Sequence
from reference.tracks import Division, Unreadable, read_tracks


@dataclass
class Music:
    """The notes of a file, of format 2 those of its first sequence."""

    sequence: Sequence
    division: Division
    onsets: list[Onset]
    median_pitch: int  # of the pitched notes
    drum_share: float  # of the onsets


def read_music(path: Path) -> Music | None:
    """Read a file; None if mido cannot."""
    try:
        format_, division, tracks = read_tracks(path.read_bytes())
    except Unreadable:
        return None
    sequence = Sequence(tracks[:1] if format_ == 2 else tracks, division)
    onsets = onsets_of(sequence)
    drum_share = sum(o.drum for o in onsets) / max(len(onsets), 1)
    return Music(sequence, division, onsets, lower_median([o.pitch for o in onsets if not o.drum]), drum_share)
