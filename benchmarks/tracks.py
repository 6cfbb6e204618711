"""What --tracks costs: processor time of a worker and of writing into SQLite with and without it, in turns, and bytes per file.

python -m benchmarks.tracks [--corpus DIR | --corpus @LIST --root DIR] [--rounds N]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from itertools import count
from pathlib import Path

from benchmarks import input_files
from benchmarks.clocks import processor_time
from midiopt.pipeline.new_files import FILES_PER_TASK
from midiopt.pipeline.worker import Worker
from midiopt.rows.batch import Batch
from midiopt.rows.validate import validate
from midiopt.sinks import open_sink

BATCH_TASKS = 16  # tasks per batch of the default size


def analyse(paths: list[bytes], tracks: bool) -> list[bytes]:
    """The messages of a new worker, which has analysed nothing before."""
    worker = Worker("read", tracks=tracks)
    return [worker.analyze_files(paths[i : i + FILES_PER_TASK]) for i in range(0, len(paths), FILES_PER_TASK)]


def write(messages: list[bytes], path: Path) -> float:
    """Processor seconds of what the parent does with these messages."""
    with open_sink(str(path)) as sink:

        def work() -> None:
            for i in range(0, len(messages), BATCH_TASKS):
                sink.write(Batch.concat([validate(Batch.from_bytes(message)) for message in messages[i : i + BATCH_TASKS]]))
            sink.flush()

        return processor_time(work)


def summary(seconds: list[tuple[float, float]], files: int) -> str:
    """Microseconds per file without and with tracks, and the middle half of the ratios of pairs."""
    without, with_tracks = (statistics.median(values) / files * 1e6 for values in zip(*seconds, strict=True))
    low, middle, high = statistics.quantiles([a / b for a, b in seconds], n=4)
    return f"{without:.1f} us, with tracks {with_tracks:.1f} us per file; speed {middle:.2f} ({low:.2f}-{high:.2f})"


def main(argv: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    input_files.add_options(parser)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args(argv)
    paths = input_files.select(options)
    messages = {tracks: analyse(paths, tracks) for tracks in (False, True)}
    workers, writes = [], []
    with tempfile.TemporaryDirectory() as folder:
        names = (Path(folder) / f"{i}.db" for i in count())
        for _ in range(options.rounds):
            workers.append((processor_time(lambda: analyse(paths, False)), processor_time(lambda: analyse(paths, True))))
            writes.append((write(messages[False], next(names)), write(messages[True], next(names))))
        sizes = [(Path(folder) / f"{i}.db").stat().st_size / len(paths) for i in (0, 1)]
    print(f"a worker: {summary(workers, len(paths))}")
    print(f"writing into SQLite: {summary(writes, len(paths))}")
    print(f"the database: {sizes[0]:,.0f} bytes, with tracks {sizes[1]:,.0f} bytes per file")
    return 0


if __name__ == "__main__":
    sys.exit(main())
