"""One whole run in its own process, its measurements as JSON on stdout: what whole_runs.py calls.

python -m benchmarks.single_run FOLDER --db URL --workers N
python -m benchmarks.single_run FOLDER                        (the analysis by one worker alone: no walk, no database)
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Iterator
from itertools import islice

import midiopt
from midiopt.pipeline.new_files import FILES_PER_TASK
from midiopt.pipeline.worker import Worker
from midiopt.rows.batch import Batch
from midiopt.sinks import open_sink
from midiopt.sinks.base import Sink
from midiopt.sources.walk import iter_paths

Measurements = dict[str, float]  # files, seconds from the first chunk to the last, and setup_seconds before and after


def chunks_of(folder: str) -> Iterator[list[bytes]]:
    """The files of a folder in the groups that a run sends to its workers."""
    paths = iter_paths([folder])
    while chunk := list(islice(paths, FILES_PER_TASK)):
        yield chunk


def analyse_only(folder: str) -> Measurements:
    """One worker over all files, in this process."""
    chunks = list(chunks_of(folder))
    worker = Worker()
    start = time.perf_counter()
    for chunk in chunks:
        worker.analyze_files(chunk)
    return {"files": sum(map(len, chunks)), "seconds": time.perf_counter() - start, "setup_seconds": 0.0}


def whole_run(folder: str, db: str, workers: int) -> Measurements:
    """A run as a user starts it."""
    summary = midiopt.run([folder], db, workers=workers)
    if summary.interrupted or summary.unreadable or summary.crashed or summary.skipped:
        raise SystemExit(f"this run cannot be compared: {summary}")
    return {"files": summary.files, "seconds": summary.steady_seconds, "setup_seconds": summary.seconds - summary.steady_seconds}


def sequential_run(folder: str, db: str) -> Measurements:
    """The same work without overlap: each batch is found, analysed and written before the next."""
    worker, files = Worker(), 0
    pending: list[Batch] = []
    with open_sink(db, writers=1) as sink:
        start = time.perf_counter()
        for chunk in chunks_of(folder):
            files += len(chunk)
            pending.append(Batch.from_bytes(worker.analyze_files(chunk)))
            if sum(map(len, pending)) >= midiopt.RunOptions().batch_size:
                write(sink, pending)
        write(sink, pending)
        seconds = time.perf_counter() - start
    return {"files": files, "seconds": seconds, "setup_seconds": 0.0}


def write(sink: Sink, pending: list[Batch]) -> None:
    """Commit the pending batches as one."""
    if pending:
        sink.write(Batch.concat(pending))
        sink.flush()
        pending.clear()


def processor_seconds(who: int) -> float:
    """User and system time of this process (RUSAGE_SELF) or its children that have ended (RUSAGE_CHILDREN)."""
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Do the run that the command line describes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", metavar="FOLDER")
    parser.add_argument("--db", metavar="URL", help="an empty database (default: none, analysis only)")
    parser.add_argument("--workers", metavar="N", type=int, default=1)
    parser.add_argument("--sequential", action="store_true", help="no workers and no overlap")
    options = parser.parse_args()
    if not options.db:
        measured = analyse_only(options.folder)
    elif options.sequential:
        measured = sequential_run(options.folder, options.db)
    else:
        measured = whole_run(options.folder, options.db, options.workers)
    # Imports included; the workers have ended by now, so their time is known.
    measured |= {"cpu_parent": processor_seconds(resource.RUSAGE_SELF), "cpu_workers": processor_seconds(resource.RUSAGE_CHILDREN)}
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
