"""Streaming decompression of gzip, bzip2, xz and zstd in bounded memory."""

from __future__ import annotations

import bz2
import io
import lzma
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast

from midiopt.errors import Damaged, MissingExtra, TooLarge
from midiopt.sources.archives.budget import Budget
from midiopt.sources.archives.limits import BOMB_ERROR, BOMB_RATIO, DEFAULT_LIMITS, MAX_DICTIONARY_BYTES
from midiopt.sources.archives.zstd_frames import FramedFile
from midiopt.sources.sniff import BZIP2, GZIP, XZ, ZSTD, ZSTD_SKIPPABLE, has_first_track

try:
    import zstandard
except ImportError:
    zstandard = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer
    from _typeshed import WriteableBuffer


class Bzip2Error(Exception):
    """Damaged bzip2 data: the module raises OSError, as does a disk that cannot be read."""


class Truncated(Damaged):
    """Compressed data that ends too early. ``partial`` is what could be decompressed, if it was to be read at once."""

    partial = b""


CODEC_ERRORS: tuple[type[Exception], ...] = (zlib.error, lzma.LZMAError, Bzip2Error)
if zstandard is not None:
    CODEC_ERRORS += (zstandard.ZstdError,)

READ_BYTES = 64 << 10  # of compressed data at a time
STEP_BYTES = 32 << 10  # of decompressed data at a time, which are lost where a damage is found; with more, zlib takes longer


class Readable(Protocol):
    """Decompressed data."""

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill the start of the buffer; returns the number of bytes, 0 at the end."""


class _Codec(Protocol):
    """Decompresses one stream, like lzma.LZMADecompressor."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Gzip:
    """zlib with the methods of lzma.LZMADecompressor."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def needs_input(self) -> bool:
        return not self._zlib.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)


class _Bzip2:
    """bz2.BZ2Decompressor with an error of its own."""

    def __init__(self) -> None:
        self._bz2 = bz2.BZ2Decompressor()

    @property
    def eof(self) -> bool:
        return self._bz2.eof

    @property
    def needs_input(self) -> bool:
        return self._bz2.needs_input

    @property
    def unused_data(self) -> bytes:
        return self._bz2.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        try:
            return self._bz2.decompress(data, max_length)
        except OSError as problem:
            raise Bzip2Error(str(problem)) from None


class _StreamReader:
    """Like gzip.GzipFile and lzma.LZMAFile, but returns all data before a truncation, nearly all before a damage, and limits memory."""

    def __init__(self, file: BinaryIO, magic: bytes, empty_bytes: int, new_codec: Callable[[], _Codec]) -> None:
        self._file = file
        self._magic = magic
        self._empty_bytes = empty_bytes  # of a stream without data: fewer at the end of a file are no part of the data
        self._new_codec = new_codec
        self._codec = new_codec()

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill the start of the buffer; 0 at the end. Raises EOFError where the compressed data is truncated."""
        room = memoryview(buffer)
        data = b""
        while True:
            if self._codec.eof:  # another stream may follow, after padding; anything else is no part of the data
                data = self._codec.unused_data.lstrip(b"\0") or self._file.read(READ_BYTES).lstrip(b"\0")
                if len(data) < self._empty_bytes:
                    data += self._file.read(READ_BYTES)
                if not data.startswith(self._magic) or len(data) < self._empty_bytes:
                    return 0
                self._codec = self._new_codec()
            needs_input = self._codec.needs_input and not data
            if needs_input:
                data = self._file.read(READ_BYTES)
            plain = self._codec.decompress(data, min(len(room), STEP_BYTES))
            if plain:
                room[: len(plain)] = plain
                return len(plain)
            if needs_input and not data and not self._codec.eof:
                raise EOFError
            data = b""


