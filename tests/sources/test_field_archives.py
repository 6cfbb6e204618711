"""The archives of the folder `field` beside the corpus, where it is present: what is right stands in its README."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

import midiopt
from accuracy.corpus import CORPUS
from tests.helpers.processes import file_rows

FIELD = CORPUS.parent / "field"
ROW = re.compile(r"^\| ([\w.]+\.(?:zip|tar|tar\.zst)) \| ([^|]*) \|", re.MULTILINE)


@pytest.mark.skipif(not FIELD.is_dir(), reason="the files of the field are no part of the project")
def test_archives_of_the_field(tmp_path):
    """Each song that the README names is `ok`, in a first run, and skipped in the second."""
    expected = {
        name: set(re.findall(r"(?:^|[,;] )([^,;()]*?\.mid)\b", right)) for name, right in ROW.findall((FIELD / "README.md").read_text())
    }
    assert len(expected) >= 12 and all(expected.values())
    for name in expected:
        shutil.copy(FIELD / name, tmp_path)
    midiopt.run([tmp_path], tmp_path / "x.db", workers=1)
    found = file_rows(tmp_path / "x.db")
    for name, songs in expected.items():
        prefix = f"{tmp_path}/{name}!/"
        ok = {path.removeprefix(prefix) for path, row in found.items() if path.startswith(prefix) and row[0] == "ok"}
        assert (songs - {"holes.mid"}) <= ok, name
        assert found[f"{tmp_path}/{name}"][:2] == ("opened", None)
    assert midiopt.run([tmp_path], tmp_path / "x.db", workers=1).analysed == 0


@pytest.mark.skipif(not FIELD.is_dir(), reason="the files of the field are no part of the project")
def test_hostile_archives_of_the_field(tmp_path):
    """Two runs end; rows are bounded; nothing is `crashed`."""
    for path in Path(FIELD / "reliability").iterdir():
        if path.suffix in (".zip", ".tar"):
            shutil.copy(path, tmp_path)
    for analysed in (True, False):
        summary = midiopt.run([tmp_path], tmp_path / "x.db", workers=1)
        assert summary.crashed == 0 and summary.files < 100 and bool(summary.analysed) == analysed
    statuses = {path.removeprefix(f"{tmp_path}/"): row[0] for path, row in file_rows(tmp_path / "x.db").items()}
    for name in ("row_bomb", "overlapping_gz", "bz2_small_sizes"):
        assert statuses[f"{name}.zip"] == "rejected"
    assert (statuses["zip64_size.zip!/a.mid"], statuses["zip64_size.zip!/b.mid"]) == ("rejected", "ok")
    assert (statuses["zip64_offset.zip!/a.mid"], statuses["zip64_offset.zip!/b.mid"]) == ("unreadable", "ok")
