"""The message in which a worker sends rows: three flat buffers behind one another.

rows.Batch reads it as numpy arrays; workers write it with nothing but struct.
"""

from __future__ import annotations

import struct

from .schema import FILES

HEADER = struct.Struct("<QQ")  # bytes of `files` rows and of `analyses` rows; the heap is the rest
_CODES = {"text": "II", "int16": "h", "int32": "i", "int64": "q", "time": "q", "hash16": "16s", "enum": "B"}

# Native alignment, as numpy lays out an aligned structured array; "0q" pads the end.
_FILE_ROW = struct.Struct("@" + "".join(_CODES[c.kind] for c in FILES) + "0q")
file_row = _FILE_ROW.pack


def message(files: bytes | bytearray, analyses: bytes | bytearray, heap: bytes | bytearray) -> bytes:
    return b"".join((HEADER.pack(len(files), len(analyses)), files, analyses, heap))
