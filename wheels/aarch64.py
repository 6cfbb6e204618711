"""A wheel for 64-bit ARM, cross-compiled to show that nothing assumes x86, and its facts, computed under qemu's emulation.

ARM differs where C leaves a choice: char is unsigned there, and a compiler may contract or order floating-point operations otherwise.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from wheels import debian
from wheels.debian import Unavailable

COMPILER = "aarch64-linux-gnu-gcc"
EMULATORS = ("qemu-aarch64-static", "qemu-aarch64")
SUITE, PYTHON = "bookworm", "3.11"  # its C library is as old as the emulator
ELF_MACHINE = 0xB7


def build(sdist: Path, folder: Path) -> Path:
    """Cross-compile the wheel; Unavailable without a cross compiler."""
    if not shutil.which(COMPILER):
        raise Unavailable(f"{COMPILER} is missing: apt install gcc-aarch64-linux-gnu")
    if "{}.{}".format(*sys.version_info) != PYTHON:
        raise Unavailable(f"this is not Python {PYTHON}, whose header files for aarch64 {SUITE} has")
    root = python_root(folder)
    sources = folder / "aarch64-sources"
    shutil.rmtree(sources, ignore_errors=True)
    with tarfile.open(sdist) as archive:
        archive.extractall(sources, filter="data")
    [tree] = sources.iterdir()
    include = root / "usr" / "include"
    environment = os.environ | {
        "CC": COMPILER,
        "LDSHARED": f"{COMPILER} -shared",
        "CFLAGS": f"-I{include / f'python{PYTHON}'} -idirafter {include}",
        "_PYTHON_HOST_PLATFORM": "linux-aarch64",
        "SETUPTOOLS_EXT_SUFFIX": f".cpython-{PYTHON.replace('.', '')}-aarch64-linux-gnu.so",
    }
    environment.pop("MIDIOPT_BUILD", None)
    command = [sys.executable, "setup.py", "--quiet", "bdist_wheel", "--dist-dir", str(folder.resolve())]
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"cross-compiling for aarch64 failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    [wheel] = folder.glob("midiopt-*_aarch64.whl")
    check(wheel)
    return wheel


def check(wheel: Path) -> None:
    """SystemExit unless every extension is one for ARM."""
    with zipfile.ZipFile(wheel) as archive:
        headers = {name: archive.open(name).read(20) for name in archive.namelist() if name.endswith(".so")}
    wrong = [name for name, header in headers.items() if header[18] != ELF_MACHINE]
    if wrong or not headers:
        raise SystemExit(f"{wheel.name}: not compiled for aarch64: {wrong or 'no extension at all'}")


def run(wheel: Path, folder: Path, script: Path, sample: Path) -> str:
    """What the script prints about the sample, run by an emulated Python with this wheel; Unavailable without an emulator."""
    emulator = next(filter(None, map(shutil.which, EMULATORS)), None)
    if not emulator:
        raise Unavailable("qemu is missing: apt install qemu-user-static")
    root, site = python_root(folder), folder / "aarch64-site"
    shutil.rmtree(site, ignore_errors=True)
    platforms = [f"--platform={name}_aarch64" for name in ("linux", "manylinux2014", "manylinux_2_28")]
    install: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "--quiet",
        "install",
        "--target",
        site,
        "--only-binary=:all:",
        f"--python-version={PYTHON}",
    ]
    subprocess.run([*install, *platforms, wheel], check=True)
    environment = {"PYTHONPATH": str(site.resolve()), "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"}
    command: list[str | Path] = [emulator, "-L", root, root / "usr" / "bin" / f"python{PYTHON}", "-P", script, sample, "--facts"]
    return subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


def python_root(folder: Path) -> Path:
    """Debian's Python for ARM, with header files."""
    return debian.unpack(folder / "aarch64", SUITE, "arm64", [f"python{PYTHON}-dev", f"python{PYTHON}-venv"]).resolve()
