"""The facts of a file in sections of what belongs together."""

from __future__ import annotations

from collections.abc import Iterator

from midiopt.api.analysis import Analysis
from midiopt.display.fact_values import Fact, fact
from midiopt.schema import ANALYSES
from midiopt.wording import printable_text

SECTIONS = {
    "music": ("title", "bpm", "time_signature", "key", "role", "chord_progression", "duration_s", "note_count"),
    "tempo": ("bpm_mean", "bpm_min", "bpm_max", "tempo_changes", "bpm_onsets", "grid_deviation", "is_performance", "swing"),
    "meter": ("time_signature_changes", "meter_estimated"),
    "key and harmony": (
        *("key_notes", "key_declared", "key_changes", "pitch_classes", "chord_symbols", "chord_changes_per_bar", "harmonic_rhythm"),
    ),
    "instruments": ("programs", "primary_program", "channels", "track_names"),
    "drums": ("drum_note_count", "drum_density", "drum_pattern"),
    "form": ("sections", "bar_count", "is_loop", "loop_bars", "first_note_s", "last_note_s", "duration_ticks"),
    "notes": (
        *("pitch_min", "pitch_max", "unique_pitches", "velocity_mean", "velocity_std", "velocity_min", "velocity_max"),
        *("unique_velocities", "note_seconds_mean", "notes_per_second", "polyphony_max", "polyphony_mean"),
    ),
    "file": ("format", "track_count", "ticks_per_quarter", "issues", "content_hash", "notes_hash", "sketch"),
    "events": ("event_count", "control_changes", "sustain_pedals", "pitch_bends", "program_changes", "sysex_count", "lyric_count"),
}


def sections(facts: Analysis) -> Iterator[tuple[str, list[Fact]]]:
    """The title and the rows of each section that has any; the last one names the columns without a value."""
    status = facts.status if facts.error is None else f"{facts.status}: {facts.error}"
    missing = []
    for title, names in SECTIONS.items():
        rows = [Fact("status", printable_text(status))] if title == "music" else []
        for name in names:
            row = fact(facts, ANALYSES[name])
            if row:
                rows.append(row._replace(value=printable_text(row.value)))
            else:
                missing.append(name)
        if rows:
            yield title, rows
    if missing:
        yield "without a value", [Fact("", ", ".join(missing))]
