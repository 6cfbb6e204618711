"""What files cost that are made to cost the most: instructions are the same every time, so the bound can be a test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchmarks import builds, generated_blocks, worst_cases
from midiopt.core import build

TESTED_SIZES = (32 << 10, 128 << 10)  # bytes; the page has eight times as many
BASELINE_BOUND = 2.5  # without vectors a song costs so much more that the worst case is 1.94 of it


def build_and_bound() -> tuple[Path, float]:
    """The installed build and the page's bound; where valgrind cannot run it (AVX-512), the build that another test needs, too."""
    processor = Path("/proc/cpuinfo")
    if build.mode in ("release", "pgo-use") and processor.exists() and "avx512" not in processor.read_text():
        return Path(build.__file__).parents[2], worst_cases.BOUND
    return builds.build("baseline"), BASELINE_BOUND


def check(counts: worst_cases.Counts, bound: float) -> None:
    assert {name: ratio for name in counts.cases if (ratio := counts.ratio(name)) > bound} == {}
    assert {name: growth for name in counts.cases if (growth := counts.growth(name)) > worst_cases.GROWTH} == {}


def test_the_page_has_the_stored_costs() -> None:
    counts = worst_cases.stored()
    assert list(counts.cases) == list(worst_cases.CASES)
    assert generated_blocks.read(worst_cases.PAGE, "worst-cases") == worst_cases.table(counts)
    check(counts, worst_cases.BOUND)


@pytest.mark.skipif(not shutil.which("valgrind"), reason="valgrind counts the instructions")
def test_no_file_costs_much_more_than_a_song() -> None:
    counted, bound = build_and_bound()
    check(worst_cases.count(counted, list(worst_cases.CASES), TESTED_SIZES), bound)


@pytest.mark.parametrize("name", worst_cases.CASES)
def test_cases_have_their_size(name: str) -> None:
    data = worst_cases.CASES[name](20_000)
    assert 10_000 < len(data) < 40_000
