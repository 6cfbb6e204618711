"""What benchmarks of commands that read a library share: the command line, the libraries, and the table in a page of the documentation."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from benchmarks import generated_blocks
from benchmarks.synthetic_library import filled
from midiopt.sinks.urls import is_postgres

ROOT = Path(__file__).resolve().parent.parent
Result = TypeVar("Result")


def measure_libraries(
    description: str | None,
    page: str,
    rounds: int,
    done: str,
    measure: Callable[[str, int], Result],
    table: Callable[[dict[str, Result]], str],
) -> int:
    """Measure a library of each kind, or those that are named, and print the table.

    ``page`` is its place below the project, ``rounds`` the default number of times that each page is ``done``. Returns the exit code.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, metavar="N", default=1_000_000, help="files in the library (default: %(default)s)")
    parser.add_argument("--rounds", type=int, metavar="R", default=rounds, help=f"times that each page is {done} (default: %(default)s)")
    parser.add_argument("--db", action="append", default=[], metavar="URL", help="a library that there is; several are compared")
    parser.add_argument("--page", action="store_true", help=f"write the table into {page}")
    options = parser.parse_args()
    if options.files < 10_000 or options.rounds < 1:
        parser.error("--files must be at least 10000, --rounds at least 1")
    with _libraries(options.db, options.files) as urls:
        results = {"PostgreSQL" if is_postgres(url) else "SQLite": measure(url, options.rounds) for url in urls}
    text = table(results)
    print(text)
    if options.page:
        generated_blocks.fill(ROOT / page, "speed", text)
    return 0


@contextlib.contextmanager
def _libraries(urls: list[str], files: int) -> Iterator[list[str]]:
    """These libraries, or one of each kind."""
    if urls:
        yield urls
        return
    with filled("sqlite", files) as sqlite, filled("postgres", files) as postgres:
        yield [sqlite, postgres]
