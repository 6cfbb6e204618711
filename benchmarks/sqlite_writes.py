"""What rows cost SQLite: as a run writes them, by Python's executemany(), and at best; and what they cost as Parquet.

    python -m benchmarks.sqlite_writes [--files 50000] [--rounds 5]

Processor time per file of the rows of generated songs, batch by batch, each a transaction. `at best` is the least that SQLite can
take for these values: the same values bound in the same way, into tables without keys, checks and indexes, with a plain INSERT.
`Parquet` is a directory of Parquet files, by its sink, with the last part; it is left out without pyarrow. The ways take turns, in an
order that is reversed every round.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import sqlite3
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from unittest import mock

from benchmarks import generate_collection
from benchmarks.clocks import processor_time
from benchmarks.command_line import run_program
from benchmarks.simulated_worker import answer
from midiopt.limits import BATCH_SIZE
from midiopt.pipeline.new_files import FILES_PER_TASK
from midiopt.pipeline.worker import Worker
from midiopt.rows.batch import Batch
from midiopt.rows.layout import LAYOUTS
from midiopt.sinks import open_sink, sqlite, sqlite_connection
from midiopt.sinks.dialects import SQLITE
from midiopt.sinks.sql import TABLES, column_names
from midiopt.sinks.sqlite_statement import RowStatement, connect

Write = Callable[[str, list[Batch]], float]  # processor seconds of all batches into a new file


def make_batches(files: int) -> list[Batch]:
    """Rows of songs with distinct paths and content hashes."""
    with tempfile.TemporaryDirectory() as folder:
        for _ in generate_collection.write(Path(folder), FILES_PER_TASK):
            pass
        canned = Batch.from_bytes(Worker().analyze_files(sorted(bytes(path) for path in Path(folder).glob("*/*.mid"))))
    batches = []
    for start in range(0, files, BATCH_SIZE):
        tasks = [range(first, first + FILES_PER_TASK) for first in range(start, start + BATCH_SIZE, FILES_PER_TASK)]
        messages = [answer([b"/collection/%04d/song %07d.mid" % (i // 1000, i) for i in task], canned) for task in tasks]
        batches.append(Batch.concat([Batch.from_bytes(message) for message in messages]))
    return batches


def as_a_run(path: str, batches: list[Batch]) -> float:
    """By the sink."""
    with open_sink(path) as sink:

        def write() -> None:
            for batch in batches:
                sink.write(batch)

        return processor_time(write)


def by_executemany(path: str, batches: list[Batch]) -> float:
    """By the sink, as where SQLite's functions are not found."""
    with mock.patch.object(sqlite_connection, "connect", lambda path, **options: (sqlite3.connect(path, **options), None)):
        return as_a_run(path, batches)


def at_best(path: str, batches: list[Batch]) -> float:
    """Plain inserts into plain tables."""
    connection, handle = connect(path, isolation_level=None)
    with contextlib.closing(connection), contextlib.ExitStack() as statements:
        checkpoint = f"wal_autocheckpoint = {sqlite.CHECKPOINT_BYTES // sqlite.PAGE_BYTES}"
        for setting in (f"page_size = {sqlite.PAGE_BYTES}", "journal_mode = WAL", "synchronous = NORMAL", checkpoint):
            connection.execute(f"PRAGMA {setting}")
        inserts = []
        for table in TABLES:
            connection.execute(f"CREATE TABLE {table.name} ({column_names(table)})")
            sql = f"INSERT INTO {table.name} VALUES {SQLITE.values(len(table))}"
            inserts.append((table, statements.enter_context(contextlib.closing(RowStatement(handle, sql, LAYOUTS[table].fields)))))

        def write() -> None:
            for batch in batches:
                connection.execute("BEGIN IMMEDIATE")
                for table, statement in inserts:
                    statement.write(batch.rows(table), batch.heap)
                connection.execute("COMMIT")

        return processor_time(write)


def as_parquet(path: str, batches: list[Batch]) -> float:
    """By the sink of Parquet directories."""
    with open_sink(f"parquet:{path}") as sink:

        def write() -> None:
            for batch in batches:
                sink.write(batch)
            sink.flush()

        return processor_time(write)


WAYS: dict[str, Write] = {"as a run": as_a_run, "executemany()": by_executemany, "at best": at_best}
if importlib.util.find_spec("pyarrow"):
    WAYS["Parquet"] = as_parquet


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, metavar="N", default=50_000, help="about how many (default: %(default)s)")
    parser.add_argument("--rounds", type=int, metavar="R", default=5, help="measurements per way (default: %(default)s)")
    options = parser.parse_args()
    if options.files < 1 or options.rounds < 2:
        parser.error("--files must be at least 1, --rounds at least 2")
    batches = make_batches(options.files)
    files = sum(map(len, batches))
    taken: dict[str, list[float]] = {name: [] for name in WAYS}
    order = list(WAYS)
    for _ in range(options.rounds):
        for name in order:
            with tempfile.TemporaryDirectory() as folder:
                taken[name].append(WAYS[name](f"{folder}/rows.db", batches) / files * 1e6)
        order.reverse()
    for name, times in taken.items():
        ratios = [time / run for time, run in zip(times, taken["as a run"], strict=True)]
        low, median, high = statistics.quantiles(ratios, n=4)
        print(f"{name:14} {statistics.median(times):6.2f} µs per file, {median:.2f} ({low:.2f}–{high:.2f}) times a run")
    return 0


if __name__ == "__main__":
    run_program(main)
