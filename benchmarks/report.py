"""How long midiopt report takes for a library of a million files, in SQLite and PostgreSQL, and how large its page is.

    python -m benchmarks.report [--files 1000000] [--rounds 3] [--db URL ...] [--page]

The command is started as a user starts it. The time until it ends counts, and beside it the processor time of its own process, which
other work on the machine disturbs less; of each the least of all rounds. The library is synthetic (synthetic_library.py) and its caches
are warm; --db measures libraries that there are. With --page the table is written into docs/report.md.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.command_line import run_program
from benchmarks.library_page import measure_libraries

QUERIES = {"all files": "", "one term": "key:Am", "a word": "slap"}


@dataclass
class Cost:
    """Of one page."""

    seconds: float
    processor_seconds: float
    bytes: int


def report(url: str, query: str, folder: str) -> Cost:
    """Write the page once."""
    page = Path(folder, "report.html")
    command = [sys.executable, "-m", "midiopt", "report", *([query] if query else []), "--db", url, "-o", str(page)]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}")
    size = page.stat().st_size
    page.unlink()
    return Cost(seconds, used.ru_utime + used.ru_stime, size)


def measure(url: str, rounds: int) -> dict[str, Cost]:
    """The least cost of each page."""
    with tempfile.TemporaryDirectory() as folder:
        costs = {name: [report(url, query, folder) for _ in range(rounds)] for name, query in QUERIES.items()}
    return {
        name: Cost(min(c.seconds for c in found), min(c.processor_seconds for c in found), found[0].bytes) for name, found in costs.items()
    }


def table(results: dict[str, dict[str, Cost]]) -> str:
    """The costs as Markdown."""
    names = list(results)
    lines = ["| report of | " + " | ".join(f"{name}, waited | {name}, processor | {name}, page" for name in names) + " |"]
    lines.append("| --- |" + " ---: |" * 3 * len(names))
    for name, query in QUERIES.items():
        costs = [results[database][name] for database in names]
        cells = [f"{c.seconds:.1f} s | {c.processor_seconds:.1f} s | {c.bytes / 1000:,.0f} KB" for c in costs]
        lines.append(f"| {f'{name}: {query}' if query else name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> int:
    """Measure and print."""
    return measure_libraries(__doc__, "docs/report.md", 3, "written", measure, table)


if __name__ == "__main__":
    run_program(main)
