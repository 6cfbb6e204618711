"""Reading against mapping, by the size of the file, from memory and from the disk.

A file is read and hashed, as a worker does before anything else: a map that nobody looks at costs
nothing. Cold means that the kernel was asked to forget the file (posix_fadvise, DONTNEED) before each
turn; whether it did is looked at.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import xxhash

from midiopt.sources.reader import READERS, Reader

SIZES = tuple(4**i << 10 for i in range(8))  # 1 KB to 16 MB
WARM_BYTES, COLD_BYTES = 32 << 20, 16 << 20  # a turn
MOST_WARM, MOST_COLD = 1000, 100  # files a turn


def write(folder: Path, size: int) -> list[bytes]:
    """Enough files of that size for a turn, on the disk."""
    paths = []
    content = os.urandom(size)
    for i in range(max(1, min(MOST_WARM, WARM_BYTES // size))):
        path = folder / f"{size}-{i}"
        path.write_bytes(content)
        paths.append(os.fsencode(path))
    os.sync()  # what is not written yet cannot be forgotten
    return paths


def forget(paths: list[bytes]) -> None:
    for path in paths:
        fd = os.open(path, os.O_RDONLY)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(fd)


def forgotten(path: bytes) -> bool:
    """Whether a read of this file has to wait for the disk."""
    fd = os.open(path, os.O_RDONLY)
    try:
        return os.preadv(fd, [bytearray(1)], 0, os.RWF_NOWAIT) < 0
    except BlockingIOError:
        return True
    except OSError:  # a file system that cannot tell
        return False
    finally:
        os.close(fd)


def timed(paths: list[bytes], reader: Reader) -> float:
    began = time.perf_counter()
    for path in paths:
        reader.read(path)
        xxhash.xxh3_128_digest(reader)
    return (time.perf_counter() - began) / len(paths)


def turns(paths: list[bytes], cold: bool, rounds: int) -> Iterator[dict[str, float]]:
    """Seconds a file, by reader, once a round in an order that turns."""
    order = [(name, READERS[name]()) for name in ("mmap", "read")]
    size = os.path.getsize(paths[0])
    if cold:
        paths = paths[: max(1, min(MOST_COLD, COLD_BYTES // size))]
    for _ in range(rounds):
        seconds = {}
        for name, reader in order:
            if cold:
                forget(paths)
            else:
                timed(paths, reader)
            seconds[name] = timed(paths, reader)
        yield seconds
        order.reverse()
