"""Use an installed midiopt on the bundled sample as its user would, and print what it found as JSON.

    python -P wheels/installed.py SAMPLE [--facts]        (in an environment with midiopt; needs nothing else)

With --facts no run fills a database: an emulator of one process cannot start others.
"""

from __future__ import annotations

import hashlib
import json
import platform
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import midiopt


def facts(path: Path) -> str:
    """What analyze() returns or raises."""
    try:
        return repr(midiopt.analyze(path))
    except midiopt.MidiError as problem:
        return repr(problem)


def fill_database(folder: Path) -> dict[str, int]:
    """Run the command: the number of files, those that failed, and the rows in the database."""
    with tempfile.TemporaryDirectory() as temporary:
        database = Path(temporary, "sample.db")
        command = [sys.executable, "-P", "-m", "midiopt", "analyze", str(folder), "--db", f"sqlite:///{database}", "--json", "--quiet"]
        summary = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        with closing(sqlite3.connect(database)) as connection:
            [(rows,)] = connection.execute("SELECT count(*) FROM library")
    return {"files": summary["files"], "failed": summary["crashed"] + summary["unreadable"], "rows": rows}


def main() -> None:
    """Analyse the folder file by file, then fill a database by the command line."""
    folder = Path(sys.argv[1])
    digest = hashlib.sha256("\n".join(facts(path) for path in sorted(folder.rglob("*")) if path.is_file()).encode())
    about = {"python": platform.python_version(), "machine": platform.machine(), "build": midiopt.build_info()}
    run = {} if "--facts" in sys.argv else fill_database(folder)
    print(json.dumps(about | run | {"facts": digest.hexdigest()}))


if __name__ == "__main__":
    main()
