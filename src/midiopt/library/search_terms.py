"""The terms of a search in one table: name, values, meaning, examples, and the condition that each becomes.

To add a term, add a row to TERMS; docs/search.md and the completion of shells are made from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from midiopt.errors import QueryError
from midiopt.library import search_conditions as conditions
from midiopt.library.search_conditions import Condition
from midiopt.library.search_like import like_file
from midiopt.library.search_values import choice, family, nearest, programs
from midiopt.schema import ISSUES, ROLES, STATUSES


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


WORDS = ("title", "name", "track", "path", "file", "folder", "text", "artist", "composer")  # of what people look for by words
OTHER_NAMES = {"tempo": "bpm", "instrument": "program", "scale": "key", "time": "duration", "length": "duration", "bars": "loop"}
TERMS = {
    term.name: term
    for term in (
        Term(
            "key",
            "a key",
            "key; enharmonic names are one; `~` adds the relative key and the neighbours on the circle of fifths; `minor` and `major`, too",
            ("key:Am", "key:~Am", "key:minor"),
            conditions.key,
        ),
        Term(
            "bpm",
            "a number or range",
            "tempo; `~` counts half and double, and within 4 %",
            ("bpm:118..124", "bpm:120", "bpm:~120"),
            conditions.bpm,
        ),
        Term(
            "meter",
            "a time signature",
            "declared time signature, or the estimated one where none is declared",
            ("meter:3/4",),
            conditions.meter,
        ),
        Term(
            "program",
            "a name or number",
            "a General MIDI program plays: by words of its name, or its number from 0",
            ('program:"slap bass"', "program:36"),
            conditions.of_programs(programs),
        ),
        Term("family", "a name", "a program of the General MIDI family plays", ("family:bass",), conditions.of_programs(family)),
        Term(
            "has",
            "a word",
            f"there are such events or facts: {', '.join(conditions.HAS)}",
            ("has:drums",),
            conditions.has,
            tuple(conditions.HAS),
        ),
        Term(
            "role",
            "a word",
            f"part that the file plays: {', '.join(ROLES)}",
            ("role:melody",),
            lambda value: conditions.one_of("a.role", [choice(value, ROLES, "role")]),
            ROLES,
        ),
        Term(
            "chords",
            "chords",
            "chord loop, from whichever chord it begins; after `~` in any transposition",
            ('chords:"Am F C G"', 'chords:"~Am F C G"'),
            conditions.chords,
        ),
        Term(
            "duration",
            "a time or range",
            "duration, in seconds or with a unit or as M:SS",
            ("duration:..30s", "duration:2:30..4m"),
            conditions.in_range("duration_s", conditions.TIMES, "duration:..30s"),
        ),
        Term(
            "notes",
            "a number or range",
            "number of notes",
            ("notes:100..", "notes:1k..5k"),
            conditions.in_range("note_count", conditions.COUNTS, "notes:100.."),
        ),
        Term(
            "polyphony",
            "a number or range",
            "greatest number of notes at once, drums excluded",
            ("polyphony:1",),
            conditions.in_range("polyphony_max", conditions.PLAIN, "polyphony:1"),
        ),
        Term(
            "swing",
            "a number or range",
            "ratio of the first to the second of two eighth notes",
            ("swing:1.5..",),
            conditions.in_range("swing", conditions.PLAIN, "swing:1.5.."),
        ),
        Term(
            "loop",
            "a number of bars, or yes or no",
            "length of the loop that the file repeats, or whether it loops without a gap",
            ("loop:4", "loop:yes"),
            conditions.loop,
            ("yes", "no"),
        ),
        Term("performance", "yes or no", "whether it was played freely", ("performance:yes",), conditions.performance, ("yes", "no")),
        Term(
            "confidence",
            "a number or range",
            "the lower of the confidences of tempo and key, 0 to 1",
            ("confidence:.8..",),
            conditions.confidence,
        ),
        Term(
            "status",
            "a word",
            f"outcome of the analysis: {', '.join(STATUSES)}",
            ("status:rejected",),
            conditions.status,
            STATUSES,
        ),
        Term(
            "like",
            "a file or path",
            "music similar to that of a path in the library, or of a file",
            ("like:song.mid",),
            conditions.like,
        ),
        Term("issue", "a word", "an issue of the file, as midiopt show names it", ("issue:stuck_note",), conditions.issue, ISSUES),
        Term(
            "missing",
            "yes or no",
            "files that no run has found again; without this term they are left out",
            ("missing:yes",),
            conditions.missing,
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
        if name.lower() in WORDS:
            raise QueryError(f"there is no term {name}; words without a term are sought in titles, track names and paths")
        usual = OTHER_NAMES.get(name.lower())
        raise QueryError(f"there is no term {name}{f'; did you mean {usual}?' if usual else nearest(name, TERMS)}")
    if not value.strip():
        raise QueryError(f"{name}: needs {term.values}, such as {term.examples[0]}")
    if reads_files and term.name == "like":
        of_file = like_file(value.strip())
        return Condition(*of_file) if of_file else replace(conditions.like(value.strip()), is_no_file=True)
    try:
        return term.condition(value.strip())
    except QueryError as problem:
        raise QueryError(f"{name}: {problem}" if not str(problem).startswith("there is no") else str(problem)) from None
