"""A process that does a work when told, so that builds and allocators can take turns: Player.

    python -m benchmarks.timing_process LIST        (then one name of a work a line on stdin; seconds come back)

It imports whatever build PYTHONPATH names, holds the files in memory, and repeats a short work until a
turn is long enough for the clock. Times are processor time.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

SHORTEST = 0.05  # seconds of a turn


class Event(NamedTuple):
    """An event as libraries that make an object of each have it."""

    tick: int
    mark: int
    status: int
    data1: int
    data2: int


def contents(paths: list[bytes]) -> list[tuple[bytes, bytes]]:
    """The bytes and the content hash of each file that can be parsed; SystemExit when none can."""
    import xxhash

    import midiopt

    arena = midiopt.EventArena()
    found = []
    for path in paths:
        data = Path(os.fsdecode(path)).read_bytes()
        try:
            midiopt.parse(data, into=arena)
        except midiopt.MidiError:
            continue
        found.append((data, xxhash.xxh3_128_digest(data)))
    if not found:
        raise SystemExit("none of these files is a MIDI file")
    return found


def works(paths: list[bytes]) -> dict[str, Callable[[], object]]:
    """Each work once through all files."""
    import midiopt
    from midiopt.core.analysis import Analyzer
    from midiopt.pipeline.new_files import FILES_PER_TASK
    from midiopt.pipeline.worker import Worker
    from midiopt.schema import ANALYZER_VERSION

    analyzer, arena = Analyzer(), midiopt.EventArena()
    sound = contents(paths)

    def rows(reader: str) -> None:
        worker = Worker(reader)  # a new one: it skips contents that it has seen
        for start in range(0, len(paths), FILES_PER_TASK):
            worker.analyze_files(paths[start : start + FILES_PER_TASK])

    def facts(make: Callable[[], Analyzer]) -> None:
        found, heap = bytearray(), bytearray()
        for data, digest in sound:
            make().analyze(data, digest, ANALYZER_VERSION, found, heap)

    def objects() -> None:
        for data, _ in sound:
            list(map(Event._make, midiopt.parse(data).events().tolist()))

    return {
        "rows": lambda: rows("read"),
        "rows mapped": lambda: rows("mmap"),
        "facts": lambda: facts(lambda: analyzer),
        "facts anew": lambda: facts(Analyzer),
        "events": lambda: [midiopt.parse(data, into=arena) for data, _ in sound],
        "events anew": lambda: [midiopt.parse(data) for data, _ in sound],
        "events as objects": objects,
    }


def serve(names: Path) -> None:
    todo = works(names.read_bytes().split(b"\0"))
    print("ready", flush=True)
    repeats: dict[str, int] = {}
    for line in sys.stdin:
        name = line.strip()
        work = todo[name]
        if name not in repeats:
            work()  # the first pass fills caches and grows buffers
            repeats[name] = math.ceil(SHORTEST / timed(work, 1))
        print(timed(work, repeats[name]), flush=True)


def timed(work: Callable[[], object], times: int) -> float:
    began = time.process_time()
    for _ in range(times):
        work()
    return max(time.process_time() - began, 1e-6) / times


class Player:
    """Such a process, in an environment of its own. `names` is a file of paths joined by NUL."""

    def __init__(self, environment: dict[str, str], names: Path) -> None:
        command = [sys.executable, "-m", "benchmarks.timing_process", str(names)]
        self.process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if not self._answer():
            raise SystemExit("a process that times works did not start: see above")

    def _answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def time(self, work: str) -> float:
        """Processor seconds of one pass."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{work}\n")
        self.process.stdin.flush()
        if not (answer := self._answer()):
            raise SystemExit(f"a process died while it did {work}")
        return float(answer)

    def end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
