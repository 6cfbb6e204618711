"""Write docs/how-to/clients.md, each line with what it prints: python -m docs.generate_clients

It needs the extra ``clients``, the sqlite3 shell, and PostgreSQL as the tests do.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from importlib import metadata
from pathlib import Path

from benchmarks import postgres_server
from docs.client_lines import LINES, ROOT, Lines, fill_databases

PAGE = ROOT / "docs" / "how-to" / "clients.md"
DISTRIBUTIONS = ("sqlite-utils", "datasette", "pandas", "polars", "pyarrow", "duckdb", "sqlalchemy")

HEAD = """# Reading a database with other programs

An SQLite database is one file, a PostgreSQL database is tables beside your own. The view `library` has a row per file, with its facts;
[Columns](../columns.md) explains them. Every line below was run on the bundled sample, and a test runs it again.
`python -m docs.generate_clients` writes this page.
"""


def versions() -> str:
    """The versions of the clients that are installed, as a sentence."""
    found = []
    for name in DISTRIBUTIONS:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    for command in (["sqlite3", "--version"], ["psql", "--version"]):
        if shutil.which(command[0]):
            words = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
            found.append(f"{command[0]} {words[0] if command[0] == 'sqlite3' else words[2]}")
    return f"The output is that of {', '.join(found)}.\n"


def section(lines: Lines, output: str) -> str:
    """A client on the page."""
    parts = [f"## {lines.client}", lines.about, f"```{lines.language}\n{lines.code}\n```", f"```text\n{output}\n```"]
    return "\n\n".join(filter(None, parts)) + "\n"


def page() -> str:
    """The whole page."""
    with tempfile.TemporaryDirectory() as name, postgres_server.server() as server, postgres_server.database(server) as url:
        folder = Path(name)
        fill_databases(folder, url)
        sections = [section(lines, lines.output(folder, url)) for lines in LINES]
    return "\n".join([HEAD, versions(), *sections])


def main() -> None:
    """Write the page."""
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
