"""RESULTS.md and ablation.svg from the results that ablation.py stored: no part of them is written by hand."""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks import chart, vectorised_loops
from benchmarks.command_line import need
from benchmarks.switches import OPTIMISATIONS
from benchmarks.verdict import MIN_DIFFERENCE, Speedup, format_ratio, verdict

HERE = Path(__file__).resolve().parent
TIMES = HERE / "results" / "ablation.json"
READ_SIZES = "reads by file size"  # an optimisation with a table of its own
MAX_LOAD = 0.1  # share of the cores used by others above which the page says so
COLLECTION = 5_800_000  # files, for the projected times
MIN_FILES = 5000  # a whole run of fewer mostly measures the start of processes

Benchmarks = list[tuple[dict[str, Any], Sequence[float]]]  # metadata, and seconds per item of each measurement
Rows = list[tuple[Speedup, tuple[float, float] | None]]  # with the expected range


def write() -> list[Path]:
    """Write both files, and return their paths."""
    for path, content in contents().items():
        path.write_text(content)
    return list(contents())


def contents() -> dict[Path, str]:
    """The text of both files."""
    pyperf = need("pyperf")
    try:
        suite = pyperf.BenchmarkSuite.load(str(TIMES))
        loops = json.loads(vectorised_loops.RESULTS.read_text())
    except (OSError, ValueError) as problem:
        raise SystemExit(f"there are no results: {problem}") from None
    benchmarks = [(benchmark.get_metadata(), benchmark.get_values()) for benchmark in suite]
    speedups = list(compare(benchmarks))
    rows = [(s, expected(s)) for name in OPTIMISATIONS for s in speedups if s.optimisation == name]
    return {HERE / "ablation.svg": chart.svg(rows), HERE / "RESULTS.md": page(benchmarks, speedups, rows, loops)}


def compare(benchmarks: Benchmarks) -> Iterator[Speedup]:
    """Every variant without an optimisation against the one with it, which comes first."""
    on: tuple[str, Sequence[float]] = ("", ())
    for about, values in benchmarks:
        if about["enabled"]:
            on = about["variant"], values
        else:
            yield Speedup.of(about["optimisation"], about["workload"], on, (about["variant"], values))


