"""Compressed data as a stream of what it unpacks to, however much that is, in bounded memory."""

from __future__ import annotations

import io
import lzma
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO

from midiopt.errors import Damaged, MissingExtra, TooLarge

try:
    import zstandard
except ImportError:
    zstandard = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

ERRORS: tuple[type[Exception], ...] = (zlib.error, lzma.LZMAError)
if zstandard is not None:
    ERRORS += (zstandard.ZstdError,)

MOST_DICTIONARY = 256 << 20  # bytes of memory that a stream may ask for; xz -9 asks for 65 MB
CHUNK = 64 << 10
# Beyond this a stream is a bomb. 16,894 real MIDI files in one tar shrink to 30 % with gzip.
MOST_RATIO = 200
FREE_BYTES = 64 << 20  # before the ratio counts


class _Inflate:
    """gzip data, by the methods of lzma.LZMADecompressor."""

    def __init__(self) -> None:
        self.zlib = zlib.decompressobj(31)

    eof = property(lambda self: self.zlib.eof)
    unused_data = property(lambda self: self.zlib.unused_data)
    needs_input = property(lambda self: not self.zlib.unconsumed_tail)

    def decompress(self, data: bytes, most: int) -> bytes:
        return self.zlib.decompress(self.zlib.unconsumed_tail + data, most)


class Decompressed:
    """What gzip.GzipFile and lzma.LZMAFile are, with all that stands before a cut, and a limit on memory."""

    def __init__(self, file: BinaryIO, fresh: Callable[[], Any]) -> None:
        self.file = file
        self.fresh = fresh
        self.decompressor = fresh()

    def readinto(self, buffer: Any, /) -> int:
        rest = b""
        while True:
            if self.decompressor.eof:  # another stream may follow, after zeros
                rest = self.decompressor.unused_data.lstrip(b"\0") or self.file.read(CHUNK).lstrip(b"\0")
                if not rest:
                    return 0
                self.decompressor = self.fresh()
            needed = self.decompressor.needs_input and not rest
            if needed:
                rest = self.file.read(CHUNK)
            data = self.decompressor.decompress(rest, len(buffer))
            if data:
                buffer[: len(data)] = data
                return len(data)
            if needed and not rest and not self.decompressor.eof:
                raise EOFError
            rest = b""


def zstd(file: BinaryIO) -> Any:
    if zstandard is None:
        raise MissingExtra("zstd data", "zstd")
    return zstandard.ZstdDecompressor(max_window_size=MOST_DICTIONARY).stream_reader(file, read_across_frames=True)


def unzstd(packed: bytes, most: int) -> bytes:
    """All of some zstd data, cut at ``most`` bytes."""
    return Stream(io.BytesIO(packed), zstd).read(most)


KINDS: dict[bytes, Callable[[BinaryIO], Any]] = {
    b"\x1f\x8b": lambda file: Decompressed(file, _Inflate),
    b"\xfd7zXZ\0": lambda file: Decompressed(file, lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MOST_DICTIONARY)),
    b"\x28\xb5\x2f\xfd": zstd,
}


class Stream:
    """A compressed file with one kind of error, a bound on what it unpacks to, and a sign of life at every read."""

    def __init__(self, file: BinaryIO, kind: Callable[[BinaryIO], Any], alive: Callable[[], None] = lambda: None) -> None:
        self.file = file
        self.unpacked = kind(file)
        self.alive = alive
        self.given = 0

    def readinto(self, buffer: Any, /) -> int:
        """Fill some of the buffer; 0 at the end. Raises Damaged."""
        self.alive()
        try:
            got = self.unpacked.readinto(buffer)
        except EOFError:
            raise Damaged("its compressed data is cut short", self.file.tell()) from None
        except ERRORS as problem:
            raise Damaged(f"its compressed data is damaged ({problem})", self.file.tell()) from None
        self.given += got
        if self.given > FREE_BYTES + MOST_RATIO * self.file.tell():
            raise Damaged(f"a bomb: it unpacks to more than {MOST_RATIO} times its size", self.file.tell())
        return got

    def read(self, most: int) -> bytes:
        """At most so many bytes."""
        data = bytearray(min(most, CHUNK))
        filled = 0
        while filled < most:
            if filled == len(data):
                data.extend(bytes(min(most - filled, len(data))))
            with memoryview(data) as view, view[filled:] as room:
                got = self.readinto(room)
            if not got:
                break
            filled += got
        del data[filled:]
        return bytes(data)


def gunzipped(data: Buffer, limit: int) -> bytes:
    """A lone file that was compressed. Raises Damaged, and TooLarge for more than ``limit`` bytes."""
    head = bytes(memoryview(data)[:6])
    kind = next((kind for magic, kind in KINDS.items() if head.startswith(magic)), None)
    if kind is None:
        raise Damaged("it is not compressed, whatever its name says")
    plain = Stream(io.BytesIO(data), kind).read(limit + 1)
    if len(plain) > limit:
        raise TooLarge(f"it unpacks to more than the limit of {limit:,} bytes", 0)
    return plain
