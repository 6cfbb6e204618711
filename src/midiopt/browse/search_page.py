"""What the page of a search shows: the files, and how many there are of each kind."""

from __future__ import annotations

from dataclasses import dataclass

from midiopt.errors import QueryError
from midiopt.general_midi import PROGRAMS
from midiopt.library.search import Facet, count, find, found_at, parse_query
from midiopt.library.search_facets import facets as count_facets
from midiopt.library.search_query import tokens
from midiopt.library.snapshot import Snapshot

PAGE = 50  # files
MAX_COUNT = 1000  # files that are counted: of more, the page says so
MAX_FACET_FILES = 10_000  # files that facets are counted over
MAX_VALUES = 8  # of a facet
HEADINGS = {"key": "Key", "bpm": "Tempo", "meter": "Meter", "program": "Program", "role": "Role", "status": "Status"}
EXAMPLES = ("key:Am bpm:118..124", "slap bass", "has:drums loop:4", "role:melody polyphony:1", "meter:3/4 -has:drums", "status:repaired")
# The columns that sort, by their names in SORTS, and whether the greatest values are wanted first.
COLUMNS = {"title": False, "key": False, "bpm": False, "duration": False, "notes": True}


@dataclass(frozen=True)
class ActiveTerm:
    """A term of the query, and the query without it."""

    text: str
    rest: str


@dataclass(frozen=True)
class ShownValue:
    """A value of a facet: how many files have it, and the query that has its term too, or no longer."""

    name: str
    files: int
    share: float
    """Of the files of the most frequent value, 0 to 1."""
    query: str
    is_active: bool


@dataclass(frozen=True)
class ShownFacet:
    """The most frequent values of a facet."""

    heading: str
    values: list[ShownValue]


def context(library: Snapshot, text: str, sort: str, after: str) -> dict[str, object]:
    """The values of the template. What is wrong with the query is one of them."""
    values: dict[str, object] = {"query": text, "sort": sort, "after": after, "examples": EXAMPLES, "columns": COLUMNS}
    nothing = {"found": [], "next": "", "count": 0, "is_counted": True, "problem": "", "terms": []}
    try:
        query = parse_query(text)
        before = found_at(library, after) if after else None
        found = find(library, query, sort, PAGE + 1, before)
        number = count(library, query, MAX_COUNT + 1)
    except QueryError as problem:
        return values | nothing | {"problem": str(problem)}
    return values | {
        "found": found[:PAGE],
        "next": found[PAGE - 1].path if len(found) > PAGE else "",
        "count": min(number, MAX_COUNT),
        "is_counted": number <= MAX_COUNT,
        "problem": "",
        "terms": active_terms(text),
    }


def facets(library: Snapshot, text: str) -> dict[str, object]:
    """The values of the template of facets."""
    try:
        counted, files = count_facets(library, parse_query(text), MAX_FACET_FILES)
    except QueryError:
        return {"facets": [], "sample": 0}
    shown = [ShownFacet(HEADINGS[column], _values(values, text)) for column, values in counted.items()]
    return {"facets": [item for item in shown if item.values], "sample": files if files == MAX_FACET_FILES else 0}


def _values(found: list[Facet], text: str) -> list[ShownValue]:
    active = {term.text for term in active_terms(text)}
    most = max((item.files for item in found), default=1)
    return [
        ShownValue(
            _name(item),
            item.files,
            item.files / most,
            without_term(text, item.term) if item.term in active else with_term(text, item.term),
            item.term in active,
        )
        for item in found[:MAX_VALUES]
    ]


def _name(item: Facet) -> str:
    column, _, value = item.term.partition(":")
    if column == "program":
        return PROGRAMS[int(value)]
    return value.replace("..", "–") if column == "bpm" else str(item.value)


def active_terms(text: str) -> list[ActiveTerm]:
    """The parts of a query that can be taken away one by one: none where it has alternatives."""
    parts = _parts(text)
    return [ActiveTerm(part, " ".join(parts[:i] + parts[i + 1 :])) for i, part in enumerate(parts)]


def with_term(text: str, term: str) -> str:
    """The query of files that also meet the term."""
    text = text.strip()
    if not text:
        return term
    return f"{text} {term}" if _parts(text) else f"({text}) {term}"


def without_term(text: str, term: str) -> str:
    """The query without a term."""
    return " ".join(part for part in _parts(text) if part != term)


def _parts(text: str) -> list[str]:
    """What a file must meet, each with its sign and its parentheses; nothing for a query of alternatives."""
    parts: list[str] = []
    depth, is_signed = 0, False
    for token in tokens(text):
        if depth == 0 and token.lower() == "or":
            return []
        if depth or is_signed:
            parts[-1] += token if is_signed or token == ")" or parts[-1].endswith("(") else f" {token}"
        else:
            parts.append(token)
        depth += (token == "(") - (token == ")")
        is_signed = token == "-"
    return parts
