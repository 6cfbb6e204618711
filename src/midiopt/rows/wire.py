"""The message in which a worker sends rows: three flat buffers, then a note about an archive.

rows.Batch reads it as numpy arrays; workers write it with struct alone.
"""

from __future__ import annotations

import struct

from midiopt.rows.layout import FILES_LAYOUT

HEADER = struct.Struct("<QQQ")  # bytes of `files` rows, of `analyses` rows and of the heap; the note is the rest (work.Note)

# Packs a row of `files`: a value per column, but offset and length of a text.
file_row = struct.Struct(FILES_LAYOUT.struct_format.replace("Q", "II")).pack


def message(files: bytes | bytearray, analyses: bytes | bytearray, heap: bytes | bytearray, note: bytes = b"") -> bytes:
    """Rows of both tables, the heap of their text and a note as one message."""
    return b"".join((HEADER.pack(len(files), len(analyses), len(heap)), files, analyses, heap, note))


def note_of(data: bytes) -> bytes:
    """The note in a message; empty if it is about plain files."""
    return data[HEADER.size + sum(HEADER.unpack_from(data)) :]
