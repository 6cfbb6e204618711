"""midiopt duplicates: which files have the same bytes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from midiopt.library import Library
from midiopt.schema import ANALYSED, STATUSES

_STATUSES = "status IN ({})".format(", ".join(f"'{STATUSES[i]}'" for i in ANALYSED))
GROUPS = (
    f"SELECT content_hash, count(*), max(size_bytes) FROM files WHERE content_hash IS NOT NULL AND {_STATUSES}"
    " GROUP BY content_hash HAVING count(*) > 1 ORDER BY 2 DESC, 3 DESC, 1"
)
AT_A_TIME = 500  # groups whose paths one query fetches


@dataclass(frozen=True)
class Group:
    content_hash: bytes
    size_bytes: int  # of one file
    paths: list[str]  # in their order


def groups(library: Library) -> Iterator[Group]:
    """Groups of files with the same content, by falling number of files, then size."""
    found = library.rows(GROUPS)
    while some := list(islice(found, AT_A_TIME)):
        paths = defaultdict(list)
        marks = ", ".join("?" * len(some))
        query = f"SELECT content_hash, path FROM files WHERE content_hash IN ({marks}) AND {_STATUSES} ORDER BY path"
        for content_hash, path in library.rows(query, [content_hash for content_hash, *_ in some]):
            paths[content_hash].append(path)
        for content_hash, _, size in some:
            yield Group(content_hash, size, paths[content_hash])
