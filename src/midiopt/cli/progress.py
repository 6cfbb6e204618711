"""Progress of a run, on the terminal or in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from midiopt.pipeline.summary import Summary

if TYPE_CHECKING:
    from midiopt.cli.notebook_view import NotebookView
    from midiopt.cli.run_view import RunView


class RunProgress:
    """Shows the state of a run, and at its end the summary; nothing when quiet.

    rich is imported for the first thing to show, which is after the first workers were started: importing it takes 80 ms of processor time.
    """

    def __init__(self, is_quiet: bool = False) -> None:
        self._is_quiet = is_quiet
        self._view: RunView | NotebookView | None = None

    def __enter__(self) -> RunProgress:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._view:
            self._view.stop()

    def update(self, summary: Summary, seconds: float, total: int | None) -> None:
        """See Progress."""
        if not self._is_quiet:
            self._shown().update(summary, seconds, total)

    def notice(self, reason: str) -> None:
        """Say what the run waits for."""
        if not self._is_quiet:
            self._shown().notice(reason)

    def finish(self, summary: Summary, database: str) -> None:
        """Show the summary of a run, and what could not be read."""
        if not self._is_quiet:
            self._shown().finish(summary, database)

    def _shown(self) -> RunView | NotebookView:
        if self._view is None:
            from midiopt.cli.notebook_view import NotebookView, in_notebook
            from midiopt.cli.run_view import RunView

            self._view = NotebookView() if in_notebook() else RunView()
        return self._view
