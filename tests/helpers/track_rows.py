"""The rows of tracks that the compiled analyser makes of a file."""

from __future__ import annotations

from typing import Any

from midiopt.core.analyzer import Analyzer
from midiopt.rows.decode import row_to_dict
from midiopt.rows.layout import TRACKS_LAYOUT
from midiopt.schema import TRACKS

DIGEST, VERSION = bytes(range(16)), 1


def track_rows(data: bytes, analyzer: Analyzer | None = None) -> list[dict[str, Any]]:
    """The rows of a file's tracks by column name."""
    tracks, heap = bytearray(), bytearray(b"text of another file")
    (analyzer or Analyzer()).analyze(data, DIGEST, VERSION, bytearray(), heap, tracks)
    size = TRACKS_LAYOUT.size
    return [row_to_dict(TRACKS, tracks[at : at + size], heap) for at in range(0, len(tracks), size)]
