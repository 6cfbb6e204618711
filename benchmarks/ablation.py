"""Measure each of nine ideas on and off, and all of them together: RESULTS.md and ablation.svg beside this file.

    python -m benchmarks.ablation                                   20,000 generated songs, about ten minutes
    python -m benchmarks.ablation --corpus DIR                      files of yours
    python -m benchmarks.ablation --corpus @LIST --root DIR         files that a list names
    python -m benchmarks.ablation --fast                            a look: too few turns to believe
    python -m benchmarks.ablation --page                            write the page again from the last results

A switch is a real path of the program or a build of its sources (switches.py), all else equal; the ways of
a switch take turns, and ratios are of neighbouring turns. Works of one process are timed in processor
time, by several processes one after another; whole runs, reads and writes by the clock. The times are
kept in results/ablation.json, a pyperf file; the generated songs (300 MB) stay in build/ for the next
time. The verdicts are the program's (verdict.py).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

from rich.console import Console
from rich.progress import Progress, TaskID

from benchmarks import builds, file_reads, input_files, machine_load, results_page, row_writes, whole_runs
from benchmarks.paired_timing import keep, need, run
from benchmarks.switches import SWITCHES
from benchmarks.timing_process import Player
from midiopt.errors import MidioptError
from midiopt.pipeline.allocator import preload

HERE = Path(__file__).resolve().parent
KEPT = HERE / "results" / "ablation.json"
FILES = 20_000  # generated, when no corpus is named
PLAYED = 400  # files that players hold: 5 MB, a turn of 20 to 200 ms
OFF_FILES, MIDO_FILES = 2000, 60  # for the slow ones: every k-th by size, so that the mean stays what it is
BUILDS = ("release", "baseline", "x86-64", "scalar", "pgo-use")
PATIENCE = 2  # seconds that a whole run waits for free cores

Runs = list[list]  # what measure.keep takes


@dataclass
class Plan:
    """How much is measured."""

    processes: int = 4  # that play every switch, one after another ...
    turns: int = 8  # ... so often each
    rounds: int = 5  # of whole runs
    reads: int = 11
    writes: int = 15


@dataclass
class Bench:
    """What all sections need."""

    plan: Plan
    paths: list[bytes]
    folder: Path  # temporary, on the same disk as build/
    progress: Progress
    about: dict[str, Any]
    runs: Runs = field(default_factory=list)
    busy: list[float] = field(default_factory=list)

    def by_size(self, most: int) -> list[bytes]:
        """At most so many files whose sizes are spread as those of all."""
        ordered = sorted(self.paths, key=os.path.getsize)
        step = -(-len(ordered) // most)
        return ordered[step // 2 :: step] or ordered

    def listed(self, name: str, paths: list[bytes], separator: bytes = b"\0") -> Path:
        path = self.folder / name
        path.write_bytes(separator.join(paths))
        return path

    def task(self, what: str, total: int) -> TaskID:
        """A bar in a terminal, a line in a log."""
        if not self.progress.console.is_terminal:
            self.progress.console.print(what)
        return self.progress.add_task(what, total=total)

    def steps(self, what: str, turns: Iterable[dict[str, float]], total: int) -> dict[str, list[float]]:
        """All turns, shown while they are taken; by label, the seconds of each."""
        task = self.task(what, total)
        seconds: dict[str, list[float]] = {}
        for turn in turns:
            for label, value in turn.items():
                seconds.setdefault(label, []).append(value)
            self.progress.advance(task)
        return seconds

    def keep(self, idea: str, work: str, items: int, seconds: dict[str, list[float]]) -> None:
        """Seconds a pass over so many items; the first label is the one with the idea."""
        first = next(iter(seconds))
        about = self.about | ({"busy": fmean(self.busy)} if self.busy else {})
        self.busy.clear()
        for label, values in seconds.items():
            facts = {"idea": idea, "task": work, "way": label, "on": int(label == first)}
            self.runs.append([run(f"{idea}, {work}", label, items, values, **facts, **about)])


# What one process does: builds, allocators, readers, the arena


def play(bench: Bench) -> None:
    names = bench.listed("played", bench.by_size(PLAYED))
    switches = {key: ways for key, ways in SWITCHES.items() if all(installed(way.allocator, bench) for way in ways.values())}
    makers = sorted({(way.build, way.allocator) for ways in switches.values() for way in ways.values()})
    seconds: dict[tuple[str, str], dict[str, list[float]]] = {key: {label: [] for label in ways} for key, ways in switches.items()}
    task = bench.task("builds, allocators and memory", bench.plan.processes * bench.plan.turns * len(switches))
    for _ in range(bench.plan.processes):
        with contextlib.ExitStack() as playing:
            players = {}
            for build, allocator in makers:
                environment = builds.environment(builds.BUILD / build / "src") | preload(allocator)
                players[build, allocator] = Player(environment, names)
                playing.callback(players[build, allocator].end)
            for turn in range(bench.plan.turns):
                for key, ways in switches.items():
                    for label, way in list(ways.items())[:: -1 if turn % 2 else 1]:
                        seconds[key][label].append(players[way.build, way.allocator].time(way.work))
                    bench.progress.advance(task)
    for (idea, work), found in seconds.items():
        bench.keep(idea, work, len(bench.by_size(PLAYED)), found)


def installed(allocator: str, bench: Bench) -> bool:
    try:
        preload(allocator)
    except MidioptError as problem:
        bench.progress.console.print(f"left out: {problem}", markup=False)
        bench.about["left_out"] = f"{bench.about.get('left_out', '')} {problem}.".strip()
        return False
    return True


# Reading against mapping


def read(bench: Bench) -> None:
    for size in file_reads.SIZES:
        folder = bench.folder / "reads"
        folder.mkdir()
        paths = file_reads.write(folder, size)
        name = f"{size >> 20} MB" if size >> 20 else f"{size >> 10} KB"
        for cold in (False, True):
            if cold:
                file_reads.forget(paths[:1])
                if not file_reads.forgotten(paths[0]):
                    bench.progress.console.print("this file system keeps what it is told to forget: no cold reads")
                    continue
            state = "cold" if cold else "warm"
            turns = file_reads.turns(paths, cold, bench.plan.reads)
            bench.keep(results_page.READING, f"{name}, {state}", 1, bench.steps(f"reading {name}, {state}", turns, bench.plan.reads))
        for path in paths:
            os.unlink(path)
        folder.rmdir()


# Writing


def empty(server: str) -> whole_runs.Fresh:
    from benchmarks import postgres_server

    return partial(postgres_server.database, server)


def write(bench: Bench, server: str) -> None:
    paths = bench.by_size(row_writes.MOST_FILES)
    batch = row_writes.batch_of(paths)
    with empty(server)() as url:
        turns = row_writes.plain_turns(url, batch, bench.plan.writes)
        rows = bench.steps("ways to write rows", turns, bench.plan.writes)
        bench.keep("batch writes", "rows into a plain table", len(batch.analyses), rows)
    with empty(server)() as url:
        turns = row_writes.sink_turns(url, paths, bench.plan.writes)
        files = bench.steps("warm connections", turns, bench.plan.writes)
        bench.keep("warm connections", f"rows into both tables, {row_writes.PART} files a batch", len(paths), files)


# Whole runs


def program(bench: Bench, build: str, name: str, *arguments: str, **switches: str) -> float:
    """Seconds per file, as a program beside this one counts them in its own process, on a build.

    ``switches`` are environment variables of pipeline/experiments.py.
    """
    bench.busy.append(machine_load.wait(PATIENCE))
    command = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
    environment = builds.environment(builds.BUILD / build / "src") | switches
    done = subprocess.run(command, cwd=builds.ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"a run failed: {name} {' '.join(arguments)}")
    numbers = json.loads(done.stdout)
    return numbers["seconds"] / numbers["files"]


def remember(paths: list[bytes]) -> None:
    """Read everything once: whole runs find their files in memory, and some machines forget files within seconds."""
    for path in paths:
        with contextlib.suppress(OSError), open(path, "rb") as file:
            file.read()


Timed = Callable[[], float]


def in_turns(whole: dict[str, Timed], rounds: int) -> Iterator[dict[str, float]]:
    order = list(whole)
    for _ in range(rounds):
        yield {label: whole[label]() for label in order}
        order.reverse()


def pipelines(bench: Bench, server: str) -> None:
    source = f"@{bench.listed('all.txt', bench.paths, os.linesep.encode())}"

    def timed(fresh: whole_runs.Fresh, *options: str, **switches: str) -> Timed:
        def once() -> float:
            remember(bench.paths)
            with fresh() as url:
                return program(bench, "release", "single_run", source, "--db", url, *options, **switches)

        return once

    for database, fresh in (("SQLite", whole_runs.sqlite_file), ("PostgreSQL", empty(server))):
        whole = {
            "2 workers": timed(fresh, "--workers", "2"),
            "1 worker": timed(fresh, "--workers", "1"),
            "in sequence": timed(fresh, "--in-sequence"),
        }
        if database == "PostgreSQL":
            whole["2 workers, a connection a batch"] = timed(fresh, "--workers", "2", MIDIOPT_WARM_CONNECTIONS="0")
        found = bench.steps(f"whole runs into {database}", in_turns(whole, bench.plan.rounds), bench.plan.rounds)
        for workers in ("2 workers", "1 worker"):
            ways = {"overlapped": found[workers], "in sequence": found["in sequence"]}
            bench.keep("pipeline", f"whole run into {database}, {workers}", 1, ways)
        if database == "PostgreSQL":
            ways = {"kept open": found["2 workers"], "a connection a batch": found["2 workers, a connection a batch"]}
            bench.keep("warm connections", "whole run", 1, ways)


def everything(bench: Bench, server: str) -> None:
    fresh = empty(server)
    source = f"@{bench.listed('all.txt', bench.paths, os.linesep.encode())}"
    few, fewest = bench.by_size(OFF_FILES), bench.by_size(MIDO_FILES)
    off, mido = bench.listed("off", few), bench.listed("mido", fewest)

    def on() -> float:
        remember(bench.paths)
        with fresh() as url:
            return program(bench, "pgo-use", "single_run", source, "--db", url, "--workers", str(len(os.sched_getaffinity(0))))

    def slow(build: str, name: str, names: Path, paths: list[bytes]) -> Timed:
        def once() -> float:
            remember(paths)
            with fresh() as url:
                return program(bench, build, name, str(names), "--db", url)

        return once

    whole = {
        "everything on": on,
        "everything off": slow("baseline", "unoptimised", off, few),
        "mido, row by row": slow("release", "mido_pipeline", mido, fewest),
    }
    found = bench.steps("everything", in_turns(whole, bench.plan.rounds), bench.plan.rounds)
    bench.keep("the whole", "whole run into PostgreSQL", 1, found)


# The program


def files(options: argparse.Namespace, progress: Progress) -> list[bytes]:
    if options.corpus:
        return [path for path in input_files.chosen(options) if os.path.isfile(path)]
    songs = builds.BUILD / f"songs-{options.files}"
    if not songs.exists():
        unfinished = songs.with_suffix(".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        whole_runs.generate(unfinished, options.files, progress)
        os.replace(unfinished, songs)
    return sorted(os.fsencode(path) for path in songs.glob("*/*.mid"))


def description(options: argparse.Namespace, paths: list[bytes]) -> dict[str, Any]:
    """What a reader must know to repeat this."""
    compiler = subprocess.run(["cc", "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    mean = sum(map(os.path.getsize, paths)) / len(paths)
    what = "files" if options.corpus else "generated songs"
    command = f"python -m benchmarks.ablation {shlex.join(sys.argv[1:])}" if sys.argv[1:] else "make ablation"
    return {
        "command": command,
        "count": len(paths),
        "corpus": f"{len(paths):,} {what} of {mean:,.0f} bytes on average",
        "compiler": compiler,
        "ram": f"{memory / 2**30:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
    }


def measure(options: argparse.Namespace, console: Console) -> None:
    plan = Plan(1, 3, 2, 3, 3) if options.fast else Plan()
    for name in BUILDS:
        builds.site(name, console.print)
    builds.refuse_differences(BUILDS)
    with (
        Progress(console=console, disable=not console.is_terminal) as progress,
        tempfile.TemporaryDirectory(prefix="ablation-", dir=builds.BUILD) as temporary,
        whole_runs.one_server(progress.console) as server,
    ):
        if not server:
            raise SystemExit("half of the ideas are about PostgreSQL: see above")
        paths = files(options, progress)
        bench = Bench(plan, paths, Path(temporary), progress, description(options, paths))
        play(bench)
        read(bench)
        write(bench, server)
        pipelines(bench, server)
        everything(bench, server)
    KEPT.unlink(missing_ok=True)
    keep(bench.runs, str(KEPT))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", metavar="DIR|@LIST", default="", help="the MIDI files below this folder, or those a list names")
    parser.add_argument("--root", metavar="DIR", default="", help="where the paths in @LIST start from (default: the current folder)")
    parser.add_argument("--files", type=int, metavar="N", default=FILES, help="generated without a corpus (default: %(default)s)")
    parser.add_argument("--fast", action="store_true", help="few turns: to see it work, not to believe it")
    parser.add_argument("--page", action="store_true", help="measure nothing: write RESULTS.md and ablation.svg from the last results")
    options = parser.parse_args()
    console = Console(stderr=True, highlight=False)
    for name in ("pyperf", "mido", "psycopg"):  # now, and not after minutes
        need(name)
    if not options.page:
        measure(options, console)
    for path in results_page.write(KEPT):
        console.print(f"wrote {os.path.relpath(path)}")
    return 0


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except KeyboardInterrupt:
        raise SystemExit(130) from None
