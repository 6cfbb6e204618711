"""Files that have disappeared since an earlier run."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator

from .known import Known
from .paths import path_bytes, path_text
from .sinks import Sink


def gone(sink: Sink, known: Known, roots: list[bytes]) -> Iterator[list[str]]:
    """Paths in the database below the folders among ``roots`` that a whole run did not meet and that do
    not exist any more, some at a time. Those given may be deleted meanwhile."""
    if not len(known) or known.met.all():
        return
    kept = ""
    for folder in sorted(path_text(root.rstrip(b"/")) + "/" for root in roots if os.path.isdir(root)):
        if kept and folder.startswith(kept):
            continue
        kept = folder
        last = folder
        while page := sink.paths(last, folder[:-1] + "0"):  # the character after the slash
            last = page[-1]
            lost = [path for path, met in zip(page, known.has_met(page), strict=True) if not met and not _exists(path)]
            if lost:
                yield lost


def _exists(path: str) -> bool:
    """Whether a file is there, or the archive it is a member of; what cannot be asked counts as there."""
    while True:
        try:
            os.lstat(path_bytes(path))
        except OSError as problem:
            if problem.errno not in (errno.ENOENT, errno.ENOTDIR):
                return True
        else:
            return True
        path, member, _ = path.rpartition("!/")
        if not member:
            return False
