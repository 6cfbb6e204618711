"""Whether the build under test contains vector code that the disassembly can show."""

from __future__ import annotations

import platform
import shutil
from pathlib import Path

import pytest

from midiopt.core import build


def _has_avx2() -> bool:
    processor = Path("/proc/cpuinfo")
    native = "-march=native" in build.flags and processor.exists() and " avx2 " in processor.read_text()
    return native or "-march=x86-64-v3" in build.flags


needs_avx2 = pytest.mark.skipif(
    platform.machine() != "x86_64"
    or build.mode not in ("release", "pgo-generate", "pgo-use")
    or not _has_avx2()
    or not build.compiler.startswith("gcc ")
    or shutil.which("objdump") is None,
    reason="needs objdump and an optimised build by gcc for x86-64 with AVX2",
)
