"""The examples in Python run as they stand in the documentation (make clients); those of docs/how-to/clients.md have tests of their own."""

from __future__ import annotations

import importlib
import re
import shutil
from pathlib import Path

import pytest

import midiopt

ROOT = Path(__file__).parents[2]
EXAMPLES = [  # page, number of the example, the libraries that it takes
    ("README.md", 0, []),
    ("docs/python.md", 0, []),
    ("docs/python.md", 1, []),
    ("docs/python.md", 3, []),
    ("docs/python.md", 4, ["pandas"]),
    ("docs/python.md", 5, ["pandas", "polars"]),
    ("docs/how-to/parquet.md", 0, ["polars", "pyarrow.dataset"]),
    ("docs/how-to/machine-learning.md", 0, []),
    ("docs/how-to/machine-learning.md", 1, ["torch"]),
    ("docs/how-to/machine-learning.md", 2, []),
    ("docs/how-to/machine-learning.md", 3, []),
]
NOT_HERE = {("docs/python.md", 2): "tests/clients/test_batches.py"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A song, a folder with songs, and the databases that the examples name."""
    folder = tmp_path_factory.mktemp("examples")
    shutil.copytree(ROOT / "sample" / "midi", folder / "music")
    shutil.copy(folder / "music" / "piano" / "nocturne.mid", folder / "song.mid")
    for db in ("music.db", "lakh.db"):
        midiopt.run([str(folder / "music")], str(folder / db))
    return folder


def examples(page: str) -> list[str]:
    """The blocks of a page."""
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)


@pytest.mark.parametrize(("page", "number", "libraries"), EXAMPLES)
@pytest.mark.filterwarnings("ignore")  # of the libraries
def test_an_example_runs(folder, monkeypatch, capsys, page, number, libraries):
    names = {"midiopt": midiopt, "paths": [str(folder / "song.mid"), str(folder / "missing.mid")]}
    for library in libraries:
        pytest.importorskip(library)
        names[library.partition(".")[0]] = importlib.import_module(library.partition(".")[0])
    if page.endswith("parquet.md"):
        pytest.importorskip("pyarrow")
        midiopt.run([str(folder / "music")], f"parquet:{folder / 'facts'}")
    monkeypatch.chdir(folder)
    text = examples(page)[number].replace("range(10)", "range(1)").replace("num_workers=4", "num_workers=0")
    exec(compile(text, page, "exec"), names)
    if "print(" in text and "def " not in text:
        assert capsys.readouterr().out


def test_the_songs_of_an_application_have_their_facts(folder, pg_url):
    """docs/how-to/postgresql.md; the block before needs roles, which are those of a whole server."""
    psycopg = pytest.importorskip("psycopg")
    [_, query] = re.findall(r"```sql\n(.*?)```", (ROOT / "docs/how-to/postgresql.md").read_text(), re.DOTALL)
    midiopt.run([str(folder / "music")], f"{pg_url}{'&' if '?' in pg_url else '?'}schema=midi")
    with psycopg.connect(pg_url) as connection:
        connection.execute("CREATE TABLE song (id int, path text)")
        path = str(folder / "music" / "band" / "slap happy.mid")
        connection.execute("INSERT INTO song VALUES (7, %s), (8, '/other.mid')", [path])
        facts = midiopt.analyze(path)
        assert connection.execute(query).fetchall() == [(7, facts.bpm, facts.key, facts.duration_s)]


def test_each_example_has_a_test():
    for page in {page for page, *_ in EXAMPLES}:
        numbers = {number for of, number, _ in [*EXAMPLES, *((*key, []) for key in NOT_HERE)] if of == page}
        assert numbers == set(range(len(examples(page)))), page
