"""What a tar holds beside plain files: hard links, and sparse files, whose holes are not stored."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from midiopt.errors import Damaged
from midiopt.sources.archives.integers import from_decimal

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

BLOCK = 512


class HardLink(NamedTuple):
    """An entry without content of its own."""

    target: bytes
    offset: int  # in the archive, behind its header


class Sparse(NamedTuple):
    """An entry without its holes: its pieces, as offset and length in turn, follow each other.

    The numbers are the map of the formats before pax 1.0. In that one, where they are None, the content begins with them.
    """

    numbers: list[int] | None
    stored: int  # bytes of the pieces, and of a map in the content

    def restore(self, data: Buffer, size: int) -> bytes:
        """The content with its holes. Raises Damaged."""
        view = memoryview(data)
        numbers, at = (self.numbers, 0) if self.numbers is not None else _map_in_content(bytes(view))
        whole = bytearray(size)
        for offset, length in zip(numbers[::2], numbers[1::2], strict=True):
            if offset < 0 or length < 0 or offset + length > size or at + length > len(view):
                raise Damaged("invalid map of a sparse file")
            whole[offset : offset + length] = view[at : at + length]
            at += length
        return bytes(whole)


def sparse_numbers(texts: Iterable[bytes]) -> list[int]:
    """Decimal numbers, which are offset and length in turn; those of an impossible piece for anything else."""
    try:
        numbers = [from_decimal(text) for text in texts]
    except ValueError:
        return [-1, -1]
    return numbers if len(numbers) % 2 == 0 else [-1, -1]


def _map_in_content(data: bytes) -> tuple[list[int], int]:
    """The map at the beginning of the content in pax 1.0, a number per line, and where the first piece begins."""
    count_text, _, rest = data.partition(b"\n")
    (count, _) = sparse_numbers([count_text, b"0"])
    lines = rest.split(b"\n", 2 * count) if 0 <= count <= len(rest) else []
    if len(lines) != 2 * count + 1:
        raise Damaged("invalid map of a sparse file")
    length = len(data) - len(lines[-1])
    return sparse_numbers(lines[:-1]), length + -length % BLOCK
