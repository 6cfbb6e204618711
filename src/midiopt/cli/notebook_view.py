"""What a run shows in a notebook: the line of the terminal, in an output that is replaced, and the summary."""

from __future__ import annotations

import html
import io
import sys
import time
from importlib import import_module
from typing import Any

from rich.console import Console

from midiopt.cli.progress_line import bar_text, live_line
from midiopt.cli.run_view import print_summary
from midiopt.pipeline.summary import Summary

WIDTH = 80  # characters: what the output of a cell has room for
INTERVAL = 0.25  # seconds between updates, each of which is a message to the browser


def in_notebook() -> bool:
    """Whether this is the kernel of a notebook (Jupyter, VS Code, Colab), which has no terminal."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return getattr(shell, "kernel", None) is not None


class NotebookView:
    """Like RunView. It needs no ipywidgets: a display with an id is updated in place."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._next_update = 0.0
        self._notices = ""

    def stop(self) -> None:
        """Nothing to remove: the last line says where the run stopped."""

    def update(self, summary: Summary, seconds: float, total: int | None) -> None:
        """Show the state of the run, at most once per interval."""
        now = time.monotonic()
        if now >= self._next_update:
            self._next_update = now + INTERVAL
            self._show(self._notices + bar_text(live_line(summary, seconds, total, WIDTH)))

    def notice(self, reason: str) -> None:
        """Say what the run waits for; a thread of the run may call this."""
        self._notices += f"midiopt: {reason}\n"

    def finish(self, summary: Summary, database: str) -> None:
        """Replace the line by the summary, and what could not be read."""
        file = io.StringIO()
        # Kernels set FORCE_COLOR, which would write escape sequences into the text.
        plain = Console(file=file, width=WIDTH, highlight=False, force_jupyter=False, force_terminal=False, color_system=None)
        print_summary(plain, summary, database)
        self._show(self._notices + file.getvalue().rstrip())

    def _show(self, text: str) -> None:
        display: Any = import_module("IPython.display").display
        content = {"text/plain": text, "text/html": f'<pre style="line-height: 1.2">{html.escape(text)}</pre>'}
        if self._handle is None:
            self._handle = display(content, raw=True, display_id=True)
        else:
            self._handle.update(content, raw=True)
