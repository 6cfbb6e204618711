"""Where the frames of zstd data end: zstandard's reader takes a frame that is cut for the end of the data.

Format: RFC 8878, section 3.
"""

from __future__ import annotations

from typing import BinaryIO

from midiopt.sources.sniff import ZSTD, ZSTD_SKIPPABLE

MAGIC, DESCRIPTOR, BLOCK, SKIPPABLE_SIZE = range(4)  # what is read next
FIELD_BYTES = (4, 1, 3, 4)
DICTIONARY_BYTES = (0, 1, 2, 4)
CONTENT_SIZE_BYTES = (0, 2, 4, 8)
RLE = 1  # the type of a block of one byte, repeated
CHECKSUM_BYTES = 4


class FramedFile:
    """A file of zstd data. Once it is read to its end, ``is_cut`` says whether that is within a frame."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._next = MAGIC
        self._field = b""  # as much of it as has been read
        self._skip = 0  # bytes before it
        self._checksum_bytes = 0  # of the present frame
        self._is_foreign = False  # what follows is no frame

    @property
    def is_cut(self) -> bool:
        """Whether the bytes that were read end within a frame; fewer than a frame's first four are none."""
        return not self._is_foreign and (self._next != MAGIC or self._skip > 0)

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes; none at the end."""
        data = self._file.read(size)
        at = 0
        while at < len(data) and not self._is_foreign:
            if self._skip:
                step = min(self._skip, len(data) - at)
                self._skip -= step
            else:
                step = min(FIELD_BYTES[self._next] - len(self._field), len(data) - at)
                self._field += data[at : at + step]
                if len(self._field) == FIELD_BYTES[self._next]:
                    self._advance(self._field)
                    self._field = b""
            at += step
        return data

    def _advance(self, field: bytes) -> None:
        number = int.from_bytes(field, "little")
        if self._next == MAGIC:
            is_skippable = field[1:] == ZSTD_SKIPPABLE and field[0] & 0xF0 == 0x50
            self._is_foreign = field != ZSTD and not is_skippable
            self._next = SKIPPABLE_SIZE if is_skippable else DESCRIPTOR
        elif self._next == SKIPPABLE_SIZE:
            self._skip, self._next = number, MAGIC
        elif self._next == DESCRIPTOR:
            is_single_segment = number >> 5 & 1
            content_size = max(CONTENT_SIZE_BYTES[number >> 6], is_single_segment)
            self._checksum_bytes = CHECKSUM_BYTES * (number >> 2 & 1)
            self._skip, self._next = (not is_single_segment) + DICTIONARY_BYTES[number & 3] + content_size, BLOCK
        else:
            is_last, kind, size = number & 1, number >> 1 & 3, number >> 3
            self._skip = (1 if kind == RLE else size) + self._checksum_bytes * is_last
            self._next = MAGIC if is_last else BLOCK
