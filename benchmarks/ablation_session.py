"""What the sections of ablation.py share: how much is measured, on which files, and the results so far."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from rich.progress import Progress, TaskID

from benchmarks.paired_timing import pyperf_run


@dataclass
class Plan:
    """How much is measured."""

    processes: int = 4  # timing processes, one after another
    turns: int = 8  # measurements per variant in each of them
    rounds: int = 5  # whole runs
    reads: int = 11
    writes: int = 15


@dataclass
class Session:
    """What all sections use, and the results so far."""

    plan: Plan
    paths: list[bytes]
    folder: Path  # temporary, on the disk of build/
    progress: Progress
    about: dict[str, Any]
    runs: list[list[Any]] = field(default_factory=list)  # what paired_timing.save takes
    loads: list[float] = field(default_factory=list)

    def by_size(self, max_count: int) -> list[bytes]:
        """At most ``max_count`` files whose sizes are distributed like those of all."""
        ordered = sorted(self.paths, key=os.path.getsize)
        step = -(-len(ordered) // max_count)
        return ordered[step // 2 :: step] or ordered

    def write_list(self, name: str, paths: list[bytes], separator: bytes = b"\0") -> Path:
        """A file of paths."""
        path = self.folder / name
        path.write_bytes(separator.join(paths))
        return path

    def task(self, description: str, total: int) -> TaskID:
        """A progress bar in a terminal, a line in a log."""
        if not self.progress.console.is_terminal:
            self.progress.console.print(description)
        return self.progress.add_task(description, total=total)

    def collect(self, description: str, rounds: Iterable[dict[str, float]], total: int) -> dict[str, list[float]]:
        """The seconds of all rounds by variant, with a progress bar."""
        task = self.task(description, total)
        seconds: dict[str, list[float]] = {}
        for found in rounds:
            for variant, value in found.items():
                seconds.setdefault(variant, []).append(value)
            self.progress.advance(task)
        return seconds

    def add(self, optimisation: str, workload: str, items: int, seconds: dict[str, list[float]]) -> None:
        """Store the seconds per pass over ``items`` items; the first variant is the one with the optimisation."""
        first = next(iter(seconds))
        about = self.about | ({"other_load": fmean(self.loads)} if self.loads else {})
        self.loads.clear()
        for variant, values in seconds.items():
            facts: dict[str, Any] = {
                "optimisation": optimisation,
                "workload": workload,
                "variant": variant,
                "enabled": int(variant == first),
            }
            self.runs.append([pyperf_run(f"{optimisation}, {workload}", variant, items, values, **facts, **about)])
