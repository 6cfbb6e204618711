"""Builds of these sources beside the installed one, each in its own copy under build/NAME.

    python -m benchmarks.builds baseline release pgo-use

A build whose sources, flags and compiler have not changed is reused. Cython translates to C once for all
builds. A process imports the build whose folder (the result of ``build``) is in its PYTHONPATH.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
TRANSLATED = BUILD / "translated"  # translated to C; every build starts as a copy of it
COMPILED = ("src", "pgo", "sample", "fuzz", "setup.py", "pyproject.toml")  # read by the compiler and by the training
COPIED = (*COMPILED, "README.md", "LICENSE")  # pyproject.toml names these two
IGNORED = shutil.ignore_patterns("*.so", "__pycache__", "*.egg-info", "profile")

PRINT_MODE = "from midiopt.core import build; print(build.mode)"
# The rows and the text heap of the whole sample, as a worker sends them.
PRINT_ROWS = """
import sys
from pathlib import Path
from midiopt.rows.batch import Batch
from midiopt.pipeline.worker import Worker
paths = sorted(str(p).encode() for p in Path(sys.argv[1]).rglob("*") if p.is_file())
batch = Batch.from_bytes(Worker().analyze_files(paths))
print(batch.analyses.tobytes().hex(), batch.heap.hex())
"""


@dataclass(frozen=True)
class Build:
    """The settings of one build; an empty one is the user's."""

    mode: str  # MIDIOPT_BUILD
    march: str = ""  # MIDIOPT_MARCH
    profiled: str = ""  # MIDIOPT_PGO_MODULES
    cflags: str = ""  # CFLAGS: setuptools puts them before those of setup.py, and in gcc -f options override -O3 in any order

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the compiling process."""
        environment = os.environ | {"MIDIOPT_BUILD": self.mode}
        if self.march:
            environment["MIDIOPT_MARCH"] = self.march
        if self.profiled:
            environment["MIDIOPT_PGO_MODULES"] = self.profiled
        if self.cflags:
            environment["CFLAGS"] = self.cflags
        return environment


BUILDS = {
    "baseline": Build("baseline"),
    "release": Build("release"),
    "pgo-generate": Build("pgo-generate"),  # and trained
    "pgo-use": Build("pgo-use"),
    "pgo-use-all": Build("pgo-use", profiled="all"),
    "fuzz": Build("sanitize", cflags=f"-fsanitize-coverage=trace-pc -include {ROOT / 'fuzz' / 'coverage.h'}"),
    "portable": Build("portable"),
    "x86-64": Build("release", march="x86-64"),
    "scalar": Build("release", cflags="-fno-tree-vectorize"),
    "valgrind": Build("release", march="x86-64-v3"),  # valgrind does not support AVX-512
    "valgrind-scalar": Build("release", march="x86-64-v3", cflags="-fno-tree-vectorize"),
}
Report = Callable[[str], object]  # receives a line per step


def build(name: str, report: Report = print) -> Path:
    """The folder that the build called ``name`` is imported from; compiled if it is missing or out of date, by one process at a time."""
    folder = BUILD / name
    BUILD.mkdir(exist_ok=True)
    with (BUILD / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_current(name):
            _compile(name, folder, report)
    return folder / "src"


def _compile(name: str, folder: Path, report: Report) -> None:
    stamp = _stamp(BUILDS[name])  # of what is compiled, even if it is edited meanwhile
    _translate(report)
    report(f"compiling {name}")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(TRANSLATED, folder)
    if BUILDS[name].mode in ("pgo-generate", "pgo-use"):
        _run(folder, BUILDS[name].environment | {"MIDIOPT_BUILD": "pgo-generate"}, *_COMPILE)
        report(f"training {name}")
        _run(folder, environment(folder / "src"), "-m", "pgo.train")
    if BUILDS[name].mode == "pgo-use":
        report(f"compiling {name} with its profile")
    if BUILDS[name].mode != "pgo-generate":
        _run(folder, BUILDS[name].environment, *_COMPILE)
    (folder / "stamp").write_text(stamp)


def is_current(name: str) -> bool:
    """Whether the build exists and was compiled from the present sources."""
    stamp = BUILD / name / "stamp"
    return stamp.exists() and stamp.read_text() == _stamp(BUILDS[name])


def environment(folder: Path) -> dict[str, str]:
    """The environment of a process that imports the build in ``folder``."""
    return os.environ | {"PYTHONPATH": str(folder)}


def rows(folder: Path) -> str:
    """The rows of the bundled sample, computed by the build in ``folder``, as hexadecimal digits."""
    return _output(folder, PRINT_ROWS, str(ROOT / "sample" / "midi"))


def mode(folder: Path) -> str:
    """The mode that the build in ``folder`` reports."""
    return _output(folder, PRINT_MODE)


def check_equal_rows(names: Iterable[str]) -> None:
    """Raise SystemExit unless all these builds give equal rows: builds that differ cannot be compared."""
    first, *others = names
    for other in others:
        if rows(BUILD / first / "src") != rows(BUILD / other / "src"):
            raise SystemExit(f"the builds {first} and {other} give different rows for the bundled sample")


_COMPILE = ("setup.py", "-q", "build_ext", "--inplace", f"-j{len(os.sched_getaffinity(0))}")


def _translate(report: Report) -> None:
    """Copy the sources and translate them to C."""
    stamp, sources = TRANSLATED / "stamp", _hash_of_sources()
    if stamp.exists() and stamp.read_text() == sources:
        return
    report("translating to C")
    shutil.rmtree(TRANSLATED, ignore_errors=True)
    TRANSLATED.mkdir(parents=True)
    for name in COPIED:
        path = ROOT / name
        if path.is_dir():
            shutil.copytree(path, TRANSLATED / name, ignore=IGNORED)
        else:
            shutil.copy2(path, TRANSLATED)
    if (BUILD / "cython").is_dir():  # of the installed build; Cython translates again what is older than its source
        shutil.copytree(BUILD / "cython", TRANSLATED / "build" / "cython")
        _renew([*(TRANSLATED / "build" / "cython").rglob("*.c")])
    _run(TRANSLATED, os.environ | {"MIDIOPT_BUILD": "release"}, "setup.py", "-q", "translate")
    stamp.write_text(sources)


def _renew(translated: list[Path]) -> None:
    """Give the files in C the time of now if all are newer than every source.

    Cython translates again what is older than its own declarations, too: in a new clone pip installs these after it has compiled midiopt.
    """
    sources = [*(ROOT / "src").rglob("*.p[yx][xd]"), ROOT / "setup.py"]
    if translated and min(map(_changed, translated)) > max(map(_changed, sources)):
        for path in translated:
            path.touch()


def _changed(path: Path) -> int:
    return path.stat().st_mtime_ns


def _hash_of_sources() -> str:
    """A hash of every file that compiling and training read, and of the Python version."""
    digest = hashlib.sha256(sys.version.encode())
    for name in COMPILED:
        path = ROOT / name
        found = sorted(p for p in path.rglob("*") if p.suffix in (".py", ".pyx", ".pxd", ".c", ".h", ".tsv")) if path.is_dir() else [path]
        for file in found:
            digest.update(f"{file.relative_to(ROOT)} {file.stat().st_size}\n".encode() + file.read_bytes())
    return digest.hexdigest()


@cache
def _compiler() -> str:
    return subprocess.run([os.environ.get("CC", "cc"), "--version"], capture_output=True, text=True, check=True).stdout


def _stamp(build: Build) -> str:
    flags = (build.mode, build.march or os.environ.get("MIDIOPT_MARCH", ""), build.profiled, build.cflags or os.environ.get("CFLAGS", ""))
    return repr((_hash_of_sources(), *flags, _compiler()))


def _run(folder: Path, environment: dict[str, str], *arguments: str) -> None:
    done = subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"in {folder}, {' '.join(arguments)} failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")


def _output(folder: Path, code: str, *arguments: str) -> str:
    command = [sys.executable, "-P", "-c", code, *arguments]
    return subprocess.run(command, env=environment(folder), capture_output=True, text=True, check=True).stdout.strip()


def main() -> None:
    """Make the builds that the command line names, and print their folders."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", metavar="NAME", nargs="+", choices=BUILDS, help=", ".join(BUILDS))
    for name in parser.parse_args().names:
        print(build(name))


if __name__ == "__main__":
    main()
