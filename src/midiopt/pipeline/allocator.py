"""Another malloc for the workers: jemalloc or mimalloc, put before the C library's by LD_PRELOAD.

An ordinary run hardly allocates (one arena a worker), so this is here to be measured, not to be used.
"""

from __future__ import annotations

import ctypes.util
import os

from midiopt.errors import MidioptError

ALLOCATORS = {"system": "", "jemalloc": "libjemalloc2", "mimalloc": "libmimalloc2.0"}  # Debian's package of each


def preload(name: str) -> dict[str, str]:
    """The environment variable that a worker under this allocator needs. Raises MidioptError without the library."""
    if name == "system":
        return {}
    library = ctypes.util.find_library(name)
    if library is None:
        raise MidioptError(f"{name} is not installed; on Debian: apt install {ALLOCATORS[name]}")
    return {"LD_PRELOAD": " ".join(filter(None, (library, os.environ.get("LD_PRELOAD"))))}
