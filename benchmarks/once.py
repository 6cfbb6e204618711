"""One whole run in a process of its own, its numbers as JSON on stdout: what pipeline.py times.

python benchmarks/once.py FOLDER --db URL --workers N
python benchmarks/once.py FOLDER                        (one worker's analysis alone: no walk, no rows written)
"""

from __future__ import annotations

import argparse
import json
import resource
import time

from midiopt import orchestrator
from midiopt.pool import Pool
from midiopt.source import Source
from midiopt.worker import Worker

Numbers = dict[str, float]  # files, seconds from the first chunk to the last, seconds around that


def analysis_alone(folder: str) -> Numbers:
    chunks = list(Source.of([folder]).chunks())
    worker = Worker()
    began = time.perf_counter()
    for chunk in chunks:
        worker.analyse(chunk)
    return {"files": sum(map(len, chunks)), "seconds": time.perf_counter() - began, "around": 0.0}


def whole_run(folder: str, db: str, workers: int, warm: bool) -> Numbers:
    summary = orchestrator.run([folder], db=db, workers=workers, warm=warm)
    if summary.interrupted or summary.unreadable or summary.crashed or summary.skipped:
        raise SystemExit(f"not a run to time: {summary}")
    return {"files": summary.files, "seconds": summary.steady_seconds, "around": summary.seconds - summary.steady_seconds}


def cpu(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", metavar="FOLDER")
    parser.add_argument("--db", metavar="URL", help="an empty database (default: none, and only the analysis)")
    parser.add_argument("--workers", metavar="N", type=int, default=1)
    parser.add_argument("--overlapped", action="store_true", help="a process even for one worker, which otherwise needs none")
    parser.add_argument("--cold", action="store_true", help="a new connection for each batch")
    options = parser.parse_args()
    if options.overlapped:
        orchestrator.crew = Pool
    db, folder = options.db, options.folder
    numbers = whole_run(folder, db, options.workers, not options.cold) if db else analysis_alone(folder)
    # Imports included; the workers have ended by now, so their time is known.
    numbers |= {"cpu_parent": cpu(resource.RUSAGE_SELF), "cpu_workers": cpu(resource.RUSAGE_CHILDREN)}
    print(json.dumps(numbers))


if __name__ == "__main__":
    main()
