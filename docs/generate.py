"""Write the generated parts of the documentation: python -m docs.generate

They stand between ``<!-- begin NAME -->`` and ``<!-- end NAME -->`` in README.md, SECURITY.md and docs/: the columns come from
schema.py, the options from the argument parser, and the answers from a run over the bundled sample. The type of the facts,
``midiopt.Analysis``, comes from schema.py too; the completion scripts of shells and the man page come from the argument parser.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import midiopt
from benchmarks import generated_blocks
from docs import (
    generate_analysis,
    generate_cli,
    generate_columns,
    generate_completion,
    generate_limits,
    generate_man,
    generate_search,
    generate_tracks,
)

ROOT = Path(__file__).resolve().parent.parent
QUESTIONS = {
    "A minor, between 118 and 124 BPM, with a slap bass (General MIDI programs 36 and 37)": """
        SELECT DISTINCT title, bpm, chord_progression FROM library WHERE key = 'Am' AND bpm BETWEEN 118 AND 124
          AND EXISTS (SELECT 1 FROM json_each(programs) WHERE value IN (36, 37));""",
    "Waltzes, whatever their time signature says": """
        SELECT DISTINCT title, bpm, time_signature FROM library WHERE meter_estimated = '3/4';""",
    "What was repaired or rejected, and why": """
        SELECT status, error FROM files WHERE status <> 'ok' ORDER BY path;""",
    "The same music saved more than once": """
        SELECT count(*), max(title) FROM library GROUP BY notes_hash HAVING count(*) > 1;""",
}


def answers() -> str:
    """Each question in SQL with the answer of the sample's database, as the sqlite3 shell prints it."""
    with tempfile.TemporaryDirectory() as folder:
        midiopt.run([ROOT / "sample" / "midi"], f"{folder}/sample.db")
        with closing(sqlite3.connect(f"{folder}/sample.db")) as connection:
            lines: list[str] = []
            for question, query in QUESTIONS.items():
                lines += [f"-- {question}", *(line.removeprefix("        ") for line in query.strip("\n").split("\n"))]
                lines += ["|".join("" if value is None else str(value) for value in row) for row in connection.execute(query)]
    return "```sql\n" + "\n".join(lines) + "\n```"


def lines_of(name: str) -> str:
    """The lines that make objects of other libraries, which can be copied as they are."""
    text = (ROOT / "sample" / name).read_text().replace("\nfrom sample.conversions import symusic_score\n", "")
    _, _, lines = text.partition("annotations\n\n")
    return f"```python\n{lines.rstrip()}\n```"


# (page, name of the block, what makes its text)
BLOCKS: tuple[tuple[str, str, Callable[[], str]], ...] = (
    ("README.md", "answers", answers),
    ("docs/cli.md", "commands", generate_cli.page),
    ("docs/search.md", "terms", generate_search.terms_table),
    ("docs/tracks.md", "answers", generate_tracks.answers),
    ("docs/how-to/machine-learning.md", "conversions", partial(lines_of, "conversions.py")),
    ("docs/how-to/machine-learning.md", "ids", partial(lines_of, "remi_ids.py")),
    ("SECURITY.md", "limits", generate_limits.limits_table),
    *(("docs/columns.md", name, partial(generate_columns.table, columns)) for name, columns in generate_columns.TABLES.items()),
)
SHELL = ROOT / "src" / "midiopt" / "cli" / "shell"
FILES: dict[Path, Callable[[], str]] = {  # whole files
    SHELL / "midiopt.bash": generate_completion.bash,
    SHELL / "_midiopt": generate_completion.zsh,
    SHELL / "midiopt.fish": generate_completion.fish,
    SHELL / "midiopt.1": generate_man.page,
}


def main() -> None:
    """Fill every block, and write the files that are generated as a whole."""
    for path, file_text in FILES.items():
        path.write_text(file_text())
    generate_analysis.write_columns()
    for page, name, text in BLOCKS:
        generated_blocks.fill(ROOT / page, name, text())


if __name__ == "__main__":
    main()
