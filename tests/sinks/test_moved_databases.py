"""An SQLite database that is deleted, moved or replaced during a run: exit code 1 and a sentence, and no other file is harmed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import midiopt
from midiopt.errors import SinkError
from midiopt.sinks import open_sink
from tests.helpers.batches import query, write
from tests.helpers.databases import one_file_batch, wait_until
from tests.helpers.processes import command, with_faults, write_faulty, written


def delete(db: Path) -> None:
    for path in db.parent.glob("x.db*"):
        path.unlink()


def move(db: Path) -> None:
    db.rename(db.with_name("moved.db"))


def replace(db: Path) -> None:
    shutil.copy(db, db.with_name("copy.db"))
    db.with_name("copy.db").rename(db)


def move_folder(db: Path) -> None:
    db.parent.rename(db.parent.with_name("elsewhere"))


@pytest.mark.parametrize(
    ("change", "fate"),
    [(delete, "was deleted"), (move, "was moved or replaced"), (replace, "was deleted"), (move_folder, "was moved or replaced")],
)
def test_a_run_whose_database_goes(change, fate, songs, tmp_path):
    """While a worker holds the last file: everything else is written by then."""
    db = tmp_path / "folder" / "x.db"
    db.parent.mkdir()
    (tmp_path / "hangs").touch()
    (tmp_path / "hold").touch()
    held = write_faulty(tmp_path / "00000.mid", "hold")
    environment = with_faults(MIDIOPT_FAULT_HANGS=str(tmp_path / "hangs"), MIDIOPT_FAULT_HOLD=str(tmp_path / "hold"))
    arguments = command(held, songs, "--db", db, "--workers", 2, "--batch-size", 32, "--quiet", "--json")
    run = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    wait_until(lambda: (tmp_path / "hangs").stat().st_size and written(db) > 2000)
    change(db)
    (tmp_path / "hold").unlink()
    stdout, stderr = run.communicate(timeout=60)
    assert (run.returncode, stdout) == (1, "")
    assert stderr.startswith(f"midiopt: {db} {fate} during the run") and stderr.count("\n") == 1
    if change is move:
        assert query(f"sqlite:///{tmp_path}/folder/moved.db", "SELECT count(*) FROM files")[0][0] > 2000, "what was committed is in it"


def test_a_new_database_in_the_same_place_is_not_harmed(songs, tmp_path):
    """The old run neither writes into it nor takes its write-ahead log away, which SQLite deletes by its name."""
    url = f"sqlite:///{tmp_path}/x.db"
    old = open_sink(url)
    write(old, one_file_batch(1))
    os.rename(tmp_path / "x.db", tmp_path / "old.db")
    with open_sink(url) as new:
        write(new, one_file_batch(2))
        with pytest.raises(SinkError, match="was moved or replaced"):
            write(old, one_file_batch(3))
        old.close()
        del old
        assert (tmp_path / "x.db-wal").stat().st_size > 0
        assert query(url, "SELECT path FROM files") == [("/2",)]
    assert query(f"sqlite:///{tmp_path}/old.db", "SELECT path FROM files") == [("/1",)]
    assert midiopt.run([songs / "000"], tmp_path / "x.db").ok > 0
