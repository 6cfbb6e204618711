"""Three questions to a library of MIDI files, and their answers: python -m sample.example_queries sample.db"""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

QUESTIONS = {
    "Pieces in a minor key below 120 BPM, the most certain key first": """
        SELECT title, round(bpm, 1) AS bpm, key, round(key_confidence, 2) AS confidence, time_signature AS meter
        FROM library WHERE key LIKE '%m' AND bpm < 120 ORDER BY key_confidence DESC LIMIT 6
    """,
    "Anything with drums between 90 and 140 BPM": """
        SELECT title, round(bpm, 1) AS bpm, time_signature AS meter, drum_note_count AS drums, polyphony_max AS polyphony
        FROM library WHERE drum_note_count > 0 AND bpm BETWEEN 90 AND 140 ORDER BY bpm LIMIT 6
    """,
    "What was repaired, could not be used, or is a copy of another file": """
        SELECT path, status, coalesce(error, 'the same bytes as ' || (
            SELECT min(o.path) FROM files o WHERE o.content_hash = f.content_hash AND o.path < f.path)) AS why
        FROM files f WHERE status <> 'ok' OR EXISTS (
            SELECT 1 FROM files o WHERE o.content_hash = f.content_hash AND o.path < f.path) ORDER BY path
    """,
}


def main(database: str) -> None:
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    console = Console(highlight=False)
    for question, query in QUESTIONS.items():
        cursor = connection.execute(query)
        table = Table(*(column[0] for column in cursor.description), title=question, title_justify="left", title_style="bold")
        for row in cursor:
            table.add_row(*(Text(short(value)) for value in row))
        console.print()
        console.print(table)
        console.print(" ".join(query.split()), style="dim")


def short(value: object) -> str:
    """Paths as seen from here."""
    if value is None:
        return "-"
    return str(value).replace(f"{Path.cwd()}/", "")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
