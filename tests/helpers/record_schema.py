"""Keep what this version of midiopt executes in a new database, before SCHEMA_VERSION is raised: python -m tests.helpers.record_schema

It writes a script for each database into tests/sinks/schemas, from which test_upgrades.py makes databases of this schema ever after.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from benchmarks import postgres_server
from midiopt.schema import SCHEMA_VERSION
from midiopt.sinks import open_sink, sqlite_connection, sqlite_first_tables

SCHEMAS = Path(__file__).parents[1] / "sinks" / "schemas"
KEPT = re.compile(r"\s*(?:CREATE (?!TEMP)|COMMENT|ALTER|INSERT|REPLACE)")
# What the fixture inserts, and the rows of an index of words, by functions of the connection that wrote it.
LEFT_OUT = re.compile(r"INTO meta .*'(?:product|schema_version|content_key)'|INSERT INTO midiopt_words ")


def finish_empty(url: str) -> None:
    """Open a new database for writing, and end it like a run without files."""
    with open_sink(url) as sink:
        sink.finalize()


def of_sqlite() -> list[str]:
    """The statements that a new SQLite database is made by."""
    statements: list[str] = []

    def traced(connect: Callable[..., Any]) -> Callable[..., Any]:
        def connect_traced(path: str, **options: Any) -> Any:
            connection, handle = connect(path, **options)
            connection.set_trace_callback(statements.append)
            return connection, handle

        return connect_traced

    for module in (sqlite_connection, sqlite_first_tables):
        module.connect = traced(module.connect)  # type: ignore[attr-defined]
    with tempfile.TemporaryDirectory() as folder:
        finish_empty(f"{folder}/x.db")
    return statements


def of_postgres() -> list[str]:
    """The same for PostgreSQL."""
    statements: list[str] = []
    execute = psycopg.Cursor.execute

    def execute_traced(self: Any, query: Any, values: Any = None, **options: Any) -> Any:
        statements.append(psycopg.ClientCursor(self.connection).mogrify(query, values) if values else str(query))
        return execute(self, query, values, **options)

    psycopg.Cursor.execute = execute_traced  # type: ignore[assignment,method-assign]
    with postgres_server.temporary_server() as server, postgres_server.database(server.url) as url:
        finish_empty(url)
    return statements


def main() -> None:
    """Write both scripts."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    for name, title, statements in (("sqlite", "SQLite", of_sqlite()), ("postgres", "PostgreSQL", of_postgres())):
        lines = [f"-- What a commit with schema {SCHEMA_VERSION} ({commit}) executed in a new {title} database."]
        lines += [f"{text.strip().rstrip(';')};" for text in statements if KEPT.match(text) and not LEFT_OUT.search(text)]
        (SCHEMAS / f"{SCHEMA_VERSION}_{name}.sql").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
