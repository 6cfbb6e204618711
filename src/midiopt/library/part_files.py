"""Files that are written under a name of their own until they are complete, and those that a killed program has left.

A part is locked until it has its name. The lock ends with its process, however that ends, so that the next program can tell.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets

RANDOM = "[0-9a-f]{16}"


def part_name(name: str) -> str:
    """A new name for the part of `name`: in every container the process has the same number."""
    return f"{name}.{secrets.token_hex(8)}.part"


def open_part(name: str, folder: int | None = None) -> int:
    """Make and lock the part; in the folder with this descriptor. Returns its own descriptor."""
    while True:
        descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666, dir_fd=folder)
        with contextlib.suppress(OSError):  # not every file system has locks; there nobody deletes a part, either
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return descriptor
        os.close(descriptor)  # deleted as one that was left, before it was locked


def remove_left_parts(folder: str | int, name: str) -> None:
    """Delete the parts of `name` in a folder whose programs have ended."""
    pattern = re.compile(re.escape(name) + rf"\.{RANDOM}\.part")
    with contextlib.suppress(OSError):
        directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC) if isinstance(folder, str) else os.dup(folder)
        try:
            for part in filter(pattern.fullmatch, os.listdir(directory)):
                _remove_if_left(directory, part)
        finally:
            os.close(directory)


def _remove_if_left(folder: int, part: str) -> None:
    with contextlib.suppress(OSError):
        descriptor = os.open(part, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(part, dir_fd=folder)
        finally:
            os.close(descriptor)
