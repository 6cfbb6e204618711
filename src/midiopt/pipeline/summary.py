"""The outcome of a run, and how a run reports its progress."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Protocol

from midiopt.schema import STATUSES


@dataclass
class Summary:
    """The outcome of a run. ``duplicates`` counts, over the whole database, files whose content another
    file has too, beyond the first; the other numbers are of this run."""

    files: int = 0  # found
    ok: int = 0
    repaired: int = 0
    rejected: int = 0
    unreadable: int = 0
    crashed: int = 0
    opened: int = 0  # archives; what they hold is among the others
    skipped: int = 0  # unchanged since they were last analysed
    appledouble: int = 0  # what macOS keeps beside files (`._name`, __MACOSX): not found, passed over
    gone: int = 0  # in the database, below a folder or in an archive of this run, and not there any more
    duplicates: int | None = None  # counted at the end of a whole run
    seconds: float = 0.0
    files_per_second: float = 0.0  # analysed
    bytes: int = 0  # of the files analysed
    interrupted: int = field(default=0, repr=False)  # the signal that ended the run early, or 0
    problems: list[str] = field(default_factory=list, repr=False)  # folders that could not be read
    steady_seconds: float = field(default=0.0, repr=False)  # from the first chunk dealt to the last one written

    @property
    def analysed(self) -> int:
        return sum(getattr(self, status) for status in STATUSES if status != "opened")

    def to_json(self) -> dict[str, int | float | list[str] | None]:
        private = ("interrupted", "steady_seconds")
        return {name: round(v, 3) if isinstance(v, float) else v for name, v in asdict(self).items() if name not in private}


class Progress(Protocol):
    """Receives the state of a run while it goes on."""

    def update(self, summary: Summary, seconds: float, total: int | None) -> None:
        """Called several times per second; `total` is the number of files found once the walk is done."""


class NoProgress:
    """Shows nothing."""

    def update(self, summary: Summary, seconds: float, total: int | None) -> None:
        pass
