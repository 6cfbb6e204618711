"""What a pyperf JSON file of ours says, as a table.

python -m benchmarks.console_table benchmarks/results/release.json
"""

from __future__ import annotations

import argparse
import statistics
import sys

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.paired_timing import OURS, need

pyperf = need("pyperf")

BUSY = 0.1  # share of the cores in use by others from which on the reader is told
RIVALS = ("mido", "symusic")
LEGEND = (
    "× is how many times as fast, on the same files in turns: the median over the pairs; spread is their middle half. "
    "Kernels are measured in processor time (mido on every k-th file, midiopt on the same ones), "
    "whole runs by the clock, against one worker's analysis alone."
)


def show(suite) -> None:
    """Print everything, and what to know about the machine."""
    console = Console(highlight=False)
    benches = {bench.get_name(): bench for bench in suite}
    runs = {name: bench for name, bench in benches.items() if facts(bench, "memory")}
    console.print(speeds(benches))
    if runs:
        console.print(costs(runs))
    console.print(f"[dim]{LEGEND}[/]")
    about = next(iter(benches.values())).get_metadata()
    python, processor, cores = (about.get(key, "?") for key in ("python_version", "cpu_model_name", "cpu_count"))
    console.print(f"[dim]midiopt {about.get('midiopt_build')} build, Python {python.partition(' ')[0]}, {processor}, {cores} cores[/]")
    busy = [share for bench in runs.values() for share in facts(bench, "busy")]
    if busy and statistics.mean(busy) > BUSY:
        console.print(f"[yellow]others used {statistics.mean(busy):.0%} of the cores: whole runs look slower than they are[/]")


def facts(bench, key: str) -> list[float]:
    """What the runs of a benchmark tell beside their times."""
    return [run.get_metadata()[key] for run in bench.get_runs() if key in run.get_metadata()]


def speeds(benches: dict) -> Table:
    shown = _table("work", "files", "files/s", "µs a\nfile", "×\nmido", "×\nsymusic", "×\nalone", "spread")
    before = ""
    for name, bench in benches.items():
        work, _, who = name.partition(": ")
        if work != before:
            shown.add_section()
            before = work
        label = work if who == OURS else f"  {who}" if who in RIVALS else who
        seconds = statistics.median(bench.get_values())
        shown.add_row(label, f"{bench.get_inner_loops():,}", f"{1 / seconds:,.0f}", f"{seconds * 1e6:,.1f}", *_ratios(bench, benches))
    return shown


def costs(runs: dict) -> Table:
    """What whole runs take beside the time from first to last chunk."""
    shown = _table("whole run", "memory,\nall of ours", "CPU µs a file:\nparent", "all\nworkers", "opening,\nindexes")
    for name, bench in runs.items():
        parent, workers = (statistics.median(facts(bench, key)) / bench.get_inner_loops() * 1e6 for key in ("cpu_parent", "cpu_workers"))
        memory, around = max(facts(bench, "memory")) / 1e6, statistics.median(facts(bench, "around"))
        shown.add_row(name.partition(": ")[2], f"{memory:,.0f} MB", f"{parent:.1f}", f"{workers:.1f}", f"{around:.2f} s")
    return shown


def _table(first: str, *others: str) -> Table:
    shown = Table(box=box.SIMPLE_HEAD, padding=0)  # fits 80 columns
    shown.add_column(first, style="cyan", no_wrap=True, vertical="bottom")
    for heading in others:
        shown.add_column(heading, justify="right", no_wrap=True)
    return shown


def _ratios(bench, benches: dict) -> list[str]:
    """Cells for mido, symusic, one worker alone, and the spread."""
    against = bench.get_metadata().get("against")
    if against not in benches:
        return [""] * 4
    who = against.partition(": ")[2]
    low, middle, high = quartiles([b / a for a, b in zip(bench.get_values(), benches[against].get_values(), strict=True)])
    columns = (who == "mido", who == "symusic", who not in RIVALS)
    return [*(f"[bold]{_times(middle)}[/]" if column else "" for column in columns), f"{_times(low)}–{_times(high)}"]


def quartiles(values: list[float]) -> tuple[float, float, float]:
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
    return low, middle, high


def _times(ratio: float) -> str:
    return f"{ratio:.0f}" if ratio >= 100 else f"{ratio:.1f}" if ratio >= 10 else f"{ratio:.2f}"


def main() -> int:
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
