"""libFuzzer and the mutator, which fuzz/run.py has loaded into this process before everything else."""

from __future__ import annotations

import ctypes
import os
from typing import Any

TEST_ONE_INPUT = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t)  # LLVMFuzzerTestOneInput

_process = ctypes.CDLL(None)
_blocks = ctypes.c_uint64.in_dll(_process, "fuzz_blocks") if hasattr(_process, "fuzz_blocks") else ctypes.c_uint64()


def blocks_executed() -> int:
    """The number of basic blocks that all extensions have executed; always 0 in a build without coverage."""
    return _blocks.value


def fuzz(callback: Any, options: list[str]) -> None:
    """Run libFuzzer over a TEST_ONE_INPUT; it ends the process."""
    arguments = [os.fsencode(argument) for argument in ("midiopt", *options)]
    argc = ctypes.c_int(len(arguments))
    argv = (ctypes.c_char_p * (len(arguments) + 1))(*arguments, None)
    _process.LLVMFuzzerRunDriver(ctypes.byref(argc), ctypes.byref(ctypes.cast(argv, ctypes.POINTER(ctypes.c_char_p))), callback)
