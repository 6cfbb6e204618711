"""What a database holds as a table."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from midiopt.cli.console import clock
from midiopt.cli.tables import printable
from midiopt.library.queries import Run
from midiopt.library.status import LibraryStatus
from midiopt.schema import STATUSES


def print_status(database: str, status: LibraryStatus) -> None:
    """Print the table on standard output."""
    Console(highlight=False).print(_table(database, status))


def _table(database: str, status: LibraryStatus) -> Table:
    table = Table(title=printable(database), title_justify="left", title_style="bold", show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")

    def add_section(title: str) -> None:
        table.add_row()
        table.add_row(f"[bold]{title}[/]")

    for name, found in status.files.items():
        if found.files:
            table.add_row(name, f"{found.files:,}", printable("" if found.example is None else f"{found.example}: {found.error}"))
    table.add_row("contents", f"{status.contents:,}")
    table.add_row("duplicates", f"{status.duplicates:,}", "files beyond the first one with their content")
    if status.issues:
        add_section("issues")
    for name, issue in status.issues.items():
        table.add_row(name, f"{issue.files:,}", Text("\n").join(map(printable, issue.examples)))
    if status.slowest:
        add_section("slowest")
    for file in status.slowest:
        table.add_row("", f"{file.seconds * 1000:,.1f} ms", printable(file.path))
    if status.largest:
        add_section("largest")
    for large in status.largest:
        table.add_row("", f"{large.bytes / 1000:,.0f} KB", printable(large.path))
    add_section("last run")
    for name, value in _describe_run(status.last_run) if status.last_run else [("", "none")]:
        table.add_row(name, "", printable(value))
    return table


def _describe_run(run: Run) -> list[tuple[str, str]]:
    started = f"started {run.started:%Y-%m-%d %H:%M:%S} UTC"
    if run.outcome == "running":
        outcome = f"running; {started}"
    elif run.ended is None or run.seconds is None:
        outcome = f"terminated abnormally (killed, or lost its database); {started}; run the same command to resume"
    else:
        outcome = f"{run.outcome} {run.ended:%Y-%m-%d %H:%M:%S} UTC after {clock(run.seconds)}" + (f": {run.error}" if run.error else "")
    analysed = sum(getattr(run, status) or 0 for status in STATUSES)
    files = f"{run.files:,} found, {analysed:,} analysed, {run.skipped:,} unchanged" if run.ended else "-"
    return [
        ("outcome", outcome),
        ("files", files),
        ("sources", ", ".join(run.sources)),
        ("midiopt", f"{run.version}, build {run.build}"),
        ("options", ", ".join(f"{name} {value}" for name, value in run.options.items())),
    ]