def expected(speedup: Speedup) -> tuple[float, float] | None:
    """The range that was expected of this pair of variants, if any was."""
    optimisation = OPTIMISATIONS[speedup.optimisation]
    return optimisation.expected if speedup.off == optimisation.off else None


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; the columns whose heading begins with ``>`` are aligned to the right."""
    rule = ["---:" if name.startswith(">") else "---" for name in head]
    lines = [[name.removeprefix(">") for name in head], rule, *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def page(benchmarks: Benchmarks, speedups: list[Speedup], rows: Rows, loops: dict[str, Any]) -> str:
    """The text of RESULTS.md."""
    about = benchmarks[0][0]
    load = [metadata["other_load"] for metadata, _ in benchmarks if "other_load" in metadata]
    warnings = []
    if about.get("count", MIN_FILES) < MIN_FILES:
        warnings.append(f"**Only {about['count']:,} files: whole runs mostly measure the start of processes.**")
    if load and statistics.fmean(load) > MAX_LOAD:
        warnings.append(f"**Other programs used {statistics.fmean(load):.0%} of the cores: whole runs look slower than they are.**")
    parts = [
        "# Nine optimisations, each on and off",
        "`make ablation` measures and writes this page: numbers, verdicts and chart. docs/performance.md explains the results.",
        machine(about, {len(values) for _, values in benchmarks}),
        *warnings,
        speedup_table(rows),
        "![expected and measured speed-up](ablation.svg)",
        RULE,
        "## Whole runs",
        whole_runs(benchmarks),
        "## Reads by file size",
        *reads(speedups),
        "## Writing rows into PostgreSQL",
        writes(benchmarks),
        "## Vectorised loops",
        *loop_tables(loops),
    ]
    return "\n\n".join(parts) + "\n"


def machine(about: dict[str, Any], measurements: set[int]) -> str:
    """What is needed to repeat the measurement."""
    python = str(about["python_version"]).partition(" ")[0]
    rows = [
        ("command", f"`{about['command']}`"),
        ("files", about["corpus"]),
        ("machine", f"{about.get('cpu_model_name', 'unknown processor')}, {about['cpu_count']} cores, {about['ram']}"),
        ("system", f"{about['kernel']}, Python {python}, {about['compiler']}"),
        ("measurements", f"{min(measurements)} to {max(measurements)} of each variant, interleaved"),
    ]
    if "left_out" in about:
        rows.append(("left out", about["left_out"]))
    return table(("", ""), rows)


RULE = (
    "× is the speed-up: the median, over interleaved pairs of measurements, of the time without the optimisation divided by the time "
    f"with it. The quartiles of those ratios decide: *faster* if both are above {1 + MIN_DIFFERENCE}, *slower* if both are below "
    f"{1 - MIN_DIFFERENCE}, otherwise *no difference*; *more* or *less than expected* if both are on that side of the expected range; "
    "*unclear* if they include both 1 and the expected range. The expectations are those of the program that midiopt replaces. "
    "*default* says whether a run uses the optimisation by default."
)


def speedup_table(rows: Rows) -> str:
    """A row per speed-up."""

    def cells(s: Speedup, wanted: tuple[float, float] | None) -> Sequence[str]:
        range_ = f"×{wanted[0]:.2f}–{wanted[1]:.2f}" if wanted else ""
        return (s.optimisation, s.workload, s.on, s.off, range_, f"**×{format_ratio(s.median)}**", quartiles(s), verdict(s, wanted))

    head = ("optimisation", "work", "on", "off", ">expected", ">measured", ">quartiles", "verdict", "default")
    return table(head, [(*cells(s, wanted), OPTIMISATIONS[s.optimisation].default) for s, wanted in rows])


def quartiles(speedup: Speedup) -> str:
    """The range between the quartiles."""
    return f"{format_ratio(speedup.low)}–{format_ratio(speedup.high)}"


def whole_runs(benchmarks: Benchmarks) -> str:
    """Files per second of every kind of whole run."""
    rows = []
    for about, values in benchmarks:
        if about["optimisation"] in ("all together", "pipeline") and "whole run" in about["workload"]:
            seconds = statistics.median(values)
            run = about["workload"].partition(",")[0] if about["variant"] == "sequential" else about["workload"]
            rows.append((about["variant"], run, f"{1 / seconds:,.0f}", duration(COLLECTION * seconds)))
    head = ("variant", "run", ">files/s", f">{COLLECTION / 1e6:.1f} million files")
    return table(head, dict.fromkeys(rows))  # a sequential run is compared twice


def duration(seconds: float) -> str:
    """Minutes, hours or days."""
    minutes = seconds / 60
    return f"{minutes:,.1f} minutes" if minutes < 90 else f"{minutes / 60:,.1f} hours" if minutes < 2880 else f"{minutes / 1440:,.1f} days"


def reads(speedups: list[Speedup]) -> list[str]:
    """The table, and the size from which mmap() is faster."""
    found = [s for s in speedups if s.optimisation == READ_SIZES]
    rows = [
        (
            s.workload,
            *(f"{t * 1e6:,.1f}" for t in (s.off_seconds, s.on_seconds)),
            f"×{format_ratio(s.median)}",
            quartiles(s),
            verdict(s, None),
        )
        for s in found
    ]
    sentences = []
    for state in ("warm", "cold"):
        sizes = [s for s in found if s.workload.endswith(state)]
        first = next((s for i, s in enumerate(sizes) if all(verdict(larger, None) == "faster" for larger in sizes[i:])), None)
        if sizes:
            faster = f"from {first.workload.partition(',')[0]} on" if first else "at no size"
            sentences.append(f"{state.capitalize()}: mmap() is faster {faster}.")
    head = ("file", ">read(), µs", ">mmap(), µs", ">speed-up by mmap()", ">quartiles", "verdict")
    return [table(head, rows), f"Files are read and hashed, as by a worker. {' '.join(sentences)}"]


def writes(benchmarks: Benchmarks) -> str:
    """Rows per second of every way to write them."""
    rows = [
        (about["variant"], about["workload"], f"{1 / statistics.median(values):,.0f}")
        for about, values in benchmarks
        if about["optimisation"] in ("batch writes", "warm connections") and "rows" in about["workload"]
    ]
    return table(("way", "work", ">rows/s"), rows)


def loop_tables(found: dict[str, Any]) -> list[str]:
    """What vectorised_loops.py read from the disassembly of the builds."""
    rows = [
        (
            f"`{loop['place']}`",
            code(loop["code"]),
            str(loop["bits"]),
            f"{loop['packed']}{', unrolled' * loop['unrolled']}",
            str(loop["scalar_bits"] or "none"),
        )
        for loop in found["loops"]
    ]
    counting = [
        (f"`{line['place']}`", code(line["code"]), f"{line['bits']} bits" if line["bits"] else "scalar") for line in found["histograms"]
    ]
    return [
        f"From the disassembly of `release`, compiled for {found['processor']}: the innermost loops with packed arithmetic, the widest "
        "registers they use, and what is left with `-fno-tree-vectorize` (gcc keeps some 64-bit numbers in vector registers without "
        "the vectoriser).",
        table(("function", "line", ">bits", ">packed instructions", ">bits without the vectoriser"), rows),
        "Histograms are not among them: the element to increment depends on the data, and two increments of the same element within "
        "one vector would be lost. docs/performance.md has the instructions that the vectoriser saves per stage. The lines that "
        "increment an element of a table:",
        table(("function", "line", "in the disassembly"), counting),
    ]


def code(line: str) -> str:
    """A source line as Markdown code within a table."""
    return f"`{re.sub(r'[|`]', '', line)}`"
