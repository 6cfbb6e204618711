"""Preload jemalloc or mimalloc into the workers instead of the C library's malloc, for measurements (experiments.py).

A worker hardly allocates (one arena, reused), so the system allocator is the default.
"""

from __future__ import annotations

import os

from midiopt.errors import MidioptError

ALLOCATORS = {"system": "", "jemalloc": "libjemalloc2", "mimalloc": "libmimalloc2.0"}  # name: Debian package


def preload(name: str) -> dict[str, str]:
    """The environment variables of a process that runs under this allocator. Raises MidioptError when the library is missing."""
    if name == "system":
        return {}
    import ctypes.util  # 30 ms that other runs do not need

    library = ctypes.util.find_library(name)
    if library is None:
        raise MidioptError(f"{name} is not installed; on Debian: apt install {ALLOCATORS[name]}")
    return {"LD_PRELOAD": " ".join(filter(None, (library, os.environ.get("LD_PRELOAD"))))}
