"""A process that runs a workload on request, so that builds and allocators can be measured alternately: TimingProcess.

    python -m benchmarks.timing_process LIST        (reads one workload name per line on stdin, prints its seconds)

It imports the build that PYTHONPATH names, holds the files in memory, and repeats a short workload until
the clock resolves it. Times are processor time.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, NamedTuple

from benchmarks.clocks import processor_time
from midiopt import EventArena, MidiError, parse
from midiopt.core import build
from midiopt.core.analyzer import Analyzer
from midiopt.pipeline.new_files import FILES_PER_TASK
from midiopt.pipeline.worker import Worker
from midiopt.schema import ANALYZER_VERSION

MIN_SECONDS = 0.05  # of a measurement


class Event(NamedTuple):
    """An event as one Python object, as other libraries return it."""

    tick: int
    mark: int
    status: int
    data1: int
    data2: int


def parsable_contents(paths: Iterable[bytes]) -> list[tuple[bytes, bytes]]:
    """The bytes and the content hash of each file that can be parsed; SystemExit if there is none."""
    import xxhash

    arena = EventArena()
    contents = []
    for path in paths:
        data = Path(os.fsdecode(path)).read_bytes()
        try:
            parse(data, into=arena)
        except MidiError:
            continue
        contents.append((data, xxhash.xxh3_128_digest(data)))
    if not contents:
        raise SystemExit("none of these files is a MIDI file")
    return contents


def workloads(paths: list[bytes]) -> dict[str, Callable[[], object]]:
    """By name, one pass over all files."""
    analyzer, arena = Analyzer(), EventArena()
    contents = parsable_contents(paths)

    def rows(reader: str) -> None:
        worker = Worker(reader)  # a new one: a worker skips contents that it has analysed
        for start in range(0, len(paths), FILES_PER_TASK):
            worker.analyze_files(paths[start : start + FILES_PER_TASK])

    def facts(make: Callable[[], Analyzer]) -> None:
        found, heap = bytearray(), bytearray()
        for data, digest in contents:
            make().analyze(data, digest, ANALYZER_VERSION, found, heap)

    def objects() -> None:
        for data, _ in contents:
            list(map(Event._make, parse(data).events().tolist()))

    return {
        "rows": lambda: rows("read"),
        "rows, mapped files": lambda: rows("mmap"),
        "facts": lambda: facts(lambda: analyzer),
        "facts, new arena": lambda: facts(Analyzer),
        "events": lambda: [parse(data, into=arena) for data, _ in contents],
        "events, new arena": lambda: [parse(data) for data, _ in contents],
        "events, objects": objects,
    }


def serve(available: dict[str, Callable[[], object]]) -> None:
    """Print the mode of this build; then, per workload that stdin names, the processor seconds of one pass."""
    print(build.mode, flush=True)
    repeats: dict[str, int] = {}
    for line in sys.stdin:
        name = line.strip()
        work = available[name]
        if name not in repeats:
            work()  # the first pass fills caches and grows buffers
            repeats[name] = math.ceil(MIN_SECONDS / processor_time(work))
        print(processor_time(work, repeats[name]), flush=True)


class TimingProcess:
    """A child process that calls ``serve``."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdin is not None and process.stdout is not None
        self._process = process
        self._stdin: IO[str] = process.stdin
        self._stdout: IO[str] = process.stdout
        self.mode = self._stdout.readline().strip()  # of its build
        if not self.mode:
            raise SystemExit("a timing process did not start: see above")

    @classmethod
    def of(cls, names: Path, environment: dict[str, str]) -> TimingProcess:
        """A process of this module; ``names`` is a file of paths joined by NUL."""
        return cls([sys.executable, "-m", "benchmarks.timing_process", str(names)], environment)

    def time(self, workload: str) -> float:
        """Processor seconds of one pass."""
        self._stdin.write(f"{workload}\n")
        self._stdin.flush()
        if not (answer := self._stdout.readline()):
            raise SystemExit(f"a timing process died while running {workload}")
        return float(answer)

    def close(self) -> None:
        """End the process."""
        self._stdin.close()
        self._process.wait()


def paired_times(
    start_pair: Callable[[], tuple[TimingProcess, TimingProcess]], workloads: Iterable[str], processes: int, turns: int
) -> dict[str, list[tuple[float, float]]]:
    """By workload, the processor seconds of one pass in both processes of a pair, which take turns at going first.

    So other load on the machine affects both. There are as many pairs, one after another, as ``processes`` says, because speed also depends
    on the memory layout of a process.
    """
    times: dict[str, list[tuple[float, float]]] = {workload: [] for workload in workloads}
    for _ in range(processes):
        pair = start_pair()
        for turn in range(turns):
            for workload, measured in times.items():
                taken = {process: process.time(workload) for process in (pair if turn % 2 else pair[::-1])}
                measured.append((taken[pair[0]], taken[pair[1]]))
        for process in pair:
            process.close()
    return times


if __name__ == "__main__":
    serve(workloads(Path(sys.argv[1]).read_bytes().split(b"\0")))
