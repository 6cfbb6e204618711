"""midiopt into SQLite with two workers against what users write with symusic, mido and pretty_midi: whole commands.

    python -m benchmarks.peers [--corpus DIR | --corpus @LIST --root DIR] [--sizes 7000 100000] [--collection DIR] [--page]

The others are benchmarks/peer_pipeline.py, which has a pool of two processes. Every measurement is a new process and a new
database, its time is the wall-clock time of the command, start-up included, and the two programs take turns on the same files.
The first size takes the files of the corpus, if one is given; further files are those of generate_collection.py. mido and
pretty_midi get a sample, and their files/s are compared with those of midiopt on all files. Before a cold measurement the kernel
is asked to drop the files from its cache, so they must lie on a disk: see --collection. The results are stored in
benchmarks/results/peers.json; with --page they are written into docs/performance.md.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from benchmarks import generated_blocks, machine_load, peer_pipeline, whole_runs
from benchmarks.clocks import wall_time
from benchmarks.command_line import need, run_program
from benchmarks.file_reads import drop_from_cache, is_cached
from benchmarks.input_files import add_options, every_kth, select

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "peers.json"
PAGE = ROOT / "docs" / "performance.md"
SAMPLED = ("mido", "pretty_midi")
SAMPLE_FILES = 200  # a second of mido
FOLDER_FILES = 1000
IDLE_TIMEOUT = 2.0  # seconds to wait for free cores before a measurement
TARGETS = {("warm", 7_000): 2.5, ("warm", 100_000): 3.5, ("cold", 7_000): 2.5, ("cold", 100_000): 2.5}

Result = dict[str, Any]  # library, state (warm or cold), files, those of the library, and seconds per round of both programs
Command = Callable[[Path, Path], list[str]]  # of a folder of files and a new database


def fill_folder(folder: Path, files: int, corpus: list[bytes], progress: Progress) -> None:
    """Copy the corpus, and generate what is missing up to ``files``; a folder that exists is taken as it is."""
    if folder.is_dir():
        return
    copied = corpus[:files]
    for i, path in enumerate(copied):
        into = folder / "corpus" / f"{i // FOLDER_FILES:04d}"
        into.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, into / f"{i:06d}.mid")
    if len(copied) < files:
        whole_runs.generate(folder / "generated", files - len(copied), progress)
    os.sync()  # what is not on the disk yet cannot be dropped from the cache


def midiopt_command(folder: Path, database: Path) -> list[str]:
    """A run as a user starts it."""
    return [sys.executable, "-m", "midiopt", "analyze", str(folder), "--db", f"sqlite:///{database}", "--workers", "2", "--quiet"]


def peer_command(library: str, folder: Path, database: Path) -> list[str]:
    """The script of another user."""
    return [sys.executable, "-W", "ignore", "-m", "benchmarks.peer_pipeline", str(folder), "--db", str(database), "--library", library]


def measure(make_command: Command, folder: Path, cold: bool) -> float:
    """Seconds of a command over a folder, into a new database on the disk of that folder."""
    paths = [os.fsencode(path) for path in peer_pipeline.find_files(folder)]
    machine_load.wait_until_idle(IDLE_TIMEOUT)
    if cold:
        drop_from_cache(paths)
    else:
        for path in paths:
            Path(os.fsdecode(path)).read_bytes()
    with tempfile.TemporaryDirectory(prefix="midiopt-peers-", dir=folder.parent) as temporary:
        command = make_command(folder, Path(temporary, "library.db"))
        return wall_time(lambda: subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL))


def rounds(library: str, folder: Path, cold: bool, count: int) -> list[tuple[float, float]]:
    """Seconds of midiopt and of the library's script, in turns; the order is reversed every round."""
    programs: dict[str, Command] = {"midiopt": midiopt_command, library: partial(peer_command, library)}
    taken: list[tuple[float, float]] = []
    for _ in range(count):
        seconds = {name: measure(make_command, folder, cold) for name, make_command in programs.items()}
        taken.append((seconds["midiopt"], seconds[library]))
        programs = dict(reversed(programs.items()))
    return taken


def measure_size(folder: Path, files: int, count: int, states: list[str], console: Console) -> list[Result]:
    """symusic's script on all files, warm and cold."""
    results = []
    for state in states:
        console.print(f"{files:,} files, {state}: symusic")
        taken = rounds("symusic", folder, state == "cold", count)
        results.append({"library": "symusic", "state": state, "files": files, "peer_files": files, "seconds": taken})
    return results


