"""Every build mode gives equal rows, value for value, over the bundled sample.

The build under test is compared with `baseline` and `release`, and with `pgo-use` if that is built: `make pgo`
runs these tests on it, `make bench` leaves one.
"""

from __future__ import annotations

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


def test_a_build_that_fails_says_why(tmp_path, monkeypatch):
    monkeypatch.setattr(builds, "BUILD", tmp_path)
    monkeypatch.setattr(builds, "TRANSLATED", tmp_path / "translated")
    monkeypatch.setattr(builds, "COPIED", ("setup.py", "pyproject.toml"))
    monkeypatch.setitem(builds.BUILDS, "odd", builds.Build("odd"))
    with pytest.raises(SystemExit, match="odd is not a build mode"):
        builds.build("odd")
    assert not builds.is_current("odd")