class _ZstdReader:
    """zstandard's reader, for which bytes behind the last frame are an error."""

    def __init__(self, file: BinaryIO) -> None:
        if zstandard is None:
            raise MissingExtra("zstd data", "zstd")
        self._frames = FramedFile(file)
        decompressor = zstandard.ZstdDecompressor(max_window_size=MAX_DICTIONARY_BYTES)
        self._reader = decompressor.stream_reader(cast(BinaryIO, self._frames), read_across_frames=True)

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill the start of the buffer; 0 at the end. Raises EOFError where the compressed data is truncated."""
        try:
            count: int = self._reader.readinto1(buffer)  # readinto() would lose the data that come before an error
        except zstandard.ZstdError as problem:
            if self._reader.tell() and "Unknown frame descriptor" in str(problem):
                return 0
            raise
        if not count and self._frames.is_cut:
            raise EOFError
        return count


DECOMPRESSORS: dict[bytes, Callable[[BinaryIO], Readable]] = {
    GZIP: lambda file: _StreamReader(file, GZIP, 20, _Gzip),
    BZIP2: lambda file: _StreamReader(file, BZIP2, 14, _Bzip2),
    XZ: lambda file: _StreamReader(file, XZ, 32, lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MAX_DICTIONARY_BYTES)),
    ZSTD: _ZstdReader,
}


class Decompressor:
    """The decompressed data of a file. Detects bombs, reports every kind of damage as Damaged, and spends the ``budget``."""

    def __init__(
        self,
        file: BinaryIO,
        magic: bytes,
        budget: Budget | None = None,
        bomb_min_bytes: int = DEFAULT_LIMITS.bomb_min_bytes,
    ) -> None:
        self._file = file
        self._plain = DECOMPRESSORS[magic](file)
        self._budget = budget
        self._bomb_min_bytes = bomb_min_bytes
        self._damage: Damaged | None = None  # libbzip2 must not be called again
        self.bytes_out = 0

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill the start of the buffer; returns the number of bytes, 0 at the end. Raises Damaged."""
        if self._budget:
            self._budget.show_life()
        try:
            count = 0 if self._damage else self._plain.readinto(buffer)
        except EOFError:
            self._damage = Truncated("compressed data truncated", self._file.tell())
        except CODEC_ERRORS as problem:
            self._damage = Damaged(f"compressed data damaged ({problem})", self._file.tell())
        if self._damage:
            raise self._damage
        self.bytes_out += count
        if self.bytes_out > self._bomb_min_bytes + BOMB_RATIO * self._file.tell():
            raise Damaged(BOMB_ERROR, self._file.tell())
        if self._budget:
            self._budget.spend(count)
        return count

    def read(self, max_bytes: int) -> bytes:
        """At most ``max_bytes``; fewer only at the end. Raises Damaged, and Truncated with what comes before."""
        data = bytearray(min(max_bytes, READ_BYTES))
        filled = 0
        while filled < max_bytes:
            if filled == len(data):
                data.extend(bytes(min(max_bytes - filled, len(data))))
            try:
                with memoryview(data) as view, view[filled:] as room:
                    count = self.readinto(room)
            except Truncated as problem:
                problem.partial = bytes(data[:filled])
                raise
            if not count:
                break
            filled += count
        del data[filled:]
        return bytes(data)


def find_magic(head: bytes) -> bytes | None:
    """The key of DECOMPRESSORS that compressed data begins with; zstd data may begin with a frame to be skipped."""
    if head[1:4] == ZSTD_SKIPPABLE and head[0] & 0xF0 == 0x50:
        return ZSTD
    return next((magic for magic in DECOMPRESSORS if head.startswith(magic)), None)


def decompress_file(data: Buffer, max_bytes: int, budget: Budget | None = None) -> Buffer:
    """A file that was compressed alone, or that only its name calls compressed: web clients undo a Content-Encoding and keep the
    name. Of a song that is cut, as by a download that broke off, all up to there: it says itself what is missing.

    Raises Damaged, and TooLarge when it has more than ``max_bytes``.
    """
    magic = find_magic(bytes(memoryview(data)[:6]))
    if magic is None:
        return data
    try:
        plain = Decompressor(io.BytesIO(data), magic, budget).read(max_bytes + 1)
    except Truncated as problem:
        if not has_first_track(problem.partial):
            raise
        plain = problem.partial
    if len(plain) > max_bytes:
        raise TooLarge(f"decompresses to more than the limit of {max_bytes:,} bytes")
    return plain


def undo_encoding(data: Buffer, max_bytes: int, budget: Budget | None = None) -> Buffer:
    """The content of a file that a web client has saved as it was sent, compressed (Content-Encoding: gzip), without .gz in its name.

    Other data, and what cannot be decompressed, is returned as it is. Raises Damaged if the ``budget`` is spent.
    """
    if bytes(memoryview(data)[:2]) != GZIP:
        return data
    try:
        return decompress_file(data, max_bytes, budget)
    except (Damaged, TooLarge):
        if budget and budget.error:
            raise
        return data


def decompress_block(data: bytes, magic: bytes, max_bytes: int) -> bytes:
    """A block of xz or zstd data, truncated to ``max_bytes``."""
    return Decompressor(io.BytesIO(data), magic).read(max_bytes)
