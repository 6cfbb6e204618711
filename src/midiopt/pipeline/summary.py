"""The outcome of a run, and the interface through which a run reports its progress."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Protocol

from midiopt.schema import STATUSES


@dataclass
class Summary:
    """The outcome of a run. All numbers are of this run, except ``duplicates``, which is of the whole database."""

    files: int = 0
    """Found, members of archives included; an archive that is unchanged is not opened, and its members are not counted."""
    ok: int = 0
    """Analysed without a repair."""
    repaired: int = 0
    """Analysed after repairs."""
    rejected: int = 0
    """Read, but no usable MIDI files."""
    unreadable: int = 0
    """Could not be read."""
    crashed: int = 0
    """Crashed their worker process, or exceeded the time limit."""
    opened: int = 0
    """Archives; their members are counted under the other statuses."""
    skipped: int = 0
    """Unchanged since they were last analysed."""
    appledouble: int = 0
    """AppleDouble files (``._name``, __MACOSX) skipped; not among ``files``."""
    links: int = 0
    """Symbolic links in folders, passed because ``follow_links`` is off; not among ``files``."""
    unread_archives: int = 0
    """Archives in folders, passed because their formats (.rar, .7z ...) are not read; not among ``files``."""
    gone: int = 0
    """In the database, below a folder or in an archive of this run, but no longer there."""
    missed: int = 0
    """Of those that are ``gone``, by this run for the first time."""
    moved: int = 0
    """Of those that this run was the first to miss: their bytes are at another path, which is new."""
    returned: int = 0
    """Had been missing, and are back unchanged."""
    deleted: int = 0
    """Rows of missing files, because of ``prune``."""
    duplicates: int | None = None
    """Analysed files whose content an earlier file has; None if the run was interrupted."""
    seconds: float = 0.0
    """Duration of the run in seconds."""
    files_per_second: float = 0.0
    """Files analysed per second of the run."""
    bytes: int = 0
    """Total size of the files analysed."""
    interrupted: int = field(default=0, repr=False)
    """Number of the signal that ended the run early, or 0."""
    problems: list[str] = field(default_factory=list, repr=False)
    """Sources, folders and lines of lists that could not be read."""
    refusals: list[str] = field(default_factory=list, repr=False)
    """Folders whose missing files kept their rows in spite of ``prune``."""
    steady_seconds: float = field(default=0.0, repr=False)
    """Seconds from the first task to the last commit."""

    @property
    def analysed(self) -> int:
        """Number of files that a worker has finished, with any status; without the archives themselves."""
        return sum(getattr(self, status) for status in STATUSES if status != "opened")

    @property
    def has_changes(self) -> bool:
        """Whether the run may have changed a row of the database, other than its own in `runs`."""
        return bool(self.analysed or self.opened or self.missed or self.returned or self.deleted)

    def to_json(self) -> dict[str, int | float | list[str] | None]:
        """The summary as `--json` prints it."""
        private = ("interrupted", "steady_seconds")
        return {name: round(v, 3) if isinstance(v, float) else v for name, v in asdict(self).items() if name not in private}


class Progress(Protocol):
    """Receives the state of a run while it goes on.

    If it has a method ``notice(reason: str)``, that is told, by any thread, what the run waits for: a locked database, a server.
    """

    def update(self, summary: Summary, seconds: float, total: int | None) -> None:
        """Called several times per second. ``total`` is the number of files found, None until the walk is complete."""


class NoProgress:
    """Shows nothing."""

    def update(self, summary: Summary, seconds: float, total: int | None) -> None:
        """Ignore the state."""
