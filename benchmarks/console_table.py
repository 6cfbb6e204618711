"""Print a pyperf JSON file of benchmarks/results/ as a table.

python -m benchmarks.console_table benchmarks/results/release.json
"""

from __future__ import annotations

import argparse
import statistics
import sys
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.command_line import need
from benchmarks.paired_timing import OURS
from benchmarks.verdict import format_ratio, quartiles

pyperf = need("pyperf")

MAX_LOAD = 0.1  # share of the cores in use by others above which the reader is warned
OTHERS = ("mido", "symusic")
LEGEND = (
    "× is the speed of the first program by that of the other on the same files, interleaved: the median over all pairs; "
    "spread is the range from the lower to the upper quartile. Kernels are measured in processor time (mido on every k-th file, "
    "midiopt on the same ones), whole runs in wall-clock time, against the analysis by one worker alone."
)


def show(suite: Any) -> None:
    """Print all results of a ``pyperf.BenchmarkSuite``, and what is known about the machine."""
    console = Console(highlight=False)
    benchmarks = {benchmark.get_name(): benchmark for benchmark in suite}
    runs = {name: benchmark for name, benchmark in benchmarks.items() if facts(benchmark, "memory")}
    console.print(speeds(benchmarks))
    if runs:
        console.print(costs(runs))
    console.print(f"[dim]{LEGEND}[/]")
    about = next(iter(benchmarks.values())).get_metadata()
    python, processor, cores = (about.get(key, "?") for key in ("python_version", "cpu_model_name", "cpu_count"))
    console.print(f"[dim]midiopt {about.get('midiopt_build')} build, Python {python.partition(' ')[0]}, {processor}, {cores} cores[/]")
    if (load := other_load(runs.values())) > MAX_LOAD:
        console.print(f"[yellow]others used {load:.0%} of the cores: whole runs look slower than they are[/]")


def facts(benchmark: Any, key: str) -> list[float]:
    """The values of a metadata key in the runs of a benchmark."""
    return [run.get_metadata()[key] for run in benchmark.get_runs() if key in run.get_metadata()]


def other_load(benchmarks: Any) -> float:
    """The share of the cores that others used during whole runs, the mean."""
    shares = [share for benchmark in benchmarks for share in facts(benchmark, "other_load")]
    return statistics.fmean(shares) if shares else 0.0


def speeds(benchmarks: dict[str, Any]) -> Table:
    """A row per benchmark: speed, time and ratios."""
    table = _table("work", "files", "files/s", "µs per\nfile", "×\nmido", "×\nsymusic", "×\nalone", "spread")
    previous = ""
    for name, benchmark in benchmarks.items():
        workload, _, program = name.partition(": ")
        if workload != previous:
            table.add_section()
            previous = workload
        label = workload if program == OURS else f"  {program}" if program in OTHERS else program
        seconds = statistics.median(benchmark.get_values())
        numbers = (f"{benchmark.get_inner_loops():,}", f"{1 / seconds:,.0f}", f"{seconds * 1e6:,.1f}")
        table.add_row(label, *numbers, *_ratios(benchmark, benchmarks))
    return table


def costs(runs: dict[str, Any]) -> Table:
    """A row per whole run: what it costs besides the time from the first to the last chunk."""
    table = _table("whole run", "peak\nmemory", "CPU µs per file:\nparent", "all\nworkers", "opening,\nindexes")
    for name, benchmark in runs.items():
        files = benchmark.get_inner_loops()
        parent, workers = (statistics.median(facts(benchmark, key)) / files * 1e6 for key in ("cpu_parent", "cpu_workers"))
        memory, setup = max(facts(benchmark, "memory")) / 1e6, statistics.median(facts(benchmark, "setup_seconds"))
        table.add_row(name.partition(": ")[2], f"{memory:,.0f} MB", f"{parent:.1f}", f"{workers:.1f}", f"{setup:.2f} s")
    return table


def _table(first: str, *others: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=0)  # fits 80 columns
    table.add_column(first, style="cyan", no_wrap=True, vertical="bottom")
    for heading in others:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _ratios(benchmark: Any, benchmarks: dict[str, Any]) -> list[str]:
    """Cells for mido, symusic, one worker alone, and the spread."""
    reference = benchmark.get_metadata().get("reference")
    if reference not in benchmarks:
        return [""] * 4
    program = reference.partition(": ")[2]
    pairs = zip(benchmark.get_values(), benchmarks[reference].get_values(), strict=True)
    low, median, high = quartiles([b / a for a, b in pairs])
    columns = (program == "mido", program == "symusic", program not in OTHERS)
    return [*(f"[bold]{format_ratio(median)}[/]" if column else "" for column in columns), f"{format_ratio(low)}–{format_ratio(high)}"]


def main() -> int:
    """Print the file that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", metavar="FILE.json", help="written by compare_builds.py, kernels.py or whole_runs.py")
    options = parser.parse_args()
    try:
        suite = pyperf.BenchmarkSuite.load(options.file)
    except (OSError, ValueError) as problem:
        print(f"console_table.py: {problem}", file=sys.stderr)
        return 1
    show(suite)
    return 0


if __name__ == "__main__":
    sys.exit(main())
