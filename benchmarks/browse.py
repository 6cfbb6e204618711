"""How long midiopt browse takes for a page of a library of a million files, in SQLite and PostgreSQL.

    python -m benchmarks.browse [--files 1000000] [--rounds 20] [--db URL ...] [--page]

A server is started as a user starts it, and asked over one connection, page after page, in turns. The processor time of its process
counts (of all its threads, in nanoseconds, /proc/PID/task/*/schedstat), which other work on the machine disturbs less, and beside it the
time that a client waits; of each the least of all rounds. The library is synthetic (synthetic_library.py) and its caches are warm; --db
measures libraries that there are. With --page the table is written into docs/browse.md.
"""

from __future__ import annotations

import contextlib
import http.client
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.command_line import run_program
from benchmarks.library_page import measure_libraries
from midiopt.browse.addresses import address
from midiopt.library.snapshot import open_snapshot

FIRST_ROUNDS = 2  # that warm the caches and do not count
QUERIES = {
    "all files": "",
    "one term": "key:Am",
    "a tempo": "bpm:118..124",
    "two terms": "key:Am bpm:118..124",
    "an instrument": "program:36",
    "a word": "slap",
    "a word and a term": "slap key:Am",
}


def pages(url: str) -> dict[str, str]:
    """The addresses of the pages that are measured."""
    with open_snapshot(url) as snapshot:
        [(path,)] = snapshot.rows("SELECT path FROM files WHERE analysis_id > 0 ORDER BY path LIMIT 1 OFFSET 5000")
    found = {f"{name}: {query}" if query else name: address("/", q=query) for name, query in QUERIES.items()}
    found |= {"all files by most notes": address("/", sort="-notes"), "a page further on": address("/", after=path)}
    found |= {"a file's page": address("/file", path=path)}
    return found | {
        f"numbers beside {name}": address("/facets", q=QUERIES[name]) for name in ("all files", "one term", "two terms", "a word")
    }


@contextlib.contextmanager
def server(url: str) -> Iterator[tuple[int, int]]:
    """The process and the port of a server."""
    command = [sys.executable, "-m", "midiopt", "browse", "--db", url, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        line = process.stdout.readline()
        if not line:
            raise SystemExit("the server did not start")
        try:
            yield process.pid, int(line.rpartition(":")[2].partition("/")[0])
        finally:
            process.terminate()


def processor_seconds(pid: int) -> float:
    """What all threads of a process have used."""
    return sum(int(task.read_text().split()[0]) for task in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def measure(url: str, rounds: int) -> dict[str, tuple[float, float]]:
    """By page, the least processor time and the least time of waiting, in milliseconds."""
    times: dict[str, list[tuple[float, float]]] = {}
    wanted = pages(url)
    with server(url) as (pid, port), contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=120)) as connection:
        for number in range(FIRST_ROUNDS + rounds):
            for name, target in wanted.items():
                before, start = processor_seconds(pid), time.perf_counter()
                connection.request("GET", target)
                answer = connection.getresponse()
                answer.read()
                waited, used = time.perf_counter() - start, processor_seconds(pid) - before
                if answer.status != 200:
                    raise SystemExit(f"{target}: status {answer.status}")
                if number >= FIRST_ROUNDS:
                    times.setdefault(name, []).append((used * 1000, waited * 1000))
    return {name: (min(used for used, _ in found), min(waited for _, waited in found)) for name, found in times.items()}


def table(results: dict[str, dict[str, tuple[float, float]]]) -> str:
    """The times as Markdown."""
    names = list(results)
    lines = ["| page | " + " | ".join(f"{name}, processor | {name}, waited" for name in names) + " |"]
    lines.append("| --- |" + " ---: |" * 2 * len(names))
    for page in results[names[0]]:
        cells = [f"{value:,.1f} ms" for name in names for value in results[name][page]]
        lines.append(f"| {page} | {' | '.join(cells)} |".replace("`", ""))
    return "\n".join(lines)


def main() -> int:
    """Measure and print."""
    return measure_libraries(__doc__, "docs/browse.md", 20, "asked for", measure, table)


if __name__ == "__main__":
    run_program(main)
