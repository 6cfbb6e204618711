"""Parts of a library for machine learning, with copies and near-duplicates on one side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from midiopt.library.snapshot import Snapshot

if TYPE_CHECKING:
    from midiopt.library.search import Found

NAMES = {2: ("train", "test"), 3: ("train", "validation", "test")}


def parse_shares(text: str) -> dict[str, float]:
    """The parts and their shares in a text such as `80:10:10`; with 2 or 3 parts they have names. Raises ValueError."""
    numbers = [float(number) for number in text.split(":")]
    if len(numbers) not in NAMES or not all(0 < number < float("inf") for number in numbers):
        raise ValueError(text)
    return {name: number / sum(numbers) for name, number in zip(NAMES[len(numbers)], numbers, strict=True)}


@dataclass(frozen=True)
class Split:
    """The part of each file."""

    _parts: dict[int | str, str]  # of the first content of each group
    _roots: dict[int, int]  # the first content of the group of each content, where that is another one

    def part_of(self, file: Found) -> str:
        """The name of the part that a file is in."""
        return self._parts[_root(_content(file), self._roots)]


def split(library: Snapshot, files: Iterable[Found], shares: dict[str, float], near: bool) -> Split:
    """Put the files into parts, copies of a content into one; with ``near`` near-duplicates, too (see grouped() of near.py), and files
    with the same notes.

    The groups are dealt out, the largest first, each to the part that lacks most of its share, so the same files are always split alike.
    Memory grows with the contents, by at most 340 bytes for each.
    """
    roots = _roots(library) if near else {}
    sizes: Counter[int | str] = Counter()
    order: dict[int | str, bytes] = {}
    for file in files:
        root = _root(_content(file), roots)
        sizes[root] += 1
        order[root] = min(order.get(root, b"\xff" * 17), file.content_hash or file.path.encode())
    missing = {name: share * sizes.total() for name, share in shares.items()}
    parts: dict[int | str, str] = {}
    for root in sorted(sizes, key=lambda root: (-sizes[root], order[root])):
        part = max(missing, key=lambda name: missing[name] / shares[name])
        missing[part] -= sizes[root]
        parts[root] = part
    return Split(parts, roots)


def _root(content: int | str, roots: dict[int, int]) -> int | str:
    return roots.get(content, content) if isinstance(content, int) else content


def _content(file: Found) -> int | str:
    """What a file has in common with its copies: the number of its analysis, or nothing but its path without one."""
    return file.path if file.analysis_id is None else file.analysis_id


def _roots(library: Snapshot) -> dict[int, int]:
    """The group of each content: near-duplicates, and those with the same notes, which may be too few for a sketch."""
    from midiopt.library.near import grouped

    roots = grouped(library)
    parents: dict[int, int] = {}

    def top(number: int) -> int:
        while parents.setdefault(number, number) != number:
            number = parents[number]
        return number

    firsts: dict[bytes, int] = {}
    for number, notes_hash in library.rows("SELECT id, notes_hash FROM analyses WHERE notes_hash IS NOT NULL ORDER BY id"):
        root = top(roots.get(number, number))
        first = top(firsts.setdefault(bytes(notes_hash), root))
        parents[max(root, first)] = min(root, first)
    found = ((number, top(roots.get(number, number))) for number in {*roots, *parents})
    return {number: root for number, root in found if number != root}
