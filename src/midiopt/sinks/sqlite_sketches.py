"""The table `sketch_hashes` of SQLite: which contents have a hash in their sketch, where PostgreSQL has an index on the list `sketch`."""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
from collections.abc import Iterator
from typing import TYPE_CHECKING

from midiopt.kinds import INT32, INT64
from midiopt.schema import Column
from midiopt.sinks.sql import REFERENCE
from midiopt.sinks.sqlite_hashes import MAX_ID, HashReader, insert_hashes, sort_by_hash

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

TABLE = "sketch_hashes"
COLUMNS = (
    Column("hash", INT32, "hash in a `sketch`"),
    Column("analysis_id", INT64, "`id` of a row in `analyses` that has it"),
)
CREATE = (
    f"CREATE TABLE {TABLE} (hash INTEGER NOT NULL, analysis_id INTEGER NOT NULL {REFERENCE}, PRIMARY KEY (hash, analysis_id)) WITHOUT ROWID"
)
# `meta` has the id up to which all contents are in the table. One that changes later, and all after it, are entered again; the id of one
# that is deleted may be given to another.
DONE_KEY = "sketched_id"
_DONE = f"key = '{DONE_KEY}' AND CAST(value AS INTEGER)"
_DELETE_OLD = f"DELETE FROM {TABLE} WHERE hash IN (SELECT value FROM json_each(old.sketch)) AND analysis_id = old.id"
_LAST = "(SELECT coalesce(max(id), 0) FROM analyses)"
TRIGGER = f"{TABLE}_of_deleted"
CREATE_TRIGGERS = (
    f"CREATE TRIGGER {TRIGGER} AFTER DELETE ON analyses BEGIN {_DELETE_OLD}; UPDATE meta SET value = {_LAST} WHERE {_DONE} > {_LAST}; END",
    f"CREATE TRIGGER {TABLE}_of_changed AFTER UPDATE OF sketch ON analyses WHEN new.sketch IS NOT old.sketch BEGIN {_DELETE_OLD};"
    f" UPDATE meta SET value = new.id - 1 WHERE {_DONE} >= new.id; END",
)
IS_OURS = f"SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name = '{TRIGGER}'"  # not a table of the user
SELECT_DONE = f"SELECT value FROM meta WHERE key = '{DONE_KEY}'"
_INSERT = f"INSERT OR IGNORE INTO {TABLE}"
_NEW = "FROM analyses{} WHERE analyses.id > ? AND sketch IS NOT NULL ORDER BY"
_INSERT_BY_SQL = f"{_INSERT} SELECT value, analyses.id {_NEW.format(', json_each(sketch)')} 1, 2"
CONTENTS = 1 << 16  # that are sorted at a time: at most 16 MB of numbers
SAMPLED = 256  # one number in so many tells how they are distributed


def read_numbers(handle: object, done: int) -> Iterator[npt.NDArray[np.int64]]:
    """What fill_sketch_hashes() enters of the contents after `done`. All of it has been read when this returns."""
    numbers = _sorted_numbers(handle, done)
    return itertools.chain([next(numbers)], numbers)


def fill_sketch_hashes(
    connection: sqlite3.Connection, handle: object | None, numbers: Iterator[npt.NDArray[np.int64]] | None = None
) -> None:
    """Add the contents that are new or have changed, within a transaction. The handle is from connect(); `numbers` are theirs, if they
    have been read."""
    [(is_ours,)] = connection.execute(IS_OURS)
    if not is_ours:
        return
    [(last,)] = connection.execute(f"SELECT {_LAST}")
    done = next((int(value) for (value,) in connection.execute(SELECT_DONE)), 0)
    if done < last:
        if handle is None or last > MAX_ID:
            connection.execute(_INSERT_BY_SQL, (done,))
        else:
            for part in numbers or _sorted_numbers(handle, done):
                insert_hashes(handle, f"{_INSERT} VALUES ", part)
        connection.execute("REPLACE INTO meta VALUES (?, ?)", (DONE_KEY, str(last)))


def _sorted_numbers(handle: object, done: int) -> Iterator[npt.NDArray[np.int64]]:
    """The numbers of all contents after `done`, ascending. Where there are more than CONTENTS, they go through a temporary file."""
    import numpy as np

    with contextlib.closing(HashReader(handle, f"SELECT id, sketch {_NEW.format('')} id", done)) as reader:

        def read() -> npt.NDArray[np.int64]:
            numbers = np.frombuffer(reader.read(CONTENTS), np.int64)
            sort_by_hash(numbers)
            return numbers

        numbers = read()
        if not len(following := read()):
            yield numbers
            return
        import tempfile  # 5 ms of a small run

        with tempfile.TemporaryFile() as file:
            ends, samples = [0], []
            while len(numbers):
                numbers.tofile(file)
                ends.append(ends[-1] + len(numbers))
                samples.append(numbers[::SAMPLED])
                numbers, following = following, read()
            file.flush()
            stored = np.memmap(file, np.int64, "r")
            parts = [stored[start:end] for start, end in itertools.pairwise(ends)]
            sample = np.sort(np.concatenate(samples))
            limits = sample[:: max(1, ends[1] // SAMPLED)][1:]  # about as many numbers from one to the next as in the first part
            cuts = [[0, *part.searchsorted(limits), len(part)] for part in parts]
            for n in range(len(limits) + 1):
                numbers = np.concatenate([part[cut[n] : cut[n + 1]] for part, cut in zip(parts, cuts, strict=True)])
                sort_by_hash(numbers)  # each part has later ids than the one before
                yield numbers
