"""What files cost that are made to cost the most: instructions are the same every time, so the bound can be a test."""

from __future__ import annotations

import shutil

import pytest

from benchmarks import builds, generated_blocks, worst_cases

TESTED_SIZES = (32 << 10, 128 << 10)  # bytes; the page has eight times as many
# The build that another test needs, too. Without vectors a song costs so much more that the worst case is 1.94 of it.
TESTED_BUILD, TESTED_BOUND = "baseline", 2.5


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
    check(worst_cases.count(builds.build(TESTED_BUILD), list(worst_cases.CASES), TESTED_SIZES), TESTED_BOUND)


@pytest.mark.parametrize("name", worst_cases.CASES)
def test_cases_have_their_size(name: str) -> None:
    data = worst_cases.CASES[name](20_000)
    assert 10_000 < len(data) < 40_000
