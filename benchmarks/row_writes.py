"""Ways to get rows into PostgreSQL, from one INSERT a row to the sink's: what ablation.py compares.

All but the last write the same rows of `analyses` into a plain table, without keys, in one transaction.
Python objects and their tuples are made beforehand, so they cost the ways that need them nothing; the
bytes of COPY are encoded within the time. The last way is a run's own: both tables, keys and conflicts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg

from midiopt.pipeline.worker import Worker
from midiopt.rows.batch import Batch
from midiopt.rows.decode import row_to_values
from midiopt.rows.layout import ANALYSES_LAYOUT
from midiopt.schema import ANALYSES
from midiopt.sinks import open_sink
from midiopt.sinks.postgres_copy import CopyEncoder
from midiopt.sinks.sql import column_names

NAMES = column_names(ANALYSES)
MOST_FILES = 2048  # a batch, as a run writes it
PART = 128  # files in the batches that show what a connection costs


def batch_of(paths: list[bytes]) -> Batch:
    """The rows of these files, each content once."""
    batch = Batch.from_bytes(Worker().analyze_files(paths))
    seen = {bytes(row["content_hash"]): i for i, row in enumerate(batch.analyses)}
    return Batch(batch.files, batch.analyses[sorted(seen.values())], batch.heap)


def tuples(batch: Batch) -> list[tuple[Any, ...]]:
    return [tuple(row_to_values(ANALYSES, row, batch.heap)) for row in batch.analyses]


def ways(connection: psycopg.Connection, batch: Batch) -> dict[str, Callable[[psycopg.Cursor], None]]:
    """By name, what writes the batch with a cursor inside a transaction."""
    rows = tuples(batch)
    encoder = CopyEncoder(ANALYSES_LAYOUT.fields)
    insert = f"INSERT INTO plain ({NAMES}) VALUES ({', '.join(['%s'] * len(ANALYSES))})"
    copying = f"COPY plain ({NAMES}) FROM STDIN (FORMAT binary)"
    types = [c.kind.postgres for c in ANALYSES]

    def one_by_one(cursor: psycopg.Cursor) -> None:
        for row in rows:
            cursor.execute(insert, row)

    def write_row(cursor: psycopg.Cursor) -> None:
        with cursor.copy(copying) as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)

    def compiled(cursor: psycopg.Cursor) -> None:
        with cursor.copy(copying) as copy:
            copy.write(encoder.encode(batch.analyses, batch.heap))

    return {
        "COPY of compiled bytes": compiled,
        "COPY, write_row with set_types": write_row,
        "executemany": lambda cursor: cursor.executemany(insert, rows),
        "INSERT a row": one_by_one,
    }


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def plain_turns(url: str, batch: Batch, rounds: int) -> Iterator[dict[str, float]]:
    """Seconds of each way by the clock, once a round in an order that turns, into an empty table."""
    open_sink(url).close()  # makes the tables that `plain` is like
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE plain (LIKE analyses)")
        todo = ways(connection, batch)

        def once(way: Callable[[psycopg.Cursor], None]) -> float:
            connection.execute("TRUNCATE plain")

            def transaction() -> None:
                with connection.transaction(), connection.cursor() as cursor:
                    way(cursor)

            seconds = timed(transaction)
            [(count,)] = connection.execute("SELECT count(*) FROM plain").fetchall()
            assert count == len(batch.analyses)
            return seconds

        order = list(todo)
        for name in order:
            once(todo[name])  # the first one prepares statements
        for _ in range(rounds):
            yield {name: once(todo[name]) for name in order}
            order.reverse()


def sink_turns(url: str, paths: list[bytes], rounds: int) -> Iterator[dict[str, float]]:
    """Seconds to write the rows of the files in small batches, each a transaction, over warm connections and over new ones."""
    parts = [batch_of(paths[i : i + PART]) for i in range(0, min(len(paths), MOST_FILES), PART)]

    def once(warm: bool) -> float:
        with open_sink(url, 1, warm) as sink, psycopg.connect(url, autocommit=True) as connection:
            connection.execute("TRUNCATE files, analyses")

            def write() -> None:
                for part in parts:
                    sink.write(part)
                sink.flush()

            return timed(write)

    order = [True, False]
    for _ in range(rounds):
        yield {"kept open" if warm else "a connection a batch": once(warm) for warm in order}
        order.reverse()
