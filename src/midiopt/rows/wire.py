"""The message in which a worker sends rows: four flat buffers, then the report about an archive, if any.

rows.Batch reads it as numpy arrays; workers write it with struct alone.
"""

from __future__ import annotations

import struct

from midiopt.rows.layout import FILES_LAYOUT

HEADER = struct.Struct("<QQQQ")  # bytes of the rows of `files`, `analyses` and `tracks`, and of the heap; the report is the rest

# Packs a row of `files`: a value per column, but offset and length of a text.
file_row = struct.Struct(FILES_LAYOUT.struct_format.replace("Q", "II")).pack


def message(
    files: bytes | bytearray, analyses: bytes | bytearray, tracks: bytes | bytearray, heap: bytes | bytearray, report: bytes = b""
) -> bytes:
    """Rows of the three tables, the heap of their text and an encoded ArchiveReport as one message."""
    return b"".join((HEADER.pack(len(files), len(analyses), len(tracks), len(heap)), files, analyses, tracks, heap, report))


def report_in(data: bytes) -> bytes:
    """The encoded ArchiveReport in a message; empty if the message is about plain files."""
    return data[HEADER.size + sum(HEADER.unpack_from(data)) :]
