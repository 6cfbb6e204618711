"""The conditions that search terms become: SQL over the aliases ``f`` (files) and ``a`` (analyses).

A condition is null or false where a file has no analysis.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from midiopt.errors import QueryError
from midiopt.kinds import INT16, INT32
from midiopt.library.search_like import like_path
from midiopt.library.search_values import choice, keys, nearest, number_range, progressions
from midiopt.schema import ANALYSED, ANALYSES, ISSUE_BITS, ISSUES, NAME_METERS, STATUSES
from midiopt.sinks.dialects import Dialect
from midiopt.sinks.index_sql import NAMES
from midiopt.sinks.words import FUNCTION, postgres_has, postgres_patterns, words_of

Sql = tuple[str, list[object]]
"""A condition with `?` for each of its values."""

PLAIN = {"": 1.0}
COUNTS = {"": 1.0, "k": 1e3, "m": 1e6}
TIMES = {"": 1.0, "s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "ms": 0.001}
SAME_TEMPO = 0.04  # two tempos that differ by less count as one, as in `name_agrees`
MAX_INT32 = 2**31 - 1
ROUNDING = 1e-7  # of single precision: 0.8 is stored as 0.800000012
HAS = {
    "drums": "a.drum_note_count > 0",
    "lyrics": "a.lyric_count > 0",
    "title": "a.title IS NOT NULL",
    "chords": "a.chord_progression IS NOT NULL",
    "key": "a.key IS NOT NULL",
    "bpm": "a.bpm IS NOT NULL",
    "swing": "a.swing IS NOT NULL",
    "pedal": "a.sustain_pedals > 0",
    "bends": "a.pitch_bends > 0",
    "sysex": "a.sysex_count > 0",
}


@dataclass(frozen=True)
class Condition:
    """What a term or a word demands of a file."""

    sqlite: Sql
    postgres: Sql
    of_content: bool = True
    """Whether only a file with an analysis can meet it."""
    without_content: bool = False
    """Whether only a file without one can."""
    programs: tuple[int, ...] = ()
    """General MIDI programs of which the content has one, if that is all it demands."""
    phrase: str = ""
    """The words that the file has one after the other, if that is all it demands."""
    like: str = ""
    """The path in the library with which it is compared."""
    is_no_file: bool = False
    """Whether that has been looked for on this computer, too."""

    def sql(self, dialect: Dialect) -> Sql:
        """The condition in the words of a database."""
        return self.sqlite if dialect.database == "sqlite" else self.postgres


def both(sql: str, *values: object, of_content: bool = True) -> Condition:
    """A condition in words that both databases understand."""
    return Condition((sql, list(values)), (sql, list(values)), of_content)


def words(text: str) -> Condition | None:
    """A file that has these words one after the other in its path, or in its title and track names; None if the text has no word."""
    found = words_of(text)
    if not found:
        return None
    phrase = " ".join(found) + ("*" if text.endswith("*") else "")
    postgres = " OR ".join(map(postgres_has, ("f.path", NAMES.format("a.title", "a.track_names"))))
    sqlite = f"{FUNCTION}(?, f.path, a.title, a.track_names)"
    return Condition(
        (sqlite, [phrase]), (f"({postgres})", [*postgres_patterns(phrase), *postgres_patterns(phrase)]), of_content=False, phrase=phrase
    )


def key(value: str) -> Condition:
    """The key, or one of those that a word stands for."""
    return one_of("a.key", keys(value))


def one_of(column: str, values: list[str], of_content: bool = True) -> Condition:
    """A column that has one of these values."""
    listed = ", ".join(["?"] * len(values))
    return both(f"{column} IN ({listed})" if len(values) > 1 else f"{column} = ?", *values, of_content=of_content)


def bpm(value: str) -> Condition:
    """A tempo, or after ``~`` also half and double of it."""
    if not value.startswith("~"):
        return in_range("bpm", PLAIN, "bpm:118..124")(value)
    wanted = number_range(value[1:], PLAIN, "bpm:~120")
    if wanted.is_exact:
        assert wanted.low is not None and wanted.high is not None
        middle = (wanted.low + wanted.high) / 2
        low, high = middle * (1 - SAME_TEMPO), middle * (1 + SAME_TEMPO)
    elif wanted.low is None or wanted.high is None:
        raise QueryError(f"half and double count of a range with both ends, such as bpm:~118..124, not {value!r}")
    else:
        low, high = wanted.low * (1 - ROUNDING), wanted.high * (1 + ROUNDING)
    condition = " OR ".join(["a.bpm BETWEEN ? AND ?"] * 3)
    return both(f"({condition})", *(limit * factor for factor in (1, 2, 0.5) for limit in (low, high)))


def in_range(column: str, units: dict[str, float], example: str) -> Callable[[str], Condition]:
    """Reads a range of a column of `analyses`."""
    kind = ANALYSES[column].kind

    def condition(value: str) -> Condition:
        wanted = number_range(value, units, example)
        limits: list[tuple[str, float | None]]
        if kind in (INT16, INT32):  # PostgreSQL uses no index of integers for other numbers
            low = None if wanted.low is None else math.ceil(wanted.low)
            high = None if wanted.high is None else math.ceil(wanted.high) - 1 if wanted.is_exact else math.floor(wanted.high)
            limits = [(">=", low and min(low, MAX_INT32)), ("<=", high and min(high, MAX_INT32))]
        else:
            scale = 0 if wanted.is_exact else ROUNDING
            limits = [
                (">=", wanted.low and wanted.low * (1 - scale)),
                ("<" if wanted.is_exact else "<=", wanted.high and wanted.high * (1 + scale)),
            ]
        parts = [(sign, limit) for sign, limit in limits if limit is not None]
        return both(" AND ".join(f"a.{column} {sign} ?" for sign, _ in parts), *(limit for _, limit in parts))

    return condition


def confidence(value: str) -> Condition:
    """Both confidences from the low end on, and one of them up to the high end."""
    wanted = number_range(value, PLAIN, "confidence:.8..")
    parts: list[str] = []
    values: list[object] = []
    if wanted.low is not None:
        parts.append("a.bpm_confidence >= ? AND a.key_confidence >= ?")
        values += [wanted.low * (1 - ROUNDING)] * 2
    if wanted.high is not None:
        parts.append("(a.bpm_confidence <= ? OR a.key_confidence <= ?)")
        values += [wanted.high * (1 + ROUNDING)] * 2
    return both(" AND ".join(parts), *values)


def meter(value: str) -> Condition:
    """The declared time signature, or the estimated meter where none is declared."""
    import re

    found = re.fullmatch(r"([1-9][0-9]?)[/-](1|2|4|8|16|32|64)", value)
    if not found:
        raise QueryError(f"there is no meter {value!r}{nearest(value, NAME_METERS)}")
    meter = f"{found[1]}/{found[2]}"
    return both("(a.time_signature = ? OR a.time_signature IS NULL AND a.meter_estimated = ?)", meter, meter)


def of_programs(read: Callable[[str], list[int]]) -> Callable[[str], Condition]:
    """Reads General MIDI programs of which one plays."""

    def condition(value: str) -> Condition:
        numbers = read(value)
        sqlite = f"EXISTS (SELECT 1 FROM json_each(a.programs) WHERE value IN ({', '.join(['?'] * len(numbers))}))"
        listed: list[object] = [*numbers]
        return Condition((sqlite, listed), ("a.programs && ?::smallint[]", [numbers]), programs=tuple(numbers))

    return condition


def has(value: str) -> Condition:
    """Something of which there is any."""
    return both(HAS[choice(value, HAS, "value of has:")])


def _yes_or_no(value: str) -> bool:
    if value.lower() not in ("yes", "no", "true", "false"):
        raise QueryError(f"it must be yes or no, not {value!r}")
    return value.lower() in ("yes", "true")


def performance(value: str) -> Condition:
    """Whether it was played freely."""
    return both("a.is_performance" if _yes_or_no(value) else "NOT a.is_performance")


def loop(value: str) -> Condition:
    """A length in bars, or whether it is a loop."""
    if value.lower() in ("yes", "no"):
        return both("a.is_loop" if _yes_or_no(value) else "NOT a.is_loop")
    return in_range("loop_bars", PLAIN, "loop:4")(value)


def issue(value: str) -> Condition:
    """An issue."""
    bit = ISSUE_BITS[choice(value.replace(" ", "_"), ISSUES, "issue")]
    return both("a.issues <> 0 AND a.issues & ? <> 0", bit)


def missing(value: str) -> Condition:
    """Whether a run has missed the file."""
    return both(f"f.missing_since IS {'NOT NULL' if _yes_or_no(value) else 'NULL'}", of_content=False)


def status(value: str) -> Condition:
    """How the analysis ended."""
    status = choice(value, STATUSES, "status")
    is_analysed = STATUSES.index(status) in ANALYSED
    return replace(both(f"f.status = '{status}'", of_content=is_analysed), without_content=not is_analysed)


def like(value: str) -> Condition:
    """Music like that of a path in the library."""
    return Condition(*like_path(value), like=value)


def chords(value: str) -> Condition:
    """A chord loop."""
    return one_of("a.chord_progression", progressions(value))
