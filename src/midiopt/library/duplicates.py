"""Groups of files with the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from midiopt.library.copies import Copies, sort_out
from midiopt.library.queries import paths_by_content, shared_contents
from midiopt.library.snapshot import Snapshot

GROUPS_PER_QUERY = 500  # groups whose paths one query fetches


@dataclass(frozen=True)
class DuplicateGroup(Copies):
    """Files with the same content."""

    content_hash: bytes
    """16 bytes, as in the library."""
    size_bytes: int
    """Size of one file."""


def duplicate_groups(library: Snapshot, missing: bool = False) -> Iterator[DuplicateGroup]:
    """All groups of at least two files: most files first, then the largest. With ``missing`` those that are missing count, too."""
    contents = shared_contents(library, missing)
    while page := list(islice(contents, GROUPS_PER_QUERY)):
        paths = paths_by_content(library, [content.content_hash for content in page], missing)
        for content in page:
            copies = sort_out(paths[content.content_hash])
            if len(copies.paths) + len(copies.missing) > 1:
                yield DuplicateGroup(copies.paths, copies.links, copies.missing, content.content_hash, content.size_bytes)
