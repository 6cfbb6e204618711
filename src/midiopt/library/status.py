"""midiopt status: what a database holds, and how the last run into it ended."""

from __future__ import annotations

import datetime as dt
import json

from midiopt.library import Library
from midiopt.schema import ISSUES, RUNS, STATUSES, issue_names

EXAMPLES = 3  # of an issue
FILES_SHOWN = 5  # slowest, and largest


def status(library: Library) -> dict:
    """What the command shows, as plain objects: see its parts below."""
    contents, analysed = next(
        library.rows("SELECT count(*), (SELECT count(*) FROM files WHERE status IN ('ok', 'repaired')) FROM analyses")
    )
    return {
        "files": _statuses(library),
        "contents": contents,
        "duplicates": analysed - contents,
        "issues": _issues(library),
        "slowest": [
            {"path": path, "seconds": us / 1e6}
            for path, us in library.rows(
                f"SELECT path, analysis_us FROM files WHERE analysis_us IS NOT NULL ORDER BY 2 DESC, 1 LIMIT {FILES_SHOWN}"
            )
        ],
        "largest": [
            {"path": path, "bytes": size}
            for path, size in library.rows(f"SELECT path, size_bytes FROM files ORDER BY 2 DESC, 1 LIMIT {FILES_SHOWN}")
        ],
        "last_run": _last_run(library),
    }


def _statuses(library: Library) -> dict[str, dict]:
    """By status how many files, and of those that are not ok the first with its error."""
    found = {name: {"files": 0} for name in STATUSES}
    for name, count, path in library.rows("SELECT status, count(*), min(path) FROM files GROUP BY status"):
        found[name] = {"files": count}
        if name not in ("ok", "opened"):
            [(error,)] = library.rows("SELECT error FROM files WHERE path = ?", [path])
            found[name] |= {"example": path, "error": error}
    return found


def _issues(library: Library) -> dict[str, dict]:
    """By name how many files have it and some of their paths, the commonest first."""
    files = dict.fromkeys(ISSUES, 0)
    examples: dict[str, list[str]] = {name: [] for name in ISSUES}
    query = "SELECT issues, count(*), min(path), max(path) FROM library WHERE issues <> 0 GROUP BY issues ORDER BY 2 DESC, 1"
    for bits, count, *paths in library.rows(query):
        for name in issue_names(bits):
            files[name] += count
            examples[name] += [path for path in dict.fromkeys(paths) if len(examples[name]) < EXAMPLES]
    ranked = sorted(filter(files.get, ISSUES), key=lambda name: -files[name])
    return {name: {"files": files[name], "examples": examples[name][:EXAMPLES]} for name in ranked}


def _last_run(library: Library) -> dict | None:
    """Its row of `runs`; the outcome of one without any is `running`, or `killed` when nobody holds the lock."""
    query = f"SELECT {', '.join(c.name for c in RUNS)} FROM runs ORDER BY id DESC LIMIT 1"
    for row in library.rows(query):
        facts = {c.name: _plain(c.kind, value) for c, value in zip(RUNS, row, strict=True)}
        facts["outcome"] = facts["outcome"] or ("running" if library.in_use else "killed")
        return facts | {"options": json.loads(row[[c.name for c in RUNS].index("options")])}
    return None


def _plain(kind: str, value):
    """A value of either database as JSON takes it."""
    if isinstance(value, dt.datetime):
        return f"{value.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S.%f}"
    return json.loads(value) if kind == "texts" and isinstance(value, str) else value
