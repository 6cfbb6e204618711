"""What an installation gets."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from midiopt.core import build

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src"


def files(folder: Path) -> set[str]:
    """Modules, stubs, declarations and the marker of a typed package."""
    found = (path for path in (folder / "midiopt").rglob("*") if path.suffix in (".py", ".pyi", ".pxd", ".typed"))
    return {path.relative_to(folder).as_posix() for path in found}


def test_a_wheel_has_every_module_stub_and_declaration(tmp_path):
    """Without the extensions: compiling them takes minutes."""
    command = [sys.executable, "setup.py", "-q", "build_py", "--build-lib", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, env=os.environ | {"MIDIOPT_BUILD": build.mode}, check=True, capture_output=True)
    assert files(tmp_path) == files(SRC)
