"""Folders, lists and files to chunks of paths, in walk order.

A folder's entries are taken in the order of their whole paths' bytes, which is the order of the
database's primary key: rows that arrive sorted are written three times as fast.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from .errors import SourceError

SUFFIXES = (b".mid", b".midi", b".smf", b".kar", b".rmi")
CHUNK_FILES = 128
CHUNK_BYTES = 16 * 1024  # of paths: the four chunks of a worker fit into its pipe's buffer, so dealing never blocks
LONGEST_PATH = 4096  # PATH_MAX: nothing longer can be opened

Known = Callable[[list[bytes], list[os.stat_result | None]], list[bool]]


@dataclass
class Source:
    """What a run is asked to analyse.

    ``known``, if given, tells of paths with their stat results which are unchanged since the last run;
    those are counted in ``skipped`` and left out.
    """

    roots: list[bytes]
    known: Known | None = None
    found: int = 0
    skipped: int = 0
    exhausted: bool = False  # everything was found; `found` is the total
    problems: list[str] = field(default_factory=list)  # folders that could not be read

    @classmethod
    def of(cls, arguments: Iterable[str | os.PathLike[str]]) -> Source:
        """From the SOURCE arguments of the command line. Raises SourceError for one that does not exist."""
        roots = []
        for argument in arguments:
            path = os.fsencode(argument)
            if path.startswith(b"@"):
                if not os.path.exists(path[1:]):
                    raise SourceError(f"there is no list {os.fsdecode(path[1:])!r} (a SOURCE that begins with @ names a file of paths)")
                if os.path.isdir(path[1:]) or not os.access(path[1:], os.R_OK):
                    raise SourceError(f"the list {os.fsdecode(path[1:])!r} cannot be read")
                roots.append(path)
            elif os.path.isdir(path) and not os.access(path, os.R_OK | os.X_OK):
                raise SourceError(f"the folder {os.fsdecode(path)!r} cannot be read")
            elif os.path.lexists(path):
                roots.append(os.path.abspath(path))
            else:
                raise SourceError(f"there is no file or folder {os.fsdecode(path)!r}")
        if not roots:
            raise SourceError("name at least one file, folder or @list")
        return cls(_outermost(roots))

    def chunks(self) -> Iterator[list[bytes]]:
        """The paths still to be analysed, at most CHUNK_FILES and CHUNK_BYTES at a time."""
        chunk: list[bytes] = []
        size = 0
        for path in self._new_paths():
            if len(chunk) == CHUNK_FILES or (chunk and size + len(path) > CHUNK_BYTES):
                yield chunk
                chunk, size = [], 0
            chunk.append(path)
            size += len(path) + 1
        if chunk:
            yield chunk
        self.exhausted = True

    def _new_paths(self) -> Iterator[bytes]:
        if self.known is None:
            for path in self._paths():
                self.found += 1
                yield path
            return
        batch: list[bytes] = []
        for path in self._paths():
            self.found += 1
            batch.append(path)
            if len(batch) == CHUNK_FILES:
                yield from self._unknown(batch)
                batch = []
        yield from self._unknown(batch)

    def _unknown(self, paths: list[bytes]) -> list[bytes]:
        assert self.known is not None
        answers = self.known(paths, [_stat(path) for path in paths])
        new = [path for path, known in zip(paths, answers, strict=True) if not known]
        self.skipped += len(paths) - len(new)
        return new

    def _paths(self) -> Iterator[bytes]:
        for root in self.roots:
            if root.startswith(b"@"):
                with open(root[1:], "rb") as lines:
                    for line in lines:
                        if path := line.rstrip(b"\r\n"):
                            path = os.path.abspath(path)
                            yield from self._walk(path) if os.path.isdir(path) else (path,)
            elif os.path.isdir(root):
                yield from self._walk(root)
            else:
                yield root

    def _walk(self, folder: bytes) -> Iterator[bytes]:
        """Files with a MIDI suffix below a folder; links are not followed."""
        stack = [iter(self._entries(folder))]
        while stack:
            for path, is_folder in stack[-1]:
                if is_folder:
                    stack.append(iter(self._entries(path)))
                    break
                yield path
            else:
                stack.pop()

    def _entries(self, folder: bytes) -> list[tuple[bytes, bool]]:
        entries = []
        try:
            with os.scandir(folder) as found:
                for entry in found:
                    if entry.is_dir(follow_symlinks=False):
                        entries.append((entry.path + b"/", True))
                    elif entry.name.lower().endswith(SUFFIXES) and entry.is_file(follow_symlinks=False):
                        entries.append((entry.path, False))
        except OSError as problem:
            self.problems.append(f"{os.fsdecode(folder)}: {problem.strerror}")
        entries.sort()  # "a.mid" before "a/b.mid": the slash puts a folder where its files' paths belong
        return entries


def _stat(path: bytes) -> os.stat_result | None:
    try:
        return os.stat(path)
    except (OSError, ValueError):
        return None


def _outermost(roots: list[bytes]) -> list[bytes]:
    """The roots in order, without those that lie inside another."""
    kept: list[bytes] = []
    for root in sorted(set(roots), key=lambda r: r + b"/"):
        if root.startswith(b"@") or not any(root.startswith(k.rstrip(b"/") + b"/") for k in kept):
            kept.append(root)
    return kept