def measure_sampled(folder: Path, whole: Result, count: int, console: Console) -> list[Result]:
    """The slow libraries on a sample, beside what midiopt needed for all files."""
    paths = every_kth([os.fsencode(path) for path in peer_pipeline.find_files(folder)], SAMPLE_FILES)
    results = []
    with tempfile.TemporaryDirectory(prefix="midiopt-peers-", dir=folder.parent) as temporary:
        sample = Path(temporary, "sample")
        sample.mkdir()
        for i, path in enumerate(paths):
            shutil.copyfile(path, sample / f"{i}.mid")
        for library in SAMPLED:
            console.print(f"{len(paths):,} files: {library}")
            taken = [measure(partial(peer_command, library), sample, cold=False) for _ in range(count)]
            seconds = [(ours, theirs) for (ours, _), theirs in zip(whole["seconds"], taken, strict=True)]
            results.append({"library": library, "state": "warm", "files": whole["files"], "peer_files": len(paths), "seconds": seconds})
    return results


def ratios(result: Result) -> list[float]:
    """The files/s of midiopt by those of the library, per round."""
    return [theirs / result["peer_files"] / (ours / result["files"]) for ours, theirs in result["seconds"]]


def block(results: list[Result]) -> str:
    """The table for the page."""
    lines = [
        "| files | page cache | beside | midiopt, files/s | the script, files/s | ratio | target |",
        "| ---: | --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for result in results:
        ours, theirs = (statistics.median(column) for column in zip(*result["seconds"], strict=True))
        values = sorted(ratios(result))
        low, _, high = statistics.quantiles(values, n=4) if len(values) > 1 else (values[0],) * 3
        middle = f"{statistics.median(values):.1f} ({low:.1f}–{high:.1f})"
        target = TARGETS.get((result["state"], result["files"]), "") if result["library"] == "symusic" else ""
        speeds = f"{result['files'] / ours:,.0f} | {result['peer_files'] / theirs:,.0f}"
        lines.append(f"| {result['files']:,} | {result['state']} | {result['library']} | {speeds} | {middle} | {target} |")
    return "\n".join(lines)


def main() -> int:
    """Measure what the command line describes, store it and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser, default="", described="none: generated files")
    parser.add_argument(
        "--sizes", type=int, nargs="+", metavar="N", default=[7_000, 100_000], help="numbers of files (default: 7000 100000)"
    )
    parser.add_argument("--collection", type=Path, metavar="DIR", help="keep the files here, one folder per size, and reuse them")
    parser.add_argument("--rounds", type=int, metavar="R", default=5, help="measurements of each program (default: %(default)s)")
    parser.add_argument("--page", action="store_true", help="write the table into docs/performance.md")
    options = parser.parse_args()
    if min(*options.sizes, options.rounds) < 1:
        parser.error("--sizes and --rounds must be at least 1")
    for library in ("symusic", *SAMPLED):
        need(library, " (pretty_midi: 'midiopt[eval]')")
    corpus = select(options) if options.corpus else []
    console = Console(stderr=True, highlight=False)
    results: list[Result] = []
    with (
        tempfile.TemporaryDirectory(prefix="midiopt-peers-") as temporary,
        Progress(console=console, transient=True, disable=not console.is_terminal) as progress,
    ):
        for i, files in enumerate(sorted(set(options.sizes))):
            folder = (options.collection or Path(temporary)) / f"{files}"
            fill_folder(folder, files, corpus, progress)
            first = os.fsencode(next(peer_pipeline.find_files(folder)))
            drop_from_cache([first])
            states = ["warm"] if is_cached(first) else ["warm", "cold"]
            if "cold" not in states:
                console.print(f"the files in {folder} stay in memory, so nothing is measured cold: choose another --collection")
            measured = measure_size(folder, files, options.rounds, states, progress.console)
            results += measured if i else [*measured, *measure_sampled(folder, measured[0], options.rounds, progress.console)]
    generated_blocks.store(RESULTS, results)
    print(block(results))
    if options.page:
        generated_blocks.fill(PAGE, "peers", block(results))
    return 0


if __name__ == "__main__":
    run_program(main)
