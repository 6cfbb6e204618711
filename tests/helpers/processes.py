"""Runs as a user starts them, and what they leave in a database."""

from __future__ import annotations

import contextlib
import io
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import psycopg

from midiopt.cli.main import main
from midiopt.rows.content_hash import ContentHash
from midiopt.schema import ANALYSES
from tests.helpers.songs import faulty_song

FAULT_INJECTION = Path(__file__).parent.parent / "fault_injection"
FILES_KEPT = "path, size_bytes, mtime_ns, content_hash, status, error, analyzer_version"


def command(*arguments: object, module: str = "midiopt.orchestrator") -> list[str]:
    """The command line of a module."""
    return [sys.executable, "-m", module, *map(str, arguments)]


def finish(
    *arguments: object, module: str = "midiopt.orchestrator", cwd: Path | None = None, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a module to its end."""
    return subprocess.run(command(*arguments, module=module), capture_output=True, text=True, cwd=cwd, env=env, timeout=120)


def call(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The same for a command of midiopt in this process, where its start takes no 0.2 s: for tests of what it finds and prints."""
    stdout, stderr = (io.TextIOWrapper(io.BytesIO(), "utf-8", "surrogateescape", "", write_through=True) for _ in range(2))
    with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
        try:
            code = main([*map(str, arguments)])
        except SystemExit as end:  # of the parser of arguments
            code = int(end.code or 0)
    out, err = (stream.buffer.getvalue().decode("utf-8", "surrogateescape") for stream in (stdout, stderr))  # type: ignore[attr-defined]
    return subprocess.CompletedProcess([*map(str, arguments)], code, out, err)


def write_faulty(path: Path, fault: str, data: bytes = b"") -> Path:
    """A valid file that does what fault_injection/sitecustomize.py says to the worker that analyses it."""
    path.write_bytes(data or faulty_song(fault))
    return path


def with_faults(**more: str) -> dict[str, str]:
    """The environment of a run whose workers die of some files, see fault_injection/sitecustomize.py."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(FAULT_INJECTION), *filter(None, sys.path)]), **more}


def tables(db: Path | str) -> tuple[list, list]:
    """Both tables of either database in the order of paths, but for analyzed_at and the rowid.

    Each database has its own hash of a content, so in place of it stands the first path that has the content.
    """
    queries = [
        f"SELECT {FILES_KEPT} FROM files ORDER BY path",
        f"SELECT {', '.join(c.name for c in ANALYSES)} FROM analyses ORDER BY content_hash",
    ]
    files, analyses = (ask(db, query) for query in queries)
    first: dict[bytes, str] = {}
    for path, _, _, digest, *_ in files:
        first.setdefault(digest, path)
    files = [(*row[:3], row[3] and first[row[3]], *row[4:]) for row in files]
    return files, sorted(((first.get(digest, digest.hex()), *facts) for digest, *facts in analyses), key=lambda row: row[0])


def ask(db: Path | str, query: str) -> list[tuple]:
    """The rows of a query, over a connection that cannot write."""
    if str(db).startswith("postgresql:"):
        with psycopg.connect(str(db)) as connection:
            return connection.execute(query).fetchall()
    path = str(db).removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


def stored_hash(db: Path | str, data: bytes) -> bytes:
    """The hash of a content in this database."""
    [(key,)] = ask(db, "SELECT value FROM meta WHERE key = 'content_key'")
    return ContentHash(bytes.fromhex(key)).digest(data)


def file_rows(db: Path | str, columns: str = "status, error, size_bytes, mtime_ns, content_hash") -> dict[str, tuple]:
    """These columns of `files`, by path."""
    return {path: tuple(values) for path, *values in ask(db, f"SELECT path, {columns} FROM files")}


def written(db: Path | str) -> int:
    """Number of rows of `files`; 0 while there is no such table, or no server."""
    try:
        return ask(db, "SELECT count(*) FROM files")[0][0]
    except (sqlite3.OperationalError, psycopg.OperationalError, psycopg.errors.UndefinedTable):
        return 0


def children(pid: int) -> list[int]:
    """The processes that a process has started; none after its end."""
    try:
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def delivered(pid: int, number: int) -> bool:
    """Whether no signal of this number is pending for a process any more: its handler has run, the kernel's part of it."""
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    pending = [int(line.split()[1], 16) for line in status if line.startswith(("SigPnd:", "ShdPnd:"))]
    return not any(mask >> (number - 1) & 1 for mask in pending)


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def process_state(pid: int) -> str:
    """A letter: R runs, S waits, T is stopped, Z is a zombie; empty for no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return ""


def alive(pid: int) -> bool:
    """Whether a process exists and is not a zombie."""
    return process_state(pid) not in ("", "Z")
