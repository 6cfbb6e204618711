"""Tunes in ABC notation, as training/folk_tunes.py reads them."""

from __future__ import annotations

from fractions import Fraction

import pytest

from training import folk_tunes

HEAD = "T: A tune\nM: 6/8\nL: 1/8\nK: G\n"
BARS = "G2B d3|g2f e3|A2c e3|f2e d3|"


def test_notes_lie_where_the_notation_puts_them() -> None:
    tune = folk_tunes.parse_tune(HEAD + "d|" + BARS * 3 + "G5|]")
    assert tune and (tune.meter, tune.sharps, tune.is_minor) == ((6, 8), 1, False)
    half = Fraction(1, 2)
    assert tune.notes[:4] == [(5 * half, half, 74), (6 * half, 2 * half, 67), (8 * half, half, 71), (9 * half, 3 * half, 74)]
    assert tune.notes[5] == (14 * half, half, 78)  # f is sharp in G


def test_dotted_pairs_ties_and_accidentals() -> None:
    tune = folk_tunes.parse_tune("M: 2/4\nL: 1/8\nK: Am\n" + "A>B ^c A-|A2 c2|" + "ABcd|" * 8)
    assert tune and tune.is_minor
    quarter = Fraction(1)
    assert tune.notes[:3] == [(0, quarter * 3 / 4, 69), (quarter * 3 / 4, quarter / 4, 71), (quarter, quarter / 2, 73)]
    assert tune.notes[3] == (quarter * 3 / 2, quarter * 3 / 2, 69)  # tied over the bar line


@pytest.mark.parametrize("text", ["", "M: none\nK: C\nCDEF|", HEAD + BARS, HEAD + BARS * 6 + "\nM: 3/4\n" + BARS, HEAD + "G2|B|" * 30])
def test_tunes_without_one_meter_and_whole_bars_are_left_out(text: str) -> None:
    assert folk_tunes.parse_tune(text) is None
