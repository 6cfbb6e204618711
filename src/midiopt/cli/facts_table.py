"""The facts of one file as a table, and each value as a table and JSON have it."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from midiopt.api import Analysis
from midiopt.cli.tables import printable
from midiopt.kinds import SHARES
from midiopt.schema import ANALYSES, MINOR_TONICS, Column


def print_facts(title: str, facts: Analysis) -> None:
    """Print the table on standard output."""
    Console(highlight=False).print(facts_table(title, facts))


def json_object(facts: Analysis) -> dict[str, Any]:
    """The facts as `--json` prints them."""
    return {"status": facts.status, "error": facts.error, **{column.name: json_value(facts, column) for column in ANALYSES}}


def facts_table(title: str, facts: Analysis) -> Table:
    """A row per fact: name, value and unit."""
    table = Table(title=printable(title), title_justify="left", title_style="bold", show_header=False)
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(style="dim", overflow="fold")
    table.add_row("status", printable(facts.status if facts.error is None else f"{facts.status}: {facts.error}"), "")
    for column in ANALYSES:
        if column.name != "analyzer_version":
            table.add_row(column.name, printable(table_value(facts, column)), column.unit)
    return table


def json_value(facts: Analysis, column: Column) -> Any:
    """The value as JSON holds it: hashes in hexadecimal, issues by name."""
    if column.name == "issues":
        return facts.issue_names
    value = getattr(facts, column.name)
    return value.hex() if isinstance(value, bytes) else value


def table_value(facts: Analysis, column: Column) -> str:
    """The value as text: "-" for null, up to 3 decimals, and the pitch classes with at least half a percent by name."""
    value = json_value(facts, column)
    if value is None:
        return "-"
    if column.kind is SHARES:
        return "  ".join(f"{name} {share:.0%}" for name, share in zip(MINOR_TONICS, value, strict=True) if share >= 0.005)
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    return str(value)
