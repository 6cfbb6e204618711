"""midiopt.Library: a finished database, for Python."""

from __future__ import annotations

import operator
import os
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, SupportsFloat, SupportsIndex, TypeVar, overload

from midiopt.errors import MissingExtra
from midiopt.library.arrow import found_table
from midiopt.library.duplicates import DuplicateGroup, duplicate_groups
from midiopt.library.near import NearGroup, near_groups
from midiopt.library.search import Found, count, find_all, parse_query, sort_named
from midiopt.library.similar import Similar, similar
from midiopt.library.snapshot import open_snapshot
from midiopt.sinks.urls import without_password

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow as pa

Item = TypeVar("Item")


def _checked_limit(limit: SupportsIndex | None) -> int | None:
    """The limit as an int, which a database takes. Raises TypeError or ValueError unless so many files can be given."""
    if limit is None:
        return None
    if not isinstance(limit, SupportsIndex):
        raise TypeError(f"the limit of a search is a whole number, or None for all files, not {limit!r}")
    if (number := operator.index(limit)) < 0:
        raise ValueError(f"the limit of a search is at least 0, not {number}")
    return number


def _check_score(min_score: SupportsFloat) -> None:
    """Raise TypeError or ValueError unless files can have this score."""
    if not isinstance(min_score, SupportsFloat):
        raise TypeError(f"a score is a number, not {min_score!r}")
    if not 0 < float(min_score) <= 1:
        raise ValueError(f"a score is a number above 0 and at most 1, not {min_score}")


class Library:
    """A database that ``run`` has filled. Reading it does not change it.

    ``url`` is that of ``run``. A library is a context manager, and closed at its end::

        with midiopt.Library("music.db") as library:
            for found in library.search("key:Am bpm:118..124", sort="-notes", limit=10):
                print(found.path, found.bpm)

    Iterating over it gives all files that are not missing, as ``search()`` does. Each call reads the database as it was at one moment,
    and what it iterates over as long as that is read. A run goes on meanwhile; only its beginning waits for that, not for a library that is
    open and not read.

    Raises SinkError if the database does not exist, was not made by midiopt, or was made by an older or newer midiopt, and MissingExtra
    without the PostgreSQL driver.
    """

    def __init__(self, url: str | os.PathLike[str]) -> None:
        self._snapshot = open_snapshot(url)
        self._name = without_password(os.fspath(url))
        self.dialect = self._snapshot.dialect
        self.in_use = self._snapshot.in_use
        """Whether a run is writing the database."""

    def __repr__(self) -> str:
        return f"<Library: {self._name}>"

    def search(self, query: str = "", sort: str = "", limit: int | None = None) -> Iterator[Found]:
        """The files that meet a search, or the first ``limit`` of them: fetched page by page, as typed rows.

        docs/search.md has the grammar, the same as that of ``midiopt search``. ``sort`` is `path`, `title`, `bpm`, `key`, `duration`,
        `notes`, `polyphony`, `swing`, `size` or `added`, with `-` before it the greatest first; without, files come in the order in which
        their contents were found. Raises QueryError for a search or sort that cannot be read, ValueError for a negative limit, and
        TypeError for what is no text or number.
        """
        limit = _checked_limit(limit)
        sort_named(sort)
        return self._at_one_moment(find_all(self._snapshot, parse_query(query, reads_files=True), sort, limit))

    def count(self, query: str = "") -> int:
        """The number of files that meet a search. Raises QueryError if it cannot be read."""
        with self._snapshot.moment():
            return count(self._snapshot, parse_query(query, reads_files=True))

    def similar(self, file: str | os.PathLike[str], limit: int | None = 20, min_score: float = 0.1) -> list[Similar]:
        """The files with music that is similar to that of a file, or of a path in the library; most similar first.

        Without ``limit`` all of them. docs/similar.md says what a score means. Raises SourceError if the file is neither in the library
        nor a MIDI file, or has too few notes, and ValueError for a negative limit or a score that no file can have.
        """
        if not isinstance(file, (str, os.PathLike)):
            raise TypeError(f"a file is given as its path, not as {type(file).__name__}")
        limit = _checked_limit(limit)
        _check_score(min_score)
        with self._snapshot.moment():
            return similar(self._snapshot, os.fsdecode(file), limit, min_score)

    @overload
    def table(self, query: str = "", columns: Sequence[str] | None = None, to: Literal["arrow"] = "arrow") -> pa.Table: ...
    @overload
    def table(self, query: str = "", columns: Sequence[str] | None = None, *, to: Literal["pandas"]) -> pandas.DataFrame: ...
    @overload
    def table(self, query: str = "", columns: Sequence[str] | None = None, *, to: Literal["polars"]) -> polars.DataFrame: ...
    def table(self, query: str = "", columns: Sequence[str] | None = None, to: str = "arrow") -> Any:
        """The files that meet a search as a table, in no particular order; ``columns`` names those wanted of the view ``library``.

        ``to`` is `arrow` (a pyarrow.Table), `pandas` (whose columns have Arrow types, so that integers with nulls stay integers) or
        `polars`. Raises QueryError for a search that cannot be read, ValueError for an unknown column, and MissingExtra without
        pyarrow, pandas or polars.
        """
        if to not in ("arrow", "pandas", "polars"):
            raise ValueError(f"to must be 'arrow', 'pandas' or 'polars', not {to!r}")
        with self._snapshot.moment():
            table = found_table(self._snapshot, parse_query(query, reads_files=True), columns)
        try:
            if to == "pandas":
                from pandas import ArrowDtype

                return table.to_pandas(types_mapper=ArrowDtype)
            if to == "polars":
                import polars

                return polars.from_arrow(table)
        except ImportError as error:
            raise MissingExtra(f"A table of {to}", to) from error
        return table

    def duplicates(self) -> Iterator[DuplicateGroup]:
        """Groups of files with the same bytes: most files first, then the largest."""
        return self._at_one_moment(duplicate_groups(self._snapshot))

    def near_duplicates(self, min_score: float = 0.5) -> Iterator[NearGroup]:
        """Groups of files with nearly the same music and other bytes, the largest first, and what differs.

        Raises ValueError for a score that no file can have: it is above 0 and at most 1.
        """
        _check_score(min_score)
        return self._at_one_moment(near_groups(self._snapshot, min_score))

    def rows(self, query: str, values: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows of a SELECT in SQL, with `?` (SQLite) or `%s` (PostgreSQL, where `%%` is then a percent sign) for each value.

        Raises SinkError when the database fails.
        """
        return self._snapshot.rows(query, values)

    def _at_one_moment(self, items: Iterable[Item]) -> Iterator[Item]:
        with self._snapshot.moment():
            yield from items

    def __iter__(self) -> Iterator[Found]:
        return self.search()

    def close(self) -> None:
        """Close the database. Closing twice does nothing."""
        self.__exit__(None, None, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._snapshot.__exit__(kind, error, traceback)
