"""Time the pages of Datasette over a database: python -m benchmarks.clients music.db (it needs the extra `clients`)"""

from __future__ import annotations

import argparse
import asyncio
import time
from pathlib import Path

from benchmarks.command_line import need
from midiopt.core import build
from midiopt.library.datasette import metadata
from midiopt.library.snapshot import open_snapshot

PAGES = ("library", "library?role=drums", "files", "analyses", "analyses?_sort=note_count")


async def times(path: str, rounds: int) -> list[list[str]]:
    """The status and the best time of each page, with the metadata of midiopt and without suggested facets."""
    datasette_app = need("datasette.app", " and 'midiopt[clients]'")
    with open_snapshot(path) as library:
        about = metadata(library, path, build.version)
    datasette = datasette_app.Datasette([path], metadata=about, settings={"suggest_facets": False})
    await datasette.invoke_startup()
    name = Path(path).stem
    rows = []
    for page in PAGES:
        seconds = []
        for _ in range(rounds):
            started = time.perf_counter()
            response = await datasette.client.get(f"/{name}/{page}")
            seconds.append(time.perf_counter() - started)
        rows.append([page, str(response.status_code), f"{min(seconds):.2f}"])
    return rows


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    for page, status, seconds in asyncio.run(times(options.database, options.rounds)):
        print(f"{page:28} {status} {seconds:>7} s")


if __name__ == "__main__":
    main()
