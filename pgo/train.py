"""Train a pgo-generate build: python -m pgo.train [--corpus DIR]

Does what a run does, in one process and without workers (one that is forked or killed leaves no data):
files and members of an archive to rows as a worker makes them, rows to SQLite and to the bytes of
PostgreSQL's COPY as the parent does, and views of an EventArena as applications have them. A process
writes its profile when it ends: the training is done by a child, and what that has left is looked at
afterwards.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pgo import training_files

if TYPE_CHECKING:
    from midiopt.pipeline.tasks import Task

ROOT = Path(__file__).resolve().parent.parent
PROFILE = ROOT / "pgo" / "profile"  # with a folder for each state of the sources, see setup.py
EXTENSIONS = sorted(path.relative_to(ROOT / "src").with_suffix("").parts for path in ROOT.glob("src/**/*.pyx"))

ROUNDS = 2  # how often the files are gone through: the second time every buffer has its size
WRITTEN = 4  # tasks whose rows the parent joins and writes at a time
ARCHIVED = 60  # files that are also read from a tar archive
VIEWED = 20  # one file in so many is also parsed into an EventArena


def train(sources: list[Path]) -> None:
    import midiopt
    from midiopt.core import build
    from midiopt.pipeline.tasks import AnalyzeFiles
    from midiopt.pipeline.worker import Worker
    from midiopt.rows.batch import Batch
    from midiopt.rows.layout import LAYOUTS
    from midiopt.rows.validate import validate
    from midiopt.sinks import open_sink
    from midiopt.sinks.postgres_copy import CopyEncoder
    from midiopt.sinks.sql import TABLES, last_row_per_key

    if build.mode != "pgo-generate":
        raise SystemExit(f"this build's mode is {build.mode}: only pgo-generate writes a profile (`make pgo` does all of it)")
    tasks = [task for source in sources for task in tasks_of(source)]
    paths = [path for task in tasks if isinstance(task, AnalyzeFiles) for path in task.paths]
    tasks.append(AnalyzeFiles([b"/was/deleted/meanwhile.mid"]))
    encoders = [(table, CopyEncoder(LAYOUTS[table].fields)) for table in TABLES]
    with tempfile.TemporaryDirectory() as folder:
        tasks += tasks_of(archive(paths[-ARCHIVED:], Path(folder)))
        for number in range(ROUNDS):
            worker = Worker()  # a new one: it skips contents that it has seen
            with open_sink(f"{folder}/{number}.db") as sink:
                for i in range(0, len(tasks), WRITTEN):
                    batch = validate(Batch.concat([Batch.from_bytes(worker.process(task)) for task in tasks[i : i + WRITTEN]]))
                    sink.write(batch)
                    for table, encoder in encoders:
                        encoder.encode(last_row_per_key(table, batch), batch.heap)
    view(paths[::VIEWED], midiopt.EventArena())


def archive(paths: list[bytes], folder: Path) -> Path:
    with tarfile.open(folder / "songs.tar", "w") as tar:
        for path in paths:
            tar.add(os.fsdecode(path), os.path.basename(os.fsdecode(path)))
    return folder / "songs.tar"


def tasks_of(source: Path) -> list[Task]:
    from midiopt.errors import SourceError
    from midiopt.pipeline.new_files import NewFiles
    from midiopt.sources.roots import find_roots
    from midiopt.sources.walk import WalkStats, walk

    try:
        tasks = list(filter(None, NewFiles(walk(find_roots([source]), WalkStats())).tasks()))
    except SourceError as error:
        raise SystemExit(f"{error}") from None
    return tasks or sys.exit(f"there is no MIDI file below {source}")


def view(paths: list[bytes], arena) -> None:
    import midiopt

    for path in paths:
        try:
            with open(path, "rb") as file:
                midiopt.parse(file.read(), into=arena)
        except (OSError, midiopt.MidiError):
            continue
        assert len(arena.events()) == len(arena)
        assert arena.marks()
        assert arena.tracks()
        assert arena.division
        assert arena.format >= 0
        assert arena.issues >= 0
    arena.reset()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", metavar="DIR", type=Path, help="your own files (default: those of pgo/training_files.py)")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)  # this is the child
    args = parser.parse_args()
    if args.here:
        with tempfile.TemporaryDirectory() as folder:
            # Whatever the files are, those with something rare in them join: gcc 12 took the whole parser
            # for cold after a training in which no header was damaged, and it ran at 0.86 of the speed.
            training_files.write(Path(folder), training_files.rare() if args.corpus else training_files.everything())
            train([*([args.corpus] if args.corpus else []), Path(folder)])
        return
    shutil.rmtree(PROFILE, ignore_errors=True)  # or this training would be added to the last
    if code := subprocess.run([sys.executable, "-m", "pgo.train", *sys.argv[1:], "--here"]).returncode:
        raise SystemExit(code)
    if missing := [".".join(name) for name in EXTENSIONS if not any(PROFILE.glob(f"*/*#{'#'.join(name)}.gcda"))]:
        raise SystemExit(f"training left no profile in {PROFILE} for {', '.join(missing)}")


if __name__ == "__main__":
    main()
