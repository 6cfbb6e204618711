"""The lines by which other programs read a database, as docs/how-to/clients.md shows them and tests/clients runs them."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import midiopt

ROOT = Path(__file__).resolve().parent.parent
SQLITE, POSTGRES = "music.db", "postgresql:///music"  # as the lines name the databases


AUTOMAP = """from sqlalchemy import create_engine, select
from sqlalchemy.ext.automap import automap_base
from sqlalchemy.orm import Session

engine = create_engine("{url}")
base = automap_base()
base.prepare(autoload_with=engine)
files, analyses = base.classes.files, base.classes.analyses
with Session(engine) as session:
    for file, facts in session.execute(select(files, analyses).join(analyses).order_by(files.path).limit(3)):
        print(file.status, facts.title, facts.{fact}, facts.is_loop)"""


@dataclass(frozen=True)
class Lines:
    """What a user types, and what it needs."""

    client: str
    about: str
    language: str
    """sh or python."""
    code: str
    needs: tuple[str, ...] = ()
    """Programs (sh) or modules (python)."""

    @property
    def is_postgres(self) -> bool:
        """Whether they read PostgreSQL."""
        return "postgresql" in self.code

    def missing(self) -> list[str]:
        """What they need and is not installed."""
        return [name for name in self.needs if not (_program(name) if self.language == "sh" else _has_module(name))]

    def output(self, folder: Path, postgres_url: str) -> str:
        """What they print in this folder, which has SQLITE; ``postgres_url`` stands for POSTGRES. Raises RuntimeError."""
        code = self.code.replace("postgresql+psycopg:///music", postgres_url.replace("postgresql:", "postgresql+psycopg:", 1))
        code = code.replace(POSTGRES, postgres_url)
        if _has_module("duckdb_ext"):
            import duckdb_ext

            folder_of_extensions = os.path.join(next(iter(duckdb_ext.__path__)), "extensions")
            code = re.sub(r"INSTALL \w+; ", f"SET extension_directory = '{folder_of_extensions}'; ", code)
        command = ["bash", "-euo", "pipefail", "-c", code] if self.language == "sh" else [sys.executable, "-c", code]
        search = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")])
        environment = {**os.environ, "PATH": search, "LC_ALL": "C.UTF-8", "PAGER": "cat"}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
        if done.returncode:
            raise RuntimeError(f"exit code {done.returncode}: {done.stderr[-2000:]}")
        return done.stdout.replace(str(folder), "/home/me").rstrip("\n")


def _program(name: str) -> str | None:
    return shutil.which(name, path=os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")]))


def _has_module(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def fill_databases(folder: Path, postgres_url: str) -> None:
    """Fill both databases with the sample."""
    shutil.copytree(ROOT / "sample" / "midi", folder / "midi")
    for url in (folder / SQLITE, postgres_url):
        midiopt.run([folder / "midi"], url, workers=1, tracks=True)


LINES = (
    Lines(
        "sqlite3",
        "The shell of SQLite, 3.33 or newer.",
        "sh",
        """sqlite3 -box music.db "SELECT title, bpm, key, is_loop FROM library WHERE role = 'drums' ORDER BY title LIMIT 3" """.strip(),
        ("sqlite3",),
    ),
    Lines(
        "sqlite-utils",
        "Tables, JSON, CSV and more from a query.",
        "sh",
        """sqlite-utils music.db "SELECT title, bpm, key, is_loop FROM library WHERE role = 'drums' ORDER BY title LIMIT 3" --table""",
        ("sqlite-utils",),
    ),
    Lines(
        "Datasette",
        "`datasette music.db --metadata metadata.json` shows the database in a browser, at <http://127.0.0.1:8001/music/library>: with the"
        " meaning of each column, with facets, and with questions to begin with. `--get` prints one page instead. Of more than"
        " 100,000 files no facets are shown; add `--setting suggest_facets off`, else Datasette looks for them in every column,"
        " and filter the column that you sort by (`?bpm__gt=0&_sort_desc=bpm`), else a sort takes longer than the second that it allows.",
        "sh",
        """midiopt datasette-metadata music.db > metadata.json
