"""Charts as inline SVG: each has a title and a description for those who do not see it, and colours only as classes.

A chart is 360 units wide, so that its text is legible on a telephone. A page sets the colours of the classes: `bar`, `bar other`, `mark`
(a line or dot beside bars), `axis`, `grid`, `label`, `label strong`, `label on-bar`, and `sector full`, whose opacity
grows with the property --share, from 0 to 1. The charts of benchmarks/ are files of their own, and have their colours in attributes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

from midiopt.wording import printable_text

WIDTH = 360
SMALL, NORMAL = 11, 12  # sizes of text


def text_of(value: object) -> str:
    """A text from a file or a database in HTML: printable, and nothing in it is markup."""
    return escape(printable_text(str(value)))


def element(name: str, content: str = "", **attributes: object) -> str:
    """An element of HTML or SVG: `content` is markup already, attributes are escaped; ``class_`` gives class, ``text_anchor`` text-anchor.

    An attribute that is None or False is left out, and one that is True has no value.
    """
    shown = []
    for key, value in attributes.items():
        if value is not None and value is not False:
            label = key.rstrip("_").replace("_", "-")
            shown.append(f" {label}" if value is True else f' {label}="{text_of(_number(value))}"')
    return f"<{name}{''.join(shown)}>{content}</{name}>"


def _number(value: object) -> object:
    """Coordinates with one decimal, without a trailing zero."""
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else value


class Chart:
    """An SVG picture that is put together from its parts; `name` is unique on the page."""

    def __init__(self, name: str, title: str, description: str, height: float, width: float = WIDTH) -> None:
        self._name, self._size = name, (width, height)
        self._parts = [
            element("title", text_of(title), id=f"{name}-title"),
            element("desc", text_of(description), id=f"{name}-desc"),
        ]

    def rect(
        self, x: float, y: float, width: float, height: float, class_: str | None = "bar", about: str = "", **attributes: object
    ) -> None:
        """A rectangle; `about` is shown where a pointer rests on it."""
        self._parts.append(element("rect", _about(about), class_=class_, x=x, y=y, width=width, height=height, **attributes))

    def line(self, x1: float, y1: float, x2: float, y2: float, class_: str | None = "grid", **attributes: object) -> None:
        """A straight line."""
        self._parts.append(element("line", "", class_=class_, x1=x1, y1=y1, x2=x2, y2=y2, **attributes))

    def path(self, d: str, class_: str | None = None, about: str = "", **attributes: object) -> None:
        """A path in the words of SVG."""
        self._parts.append(element("path", _about(about), class_=class_, d=d, **attributes))

    def dot(self, x: float, y: float, radius: float, class_: str | None = "mark", **attributes: object) -> None:
        """A filled circle."""
        self._parts.append(element("circle", "", class_=class_, cx=x, cy=y, r=radius, **attributes))

    def text(
        self,
        x: float,
        y: float,
        text: str,
        anchor: str | None = None,
        class_: str | None = "label",
        size: float | None = SMALL,
        **attributes: object,
    ) -> None:
        """A line of text, which begins, ends ("end") or has its middle ("middle") at x."""
        self._parts.append(element("text", text_of(text), class_=class_, x=x, y=y, text_anchor=anchor, font_size=size, **attributes))

    def svg(self) -> str:
        """The element, as a part of a page."""
        return self._element()

    def file(self) -> str:
        """A file of its own: on white, a line per part."""
        width, height = self._size
        self._parts.insert(2, element("rect", width=width, height=height, fill="white"))
        return self._element("\n", xmlns="http://www.w3.org/2000/svg", font_family="sans-serif", font_size=NORMAL) + "\n"

    def _element(self, end: str = "", **attributes: object) -> str:
        labels = f"{self._name}-title {self._name}-desc"
        width, height = self._size
        content = end + "".join(part + end for part in self._parts)
        return element("svg", content, viewBox=f"0 0 {width:g} {height:g}", role="img", aria_labelledby=labels, **attributes)


def _about(text: str) -> str:
    return element("title", text_of(text)) if text else ""


class Bar(NamedTuple):
    """A bar of a chart: what it stands for, its length, and what is written beside it or shown where a pointer rests on it."""

    label: str
    value: float
    about: str
    other: float = 0
    """The part of the value that is drawn in another colour."""


def nice_step(value: float, steps: int) -> float:
    """The least whole one of 1, 2, 2.5 and 5 times a power of ten of which so many steps reach the value."""
    rough = max(value / steps, 1.0)
    power: float = 10.0 ** math.floor(math.log10(rough))
    factors = (1, 2, 2.5, 5, 10) if power > 1 else (1, 2, 5, 10)
    return next(power * factor for factor in factors if power * factor >= rough * (1 - 1e-9))


def short_number(value: float) -> str:
    """A number in at most five characters: 950, 1.2k, 48k, 3M."""
    for unit, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= unit:
            return f"{value / unit:.1f}".removesuffix(".0") + name if value < 10 * unit else f"{value / unit:.0f}{name}"
    return f"{value:g}"


def fitted(text: str, room: float, size: float) -> str:
    """The text, or what of its beginning has room with an ellipsis. Which font shows it is unknown: DejaVu Sans is a wide one."""
    if text_width(text, size) <= room:
        return text
    while text and text_width(text + "…", size) > room:
        text = text[:-1]
    return text.rstrip() + "…"


def text_width(text: str, size: float) -> float:
    """About how wide a text is: narrow characters, small letters and digits, capital letters, wide ones, and those of East Asia."""
    return size * sum(
        0.35 if c in " .,:;'|!ijlI" else 0.97 if c in "mMwW#%@…" else 1.0 if ord(c) >= 0x1100 else 0.7 if c.isupper() else 0.64
        for c in text
    )


def columns(
    name: str, title: str, description: str, bars: Sequence[Bar], marks: Mapping[float, str], height: float = 190, top: float = 0
) -> str:
    """Upright bars side by side. A mark stands below its place, which counts in bars: 1 is where the second begins. `top` is the least
    end of the scale."""
    chart = Chart(name, title, description, height)
    left, bottom, ceiling = 38, height - 24, 10
    highest = max([top, *(bar.value for bar in bars)], default=0) or 1
    step = nice_step(highest, 4)
    scale = (bottom - ceiling) / highest
    value = 0.0
    while value <= highest * (1 + 1e-9):
        y = bottom - value * scale
        chart.line(left, y, WIDTH, y, "axis" if value == 0 else "grid")
        chart.text(left - 5, y + 4, short_number(value), "end")
        value += step
    wide = (WIDTH - left) / max(len(bars), 1)
    gap = min(2.0, wide * 0.2)
    for i, bar in enumerate(bars):
        x = left + i * wide
        if bar.value > 0:
            tall, other = max(bar.value * scale, 1.0), bar.other * scale
            chart.rect(x + gap / 2, bottom - tall, wide - gap, tall - other, "bar", bar.about)
            if other:
                chart.rect(x + gap / 2, bottom - other, wide - gap, other, "bar other", bar.about)
    for place, text in marks.items():
        x = left + place * wide
        chart.line(x, bottom, x, bottom + 4, "axis")
        half = 3.2 * len(text)
        chart.text(min(max(x, left - 8 + half), WIDTH - half), bottom + 16, text, "middle")
    return chart.svg()


def rows(name: str, title: str, description: str, bars: Sequence[Bar], labels: float = 132) -> str:
    """Bars that lie below each other, their labels before them and their values behind."""
    tall = 24
    chart = Chart(name, title, description, tall * max(len(bars), 1))
    highest = max((bar.value for bar in bars), default=0) or 1
    room = WIDTH - labels - 62
    for i, bar in enumerate(bars):
        y = i * tall
        chart.text(labels - 8, y + 16, fitted(bar.label, labels - 8, NORMAL), "end", size=NORMAL)
        long = bar.value / highest * room
        chart.rect(labels, y + 5, max(long, 1.0), 14, "bar", f"{bar.label}: {bar.about}")
        if bar.other:
            chart.rect(labels, y + 5, bar.other / highest * room, 14, "bar other", f"{bar.label}: {bar.about}")
        chart.text(labels + max(long, 1.0) + 6, y + 16, short_number(bar.value) if bar.value >= 10_000 else f"{bar.value:,.0f}")
    return chart.svg()


def reliability(name: str, title: str, description: str, tenths: Sequence[tuple[int, int]]) -> str:
    """For each tenth of a confidence the share of estimates that are right, of (right, tried). On the line a confidence says the truth."""
    height, left, bottom, ceiling = 190, 38, 166, 10
    chart = Chart(name, title, description, height)
    scale, wide = bottom - ceiling, (WIDTH - left) / 10
    for i in range(0, 11, 5):
        y = bottom - i / 10 * scale
        chart.line(left, y, WIDTH, y, "grid" if i else "axis")
        chart.text(left - 5, y + 4, f"{i * 10} %", "end")
    most = max((tried for _, tried in tenths), default=0) or 1
    for i, (right, tried) in enumerate(tenths):
        if tried:
            share = right / tried
            # Few trials, narrow bar: its area does not claim what it cannot know.
            broad = (wide - 3) * (0.25 + 0.75 * math.sqrt(tried / most))
            about = f"confidence {i / 10:.1f} to {(i + 1) / 10:.1f}: {right:,} of {tried:,} right, {100 * share:.0f} %"
            chart.rect(left + (i + 0.5) * wide - broad / 2, bottom - max(share * scale, 1.0), broad, max(share * scale, 1.0), "bar", about)
    chart.line(left, bottom, WIDTH, ceiling, "mark")
    for i in (0, 5, 10):
        chart.text(left + i * wide, bottom + 16, f"{i / 10:g}", None if i == 0 else "end" if i == 10 else "middle")
    return chart.svg()


class Sector(NamedTuple):
    """A part of a ring."""

    label: str
    value: int
    about: str


def wheel(name: str, title: str, description: str, outer: Sequence[Sector], inner: Sequence[Sector]) -> str:
    """Two rings of sectors, clockwise from the top, the stronger coloured the greater their value."""
    chart = Chart(name, title, description, WIDTH)
    highest = max((sector.value for sector in (*outer, *inner)), default=0) or 1
    for sectors, small, large in ((outer, 118, 176), (inner, 58, 115)):
        turn = 2 * math.pi / len(sectors)
        for i, sector in enumerate(sectors):
            middle = i * turn - math.pi / 2
            part = _ring_part(middle - turn / 2, middle + turn / 2, small, large)
            chart.path(part, "sector", sector.about)
            if sector.value:
                chart.path(part, "sector full", sector.about, style=f"--share:{sector.value / highest:.2f}")
            x, y = (WIDTH / 2 + math.cos(middle) * (small + large) / 2, WIDTH / 2 + math.sin(middle) * (small + large) / 2)
            chart.text(x, y - 1 if sector.value else y + 4, sector.label, "middle", "label strong", 14 if sectors is outer else NORMAL)
            if sector.value:
                chart.text(x, y + 12, short_number(sector.value), "middle", "label on-bar", 10)
    return chart.svg()


def _ring_part(start: float, end: float, small: float, large: float) -> str:
    def at(angle: float, radius: float) -> str:
        return f"{WIDTH / 2 + math.cos(angle) * radius:.1f} {WIDTH / 2 + math.sin(angle) * radius:.1f}"

    return f"M{at(start, large)}A{large} {large} 0 0 1 {at(end, large)}L{at(end, small)}A{small} {small} 0 0 0 {at(start, small)}Z"
