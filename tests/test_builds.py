"""Every build mode gives the same rows: the build under test against one with no optimisation to speak of."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

# Rows and text of the whole sample, as a worker sends them, but for the time they were made.
ROWS = """
import sys
from pathlib import Path
from midiopt.core import build
from midiopt.rows import Batch
from midiopt.worker import Worker
paths = sorted(str(p).encode() for p in Path(sys.argv[1]).rglob("*") if p.is_file())
batch = Batch.from_bytes(Worker().analyse(paths))
print(build.mode, batch.analyses.tobytes().hex(), batch.heap.hex())
"""


def rows(source: Path) -> list[str]:
    environment = {**os.environ, "PYTHONPATH": str(source)}
    command = [sys.executable, "-P", "-c", ROWS, str(ROOT / "sample" / "midi")]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()


def test_the_baseline_build_gives_the_same_rows(tmp_path):
    copy = tmp_path / "midiopt"
    for name in ("src", "setup.py", "pyproject.toml", "README.md", "LICENSE"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("*.so", "*.egg-info", "__pycache__"))
        else:
            copy.mkdir(exist_ok=True)
            shutil.copy(source, copy / name)
    environment = {**os.environ, "MIDIOPT_BUILD": "baseline"}
    command = [sys.executable, "setup.py", "build_ext", "--inplace"]
    built = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr[-2000:]
    mode, analyses, heap = rows(copy / "src")
    _, installed, installed_heap = rows(ROOT / "src")
    assert mode == "baseline"
    assert len(analyses) > 10_000
    assert (analyses, heap) == (installed, installed_heap)
