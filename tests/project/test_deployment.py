"""The container file and the units of systemd, checked by hadolint and systemd-analyze where these are installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "contrib" / "systemd").iterdir())


def program(name: str) -> str:
    """The path of a program, also of one that pip has installed; the test is skipped without it."""
    found = shutil.which(name) or shutil.which(name, path=Path(sys.executable).parent)
    return found or pytest.skip(f"{name} is not installed")


def test_the_dockerfile():
    done = subprocess.run([program("hadolint"), str(ROOT / "Dockerfile")], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
    _, build, final = (ROOT / "Dockerfile").read_text().split("\nFROM ")
    assert "gcc" in build and "gcc" not in final and "\nUSER 1000\n" in final


def test_the_image_is_built_of_the_sources_alone():
    """What is not in .dockerignore stays out: the folder may hold a build, an environment and files of the user."""
    first, *kept = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith(("*", "!"))]
    assert first == "*" and all((ROOT / name.removeprefix("!")).exists() for name in kept)


def test_the_units(tmp_path):
    """systemd-analyze also looks for the program, which is not in that place here."""
    for unit in UNITS:
        (tmp_path / unit.name).write_text(unit.read_text().replace("%h/.local/bin/midiopt", sys.executable))
    for unit in UNITS:
        command = [program("systemd-analyze"), "verify", "--user", "--man=no", str(tmp_path / unit.name)]
        done = subprocess.run(command, capture_output=True, text=True, env={"XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)})
        assert not [line for line in done.stderr.splitlines() if str(tmp_path) in line or unit.name in line]


def test_the_options_of_the_units_exist():
    from midiopt.cli.main import make_parser

    for unit in UNITS:
        for line in unit.read_text().splitlines():
            if line.startswith("ExecStart="):
                _, *arguments = line.removeprefix("ExecStart=").split()
                assert make_parser().parse_args(arguments).sources == ["%h/Music/midi"]
