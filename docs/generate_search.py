"""The terms of a search as a table: part of docs/search.md, made from the table in the code."""

from __future__ import annotations

from midiopt.library.search_terms import TERMS


def terms_table() -> str:
    """A row per term."""
    rows = [
        f"| `{term.name}:` | {term.values} | {term.meaning} | {', '.join(f'`{example}`' for example in term.examples)} |"
        for term in TERMS.values()
    ]
    return "\n".join(["| term | value | what a file that it finds has | examples |", "| --- | --- | --- | --- |", *rows])
