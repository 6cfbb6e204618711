"""Runs over disks that answer late, or never."""

from __future__ import annotations

import json

import pytest

from tests.helpers.processes import file_rows, finish, tables
from tests.helpers.songs import song, write_songs


@pytest.mark.parametrize("workers", [1, 2])
def test_a_slow_disk_changes_no_row(workers, songs, expected, tmp_path, slow_disk):
    """First all files are new, then none is."""
    environment = slow_disk(songs, 1)
    for counted in ("ok", "skipped"):
        done = finish(songs, "--db", tmp_path / "x.db", "--workers", workers, "--json", "--quiet", env=environment)
        assert done.returncode == 0 and json.loads(done.stdout)[counted] == 3000, done.stderr
        assert tables(tmp_path / "x.db") == expected


@pytest.mark.parametrize("reader", ["ahead", "always-ahead"])
def test_a_file_whose_disk_never_answers_costs_no_other(reader, tmp_path, slow_disk):
    """It is the file in hand that takes too long, however many are read ahead at that time."""
    folder = write_songs(tmp_path / "songs", 600)
    hanging = folder / "001" / "00300-hanging.mid"
    hanging.write_bytes(song(9999))
    environment = slow_disk(hanging, 1e9, "read") | {"MIDIOPT_READER": reader}
    done = finish(folder, "--db", tmp_path / "x.db", "--workers", 2, "--file-timeout", 0.7, "--json", "--quiet", env=environment)
    assert done.returncode == 0, done.stderr
    assert (json.loads(done.stdout)["ok"], json.loads(done.stdout)["crashed"]) == (600, 1)
    assert file_rows(tmp_path / "x.db", "status, error")[str(hanging)] == ("crashed", "analysis took more than 0.7 seconds")
