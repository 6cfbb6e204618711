"""Other people's programs read both databases. `make clients` installs them; a program that is not installed is skipped."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import midiopt
from docs import client_lines, generate_clients
from docs.client_lines import LINES, SQLITE, Lines
from midiopt.kinds import HASH8, HASH16
from midiopt.library import datasette as datasette_metadata
from midiopt.library.arrow import TABLES
from midiopt.library.snapshot import open_snapshot
from tests.helpers.batches import query

PAGE = generate_clients.PAGE.read_text()


@pytest.fixture(scope="module")
def pg_music(pg_dsn):
    from benchmarks import postgres_server

    with postgres_server.database(pg_dsn) as url:
        yield url


@pytest.fixture(scope="module")
def folder(tmp_path_factory, pg_music) -> Path:
    """A folder with the sample and its SQLite database; ``pg_music`` has the same rows."""
    folder = tmp_path_factory.mktemp("home")
    client_lines.fill_databases(folder, pg_music)
    return folder


@pytest.fixture(params=["sqlite", "postgresql"])
def music(request, folder, pg_music) -> str:
    """The database of the sample, in SQLite and in PostgreSQL."""
    return str(folder / SQLITE) if request.param == "sqlite" else pg_music


@pytest.mark.parametrize("lines", LINES, ids=lambda lines: lines.client)
def test_the_lines_of_the_page_print_what_it_shows(lines: Lines, folder, pg_music):
    """What they print is compared where the page was written with the same versions."""
    if missing := lines.missing():
        pytest.skip(f"{', '.join(missing)}: not installed (make clients)")
    output = lines.output(folder, pg_music)
    assert output
    if generate_clients.versions() in PAGE:
        assert generate_clients.section(lines, output) in PAGE, "python -m docs.generate_clients writes it again"


def test_arrow_has_the_types_of_the_columns(music):
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    for name, columns in TABLES.items():
        table = midiopt.arrow_table(music, name)
        assert table.num_rows == query(music, f"SELECT count(*) FROM {name}")[0][0] > 0
        for column in columns:
            is_hex = name in ("library", "library_tracks") and column.kind in (HASH8, HASH16)
            expected = "string" if is_hex else column.kind.arrow.replace("<values=string, indices=int8>", "")
            found = str(table.schema.field(column.name).type).replace("element: ", "").replace("item: ", "")
            assert found.startswith(expected), (name, column.name)


def test_both_databases_give_the_same_frame(folder, pg_music):
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    names = [c.name for c in TABLES["library"] if c.name not in ("analyzed_at", "analysis_us", "content_hash", "analysis_id")]
    tables = [midiopt.arrow_table(url, columns=names).sort_by("path") for url in (folder / SQLITE, pg_music)]
    assert tables[0].num_rows > 20 and tables[0].equals(tables[1])
    few = midiopt.arrow_table(pg_music, "files", columns=["path"], where="path LIKE '%.kar'")
    assert few.column_names == ["path"] and 0 < few.num_rows < 5
    assert midiopt.arrow_table(folder / SQLITE, where="FALSE").num_rows == 0
    for arguments, problem in ((["songs"], "no table 'songs'"), (["files", ["bpm"]], "files has no column 'bpm'")):
        with pytest.raises(ValueError, match=problem):
            midiopt.arrow_table(pg_music, arguments[0], columns=arguments[1] if len(arguments) > 1 else None)


def test_pandas_has_the_right_types(music):
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    frame = midiopt.arrow_table(music).to_pandas(types_mapper=pandas.ArrowDtype)
    assert frame.is_loop.isna().any() and frame.note_count.isna().any(), "null does not turn them into other types"
    assert (str(frame.is_loop.dtype), str(frame.note_count.dtype)) == ("bool[pyarrow]", "int32[pyarrow]")
    row = frame[frame.is_loop.notna()].iloc[0]
    assert isinstance(row.is_loop, bool) and isinstance(row.path, str) and isinstance(row.note_count, int)
    assert isinstance(row.analyzed_at, pandas.Timestamp) and row.analyzed_at.tzinfo is not None
    assert list(row.programs) == list(map(int, row.programs)) and len(row.pitch_classes) == 12


def test_polars_has_the_right_types(music):
    polars = pytest.importorskip("polars", reason="polars is not installed")
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    schema = polars.from_arrow(midiopt.arrow_table(music)).schema
    assert schema["is_loop"] == polars.Boolean and schema["analyzed_at"] == polars.Datetime("us", "UTC")
    assert (schema["programs"], schema["track_names"]) == (polars.List(polars.Int16), polars.List(polars.String))
    assert schema["role"] in (polars.Categorical, polars.Enum) and schema["bpm"] == polars.Float32


def datasette(folder: Path, *pages: str) -> list[str]:
    """The text of each page; `--get` exits with 1 unless the status is 200."""
    pytest.importorskip("datasette", reason="datasette is not installed")
    metadata = subprocess.run([sys.executable, "-m", "midiopt", "datasette-metadata", SQLITE], cwd=folder, capture_output=True, check=True)
    (folder / "metadata.json").write_bytes(metadata.stdout)
    found = []
    for page in pages:
        command = [sys.executable, "-m", "datasette", SQLITE, "--metadata", "metadata.json", "--get", page]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, (page, done.stdout[-300:], done.stderr[-300:])
        found.append(done.stdout)
    return found


def test_datasette_shows_every_page(folder):
    library, *_ = datasette(
        folder, "/music/library", "/music", "/music/files", "/music/analyses", "/music/runs", "/music/fastest", "/music/longest"
    )
    assert "best tempo estimate" in library, "the meaning of bpm"
    assert "facet-results" in library


def test_datasette_lists_no_table_that_it_cannot_show(folder):
    """The index of words has no rows that SQLite could list."""
    [text] = datasette(folder, "/music.json")
    names = {table["name"] for table in json.loads(text)["tables"]}
    assert {"files", "analyses", "midiopt_words_data"} <= names and "midiopt_words" not in names


def test_datasette_sorts_and_facets(folder):
    [text] = datasette(folder, "/music/library.json?_sort_desc=bpm&_facet=role&_facet=is_loop&_shape=objects&_size=max")
    found = json.loads(text)
    tempos = [row["bpm"] for row in found["rows"] if row["bpm"] is not None]
    assert len(tempos) > 10 and tempos == sorted(tempos, reverse=True)
    assert {result["value"] for result in found["facet_results"]["role"]["results"]} >= {"drums", "melody"}


def test_a_large_library_is_sorted_with_a_filter(folder, monkeypatch):
    monkeypatch.setattr(datasette_metadata, "MAX_FACET_FILES", 5)
    with open_snapshot(folder / SQLITE) as library:
        facts = datasette_metadata.metadata(library, SQLITE, "1")["databases"]["music"]["tables"]["library"]
    assert "facets" not in facts
    [sort] = re.findall(r"\?\S+", facts["description"])
    [text] = datasette(folder, f"/music/library.json{sort}&_shape=array")
    tempos = [row["bpm"] for row in json.loads(text)]
    assert len(tempos) > 10 and tempos == sorted(tempos, reverse=True)


def test_datasette_does_not_read_postgresql(pg_music):
    command = [sys.executable, "-m", "midiopt", "datasette-metadata", pg_music]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.startswith("midiopt: Datasette reads SQLite databases")


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_automap_has_every_table_and_the_reference(database, folder, pg_music):
    sqlalchemy = pytest.importorskip("sqlalchemy", reason="sqlalchemy is not installed")
    from sqlalchemy.ext.automap import automap_base
    from sqlalchemy.orm import Session

    url = f"sqlite:///{folder / SQLITE}" if database == "sqlite" else pg_music.replace("postgresql:", "postgresql+psycopg:", 1)
    engine, base = sqlalchemy.create_engine(url), automap_base()
    base.prepare(autoload_with=engine)
    assert {"files", "analyses", "runs", "meta"} <= set(base.classes.keys())
    with Session(engine) as session:
        file = session.query(base.classes.files).filter(base.classes.files.analysis_id.is_not(None)).first()
        assert file.analyses.content_hash == file.content_hash
        assert isinstance(file.analyses.is_loop, bool | None)
    engine.dispose()


def test_sqlite_utils_sees_tables_and_views(folder):
    pytest.importorskip("sqlite_utils", reason="sqlite-utils is not installed")
    import sqlite_utils

    database = sqlite_utils.Database(folder / SQLITE)
    assert "library" in database.view_names() and database["analyses"].pks == ["id"]
    assert [key.column for key in database["files"].foreign_keys] == ["analysis_id"]
    assert not any(isinstance(value, bytes) for row in database["library"].rows for value in row.values())
    database.close()
