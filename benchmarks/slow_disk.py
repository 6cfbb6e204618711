"""A disk on which each open, read, stat and opendir takes milliseconds, as over a network: slow_disk.c, compiled and preloaded."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_suffix(".c")


def compile_into(folder: Path) -> Path:
    """Compile the library; SystemExit if there is no compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if not compiler:
        raise SystemExit("a slow disk needs a C compiler: install gcc")
    library = folder / "slow_disk.so"
    command = [compiler, "-O2", "-U_FORTIFY_SOURCE", "-shared", "-fPIC", "-o", str(library), str(SOURCE)]
    subprocess.run(command, check=True)
    return library


def environment(library: Path, path: Path, milliseconds: float, base: dict[str, str], calls: str = "open read stat") -> dict[str, str]:
    """``base`` for a process for which these calls on what lies at or below ``path`` are slow; opendir counts as stat."""
    preload = " ".join(filter(None, (base.get("LD_PRELOAD"), str(library))))
    slow = {"SLOW_DISK_PATH": str(path), "SLOW_DISK_US": str(round(milliseconds * 1000)), "SLOW_DISK_CALLS": calls}
    return base | slow | {"LD_PRELOAD": preload}
