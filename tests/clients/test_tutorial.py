"""The tutorial is a notebook that runs as it is (make clients)."""

from __future__ import annotations

import json

import pytest

from docs import generate_tutorial

STORED = json.loads(generate_tutorial.NOTEBOOK.read_text())


def kinds(cell) -> list[set[str]]:
    """The forms of each output of a cell."""
    return [set(output.get("data", ())) for output in cell.get("outputs", ())]


def test_it_goes_from_a_folder_to_a_plot_in_ten_lines():
    lines = [line for line in generate_tutorial.PLOT.splitlines() if line]
    assert len(lines) <= 10 and "midiopt.run" in generate_tutorial.PLOT and "plt.scatter" in generate_tutorial.PLOT
    assert [(cell["cell_type"], "".join(cell["source"])) for cell in STORED["cells"]] == list(generate_tutorial.CELLS)
    assert "/home" not in str(STORED) and "/tmp" not in str(STORED), "it was written on a machine that is nobody's business"


@pytest.mark.filterwarnings("ignore")
def test_it_runs_and_shows_what_it_stores():
    """``python -m docs.generate_tutorial`` writes it again."""
    for module in ("nbclient", "ipykernel", "matplotlib", "pandas", "pyarrow"):
        pytest.importorskip(module, reason=f"{module} is not installed (make clients)")
    cells = generate_tutorial.executed()["cells"]
    assert list(map(kinds, cells)) == list(map(kinds, STORED["cells"]))
    progress, plot = kinds(cells[1])
    assert "text/html" in progress and "image/png" in plot
    assert "<svg" in cells[5]["outputs"][0]["data"]["text/html"] and "Neon Avenue" in cells[5]["outputs"][0]["data"]["text/html"]
    for number in (3, 5, 6):
        assert cells[number]["outputs"][0]["data"]["text/plain"] == "".join(STORED["cells"][number]["outputs"][0]["data"]["text/plain"])
