"""The grammar of a search, which docs/search.md describes, and what it becomes in SQL.

    query  = and { "or" and }
    and    = item { item }
    item   = [ "-" ] ( "(" query ")" | name ":" value { "|" value } | word { "|" word } )

A word or value may be quoted. All else that stands between spaces is a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from midiopt.errors import QueryError
from midiopt.library.search_conditions import Condition, Sql, words
from midiopt.library.search_like import check_like_path
from midiopt.library.search_terms import term_condition
from midiopt.library.snapshot import Snapshot
from midiopt.sinks.dialects import Dialect

MAX_ITEMS = 100  # of a query: SQLite limits the depth of an expression to 1,000
MAX_DEPTH = 30  # of parentheses
PRESENT = "f.missing_since IS NULL"
_TOKEN = re.compile(r"""\s+|(?P<mark>[()]|-(?=[^\s)]))|(?P<text>(?:"[^"]*"|[^\s()"])+)|(?P<quote>")""")
_TERM = re.compile(r"([A-Za-z_]+):(.*)", re.DOTALL)
_PART = re.compile(r'((?:"[^"]*"|[^"|])*)(?:\||$)', re.DOTALL)


@dataclass(frozen=True)
class Item:
    """A term or a word, which has no name."""

    name: str
    condition: Condition


@dataclass(frozen=True)
class All:
    """A file that is found meets every part."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Any:
    """It meets at least one."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Not:
    """It does not meet the part."""

    part: Node


Node = Item | All | Any | Not


@dataclass(frozen=True)
class Query:
    """A search that has been read: the condition that a file must meet."""

    text: str
    root: All

    def condition(self, library: Snapshot) -> Sql:
        """SQL over the aliases ``f`` (files) and ``a`` (analyses, joined from the left), and its values. Missing files are left out
        unless a term asks for them. Raises QueryError if `like:` names what the library does not have."""
        for item in items(self.root):
            if item.condition.like:
                check_like_path(library, item.condition.like, item.condition.is_no_file)
        sql, values = node_sql(self.root, library.dialect)
        return sql.replace("?", library.dialect.placeholder), values

    @property
    def needs_content(self) -> bool:
        """Whether only files with an analysis can meet it."""
        return needs_content(self.root)

    @property
    def is_of_words(self) -> bool:
        """Whether it has no term."""
        return all(isinstance(part, Item) and (part.condition.phrase or part.name == "missing") for part in self.root.parts)

    @property
    def needs_no_content(self) -> bool:
        """Whether only files without an analysis can meet it."""
        return any(isinstance(part, Item) and part.condition.without_content for part in self.root.parts)


def parse_query(text: str, reads_files: bool = False) -> Query:
    """Read a search. Raises QueryError, whose text names the nearest term or value.

    With ``reads_files``, `like:` may name a file on this computer.
    """
    if not isinstance(text, str):
        raise TypeError(f"a search is a text, such as 'key:Am bpm:118..124', not {type(text).__name__}")
    root = _Parser(text, reads_files).query()
    parts = root.parts if isinstance(root, All) else (root,)
    if not any(item.name == "missing" for item in items(root)):
        parts = (*parts, Item("missing", Condition((PRESENT, []), (PRESENT, []), of_content=False)))
    return Query(text, All(parts))


def items(node: Node) -> Iterator[Item]:
    """The terms and words of a node."""
    if isinstance(node, Item):
        yield node
    elif isinstance(node, Not):
        yield from items(node.part)
    else:
        for part in node.parts:
            yield from items(part)


def needs_content(node: Node) -> bool:
    """Whether only files with an analysis can meet a node."""
    if isinstance(node, Item):
        return node.condition.of_content
    if isinstance(node, Not):
        return False
    return any(map(needs_content, node.parts)) if isinstance(node, All) else bool(node.parts) and all(map(needs_content, node.parts))


