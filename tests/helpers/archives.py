"""Archives made of files in memory by Python's own modules, and what becomes of them."""

from __future__ import annotations

import io
import os
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import midiopt
from midiopt.pipeline.sampling import ALL_PATHS, PathSample
from midiopt.pipeline.summary import Summary
from midiopt.pipeline.tasks import ArchiveReport, FinishArchive, ReadMembers
from midiopt.pipeline.worker import Worker
from midiopt.rows.batch import Batch
from midiopt.rows.decode import row_to_dict
from midiopt.rows.wire import report_in
from midiopt.schema import FILES
from midiopt.sources.archives.limits import DEFAULT_LIMITS, ArchiveLimits
from tests.helpers.batches import fix_content_key
from tests.helpers.processes import file_rows
from tests.helpers.songs import song

TIME = 1_234_567_890  # of every member; even, because zip stores times in steps of two seconds
Files = dict[str, bytes]
Outcome = tuple[str, str | None]  # status and error


def tar_of(files: Files, mode: str = "w", format: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar; the mode says how it is compressed, as in tarfile.open."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, format=format) as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), TIME
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def zip_of(files: Files, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip whose members are compressed by this method."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, time.gmtime(TIME)[:6]), data, method)
    return out.getvalue()


def zst_of(data: bytes) -> bytes:
    """The data, compressed by zstd."""
    import zstandard  # of an extra

    return zstandard.compress(data)


MAKERS: dict[str, Callable[[Files], bytes]] = {
    "x.zip": zip_of,
    "stored.zip": lambda files: zip_of(files, zipfile.ZIP_STORED),
    "bz2.zip": lambda files: zip_of(files, zipfile.ZIP_BZIP2),
    "lzma.zip": lambda files: zip_of(files, zipfile.ZIP_LZMA),
    "x.tar": tar_of,
    "gnu.tar": lambda files: tar_of(files, format=tarfile.GNU_FORMAT),
    "ustar.TAR": lambda files: tar_of(files, format=tarfile.USTAR_FORMAT),
    "x.tar.gz": lambda files: tar_of(files, "w:gz"),
    "x.tgz": lambda files: tar_of(files, "w:gz"),
    "x.tar.bz2": lambda files: tar_of(files, "w:bz2"),
    "x.tbz2": lambda files: tar_of(files, "w:bz2"),
    "x.tar.xz": lambda files: tar_of(files, "w:xz"),
    "x.txz": lambda files: tar_of(files, "w:xz"),
    "x.tar.zst": lambda files: zst_of(tar_of(files)),
}


def songs(count: int, start: int = 0) -> Files:
    """Songs in folders of 50."""
    return {f"d{i // 50}/{i:04}.mid": song(i) for i in range(start, start + count)}


def analyze_archive(archive: Path, workers: int = 1, **options) -> tuple[Summary, dict[str, tuple]]:
    """The summary and the rows of a run over one archive, by member ("" for the archive itself). Contents have known_hash()."""
    db = archive.parent / f"{archive.name}-{workers}.db"
    if not db.exists():
        fix_content_key(f"sqlite:///{db}")
    summary = midiopt.run([archive], db, workers=workers, **options)
    found = file_rows(db)
    assert all(path.startswith(str(archive)) for path in found)
    assert summary.skipped or summary.files == len(found)
    return summary, {path.removeprefix(str(archive)).removeprefix("!/"): row for path, row in found.items()}


def outcomes(rows: dict[str, tuple]) -> dict[str, Outcome]:
    """Status and error of each row."""
    return {name: row[:2] for name, row in rows.items()}


def process_task(
    data: bytes | bytearray,
    folder: Path,
    task: ReadMembers | FinishArchive | None = None,
    sample: PathSample = ALL_PATHS,
    limits: ArchiveLimits = DEFAULT_LIMITS,
) -> tuple[ArchiveReport, dict[str, Outcome]]:
    """The report and the rows that a worker in this process makes of one task for an archive, by default of its first members."""
    path = folder / "x"
    path.write_bytes(data)
    task = (task or ReadMembers(b""))._replace(path=os.fsencode(path))
    worker = Worker(sample=sample, archive_limits=limits)
    message = worker.process(task)
    worker.close()
    batch = Batch.from_bytes(message)
    found = [row_to_dict(FILES, row, batch.heap) for row in batch.files]
    rows = {r["path"].removeprefix(f"{path}").removeprefix("!/"): (r["status"], r["error"]) for r in found}
    report = ArchiveReport.decode(report_in(message))
    assert report
    return report, rows
