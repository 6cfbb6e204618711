"""Each fact as text: numbers with their names, confidences beside what they belong to."""

from __future__ import annotations

from typing import Any, NamedTuple

from midiopt.api.analysis import Analysis, json_value
from midiopt.general_midi import PROGRAMS
from midiopt.kinds import SHARES
from midiopt.schema import ISSUES, MINOR_TONICS, REPAIRS, UNUSUAL, Column
from midiopt.wording import clock

WEAK = 0.5  # a confidence below it: more likely wrong than right
CONFIDENCES = {
    "bpm": "bpm_confidence",
    "bpm_onsets": "bpm_onsets_confidence",
    "meter_estimated": "meter_confidence",
    "key": "key_confidence",
}
SOURCES = {"tempo_map": "declared", "onsets": "estimated from the onsets", "none": ""}  # of bpm
UNITLESS = {"0..1", "0..127", "1..127", "1..16", "MIDI pitch"}  # ranges, which say nothing beside a value
REMARKS = {
    "programs": "counted from 0",
    "primary_program": "counted from 0",
    "channels": "counted from 1",
    "pitch_min": "60 is C4",
    "pitch_max": "60 is C4",
    "sketch": "of the music, for midiopt similar",
}


class Fact(NamedTuple):
    """A row of the table."""

    name: str
    value: str
    remark: str = ""
    is_weak: bool = False


def fact(facts: Analysis, column: Column) -> Fact | None:
    """The row of a column, None without a value."""
    value = json_value(facts, column.name)
    if value is None or (value == [] and column.name != "issues"):
        return None
    remarks = [REMARKS.get(column.name, "")]
    is_weak = False
    if column.name == "duration_s":
        remarks.append(clock(value))
    if column.name == "bpm":
        remarks.append(SOURCES[facts.bpm_source])
    if column.name in CONFIDENCES and (confidence := getattr(facts, CONFIDENCES[column.name])) is not None:
        is_weak = confidence < WEAK
        remarks.append(f"confidence {confidence:.2f}" + (", weak" if is_weak else ""))
    unit = "" if column.unit in UNITLESS else "bar" if column.unit == "bars" and value == 1 else column.unit
    return Fact(column.name, f"{value_text(column, value)} {unit}".rstrip(), ", ".join(filter(None, remarks)), is_weak)


def value_text(column: Column, value: Any) -> str:
    """The value: up to 3 decimals, the pitch classes with at least half a percent by name, programs and pitches with their names."""
    match column.name, value:
        case "programs", list():
            return ", ".join(f"{number} {PROGRAMS[number]}" for number in value)
        case "primary_program", int():
            return f"{value} {PROGRAMS[value]}"
        case "pitch_min" | "pitch_max", int():
            return f"{value} {MINOR_TONICS[value % 12]}{value // 12 - 1}"
        case "sketch", list():
            return f"{len(value)} hashes"
        case "issues", []:
            return "none"
        case "issues", list():
            meanings = REPAIRS | UNUSUAL
            return "; ".join(f"{name} ({meanings[name]})" for name in sorted(value, key=ISSUES.index))
    if column.kind is SHARES:
        return "  ".join(f"{name} {share:.0%}" for name, share in zip(MINOR_TONICS, value, strict=True) if share >= 0.005)
    match value:
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:,.3f}".rstrip("0").rstrip(".")
        case int():
            return f"{value:,}"
        case list():
            return ", ".join(map(str, value))
    return str(value)
