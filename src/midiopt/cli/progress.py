"""Progress of a run on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from midiopt.pipeline.summary import Summary

if TYPE_CHECKING:
    from midiopt.cli.run_view import RunView


class TerminalProgress:
    """Shows the state of a run, and at its end the summary; nothing when quiet.

    rich is imported for the first thing to show, which is after the first workers were started: importing it takes 80 ms of processor time.
    """

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet
        self._view: RunView | None = None

    def __enter__(self) -> TerminalProgress:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._view:
            self._view.stop()

    def update(self, summary: Summary, seconds: float, total: int | None) -> None:
        """See Progress."""
        if not self._quiet:
            self._shown().update(summary, seconds, total)

    def notice(self, reason: str) -> None:
        """Say what the run waits for."""
        if not self._quiet:
            self._shown().notice(reason)

    def finish(self, summary: Summary, database: str) -> None:
        """Show the summary of a run, and what could not be read."""
        if not self._quiet:
            self._shown().finish(summary, database)

    def _shown(self) -> RunView:
        if self._view is None:
            from midiopt.cli.run_view import RunView

            self._view = RunView()
        return self._view
