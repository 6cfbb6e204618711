"""Runs over files that are not in the page cache, and over a slow disk, beside plain readers with 1, 16 and 64 files in flight.

    python -m benchmarks.cold [--files N] [--collection DIR] [--workers N] [--rounds R] [--latency MS ...] [--page]

Before each cold run the kernel is asked to drop the files from its cache (posix_fadvise, DONTNEED), which leaves their names and
sizes there; with --drop-caches (root only) it drops everything, of the whole machine. The collection must lie on a disk, not in memory.
A slow disk is simulated: slow_disk.c lets each open, read, stat and opendir take --latency milliseconds. All kinds of runs take turns;
a ratio is that of two runs in the same round, the median with the middle half. A run is the whole command into SQLite with the
seconds that it prints. "One after another" is a run without reading ahead (MIDIOPT_READER=read), on fewer files where it is slow.
The results are stored in benchmarks/results/cold.json; with --page they are written into docs/performance.md.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from benchmarks import file_reads, generated_blocks, slow_disk, whole_runs
from benchmarks.command_line import run_program
from benchmarks.peak_memory import PeakMemory
from benchmarks.verdict import quartiles
from midiopt.sources.walk import iter_paths

HERE = Path(__file__).resolve().parent
RESULTS, PAGE = HERE / "results" / "cold.json", HERE.parent / "docs" / "performance.md"
DROP_CACHES = Path("/proc/sys/vm/drop_caches")
IN_FLIGHT = 1, 16, 64  # plain readers
WARM_PAIRS = 4  # per round
STAT_LATENCY = 1  # ms, of the second run
SLOW_SECONDS = 4  # about, of what waits for one file after another
EVICTIONS = 5  # at most: on a busy machine the kernel keeps pages that were just read
MAX_CACHED = 0.02  # share of the files that may be in the cache before a cold run
AHEAD, PLAIN = "run", "run, one after another"
READERS = {AHEAD: "ahead", PLAIN: "read"}  # values of MIDIOPT_READER

STATS = [f"{n} plain calls at once" for n in IN_FLIGHT]

Rates = dict[str, list[float]]  # files/s of a kind of run in each round
Results = list[dict[str, Any]]  # a table each: title, files, rates, memory of runs in bytes


@dataclass(frozen=True)
class Disk:
    """Files, and how they are read."""

    folder: Path
    paths: list[bytes]
    workers: int
    environment: dict[str, str]
    make_ready: Callable[[], object]  # before each measurement

    def plain(self, kind: str, count: int) -> dict[str, float]:
        """Plain readers: their seconds."""
        self.make_ready()
        command = [sys.executable, "-m", "benchmarks.plain_reads", kind, str(count), str(self.folder)]
        done = subprocess.run(command, env=self.environment, check=True, stdout=subprocess.PIPE, text=True)
        return {"files": len(self.paths), "seconds": float(done.stdout)}

    def run(self, reader: str, url: str) -> dict[str, float]:
        """A run of the command: its summary and its peak memory in bytes."""
        self.make_ready()
        command = [sys.executable, "-m", "midiopt.orchestrator", str(self.folder), "--db", url, "--json", "--quiet"]
        command += ["--workers", str(self.workers)]
        environment = self.environment | {"MIDIOPT_READER": reader}
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process, PeakMemory(process.pid) as peak:
            answer, _ = process.communicate()
        if process.returncode:
            raise SystemExit(f"a run failed: {' '.join(command)}")
        summary: dict[str, float] = json.loads(answer)
        return summary | {"memory": peak.bytes}

    def first_run(self, reader: str) -> dict[str, float]:
        """A run into an empty database."""
        with whole_runs.new_sqlite() as url:
            return self.run(reader, url)

    def evict(self, everything: bool) -> None:
        """Drop the files from the page cache; SystemExit if the kernel does not."""
        sample = self.paths[:: max(1, len(self.paths) // 200)]
        for _ in range(EVICTIONS):
            file_reads.drop_from_cache(self.paths)
            if everything:
                DROP_CACHES.write_text("3\n")
            if sum(map(file_reads.is_cached, sample)) <= MAX_CACHED * len(sample):
                return
        raise SystemExit("the kernel keeps the files in memory: is --collection on a disk?")

    def fill_cache(self) -> None:
        """Read all files."""
        for path in self.paths:
            Path(os.fsdecode(path)).read_bytes()


def in_turns(title: str, kinds: Mapping[str, Callable[[], dict[str, float]]], rounds: int, progress: Progress) -> dict[str, Any]:
    """Every kind of run once per round, in an order that is reversed every round."""
    rates: Rates = {kind: [] for kind in kinds}
    memory: dict[str, float] = {}
    task = progress.add_task("", total=rounds * len(kinds))
    order = list(kinds)
    for _ in range(rounds):
        for kind in order:
            progress.update(task, description=f"{title}: {kind}")
            found = kinds[kind]()
            rates[kind].append(found["files"] / found["seconds"])
            if "memory" in found:
                memory[kind] = max(memory.get(kind, 0), found["memory"])
            progress.advance(task)
        order.reverse()
    progress.remove_task(task)
    return {"title": title, "rates": rates, "memory": memory}


def cold(disk: Disk, drop_caches: bool, rounds: int, progress: Progress) -> dict[str, Any]:
    """From the disk, and a run from the page cache."""
    evicted = replace(disk, make_ready=partial(disk.evict, drop_caches))
    kinds = {f"{n} plain readers, cold": partial(evicted.plain, "read", n) for n in IN_FLIGHT}
    kinds |= {f"{name}, cold": partial(evicted.first_run, reader) for name, reader in READERS.items()}
    kinds[f"{AHEAD}, warm"] = partial(replace(disk, make_ready=disk.fill_cache).first_run, "ahead")
    return in_turns("the disk", kinds, rounds, progress)


def warm(disk: Disk, rounds: int, progress: Progress) -> dict[str, Any]:
    """From the page cache, in many pairs: the difference is small."""
    cached = replace(disk, make_ready=disk.fill_cache)
    kinds = {f"{name}, warm": partial(cached.first_run, reader) for name, reader in READERS.items()}
    return in_turns("the page cache", kinds, WARM_PAIRS * rounds, progress)


def slow(disk: Disk, library: Path, latency: int, scratch: Path, rounds: int, progress: Progress) -> dict[str, Any]:
    """From a disk with this latency in ms; what reads one file after another gets fewer of them."""
    few = linked(disk, round(SLOW_SECONDS * 1000 / (2 * latency)), scratch / f"{latency} ms")  # open and read
    many, few = (replace(d, environment=slow_disk.environment(library, d.folder, latency, d.environment)) for d in (disk, few))
    kinds = {f"{n} plain readers": partial((few if n == 1 else many).plain, "read", n) for n in IN_FLIGHT}
    kinds |= {name: partial((few if name == PLAIN else many).first_run, reader) for name, reader in READERS.items()}
    return in_turns(f"{latency} ms per open and read", kinds, rounds, progress)


def unchanged(disk: Disk, library: Path, scratch: Path, rounds: int, progress: Progress) -> dict[str, Any]:
    """A second run from a disk on which each stat takes STAT_LATENCY, beside plain calls of stat."""
    url = f"sqlite:///{scratch}/second.db"
    disk.run("ahead", url)
    second = replace(disk, environment=slow_disk.environment(library, disk.folder, STAT_LATENCY, disk.environment))
    kinds = {name: partial(second.plain, "stat", n) for n, name in zip(IN_FLIGHT, STATS, strict=True)}
    return in_turns(f"{STAT_LATENCY} ms per stat, nothing new", kinds | {AHEAD: partial(second.run, "ahead", url)}, rounds, progress)


def linked(disk: Disk, count: int, into: Path) -> Disk:
    """The first files of a collection, in a folder of their own."""
    for path in map(os.fsdecode, disk.paths[:count]):
        link = into / os.path.relpath(path, disk.folder)
        link.parent.mkdir(parents=True, exist_ok=True)
        os.link(path, link)
    return replace(disk, folder=into, paths=list(iter_paths([into])))


def conclusion(table: dict[str, Any]) -> str:
    """What a table shows, by its target."""
    rates: Rates = table["rates"]

    def spread(over: list[float], under: list[float]) -> str:
        low, median, high = quartiles([a / b for a, b in zip(over, under, strict=True)])
        return f"{median:.2f} ({low:.2f}–{high:.2f})"

    if f"{AHEAD}, cold" in rates:
        bound = list(map(min, rates[f"{AHEAD}, warm"], rates[f"{IN_FLIGHT[-1]} plain readers, cold"]))
        return (
            f"The cold run takes {spread(bound, rates[f'{AHEAD}, cold'])} times as long as the slower of the warm run and "
            f"{IN_FLIGHT[-1]} plain readers (target: at most 1.3)."
        )
    if f"{PLAIN}, warm" in rates:
        worth = spread(rates[f"{AHEAD}, warm"], rates[f"{PLAIN}, warm"])
        return f"Reading ahead is worth {worth} times the files/s (target: at least 0.98)."
    if PLAIN in rates:
        return f"Reading ahead is worth {spread(rates[AHEAD], rates[PLAIN])} times the files/s (target at 5 ms: 10)."
    return f"The run is {spread(rates[AHEAD], rates[STATS[0]])} times as fast as one plain call after another (target: 5)."


def block(results: Results) -> str:
    """The block of docs/performance.md: a table per disk, and its ratio."""
    out: list[str] = []
    for table in results:
        out += [f"| {table['title']} | files/s | memory |", "| --- | ---: | ---: |"]
        for kind, found in table["rates"].items():
            memory = f"{table['memory'][kind] / 1e6:,.0f} MB" if kind in table["memory"] else ""
            out.append(f"| {kind} | {statistics.median(found):,.0f} | {memory} |")
        out += ["", conclusion(table), ""]
    return "\n".join(out[:-1])


def main() -> int:
    """Measure, store and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, metavar="N", default=5000, help="number of generated files (default: %(default)s)")
    parser.add_argument("--collection", type=Path, metavar="DIR", help="keep the files here, or use those that are here already")
    parser.add_argument("--workers", type=int, metavar="N", default=2, help="number of workers (default: %(default)s)")
    parser.add_argument("--rounds", type=int, metavar="R", default=5, help="measurements per kind of run (default: %(default)s)")
    parser.add_argument("--latency", type=int, nargs="*", metavar="MS", default=[1, 5, 20], help="of slow disks (default: 1 5 20)")
    parser.add_argument("--drop-caches", action="store_true", help="drop all caches of the machine before cold runs (as root)")
    parser.add_argument("--page", action="store_true", help="write the tables into docs/performance.md")
    options = parser.parse_args()
    if min(options.files, options.rounds, options.workers, *options.latency, 1) < 1:
        parser.error("all numbers must be at least 1")
    console = Console(stderr=True, highlight=False)
    with (
        tempfile.TemporaryDirectory(prefix="midiopt-cold-", dir=options.collection and options.collection.resolve().parent) as temporary,
        Progress(console=console, transient=True, disable=not console.is_terminal) as progress,
    ):
        scratch = Path(temporary)
        folder = options.collection or scratch / "files"
        if not options.collection or not folder.is_dir():
            whole_runs.generate(folder, options.files, progress)
        disk = Disk(folder, list(iter_paths([folder])), options.workers, dict(os.environ), lambda: None)
        library = slow_disk.compile_into(scratch)
        results = [cold(disk, options.drop_caches, options.rounds, progress), warm(disk, options.rounds, progress)]
        results += [slow(disk, library, latency, scratch, options.rounds, progress) for latency in options.latency]
        results.append(unchanged(disk, library, scratch, options.rounds, progress))
    print(block(results))
    if options.page:
        generated_blocks.store(RESULTS, results)
        generated_blocks.fill(PAGE, "cold", block(results))
    return 0


if __name__ == "__main__":
    run_program(main)
