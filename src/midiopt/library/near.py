"""Groups of contents that are nearly the same: all sketches are read once, and only contents that share a hash are compared.

Near-duplicates are listed around the one that has most of them, so that each is compared with a file that it is like. Chains of them,
in which the ends may have nothing in common, keep all of them in one part of a split.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from midiopt.kinds import SKETCH
from midiopt.library.differences import compared_rows, differences
from midiopt.library.similar import FETCHED_CONTENTS, NEAR_HASHES, NEAR_SCORE, decoded
from midiopt.library.snapshot import Snapshot

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

PLACE_SHIFT = 19  # of a hash: its bits from here on are its place in the sketch, see kinds.SKETCH
MAX_NEIGHBOURS = 256  # with the same hash, that a content is compared with on either side


@dataclass(frozen=True)
class NearFile:
    """A file of a group."""

    path: str
    """As in the library."""
    differs: tuple[str, ...]
    """What differs from the first file of the group: see Similar."""


@dataclass(frozen=True)
class NearGroup:
    """Files that are nearly the same as the first, or as another one that is."""

    files: list[NearFile]
    """The files, that which most are near to first."""
    contents: int
    """Number of different contents among them."""


def near_groups(library: Snapshot, min_score: float = NEAR_SCORE) -> Iterator[NearGroup]:
    """The groups of at least two contents, those with most of them first; missing files are left out."""
    for numbers in near_contents(library, min_score):
        group = near_group(library, numbers)
        if group.contents > 1:
            yield group


def near_contents(library: Snapshot, min_score: float = NEAR_SCORE, among: Collection[int] | None = None) -> list[list[int]]:
    """The numbers of the contents of each group of at least two, the largest group first; of those `among` all, if given.

    The first content of a group is the one that most are near to; the others follow in the order of their numbers.
    """
    sketches = _read_sketches(library, among)
    leaders = _leaders(_near_pairs(sketches.hashes, min_score, NEAR_HASHES))
    groups: dict[int, list[int]] = {}
    for number, row in zip(sketches.contents, sketches.rows, strict=True):
        leader = sketches.firsts[leaders.get(row, row)]
        groups.setdefault(leader, [leader]).append(number)
    found = [[leader, *(number for number in numbers[1:] if number != leader)] for leader, numbers in groups.items() if len(numbers) > 2]
    return sorted(found, key=lambda numbers: (-len(numbers), numbers))


def near_group(library: Snapshot, numbers: Sequence[int]) -> NearGroup:
    """The files with these contents that are not missing, and what differs from the first."""
    parts = (numbers[at : at + FETCHED_CONTENTS] for at in range(0, len(numbers), FETCHED_CONTENTS))
    rows = (file for part in parts for file in compared_rows(library, part))
    files = sorted(rows, key=lambda file: (file.analysis_id != numbers[0], file.analysis_id, file.path))
    found = [NearFile(f.path, () if f is files[0] else tuple(differences(files[0], f))) for f in files]
    return NearGroup(found, len({file.analysis_id for file in files}))


def grouped(library: Snapshot, min_score: float = NEAR_SCORE) -> dict[int, int]:
    """Of each content with a sketch, the number of the first content of its chain: a content is in the chain of every other one with
    this score, and so of those of these."""
    sketches = _read_sketches(library, None)
    parents = list(range(len(sketches.firsts)))

    def root(row: int) -> int:
        while parents[row] != row:
            parents[row] = parents[parents[row]]
            row = parents[row]
        return row

    for a, b in _near_pairs(sketches.hashes, min_score, 0):
        first, second = sorted((root(a), root(b)))
        parents[second] = first
    return {number: sketches.firsts[root(row)] for number, row in zip(sketches.contents, sketches.rows, strict=True)}


@dataclass
class _Sketches:
    contents: list[int]
    """The number of each content that has a sketch, ascending."""
    rows: list[int]
    """Of each content the row of its sketch in `hashes`."""
    firsts: list[int]
    """Of each row the first content with this sketch."""
    hashes: npt.NDArray[np.int32]
    """Each different sketch, a hash in its place and 0 where there is none."""


def _read_sketches(library: Snapshot, among: Collection[int] | None) -> _Sketches:
    import numpy as np

    contents: list[int] = []
    rows: list[int] = []
    firsts: list[int] = []
    different: dict[str | tuple[int, ...], int] = {}
    for number, sketch in _sketch_rows(library, among):
        row = different.setdefault(sketch if isinstance(sketch, str) else tuple(sketch), len(different))
        if row == len(firsts):
            firsts.append(number)
        contents.append(number)
        rows.append(row)
    table = np.zeros((len(different), SKETCH.items), np.int32)
    for row, sketch in enumerate(different):
        hashes = decoded(sketch)
        table[row, [hash_ >> PLACE_SHIFT for hash_ in hashes]] = hashes
    return _Sketches(contents, rows, firsts, table)


def _sketch_rows(library: Snapshot, among: Collection[int] | None) -> Iterator[tuple[int, Any]]:
    """(content, sketch) in the order of contents, without those that have none."""
    query = "SELECT id, sketch FROM analyses WHERE sketch IS NOT NULL"
    if among is None:
        yield from library.rows(f"{query} ORDER BY id")
        return
    numbers = sorted(among)
    for at in range(0, len(numbers), FETCHED_CONTENTS):
        part = numbers[at : at + FETCHED_CONTENTS]
        yield from library.rows(f"{query} AND id IN {library.dialect.values(len(part))} ORDER BY id", part)


def _leaders(pairs: Iterable[tuple[int, int]]) -> dict[int, int]:
    """The row that leads the group of each row that is near another one: those with most neighbours first, each with all that are free."""
    neighbours: dict[int, list[int]] = {}
    for a, b in pairs:
        neighbours.setdefault(a, []).append(b)
        neighbours.setdefault(b, []).append(a)
    leaders: dict[int, int] = {}
    for row in sorted(neighbours, key=lambda row: (-len(neighbours[row]), row)):
        if row not in leaders:
            free = [other for other in neighbours[row] if other not in leaders]
            leaders[row] = row if free else leaders[min(neighbours[row])]
            leaders.update(dict.fromkeys(free, row))
    return leaders


def _near_pairs(sketches: npt.NDArray[np.int32], min_score: float, min_hashes: int) -> Iterator[tuple[int, int]]:
    """The pairs of rows, the first row first, with this score and so many hashes, or all, in common; some more than once."""
    import numpy as np

    sizes = (sketches != 0).sum(axis=1)
    row, place = np.nonzero(sketches)
    hashes = sketches[row, place]
    order = np.lexsort((row, hashes))
    row, hashes = row[order], hashes[order]
    for distance in range(1, min(MAX_NEIGHBOURS, len(row))):
        at = np.flatnonzero(hashes[distance:] == hashes[:-distance])
        if not len(at):
            break
        pairs = np.unique(np.stack([row[at], row[at + distance]], axis=1), axis=0)
        for part in np.array_split(pairs, len(pairs) // 100_000 + 1):
            one, other = part[:, 0], part[:, 1]
            shared = ((sketches[one] == sketches[other]) & (sketches[one] != 0)).sum(axis=1)
            longest = np.maximum(sizes[one], sizes[other])
            yield from part[shared >= np.minimum(longest, np.maximum(min_score * longest - 1e-9, min_hashes))].tolist()
