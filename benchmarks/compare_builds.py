"""Time three builds of these sources with the same programs, and compare them.

    python -m benchmarks.compare_builds                                      kernels on the bundled sample
    python -m benchmarks.compare_builds --corpus DIR                         kernels on your files
    python -m benchmarks.compare_builds --corpus @LIST --root DIR            kernels on the files that a list names
    python -m benchmarks.compare_builds --files 50000                        whole runs of a representative size

Compiles baseline, release and pgo-use, each in a copy of the sources under build/ (the installed build is not
touched), and checks that all give equal rows. Then it measures them alternately: the kernels against symusic
and mido (kernels.py), one process per build after the other, and whole runs into both databases on a generated
collection (whole_runs.py). The times of the other libraries should be equal in all builds; their differences
show the noise of the machine. Each build has its pyperf file, results/NAME.json; at the end pyperf compares
them. console_table.py prints one again.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from benchmarks import builds, console_table, generated_blocks, whole_runs
from benchmarks.command_line import need, run_program
from benchmarks.input_files import add_options, select

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
COMPARED = {"baseline": "baseline", "release": "release", "pgo-use": "pgo"}  # build: the name of its results
COMPARE = [sys.executable, "-m", "pyperf", "compare_to", "--table"]
PAGE = HERE.parent / "docs" / "performance.md"
OTHERS = ("symusic", "mido")
pyperf = need("pyperf")


def measure(build: str, program: str, *arguments: str) -> None:
    """Run a program of this folder on a build; it reports progress and errors itself."""
    command = [sys.executable, "-m", f"benchmarks.{program}", *arguments, "--append", str(unfinished(build)), "--quiet"]
    code = subprocess.run(command, env=builds.environment(builds.BUILD / build / "src")).returncode
    if code:
        raise SystemExit(130 if code == 130 else f"{program} exited with {code}")


def unfinished(build: str) -> Path:
    """The results of a build until all are complete."""
    return RESULTS / f"{COMPARED[build]}.part"


def alternating(rounds: int) -> list[tuple[int, str]]:
    """(round, build): every build once per round, in an order that is reversed every round."""
    order = list(COMPARED)
    return [(n, build) for n in range(rounds) for build in order[:: 1 if n % 2 == 0 else -1]]


def time_kernels(options: argparse.Namespace, console: Console) -> None:
    """Measure the kernels of all builds."""
    arguments = ["--corpus", options.corpus, "--seconds", str(options.seconds)]
    arguments += ["--root", options.root] if options.root else []
    arguments += ["--alone"] if options.alone else []
    for n, build in alternating(options.processes):
        console.print(f"kernels, process {n + 1} of {options.processes}: {build}")
        measure(build, "kernels", *arguments)


def time_whole_runs(options: argparse.Namespace, console: Console) -> None:
    """Measure whole runs of all builds."""
    with contextlib.ExitStack() as stack:
        temporary = stack.enter_context(tempfile.TemporaryDirectory(prefix="midiopt-bench-"))
        folder = options.collection or Path(temporary) / "files"
        with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
            whole_runs.generate(folder, options.files, progress)
        if not os.environ.get("MIDIOPT_TEST_DSN") and (url := stack.enter_context(whole_runs.postgres_url(console))):
            os.environ["MIDIOPT_TEST_DSN"] = url  # one server for all processes
            stack.callback(os.environ.pop, "MIDIOPT_TEST_DSN")
        for n, build in alternating(options.rounds):
            console.print(f"whole runs of {options.files:,} generated files, round {n + 1} of {options.rounds}: {build}")
            measure(build, "whole_runs", "--files", str(options.files), "--rounds", "1", "--collection", str(folder))


def comparison() -> str:
    """The comparison of the stored results by pyperf, as part of docs/performance.md."""
    command = [*COMPARE, "--table-format", "md", *(str(RESULTS / f"{name}.json") for name in COMPARED.values())]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"there are no results to compare: run `make bench`\n{done.stderr}")
    suite = pyperf.BenchmarkSuite.load(str(RESULTS / "pgo.json"))
    about = suite.get_benchmarks()[0].get_metadata()
    load = console_table.other_load(suite)
    note = f"; others used {load:.0%} of the cores during whole runs" if load > console_table.MAX_LOAD else ""
    machine = f"{about.get('cpu_model_name', 'unknown processor')}, {about['cpu_count']} cores, Python {about['python_version'].split()[0]}"
    return f"Time per file, {machine} (`make bench`{note}):\n\n{done.stdout.strip()}"


def main() -> int:
    """Measure and compare, or write the page again."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument(
        "--files", type=int, metavar="N", default=5000, help="generated files for whole runs (default: %(default)s); 0 leaves them out"
    )
    parser.add_argument("--collection", type=Path, metavar="DIR", help="keep those files here, or use the ones that are here already")
    parser.add_argument("--rounds", type=int, metavar="R", default=5, help="measurements per whole run (default: %(default)s)")
    parser.add_argument("--processes", type=int, metavar="P", default=3, help="per build, to time the kernels (default: %(default)s)")
    parser.add_argument("--seconds", type=float, metavar="S", default=4, help="per kernel and process (default: %(default)s)")
    parser.add_argument("--alone", action="store_true", help="only midiopt, without symusic and mido")
    parser.add_argument("--page", action="store_true", help="measure nothing: write the last comparison into docs/performance.md")
    options = parser.parse_args()
    if options.page:
        generated_blocks.fill(PAGE, "bench", comparison())
        return 0
    if options.processes < 1 or options.files < 0 or options.rounds < 1:
        parser.error("--processes and --rounds must be at least 1, --files at least 0")
    if not options.alone:
        for name in OTHERS:  # now, and not after a minute
            need(name, ", or --alone to time only midiopt")
    console = Console(stderr=True, highlight=False)
    select(options)  # reports a wrong --corpus now
    for build in COMPARED:
        builds.build(build, console.print)
        unfinished(build).unlink(missing_ok=True)
    builds.check_equal_rows(COMPARED)
    time_kernels(options, console)
    if options.files:
        time_whole_runs(options, console)
    results = [RESULTS / f"{name}.json" for name in COMPARED.values()]
    for build, result in zip(COMPARED, results, strict=True):
        os.replace(unfinished(build), result)
    console_table.show(pyperf.BenchmarkSuite.load(str(results[-1])))
    subprocess.run([*COMPARE, *map(str, results)], check=True)
    console.print(f"results are in {os.path.relpath(RESULTS)}")
    return 0


if __name__ == "__main__":
    run_program(main)
