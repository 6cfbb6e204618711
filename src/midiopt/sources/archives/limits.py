"""What an archive may ask for before it is given up."""

from __future__ import annotations

from typing import NamedTuple

from midiopt.limits import MAX_FILE_BYTES

# Data that expands by more than this is a decompression bomb. 16,894 real MIDI files in one tar shrink to 30 % with gzip.
BOMB_RATIO = 200
BOMB_ERROR = f"decompression bomb: expands to more than {BOMB_RATIO} times its compressed size"
MAX_DICTIONARY_BYTES = 256 << 20  # of memory that compressed data may ask for; xz -9 asks for 65 MB
MAX_OPEN = 4  # archives per worker, as many as it has tasks queued
MAX_DEPTH = 2  # of archives inside archives


class ArchiveLimits(NamedTuple):
    """The limits that depend on the options of the run, or that tests lower."""

    max_file_bytes: int = MAX_FILE_BYTES  # of a member, decompressed
    bomb_min_bytes: int = 64 << 20  # bytes that an archive may expand to before BOMB_RATIO applies
    nested_bomb_min_bytes: int = 1 << 20  # the same for an archive inside another
    max_nested_members: int = 100_000  # of an archive inside another: their rows, about 50 MB, travel in one message


DEFAULT_LIMITS = ArchiveLimits()
