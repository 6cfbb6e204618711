"""Comparable times: measured in interleaved pairs, stored in the format of pyperf.

Two programs timed one after the other also differ by whatever else the machine did meanwhile. With
interleaved passes both meet the same disturbances: a ratio is computed per pair, and the result is the
median of the ratios. Kernels are measured in processor time, which does not advance while others use the
core; on an idle machine it equals wall-clock time. Value i of a benchmark and value i of its ``reference``
are such a pair; the JSON files are pyperf's, so `python -m pyperf compare_to`, `stats` and `hist` read them.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.clocks import processor_time
from benchmarks.command_line import need
from midiopt.core import build

MIN_ROUNDS = 5
MIN_SECONDS = 0.002  # of a sample: passes over a few small files are repeated
OURS = "midiopt"

pyperf = need("pyperf")


@dataclass
class Comparison:
    """One workload on the same files by several programs, midiopt first."""

    workload: str
    files: int
    programs: dict[str, Callable[[], object]]  # by name, one pass over all files

    def rounds(self, seconds: float) -> Iterator[dict[str, float]]:
        """Processor seconds of one pass per program, for at least ``seconds``; the order is reversed every round."""
        repeats = {}
        for name, work in self.programs.items():
            work()  # the first pass fills caches and grows buffers
            repeats[name] = math.ceil(MIN_SECONDS / processor_time(work))
        order = list(self.programs)
        end = time.monotonic() + seconds
        done = 0
        while done < MIN_ROUNDS or time.monotonic() < end:
            yield {name: processor_time(self.programs[name], repeats[name]) for name in order}
            order.reverse()
            done += 1


def title(workload: str, program: str) -> str:
    """The name of a benchmark."""
    return f"{workload}: {program}"


def pyperf_run(workload: str, program: str, files: int, seconds: list[float], reference: str = "", /, **facts: Any) -> Any:
    """A ``pyperf.Run`` of passes over ``files`` files in one process: seconds per file, and further facts as metadata."""
    about = {"name": title(workload, program), "loops": 1, "inner_loops": files, "unit": "second", "midiopt_build": build.mode}
    about |= dict.fromkeys(("hostname", "python_executable", "python_config_args"), "-")  # the files are published
    if reference:
        about["reference"] = title(workload, reference)
    return pyperf.Run([s / files for s in seconds], metadata=about | facts)


def save(benchmarks: list[list[Any]], file: str | None) -> Any:
    """Make a ``pyperf.BenchmarkSuite`` of benchmarks, each a list of runs, and append it to a JSON file if one is named."""
    suite = pyperf.BenchmarkSuite(list(map(pyperf.Benchmark, benchmarks)))
    if file:
        os.makedirs(os.path.dirname(file) or ".", exist_ok=True)
        pyperf.add_runs(file, suite)
    return suite
