"""The message in which a worker sends rows: three flat buffers behind one another, and a note about an archive.

rows.Batch reads it as numpy arrays; workers write it with nothing but struct.
"""

from __future__ import annotations

import struct

from midiopt.schema import FILES

HEADER = struct.Struct("<QQQ")  # bytes of `files` rows, of `analyses` rows and of the heap; the note is the rest (work.Note)
_CODES = {"text": "II", "int16": "h", "int32": "i", "int64": "q", "time": "q", "float32": "f", "hash16": "16s", "enum": "B"}

# Native alignment, as numpy lays out an aligned structured array; "0q" pads the end.
_FILE_ROW = struct.Struct("@" + "".join(_CODES[c.kind] for c in FILES) + "0q")
file_row = _FILE_ROW.pack


def message(files: bytes | bytearray, analyses: bytes | bytearray, heap: bytes | bytearray, note: bytes = b"") -> bytes:
    return b"".join((HEADER.pack(len(files), len(analyses), len(heap)), files, analyses, heap, note))


def note_of(data: bytes) -> bytes:
    """The note in a message; empty in one about a chunk of paths."""
    return data[HEADER.size + sum(HEADER.unpack_from(data)) :]
