"""Thirty questions to a library of a million files, in SQLite and PostgreSQL: how long the answers take, and how they are found.

    python -m benchmarks.questions [--files 1000000] [--rounds 5] [--page] [--sqlite PATH] [--postgres URL]

The library is synthetic (synthetic_library.py), and its caches are warm. Each answer is fetched completely; the shortest of the rounds
counts, in processor time of one core, which other work on the machine disturbs less: PostgreSQL may not start further processes for a
question. The program also drops every index that the end of a run makes, and makes it again, for its cost in seconds and bytes. A
temporary PostgreSQL server is used; one elsewhere is named by MIDIOPT_TEST_DSN. --sqlite and --postgres name libraries that are filled
already (and written, for that cost). With --page the results are written into docs/questions.md.
"""

from __future__ import annotations

import argparse
import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg

from benchmarks import generated_blocks, postgres_server
from benchmarks.command_line import run_program
from benchmarks.question_list import QUESTIONS
from benchmarks.synthetic_library import filled
from midiopt.sinks.dialects import POSTGRES, SQLITE
from midiopt.sinks.index_sql import create_indexes

ROOT = Path(__file__).resolve().parent.parent
PAGE, RESULTS = ROOT / "docs" / "questions.md", ROOT / "benchmarks" / "results" / "questions.json"
LIMIT = 100.0  # milliseconds, but for full counts

Ask = Callable[[str], list[tuple[Any, ...]]]


@contextlib.contextmanager
def sqlite_library(path: str) -> Iterator[Ask]:
    """Asks a filled SQLite database."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA mmap_size = 4000000000")
        yield lambda query: connection.execute(query).fetchall()


@contextlib.contextmanager
def postgres_library(url: str) -> Iterator[Ask]:
    """Asks a filled PostgreSQL database."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET max_parallel_workers_per_gather = 0")

        def ask(query: str) -> list[tuple[Any, ...]]:
            cursor = connection.execute(query.encode())
            return cursor.fetchall() if cursor.description else []

        yield ask


def answers(ask: Ask, is_postgres: bool, rounds: int) -> list[dict[str, Any]]:
    """The shortest time and the plan of each question."""
    [(path,)] = ask("SELECT path FROM files WHERE analysis_id > 0 ORDER BY path LIMIT 1 OFFSET 50000")
    clock = postgres_server.processor_clock(ask("SELECT pg_backend_pid()")[0][0]) if is_postgres else time.thread_time
    results = []
    for question in QUESTIONS:
        query = (question.postgres if is_postgres and question.postgres else question.sql).format(path=path)
        times = []
        for _ in range(rounds):
            start = clock()
            rows = ask(query)
            times.append((clock() - start) * 1000)
        plan = ask(f"EXPLAIN (COSTS OFF) {query}") if is_postgres else ask(f"EXPLAIN QUERY PLAN {query}")
        results.append({"ms": min(times), "rows": len(rows), "plan": [str(row[0 if is_postgres else 3]).rstrip() for row in plan]})
    return results


def index_costs(ask: Ask, is_postgres: bool) -> dict[str, tuple[float, int]]:
    """Seconds and bytes of every index."""

    def size() -> int:
        if is_postgres:
            [(found,)] = ask("SELECT pg_database_size(current_database())")
        else:
            [(found,)] = ask(
                "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count(), pragma_freelist_count(), pragma_page_size()"
            )
        return int(found)

    costs = {}
    for statement in create_indexes(POSTGRES if is_postgres else SQLITE):
        name = statement.split()[5]
        ask(f"DROP INDEX {name}")
        before, start = size(), time.perf_counter()
        ask(statement)
        costs[name] = time.perf_counter() - start, size() - before
    return costs


def page(results: dict[str, Any]) -> str:
    """Times, plans and costs as Markdown."""
    lines = ["| question | SQLite | PostgreSQL | rows |", "|---|---|---|---|"]
    for i, question in enumerate(QUESTIONS):
        cells = [_time(results[name]["answers"][i]["ms"], question.is_full_count) for name in ("sqlite", "postgres")]
        lines.append(f"| {question.words} | {cells[0]} | {cells[1]} | {results['sqlite']['answers'][i]['rows']:,} |")
    lines += ["", "| index | SQLite | PostgreSQL |", "|---|---|---|"]
    names = dict.fromkeys([*results["sqlite"]["indexes"], *results["postgres"]["indexes"]])
    for name in names:
        costs = [results[database]["indexes"].get(name) for database in ("sqlite", "postgres")]
        lines.append(f"| `{name}` | {' | '.join(f'{c[0]:.1f} s, {c[1] / 1e6:,.0f} MB' if c else '-' for c in costs)} |")
    for i, question in enumerate(QUESTIONS):
        lines += ["", f"## {question.words}", ""]
        for name, sql in (("sqlite", question.sql), ("postgres", question.postgres or question.sql)):
            if name == "sqlite" or question.postgres:
                lines += ["```sql", sql, "```", ""]
            lines += ["```text", f"{name}:", *results[name]["answers"][i]["plan"], "```", ""]
    return "\n".join(lines).rstrip()


def _time(ms: float, is_full_count: bool) -> str:
    return f"{ms:,.1f} ms" + (" (full count)" if is_full_count else "" if ms <= LIMIT else " **over**")


def main() -> int:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, metavar="N", default=1_000_000, help="files in the library (default: %(default)s)")
    parser.add_argument("--rounds", type=int, metavar="R", default=5, help="times that each question is asked (default: %(default)s)")
    parser.add_argument("--sqlite", metavar="PATH", help="a filled library")
    parser.add_argument("--postgres", metavar="URL", help="a filled library")
    parser.add_argument("--page", action="store_true", help="write the results into docs/questions.md")
    options = parser.parse_args()
    if options.files < 60_000 or options.rounds < 1:
        parser.error("--files must be at least 60000, --rounds at least 1")
    results: dict[str, Any] = {"files": options.files}
    for name, library in (("sqlite", sqlite_library), ("postgres", postgres_library)):
        given = getattr(options, name)
        with contextlib.nullcontext(given) if given else filled(name, options.files) as url, library(url) as ask:
            results[name] = {
                "answers": answers(ask, name == "postgres", options.rounds),
                "indexes": index_costs(ask, name == "postgres"),
            }
    text = page(results)
    if options.page:
        generated_blocks.store(RESULTS, results)
        generated_blocks.fill(PAGE, "questions", text)
    print(text)
    return 0


if __name__ == "__main__":
    run_program(main)
