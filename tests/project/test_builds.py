"""Every build mode gives equal rows, value for value, over the bundled sample.

The build under test is compared with `baseline` and `release`, and with `pgo-use` if that is built: `make pgo`
runs these tests on it, `make bench` leaves one.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from benchmarks import builds
from midiopt.core import build

SRC = Path(__file__).parents[2] / "src"


@pytest.mark.parametrize("name", sorted({"baseline", "release", "pgo-use"} - {build.mode}))
def test_every_build_gives_the_same_rows(name):
    if name == "pgo-use" and not builds.is_current(name):
        pytest.skip("no pgo-use build of these sources: it takes two compilations and a training; make pgo runs this test on one")
    other = builds.build(name)
    assert builds.mode(other) == name
    expected = builds.rows(SRC)
    assert len(expected) > 10_000
    assert builds.rows(other) == expected


def test_the_build_under_test_reports_its_mode():
    assert builds.mode(SRC) == build.mode


@pytest.mark.parametrize(("age_of_source", "is_current"), [(300, True), (100, False)])
def test_c_files_newer_than_every_source_are_as_new_as_cython(tmp_path, monkeypatch, age_of_source, is_current):
    """pip installs Cython's declarations, with which Cython compares ages, after it has compiled midiopt."""
    monkeypatch.setattr(builds, "ROOT", tmp_path)
    (tmp_path / "src" / "core").mkdir(parents=True)
    ages = {"setup.py": 400, "src/a.pyx": age_of_source, "src/core/b.pxd": 300, "a.c": 200, "b.c": 150}
    now = time.time()
    for name, age in ages.items():
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (now - age, now - age))
    builds._renew([tmp_path / "a.c", tmp_path / "b.c"])
    for name in ("a.c", "b.c"):
        assert ((tmp_path / name).stat().st_mtime > now - 1) == is_current, name


def test_a_build_that_fails_says_why(tmp_path, monkeypatch):
    monkeypatch.setattr(builds, "BUILD", tmp_path)
    monkeypatch.setattr(builds, "TRANSLATED", tmp_path / "translated")
    monkeypatch.setattr(builds, "COPIED", ("setup.py", "pyproject.toml"))
    monkeypatch.setitem(builds.BUILDS, "odd", builds.Build("odd"))
    with pytest.raises(SystemExit, match="odd is not a build mode"):
        builds.build("odd")
    assert not builds.is_current("odd")