def node_sql(node: Node, dialect: Dialect) -> Sql:
    """A node with `?` for each of its values. What is null counts as not met, also where it is negated."""
    if isinstance(node, Item):
        return node.condition.sql(dialect)
    if isinstance(node, Not):
        sql, values = node_sql(node.part, dialect)
        return f"(({sql}) IS NOT TRUE)", values
    parts = [node_sql(part, dialect) for part in sorted(node.parts, key=_cost)]
    if not parts:
        return "TRUE" if isinstance(node, All) else "FALSE", []
    joined = (" AND " if isinstance(node, All) else " OR ").join(sql for sql, _ in parts)
    return f"({joined})" if len(parts) > 1 else joined, [value for _, values in parts for value in values]


def _cost(node: Node) -> int:
    """What is looked at first: all else before words, and of those the phrases that few files have."""
    return -len(node.condition.phrase.split()) + 100 if isinstance(node, Item) and node.condition.phrase else 0


def _follows(node: Node, other: Node) -> bool:
    """Whether every file that meets the other node meets this one, as far as is seen at once: of a contradiction no file is read."""
    if not (isinstance(node, Item) and isinstance(other, Item)) or node == other:
        return node == other
    phrase, longer = node.condition.phrase, other.condition.phrase
    return bool(phrase and longer) and "*" not in phrase and f" {phrase} " in f" {longer.removesuffix('*')} "


class _Parser:
    """A recursive descent over the tokens."""

    def __init__(self, text: str, reads_files: bool) -> None:
        self._reads_files = reads_files
        self._tokens = list(tokens(text))
        self._at = 0
        self._items = 0
        self._depth = 0

    def query(self) -> Node:
        """The whole text."""
        root = self._any()
        if self._at < len(self._tokens):
            raise QueryError("a ) closes no parenthesis; put a file name with parentheses into quotes")
        return root

    def _any(self) -> Node:
        parts = [self._all()]
        while self._peek() == "or":
            self._at += 1
            parts.append(self._all())
        if len(parts) == 1:
            return parts[0]
        if any(isinstance(part, All) and not part.parts for part in parts):
            raise QueryError('or stands between two searches; write "or" for the word')
        return Any(tuple(parts))

    def _all(self) -> Node:
        parts = []
        while self._peek() not in (None, "or", ")"):
            part = self._part()
            if part is not None:
                parts.append(part)
        if any(isinstance(part, Not) and any(map(partial(_follows, part.part), parts)) for part in parts):
            return Any(())
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _part(self) -> Node | None:
        token = self._tokens[self._at]
        self._at += 1
        if token not in ("-", "("):
            return self._item(token)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise QueryError(f"more than {MAX_DEPTH} parentheses or negations stand within each other")
        if token == "-":
            part = self._part() if self._peek() not in (None, "or", ")") else None
            part = part and Not(part)
        else:
            part = self._any()
            if self._peek() != ")":
                raise QueryError("a ( has no ) after it; put a file name with parentheses into quotes")
            self._at += 1
            part = None if isinstance(part, All) and not part.parts else part
        self._depth -= 1
        return part

    def _item(self, token: str) -> Node | None:
        term = _TERM.fullmatch(token)
        name = term[1] if term else ""
        parts = [part.replace('"', "") for part in _split(term[2] if term else token)]
        found = []
        for value in parts if term else filter(None, parts):
            condition = term_condition(name, value, self._reads_files) if term else words(value)
            if condition:
                found.append(Item(name.lower(), condition))
        self._items += len(found)
        if self._items > MAX_ITEMS:
            raise QueryError(f"a search has at most {MAX_ITEMS} words and terms")
        return (found[0] if len(found) == 1 else Any(tuple(found))) if found else None

    def _peek(self) -> str | None:
        """The next token; `or` in lower case."""
        if self._at == len(self._tokens):
            return None
        token = self._tokens[self._at]
        return "or" if token.lower() == "or" else token


def tokens(text: str) -> Iterator[str]:
    """Parentheses, signs of negation, and what stands between spaces, still quoted."""
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        assert found
        if found["quote"]:
            raise QueryError('a quote " has no other one after it')
        if found["mark"] or found["text"]:
            yield found[0]
        at = found.end()


def _split(text: str) -> list[str]:
    """The alternatives between bars that are not quoted."""
    parts, at = [], 0
    while at <= len(text):
        found = _PART.match(text, at)
        assert found
        parts.append(found[1])
        at = found.end() + (0 if found[0].endswith("|") else 1)
    return parts
