"""RESULTS.md and ablation.svg from the times that ablation.py kept: nothing in them is written by hand."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import builds, chart, vectorised_loops
from benchmarks.paired_timing import need
from benchmarks.switches import IDEAS
from benchmarks.verdict import MATTERS, Measured, times, verdict

HERE = Path(__file__).resolve().parent
READING = "reading by size"  # timed for a table of its own, beside the idea
BUSY = 0.1  # share of the cores used by others, from which on the page says so
LIBRARY = 5_800_000  # files
FEW = 5000  # files: a whole run of fewer mostly starts processes


def write(kept: Path) -> list[Path]:
    """Both files, beside this one."""
    pyperf = need("pyperf")
    try:
        suite = pyperf.BenchmarkSuite.load(str(kept))
    except (OSError, ValueError) as problem:
        raise SystemExit(f"there are no results: {problem}") from None
    benches = [(bench.get_metadata(), bench.get_values()) for bench in suite]
    measured = list(switched(benches))
    shown = [(m, expected(m)) for idea in IDEAS for m in measured if m.idea == idea]
    written = {HERE / "ablation.svg": chart.svg(shown), HERE / "RESULTS.md": text(benches[0][0], benches, measured, shown)}
    for path, content in written.items():
        path.write_text(content)
    return list(written)


def switched(benches: Iterable[tuple[dict[str, Any], Sequence[float]]]) -> Iterable[Measured]:
    """Every way without an idea, against the one with it."""
    on: tuple[str, Sequence[float]] = ("", ())
    for about, values in benches:
        if about["on"]:
            on = about["way"], values
        else:
            yield Measured.of(about["idea"], about["task"], on, (about["way"], values))


def expected(m: Measured) -> tuple[float, float] | None:
    return IDEAS[m.idea].expected if m.off == IDEAS[m.idea].off else None


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    rule = ["---" if i == 0 else "---:" if name.startswith(">") else "---" for i, name in enumerate(head)]
    lines = [[name.removeprefix(">") for name in head], rule, *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def text(about: dict[str, Any], benches: list, measured: list[Measured], shown: list) -> str:
    busy = [a["busy"] for a, _ in benches if "busy" in a]
    rounds = {len(values) for _, values in benches}
    parts = [
        "# Nine ideas, each on and off",
        "`make ablation` measures and writes this page: numbers, verdicts and picture. docs/performance.md says what was learnt.",
        machine(about, rounds),
        ideas(shown),
        "![expected against measured](ablation.svg)",
        rule(),
        "## The whole",
        whole(benches),
        "## Reading, by the size of the file",
        *reading(measured),
        "## Writing rows into PostgreSQL",
        writing(benches),
        "## Loops that are vectors",
        *loops(),
    ]
    if busy and statistics.fmean(busy) > BUSY:
        parts.insert(3, f"**Others used {statistics.fmean(busy):.0%} of the cores meanwhile: whole runs look slower than they are.**")
    if about.get("count", FEW) < FEW:
        parts.insert(3, f"**Only {about['count']:,} files: whole runs mostly start processes and say little about many.**")
    return "\n\n".join(parts) + "\n"


def machine(about: dict[str, Any], rounds: set[int]) -> str:
    python = str(about["python_version"]).partition(" ")[0]
    rows = [
        ("command", f"`{about['command']}`"),
        ("files", about["corpus"]),
        ("machine", f"{about.get('cpu_model_name', 'unknown processor')}, {about['cpu_count']} cores, {about['ram']}"),
        ("system", f"{about['kernel']}, Python {python}, {about['compiler']}"),
        ("turns", f"{min(rounds)} to {max(rounds)} of each way, side by side"),
    ]
    if "left_out" in about:
        rows.append(("left out", about["left_out"]))
    return table(("", ""), rows)


def ideas(shown: list[tuple[Measured, tuple[float, float] | None]]) -> str:
    def cells(m: Measured, wanted: tuple[float, float] | None) -> Sequence[str]:
        hoped = f"×{wanted[0]:.2f}–{wanted[1]:.2f}" if wanted else ""
        return (m.idea, m.work, m.on, m.off, hoped, f"**×{times(m.middle)}**", spread(m), verdict(m, wanted))

    head = ("idea", "work", "on", "off", ">expected", ">measured", ">middle half", "verdict", "kept")
    return table(head, [(*cells(m, wanted), IDEAS[m.idea].kept) for m, wanted in shown])


def spread(m: Measured) -> str:
    return f"{times(m.low)}–{times(m.high)}"


def rule() -> str:
    return (
        "× is how many times as fast: the median, over turns side by side, of the time without the idea by the time with it. The middle "
        f"half of those ratios decides: *faster* when all of it is above {1 + MATTERS}, *slower* when all of it is below {1 - MATTERS}, "
        "else *no difference*; *more* or *less than expected* when all of it is on that side of what was expected; *unclear* when it "
        "holds both 1 and what was expected. Expectations are those of the program that midiopt descends from. *kept* is what a run "
        "does unless told otherwise."
    )


def whole(benches: list) -> str:
    rows = []
    for about, values in benches:
        if about["idea"] in ("the whole", "pipeline") and "whole run" in about["task"]:
            seconds = statistics.median(values)
            run = about["task"].partition(",")[0] if about["way"] == "in sequence" else about["task"]
            rows.append((about["way"], run, f"{1 / seconds:,.0f}", span(LIBRARY * seconds)))
    head = ("way", "run", ">files/s", f">{LIBRARY / 1e6:.1f} million files")
    return table(head, dict.fromkeys(rows))  # what ran in sequence is compared twice


def span(seconds: float) -> str:
    minutes = seconds / 60
    return f"{minutes:,.1f} minutes" if minutes < 90 else f"{minutes / 60:,.1f} hours" if minutes < 2880 else f"{minutes / 1440:,.1f} days"


def reading(measured: list[Measured]) -> list[str]:
    """The table, and where mapping begins to win."""
    found = [m for m in measured if m.idea == READING]
    rows = [
        (m.work, *(f"{s * 1e6:,.1f}" for s in (m.off_seconds, m.on_seconds)), f"×{times(m.middle)}", spread(m), verdict(m, None))
        for m in found
    ]
    says = []
    for state in ("warm", "cold"):
        sizes = [m for m in found if m.work.endswith(state)]
        turn = next((m for i, m in enumerate(sizes) if all(verdict(n, None) == "faster" for n in sizes[i:])), None)
        if sizes:
            size = turn.work.partition(",")[0] if turn else ""
            says.append(f"{state.capitalize()}: {f'mapping wins from {size} on' if turn else 'mapping wins from no size on'}.")
    head = ("file", ">read(), µs", ">mmap(), µs", ">mmap is", ">middle half", "verdict")
    return [table(head, rows), f"Read and hashed, as a worker does it. {' '.join(says)}"]


def writing(benches: list) -> str:
    rows = [
        (about["way"], about["task"], f"{1 / statistics.median(values):,.0f}")
        for about, values in benches
        if about["idea"] in ("batch writes", "warm connections") and "rows" in about["task"]
    ]
    return table(("way", "work", ">rows/s"), rows)


def loops() -> list[str]:
    """From the disassembly of the builds that were compared."""
    found = {name: vectorised_loops.loops(builds.site(name)) for name in ("release", "scalar")}
    widest: dict[str, vectorised_loops.Loop] = {}
    for loop in found["release"]:
        if loop.packed and loop.bits >= widest.get(loop.source, loop).bits:
            widest[loop.source] = loop
    rest = {loop.source: loop.bits for loop in found["scalar"] if loop.packed}
    rows = [
        (f"`{place}`", code(loop.code), str(loop.bits), f"{loop.packed}{', unrolled' * loop.unrolled}", str(rest.get(place, "none")))
        for place, loop in widest.items()
    ]
    counting = [
        (f"`{place}`", code(line), f"{widest[place].bits} bits" if place in widest else "scalar")
        for place, line in vectorised_loops.histograms(builds.BUILD / "release" / "src")
    ]
    return [
        "From the disassembly of `release`: the innermost loops that do packed arithmetic, the widest registers they do it in, and what "
        "is left of that with `-fno-tree-vectorize` (gcc keeps some 64-bit numbers in vector registers without the vectoriser).",
        table(("loop", "line", ">bits", ">packed instructions", ">bits without the vectoriser"), rows),
        "Histograms are not among them: where a count goes depends on the data, and two of a vector that go to the same place would "
        "be lost. What the vectoriser saves each stage in instructions is in docs/performance.md. The lines that count into a table:",
        table(("line", "code", "in the disassembly"), counting),
    ]


def code(line: str) -> str:
    return f"`{re.sub(r'[|`]', '', line)}`"
