"""midiopt verify: does the database hold what the installed version computes?"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np

from midiopt.library import Library
from midiopt.pipeline.hash_table_writer import Told
from midiopt.pipeline.options import usable_cores
from midiopt.pipeline.pool import Pool, Settings
from midiopt.pipeline.sampling import EVERYTHING, Lots
from midiopt.pipeline.tasks import AnalyzeFiles, ReadMembers, Task
from midiopt.rows.batch import Batch, record
from midiopt.rows.wire import note_of
from midiopt.schema import ANALYSED, ANALYSES, FILES, REJECTED, STATUSES, Column
from midiopt.sources.filetypes import is_archive
from midiopt.sources.paths import is_truncated, path_bytes, path_text

SAMPLE = 1000  # files
CHUNK = 128  # files
SETTLED = tuple(STATUSES[i] for i in (*ANALYSED, REJECTED))  # what an archive came to depends on its members
OTHERS = tuple(status for status in STATUSES if status not in SETTLED)
TABLES = (("files", "path", FILES), ("analyses", "content_hash", ANALYSES))


def differences(library: Library, sample: int | None, seen: Counter[str]) -> Iterator[dict]:
    """A dict for every value that differs: table, key, column, stored, computed.

    ``sample`` files are taken by chance, or all of them; of the archives that they are members of, no other member is
    analysed. Counts in ``seen`` are of files `checked`, `changed` since they were analysed (they themselves, or
    the archive), `gone`, and `cut`: their paths are not whole, so they cannot be opened.
    """
    lots, order = EVERYTHING, "" if sample else "ORDER BY path"
    paths: Iterable[str] = (path for (path,) in library.rows(f"SELECT path FROM files WHERE status IN {SETTLED} {order}"))
    if sample:
        lots, paths = Lots.draw(paths, sample)
    with contextlib.closing(Told()) as told, contextlib.closing(Pool(usable_cores(), Settings(members=lots), told)) as pool:
        tasks = _tasks(library, paths, seen)
        while True:
            while pool.has_room() and (task := next(tasks, None)):
                pool.deal(task)
            if not pool.busy():
                return
            for message in pool.collect(0.5):
                yield from _compare(library, Batch.from_bytes(message), lots, bool(note_of(message)), seen)


def _tasks(library: Library, paths: Iterable[str], seen: Counter[str]) -> Iterator[Task]:
    """What to deal for these paths, which are in order. A member counts as gone until its row arrives."""
    chunk: list[bytes] = []
    archive, state = None, ""
    rejected: dict[bytes, str] = {}  # archives with a row of their own: other paths may come before their members
    for text in paths:
        path = path_bytes(text)
        if archive is None or not path.startswith(archive + b"!/"):
            archive = _archive(path)
            if archive in rejected:
                state = rejected[archive]
            elif archive:
                state = _state_of(library, archive)
                if not state:
                    yield ReadMembers(archive)
            if archive == path:
                rejected[path] = state
        if archive:
            seen[state or "gone"] += 1
        elif is_truncated(text) and not os.path.lexists(path):
            seen["cut"] += 1
        else:
            chunk.append(path)
            if len(chunk) == CHUNK:
                yield AnalyzeFiles(chunk)
                chunk = []
    if chunk:
        yield AnalyzeFiles(chunk)


def _archive(path: bytes) -> bytes | None:
    """The archive on disk that a path names, or that holds what it names."""
    if b"!/" not in path or os.path.lexists(path):
        return path if is_archive(path) else None
    ends = (found.start() for found in re.finditer(b"!/", path))
    return next((path[:end] for end in ends if os.path.isfile(path[:end])), None)


def _state_of(library: Library, archive: bytes) -> str:
    """How an archive counts with its members; nothing when it is to be read: it is what it was, or no run has finished it."""
    for stored in library.rows("SELECT size_bytes, mtime_ns FROM files WHERE path = ?", [path_text(archive)]):
        try:
            info = os.stat(archive)
        except OSError:
            return "gone"
        return "" if (info.st_size, info.st_mtime_ns) == stored else "changed"
    return ""


def _compare(library: Library, batch: Batch, lots: Lots, of_archive: bool, seen: Counter[str]) -> Iterator[dict]:
    contents = set()  # of files that were checked; another's may have no row
    for name, key, columns in TABLES:
        computed = {facts[key]: facts for facts in (record(columns, row, batch.heap) for row in getattr(batch, name))}
        stored = _stored(library, name, key, columns, list(computed))
        for value, facts in computed.items():
            known = stored.get(value)
            if name == "files":
                if known is None or known["status"] not in SETTLED or not lots.take(str(value)):
                    continue  # it came with its archive
                state = _state(facts, known, of_archive)
                seen[state] += 1
                seen["gone"] -= of_archive
                if state != "checked":
                    continue
                contents.add(facts["content_hash"])
            elif value not in contents:
                continue
            where = {"table": name, "key": value.hex() if isinstance(value, bytes) else value}
            if known is None:
                yield {**where, "column": "the row", "stored": None, "computed": "there"}
                continue
            for column in columns:
                if not column.varies and column.name != "analyzer_version" and not _is_same(column, known[column.name], facts[column.name]):
                    yield {**where, "column": column.name, "stored": _shown(known[column.name]), "computed": _shown(facts[column.name])}


def _state(computed: dict, stored: dict, of_archive: bool) -> str:
    if computed["status"] == "unreadable" and not of_archive:
        return "gone"
    return "checked" if all(computed[name] == stored[name] for name in ("size_bytes", "mtime_ns")) else "changed"


def _stored(library: Library, name: str, key: str, columns: tuple[Column, ...], keys: list) -> dict:
    names = [c.name for c in columns]
    found: dict = {}
    for some in (keys[i : i + CHUNK] for i in range(0, len(keys), CHUNK)):  # an archive in an archive may have 100,000 members
        query = f"SELECT {', '.join(names)} FROM {name} WHERE {key} IN ({', '.join('?' * len(some))})"
        rows = (dict(zip(names, row, strict=True)) for row in library.rows(query, some))
        found |= {row[key]: row for row in rows}
    return found


def _is_same(column: Column, stored, computed) -> bool:
    """Whether a value of a database is the one computed; numbers of 32 bits may come as any that rounds to them."""
    if stored is None or computed is None:
        return stored is computed
    if column.kind in ("texts", "floats", "set") and isinstance(stored, str):
        stored = json.loads(stored)
    if column.kind in ("float32", "floats"):
        return np.array_equal(np.float32(stored), np.float32(computed))
    return stored == computed


def _shown(value):
    return value.hex() if isinstance(value, bytes) else value
