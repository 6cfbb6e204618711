"""The names of a file's tracks."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from midiopt.core.analyzer import Analyzer
from midiopt.rows.decode import row_to_dict
from midiopt.rows.layout import LAYOUTS, NO_HASH
from midiopt.schema import ANALYZER_VERSION, TRACKS

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer


def track_names(data: Buffer) -> dict[int, str]:
    """Decoded as in the database, by the index of the track."""
    analyses, heap, tracks = bytearray(), bytearray(), bytearray()
    Analyzer().analyze(data, NO_HASH, ANALYZER_VERSION, analyses, heap, tracks)
    size = struct.calcsize(LAYOUTS[TRACKS].struct_format)
    rows = (row_to_dict(TRACKS, tracks[at : at + size], heap) for at in range(0, len(tracks), size))
    return {int(row["track"]): str(row["name"]) for row in rows if row["name"]}  # type: ignore[call-overload]
