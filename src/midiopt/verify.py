"""midiopt verify: does the database hold what the installed version computes?"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
from collections import Counter
from collections.abc import Iterator
from itertools import islice

import numpy as np

from .console import plain
from .orchestrator import usable_cores
from .paths import path_bytes, path_text
from .pool import Pool, Settings
from .rows import Batch, record
from .schema import ANALYSED, ANALYSES, FILES, REJECTED, STATUSES, Column
from .sinks import Library, open_library
from .suffixes import is_archive
from .told import Told

DESCRIPTION = "Analyse files of a database again and report every row that differs from what this version computes. Nothing is written."
SAMPLE = 1000  # files
CHUNK = 128  # files
TABLES = (("files", "path", FILES), ("analyses", "content_hash", ANALYSES))


def differences(library: Library, sample: int | None, seen: Counter[str]) -> Iterator[dict]:
    """A dict for every value that differs: table, key, column, stored, computed.

    ``sample`` files are taken by chance, or all of them. Counts in ``seen`` are of files `checked`, `changed`
    since they were analysed, `gone`, and `passed` over: archives and their members, and
    paths that were cut, which cannot be opened.
    """
    with contextlib.closing(Told()) as told, contextlib.closing(Pool(usable_cores(), Settings(), told)) as pool:
        paths = _paths(library, sample, seen)
        while True:
            while pool.has_room() and (chunk := list(islice(paths, CHUNK))):
                pool.deal(chunk)
            if not pool.busy():
                return
            for message in pool.collect(0.5):
                yield from _compare(library, Batch.from_bytes(message), seen)


def _paths(library: Library, sample: int | None, seen: Counter[str]) -> Iterator[bytes]:
    settled = ", ".join(f"'{STATUSES[i]}'" for i in (*ANALYSED, REJECTED))
    order = "path" if sample is None else f"random() LIMIT {sample}"
    for (text,) in library.rows(f"SELECT path FROM files WHERE status IN ({settled}) ORDER BY {order}"):
        path = path_bytes(text)
        if path_text(path) != text or is_archive(path) or ("!/" in text and not os.path.lexists(path)):
            seen["passed"] += 1
        else:
            yield path


def _compare(library: Library, batch: Batch, seen: Counter[str]) -> Iterator[dict]:
    contents = set()  # of files that were checked; another's may have no row
    for name, key, columns in TABLES:
        computed = {facts[key]: facts for facts in (record(columns, row, batch.heap) for row in getattr(batch, name))}
        stored = _stored(library, name, key, columns, list(computed))
        for value, facts in computed.items():
            known = stored.get(value)
            if name == "files":
                state = _state(facts, known)
                seen[state] += 1
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


def _stored(library: Library, name: str, key: str, columns: tuple[Column, ...], keys: list) -> dict:
    if not keys:
        return {}
    query = f"SELECT {', '.join(c.name for c in columns)} FROM {name} WHERE {key} IN ({', '.join('?' * len(keys))})"
    rows = (dict(zip([c.name for c in columns], row, strict=True)) for row in library.rows(query, keys))
    return {row[key]: row for row in rows}


def _state(computed: dict, stored: dict | None) -> str:
    if computed["status"] == "unreadable":
        return "gone"
    if stored is None or any(computed[name] != stored[name] for name in ("size_bytes", "mtime_ns")):
        return "changed"
    return "checked"


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


def command(options: argparse.Namespace) -> int:
    """Print every difference, a line each, and then what was looked at; exit code 1 when something differs."""
    seen: Counter[str] = Counter(dict.fromkeys(("checked", "differing", "changed", "gone", "passed"), 0))
    with open_library(options.db) as library:
        for found in differences(library, None if options.all else options.sample, seen):
            seen["differing"] += 1
            if options.json:
                print(json.dumps(found, ensure_ascii=False))
            else:
                print(plain("{table} {key}: {column} is {stored!r}, not {computed!r}".format(**found)).plain)
    if options.json:
        print(json.dumps(seen))
    else:
        told = "{checked:,} files checked, {differing:,} values differ; {changed:,} files changed, {gone:,} gone, {passed:,} passed over"
        print(told.format(**seen))
    return 1 if seen["differing"] else 0
