"""What an installation gets."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from midiopt.core import build

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src"
DATA = ("shell", "static", "templates")


def files(folder: Path) -> set[str]:
    """Modules, stubs, declarations, the marker of a typed package, completion scripts, the man page, and what pages are made of."""
    paths = (folder / "midiopt").rglob("*")
    found = (path for path in paths if path.suffix in (".py", ".pyi", ".pxd", ".typed", ".css") or path.parent.name in DATA)
    return {path.relative_to(folder).as_posix() for path in found}


def test_a_wheel_has_every_module_stub_and_declaration(tmp_path):
    """Without the extensions: compiling them takes minutes."""
    command = [sys.executable, "setup.py", "-q", "build_py", "--build-lib", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, env=os.environ | {"MIDIOPT_BUILD": build.mode}, check=True, capture_output=True)
    assert files(tmp_path) == files(SRC)


def test_an_installation_puts_completions_and_the_man_page_where_they_are_looked_for(tmp_path):
    command = [sys.executable, "setup.py", "-q", "install_data", "--install-dir", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, env=os.environ | {"MIDIOPT_BUILD": build.mode}, check=True, capture_output=True)
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()} == {
        "share/man/man1/midiopt.1",
        "share/bash-completion/completions/midiopt.bash",
        "share/zsh/site-functions/_midiopt",
        "share/fish/vendor_completions.d/midiopt.fish",
    }
