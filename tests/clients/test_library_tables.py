"""midiopt.Library(...).table: what a search finds as a table of Arrow, pandas or polars (make clients)."""

from __future__ import annotations

from pathlib import Path

import pytest

import midiopt
from midiopt.kinds import HASH8, HASH16
from midiopt.library.arrow import TABLES
from midiopt.schema import LIBRARY_COLUMNS
from tests.helpers.songs import song

pytest.importorskip("pyarrow", reason="pyarrow is not installed")
SAMPLE = Path(__file__).parents[2] / "sample" / "midi"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def library(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """The sample, some copies and a file that is missing."""
    folder = tmp_path_factory.mktemp("more")
    for name in ("50%.mid", "gone.mid"):
        (folder / name).write_bytes(song(1))
    if request.param == "sqlite":
        yield from _library(f"sqlite:///{folder}/x.db", folder)
        return
    from benchmarks import postgres_server

    with postgres_server.database(request.getfixturevalue("pg_dsn")) as url:
        yield from _library(url, folder)


def _library(url: str, folder: Path):
    midiopt.run([SAMPLE, folder], url, workers=1)
    (folder / "gone.mid").unlink()
    midiopt.run([SAMPLE, folder], url, workers=1)
    with midiopt.Library(url) as library:
        yield library


@pytest.mark.parametrize("query", ["", "bpm:100..130", "has:drums -key:Am", "status:rejected", "50%", "missing:true"])
def test_a_table_has_the_files_of_the_search(library: midiopt.Library, query: str) -> None:
    found = {file.path: file.note_count for file in library.search(query)}
    table = library.table(query, columns=["path", "note_count"])
    assert dict(zip(table["path"].to_pylist(), table["note_count"].to_pylist(), strict=True)) == found and found
    assert table.num_rows == len(found)


def test_a_percent_sign_is_one(library: midiopt.Library) -> None:
    """Also in PostgreSQL, whose driver takes it for a placeholder, unless it is told that there are no values."""
    assert [title for (title,) in library.rows("SELECT DISTINCT title FROM library WHERE title LIKE 'Neon%'")] == ["Neon Avenue"]


def test_without_a_search_it_is_the_view(library: midiopt.Library) -> None:
    table = library.table()
    assert table.column_names == [column.name for column in TABLES["library"]]

    [hashes] = library.rows("SELECT content_hash, notes_hash, name_agrees FROM library WHERE title = 'Neon Avenue'")
    [row] = [row for row in table.to_pylist() if row["path"].endswith("neon avenue.mid")]
    assert (row["content_hash"], row["notes_hash"]) == hashes[:2]
    assert {c.name for c in LIBRARY_COLUMNS if c.kind in (HASH8, HASH16)} == {"content_hash", "notes_hash"}
    assert table.num_rows == sum(1 for _ in library) == library.count()


def test_it_may_be_a_frame(library: midiopt.Library) -> None:
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    expected = library.table("has:drums", columns=["path", "loop_bars"]).to_pylist()
    frame = library.table("has:drums", columns=["path", "loop_bars"], to="pandas")
    assert isinstance(frame, pandas.DataFrame) and str(frame.loop_bars.dtype) == "int16[pyarrow]"
    assert list(frame.path) == [row["path"] for row in expected]
    other = library.table("has:drums", ["path", "loop_bars"], to="polars")
    assert isinstance(other, polars.DataFrame) and other.to_dicts() == expected


def test_what_cannot_be_asked_says_so(library: midiopt.Library) -> None:
    for arguments, problem in (
        ({"query": "kye:Am"}, "kye"),
        ({"columns": ["bmp"]}, "library has no column 'bmp'; did you mean bpm"),
        ({"columns": []}, "a table needs a column: library has path, "),
        ({"to": "numpy"}, "to must be 'arrow', 'pandas' or 'polars', not 'numpy'"),
    ):
        with pytest.raises(ValueError, match=problem):
            library.table(**arguments)  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="the limit of a search is at least 0, not -1"):
        library.search(limit=-1)


def test_one_column_may_be_named_by_itself(library: midiopt.Library) -> None:
    assert library.table(columns="path").equals(library.table(columns=["path"]))


def test_duplicates_are_groups(library: midiopt.Library, tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / f"{name}.mid").write_bytes(song(len(name)))
    midiopt.run([tmp_path], tmp_path / "x.db", workers=1)
    with midiopt.Library(tmp_path / "x.db") as copies:
        [group] = copies.duplicates()
    assert isinstance(group, midiopt.DuplicateGroup) and group.paths == [str(tmp_path / f"{name}.mid") for name in "abc"]
