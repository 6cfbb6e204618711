"""Groups of contents that are nearly the same: all sketches are read once, and only contents that share a hash are compared."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from midiopt.kinds import SKETCH
from midiopt.library.differences import compared_rows, differences
from midiopt.library.similar import FETCHED_CONTENTS, decoded
from midiopt.library.snapshot import Snapshot

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

NEAR_SCORE = 0.5
PLACE_SHIFT = 19  # of a hash: its bits from here on are its place in the sketch, see kinds.SKETCH
MAX_NEIGHBOURS = 256  # with the same hash, that a content is compared with on either side


@dataclass(frozen=True)
class NearFile:
    """A file of a group."""

    path: str
    differs: tuple[str, ...]
    """What differs from the first file of the group: see Similar."""


@dataclass(frozen=True)
class NearGroup:
    """Files of which each is nearly the same as another one."""

    files: list[NearFile]
    contents: int


def near_groups(library: Snapshot, min_score: float = NEAR_SCORE) -> Iterator[NearGroup]:
    """The groups of at least two contents, those with most of them first; missing files are left out."""
    for numbers in near_contents(library, min_score):
        group = near_group(library, numbers)
        if group.contents > 1:
            yield group


def near_contents(library: Snapshot, min_score: float = NEAR_SCORE, among: Collection[int] | None = None) -> list[list[int]]:
    """The numbers of the contents of each group of at least two, the largest group first; of those `among` all, if given."""
    members: dict[int, list[int]] = {}
    for number, root in grouped(library, min_score, among).items():
        members.setdefault(root, []).append(number)
    return sorted((numbers for numbers in members.values() if len(numbers) > 1), key=lambda numbers: (-len(numbers), numbers))


def near_group(library: Snapshot, numbers: Sequence[int]) -> NearGroup:
    """The files with these contents that are not missing, and what differs from the first."""
    parts = (numbers[at : at + FETCHED_CONTENTS] for at in range(0, len(numbers), FETCHED_CONTENTS))
    rows = (file for part in parts for file in compared_rows(library, part))
    files = sorted(rows, key=lambda file: (file.analysis_id, file.path))
    found = [NearFile(f.path, () if f is files[0] else tuple(differences(files[0], f))) for f in files]
    return NearGroup(found, len({file.analysis_id for file in files}))


def grouped(library: Snapshot, min_score: float = NEAR_SCORE, among: Collection[int] | None = None) -> dict[int, int]:
    """Of each content with a sketch, the number of the first content of its group: a content is in the group of every other one with
    this score, and so of those of these. No others count than those `among` all, if given."""
    import numpy as np

    numbers, kinds = [], []  # of each content, and of each which of the different sketches it has
    different: dict[str | tuple[int, ...], int] = {}
    firsts: list[int] = []  # of each different sketch the first content
    for number, sketch in _sketches(library, among):
        kind = different.setdefault(sketch if isinstance(sketch, str) else tuple(sketch), len(different))
        if kind == len(firsts):
            firsts.append(number)
        numbers.append(number)
        kinds.append(kind)
    sketches = np.zeros((len(different), SKETCH.items), np.int32)
    for row, sketch in enumerate(different):
        hashes = decoded(sketch)
        sketches[row, [hash_ >> PLACE_SHIFT for hash_ in hashes]] = hashes
    roots = _roots(sketches, min_score)
    return {number: firsts[roots[kind]] for number, kind in zip(numbers, kinds, strict=True)}


def _sketches(library: Snapshot, among: Collection[int] | None) -> Iterator[tuple[int, Any]]:
    """(content, sketch) in the order of contents, without those that have none."""
    query = "SELECT id, sketch FROM analyses WHERE sketch IS NOT NULL"
    if among is None:
        yield from library.rows(f"{query} ORDER BY id")
        return
    numbers = sorted(among)
    for at in range(0, len(numbers), FETCHED_CONTENTS):
        part = numbers[at : at + FETCHED_CONTENTS]
        yield from library.rows(f"{query} AND id IN {library.dialect.values(len(part))} ORDER BY id", part)


def _roots(sketches: npt.NDArray[np.int32], min_score: float) -> list[int]:
    """The first row of each row's group."""
    import numpy as np

    parents = list(range(len(sketches)))

    def root(row: int) -> int:
        while parents[row] != row:
            parents[row] = parents[parents[row]]
            row = parents[row]
        return row

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
            is_near = shared >= min_score * np.maximum(sizes[one], sizes[other]) - 1e-9
            for a, b in part[is_near].tolist():
                first, second = sorted((root(a), root(b)))
                parents[second] = first
    return [root(row) for row in range(len(sketches))]
