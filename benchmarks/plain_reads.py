"""Reading files with nothing else, many at once: what a disk can do. Its seconds on stdout.

python -m benchmarks.plain_reads read|stat N_IN_FLIGHT FOLDER
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator

from midiopt.sources.walk import iter_paths


def read(path: bytes) -> None:
    """Open, fstat, read and close, as a worker does."""
    fd = os.open(path, os.O_RDONLY)
    os.read(fd, os.fstat(fd).st_size)
    os.close(fd)


def in_flight(work: Callable[[bytes], object], paths: list[bytes], count: int) -> float:
    """The seconds that ``count`` threads need for all paths."""
    remaining: Iterator[bytes] = iter(paths)  # of a list, so each thread takes the next one

    def work_on() -> None:
        for path in remaining:
            work(path)

    threads = [threading.Thread(target=work_on) for _ in range(count)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - start


def main() -> None:
    """Do what the command line says."""
    kind, count, folder = sys.argv[1:]
    kinds: dict[str, Callable[[bytes], object]] = {"read": read, "stat": os.stat}
    print(in_flight(kinds[kind], list(iter_paths([folder])), int(count)))


if __name__ == "__main__":
    main()
