"""One whole run in a process of its own, its numbers as JSON on stdout: what whole_runs.py times.

python -m benchmarks.single_run FOLDER --db URL --workers N
python -m benchmarks.single_run FOLDER                        (one worker's analysis alone: no walk, no rows written)
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

Numbers = dict[str, float]  # files, seconds from the first chunk to the last, seconds around that


def chunks_of(folder: str) -> Iterator[list[bytes]]:
    """The files of a folder in the groups that a run sends to its workers."""
    paths = iter_paths([folder])
    while chunk := list(islice(paths, FILES_PER_TASK)):
        yield chunk


def analysis_alone(folder: str) -> Numbers:
    chunks = list(chunks_of(folder))
    worker = Worker()
    began = time.perf_counter()
    for chunk in chunks:
        worker.analyze_files(chunk)
    return {"files": sum(len(chunk) for chunk in chunks), "seconds": time.perf_counter() - began, "around": 0.0}


def whole_run(folder: str, db: str, workers: int) -> Numbers:
    summary = midiopt.run([folder], db, workers=workers)
    if summary.interrupted or summary.unreadable or summary.crashed or summary.skipped:
        raise SystemExit(f"not a run to time: {summary}")
    return {"files": summary.files, "seconds": summary.steady_seconds, "around": summary.seconds - summary.steady_seconds}


def in_sequence(folder: str, db: str) -> Numbers:
    """The same work, but each batch is found, analysed and written before the next."""
    worker, waiting, files = Worker(), [], 0
    with open_sink(db, writers=1) as sink:
        began = time.perf_counter()
        for chunk in chunks_of(folder):
            files += len(chunk)
            waiting.append(Batch.from_bytes(worker.analyze_files(chunk)))
            if sum(map(len, waiting)) >= midiopt.RunOptions().batch_size:
                write(sink, waiting)
        write(sink, waiting)
        seconds = time.perf_counter() - began
    return {"files": files, "seconds": seconds, "around": 0.0}


def write(sink: Sink, waiting: list[Batch]) -> None:
    if waiting:
        sink.write(Batch.concat(waiting))
        sink.flush()
        waiting.clear()


def cpu(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", metavar="FOLDER")
    parser.add_argument("--db", metavar="URL", help="an empty database (default: none, and only the analysis)")
    parser.add_argument("--workers", metavar="N", type=int, default=1)
    parser.add_argument("--in-sequence", action="store_true", help="nothing overlaps, and there are no workers")
    options = parser.parse_args()
    if not options.db:
        numbers = analysis_alone(options.folder)
    elif options.in_sequence:
        numbers = in_sequence(options.folder, options.db)
    else:
        numbers = whole_run(options.folder, options.db, options.workers)
    # Imports included; the workers have ended by now, so their time is known.
    numbers |= {"cpu_parent": cpu(resource.RUSAGE_SELF), "cpu_workers": cpu(resource.RUSAGE_CHILDREN)}
    print(json.dumps(numbers))


if __name__ == "__main__":
    main()
