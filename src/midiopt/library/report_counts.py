"""How the files that a query finds are distributed: each chart of a report shows how often an expression has each value.

The rows are read once, and Python counts: for each GROUP BY, SQLite would sort a million rows, and with the grouping sets of PostgreSQL
a report on a million files took 63 s instead of 33.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, islice
from typing import Any

from midiopt.library.chord_loops import ChordLoop, chord_loop
from midiopt.library.search_conditions import ROUNDING, SAME_TEMPO
from midiopt.library.snapshot import Snapshot
from midiopt.schema import METERS
from midiopt.sinks.dialects import Dialect
from midiopt.sinks.sql import quoted

Rows = tuple[str, Sequence[object]]
"""FROM and WHERE over the aliases of Query.condition, and the values."""
Counts = dict[str, Counter[Any]]

CHUNK = 10_000  # rows that are counted at a time
MAX_BPM, MAX_SECONDS, MAX_POLYPHONY = 300, 86_400, 64  # greater values count as these
_FAMILIES = {str(program): program // 8 for program in range(128)}
MAX_LOOP_TEXT = 48  # characters: eight chords of five letters with their spaces


def expressions(dialect: Dialect) -> dict[str, str]:
    """What is counted: the SQL of each expression by its name."""

    def whole(value: str) -> str:
        return f"CAST({value} AS INTEGER)" if dialect.database == "sqlite" else f"CAST(floor({value}) AS bigint)"

    def at_most(limit: int, value: str) -> str:
        return f"CASE WHEN {value} >= {limit} THEN {limit} ELSE {whole(value)} END"

    def trial(confidence: str, is_right: str, where: str) -> str:
        """Twice the tenth in which the confidence lies, and 1 more if the estimate is right."""
        tenth = f"CASE WHEN {confidence} >= {0.9 - ROUNDING} THEN 9 ELSE {whole(f'({confidence} + {ROUNDING}) * 10')} END"
        return f"CASE WHEN {where} THEN 2 * ({tenth}) + CASE WHEN {is_right} THEN 1 ELSE 0 END END"

    def same_tempo(bpm: str, other: str) -> str:
        """In double precision, so that both databases round alike."""
        return f"CAST({bpm} AS double precision) / {other} BETWEEN {1 - SAME_TEMPO} AND {1 + SAME_TEMPO}"

    declared = "a.bpm_source = 'tempo_map' AND a.tempo_changes = 0 AND a.bpm_onsets IS NOT NULL"
    meters = f"a.time_signature IN ({', '.join(map(quoted, METERS))}) AND a.meter_estimated IS NOT NULL"
    return {
        "bpm": at_most(MAX_BPM, "(a.bpm + 0.5)"),  # rounded: a file of 121 BPM declares 495,868 µs, which are 120.9999
        "bpm_source": "a.bpm_source",
        "seconds": at_most(MAX_SECONDS, "a.duration_s"),
        # With three digits, and then with two, so that there are few values.
        "notes": "CASE WHEN a.note_count < 1000 THEN a.note_count WHEN a.note_count < 100000 THEN a.note_count / 100 * 100"
        " ELSE a.note_count / 100000 * 100000 END",
        "polyphony": at_most(MAX_POLYPHONY, "a.polyphony_max"),
        "key": "a.key",
        "time_signature": "a.time_signature",
        "meter_estimated": "a.meter_estimated",
        "role": "a.role",
        "drum_pattern": "a.drum_pattern",
        "is_performance": "a.is_performance",
        "loop_bars": "CASE WHEN a.is_loop THEN a.loop_bars END",
        "bpm by name": trial("a.bpm_confidence", same_tempo("a.bpm", "f.name_bpm"), "f.name_bpm > 0 AND a.bpm IS NOT NULL"),
        "onsets by declared tempo": trial("a.bpm_onsets_confidence", same_tempo("a.bpm_onsets", "a.bpm"), declared),
        "key by name": trial("a.key_confidence", "f.name_key = a.key", "f.name_key IS NOT NULL AND a.key IS NOT NULL"),
        "meter by time signature": trial("a.meter_confidence", "a.meter_estimated = a.time_signature", meters),
    }


LOOP = f"CASE WHEN length(a.chord_progression) <= {MAX_LOOP_TEXT} THEN a.chord_progression END"


def count_values(library: Snapshot, rows: Rows, progress: Callable[[int], None]) -> Counts:
    """How often each expression has each value but null, and in how many files each program, family of programs and chord loop is.

    ``progress`` is told how many rows have been read.
    """
    named = expressions(library.dialect)
    counts: Counts = {name: Counter() for name in (*named, "program", "family", "loop")}
    found = library.rows(f"SELECT {', '.join(named.values())}, CAST(a.programs AS text), {LOOP} {rows[0]}", rows[1])
    done = 0
    while chunk := list(islice(found, CHUNK)):
        *columns, programs, loops = zip(*chunk, strict=True)
        for name, column in zip(named, columns, strict=True):
            counts[name].update(column)
        _add_programs(counts, programs)
        _add_loops(counts["loop"], Counter(loops))
        done += len(chunk)
        progress(done)
    for counter in counts.values():
        counter.pop(None, None)
    counts["program"] = Counter({int(text): files for text, files in counts["program"].items()})
    return counts


def _add_programs(counts: Counts, texts: Iterable[str | None]) -> None:
    """Sets of programs as text: `[0,32]` in SQLite, `{0,32}` in PostgreSQL. Set by set they took 6 of 20 s of a million files."""
    sets = [text[1:-1].split(",") for text in texts if text and len(text) > 2]
    counts["program"].update(chain.from_iterable(sets))
    counts["family"].update(chain.from_iterable([set(map(_FAMILIES.__getitem__, programs)) for programs in sets]))


def _add_loops(loops: Counter[ChordLoop], texts: Counter[str | None]) -> None:
    for text, files in texts.items():
        if text and (loop := chord_loop(text)):
            loops[loop] += files
