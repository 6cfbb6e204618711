"""The content of a file as it is analysed, decompressed: one rule for runs, commands and functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from midiopt.errors import SourceError
from midiopt.schema import MEMBER_SEPARATOR
from midiopt.sources.filetypes import is_archive, is_compressed
from midiopt.sources.reader import begins_with
from midiopt.sources.sniff import GZIP, is_song

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

    from midiopt.sources.archives.budget import Budget

LAST_OF_COMPRESSED = b"zZ2tT"  # of .gz, .xz, .bz2 and .zst: other names need not be compared
LAST_OF_ARCHIVES = LAST_OF_COMPRESSED + b"pPrRwWsS"  # of .zip, .tar and .tgz, and of the tables


def plain_content(name: bytes, data: Buffer, max_bytes: int, budget: Budget | None = None) -> Buffer:
    """What a file of this name holds. Content without a name has the name ``b""``.

    It is decompressed if its name says so (``song.mid.gz``). Gzip data under any other name is what a web client has saved as it was
    sent (Content-Encoding: gzip), and is decompressed if it can be. Raises Damaged and TooLarge where the name says so and it cannot be
    decompressed, and where an archive is over its budget.
    """
    says_so = name != b"" and name[-1] in LAST_OF_COMPRESSED and is_compressed(name)
    if not says_so and not begins_with(data, GZIP):
        return data
    from midiopt.sources.archives.decompress import decompress_file, undo_encoding  # that most programs and workers never need

    if says_so:
        data = decompress_file(data, max_bytes, budget)
    return undo_encoding(data, max_bytes, budget)


def check_is_no_archive(path: bytes, data: Buffer) -> None:
    """Raise SourceError for the content of an archive: its first song, which in a tar begins at byte 512, would be taken for it."""
    if path[-1:] and path[-1] in LAST_OF_ARCHIVES and is_archive(path) and not is_song(bytes(memoryview(data)[:12])):
        raise SourceError(f"it is an archive; add the name of a member, such as {MEMBER_SEPARATOR}x.mid")
