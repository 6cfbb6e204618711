"""The sources of a run, as the user names them."""

from __future__ import annotations

import os
from collections.abc import Iterable

from midiopt.errors import SourceError
from midiopt.sources.lists import check_list


def find_roots(arguments: Iterable[str | os.PathLike[str]]) -> list[bytes]:
    """Absolute paths of files and folders, and @lists, in path order. Raises SourceError for one that cannot be used."""
    roots = [_find_root(os.fsencode(argument)) for argument in arguments]
    if not roots:
        raise SourceError("name at least one file, folder or @list")
    return sorted(set(roots), key=lambda root: root + b"/")


def _find_root(path: bytes) -> bytes:
    if path.startswith(b"@"):
        name = os.fsdecode(path[1:])
        if not os.path.exists(path[1:]):
            raise SourceError(f"there is no list {name!r} (a SOURCE that begins with @ names a file of paths)")
        if os.path.isdir(path[1:]) or not os.access(path[1:], os.R_OK):
            raise SourceError(f"the list {name!r} cannot be read")
        check_list(path[1:])
        return path
    if not os.path.lexists(path):
        raise SourceError(f"there is no file or folder {os.fsdecode(path)!r}")
    if os.path.isdir(path) and not os.access(path, os.R_OK | os.X_OK):
        raise SourceError(f"the folder {os.fsdecode(path)!r} cannot be read")
    return os.path.abspath(path)
