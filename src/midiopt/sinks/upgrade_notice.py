"""How far the upgrade of a large database is: a million files take minutes, and a run shows nothing before it has opened its database."""

from __future__ import annotations

import time
from collections.abc import Callable

from midiopt.schema import SCHEMA_VERSION

FIRST, INTERVAL = 2.0, 10.0  # seconds before the first notice, and between two


class UpgradeNotice:
    """Called with a number of rows that have been copied, it tells the user now and then which share that is.

    `count` returns the number of all rows.
    """

    def __init__(self, path: str, version: int | None, count: Callable[[], int], notify: Callable[[str], None]) -> None:
        self._start = f"{path} is brought from schema {version} to {SCHEMA_VERSION}"
        self._count = count
        self._notify = notify
        self._began = time.monotonic()
        self._next = self._began + FIRST
        self._rows = self._total = 0

    def __call__(self, rows: int) -> None:
        self._rows += rows
        now = time.monotonic()
        if now < self._next:
            return
        self._total = self._total or self._count()
        share = self._rows / max(self._total, self._rows)
        left = (now - self._began) * (1 - share) / share
        self._notify(f"{self._start}: {share:.0%}, about {f'{left / 60:.0f} minutes' if left > 100 else f'{left:.0f} seconds'} left")
        self._next = now + INTERVAL
