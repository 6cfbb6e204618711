"""midiopt status: what a database holds, and how the last run into it ended."""

from __future__ import annotations

import argparse
import json

from rich.console import Console
from rich.table import Table

from midiopt.cli.console import plain
from midiopt.cli.progress import clock
from midiopt.library import open_library
from midiopt.library.status import status
from midiopt.schema import STATUSES
from midiopt.sinks.urls import without_password

DESCRIPTION = "Show what a database holds: files by status, issues with examples, the slowest and largest files, the last run."


def command(options: argparse.Namespace) -> int:
    """Print a table, or with --json one object."""
    with open_library(options.db) as library:
        facts = status(library)
    if options.json:
        print(json.dumps({"database": without_password(options.db), **facts}, ensure_ascii=False))
        return 0
    console = Console(highlight=False)
    console.print(_table(without_password(options.db), facts))
    return 0


def _table(database: str, facts: dict) -> Table:
    table = Table(title=plain(database), title_justify="left", title_style="bold", show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")

    def section(title: str) -> None:
        table.add_row()
        table.add_row(f"[bold]{title}[/]")

    for name, about in facts["files"].items():
        if about["files"]:
            table.add_row(name, f"{about['files']:,}", plain(f"{about['example']}: {about['error']}" if "example" in about else ""))
    table.add_row("contents", f"{facts['contents']:,}")
    table.add_row("duplicates", f"{facts['duplicates']:,}", "files whose content another one has too, beyond the first")
    if facts["issues"]:
        section("issues")
    for name, about in facts["issues"].items():
        table.add_row(name, f"{about['files']:,}", plain("\n".join(about["examples"])))
    if facts["slowest"]:
        section("slowest")
    for file in facts["slowest"]:
        table.add_row("", f"{file['seconds'] * 1000:,.1f} ms", plain(file["path"]))
    if facts["largest"]:
        section("largest")
    for file in facts["largest"]:
        table.add_row("", f"{file['bytes'] / 1000:,.0f} KB", plain(file["path"]))
    section("last run")
    run = facts["last_run"]
    for name, value in _told(run) if run else [("", "none")]:
        table.add_row(name, "", plain(value))
    return table


def _told(run: dict) -> list[tuple[str, str]]:
    """A row of `runs` in words."""
    began = f"began {run['started'][:19]} UTC"
    if run["outcome"] == "running":
        how = f"goes on; {began}"
    elif run["outcome"] == "killed":
        how = f"ended without a word (killed, or its database was gone); {began}; the same command goes on from there"
    else:
        how = f"{run['outcome']} {run['ended'][:19]} UTC after {clock(run['seconds'])}" + (f": {run['error']}" if run["error"] else "")
    found = f"{run['files']:,} found, {sum(run[s] for s in STATUSES):,} analysed, {run['skipped']:,} unchanged" if run["ended"] else "-"
    return [
        ("outcome", how),
        ("files", found),
        ("sources", ", ".join(run["sources"])),
        ("midiopt", f"{run['version']}, build {run['build']}"),
        ("options", ", ".join(f"{name} {value}" for name, value in run["options"].items())),
    ]
