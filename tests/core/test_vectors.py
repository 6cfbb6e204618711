"""The loops over lags are vector code: gcc says so of more loops than it vectorises, so the disassembly is read."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from midiopt.core import build
from midiopt.core.rhythm import autocorrelation, beat_network

# The packed instructions that the innermost loop of each kernel is made of.
KERNELS = {
    "onset_autocorrelation": (autocorrelation, "vpmullw", "vpaddw"),
    "smooth_lags": (autocorrelation, "vpaddd"),
    "waves": (autocorrelation, "vmulpd", "vaddpd", "vsubpd"),
    "score": (beat_network, "vmulpd", "vaddpd"),
}

PROCESSOR = Path("/proc/cpuinfo")
HAS_AVX2 = "-march=x86-64-v3" in build.flags or ("-march=native" in build.flags and " avx2 " in PROCESSOR.read_text())


def disassembly(module: ModuleType, function: str) -> list[str]:
    """The instructions of a compiled function, each as mnemonic and operands."""
    listing = subprocess.run(["objdump", "-d", "--no-show-raw-insn", module.__file__], capture_output=True, text=True, check=True).stdout
    body = re.search(rf"<\w*_{function}>:\n((?:.+\n)+)", listing)
    assert body, f"{function} is not a function of its own"
    return [line.partition(":")[2].strip() for line in body[1].splitlines()]


@pytest.mark.skipif(platform.machine() != "x86_64", reason="reads x86-64 instructions")
@pytest.mark.skipif(build.mode in ("baseline", "debug", "sanitize"), reason="not built to be fast")
@pytest.mark.skipif(not HAS_AVX2, reason="built for a processor without AVX2")
@pytest.mark.skipif(shutil.which("objdump") is None, reason="needs objdump")
@pytest.mark.parametrize("function", KERNELS)
def test_kernels_are_vector_code(function):
    module, *mnemonics = KERNELS[function]
    instructions = disassembly(module, function)
    for mnemonic in mnemonics:
        packed = [i for i in instructions if re.match(rf"{mnemonic}\s.*%[yz]mm", i)]
        assert packed, f"no {mnemonic} on whole registers in {function}"
    scalar = [i for i in instructions if re.match(r"imul\b", i)]
    assert scalar == []
