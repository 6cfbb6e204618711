"""Parts of the page: sections, figures with their numbers as a table, and paths."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from midiopt.display import svg
from midiopt.display.svg import Bar, element, text_of
from midiopt.report.distributions import percent, spoken

FILES = ("files", "share")
MAX_TEXT = 200  # characters of a path or a message: what a library holds cannot make the page large


def section(name: str, title: str, *parts: str, about: str = "") -> str:
    """A section of the page; the contents link to its name."""
    remark = note(about) if about else ""
    return element(
        "section", element("h2", text_of(title), id=f"{name}-heading") + remark + "".join(parts), id=name, aria_labelledby=f"{name}-heading"
    )


def grid(*figures: str) -> str:
    """Figures side by side, as many as fit."""
    return element("div", "".join(figures), class_="grid")


def figure(title: str, chart: str, heads: Sequence[str], rows: Iterable[Sequence[object]], about: str = "") -> str:
    """A chart with its title, and its numbers as a table that opens."""
    remark = note(about) if about else ""
    caption = element("figcaption", element("h3", text_of(title)) + remark)
    numbers = element("details", element("summary", "Numbers") + table(heads, rows))
    return element("figure", caption + chart + numbers)


def column_figure(name: str, title: str, bars: Sequence[Bar], marks: Mapping[float, str], head: str, about: str = "") -> str:
    """A histogram."""
    return figure(title, svg.columns(name, title, f"{about} {spoken(bars)}".strip(), bars, marks), (head, *FILES), shares(bars), about)


def bar_figure(name: str, title: str, bars: Sequence[Bar], labels: int, head: str, about: str = "", whole: int = 0) -> str:
    """Bars below each other, with so much room for their labels. Shares are of `whole`, or of the sum."""
    if not any(bar.value for bar in bars):
        return card(title, note("No file has one."))
    return figure(title, svg.rows(name, title, f"{about} {spoken(bars)}".strip(), bars, labels), (head, *FILES), shares(bars, whole), about)


def shares(bars: Sequence[Bar], whole: float = 0) -> list[tuple[str, int, str]]:
    """The rows of the table beside a chart."""
    total = whole or sum(bar.value for bar in bars)
    return [(bar.label, int(bar.value), percent(bar.value, total)) for bar in bars]


def table(heads: Sequence[str], rows: Iterable[Sequence[object]], name: str = "Numbers", class_: str | None = None) -> str:
    """Texts, numbers, which are aligned at their end, and Markup, which is taken as it is.

    Of the class `stacked` a narrow screen shows the cells of a row below each other; of the class `paths` the last column has all room.
    """
    listed = list(rows)
    numbers = [isinstance(value, int | float) for value in listed[0]] if listed else [False] * len(heads)
    head = "".join(element("th", text_of(h), scope="col", class_="number" if n else None) for h, n in zip(heads, numbers, strict=True))
    body = "".join(element("tr", "".join(map(_cell, row))) for row in listed)
    found = element("table", element("thead", element("tr", head)) + element("tbody", body), class_=class_)
    return element("div", found, class_="table", tabindex=0, role="group", aria_label=name)


def card(title: str, content: str, is_wide: bool = False) -> str:
    """A part of a grid that is no chart."""
    return element("div", element("h3", text_of(title)) + content, class_="card wide" if is_wide else "card")


def note(text: str) -> str:
    """A remark."""
    return element("p", text_of(text), class_="about")


class Markup(str):
    """HTML, whose texts are escaped already."""

    __slots__ = ()


def _cell(value: object) -> str:
    if isinstance(value, Markup):
        return element("td", value)
    if isinstance(value, int | float):
        return element("td", text_of(f"{value:,}"), class_="number")
    return element("td", text_of(value))


def cut(text: str, end: bool = False) -> str:
    """At most MAX_TEXT characters of the beginning, or of the end."""
    if len(text) <= MAX_TEXT:
        return text
    return "…" + text[-MAX_TEXT:] if end else text[:MAX_TEXT] + "…"


def path(text: str) -> Markup:
    """A path, which may be folded after a slash; the end of a long one."""
    return Markup(element("code", text_of(cut(text, end=True)).replace("/", "/<wbr>")))


def items(parts: Iterable[Markup], more: int = 0, what: str = "") -> Markup:
    """Parts below each other, and how many there are beyond them."""
    rest = element("li", text_of(f"and {more:,} more {what}".rstrip())) if more else ""
    return Markup(element("ul", "".join(element("li", part) for part in parts) + rest))
