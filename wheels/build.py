"""Build the source distribution and the wheel, check them, install both in every Python that can be had, and run the sample there.

    python -m wheels.build [--python VERSION ...] [--no-sdist-installs]       (make wheel; about half an hour on two cores)

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
    """The environment without what chooses a build, a level or a search path."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("MIDIOPT_", "PYTHON"))}


def build() -> tuple[Path, Path]:
    """The source distribution, and the wheel that is built from it."""
    shutil.rmtree(DIST, ignore_errors=True)
    start = time.monotonic()
    run(sys.executable, "-m", "build", "--outdir", DIST, ROOT)
    [sdist], [built] = DIST.glob("*.tar.gz"), DIST.glob("*.whl")
    report(f"built in {time.monotonic() - start:.0f} s: {sdist.name} ({size(sdist)}), {built.name}")
    run(sys.executable, "-m", "auditwheel", "repair", "--wheel-dir", DIST, built)
    built.unlink()
    [wheel] = DIST.glob("*.whl")
    report(f"auditwheel: {wheel.name} ({size(wheel)})")
    if "-abi3-" in wheel.name:
        report(f"abi3audit: {run(sys.executable, '-m', 'abi3audit', '--strict', '--summary', wheel).strip() or 'no violation'}")
    return sdist, wheel


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


def environment_of(python: Python, distribution: Path, folder: Path) -> Path:
    """The interpreter of a new environment with this distribution."""
    run(python.path, "-m", "venv", "--without-pip", folder)
    run(sys.executable, "-m", "pip", "--quiet", "--python", folder / "bin" / "python", "install", distribution, **python.environment)
    return folder / "bin" / "python"


def use(interpreter: Path, level: str = "") -> Found:
    """Run the sample with an installed midiopt; SystemExit if that loses a file."""
    found: Found = json.loads(run(interpreter, "-P", SCRIPT, SAMPLE, **({"MIDIOPT_LEVEL": level} if level else {})))
    if found["failed"] or found["rows"] != found["files"] or (level and found["build"]["level"] != level):
        raise SystemExit(f"{interpreter}: {found}")
    return found


def try_everywhere(found: list[Python], distribution: Path, levels: list[str], expected: str) -> None:
    """Install the distribution in every Python, and compare the facts at every level with those expected."""
    for python in found:
        start = time.monotonic()
        with tempfile.TemporaryDirectory(dir=WORK) as folder:
            interpreter = environment_of(python, distribution, Path(folder, "environment"))
            installed = time.monotonic() - start
            chosen = use(interpreter)
            results = [chosen, *(use(interpreter, level) for level in levels if level <= processor.level)]
        if {result["facts"] for result in results} != {expected}:
            raise SystemExit(f"{distribution.name} in Python {python.version}: other facts than the native build: {results}")
        tried = ", ".join(result["build"]["level"] or "no levels" for result in results[1:] or results)
        report(f"  Python {chosen['python']}: installed in {installed:.0f} s, chose {chosen['build']['level'] or 'none'}, equal facts: {tried}")


def fail_without_compiler(sdist: Path) -> None:
    """Install the source distribution where there is no compiler; SystemExit unless that says what to install, and soon."""
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        environment = Path(folder, "environment")
        run(sys.executable, "-m", "venv", "--without-pip", environment)
        command = [sys.executable, "-m", "pip", "--python", environment / "bin" / "python", "install", sdist]
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
    parser.add_argument("--python", nargs="+", metavar="VERSION", default=pythons.VERSIONS, help="(default: all)")
    parser.add_argument("--no-sdist-installs", action="store_true", help="do not compile once more per Python")
    options = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    expected = use(Path(sys.executable))["facts"]
    report(f"the native build: {midiopt.build_info()['mode']}, on a processor of level {processor.level or 'without name'}")
    sdist, wheel = build()
    levels = levels_of(wheel)
    report(f"levels: {', '.join(levels) or 'none'}")
    report(run(sys.executable, "-m", "cibuildwheel", "--platform", "linux", "--print-build-identifiers", ROOT).strip())
    fail_without_compiler(sdist)
    found = [python for python in pythons.find(WORK, report) if python.version in options.python]
    report(f"the wheel, in {len(found)} new environments:")
    try_everywhere(found, wheel, levels, expected)
    try_aarch64(sdist, expected)
    if not options.no_sdist_installs:
        report("the source distribution, compiled in each:")
        try_everywhere(found, sdist, levels, expected)


if __name__ == "__main__":
    main()
