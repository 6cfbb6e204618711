"""Builds of these sources beside the installed one, each from its own copy under build/NAME.

    python -m benchmarks.builds baseline release pgo-use

A copy whose sources, flags and compiler have not changed is used again. Cython translates once, for all
of them. Put what `site` gives in PYTHONPATH and that build is the one imported.
"""

from __future__ import annotations

import argparse
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
TRANSLATED = BUILD / "translated"  # the copy that the others are copies of
COMPILED = ("src", "pgo", "sample", "setup.py", "pyproject.toml")  # what compiling and training read
COPIED = (*COMPILED, "README.md", "LICENSE")  # and what setuptools wants to see
LEFT = shutil.ignore_patterns("*.so", "__pycache__", "*.egg-info", "profile")

MODE = "import midiopt; print(midiopt.build_info()['mode'])"
# Rows and text of the whole sample, as a worker sends them, but for the time they were made.
ROWS = """
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
    mode: str  # MIDIOPT_BUILD
    march: str = ""  # MIDIOPT_MARCH, when it is not what the user says
    cflags: str = ""  # CFLAGS: setuptools puts them before ours, and gcc lets -f options win over -O3 in any order

    @property
    def environment(self) -> dict[str, str]:
        environment = os.environ | {"MIDIOPT_BUILD": self.mode}
        if self.march:
            environment["MIDIOPT_MARCH"] = self.march
        if self.cflags:
            environment["CFLAGS"] = self.cflags
        return environment


BUILDS = {
    "baseline": Build("baseline"),
    "release": Build("release"),
    "pgo-use": Build("pgo-use"),
    "x86-64": Build("release", march="x86-64"),
    "scalar": Build("release", cflags="-fno-tree-vectorize"),
    "valgrind": Build("release", march="x86-64-v3"),  # valgrind knows no AVX-512
    "valgrind-scalar": Build("release", march="x86-64-v3", cflags="-fno-tree-vectorize"),
}
Say = Callable[[str], object]


def site(name: str, say: Say = print) -> Path:
    """Where the build called `name` can be imported from; compiled when it is not there or out of date."""
    folder = BUILD / name
    if not is_current(name):
        _translate(say)
        say(f"compiling {name}")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(TRANSLATED, folder)
        if BUILDS[name].mode == "pgo-use":
            _run(folder, BUILDS[name].environment | {"MIDIOPT_BUILD": "pgo-generate"}, *_COMPILE)
            say(f"training {name}")
            _run(folder, os.environ | {"PYTHONPATH": str(folder / "src")}, "-m", "pgo.train")
            say(f"compiling {name} with its profile")
        _run(folder, BUILDS[name].environment, *_COMPILE)
        (folder / "stamp").write_text(_stamp(BUILDS[name]))
    return folder / "src"


def is_current(name: str) -> bool:
    """Whether that build is there, made of the sources as they are now."""
    stamp = BUILD / name / "stamp"
    return stamp.exists() and stamp.read_text() == _stamp(BUILDS[name])


def environment(where: Path) -> dict[str, str]:
    """The environment of a process that is to import the build at `where`."""
    return os.environ | {"PYTHONPATH": str(where)}


def rows(where: Path) -> str:
    """The rows of the bundled sample as the build at `where` makes them."""
    return _say(where, ROWS, str(ROOT / "sample" / "midi"))


def mode(where: Path) -> str:
    """What the build at `where` says that it is."""
    return _say(where, MODE)


def refuse_differences(names: Iterable[str]) -> None:
    """SystemExit unless all these builds give the same rows, value for value: what differs cannot be compared."""
    first, *others = names
    for other in others:
        if rows(BUILD / first / "src") != rows(BUILD / other / "src"):
            raise SystemExit(f"the builds {first} and {other} give different rows of the bundled sample")


_COMPILE = ("setup.py", "-q", "build_ext", "--inplace", f"-j{len(os.sched_getaffinity(0))}")


def _translate(say: Say) -> None:
    """A copy of the sources with the C that Cython makes of them."""
    stamp = TRANSLATED / "stamp"
    if stamp.exists() and stamp.read_text() == _sources():
        return
    say("translating to C")
    shutil.rmtree(TRANSLATED, ignore_errors=True)
    TRANSLATED.mkdir(parents=True)
    for name in COPIED:
        path = ROOT / name
        if path.is_dir():
            shutil.copytree(path, TRANSLATED / name, ignore=LEFT)
        else:
            shutil.copy2(path, TRANSLATED)
    _run(TRANSLATED, os.environ | {"MIDIOPT_BUILD": "release"}, "setup.py", "--version")  # as every command does
    stamp.write_text(_sources())


def _sources() -> str:
    """A hash of everything a copy is made of, and of Python."""
    seen = hashlib.sha256(sys.version.encode())
    for name in COMPILED:
        path = ROOT / name
        found = sorted(p for p in path.rglob("*") if p.suffix in (".py", ".pyx", ".pxd")) if path.is_dir() else [path]
        for file in found:
            seen.update(f"{file.relative_to(ROOT)} {file.stat().st_size}\n".encode() + file.read_bytes())
    return seen.hexdigest()


@cache
def _compiler() -> str:
    return subprocess.run([os.environ.get("CC", "cc"), "--version"], capture_output=True, text=True, check=True).stdout


def _stamp(build: Build) -> str:
    chosen = (build.mode, build.march or os.environ.get("MIDIOPT_MARCH", ""), build.cflags or os.environ.get("CFLAGS", ""))
    return repr((_sources(), *chosen, _compiler()))


def _run(folder: Path, environment: dict[str, str], *arguments: str) -> None:
    done = subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"in {folder}, {' '.join(arguments)} failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")


def _say(where: Path, code: str, *arguments: str) -> str:
    command = [sys.executable, "-P", "-c", code, *arguments]
    return subprocess.run(command, env=environment(where), capture_output=True, text=True, check=True).stdout.strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", metavar="NAME", nargs="+", choices=BUILDS, help=", ".join(BUILDS))
    for name in parser.parse_args().names:
        print(site(name))


if __name__ == "__main__":
    main()
