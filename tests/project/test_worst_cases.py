"""What files cost that are made to cost the most: instructions are the same every time, so the bound can be a test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchmarks import builds, generated_blocks, worst_cases
from midiopt.core import build

TESTED_SIZES = (32 << 10, 128 << 10)  # bytes; the page has eight times as many


def counted_build() -> Path:
    """The installed build; where valgrind cannot run it (AVX-512), the build that another test needs, too: its worst case is 3.5 songs."""
    processor = Path("/proc/cpuinfo")
    if build.mode in ("release", "pgo-use") and processor.exists() and "avx512" not in processor.read_text():
        return Path(build.__file__).parents[2]
    return builds.build("baseline")


def check(counts: worst_cases.Counts) -> None:
    assert {name: ratio for name in counts.cases if (ratio := counts.ratio(name)) > worst_cases.BOUND} == {}
    assert {name: growth for name in counts.cases if (growth := counts.growth(name)) > worst_cases.GROWTH} == {}


def test_the_page_has_the_stored_costs() -> None:
    counts = worst_cases.stored()
    assert list(counts.cases) == list(worst_cases.CASES)
    assert generated_blocks.read(worst_cases.PAGE, "worst-cases") == worst_cases.table(counts)
    check(counts)


@pytest.mark.skipif(not shutil.which("valgrind"), reason="valgrind counts the instructions")
def test_no_file_costs_much_more_than_a_song() -> None:
    check(worst_cases.count(counted_build(), list(worst_cases.CASES), TESTED_SIZES))


@pytest.mark.parametrize("name", worst_cases.CASES)
def test_cases_have_their_size(name: str) -> None:
    data = worst_cases.CASES[name](20_000)
    assert 10_000 < len(data) < 40_000