datasette music.db --metadata metadata.json --get '/music/library.json?role=drums&_sort=title&_col=title&_col=bpm&_size=2&_shape=array'""",
        ("datasette", "midiopt"),
    ),
    Lines(
        "pandas, from SQLite",
        "Booleans are booleans, integers integers, also where some are null; times are in UTC, lists are lists"
        " (`pip install 'midiopt[arrow]'`). Name the columns that you want of a large database: `columns=[...]`.",
        "python",
        """import midiopt, pandas

frame = midiopt.arrow_table("music.db").to_pandas(types_mapper=pandas.ArrowDtype)
print(frame.dtypes[["title", "bpm", "key", "is_loop", "note_count", "programs", "analyzed_at"]])
print(frame.groupby("role", observed=True).bpm.median())""",
        ("pandas", "pyarrow"),
    ),
    Lines(
        "pandas, from PostgreSQL",
        "The same.",
        "python",
        """import midiopt, pandas

frame = midiopt.arrow_table("postgresql:///music").to_pandas(types_mapper=pandas.ArrowDtype)
print(frame.dtypes[["title", "bpm", "key", "is_loop", "note_count", "programs", "analyzed_at"]])""",
        ("pandas", "pyarrow", "psycopg"),
    ),
    Lines(
        "polars, from SQLite",
        "",
        "python",
        """import midiopt, polars

frame = polars.from_arrow(midiopt.arrow_table("music.db"))
print(frame.filter(polars.col("role") == "drums").select("bpm", "key", "is_loop", "programs", "analyzed_at").schema)""",
        ("polars", "pyarrow"),
    ),
    Lines(
        "polars, from PostgreSQL",
        "",
        "python",
        """import midiopt, polars

frame = polars.from_arrow(midiopt.arrow_table("postgresql:///music"))
print(frame.select("bpm", "key", "is_loop", "programs", "analyzed_at").schema)""",
        ("polars", "pyarrow", "psycopg"),
    ),
    Lines(
        "DuckDB, of an SQLite database",
        "The extension is downloaded once. Lists are JSON text in SQLite: `from_json(programs, '[\"INT\"]')` makes a list of it.",
        "python",
        """import duckdb

duckdb.sql("INSTALL sqlite; LOAD sqlite; ATTACH 'music.db' AS music (TYPE sqlite, READ_ONLY)")
print(duckdb.sql("SELECT role, count(*) AS files, median(bpm) AS bpm FROM music.library GROUP BY role ORDER BY 2 DESC, 1 LIMIT 3"))""",
        ("duckdb", "duckdb_ext"),
    ),
    Lines(
        "DuckDB, of a PostgreSQL database",
        "",
        "python",
        """import duckdb

duckdb.sql("INSTALL postgres; LOAD postgres; ATTACH 'postgresql:///music' AS music (TYPE postgres, READ_ONLY)")
print(duckdb.sql("SELECT role, count(*) AS files, median(bpm) AS bpm FROM music.library GROUP BY role ORDER BY 2 DESC, 1 LIMIT 3"))""",
        ("duckdb", "duckdb_ext", "psycopg"),
    ),
    Lines(
        "DuckDB, without an extension",
        "",
        "python",
        """import duckdb, midiopt

facts = midiopt.arrow_table("music.db", columns=["role", "bpm", "programs"])
print(duckdb.sql("SELECT role, median(bpm) AS bpm FROM facts WHERE list_contains(programs, 33) GROUP BY 1 ORDER BY 1"))""",
        ("duckdb", "pyarrow"),
    ),
    Lines(
        "SQLAlchemy, of an SQLite database",
        "Automap finds the tables, their keys, and that files refer to analyses.",
        "python",
        AUTOMAP.format(url="sqlite:///music.db", fact="bpm"),
        ("sqlalchemy",),
    ),
    Lines(
        "SQLAlchemy, of a PostgreSQL database",
        "",
        "python",
        AUTOMAP.format(url="postgresql+psycopg:///music", fact="programs"),
        ("sqlalchemy", "psycopg"),
    ),
    Lines(
        "psql",
        "`\\d+` shows the meaning and unit of every column.",
        "sh",
        """psql 'postgresql:///music' -c '\\d+ library' | cut -c 1-150 | sed -n 1,12p""",
        ("psql",),
    ),
)
