"""Three questions to a library of MIDI files, and their answers: python -m sample.example_queries [DATABASE]"""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from textwrap import dedent

from rich.console import Console
from rich.table import Table
from rich.text import Text

QUESTIONS = {
    "Which pieces are in a minor key and slower than 120 BPM? The most certain first.": """
        SELECT title, round(bpm) AS bpm, key, round(key_confidence, 2) AS confidence, time_signature AS meter
        FROM library
        WHERE key LIKE '%m' AND bpm < 120
        ORDER BY key_confidence DESC LIMIT 6
    """,
    "Which files have drums between 90 and 140 BPM, and what do they play?": """
        SELECT title, round(bpm) AS bpm, time_signature AS meter, drum_pattern, drum_note_count AS drum_notes
        FROM library
        WHERE drum_note_count > 0 AND bpm BETWEEN 90 AND 140
        ORDER BY bpm LIMIT 6
    """,
    "Which files were repaired or rejected, or are copies of others?": """
        SELECT path, status, coalesce(error, 'same bytes as ' || first_path) AS reason
        FROM files LEFT JOIN (SELECT analysis_id, min(path) AS first_path FROM files GROUP BY analysis_id) USING (analysis_id)
        WHERE status <> 'ok' OR path <> first_path
        ORDER BY path
    """,
}


def main(database: str) -> None:
    """Print each question, its SQL and its answer."""
    console = Console(highlight=False)
    with closing(sqlite3.connect(f"{Path(database).resolve().as_uri()}?mode=ro", uri=True)) as connection:
        for question, query in QUESTIONS.items():
            cursor = connection.execute(query)
            table = Table(*(name for name, *_ in cursor.description))
            for row in cursor:
                table.add_row(*(Text(cell(value)) for value in row))
            console.print(f"\n[bold]{question}[/bold]")
            console.print(Text(dedent(query).strip(), style="dim"))
            console.print(table)


def cell(value: object) -> str:
    """The text of a value; numbers without .0, paths relative to the current folder."""
    if value is None:
        return "-"
    return f"{value:g}" if isinstance(value, float) else str(value).replace(f"{Path.cwd()}/", "")


if __name__ == "__main__":
    if len(sys.argv) > 2:
        sys.exit(__doc__)
    main(sys.argv[1] if len(sys.argv) == 2 else "sample.db")
