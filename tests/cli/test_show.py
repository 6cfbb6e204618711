"""midiopt show: the facts of one file as a table and as JSON."""

from __future__ import annotations

import io

from rich.console import Console

import midiopt
from midiopt.cli.facts_table import facts_table, json_value, table_value
from midiopt.schema import ANALYSES
from sample.smf import smf, text, track

# Two quarters of A and C at once, 120 BPM.
CHORD = smf([track([(0, text(3, "Title")), (0, b"\x90\x45\x40"), (0, b"\x90\x48\x40"), (96, b"\x80\x45\x00"), (96, b"\x80\x48\x00")])])


def lines(facts: midiopt.Analysis) -> dict[str, tuple[str, str]]:
    """Value and unit by name, as printed."""
    file = io.StringIO()
    table = facts_table("song.mid", facts)
    Console(file=file, width=200, highlight=False).print(table)
    title, *rows = file.getvalue().splitlines()
    assert title.split() == ["song.mid"]
    cells = [[cell.strip() for cell in row.strip("│").split("│")] for row in rows if "│" in row]
    return {name: (value, unit) for name, value, unit in cells}


def test_the_table_has_a_row_per_fact() -> None:
    facts = midiopt.analyze(CHORD)
    shown = lines(facts)
    assert list(shown) == ["status", *(column.name for column in ANALYSES if column.name != "analyzer_version")]
    assert shown["status"] == ("ok", "")
    assert shown["title"] == ("Title", "")
    assert shown["note_count"] == ("2", "")
    assert shown["pitch_max"] == ("72", "MIDI pitch")
    assert shown["pitch_classes"] == ("C 50%  A 50%", "0..1")
    assert shown["velocity_mean"] == ("64", "0..127")
    assert shown["polyphony_mean"] == ("2", "")
    assert shown["programs"] == ("0", "0..127")
    assert shown["swing"] == ("-", "")
    assert shown["notes_hash"] == (facts.notes_hash.hex() if facts.notes_hash else None, "")
    assert shown["issues"] == ("-", "")


def test_repairs_are_shown_with_the_status() -> None:
    facts = midiopt.analyze(CHORD[:-4])
    assert lines(facts)["status"][0] == f"repaired: {facts.error}"
    assert "no_end_of_track" in lines(facts)["issues"][0]


def test_values_are_rounded_for_the_table_only() -> None:
    facts = midiopt.analyze(CHORD)
    column = ANALYSES["duration_s"]
    assert json_value(facts, column) == facts.duration_s
    assert table_value(facts, column) == f"{facts.duration_s:.3f}".rstrip("0").rstrip(".")
