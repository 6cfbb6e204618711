"""Groups of files with the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from midiopt.library import Library
from midiopt.library.queries import paths_by_content, shared_contents

GROUPS_PER_QUERY = 500  # groups whose paths one query fetches


@dataclass(frozen=True)
class DuplicateGroup:
    """Files with the same content."""

    content_hash: bytes
    size_bytes: int
    """Size of one file."""
    paths: list[str]
    """In the order of their bytes."""


def duplicate_groups(library: Library) -> Iterator[DuplicateGroup]:
    """All groups of at least two files: most files first, then the largest."""
    contents = shared_contents(library)
    while page := list(islice(contents, GROUPS_PER_QUERY)):
        paths = paths_by_content(library, [content.content_hash for content in page])
        for content in page:
            yield DuplicateGroup(content.content_hash, content.size_bytes, paths[content.content_hash])
