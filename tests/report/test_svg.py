"""Charts as SVG: bars are as long as their values, and what cannot be seen is told."""

from __future__ import annotations

from collections import Counter
from xml.etree import ElementTree

import pytest

from midiopt.display import svg
from midiopt.display.svg import Bar, Sector
from midiopt.report.distributions import histogram, most_frequent, percent, quartiles, tenths


def parts(text: str, tag: str, class_: str = "") -> list[ElementTree.Element]:
    return [found for found in ElementTree.fromstring(text).iter(tag) if not class_ or found.get("class") == class_]


def test_a_chart_has_a_title_and_a_description() -> None:
    text = svg.columns("c", "A & B", "<what> it shows", [Bar("x", 1, "one")], {})
    root = ElementTree.fromstring(text)
    assert [root[0].tag, root[0].text, root[1].tag, root[1].text] == ["title", "A & B", "desc", "<what> it shows"]
    assert (root.get("role"), root.get("aria-labelledby")) == ("img", f"{root[0].get('id')} {root[1].get('id')}")


def test_the_heights_of_columns_sum_to_their_values() -> None:
    """A unit of the scale is as high in each; the smallest is still seen."""
    bars = [Bar(str(i), value, "") for i, value in enumerate((0, 10, 20, 70, 100))]
    heights = [float(bar.get("height", 0)) for bar in parts(svg.columns("c", "t", "d", bars, {}), "rect")]
    assert len(heights) == 4
    assert sum(heights) == pytest.approx(200 * heights[-1] / 100, abs=0.2)
    tiny = parts(svg.columns("c", "t", "d", [Bar("a", 1, ""), Bar("b", 1e9, "")], {}), "rect")
    assert float(tiny[0].get("height", 0)) == 1


def test_a_column_in_two_colours() -> None:
    found = parts(svg.columns("c", "t", "d", [Bar("a", 10, "", other=4)], {}), "rect")
    assert [bar.get("class") for bar in found] == ["bar", "bar other"]
    heights = [float(bar.get("height", 0)) for bar in found]
    assert heights[0] / sum(heights) == pytest.approx(0.6, abs=0.01)


def test_rows_keep_within_the_picture() -> None:
    bars = [Bar("a label that is far too long for its room", 10**12, "x"), Bar("none", 0, "y")]
    found = svg.rows("r", "t", "d", bars)
    for bar in parts(found, "rect"):
        assert float(bar.get("x", 0)) + float(bar.get("width", 0)) < svg.WIDTH
    assert parts(found, "text")[0].text == "a label that is f…"
    assert parts(found, "rect")[0][0].text == "a label that is far too long for its room: x"


@pytest.mark.parametrize(
    ("text", "shown"), [("A" * 9, "A" * 9), ("A" * 99, "A" * 9 + "…"), ("i" * 99, "i" * 18 + "…"), ("音" * 9, "音" * 6 + "…")]
)
def test_a_label_has_as_many_characters_as_have_room(text: str, shown: str) -> None:
    assert svg.fitted(text, 90, 12) == shown


def test_the_wheel_has_a_sector_per_key() -> None:
    outer, inner = ([Sector(f"{ring}{i}", i, f"about {i}") for i in range(12)] for ring in "ab")
    text = svg.wheel("w", "t", "d", outer, inner)
    full = parts(text, "path", "sector full")
    assert len(parts(text, "path", "sector")) == 24 and len(full) == 22
    assert [path.get("style") for path in full[:3]] == ["--share:0.09", "--share:0.18", "--share:0.27"]


def test_reliability_shows_the_share_that_is_right() -> None:
    text = svg.reliability("t", "t", "d", [(0, 0)] * 8 + [(1, 2), (8, 8)])
    half, whole = parts(text, "rect")
    assert float(half.get("height", 0)) * 2 == pytest.approx(float(whole.get("height", 0)), abs=0.2)
    assert float(half.get("width", 0)) < float(whole.get("width", 0))
    assert half[0].text == "confidence 0.8 to 0.9: 1 of 2 right, 50 %"


def test_text_is_escaped_and_printable() -> None:
    assert svg.text_of('<&">\x1b\u202e') == "&lt;&amp;&quot;&gt;\ufffd\ufffd"
    assert svg.element("a", "<b>", href='"', class_="x y", aria_label="l", hidden=True, id=None, x=1.0) == (
        '<a href="&quot;" class="x y" aria-label="l" hidden x="1"><b></a>'
    )


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (7, "7"), (999, "999"), (1000, "1k"), (1234, "1.2k"), (48_900, "49k"), (3e6, "3M"), (2.5e9, "2.5G")]
)
def test_short_numbers(value: float, text: str) -> None:
    assert svg.short_number(value) == text


def test_steps_of_a_scale_are_whole() -> None:
    assert [svg.nice_step(value, 4) for value in (1, 3, 8, 17, 100, 950, 9500)] == [1, 1, 2, 5, 25, 250, 2500]


def test_every_value_is_in_one_bar() -> None:
    bars = histogram({-1: 1, 0: 2, 1: 4, 9: 8, 10: 16, 500: 32}, (0, 1, 10, 100), str)
    assert [(bar.label, bar.value) for bar in bars] == [("0", 3), ("1 to 10", 12), ("10 to 100", 16), ("100 or more", 32)]


def test_quartiles() -> None:
    assert quartiles({1: 1, 2: 1, 3: 1, 4: 1}) == (1, 2, 3)
    assert quartiles({5: 100}) == (5, 5, 5)
    assert quartiles({}) == (0, 0, 0)


def test_others_are_summed() -> None:

    bars = most_frequent(Counter("aaabbc"), str, 1)
    assert [(bar.label, bar.value) for bar in bars] == [("a", 3), ("2 others", 3)]
    assert tenths({1: 2, 0: 3, 19: 5})[::9] == [(2, 5), (5, 5)]


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (0, 0, "0 %"),
        (1, 3, "33 %"),
        (1, 50, "2.0 %"),
        (1, 10**6, "under 0.1 %"),
        (999, 1000, "99.9 %"),
        (10**6 - 1, 10**6, "99.9 %"),
        (3, 3, "100 %"),
    ],
)
def test_shares(part: int, whole: int, text: str) -> None:
    assert percent(part, whole) == text
