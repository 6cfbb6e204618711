"""The views `library`, with a row per file, and `library_tracks`, with one per track of a file."""

from __future__ import annotations

from midiopt.kinds import HASH8, HASH16
from midiopt.schema import FILES, LIBRARY_COLUMNS, LIBRARY_TRACKS_COLUMNS, Column
from midiopt.sinks.dialects import Dialect
from midiopt.sinks.sql import ANALYSIS_ID


def _within_4_percent(bpm: str) -> str:
    """Within 4 % of the tempo in the file name, or of half or twice that tempo."""
    return "(" + " OR ".join(f"{bpm} / f.name_bpm BETWEEN {0.96 * k:g} AND {1.04 * k:g}" for k in (1, 2, 0.5)) + ")"


# Null where the notes give no answer: no tempo, no key, or not analysed.
NAME_AGREES = (
    "CASE WHEN f.name_bpm IS NOT NULL OR f.name_key IS NOT NULL OR f.name_meter IS NOT NULL THEN"
    f" (f.name_bpm IS NULL OR {_within_4_percent('a.bpm')} OR coalesce({_within_4_percent('a.bpm_onsets')}, FALSE))"
    " AND (f.name_key IS NULL OR f.name_key = a.key OR f.name_key = a.key_notes)"
    " AND (f.name_meter IS NULL OR coalesce(f.name_meter = a.time_signature, f.name_meter = a.meter_estimated)"
    " OR coalesce(f.name_meter = a.meter_estimated, FALSE)) END"
)

_OF_FILE = {c.name for c in (*FILES, *FILES.added)}
LIBRARY_ROWS = f"FROM files f LEFT JOIN analyses a ON a.id = f.{ANALYSIS_ID} WHERE f.missing_since IS NULL"


def stored_value(column: Column) -> str:
    """A column of `library` as the tables have it."""
    return NAME_AGREES if column.name == "name_agrees" else f"{'f' if column.name in _OF_FILE else 'a'}.{column.name}"


def create_view(dialect: Dialect) -> str:
    """The statement that makes the view `library`: no file that is missing, and hashes as lower-case hexadecimal text."""
    columns = [
        f"{dialect.hexadecimal(stored_value(c)) if c.kind in (HASH8, HASH16) else stored_value(c)} AS {c.name}" for c in LIBRARY_COLUMNS
    ]
    return f"CREATE VIEW library AS SELECT {', '.join(columns)} {LIBRARY_ROWS}"


LIBRARY_TRACKS_ROWS = f"FROM files f JOIN tracks t ON t.{ANALYSIS_ID} = f.{ANALYSIS_ID} WHERE f.missing_since IS NULL"


def stored_track_value(column: Column) -> str:
    """A column of `library_tracks` as the tables have it."""
    return f"{'f' if column.name == 'path' else 't'}.{column.name}"


def create_tracks_view(dialect: Dialect) -> str:
    """The statement that makes the view `library_tracks`: the tracks of each file of `library`."""
    columns = [
        f"{dialect.hexadecimal(stored_track_value(c)) if c.kind is HASH8 else stored_track_value(c)} AS {c.name}"
        for c in LIBRARY_TRACKS_COLUMNS
    ]
    return f"CREATE VIEW library_tracks AS SELECT {', '.join(columns)} {LIBRARY_TRACKS_ROWS}"
