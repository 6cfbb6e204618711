"""Time three builds of these sources with the same programs, and compare them.

    python -m benchmarks.compare_builds                                      the kernels on the bundled sample
    python -m benchmarks.compare_builds --corpus DIR                         on files of yours
    python -m benchmarks.compare_builds --corpus @LIST --root DIR            on those that a list names
    python -m benchmarks.compare_builds --files 50000                        whole runs of a size that counts

Compiles baseline, release and pgo-use, each in a copy of the sources under build/ (the installed one is
left alone), and makes sure that all give the same rows. Then the builds take turns: the kernels beside
symusic and mido (kernels.py), one process of each build after the other, and whole runs into both
databases on a generated collection (whole_runs.py). What others measure the same in all builds shows how
far the machine can be trusted. Each build has its pyperf file, results/NAME.json; at the end pyperf
compares them. console_table.py shows one again.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import fmean

from rich.console import Console
from rich.progress import Progress

from benchmarks import builds, console_table, generated_blocks, whole_runs
from benchmarks.input_files import add_options, chosen
from benchmarks.paired_timing import need

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
COMPARED = {"baseline": "baseline", "release": "release", "pgo-use": "pgo"}  # build: the name of its results
COMPARE = [sys.executable, "-m", "pyperf", "compare_to", "--table"]
PAGE = HERE.parent / "docs" / "performance.md"
RIVALS = ("symusic", "mido")
pyperf = need("pyperf")


def part(build: str, program: str, *arguments: str) -> None:
    """Run one of the programs beside this one on a build; its progress and its reasons are its own."""
    command = [sys.executable, "-m", f"benchmarks.{program}", *arguments, "--append", str(unfinished(build)), "--quiet"]
    code = subprocess.run(command, env=builds.environment(builds.BUILD / build / "src")).returncode
    if code:
        raise SystemExit(130 if code == 130 else f"{program} ended with {code}")


def unfinished(build: str) -> Path:
    return RESULTS / f"{COMPARED[build]}.part"


def in_turns(rounds: int) -> list[tuple[int, str]]:
    """(round, build): every build once a round, in an order that turns."""
    order = list(COMPARED)
    return [(n, build) for n in range(rounds) for build in order[:: 1 if n % 2 == 0 else -1]]


def time_whole_runs(options: argparse.Namespace, console: Console) -> None:
    with contextlib.ExitStack() as held:
        temporary = held.enter_context(tempfile.TemporaryDirectory(prefix="midiopt-bench-"))
        folder = options.collection or Path(temporary) / "files"
        with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
            whole_runs.generate(folder, options.files, progress)
        if not os.environ.get("MIDIOPT_TEST_DSN") and (url := held.enter_context(whole_runs.one_server(console))):
            os.environ["MIDIOPT_TEST_DSN"] = url  # for all that follow
            held.callback(os.environ.pop, "MIDIOPT_TEST_DSN")
        for n, build in in_turns(options.rounds):
            console.print(f"whole runs of {options.files:,} generated files, round {n + 1} of {options.rounds}: {build}")
            part(build, "whole_runs", "--files", str(options.files), "--rounds", "1", "--collection", str(folder))


def compared() -> int:
    """The comparison of the kept results as pyperf words it, into the page about performance."""
    command = [*COMPARE, "--table-format", "md", *(str(RESULTS / f"{name}.json") for name in COMPARED.values())]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"there are no results to compare: run `make bench`\n{done.stderr}")
    suite = pyperf.BenchmarkSuite.load(str(RESULTS / "pgo.json"))
    about = suite.get_benchmarks()[0].get_metadata()
    busy = [share for bench in suite for share in console_table.facts(bench, "busy")]
    note = f"; others used {fmean(busy):.0%} of the cores during whole runs" if busy and fmean(busy) > console_table.BUSY else ""
    machine = f"{about.get('cpu_model_name', 'unknown processor')}, {about['cpu_count']} cores, Python {about['python_version'].split()[0]}"
    generated_blocks.fill(PAGE, "bench", f"Time a file, {machine} (`make bench`{note}):\n\n{done.stdout.strip()}")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument(
        "--files", type=int, metavar="N", default=5000, help="generated files of the whole runs (default: %(default)s); 0 leaves them out"
    )
    parser.add_argument("--collection", type=Path, metavar="DIR", help="keep those files here, or use the ones that are here already")
    parser.add_argument("--rounds", type=int, metavar="R", default=5, help="how often each whole run is timed (default: %(default)s)")
    parser.add_argument("--processes", type=int, metavar="P", default=3, help="of each build, to time the kernels (default: %(default)s)")
    parser.add_argument("--seconds", type=float, metavar="S", default=4, help="of each kernel in each of them (default: %(default)s)")
    parser.add_argument("--alone", action="store_true", help="only midiopt, without symusic and mido")
    parser.add_argument("--page", action="store_true", help="time nothing: put the last comparison into docs/performance.md")
    options = parser.parse_args()
    if options.page:
        return compared()
    if options.processes < 1 or options.files < 0 or options.rounds < 1:
        parser.error("--processes and --rounds count from 1, --files from 0")
    if not options.alone:
        for name in RIVALS:  # now, and not after a minute
            need(name, ", or --alone to time midiopt by itself")
    console = Console(stderr=True, highlight=False)
    files = len(chosen(options))  # a wrong --corpus is told now
    for build in COMPARED:
        builds.site(build, console.print)
        unfinished(build).unlink(missing_ok=True)
    builds.refuse_differences(COMPARED)
    kernels = ["--corpus", options.corpus, "--seconds", str(options.seconds)]
    kernels += ["--root", options.root] if options.root else []
    kernels += ["--alone"] if options.alone else []
    for n, build in in_turns(options.processes):
        console.print(f"kernels on {files:,} files, process {n + 1} of {options.processes}: {build}")
        part(build, "kernels", *kernels)
    if options.files:
        whole_runs(options, console)
    results = [RESULTS / f"{name}.json" for name in COMPARED.values()]
    for build, result in zip(COMPARED, results, strict=True):
        os.replace(unfinished(build), result)
    console_table.show(pyperf.BenchmarkSuite.load(str(results[-1])))
    subprocess.run([*COMPARE, *map(str, results)], check=True)
    console.print(f"kept in {os.path.relpath(RESULTS)}")
    return 0


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except KeyboardInterrupt:
        raise SystemExit(130) from None
