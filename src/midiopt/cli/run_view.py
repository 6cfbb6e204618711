"""What a run shows on the terminal: a live line, or plain lines where there is no terminal, and the summary as a table."""

from __future__ import annotations

import sys
import time

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from midiopt.cli.console import NOTHING_FOUND, passed
from midiopt.cli.progress_line import EMPTY, FULL, live_line, plain_line
from midiopt.cli.tables import printable
from midiopt.pipeline.summary import Summary
from midiopt.schema import STATUSES
from midiopt.wording import size_text

LIVE_INTERVAL = 0.1  # seconds between updates of the live line
PLAIN_INTERVAL = 5.0  # seconds between plain lines when stderr is not a terminal


class RunView:
    """A live line on a terminal, otherwise a plain line every five seconds. Everything goes to stderr."""

    def __init__(self) -> None:
        self.console = Console(file=sys.stderr, highlight=False)
        self.live = Live(console=self.console, auto_refresh=False, transient=True) if self.console.is_terminal else None
        self.next_line = time.monotonic() + (0 if self.live else PLAIN_INTERVAL)
        if self.live:
            self.live.start()

    def stop(self) -> None:
        """Remove the live line."""
        if self.live:
            self.live.stop()

    def update(self, summary: Summary, seconds: float, total: int | None) -> None:
        """Show the state of the run, at most once per interval. ``total`` is the number of files found, None until the walk is complete."""
        now = time.monotonic()
        if now < self.next_line:
            return
        self.next_line = now + (LIVE_INTERVAL if self.live else PLAIN_INTERVAL)
        if self.live:
            self.live.update(self._live_text(summary, seconds, total), refresh=True)
        else:
            self.console.print(plain_line(summary, seconds, total), soft_wrap=True)

    def notice(self, reason: str) -> None:
        """Say what the run waits for."""
        self.console.print(printable(f"midiopt: {reason}"), style="yellow", soft_wrap=True)

    def finish(self, summary: Summary, database: str) -> None:
        """Show the summary of a run, and what could not be read."""
        self.stop()
        print_summary(self.console, summary, database)

    def _live_text(self, summary: Summary, seconds: float, total: int | None) -> Text:
        filled, empty, text = live_line(summary, seconds, total, self.console.width)
        full_character, empty_character = (FULL, EMPTY) if self.console.encoding.startswith("utf") else ("#", "-")
        parts = ((full_character * filled, "green"), (empty_character * empty, "dim"), text)
        return Text.assemble(*parts, no_wrap=True, overflow="crop")


def print_summary(console: Console, summary: Summary, database: str) -> None:
    """Print the summary of a run, and what could not be read."""
    console.print(printable(database), style="bold", soft_wrap=True)
    console.print(_table(summary))
    if not summary.files and not summary.interrupted:
        console.print(NOTHING_FOUND, style="yellow", soft_wrap=True)
    for sentence in passed(summary):
        console.print(sentence, style="yellow", soft_wrap=True)
    for problem in summary.problems:
        console.print(Text.assemble(("not read: ", "yellow"), printable(problem)), soft_wrap=True)


def _table(summary: Summary) -> Table:
    table = Table(show_header=False)
    table.add_column(style="cyan")
    table.add_column(justify="right")
    colours = {"repaired": "yellow", "rejected": "red", "unreadable": "red", "crashed": "bold red"}
    table.add_row("files found", f"{summary.files:,}")
    for status in STATUSES:
        count = getattr(summary, status)
        if count or status == "ok":
            colour = colours.get(status, "green")
            table.add_row(f"  {status}", f"[{colour}]{count:,}[/]")
    if summary.skipped:
        table.add_row("  unchanged, skipped", f"{summary.skipped:,}")
    if summary.appledouble:
        table.add_row("  AppleDouble, skipped", f"{summary.appledouble:,}")
    if summary.gone:
        table.add_row("no longer there", f"[yellow]{summary.gone:,}[/]")
    if summary.moved:
        table.add_row("  moved: a new path has the bytes", f"{summary.moved:,}")
    if summary.deleted:
        table.add_row("  deleted from the database", f"[yellow]{summary.deleted:,}[/]")
    if summary.returned:
        table.add_row("there again, unchanged", f"{summary.returned:,}")
    if summary.duplicates is not None:
        table.add_row("duplicates in the database", f"{summary.duplicates:,}")
    taken = f"{summary.seconds:,.2f} s"
    table.add_row(*(("analysed", f"{size_text(summary.bytes)} in {taken}") if summary.analysed else ("time", taken)))
    if summary.analysed:
        table.add_row("speed", f"{summary.files_per_second:,.0f} files/s")
    return table
