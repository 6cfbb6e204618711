"""What an archive may ask for before it is given up: all limits, each a line in docs/archives.md."""

from __future__ import annotations

from typing import NamedTuple

from midiopt.limits import MAX_FILE_BYTES

# Data that expands by more than this is a decompression bomb. 16,894 real MIDI files in one tar shrink to 30 % with gzip.
BOMB_RATIO = 200
BOMB_ERROR = f"decompression bomb: expands to more than {BOMB_RATIO} times its compressed size"
OVERLAP_ERROR = "overlapping members"

# A song takes 80 bytes and more in an archive, compressed and with its headers.
BYTES_PER_ROW = 16
MIN_NESTED_ROWS = 16
ROWS_ERROR = "too many members for its size"

# A zip of songs takes 0.02 to 0.13 s per MiB. Processor time, because a slow disk is no fault of the archive.
CPU_BYTES_PER_SECOND = 1 << 20
TIME_ERROR = "reading it takes too much processor time for its size"

MAX_DICTIONARY_BYTES = 256 << 20  # of memory that compressed data may ask for; xz -9 asks for 65 MB
MAX_OPEN = 4  # archives per worker, as many as it has tasks queued
MAX_DEPTH = 2  # of archives inside archives


class ArchiveLimits(NamedTuple):
    """What depends on the options of the run, or what tests lower."""

    max_file_bytes: int = MAX_FILE_BYTES  # of a member, decompressed
    bomb_min_bytes: int = 64 << 20  # bytes that an archive may expand to before BOMB_RATIO applies
    nested_bomb_min_bytes: int = 1 << 20  # the same for an archive inside another
    min_rows: int = 10_000  # members that an archive may have before BYTES_PER_ROW applies
    max_nested_members: int = 100_000  # of an archive inside another: their rows, about 50 MB, travel in one message
    min_cpu_seconds: float = 60.0  # that an archive may take before CPU_BYTES_PER_SECOND applies
    column: str | None = None  # with the contents of a table; None: it is found


DEFAULT_LIMITS = ArchiveLimits()


def max_rows(size: int, limits: ArchiveLimits = DEFAULT_LIMITS) -> int:
    """Members that an archive of this size may have, those of archives inside it not counted."""
    return limits.min_rows + size // BYTES_PER_ROW


def max_nested_rows(compressed_size: int) -> int:
    """Members that all archives inside one member may have."""
    return MIN_NESTED_ROWS + compressed_size // BYTES_PER_ROW


def max_cpu_seconds(size: int, limits: ArchiveLimits = DEFAULT_LIMITS) -> float:
    """Processor time that reading and analysing an archive of this size may take."""
    return limits.min_cpu_seconds + size / CPU_BYTES_PER_SECOND
