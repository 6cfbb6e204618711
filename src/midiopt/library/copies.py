"""Which of the paths with one content can be told apart as copies on this computer: whoever deletes all but the first must keep one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from midiopt.library.queries import ContentPath
from midiopt.sources.file_state import FileState
from midiopt.sources.paths import archive_in, path_bytes

_ABSENT, _CHANGED = "absent", "changed"


@dataclass(frozen=True)
class Copies:
    """The paths with one content, in the order of their bytes."""

    paths: list[str]
    """Copies: files of their own, none of them missing."""
    links: list[str]
    """Other names of the same files: symbolic and hard links, and paths through linked folders."""
    missing: list[str]
    """Files that a run has missed."""


def sort_out(found: Sequence[ContentPath]) -> Copies:
    """Ask the system about the files that are not missing.

    Left out are files that have gone or changed since the last run. Where none is there, as on another computer, the database is believed.
    A file with several names is one copy, whose path is one without links if there is such.
    """
    present = [path for path in found if not path.is_missing]
    states = [_state(path) for path in present]
    paths, links = [path.path for path in present], []
    if any(state != _ABSENT for state in states):
        names: dict[object, list[str]] = {}
        for path, state in zip(paths, states, strict=True):
            if state not in (_ABSENT, _CHANGED):
                names.setdefault(state, []).append(path)
        firsts = {state: min(same, key=_is_through_link) if len(same) > 1 else same[0] for state, same in names.items()}
        paths = sorted(firsts.values())
        links = sorted(path for state, same in names.items() for path in same if path != firsts[state])
    return Copies(paths, links, [path.path for path in found if path.is_missing])


def _state(path: ContentPath) -> object:
    """Absent, changed, or the identity of the file; of a member of an archive that is there, its path."""
    archive = archive_in(path.path)
    try:
        info = os.stat(path_bytes(archive or path.path))
    except (OSError, ValueError):
        return _ABSENT
    if archive:
        return path.path
    return (info.st_dev, info.st_ino) if FileState.from_stat(info) == path.state else _CHANGED


def _is_through_link(path: str) -> bool:
    return os.path.realpath(path_bytes(path)) != path_bytes(path)
