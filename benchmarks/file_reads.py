"""read() against mmap(), by file size, from memory and from the disk.

A file is read and hashed, as a worker does first: a mapping that nobody touches costs nothing. Cold means
that the kernel was asked to drop the file from its cache (posix_fadvise, DONTNEED) before each measurement,
and that it did.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import xxhash

from midiopt.sources.reader import Reader
from midiopt.sources.readers import READERS

SIZES = tuple(4**i << 10 for i in range(8))  # 1 KB to 16 MB
WARM_BYTES, COLD_BYTES = 32 << 20, 16 << 20  # per measurement
MAX_WARM_FILES, MAX_COLD_FILES = 1000, 100  # per measurement


def write(folder: Path, size: int) -> list[bytes]:
    """Write enough files of one size for a measurement."""
    paths = []
    content = os.urandom(size)
    for i in range(max(1, min(MAX_WARM_FILES, WARM_BYTES // size))):
        path = folder / f"{size}-{i}"
        path.write_bytes(content)
        paths.append(os.fsencode(path))
    os.sync()  # the kernel cannot drop what is not written yet
    return paths


def drop_from_cache(paths: list[bytes]) -> None:
    """Ask the kernel to drop files from its cache."""
    for path in paths:
        fd = os.open(path, os.O_RDONLY)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(fd)


def is_cached(path: bytes) -> bool:
    """Whether a read of this file returns without waiting for the disk."""
    fd = os.open(path, os.O_RDONLY)
    try:
        return os.preadv(fd, [bytearray(1)], 0, os.RWF_NOWAIT) >= 0
    except BlockingIOError:
        return False
    except OSError:  # the file system does not support the question
        return True
    finally:
        os.close(fd)


def seconds_per_file(paths: list[bytes], reader: Reader) -> float:
    """Wall-clock seconds to read and hash a file, the mean."""
    start = time.perf_counter()
    for path in paths:
        reader.read(path)
        xxhash.xxh3_128_digest(reader)
    return (time.perf_counter() - start) / len(paths)


def rounds(paths: list[bytes], cold: bool, count: int) -> Iterator[dict[str, float]]:
    """Seconds per file, by reader; the order is reversed every round."""
    readers = [(name, READERS[name]()) for name in ("mmap", "read")]
    size = os.path.getsize(paths[0])
    if cold:
        paths = paths[: max(1, min(MAX_COLD_FILES, COLD_BYTES // size))]
    for _ in range(count):
        seconds = {}
        for name, reader in readers:
            if cold:
                drop_from_cache(paths)
            else:
                seconds_per_file(paths, reader)
            seconds[name] = seconds_per_file(paths, reader)
        yield seconds
        readers.reverse()
