"""Write docs/tutorial.ipynb, a notebook with its output, over the bundled sample: python -m docs.generate_tutorial

It needs nbclient, ipykernel, pandas, pyarrow and matplotlib (the extra ``clients``).
"""

from __future__ import annotations

import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK = ROOT / "docs" / "tutorial.ipynb"

PLOT = """import matplotlib.pyplot as plt

import midiopt

midiopt.run(["../sample/midi"], "music.db", progress=True)
with midiopt.Library("music.db") as library:
    frame = library.table("bpm:1..", columns=["title", "bpm", "key", "role", "notes_per_second"], to="pandas")
for role, songs in frame.groupby("role", observed=True):
    plt.scatter(songs.bpm.astype(float), songs.notes_per_second.astype(float), label=role)
plt.xlabel("beats per minute"), plt.ylabel("notes per second")
plt.legend();"""

CELLS = (
    (
        "markdown",
        "# From a folder to a plot\n\nThe folder is the sample of midiopt, and may be any folder, archive or list of files. It takes"
        " `pip install 'midiopt[pandas]' matplotlib`. The first line of the output is the progress while the run lasts.",
    ),
    ("code", PLOT),
    ("markdown", "The table is a data frame of pandas, with the files that meet a [search](search.md)."),
    ("code", 'frame[frame.key == "Am"].set_index("title").sort_values("bpm")'),
    ("markdown", "The facts of one file, and its notes:"),
    ("code", 'midiopt.analyze("../sample/midi/band/neon avenue.mid")'),
    ("code", 'notes = midiopt.notes("../sample/midi/band/neon avenue.mid")\nnotes.pitch[~notes.is_drum].mean(), notes.end_s.max()'),
    (
        "markdown",
        "Further: [Python](python.md), [notes for models](how-to/machine-learning.md), [the columns](columns.md).",
    ),
)


def executed() -> Any:
    """The notebook with the output of its cells. Raises CellExecutionError for a cell that fails."""
    nbformat, nbclient = import_module("nbformat"), import_module("nbclient")
    makers = {"markdown": nbformat.v4.new_markdown_cell, "code": nbformat.v4.new_code_cell}
    cells = [makers[kind](text, id=f"cell-{i}") for i, (kind, text) in enumerate(CELLS)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "sample").symlink_to(ROOT / "sample")
        (Path(folder) / "docs").mkdir()
        nbclient.NotebookClient(
            notebook, timeout=120, kernel_name="python3", record_timing=False, resources={"metadata": {"path": f"{folder}/docs"}}
        ).execute()
    notebook.metadata = {"kernelspec": notebook.metadata.kernelspec}
    return notebook


if __name__ == "__main__":
    import_module("nbformat").write(executed(), NOTEBOOK)
