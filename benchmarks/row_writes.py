"""Ways to write rows into PostgreSQL, from one INSERT per row to those of the sink: what ablation.py compares.

All but the last write the same rows of `analyses` into a plain table, without keys, in one transaction.
Python objects and tuples of the values are made beforehand, so the ways that need them do not pay for them;
the bytes of COPY are encoded within the measured time. The last way is that of a run: both tables, with keys
and conflicts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg

from benchmarks.clocks import wall_time
from midiopt.pipeline.worker import Worker
from midiopt.rows.batch import Batch
from midiopt.rows.decode import row_to_values
from midiopt.rows.layout import ANALYSES_LAYOUT
from midiopt.schema import ANALYSES
from midiopt.sinks import open_sink
from midiopt.sinks.postgres_copy import CopyEncoder
from midiopt.sinks.sql import column_names

NAMES = column_names(ANALYSES)
MAX_FILES = 2048  # a batch of the default size
BATCH_FILES = 128  # files per batch where the cost of connections is measured


def make_batch(paths: list[bytes]) -> Batch:
    """The rows of these files, each content once."""
    batch = Batch.from_bytes(Worker().analyze_files(paths))
    last = {bytes(row["content_hash"]): i for i, row in enumerate(batch.analyses)}
    return Batch(batch.files, batch.analyses[sorted(last.values())], batch.heap)


def ways(batch: Batch) -> dict[str, Callable[[psycopg.Cursor], None]]:
    """By name, a function that writes the batch with a cursor inside a transaction."""
    rows = [tuple(row_to_values(ANALYSES, row, batch.heap)) for row in batch.analyses]
    encoder = CopyEncoder(ANALYSES_LAYOUT.fields)
    insert = f"INSERT INTO plain ({NAMES}) VALUES ({', '.join(['%s'] * len(ANALYSES))})".encode()
    copy_in = f"COPY plain ({NAMES}) FROM STDIN (FORMAT binary)".encode()
    types = [column.kind.postgres for column in ANALYSES]

    def insert_each(cursor: psycopg.Cursor) -> None:
        for row in rows:
            cursor.execute(insert, row)

    def write_row(cursor: psycopg.Cursor) -> None:
        with cursor.copy(copy_in) as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)

    def compiled(cursor: psycopg.Cursor) -> None:
        with cursor.copy(copy_in) as copy:
            copy.write(encoder.encode(batch.analyses, batch.heap))

    return {
        "COPY of compiled bytes": compiled,
        "COPY, write_row with set_types": write_row,
        "executemany": lambda cursor: cursor.executemany(insert, rows),
        "INSERT per row": insert_each,
    }


def plain_rounds(url: str, batch: Batch, count: int) -> Iterator[dict[str, float]]:
    """Seconds of each way into an empty table; the order is reversed every round."""
    open_sink(url).close()  # creates the tables, of which `plain` is a copy
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE plain (LIKE analyses)")
        todo = ways(batch)

        def measure(way: Callable[[psycopg.Cursor], None]) -> float:
            connection.execute("TRUNCATE plain")

            def transaction() -> None:
                with connection.transaction(), connection.cursor() as cursor:
                    way(cursor)

            seconds = wall_time(transaction)
            [(rows,)] = connection.execute("SELECT count(*) FROM plain").fetchall()
            assert rows == len(batch.analyses)
            return seconds

        order = list(todo)
        for name in order:
            measure(todo[name])  # the first call prepares statements
        for _ in range(count):
            yield {name: measure(todo[name]) for name in order}
            order.reverse()


def connection_rounds(url: str, paths: list[bytes], count: int) -> Iterator[dict[str, float]]:
    """Seconds to write the rows of the files in small batches, each a transaction, over open and over new connections."""
    batches = [make_batch(paths[i : i + BATCH_FILES]) for i in range(0, min(len(paths), MAX_FILES), BATCH_FILES)]

    def measure(warm: bool) -> float:
        with open_sink(url, 1, warm) as sink, psycopg.connect(url, autocommit=True) as connection:
            connection.execute("TRUNCATE files, analyses")

            def write() -> None:
                for batch in batches:
                    sink.write(batch)
                sink.flush()

            return wall_time(write)

    variants = {"kept open": True, "one connection per batch": False}
    order = list(variants)
    for _ in range(count):
        yield {name: measure(variants[name]) for name in order}
        order.reverse()
