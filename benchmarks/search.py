"""Searches of a library of a million files, in SQLite and PostgreSQL: every term, words, and every pair of them.

    python -m benchmarks.search [--files 1000000] [--rounds 3] [--page] [--sqlite PATH] [--postgres URL]

The library is synthetic (synthetic_library.py), and its caches are warm. The first page of 50 files and a count of at most 10,000 are
timed, from the text of the search to typed rows, in processor time, which other work on the machine disturbs less; the shortest of the
rounds counts. Then the indexes that searches use are dropped and made again, for their cost in seconds, too, and bytes. --sqlite and
--postgres name libraries that are filled already (and written, for that cost). With --page the results go into docs/search.md.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from benchmarks import generated_blocks, postgres_server
from benchmarks.command_line import run_program
from benchmarks.synthetic_library import filled
from midiopt.library.search import count, find, parse_query
from midiopt.library.snapshot import Snapshot, open_snapshot
from midiopt.sinks import sqlite_words
from midiopt.sinks.dialects import POSTGRES, SQLITE
from midiopt.sinks.index_sql import create_indexes

ROOT = Path(__file__).resolve().parent.parent
PAGE, RESULTS = ROOT / "docs" / "search.md", ROOT / "benchmarks" / "results" / "search.json"
LIMITS = {1: 50.0, 2: 100.0}  # milliseconds, by the number of terms
COUNTED = 10_000
# Of each term a value that many files have, and where there is such one that few or none have.
SEARCHES = (
    *(
        "key:Am",
        "key:~Am",
        "key:Abm",
        "bpm:118..124",
        "bpm:~120",
        "bpm:299",
        "meter:3/4",
        "meter:31/8",
        'program:"slap bass"',
        "program:36",
    ),
    *("family:bass", "has:drums", "has:lyrics", "role:bass", 'chords:"Am F C G"', 'chords:"~Am F C G"', "duration:..30s", "duration:1h.."),
    *("notes:100..", "notes:..3", "polyphony:1", "polyphony:999", "swing:1.5..", "swing:9..", "loop:4", "performance:yes"),
    *("confidence:.8..", "status:repaired", "status:rejected", "issue:stuck_note", "issue:long_varint", "missing:yes"),
    *("waltz", "moon", "music", "12345", "nothing", '"slap waltz"', "-has:drums", "-waltz"),
)
INDEXES = (
    *("analyses_search", "analyses_chords", "analyses_meter", "analyses_polyphony", "analyses_swing", "analyses_loop", "analyses_issues"),
    *("analyses_performance", "analyses_lyrics", "analyses_drums", "files_phrases", "analyses_phrases"),
)
Ask = Callable[[str], list[tuple[Any, ...]]]


def timed(library: Snapshot, clock: Callable[[], float], text: str, rounds: int, limit: float) -> dict[str, Any]:
    """The shortest times of a page and of a count, in milliseconds; what takes less than half of the limit is asked once."""
    query = parse_query(text)
    found: dict[str, Any] = {"text": text}
    asked: dict[str, Callable[[], int]] = {"page": lambda: len(find(library, query)), "count": lambda: count(library, query, COUNTED)}
    for name, ask in asked.items():
        if name == "count" and limit != LIMITS[1]:
            continue
        best = float("inf")
        for _ in range(rounds):
            start = clock()
            found[f"{name}_files"] = ask()
            best = min(best, (clock() - start) * 1000)
            if best < limit / 2 and limit != LIMITS[1]:
                break
        found[name] = best
    return found


def measure(url: str, rounds: int) -> dict[str, Any]:
    """The times of every search and every pair."""
    with open_snapshot(url) as library:
        clock = time.thread_time
        if library.dialect.database == "postgres":
            clock = postgres_server.processor_clock(next(library.rows("SELECT pg_backend_pid()"))[0])
        singles = [timed(library, clock, text, rounds, LIMITS[1]) for text in SEARCHES]
        pairs = [timed(library, clock, " ".join(pair), rounds, LIMITS[2]) for pair in itertools.combinations(SEARCHES, 2)]
    pairs.sort(key=lambda found: -found["page"])
    over = [found["text"] for found in pairs if found["page"] > LIMITS[2]]
    middle = pairs[len(pairs) // 2]["page"]
    return {"singles": singles, "pairs": len(pairs), "middle": middle, "over": over, "slowest": pairs[:5]}


def index_costs(url: str, is_postgres: bool) -> dict[str, tuple[float, int]]:
    """Seconds of processor time and bytes of each index that searches use."""
    with contextlib.closing(_connect(url, is_postgres)) as connection:

        def ask(sql: str) -> list[tuple[Any, ...]]:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []

        clock = time.thread_time
        if is_postgres:
            ask("SET max_parallel_maintenance_workers = 0")  # whose time the clock does not show
            clock = postgres_server.processor_clock(ask("SELECT pg_backend_pid()")[0][0])
        pages = "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count(), pragma_freelist_count(), pragma_page_size()"
        size = "SELECT pg_database_size(current_database())" if is_postgres else pages
        costs = {}
        for statement in create_indexes(POSTGRES if is_postgres else SQLITE):
            name = statement.split()[5]
            if name in INDEXES:
                ask(f"DROP INDEX IF EXISTS {name}")
                before, start = ask(size)[0][0], clock()
                ask(statement)
                costs[name] = clock() - start, int(ask(size)[0][0]) - before
        if not is_postgres:
            ask(f"DROP TABLE IF EXISTS {sqlite_words.TABLE}")
            ask(f"DELETE FROM meta WHERE key = '{sqlite_words.STATE_KEY}'")
            before, start = ask(size)[0][0], clock()
            sqlite_words.fill_words(connection)
            costs["full text"] = clock() - start, int(ask(size)[0][0]) - before
    return costs


def _connect(url: str, is_postgres: bool) -> Any:
    return psycopg.connect(url, autocommit=True) if is_postgres else sqlite3.connect(url, isolation_level=None)


def page(results: dict[str, Any]) -> str:
    """The times and costs as Markdown."""
    names = {"sqlite": "SQLite", "postgres": "PostgreSQL"}
    there = [name for name in names if name in results]
    lines = [f"| search | {' | '.join(f'{names[name]} | count' for name in there)} | files |", f"|---|{'---:|---:|' * len(there)}---:|"]
    for i, text in enumerate(SEARCHES):
        found = [results[name]["singles"][i] for name in there]
        cells = [f"{_ms(single['page'], LIMITS[1])} | {single['count']:,.0f} ms" for single in found]
        number = found[0]["count_files"]
        lines.append(f"| `{text}` | {' | '.join(cells)} | {'over ' * (number == COUNTED)}{number:,} |")
    lines += ["", f"| pairs | {' | '.join(names[name] for name in there)} |", f"|---|{'---:|' * len(there)}"]
    lines.append(f"| searches | {' | '.join(format(results[name]['pairs'], ',') for name in there)} |")
    lines.append(f"| median | {' | '.join(_ms(results[name]['middle'], LIMITS[2]) for name in there)} |")
    lines.append(f"| over {LIMITS[2]:.0f} ms | {' | '.join(str(len(results[name]['over'])) for name in there)} |")
    slowest = [", ".join(f"`{found['text']}` {_ms(found['page'], LIMITS[2])}" for found in results[name]["slowest"]) for name in there]
    lines.append(f"| slowest | {' | '.join(slowest)} |")
    lines += ["", f"| index | {' | '.join(names[name] for name in there)} |", f"|---|{'---:|' * len(there)}"]
    for index in dict.fromkeys(index for name in there for index in results[name]["indexes"]):
        costs = [results[name]["indexes"].get(index) for name in there]
        lines.append(f"| `{index}` | {' | '.join(f'{c[0]:.1f} s, {c[1] / 1e6:,.0f} MB' if c else '-' for c in costs)} |")
    return "\n".join(lines)


def _ms(ms: float, limit: float) -> str:
    return f"{ms:,.1f} ms" + ("" if ms <= limit else " **over**")


def main() -> int:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, metavar="N", default=1_000_000, help="files in the library (default: %(default)s)")
    parser.add_argument("--rounds", type=int, metavar="R", default=3, help="times that each search is asked (default: %(default)s)")
    parser.add_argument("--sqlite", metavar="PATH", help="a filled library")
    parser.add_argument("--postgres", metavar="URL", help="a filled library")
    parser.add_argument("--page", action="store_true", help="write the results into docs/search.md")
    options = parser.parse_args()
    if options.files < 1 or options.rounds < 1:
        parser.error("--files and --rounds must be at least 1")
    results: dict[str, Any] = {"files": options.files}
    for name in ("sqlite", "postgres"):
        given = getattr(options, name)
        with contextlib.nullcontext(given) if given else filled(name, options.files) as url:
            results[name] = measure(url, options.rounds) | {"indexes": index_costs(url, name == "postgres")}
    text = page(results)
    if options.page:
        generated_blocks.store(RESULTS, results)
        generated_blocks.fill(PAGE, "times", text)
    print(text)
    return 0


if __name__ == "__main__":
    run_program(main)
