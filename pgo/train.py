"""Train a pgo-generate build: python -m pgo.train [--corpus DIR]

Does the work of a run in one process, because a forked or killed worker leaves no profile: files and members
of an archive to rows, like a worker; rows into SQLite, the format of PostgreSQL's COPY and columns of Arrow, like the parent;
and views of an EventArena, like an application. A process writes its profile when it exits, so a child does the
training and the parent checks its profile.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
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
PROFILE = ROOT / "pgo" / "profile"  # a folder per version of the sources, see setup.py
EXTENSIONS = sorted(path.relative_to(ROOT / "src").with_suffix("").parts for path in ROOT.glob("src/**/*.pyx"))

ROUNDS = 2  # over all files: in the second, every buffer has its final size
BATCH_TASKS = 4  # whose rows are written at a time
ARCHIVED_FILES = 60  # also read from a tar archive
VIEW_INTERVAL = 20  # every 20th file is also parsed into an EventArena


def train(sources: list[Path]) -> None:
    """Do the work of a run over all files of the sources; SystemExit unless this build writes a profile."""
    from midiopt.core import build, inspection, processor
    from midiopt.kinds import CODES, TEXT
    from midiopt.pipeline.hash_table_writer import SharedHashTableWriter
    from midiopt.pipeline.tasks import AnalyzeFiles
    from midiopt.pipeline.worker import Worker
    from midiopt.rows.batch import Batch
    from midiopt.rows.layout import LAYOUTS
    from midiopt.rows.text_columns import gather_texts
    from midiopt.rows.validate import validate
    from midiopt.sinks import open_sink
    from midiopt.sinks.batch_rows import last_row_per_key
    from midiopt.sinks.postgres_copy import CopyEncoder
    from midiopt.sinks.sql import TABLES
    from midiopt.sinks.sqlite_rows import RowEncoder

    if build.mode != "pgo-generate":
        raise SystemExit(f"the mode of this build is {build.mode}: only pgo-generate writes a profile (`make pgo` builds and trains)")
    tasks = [task for source in sources for task in tasks_of(source)]
    paths = [path for task in tasks if isinstance(task, AnalyzeFiles) for path in task.paths]
    tasks.append(AnalyzeFiles([b"/was/deleted/meanwhile.mid"]))
    encoders = [(table, RowEncoder(LAYOUTS[table].fields), CopyEncoder(LAYOUTS[table].fields)) for table in TABLES]
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(SharedHashTableWriter()) as known:
        tasks += tasks_of(archive(paths[-ARCHIVED_FILES:], Path(folder)))
        for number in range(ROUNDS):
            worker = Worker()  # a new one: a worker skips contents that it has analysed
            with open_sink(f"{folder}/{number}.db") as sink:
                for i in range(0, len(tasks), BATCH_TASKS):
                    batch = validate(Batch.concat([Batch.from_bytes(worker.process(task)) for task in tasks[i : i + BATCH_TASKS]]))
                    sink.write(batch)
                    known.add(batch.files["content_hash"].tobytes())
                    for table, to_tuples, to_postgres in encoders:
                        list(to_tuples.tuples(batch.rows(table), batch.heap))
                        to_postgres.encode(last_row_per_key(table, batch), batch.heap)
                        for field in LAYOUTS[table].fields:
                            if field.kind == CODES[TEXT]:
                                gather_texts(batch.rows(table), field.offset, batch.heap)
                sink.finalize()
    inspection.row_layouts()  # not part of a run, but an extension without a profile does not compile
    assert processor.level is not None  # likewise
    view(paths[::VIEW_INTERVAL])


def archive(paths: list[bytes], folder: Path) -> Path:
    """Write a tar archive of some files."""
    with tarfile.open(folder / "songs.tar", "w") as tar:
        for path in paths:
            tar.add(os.fsdecode(path), os.path.basename(os.fsdecode(path)))
    return folder / "songs.tar"


def tasks_of(source: Path) -> list[Task]:
    """The tasks of a run over a folder or an archive; SystemExit if it holds no MIDI file."""
    from midiopt.errors import SourceError
    from midiopt.pipeline.new_files import NewFiles
    from midiopt.sources.roots import find_roots
    from midiopt.sources.walk import WalkStats, walk

    try:
        tasks = [task for task in NewFiles(walk(find_roots([source]), WalkStats())).tasks() if task]
    except SourceError as error:
        raise SystemExit(f"{error}") from None
    return tasks or sys.exit(f"there is no MIDI file below {source}")


def view(paths: list[bytes]) -> None:
    """Parse files into an arena and use every property of it; read their notes; analyze them and inspect the result."""
    import midiopt
    from midiopt.core.analyzer import Analyzer
    from midiopt.core.inspection import beat_triads, key_evidence
    from midiopt.core.notes.note_batch import TYPES, NoteBatch

    batch = NoteBatch(list(TYPES))
    arena = midiopt.EventArena()
    analyzer = Analyzer()
    for path in paths:
        try:
            with open(path, "rb") as file:
                midiopt.parse(data := file.read(), into=arena)
        except (OSError, midiopt.MidiError):
            continue
        notes = midiopt.notes(data)
        assert len(notes.pitch) == len(notes.onset_s) == len(notes)
        with contextlib.suppress(OverflowError):  # a file of weeks
            batch.add(notes)
            assert batch.take()[0] == [len(notes)]
        assert midiopt.analyze(data).track_count > 0
        assert midiopt.tempo_map(data).ticks_per_quarter == notes.ticks_per_quarter
        beats = midiopt.beats(data)
        assert len(beats.tick) == len(beats)
        midiopt.harmony(data)
        midiopt.sections(data)
        analyzer.analyze(data, bytes(16), 0, bytearray(), bytearray(), bytearray())  # with tracks
        assert len(key_evidence(analyzer)) == 24
        assert beat_triads(analyzer) is not None
        assert len(arena.events()) == len(arena)
        assert arena.marks() is not None  # a file may have none
        assert arena.tracks()
        assert arena.division
        assert arena.format >= 0
        assert arena.issues >= 0
    arena.reset()


def main() -> None:
    """Train in a child, and check that every extension has a profile."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", metavar="DIR", type=Path, help="your own files (default: those that pgo/training_files.py generates)")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        with tempfile.TemporaryDirectory() as folder:
            # Files with rare features are added to any corpus: trained without damaged headers, gcc 12 compiled the
            # whole parser as cold code, which ran at 0.86 of the speed.
            training_files.write(Path(folder), training_files.rare() if args.corpus else training_files.everything())
            train([*([args.corpus] if args.corpus else []), Path(folder)])
        return
    shutil.rmtree(PROFILE, ignore_errors=True)  # gcc adds to an existing profile
    code = subprocess.run([sys.executable, "-m", "pgo.train", *sys.argv[1:], "--child"]).returncode
    if code < 0:
        raise SystemExit(f"the training was killed by {signal.Signals(-code).name}")
    if code:
        raise SystemExit(code)
    if missing := [".".join(name) for name in EXTENSIONS if not any(PROFILE.glob(f"*/*#{'#'.join(name)}.gcda"))]:
        raise SystemExit(f"training left no profile in {PROFILE} for {', '.join(missing)}")


if __name__ == "__main__":
    main()
