"""The terms of a search in one table: name, values, meaning, examples, and the condition that each becomes.

A condition is SQL over the aliases ``f`` (files) and ``a`` (analyses), which is null or false where a file has no analysis. To add a term,
add a row to TERMS; docs/search.md and the completion of shells are made from it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from midiopt.errors import QueryError
from midiopt.kinds import INT16, INT32
from midiopt.library.search_like import like_file, like_path
from midiopt.library.search_values import choice, family, keys, nearest, number_range, programs, progressions
from midiopt.schema import ANALYSED, ANALYSES, ISSUE_BITS, ISSUES, NAME_METERS, ROLES, STATUSES
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


@dataclass(frozen=True)
class Term:
    """A row of the table."""

    name: str
    values: str
    meaning: str
    examples: tuple[str, ...]
    condition: Callable[[str], Condition] = field(repr=False)
    words: tuple[str, ...] = ()
    """The values that there are, where they are words."""


def _key(value: str) -> Condition:
    return _in("a.key", keys(value))


def _in(column: str, values: list[str], of_content: bool = True) -> Condition:
    listed = ", ".join(["?"] * len(values))
    return both(f"{column} IN ({listed})" if len(values) > 1 else f"{column} = ?", *values, of_content=of_content)


def _bpm(value: str) -> Condition:
    if not value.startswith("~"):
        return _range("bpm", PLAIN, "bpm:118..124")(value)
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


def _range(column: str, units: dict[str, float], example: str) -> Callable[[str], Condition]:
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


def _confidence(value: str) -> Condition:
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


def _meter(value: str) -> Condition:
    import re

    found = re.fullmatch(r"([1-9][0-9]?)[/-](1|2|4|8|16|32|64)", value)
    if not found:
        raise QueryError(f"there is no meter {value!r}{nearest(value, NAME_METERS)}")
    meter = f"{found[1]}/{found[2]}"
    return both("(a.time_signature = ? OR a.time_signature IS NULL AND a.meter_estimated = ?)", meter, meter)


def _of_programs(read: Callable[[str], list[int]]) -> Callable[[str], Condition]:
    def condition(value: str) -> Condition:
        numbers = read(value)
        sqlite = f"EXISTS (SELECT 1 FROM json_each(a.programs) WHERE value IN ({', '.join(['?'] * len(numbers))}))"
        listed: list[object] = [*numbers]
        return Condition((sqlite, listed), ("a.programs && ?::smallint[]", [numbers]), programs=tuple(numbers))

    return condition


def _has(value: str) -> Condition:
    return both(HAS[choice(value, HAS, "value of has:")])


def _yes_or_no(value: str) -> bool:
    if value.lower() not in ("yes", "no", "true", "false"):
        raise QueryError(f"it must be yes or no, not {value!r}")
    return value.lower() in ("yes", "true")


def _performance(value: str) -> Condition:
    return both("a.is_performance" if _yes_or_no(value) else "NOT a.is_performance")


def _loop(value: str) -> Condition:
    if value.lower() in ("yes", "no"):
        return both("a.is_loop" if _yes_or_no(value) else "NOT a.is_loop")
    return _range("loop_bars", PLAIN, "loop:4")(value)


def _issue(value: str) -> Condition:
    bit = ISSUE_BITS[choice(value.replace(" ", "_"), ISSUES, "issue")]
    return both("a.issues <> 0 AND a.issues & ? <> 0", bit)


def _missing(value: str) -> Condition:
    return both(f"f.missing_since IS {'NOT NULL' if _yes_or_no(value) else 'NULL'}", of_content=False)


def _status(value: str) -> Condition:
    status = choice(value, STATUSES, "status")
    is_analysed = STATUSES.index(status) in ANALYSED
    return replace(both(f"f.status = '{status}'", of_content=is_analysed), without_content=not is_analysed)


def _like(value: str) -> Condition:
    return Condition(*like_path(value), like=value)


def _chords(value: str) -> Condition:
    return _in("a.chord_progression", progressions(value))


OTHER_NAMES = {"tempo": "bpm", "instrument": "program", "scale": "key", "time": "duration", "length": "duration", "bars": "loop"}
TERMS = {
    term.name: term
    for term in (
        Term(
            "key",
            "a key",
            "key; enharmonic names are one; `~` adds the relative key and the neighbours on the circle of fifths; `minor` and `major`, too",
            ("key:Am", "key:~Am", "key:minor"),
            _key,
        ),
        Term(
            "bpm",
            "a number or range",
            "tempo; `~` counts half and double, and within 4 %",
            ("bpm:118..124", "bpm:120", "bpm:~120"),
            _bpm,
        ),
        Term("meter", "a time signature", "declared time signature, or the estimated one where none is declared", ("meter:3/4",), _meter),
        Term(
            "program",
            "a name or number",
            "a General MIDI program plays: by words of its name, or its number from 0",
            ('program:"slap bass"', "program:36"),
            _of_programs(programs),
        ),
        Term("family", "a name", "a program of the General MIDI family plays", ("family:bass",), _of_programs(family)),
        Term("has", "a word", f"there are such events or facts: {', '.join(HAS)}", ("has:drums",), _has, tuple(HAS)),
        Term(
            "role",
            "a word",
            f"part that the file plays: {', '.join(ROLES)}",
            ("role:melody",),
            lambda value: _in("a.role", [choice(value, ROLES, "role")]),
            ROLES,
        ),
        Term(
            "chords",
            "chords",
            "chord loop, from whichever chord it begins; after `~` in any transposition",
            ('chords:"Am F C G"', 'chords:"~Am F C G"'),
            _chords,
        ),
        Term(
            "duration",
            "a time or range",
            "duration, in seconds or with a unit or as M:SS",
            ("duration:..30s", "duration:2:30..4m"),
            _range("duration_s", TIMES, "duration:..30s"),
        ),
        Term("notes", "a number or range", "number of notes", ("notes:100..", "notes:1k..5k"), _range("note_count", COUNTS, "notes:100..")),
        Term(
            "polyphony",
            "a number or range",
            "greatest number of notes at once, drums excluded",
            ("polyphony:1",),
            _range("polyphony_max", PLAIN, "polyphony:1"),
        ),
        Term(
            "swing",
            "a number or range",
            "ratio of the first to the second of two eighth notes",
            ("swing:1.5..",),
            _range("swing", PLAIN, "swing:1.5.."),
        ),
        Term(
            "loop",
            "a number of bars, or yes or no",
            "length of the loop that the file repeats, or whether it loops without a gap",
            ("loop:4", "loop:yes"),
            _loop,
            ("yes", "no"),
        ),
        Term("performance", "yes or no", "whether it was played freely", ("performance:yes",), _performance, ("yes", "no")),
        Term(
            "confidence",
            "a number or range",
            "the lower of the confidences of tempo and key, 0 to 1",
            ("confidence:.8..",),
            _confidence,
        ),
        Term(
            "status",
            "a word",
            f"outcome of the analysis: {', '.join(STATUSES)}",
            ("status:rejected",),
            _status,
            STATUSES,
        ),
        Term(
            "like",
            "a file or path",
            "music similar to that of a path in the library, or of a file (see similar.md)",
            ("like:song.mid",),
            _like,
        ),
        Term("issue", "a word", "an issue of the file, see policy.md", ("issue:stuck_note",), _issue, ISSUES),
        Term(
            "missing",
            "yes or no",
            "files that no run has found again; without this term they are left out",
            ("missing:yes",),
            _missing,
            ("yes", "no"),
        ),
    )
}


def term_condition(name: str, value: str, reads_files: bool = False) -> Condition:
    """The condition of a term. Raises QueryError for a term or value that there is not.

    Only with ``reads_files`` may `like:` read a file, which a page in a browser must not make us do.
    """
    term = TERMS.get(name.lower())
    if term is None:
        usual = OTHER_NAMES.get(name.lower())
        raise QueryError(f"there is no term {name}{f'; did you mean {usual}?' if usual else nearest(name, TERMS)}")
    if not value.strip():
        raise QueryError(f"{name}: needs {term.values}, such as {term.examples[0]}")
    if reads_files and term.name == "like":
        conditions = like_file(value.strip())
        return Condition(*conditions) if conditions else replace(_like(value.strip()), is_no_file=True)
    try:
        return term.condition(value.strip())
    except QueryError as problem:
        raise QueryError(f"{name}: {problem}" if not str(problem).startswith("there is no") else str(problem)) from None
