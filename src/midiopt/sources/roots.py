"""The sources of a run, as the user names them."""

from __future__ import annotations

import os
from collections.abc import Iterable

from midiopt.errors import SourceError
from midiopt.sources.filetypes import is_wanted
from midiopt.sources.lists import STANDARD_INPUT, check_list
from midiopt.sources.paths import archive_in
from midiopt.sources.sniff import is_sqlite_database
from midiopt.sources.urls import is_url


class _NotThere(SourceError):
    """There is nothing under this name."""


def find_roots(
    arguments: Iterable[str | os.PathLike[str]], problems: list[str] | None = None, gone: list[bytes] | None = None
) -> list[bytes]:
    """Absolute paths of files and folders, URLs, and @lists, in path order; ``-`` is ``@-``, a list from standard input.

    One that cannot be used is added to ``problems`` if another can be. Raises SourceError if none can, or without ``problems``. With
    ``gone``, the absolute paths of those that are not there are added to it instead.
    """
    roots: list[bytes] = []
    errors: list[SourceError] = []
    for argument in arguments:
        try:
            roots.append(_find_root(os.fsencode(argument)))
        except _NotThere as error:
            if gone is None:
                errors.append(error)
            else:
                gone.append(os.path.abspath(os.fsencode(argument)))
        except SourceError as error:
            errors.append(error)
    if errors and (problems is None or not (roots or gone)):
        raise errors[0]
    if not (roots or gone):
        raise SourceError("name at least one file, folder or @list, or - for a list from standard input")
    if problems is not None:
        problems.extend(map(str, errors))
    return sorted(set(roots), key=lambda root: root + b"/")


def _find_root(path: bytes) -> bytes:
    if path in (STANDARD_INPUT, b"@" + STANDARD_INPUT):
        check_list(STANDARD_INPUT)
        return b"@" + STANDARD_INPUT
    if path.startswith(b"@"):
        name = os.fsdecode(path[1:])
        if not os.path.exists(path[1:]):
            raise SourceError(f"there is no list {name!r} (a SOURCE that begins with @ names a file of paths)")
        if os.path.isdir(path[1:]) or not os.access(path[1:], os.R_OK):
            raise SourceError(f"the list {name!r} cannot be read")
        check_list(path[1:])
        return path
    if is_url(path):
        from midiopt.sources.objects import backend_of

        backend_of(path).need()
        return path
    if not os.path.lexists(path):
        archive = archive_in(os.fsdecode(path))
        hint = f"; a member is analysed with its archive: name {archive!r}" if archive and os.path.exists(archive) else ""
        raise _NotThere(f"there is no file or folder {os.fsdecode(path)!r}{hint}")
    if os.path.isdir(path) and not os.access(path, os.R_OK | os.X_OK):
        raise SourceError(f"the folder {os.fsdecode(path)!r} cannot be read")
    if not is_wanted(path) and is_sqlite_database(path):
        raise SourceError(f"{os.fsdecode(path)!r} is an SQLite database, and no source; to write into it, name it with --db")
    try:
        return os.path.abspath(path)
    except FileNotFoundError:
        raise SourceError("the current folder is no longer there") from None
