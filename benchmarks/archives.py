"""Time the same songs as files, in a plain tar, in a zip and in compressed tars: read only, and analysed.

    python -m benchmarks.archives [--files 2000] [--rounds 7]

One process and its processor time, the minimum over the rounds, which are interleaved. The songs are a generated
collection (generate_collection.py) in a temporary folder, read beforehand, so that no disk is involved. Reading a
member ends when its bytes are where the parser can take them.
"""

from __future__ import annotations

import argparse
import gzip
import lzma
import os
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import generate_collection
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
from midiopt.sources.walk import WalkStats, iter_paths, walk


def pack(songs: Path, into: Path) -> dict[str, Path]:
    """By format, an archive of the songs."""
    made = {"plain tar": into / "x.tar", "tar.gz": into / "x.tar.gz", "tar.xz": into / "x.tar.xz", "zip": into / "x.zip"}
    with tarfile.open(made["plain tar"], "w", format=tarfile.GNU_FORMAT) as tar:  # the format of tar -c
        tar.add(songs, "songs")
    plain = made["plain tar"].read_bytes()
    made["tar.gz"].write_bytes(gzip.compress(plain))
    made["tar.xz"].write_bytes(lzma.compress(plain))
    with zipfile.ZipFile(made["zip"], "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(songs.rglob("*.mid")):
            archive.write(path, path.relative_to(songs))
    return made


def read_files(paths: list[bytes]) -> int:
    """Read every file; their number."""
    reader = Reader(MAX_FILE_BYTES)
    for path in paths:
        reader.read(path)
    return len(paths)


def read_members(path: Path) -> int:
    """Read every member of an archive; their number."""
    file = FileArchive(os.fsencode(path))
    count = 0
    for member in Archive(file).members(0, sys.maxsize):
        member.data()
        count += 1
    file.close()
    return count


def analyze_source(source: Path) -> int:
    """Analyse everything in a folder or an archive with one worker; the number of files."""
    return analyze([task for task in NewFiles(walk(find_roots([source]), WalkStats())).tasks() if task])


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


def minimum(work: dict[str, Callable[[], int]], rounds: int, files: int) -> dict[str, float]:
    """By name, microseconds of processor time per file."""
    best = dict.fromkeys(work, float("inf"))
    for _ in range(rounds):
        for name, job in work.items():
            start = time.process_time()
            done = job()
            best[name] = min(best[name], (time.process_time() - start) / files * 1e6)
            if done != files:
                raise SystemExit(f"{name}: {done} of {files} files")
    return best


def main() -> None:
    """Print a row per format."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, metavar="N", default=2000, help="number of generated songs (default: %(default)s)")
    parser.add_argument("--rounds", type=int, metavar="R", default=7, help="measurements of each (default: %(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="midiopt-bench-") as folder:
        songs = Path(folder) / "songs"
        for _ in generate_collection.write(songs, options.files):
            pass
        made = pack(songs, Path(folder))
        reading: dict[str, Callable[[], int]] = {"files": partial(read_files, list(iter_paths([songs])))}
        reading |= {name: partial(read_members, path) for name, path in made.items()}
        analysing: dict[str, Callable[[], int]] = {name: partial(analyze_source, path) for name, path in {"files": songs, **made}.items()}
        read, analysed = (minimum(work, options.rounds, options.files) for work in (reading, analysing))
    table = Table("songs as", "read (µs per file)", "read and analysed (µs per file)")
    for name in read:
        table.add_row(name, f"{read[name]:.1f}", f"{analysed[name]:.1f}")
    Console(highlight=False).print(table)


if __name__ == "__main__":
    main()
