"""The Pythons that a wheel is tried with: those of this machine, and those that can be had."""

from __future__ import annotations

import glob
import os
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from wheels import debian

VERSIONS = ("3.11", "3.12", "3.13", "3.14", "3.15")
PLACES = (
    "~/.pyenv/versions/{version}*/bin/python",
    "~/.local/share/uv/python/cpython-{version}*/bin/python",
    "/opt/python/cp{digits}-*/bin/python",
)
DEBIAN_SUITE = "sid"  # it has the newest releases

Report = Callable[[str], object]  # receives a line per step


@dataclass(frozen=True)
class Python:
    """An interpreter, and what the environment needs so that it compiles."""

    version: str
    path: Path
    environment: dict[str, str] = field(default_factory=dict)


def find(versions: Iterable[str], folder: Path, report: Report) -> list[Python]:
    """One interpreter per version; ``folder`` receives those that the machine lacks."""
    return [python for version in versions if (python := installed(version) or obtain(version, folder, report))]


def installed(version: str) -> Python | None:
    """The interpreter of this machine."""
    return next((Python(version, path) for path in candidates(version) if works(path, version)), None)


def candidates(version: str) -> Iterator[Path]:
    """Where an interpreter of a version can lie."""
    for folder in os.get_exec_path():
        yield Path(folder, f"python{version}")
    for place in PLACES:
        pattern = os.path.expanduser(place.format(version=version, digits=version.replace(".", "")))
        yield from map(Path, sorted(glob.glob(pattern), reverse=True))


def works(path: Path, version: str) -> bool:
    """Whether this is CPython of that version, with the module venv: pyenv has placeholders for Pythons that it would not start."""
    code = "import sys, venv; assert sys.implementation.name == 'cpython'; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([path, "-I", "-c", code], capture_output=True, text=True)
    except OSError:
        return False
    return done.returncode == 0 and done.stdout.strip() == version


def obtain(version: str, folder: Path, report: Report) -> Python | None:
    """From Debian, if this is Debian."""
    try:
        packages = [f"python{version}-{part}" for part in ("dev", "venv")]
        root = debian.unpack(folder / f"debian-{version}", DEBIAN_SUITE, "amd64", packages)
    except (debian.Unavailable, OSError) as problem:
        report(f"Python {version} is not on this machine, and Debian's cannot be had: {problem}")
        return None
    path = root / "usr" / "bin" / f"python{version}"
    debian.make_runnable(path, root)
    include = (root / "usr" / "include").resolve()
    python = Python(version, path.resolve(), {"CFLAGS": f"-idirafter {include}"})
    return python if works(python.path, version) else None
