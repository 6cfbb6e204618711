"""The options of a run."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import Literal, TypeAlias, TypedDict

from midiopt.limits import BATCH_SIZE, FILE_TIMEOUT, MAX_EVENTS, MAX_FILE_BYTES, SINK_TIMEOUT, WRITERS, check_option

Prune: TypeAlias = bool | Literal["all"]  # "all": also where so much is missing that the disk may not be mounted


class RunOverrides(TypedDict, total=False):
    """RunOptions as keyword arguments, for the signature of run()."""

    workers: int | None
    batch_size: int
    writers: int
    sink_timeout: float
    follow_links: bool
    file_timeout: float
    max_file_bytes: int
    max_events: int
    tracks: bool
    column: str | None
    keep_old: bool
    prune: Prune
    log: str | os.PathLike[str] | None


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How a run works. Raises ValueError for a value outside its range."""

    workers: int | None = None
    """Number of worker processes; None for one per available core, of a container those of its quota."""

    batch_size: int = BATCH_SIZE
    """Number of files per transaction."""

    writers: int = WRITERS
    """Number of batches that PostgreSQL commits at the same time, each over its own connection. SQLite has one writer."""

    sink_timeout: float = SINK_TIMEOUT
    """Seconds to wait for an unavailable or locked database."""

    follow_links: bool = False
    """Follow symbolic links in folders."""

    file_timeout: float = FILE_TIMEOUT
    """Seconds after which a file is given up as `crashed`."""

    max_file_bytes: int = MAX_FILE_BYTES
    """Size in bytes above which a file is `rejected`."""

    max_events: int = MAX_EVENTS
    """Number of events above which a file is `rejected`."""

    tracks: bool = False
    """Also store facts of each track, in the table `tracks`. A content that was analysed without is analysed again."""

    column: str | None = None
    """The column of Parquet and Arrow files that has the MIDI files, where it is not found by itself. Its name is then part of the
    members' paths, and such files are read again even if they are unchanged."""

    keep_old: bool = False
    """Keep the results of older analyser versions instead of analysing their files again."""

    prune: Prune = False
    """Delete the rows of files that no longer exist. Of a folder that is empty, or that lacks more than a tenth of its files and more
    than a hundred, only with ``"all"``: its disk may not be mounted."""

    log: str | os.PathLike[str] | None = None
    """File to which the run's events and all files that are not `ok` are appended, one JSON object per line."""

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            try:
                check_option(name, value)
            except ValueError as problem:
                raise ValueError(f"{name} {problem}") from None
        if self.log is not None:
            object.__setattr__(self, "log", os.fspath(self.log))
