"""Times that can be compared: taken in turns, kept as pyperf keeps them.

Two works timed one after the other differ by whatever else the machine did meanwhile. Timed in turns,
pass by pass, both meet the same disturbances: the ratio is taken pair by pair, and of the ratios the
median. Kernels are timed by the processor's clock, which stands still while others have the core; on
a quiet machine it agrees with the one on the wall. Value i of a benchmark and value i of the one it is
`against` are such a pair; the JSON file is pyperf's, so `python -m pyperf compare_to`, `stats` and
`hist` work on it.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType

import midiopt

FEWEST_ROUNDS = 5
SHORTEST = 0.002  # seconds of a sample: passes over a few small files are repeated
OURS = "midiopt"


def need(module: str, otherwise: str = "") -> ModuleType:
    """Import what only benchmarks use; SystemExit with the remedy when it is missing."""
    try:
        return import_module(module)
    except ImportError:
        name = os.path.basename(sys.argv[0])
        raise SystemExit(f"{name}: {module} is not installed; pip install 'midiopt[dev]'{otherwise}") from None


pyperf = need("pyperf")


@dataclass
class Contest:
    """The same work on the same files by several programs, ours first."""

    work: str
    files: int
    passes: dict[str, Callable[[], object]]  # who: all files once

    def rounds(self, seconds: float) -> Iterator[dict[str, float]]:
        """Processor time of a pass by each, again and again for so many seconds; the order turns every round."""
        repeats = {}
        for who, work in self.passes.items():
            work()  # the first pass fills caches and grows buffers
            repeats[who] = math.ceil(SHORTEST / timed(work))
        order = list(self.passes)
        until = time.monotonic() + seconds
        done = 0
        while done < FEWEST_ROUNDS or time.monotonic() < until:
            yield {who: timed(self.passes[who], repeats[who]) for who in order}
            order.reverse()
            done += 1


def timed(work: Callable[[], object], times: int = 1) -> float:
    began = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - began) / times


def title(work: str, who: str) -> str:
    return f"{work}: {who}"


def run(work: str, who: str, files: int, seconds: list[float], against: str = "", **facts: int | float) -> object:
    """Passes over so many files in one process, as pyperf keeps them: seconds a file, and any facts beside."""
    about = {"name": title(work, who), "loops": 1, "inner_loops": files, "unit": "second", "midiopt_build": midiopt.build_info()["mode"]}
    about |= dict.fromkeys(("hostname", "python_executable", "python_config_args"), "-")  # the files are published
    if against:
        about["against"] = title(work, against)
    return pyperf.Run([s / files for s in seconds], metadata=about | facts)


def keep(benchmarks: list[list], file: str | None) -> object:
    """Benchmarks, each a list of runs, as a suite; added to those in a JSON file if one is named."""
    suite = pyperf.BenchmarkSuite(list(map(pyperf.Benchmark, benchmarks)))
    if file:
        os.makedirs(os.path.dirname(file) or ".", exist_ok=True)
        pyperf.add_runs(file, suite)
    return suite
