"""Each distinct content is analysed once: the shared hash table, and runs over collections with copies."""

from __future__ import annotations

import contextlib
import errno
import json
import mmap
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

import midiopt
from midiopt.errors import MidioptError
from midiopt.pipeline.hash_table import BUCKET_BYTES, HEADER_BYTES, MAX_BUCKETS, SharedHashTable
from midiopt.pipeline.hash_table_writer import SharedHashTableWriter
from midiopt.pipeline.worker import Worker
from tests.helpers.batches import fix_content_key, query
from tests.helpers.songs import write_songs


@pytest.fixture
def table():
    with contextlib.closing(SharedHashTableWriter()) as table:
        yield table


def digests(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 16), "u1")


def found(table: SharedHashTable, rows: np.ndarray) -> int:
    return sum(row.tobytes() in table for row in rows)


def test_readers_find_what_the_writer_added(table):
    reader = SharedHashTable(table.fd)
    rows, others = digests(20_000, 1), digests(20_000, 2)
    for start in range(0, len(rows), 1000):
        table.add(rows[start : start + 1000])
    table.add(rows[:5000])  # again
    table.add(rows[:0])
    assert found(reader, others) == 0
    assert 0.99 * len(rows) < found(reader, rows) == found(table, rows)
    with pytest.raises(TypeError):
        reader.memory[0] = 1


def test_the_table_stops_growing():
    """Full buckets replace their entries: the newest hashes are known, and memory is bounded."""
    rows = digests(4 * 4096 * 4, 3)
    with contextlib.closing(SharedHashTableWriter(max_buckets=4096)) as table:
        for start in range(0, len(rows), 4096):
            table.add(rows[start : start + 4096])
        assert int(table.mask[0]) == 4095 and not any(table.memory[HEADER_BYTES + 4096 * BUCKET_BYTES :][: 4096 * BUCKET_BYTES])
        assert found(table, rows) <= 4 * 4096
        assert found(table, rows[-4096:]) > 0.7 * 4096
    assert MAX_BUCKETS * BUCKET_BYTES == 64 << 20


def copies(folder: Path, count: int, times: int) -> Path:
    write_songs(folder / "0", count)
    for i in range(1, times):
        shutil.copytree(folder / "0", folder / str(i))
    return folder


def analysed(log: Path) -> int:
    """Number of `analyses` rows that runs have written to the database, from their log."""
    return sum(line["contents"] for line in map(json.loads, log.read_text().splitlines()) if line["event"] == "batch")


def test_no_address_space_for_the_table(monkeypatch):
    """As under ulimit -v: a traceback was shown."""

    def full(*arguments: object, **options: object) -> None:
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))

    monkeypatch.setattr(mmap, "mmap", full)
    with pytest.raises(MidioptError, match=r"^cannot allocate 64 MiB of shared memory: Cannot allocate memory; check ulimit -f, ulimit -v"):
        SharedHashTableWriter()


def test_copies_are_analysed_once(tmp_path, url):
    """By whichever worker: 3,000 songs are far more than what is in flight at a time."""
    music, log = copies(tmp_path / "music", 3000, 3), tmp_path / "run.log"
    summary = midiopt.run([music], url, workers=3, batch_size=256, log=log)
    assert (summary.ok, summary.duplicates) == (9000, 6000)
    assert 3000 <= analysed(log) < 4500  # without the shared table each worker analyses its first copy: 6,300
    assert query(url, "SELECT count(*) FROM analyses") == [(3000,)]
    assert query(url, "SELECT count(*) FROM library WHERE note_count > 0") == [(9000,)]


def test_a_worker_remembers_a_bounded_number_of_contents(monkeypatch, tmp_path):
    monkeypatch.setattr("midiopt.pipeline.worker.MAX_RECENT_HASHES", 3)
    write_songs(tmp_path, 8)
    worker, sizes = Worker(), []
    for path in sorted(tmp_path.rglob("*.mid")):
        worker.analyze_files([os.fsencode(path)])
        sizes.append(len(worker.recent_hashes))
    assert sizes == [1, 2, 3, 1, 2, 3, 1, 2]


def test_content_in_the_database_is_not_analysed_again(tmp_path, url):
    music, log = copies(tmp_path / "music", 500, 2), tmp_path / "run.log"
    (tmp_path / "later").mkdir()
    (music / "1").rename(tmp_path / "later" / "1")
    fix_content_key(url)  # with one key in six, five of the contents share a bucket of four
    midiopt.run([music], url)
    summary = midiopt.run([tmp_path / "later"], url, log=log)
    assert (summary.ok, summary.duplicates, analysed(log)) == (500, 500, 0)
    assert query(url, "SELECT count(*) FROM library WHERE note_count > 0") == [(1000,)]


def test_results_of_an_older_analyser_do_not_count_as_known(tmp_path, url):
    music, log = copies(tmp_path / "music", 20, 2), tmp_path / "run.log"
    midiopt.run([music / "0"], url)
    query(url, "UPDATE files SET analyzer_version = 0")
    query(url, "UPDATE analyses SET analyzer_version = 0")
    midiopt.run([music], url, keep_old=True, log=log)
    assert analysed(log) == 20
    assert query(url, "SELECT count(*) FROM analyses WHERE analyzer_version = 0") == [(0,)]


def test_each_copy_of_a_repaired_file_has_its_error(tmp_path, url):
    """Only copies of files that are ok are skipped."""
    sample = Path(__file__).parents[2] / "sample" / "midi"
    for name in "ab":
        shutil.copytree(sample, tmp_path / "music" / name)
    midiopt.run([tmp_path / "music" / "a"], url)
    midiopt.run([tmp_path / "music"], url)
    rows = query(url, "SELECT path, status, error FROM files WHERE status <> 'ok' ORDER BY path")
    half = len(rows) // 2
    assert [(path.replace("/a/", "/b/", 1), *rest) for path, *rest in rows[:half]] == [tuple(row) for row in rows[half:]]
    assert os.sep in rows[0][0] and half >= 2
