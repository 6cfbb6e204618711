"""Size and modification time of a file: what shows that it has changed."""

from __future__ import annotations

import os
from typing import NamedTuple, Self


class FileState(NamedTuple):
    """A file is taken for unchanged while both stay equal."""

    size: int  # bytes
    mtime_ns: int

    @classmethod
    def from_stat(cls, info: os.stat_result) -> Self:
        """The state that ``os.stat`` reports."""
        return cls(info.st_size, info.st_mtime_ns)
