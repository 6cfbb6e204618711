"""The nine optimisations, the speed-up that was expected of each, and the switches that measure it.

The expectations are those of the program that midiopt replaces; it did not measure them. A switch is one
workload in several variants with everything else equal: first the variant with the optimisation, then
those without it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Variant:
    """How a timing process does the work: the workload's name in timing_process.py, the build, the malloc."""

    workload: str
    build: str = "release"
    allocator: str = "system"


@dataclass(frozen=True)
class Optimisation:
    """What was expected of an optimisation."""

    expected: tuple[float, float]  # range of the speed-up
    off: str  # the variant that the expectation refers to
    default: str  # whether a run uses it


OPTIMISATIONS = {
    "allocator": Optimisation((1.10, 1.20), "glibc", "no"),
    "memory-mapped reads": Optimisation((1.20, 1.30), "read()", "no"),
    "batch writes": Optimisation((3.0, 5.0), "INSERT per row", "yes"),
    "native flags": Optimisation((1.15, 1.25), "baseline", "yes"),
    "pipeline": Optimisation((2.0, 3.0), "sequential", "yes"),
    "SIMD": Optimisation((2.0, 4.0), "-fno-tree-vectorize", "yes"),
    "warm connections": Optimisation((1.10, 1.15), "one connection per batch", "yes"),
    "PGO": Optimisation((1.10, 1.20), "release", "yes, with `make pgo`"),
    "arena": Optimisation((1.05, 1.15), "malloc and free per file", "yes"),
    "all together": Optimisation((4.0, 6.0), "all off", "yes"),
}

# Measured in processor time by timing processes: (optimisation, workload): variants by name.
SWITCHES: dict[tuple[str, str], dict[str, Variant]] = {
    ("allocator", "files to rows, jemalloc"): {"jemalloc": Variant("rows", allocator="jemalloc"), "glibc": Variant("rows")},
    ("allocator", "files to rows, mimalloc"): {"mimalloc": Variant("rows", allocator="mimalloc"), "glibc": Variant("rows")},
    ("memory-mapped reads", "files to rows"): {"mmap()": Variant("rows, mapped files"), "read()": Variant("rows")},
    ("native flags", "bytes to facts"): {
        "release": Variant("facts"),
        "release for any x86-64": Variant("facts", "x86-64"),
        "baseline": Variant("facts", "baseline"),
    },
    ("SIMD", "bytes to facts"): {"vectorised": Variant("facts"), "-fno-tree-vectorize": Variant("facts", "scalar")},
    ("PGO", "bytes to facts"): {"pgo-use": Variant("facts", "pgo-use"), "release": Variant("facts")},
    ("PGO", "bytes to events"): {"pgo-use": Variant("events", "pgo-use"), "release": Variant("events")},
    ("arena", "bytes to facts"): {"one, reused": Variant("facts"), "malloc and free per file": Variant("facts, new arena")},
    ("arena", "bytes to events"): {
        "one, reused": Variant("events"),
        "malloc and free per file": Variant("events, new arena"),
        "one Python object per event": Variant("events, objects"),
    },
}
