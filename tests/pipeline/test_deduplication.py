"""Each distinct content is analysed once: the table that says which, and runs over collections with copies."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

import midiopt
from midiopt.pipeline import run
from midiopt.pipeline.hash_table import MOST, Contents
from midiopt.pipeline.hash_table_writer import Told
from tests.helpers.batches import query
from tests.helpers.songs import write_songs


@pytest.fixture
def told():
    told = Told()
    yield told
    told.close()


def digests(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 16), "u1")


def found(contents: Contents, rows: np.ndarray) -> int:
    return sum(row.tobytes() in contents for row in rows)


def test_what_was_added_is_found_by_who_only_reads(told):
    reader = Contents(told.fd)
    rows, others = digests(20_000, 1), digests(20_000, 2)
    for start in range(0, len(rows), 1000):
        told.add(rows[start : start + 1000])
    told.add(rows[:5000])  # again
    told.add(rows[:0])
    assert found(reader, others) == 0
    assert 0.99 * len(rows) < found(reader, rows) == found(told, rows)
    with pytest.raises(TypeError):
        reader.memory[0] = 1


def test_the_table_has_an_end(told, monkeypatch):
    """Full groups replace what they hold: the newest contents are known, and memory stays."""
    monkeypatch.setattr("midiopt.pipeline.hash_table_writer.MOST", 4096)
    rows = digests(4 * 4096 * 4, 3)
    for start in range(0, len(rows), 4096):
        told.add(rows[start : start + 4096])
    assert int(told.last[0]) == 4095 and not told.table[4096:8192].any()
    assert found(told, rows) <= 4 * 4096
    assert found(told, rows[-4096:]) > 0.7 * 4096
    assert MOST * 64 == 64 << 20


def copies(folder: Path, count: int, times: int) -> Path:
    write_songs(folder / "0", count)
    for i in range(1, times):
        shutil.copytree(folder / "0", folder / str(i))
    return folder


class Counted:
    """Counts the rows of `analyses` that runs hand to the database."""

    def __init__(self, monkeypatch) -> None:
        self.analyses = 0
        receive = run._Run._receive

        def counting(this, message):
            receive(this, message)
            self.analyses += len(this.waiting[-1].analyses)

        monkeypatch.setattr(run._Run, "_receive", counting)


def test_copies_are_analysed_once(tmp_path, url, monkeypatch):
    """Whichever worker they come to: three thousand songs are far more than what is on its way at a time."""
    music = copies(tmp_path / "music", 3000, 3)
    counted = Counted(monkeypatch)
    summary = run.run([music], url, workers=3, batch_size=256)
    assert (summary.ok, summary.duplicates) == (9000, 6000)
    assert 3000 <= counted.analyses < 4500  # a worker without this table meets a copy for the first time: 6,300
    assert query(url, "SELECT count(*) FROM analyses") == [(3000,)]
    assert query(url, "SELECT count(*) FROM library WHERE note_count > 0") == [(9000,)]


def test_what_the_database_has_is_not_analysed_again(tmp_path, url, monkeypatch):
    music = copies(tmp_path / "music", 500, 2)
    (tmp_path / "later").mkdir()
    (music / "1").rename(tmp_path / "later" / "1")
    midiopt.run([music], url)
    counted = Counted(monkeypatch)
    summary = midiopt.run([tmp_path / "later"], url)
    assert (summary.ok, summary.duplicates, counted.analyses) == (500, 500, 0)
    assert query(url, "SELECT count(*) FROM library WHERE note_count > 0") == [(1000,)]


def test_what_an_older_analyser_made_counts_for_nothing(tmp_path, url, monkeypatch):
    music = copies(tmp_path / "music", 20, 2)
    midiopt.run([music / "0"], url)
    query(url, "UPDATE files SET analyzer_version = 0")
    query(url, "UPDATE analyses SET analyzer_version = 0")
    counted = Counted(monkeypatch)
    run.run([music], url, keep_old=True)
    assert counted.analyses == 20
    assert query(url, "SELECT count(*) FROM analyses WHERE analyzer_version = 0") == [(0,)]


def test_a_copy_of_a_repaired_file_has_its_sentence(tmp_path, url):
    """Only what was ok is skipped: each copy of another says what is wrong with it."""
    sample = Path(__file__).parents[2] / "sample" / "midi"
    for name in "ab":
        shutil.copytree(sample, tmp_path / "music" / name)
    midiopt.run([tmp_path / "music" / "a"], url)
    midiopt.run([tmp_path / "music"], url)
    told = query(url, "SELECT path, status, error FROM files WHERE status <> 'ok' ORDER BY path")
    half = len(told) // 2
    assert [(path.replace("/a/", "/b/", 1), *rest) for path, *rest in told[:half]] == [tuple(row) for row in told[half:]]
    assert os.sep in told[0][0] and half >= 2
