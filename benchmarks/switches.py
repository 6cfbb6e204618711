"""The nine ideas under test: what was once expected of each, and the switches that show what it does.

The expectations are those of the program that midiopt descends from, as ratios of speed; it measured
none of them. A switch is one work done in several ways with all else equal: first with the idea, then
the ways without it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Way:
    """How a player does a work: the work's name in timing_process.py, in which build, under which malloc."""

    work: str
    build: str = "release"
    allocator: str = "system"


@dataclass(frozen=True)
class Idea:
    expected: tuple[float, float]  # times as fast
    off: str  # the way without it that the expectation speaks of
    kept: str


IDEAS = {
    "allocator": Idea((1.10, 1.20), "glibc", "no"),
    "memory-mapped reads": Idea((1.20, 1.30), "read()", "no"),
    "batch writes": Idea((3.0, 5.0), "INSERT a row", "yes"),
    "native flags": Idea((1.15, 1.25), "baseline", "yes"),
    "pipeline": Idea((2.0, 3.0), "in sequence", "yes"),
    "SIMD": Idea((2.0, 4.0), "-fno-tree-vectorize", "yes"),
    "warm connections": Idea((1.10, 1.15), "a connection a batch", "yes"),
    "PGO": Idea((1.10, 1.20), "release", "yes, by `make pgo`"),
    "arena": Idea((1.05, 1.15), "malloc and free a file", "yes"),
    "the whole": Idea((4.0, 6.0), "everything off", "yes"),
}

# Timed in processor time by players: (idea, work): what is done, by label.
SWITCHES: dict[tuple[str, str], dict[str, Way]] = {
    ("allocator", "files to rows, jemalloc"): {"jemalloc": Way("rows", allocator="jemalloc"), "glibc": Way("rows")},
    ("allocator", "files to rows, mimalloc"): {"mimalloc": Way("rows", allocator="mimalloc"), "glibc": Way("rows")},
    ("memory-mapped reads", "files to rows"): {"mmap()": Way("rows mapped"), "read()": Way("rows")},
    ("native flags", "bytes to facts"): {
        "release": Way("facts"),
        "release for any x86-64": Way("facts", "x86-64"),
        "baseline": Way("facts", "baseline"),
    },
    ("SIMD", "bytes to facts"): {"vectorised": Way("facts"), "-fno-tree-vectorize": Way("facts", "scalar")},
    ("PGO", "bytes to facts"): {"pgo-use": Way("facts", "pgo-use"), "release": Way("facts")},
    ("PGO", "bytes to events"): {"pgo-use": Way("events", "pgo-use"), "release": Way("events")},
    ("arena", "bytes to facts"): {"one, reused": Way("facts"), "malloc and free a file": Way("facts anew")},
    ("arena", "bytes to events"): {
        "one, reused": Way("events"),
        "malloc and free a file": Way("events anew"),
        "a Python object an event": Way("events as objects"),
    },
}
