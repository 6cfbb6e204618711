"""The kernels of midiopt with every optimisation off: "all off" in ablation.py.

    python -m benchmarks.unoptimised LIST --db URL         (LIST: paths joined by NUL; prints measurements as JSON)

One process, sequentially: a file is read and analysed in memory that is allocated for it and freed after it,
and its rows are converted to Python objects and inserted one by one, over a new connection per batch.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import psycopg

from midiopt.pipeline.new_files import FILES_PER_TASK
from midiopt.pipeline.worker import Worker
from midiopt.rows.batch import Batch
from midiopt.rows.decode import row_to_values
from midiopt.sinks import open_sink
from midiopt.sinks.batch_rows import last_row_per_key
from midiopt.sinks.sql import TABLES, upsert


def main() -> None:
    """Analyse the files of a list into a database."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", metavar="LIST", type=Path)
    parser.add_argument("--db", metavar="URL", required=True, help="an empty database")
    options = parser.parse_args()
    paths = options.names.read_bytes().split(b"\0")
    open_sink(options.db).close()  # creates the tables
    inserts = [upsert(table, f"VALUES ({', '.join(['%s'] * len(table))})", "IS DISTINCT FROM").encode() for table in TABLES]
    start = time.perf_counter()
    for first in range(0, len(paths), FILES_PER_TASK):
        with psycopg.connect(options.db) as connection:  # commits at the end
            for path in paths[first : first + FILES_PER_TASK]:
                batch = Batch.from_bytes(Worker().analyze_files([path]))
                for table, insert in zip(TABLES, inserts, strict=True):
                    for row in last_row_per_key(table, batch):
                        connection.execute(insert, row_to_values(table, row, batch.heap))
    print(json.dumps({"files": len(paths), "seconds": time.perf_counter() - start}))


if __name__ == "__main__":
    main()
