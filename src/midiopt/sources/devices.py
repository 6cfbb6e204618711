"""The disk that a folder lies on: one that is not mounted, or was removed, leaves an empty folder of another disk, or none."""

from __future__ import annotations

import os


def device_of(folder: bytes) -> str | None:
    """The number of the device that a folder lies on, and the identity of its file system; None if it cannot be told."""
    try:
        return f"{os.stat(folder).st_dev} {os.statvfs(folder).f_fsid}"
    except (OSError, ValueError):
        return None


def is_other_device(known: str, device: str) -> bool:
    """Whether number and identity both differ: the number may change when the machine starts, for some file systems the identity."""
    return not any(a == b for a, b in zip(known.split(), device.split(), strict=False))
