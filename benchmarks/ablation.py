"""Measure nine optimisations on and off, and all of them together: RESULTS.md and ablation.svg in this folder.

    python -m benchmarks.ablation                                   20,000 generated songs, about ten minutes
    python -m benchmarks.ablation --corpus DIR                      your own files
    python -m benchmarks.ablation --corpus @LIST --root DIR         the files that a list names
    python -m benchmarks.ablation --fast                            a trial with too few measurements for conclusions
    python -m benchmarks.ablation --page                            write the page again from the last results

A switch is a real code path of the program or a build of its sources (switches.py), everything else equal. The
variants of a switch are measured alternately, and ratios are of neighbouring measurements. What runs in one
process is measured in processor time, by several processes one after another; whole runs, reads and writes in
wall-clock time. The times are stored in results/ablation.json, a pyperf file; the generated songs (300 MB)
stay in build/ for the next time. The verdicts follow a rule (verdict.py).
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
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from benchmarks import builds, file_reads, input_files, machine_load, results_page, row_writes, vectorised_loops, whole_runs
from benchmarks.ablation_session import Plan, Session
from benchmarks.command_line import need, run_program
from benchmarks.paired_timing import save
from benchmarks.switches import SWITCHES
from benchmarks.timing_process import TimingProcess
from midiopt.errors import MidioptError
from midiopt.pipeline.allocator import preload

FILES = 20_000  # generated if no corpus is named
PROCESS_FILES = 400  # held by each timing process: 5 MB, 20 to 200 ms per measurement
OFF_FILES, MIDO_FILES = 2000, 60  # for the slow variants: every k-th by size, so that the mean size stays the same
BUILDS = ("release", "baseline", "x86-64", "scalar", "pgo-use")
LOAD_TIMEOUT = 2  # seconds that a whole run waits for free cores


# What one process does: builds, allocators, readers, the arena


def measure_switches(session: Session) -> None:
    """Every switch, by timing processes that take turns."""
    files = session.by_size(PROCESS_FILES)
    names = session.write_list("files", files)
    switches = {key: ways for key, ways in SWITCHES.items() if all(is_installed(way.allocator, session) for way in ways.values())}
    kinds = sorted({(way.build, way.allocator) for ways in switches.values() for way in ways.values()})
    seconds: dict[tuple[str, str], dict[str, list[float]]] = {key: {name: [] for name in ways} for key, ways in switches.items()}
    task = session.task("builds, allocators and memory", session.plan.processes * session.plan.turns * len(switches))
    for _ in range(session.plan.processes):
        with contextlib.ExitStack() as running:
            processes = {}
            for build, allocator in kinds:
                environment = builds.environment(builds.BUILD / build / "src") | preload(allocator)
                processes[build, allocator] = TimingProcess.of(names, environment)
                running.callback(processes[build, allocator].close)
            for turn in range(session.plan.turns):
                for key, ways in switches.items():
                    for name, way in list(ways.items())[:: -1 if turn % 2 else 1]:
                        seconds[key][name].append(processes[way.build, way.allocator].time(way.workload))
                    session.progress.advance(task)
    for (optimisation, workload), found in seconds.items():
        session.add(optimisation, workload, len(files), found)


def is_installed(allocator: str, session: Session) -> bool:
    """Whether an allocator can be preloaded; if not, the page says so."""
    try:
        preload(allocator)
    except MidioptError as problem:
        session.progress.console.print(f"left out: {problem}", markup=False)
        session.about["left_out"] = f"{session.about.get('left_out', '')} {problem}.".strip()
        return False
    return True


def measure_reads(session: Session) -> None:
    """mmap() against read() for files of every size."""
    for size in file_reads.SIZES:
        folder = session.folder / "reads"
        folder.mkdir()
        paths = file_reads.write(folder, size)
        name = f"{size >> 20} MB" if size >> 20 else f"{size >> 10} KB"
        for cold in (False, True):
            if cold:
                file_reads.drop_from_cache(paths[:1])
                if file_reads.is_cached(paths[0]):
                    session.progress.console.print("this file system does not drop files from its cache: no cold reads")
                    continue
            workload = f"{name}, {'cold' if cold else 'warm'}"
            rounds = file_reads.rounds(paths, cold, session.plan.reads)
            session.add(results_page.READ_SIZES, workload, 1, session.collect(f"reading {workload}", rounds, session.plan.reads))
        shutil.rmtree(folder)


def measure_writes(session: Session, new_database: whole_runs.NewDatabase) -> None:
    """Ways to write rows, and open against new connections."""
    paths = session.by_size(row_writes.MAX_FILES)
    batch = row_writes.make_batch(paths)
    count = session.plan.writes
    with new_database() as url:
        seconds = session.collect("ways to write rows", row_writes.plain_rounds(url, batch, count), count)
        session.add("batch writes", "rows into a plain table", len(batch.analyses), seconds)
    with new_database() as url:
        seconds = session.collect("warm connections", row_writes.connection_rounds(url, paths, count), count)
        session.add("warm connections", f"rows into both tables, {row_writes.BATCH_FILES} files per batch", len(paths), seconds)


# Whole runs


def run_on_build(session: Session, build: str, name: str, *arguments: str, **switches: str) -> float:
    """Seconds per file, as a program of this folder measures them in its own process, on a build.

    ``switches`` are environment variables of pipeline/experiments.py.
    """
    session.loads.append(machine_load.wait_until_idle(LOAD_TIMEOUT))
    command = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
    environment = builds.environment(builds.BUILD / build / "src") | switches
    done = subprocess.run(command, cwd=builds.ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"a run failed: {name} {' '.join(arguments)}")
    measured: dict[str, float] = json.loads(done.stdout)
    return measured["seconds"] / measured["files"]


def load_into_cache(paths: list[bytes]) -> None:
    """Read every file once: some machines empty their page cache within seconds."""
    for path in paths:
        with contextlib.suppress(OSError), open(path, "rb") as file:
            file.read()


Measure = Callable[[], float]


def alternate(variants: dict[str, Measure], rounds: int) -> Iterator[dict[str, float]]:
    """Measure every variant once per round, in an order that is reversed every round."""
    order = list(variants)
    for _ in range(rounds):
        yield {name: variants[name]() for name in order}
        order.reverse()


def measure_pipeline(session: Session, databases: dict[str, whole_runs.NewDatabase]) -> None:
    """Overlapping against sequential runs, and open against new connections."""
    source = f"@{session.write_list('all.txt', session.paths, os.linesep.encode())}"

    def variant(new_database: whole_runs.NewDatabase, *options: str, **switches: str) -> Measure:
        def measure() -> float:
            load_into_cache(session.paths)
            with new_database() as url:
                return run_on_build(session, "release", "single_run", source, "--db", url, *options, **switches)

        return measure

    for database, new_database in databases.items():
        variants = {
            "2 workers": variant(new_database, "--workers", "2"),
            "1 worker": variant(new_database, "--workers", "1"),
            "sequential": variant(new_database, "--sequential"),
        }
        if database == "PostgreSQL":
            variants["2 workers, cold"] = variant(new_database, "--workers", "2", MIDIOPT_WARM_CONNECTIONS="0")
        found = session.collect(f"whole runs into {database}", alternate(variants, session.plan.rounds), session.plan.rounds)
        for workers in ("2 workers", "1 worker"):
            seconds = {"overlapping": found[workers], "sequential": found["sequential"]}
            session.add("pipeline", f"whole run into {database}, {workers}", 1, seconds)
        if database == "PostgreSQL":
            seconds = {"kept open": found["2 workers"], "one connection per batch": found["2 workers, cold"]}
            session.add("warm connections", "whole run", 1, seconds)


def measure_all_together(session: Session, new_database: whole_runs.NewDatabase) -> None:
    """Every optimisation on, every one off, and a pipeline of other libraries."""
    source = f"@{session.write_list('all.txt', session.paths, os.linesep.encode())}"
    cores = str(len(os.sched_getaffinity(0)))

    def variant(build: str, name: str, paths: list[bytes], *arguments: str) -> Measure:
        def measure() -> float:
            load_into_cache(paths)
            with new_database() as url:
                return run_on_build(session, build, name, *arguments, "--db", url)

        return measure

    few, fewest = session.by_size(OFF_FILES), session.by_size(MIDO_FILES)
    variants = {
        "all on": variant("pgo-use", "single_run", session.paths, source, "--workers", cores),
        "all off": variant("baseline", "unoptimised", few, str(session.write_list("few", few))),
        "mido, row by row": variant("release", "mido_pipeline", fewest, str(session.write_list("fewest", fewest))),
    }
    found = session.collect("all together", alternate(variants, session.plan.rounds), session.plan.rounds)
    session.add("all together", "whole run into PostgreSQL", 1, found)


# The program


def input_paths(options: argparse.Namespace, progress: Progress) -> list[bytes]:
    """The files that the command line names, or generated ones in build/."""
    if options.corpus:
        return [path for path in input_files.select(options) if os.path.isfile(path)]
    songs = builds.BUILD / f"songs-{options.files}"
    if not songs.exists():
        unfinished = songs.with_suffix(".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        whole_runs.generate(unfinished, options.files, progress)
        os.replace(unfinished, songs)
    return sorted(os.fsencode(path) for path in songs.glob("*/*.mid"))


def description(options: argparse.Namespace, paths: list[bytes]) -> dict[str, Any]:
    """What a reader needs to repeat the measurement."""
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
    """Measure everything and store the results."""
    plan = Plan(1, 3, 2, 3, 3) if options.fast else Plan()
    for name in BUILDS:
        builds.build(name, console.print)
    builds.check_equal_rows(BUILDS)
    with (
        Progress(console=console, disable=not console.is_terminal) as progress,
        tempfile.TemporaryDirectory(prefix="ablation-", dir=builds.BUILD) as temporary,
        whole_runs.databases(progress.console) as databases,
    ):
        if "PostgreSQL" not in databases:
            raise SystemExit("half of the optimisations concern PostgreSQL: see above")
        paths = input_paths(options, progress)
        session = Session(plan, paths, Path(temporary), progress, description(options, paths))
        measure_switches(session)
        measure_reads(session)
        measure_writes(session, databases["PostgreSQL"])
        measure_pipeline(session, databases)
        measure_all_together(session, databases["PostgreSQL"])
    results_page.TIMES.unlink(missing_ok=True)
    save(session.runs, str(results_page.TIMES))
    vectorised_loops.store()


def main() -> int:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    input_files.add_options(parser, default="", described="generated songs")
    parser.add_argument("--files", type=int, metavar="N", default=FILES, help="number of generated songs (default: %(default)s)")
    parser.add_argument("--fast", action="store_true", help="few measurements: to see that it works, not for conclusions")
    parser.add_argument("--page", action="store_true", help="measure nothing: write RESULTS.md and ablation.svg from the last results")
    options = parser.parse_args()
    console = Console(stderr=True, highlight=False)
    for name in ("pyperf", "mido", "psycopg"):  # now, and not after minutes
        need(name)
    if not options.page:
        measure(options, console)
    for path in results_page.write():
        console.print(f"wrote {os.path.relpath(path)}")
    return 0


if __name__ == "__main__":
    run_program(main)
