"""The kernels are vector code: gcc reports more loops as vectorised than it vectorises, so the disassembly is read."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from midiopt.core.harmony import chords, key_evidence
from midiopt.core.notes import block_pairing
from midiopt.core.rhythm import autocorrelation, beat_network, beat_tracker, meter_quantized, onsets, pulse_scores
from tests.helpers.vector_code import needs_avx2

CORE = Path(__file__).parents[2] / "src" / "midiopt" / "core"

# The packed instructions that the innermost loop of each kernel is made of.
KERNELS: dict[str, tuple[ModuleType, tuple[str, ...]]] = {
    "add_windows": (autocorrelation, ("vpaddb", "vpmullw", "vpaddw")),
    "smooth_lags": (autocorrelation, ("vpaddd",)),
    "fourier_at_multiples": (autocorrelation, ("vmulpd", "vaddpd", "vsubpd")),
    "rate_candidate": (beat_network, ("vmulpd", "vaddpd")),
    "place_onsets": (onsets, ("vmulpd", "vaddpd")),
    "rate_pulses": (pulse_scores, ("vmulps", "vaddps", "vdivps")),
    "choose_track": (beat_tracker, ("vmulps", "vaddps", "vdivps")),
    "meter_from_slots": (meter_quantized, ("vmulpd",)),
    "score_meters": (meter_quantized, ("vpcmpeqw", "vmulpd")),
    "estimate_chords": (chords, ("vpaddw", "vpmaxsw")),
    "pair_in_blocks": (block_pairing, ("vpcmpeqd", "vpsllvd")),
    "note_evidence": (key_evidence, ("vsqrtpd", "vmulpd", "vaddpd")),
}
# Not smooth_lags: in pgo-use, its factor 6 is a product in the scalar rest of the loop.
WITHOUT_SCALAR_PRODUCTS = ("add_windows", "fourier_at_multiples", "rate_candidate")

# A local array of numbers of at least 32 bytes, which a vector of the kernel could be written to.
LOCAL_ARRAY = re.compile(r"^    +cdef (?:u?int\d*(?:_t)?|size_t|float|double)(?:(?:\[\w[^]]*\])+ \w| \w+\[)", re.M)
SMALL_ARRAYS = {
    "cdef uint32_t[STRENGTHS]",  # 12 bytes
    "cdef double[STRENGTHS]",  # 24 bytes
    "cdef uint32_t[4]",  # 16 bytes
    "cdef uint64_t[MAX_LOOP]",  # of hashes, one after another
}


def disassembly(function: str) -> list[str]:
    """The instructions of a kernel, each as mnemonic and operands."""
    library = str(KERNELS[function][0].__file__)
    listing = subprocess.run(["objdump", "-d", "--no-show-raw-insn", library], capture_output=True, text=True, check=True).stdout
    body = re.search(rf"<\w*_{function}>:\n((?:.+\n)+)", listing)
    assert body, f"{function} is not a function of its own"
    return [line.partition(":")[2].strip() for line in body[1].splitlines()]


@pytest.mark.parametrize("function", [pytest.param(name, marks=needs_avx2) for name in KERNELS])
def test_kernels_are_vector_code(function: str) -> None:
    instructions = disassembly(function)
    for mnemonic in KERNELS[function][1]:
        packed = [i for i in instructions if re.match(rf"{mnemonic}\s.*%[yz]mm", i)]
        assert packed, f"no {mnemonic} on whole registers in {function}"


@pytest.mark.parametrize("function", [pytest.param(name, marks=needs_avx2) for name in WITHOUT_SCALAR_PRODUCTS])
def test_kernels_multiply_in_vectors_only(function: str) -> None:
    assert [i for i in disassembly(function) if re.match(r"imul\b", i)] == []


@needs_avx2
def test_chords_are_summed_in_vectors() -> None:
    """14 sums of classes and 12 of scores, with the 512 bits of AVX-512; half the kernel's time went into scalar sums of classes."""
    assert len([i for i in disassembly("estimate_chords") if re.match(r"vpaddw\s.*%[yz]mm", i)]) >= 26


@pytest.mark.parametrize("package", ["notes", "rhythm", "harmony", "structure"])
def test_arrays_of_kernels_are_not_on_the_stack(package: str) -> None:
    """gcc 12 has stored vectors of 32 bytes into a stack array that it had placed on a 16-byte boundary."""
    found = {match[0].strip() for path in (CORE / package).glob("*.pyx") for match in LOCAL_ARRAY.finditer(path.read_text())}
    assert {declaration.rpartition(" ")[0] for declaration in found} <= SMALL_ARRAYS


def test_a_local_array_is_found() -> None:
    for line in ("    cdef double[12][LANES] weights", "    cdef int held[64]", "        cdef uint16_t[LAGS] sums, others"):
        assert LOCAL_ARRAY.search(f"def f():\n{line}\n"), line
    for line in ("cdef double[12] MAJOR", "    cdef const double *p", "    double weights[12]", "    cdef char[8] text"):
        assert not LOCAL_ARRAY.search(f"def f():\n{line}\n"), line
