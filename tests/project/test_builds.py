"""Every build mode gives the same rows, value for value, over the bundled sample.

The build under test is compared with one that has no optimisation to speak of, with `release`, and with
`pgo-use` where that is built: `make pgo` runs these tests against it, `make bench` leaves one.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import builds
from midiopt.core import build

SRC = Path(__file__).parents[2] / "src"


@pytest.mark.parametrize("name", ["baseline", "release", "pgo-use"])
def test_every_build_gives_the_same_rows(name):
    if name == build.mode:
        assert builds.mode(SRC) == name
        return
    if name == "pgo-use" and not builds.is_current(name):
        pytest.skip("no pgo-use build of these sources: two compilations and a training; make pgo runs this test against one")
    other = builds.site(name)
    assert builds.mode(other) == name
    expected = builds.rows(SRC)
    assert len(expected) > 10_000
    assert builds.rows(other) == expected


def test_a_build_that_fails_says_why(tmp_path, monkeypatch):
    monkeypatch.setattr(builds, "BUILD", tmp_path)
    monkeypatch.setattr(builds, "TRANSLATED", tmp_path / "translated")
    monkeypatch.setattr(builds, "COPIED", ("setup.py",))
    monkeypatch.setitem(builds.BUILDS, "odd", builds.Build("odd"))
    with pytest.raises(SystemExit, match="odd is not a build mode"):
        builds.site("odd")
    assert not builds.is_current("odd")
