"""Programs that ask a database for tracks, each with what it prints for the bundled sample: part of docs/tracks.md."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import midiopt

SAMPLE = Path(__file__).resolve().parent.parent / "sample" / "midi"
PROGRAM = "import sqlite3\nfor row in sqlite3.connect('music.db').execute('''\n{}\n'''):\n    print(*row, sep=' | ')"
QUESTIONS = {
    "All bass tracks, with their instrument": """
        SELECT title, track, t.name, p.name FROM library JOIN library_tracks t USING (path)
        LEFT JOIN programs p ON p.number = t.program WHERE t.role = 'bass' ORDER BY path, track""",
    "The melody of each song that certainly has one, and what plays it": """
        SELECT title, track, t.name, p.name FROM library JOIN library_tracks t USING (path)
        LEFT JOIN programs p ON p.number = t.program WHERE t.main_part = 'melody' ORDER BY path, track""",
    "The drum tracks alone, the busiest first": """
        SELECT t.note_count, title, track, t.name FROM library JOIN library_tracks t USING (path)
        WHERE t.role = 'drums' ORDER BY t.note_count DESC, path LIMIT 5""",
    "The same melody in other files": """
        SELECT t.name, one.title, other.title FROM library_tracks t
        JOIN library_tracks u ON u.notes_hash = t.notes_hash AND u.path > t.path
        JOIN library one ON one.path = t.path JOIN library other ON other.path = u.path
        WHERE t.role = 'melody' ORDER BY t.path, u.path""",
}


def program(query: str) -> str:
    """A Python program that prints the answer to a question in SQL."""
    lines = query.strip("\n").split("\n")
    return PROGRAM.format("\n".join(line.removeprefix("    ") for line in lines))


def answers() -> str:
    """Each question with its program, as the shell runs it, and the answer."""
    with tempfile.TemporaryDirectory() as folder:
        midiopt.run([SAMPLE], f"{folder}/music.db", workers=1, tracks=True)
        blocks = []
        for question, query in QUESTIONS.items():
            code = [sys.executable, "-c", program(query)]
            answer = subprocess.run(code, cwd=folder, check=True, capture_output=True, text=True).stdout.rstrip()
            blocks.append(f'{question}:\n\n```sh\npython -c "{code[-1]}"\n```\n\n```text\n{answer}\n```')
    return "\n\n".join(blocks)
