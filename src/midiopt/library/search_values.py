"""Values of search terms: numbers and ranges, keys, chords, programs. Each reader raises QueryError for what it cannot read."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from midiopt.errors import QueryError
from midiopt.general_midi import FAMILIES, PROGRAMS
from midiopt.schema import KEYS, MAJOR_TONICS, MINOR_TONICS

SEMITONES = dict(zip("CDEFGAB", (0, 2, 4, 5, 7, 9, 11), strict=True))
SUFFIXES = ("", "m", "dim", "aug", "sus4", "sus2")  # of the chords in `chord_progression`
MAX_CHORDS = 24  # half bars of the longest loop
_NUMBER = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
_CLOCK = r"(?:([0-9]{1,9}):(?=[0-5]?[0-9]:))?([0-9]{1,9}):([0-5]?[0-9](?:\.[0-9]*)?)"  # H:MM:SS or M:SS
_TONIC = re.compile(r"([A-Ga-g])([#b\u266f\u266d]?)")


def nearest(word: str, known: Iterable[str]) -> str:
    """``; did you mean X?`` with the known word that is most like this one, or what there is."""
    from difflib import get_close_matches  # which only errors need

    words = {_plain(other): other for other in known}
    begun = [other for other in words if _plain(word) and other.startswith(_plain(word))]
    close = begun[:1] or get_close_matches(_plain(word), words, n=1)
    if close:
        return f"; did you mean {words[close[0]]}?"
    return f", only {', '.join(words.values())}" if len(words) <= 24 else ""


def _plain(word: str) -> str:
    return "".join(c for c in word.lower() if c.isalnum() or c in "#/")


def choice(value: str, known: Iterable[str], what: str) -> str:
    """The known word that a value is, in whatever case."""
    words = list(known)
    found = next((word for word in words if word.lower() == value.lower()), None)
    if found is None:
        raise QueryError(f"there is no {what} {value!r}{nearest(value, words)}")
    return found


@dataclass(frozen=True)
class Range:
    """From a number to a number, both included; None is no limit. An exact number is the range that rounds to it."""

    low: float | None
    high: float | None
    is_exact: bool = False


def number_range(value: str, units: dict[str, float], example: str) -> Range:
    """A number, or two with `..` between them of which one may be absent. A unit is a factor; of times, M:SS is read, too."""
    low, dots, high = value.partition("..")
    if not dots:
        middle, step = _number(low, units, example)
        return Range(middle - step / 2, middle + step / 2, is_exact=True)
    if not low and not high:
        raise QueryError(f"a range needs a number, such as {example}, not {value!r}")
    first = _number(low, units, example)[0] if low else None
    last = _number(high, units, example)[0] if high else None
    if first is not None and last is not None and first > last:
        raise QueryError(f"the range {value} begins above its end; write {high}..{low}")
    return Range(first, last)


def _number(text: str, units: dict[str, float], example: str) -> tuple[float, float]:
    """The number, and the value of its last digit."""
    if "s" in units and (clock := re.fullmatch(_CLOCK, text)):
        return int(clock[1] or 0) * 3600 + int(clock[2]) * 60 + float(clock[3]), 1.0
    found = re.fullmatch(rf"({_NUMBER})\s*([A-Za-z]*)", text.strip())
    if not found or found[2].lower() not in units:
        raise QueryError(f"it must be a number or a range, such as {example}, not {text!r}")
    factor = units[found[2].lower()]
    number = float(found[1]) * factor
    if not math.isfinite(number) or number > 2**53:
        raise QueryError(f"{text} is too large a number")
    return number, factor * 10.0 ** -len(found[1].partition(".")[2])


def tonic(text: str) -> tuple[int, str] | None:
    """The pitch class that a text begins with, and what follows it."""
    found = _TONIC.match(text)
    if not found:
        return None
    shift = {"#": 1, "\u266f": 1, "b": -1, "\u266d": -1}.get(found[2], 0)
    return (SEMITONES[found[1].upper()] + shift) % 12, text[found.end() :]


def keys(value: str) -> list[str]:
    """The names in schema.KEYS of a key, enharmonic ones included; of ``minor`` or ``major`` those of all; after ``~`` compatible ones."""
    text = value.removeprefix("~").strip()
    if text.lower() in ("major", "minor"):
        return [name for name in KEYS if name.endswith("m") == (text.lower() == "minor")]
    found = tonic(text)
    mode = found and re.fullmatch(r"\s*(|m|min|minor|M|maj|major|dur|moll)", found[1], re.IGNORECASE)
    if not found or not mode:
        raise QueryError(f"there is no key {text!r}{nearest(text, [*MAJOR_TONICS, *(f'{t}m' for t in MINOR_TONICS)])}")
    is_minor = mode[1] in ("m", "moll") or mode[1].lower().startswith("min")
    wanted = {(found[0], is_minor)}
    if value.startswith("~"):  # the neighbours on the circle of fifths, and the relative key
        wanted |= {((found[0] + fifth) % 12, is_minor) for fifth in (5, 7)} | {((found[0] + (3 if is_minor else 9)) % 12, not is_minor)}
    return [name for name in KEYS if key_class(name) in wanted]


def key_class(name: str) -> tuple[int, bool]:
    """Pitch class of the tonic, and whether it is a minor key."""
    found = tonic(name)
    assert found
    return found[0], found[1] == "m"


def progressions(value: str) -> list[str]:
    """Every rotation of a chord loop as `chord_progression` spells it; after ``~`` every transposition of each."""
    names = re.split(r"[\s,|-]+", value.removeprefix("~").strip())
    if len(names) > MAX_CHORDS:
        raise QueryError(f"a chord loop has at most {MAX_CHORDS} chords, not {len(names)}")
    chords = [_chord(name) for name in names]
    if len(chords) > 1 and chords[0] == chords[-1]:
        chords = chords[:-1]  # of a loop whose last chord goes on as its first one
    steps = range(12) if value.startswith("~") else (0,)
    rotations = [chords[i:] + chords[:i] for i in range(len(chords))]
    if len(chords) > 1:
        rotations += [loop + loop[:1] for loop in rotations]  # that begins in the midst of a chord
    return sorted({" ".join(_chord_name((root + step) % 12, suffix) for root, suffix in loop) for loop in rotations for step in steps})


def _chord(name: str) -> tuple[int, str]:
    found = tonic(name)
    suffix = {"min": "m", "maj": "", "M": "", "°": "dim", "o": "dim", "+": "aug", "sus": "sus4"}
    kind = suffix.get(found[1], found[1]) if found else ""
    if not found or kind not in SUFFIXES:
        raise QueryError(
            f"there is no chord {name!r}; a root has one of {', '.join(filter(None, SUFFIXES))} after it, or nothing: Am F C Gsus4"
        )
    return found[0], kind


def _chord_name(root: int, suffix: str) -> str:
    """As core/harmony/chords.pyx spells it: after its third."""
    return (MINOR_TONICS if suffix in ("m", "dim") else MAJOR_TONICS)[root] + suffix


def programs(value: str) -> list[int]:
    """Numbers of the General MIDI programs that a number or the words of a name stand for."""
    if re.fullmatch(r"[0-9]+", value):
        if int(value) >= len(PROGRAMS):
            raise QueryError(f"there is no program {value}; they are numbered from 0 to {len(PROGRAMS) - 1}")
        return [int(value)]
    words = re.findall(r"[a-z0-9]+", value.lower())
    found = [i for i, name in enumerate(PROGRAMS) if _has_words(name, words)]
    if not words or not found:
        raise QueryError(f"there is no program {value!r}{nearest(value, PROGRAMS)}")
    return found


def family(value: str) -> list[int]:
    """Numbers of the programs of a General MIDI family: of the one with this name, or else of those whose names have its words."""
    words = re.findall(r"[a-z0-9]+", value.lower())
    exact = [i for i, name in enumerate(FAMILIES) if name.lower() == value.lower()]
    found = exact or [i for i, name in enumerate(FAMILIES) if _has_words(name, words)]
    if not words or not found:
        raise QueryError(f"there is no family {value!r}{nearest(value, FAMILIES)}")
    return [program for i in found for program in range(8 * i, 8 * i + 8)]


def _has_words(name: str, words: list[str]) -> bool:
    """Whether each word begins a word of the name."""
    names = re.findall(r"[a-z0-9]+", name.lower())
    return all(any(other.startswith(word) for other in names) for word in words)
