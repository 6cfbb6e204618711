"""Time the same songs as files, in a plain tar, in a zip and in compressed tars: read alone, and analysed.

    python -m benchmarks.archives [--files 2000] [--rounds 7]

One process and its CPU time, the least of the rounds, which take turns. The songs are a generated
collection (generate_collection.py) in a temporary folder, read before, so that no disk counts. To read a member
is to have its bytes where the parser can take them.
"""

from __future__ import annotations

import argparse
import os
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from midiopt.limits import MAX_FILE_BYTES
from midiopt.pipeline.new_files import NewFiles
from midiopt.pipeline.tasks import (
    FIRST_MEMBERS,
    MEMBERS_PER_TASK,
    AnalyzeFiles,
    ArchiveReport,
    FinishArchive,
    MemberRange,
    ReadMembers,
    Task,
)
from midiopt.pipeline.worker import Worker
from midiopt.rows.wire import report_in
from midiopt.sources.archives.archive import Archive, FileArchive
from midiopt.sources.reader import Reader
from midiopt.sources.roots import find_roots
from midiopt.sources.walk import WalkStats, walk

TARS = {"plain tar": "x.tar", "tar.gz": "x.tar.gz", "tar.xz": "x.tar.xz"}


def pack(songs: Path, into: Path) -> dict[str, Path]:
    """By kind, an archive of the songs."""
    made = {kind: into / name for kind, name in TARS.items()}
    for path in made.values():
        with tarfile.open(path, "w:" + path.name.removeprefix("x.tar").removeprefix("."), format=tarfile.GNU_FORMAT) as tar:  # as tar -c
            tar.add(songs, "songs")
    made["zip"] = into / "x.zip"
    with zipfile.ZipFile(made["zip"], "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(songs.rglob("*.mid")):
            archive.write(path, path.relative_to(songs))
    return made


def read_files(paths: list[bytes]) -> int:
    reader = Reader(MAX_FILE_BYTES)
    for path in paths:
        reader.read(path)
    return len(paths)


def read_members(path: Path) -> int:
    file = FileArchive(os.fsencode(path))
    count = 0
    for member in Archive(file).members(0, sys.maxsize):
        member.data()
        count += 1
    file.close()
    return count


def analyze(tasks: list[Task]) -> int:
    """One worker over everything; an archive range by range, as the parent would send it."""
    worker = Worker()
    count = 0
    for task in tasks:
        if isinstance(task, AnalyzeFiles):
            worker.process(task)
            count += len(task.paths)
            continue
        assert isinstance(task, ReadMembers)
        members, report = FIRST_MEMBERS, None
        while report is None or not report.at_end:
            report = ArchiveReport.decode(report_in(worker.process(task._replace(members=members))))
            assert report
            count += report.members
            members = MemberRange(members.end, members.end + MEMBERS_PER_TASK)
            task = task._replace(state=report.state)
        worker.process(FinishArchive(task.path, task.state))
    return count


def tasks_of(source: Path) -> list[Task]:
    return list(filter(None, NewFiles(walk(find_roots([source]), WalkStats())).tasks()))


def least(work: dict[str, Callable[[], int]], rounds: int, files: int) -> dict[str, float]:
    """By name, microseconds a file."""
    best = dict.fromkeys(work, float("inf"))
    for _ in range(rounds):
        for name, job in work.items():
            began = time.process_time()
            done = job()
            best[name] = min(best[name], (time.process_time() - began) / files * 1e6)
            if done != files:
                raise SystemExit(f"{name}: {done} of {files} files")
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, metavar="N", default=2000, help="songs to generate (default: %(default)s)")
    parser.add_argument("--rounds", type=int, metavar="R", default=7, help="how often each is timed (default: %(default)s)")
    options = parser.parse_args()
    from benchmarks import generate_collection

    with tempfile.TemporaryDirectory(prefix="midiopt-bench-") as folder:
        songs = Path(folder) / "songs"
        for _ in generate_collection.write(songs, options.files):
            pass
        made = pack(songs, Path(folder))
        tasks = tasks_of(songs)
        paths = [path for task in tasks if isinstance(task, AnalyzeFiles) for path in task.paths]
        reading = {"files": lambda: read_files(paths)} | {kind: lambda path=path: read_members(path) for kind, path in made.items()}
        working = {"files": lambda: analyze(tasks)}
        working |= {kind: lambda path=path: analyze(tasks_of(path)) for kind, path in made.items()}
        read, analysed = (least(work, options.rounds, options.files) for work in (reading, working))
    table = Table("songs as", "read (us a file)", "read and analysed (us a file)")
    for kind in read:
        table.add_row(kind, f"{read[kind]:.1f}", f"{analysed[kind]:.1f}")
    Console(highlight=False).print(table)


if __name__ == "__main__":
    main()
