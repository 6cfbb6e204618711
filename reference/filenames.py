"""Tempo, key and meter in the path of a file, by regular expressions; docs/accuracy-methods.md, "Names", states the rules."""

from __future__ import annotations

import re

from midiopt.schema import USUAL_KEYS


def ignoring_case(word: str) -> str:
    """A pattern for a word in any case."""
    return f"(?i:{word})"


SHARP, FLAT = "\xe2\x99\xaf", "\xe2\x99\xad"  # the bytes of U+266F and U+266D
LETTER = r"A-Za-z\x80-\xff"  # inside a character class
WORD = rf"[{LETTER}0-9']"  # a character of a word
SPACE = "[ _-]"
BPM_WORD = ignoring_case("bpm")
NUMBER = r"(?>[0-9]{2,3}(?:[.,][0-9]{1,2}(?![0-9]))?)(?![0-9])"
BPM_RANGE = (20, 400)  # of a number beside "bpm"
PLAIN_RANGE = (60, 200)  # of a number without "bpm"

ACCIDENTAL = rf"(?P<accidental>(?P<sign>[#b]|{SHARP}|{FLAT})|{SPACE}?(?:{ignoring_case('sharp')}|{ignoring_case('flat')}))?+"
TONIC = rf"(?P<tonic>[A-Ga-g]){ACCIDENTAL}"
MODE = rf"(?:{'|'.join(map(ignoring_case, ('major', 'minor', 'maj', 'min')))})(?!{WORD})"
SHORT_KEY = re.compile(rf"(?<!{WORD})(?P<tonic>[A-Ga-g])(?P<accidental>(?P<sign>[#b]|{SHARP}|{FLAT}))?+(?P<mode>m)(?!{WORD})")
LONG_KEY = re.compile(rf"(?<!{WORD}){TONIC}(?P<space>{SPACE}?)(?P<mode>{MODE})")
TONIC_ALONE = re.compile(rf"(?<!{WORD}){TONIC}(?!{WORD})")
INITIAL_TONIC = re.compile(rf"(?=[A-Z]){TONIC}(?!{WORD})")
KEY_WORD = rf"(?<!{WORD}){ignoring_case('key')}"
AFTER_KEY_WORD = re.compile(rf"(?:{KEY_WORD}(?:{SPACE}{ignoring_case('of')})?{SPACE}|{KEY_WORD}[=:])$")
MARK_BEFORE = re.compile(r"(?:^|[ _-]-|-[ _-]|[^A-Za-z0-9'\x80-\xff. _-])[ _-]*$")
MARK_AFTER = re.compile(r"[ _-]*(?:$|-[ _-]|[ _-]-|[^A-Za-z0-9'\x80-\xff. _-])")
BPM = re.compile(rf"(?<![{LETTER}]){BPM_WORD}(?![{LETTER}])")
METER = re.compile(rf"(?<!{WORD})(?<![.-])(2-2|[2-7]-4|[35679]-8|12-8)(?!{WORD})(?![.-])")
SEMITONES = dict(zip("ABCDEFG", (9, 11, 0, 2, 4, 5, 7), strict=True))


# --- tempo -----------------------------------------------------------------------------------------


def value_of(number: str) -> float:
    """A number with a decimal point or comma."""
    return float(number.replace(",", "."))


def is_within(number: str, limits: tuple[int, int]) -> bool:
    """Whether a number lies within limits, both included."""
    return limits[0] <= value_of(number) <= limits[1]


def matched_text(found: re.Match[str] | None) -> str:
    """The text that a pattern matched, empty for none."""
    return found[0] if found else ""


def number_at_end(text: str) -> re.Match[str] | None:
    """The number that ends a text; digits before a point belong to it only if they make at least 20."""
    found = re.search(r"(?<![0-9])(?:[2-9][0-9]|[0-9]{3,})[.,][0-9]{1,2}$", text) or re.search(r"[0-9]+$", text)
    return found if found and re.fullmatch(NUMBER, found[0]) else None


def is_range(name: str, start: int, end: int) -> bool:
    """Whether the number at name[start:end] is half of a range like 90-100."""
    before = number_at_end(name[: start - 1]) if start > 1 and name[start - 1] == "-" else None
    after = re.compile(f"-({NUMBER})").match(name, end)
    others = [before[0]] if before else []
    others += [after[1]] if after else []
    return any(is_within(number, PLAIN_RANGE) for number in others)


def number_beside_bpm(name: str, start: int, end: int) -> tuple[int, int] | None:
    """Start and end of the number that belongs to the "bpm" at name[start:end].

    A number joined to "bpm" goes before one that is not, the one before "bpm" goes before the one after it.
    """
    spaces = matched_text(re.search("[ _-]{0,3}$", name[:start]))
    separators = matched_text(re.compile("[ _=:.-]{0,3}").match(name, end))
    before, after = start - len(spaces), end + len(separators)
    places = []  # (rank, start, end)
    if found := number_at_end(name[:before]):
        places.append((2 if spaces else 0, found.start(), before))
    if (found := re.compile(NUMBER).match(name, after)) and not re.compile(WORD).match(name, found.end()):
        places.append((3 if separators else 1, after, found.end()))
    return next(((first, last) for _, first, last in sorted(places) if is_within(name[first:last], BPM_RANGE)), None)


def numbers_beside_key(name: str, start: int, end: int) -> list[float]:
    """Plausible tempos that stand alone before and after the key at name[start:end]."""
    found = []
    if spaces := re.search("[ _-]{1,3}$", name[:start]):
        number = number_at_end(name[: spaces.start()])
        if number and not re.search(f"{WORD}$", name[: number.start()]) and not is_range(name, number.start(), spaces.start()):
            found.append(number[0])
    number = re.compile(rf"[ _-]{{1,3}}({NUMBER})(?!{WORD})").match(name, end)
    if number and not is_range(name, number.start(1), number.end()):
        found.append(number[1])
    return [value_of(number) for number in found if is_within(number, PLAIN_RANGE)]


def tempos_in(name: str) -> list[float | None]:
    """The tempos beside "bpm", or without any those beside keys of one word; None stands for a range."""
    found: list[float | None] = []
    for bpm in BPM.finditer(name):
        if place := number_beside_bpm(name, bpm.start(), bpm.end()):
            found.append(None if is_range(name, *place) else value_of(name[slice(*place)]))
    if not found:
        found = [bpm for _, start, end, one_word in keys_in(name) if one_word for bpm in numbers_beside_key(name, start, end)]
    return found


# --- key -------------------------------------------------------------------------------------------


def tonic_of(found: re.Match[str]) -> int:
    """The pitch class of a matched tonic and accidental."""
    accidental = (found["accidental"] or "").lower()
    alteration = 0 if not accidental else 1 if accidental in ("#", SHARP) or accidental.endswith("sharp") else -1
    return (SEMITONES[found["tonic"].upper()] + alteration) % 12


def is_unambiguous_key(name: str, start: int, end: int) -> bool:
    """Whether "Am" or the like at name[start:end] is a key and not a word: beside a tempo, after "key", or between marks."""
    if re.search(rf"(?<!{WORD})[Ii]{SPACE}$", name[:start]):
        return False
    if numbers_beside_key(name, start, end) or AFTER_KEY_WORD.search(name[:start]):
        return True
    if re.search(rf"(?<![{LETTER}]){BPM_WORD}[ _-]{{1,3}}$", name[:start]):
        return True
    if re.compile(rf"[ _-]{{1,3}}[0-9]*{BPM_WORD}(?![{LETTER}])").match(name, end):
        return True
    return bool(MARK_BEFORE.search(name[:start]) and MARK_AFTER.match(name, end))


def keys_in(name: str) -> list[tuple[int, int, int, bool]]:
    """(row of USUAL_KEYS, start, end, whether it is one word) of each key in a name."""
    found = []
    for start in range(len(name)):
        if short := SHORT_KEY.match(name, start):
            ambiguous = short["tonic"] in "AE" and not short["sign"]
            well_formed = short["tonic"].isupper() or short["sign"] not in (None, "b")
            if well_formed and (not ambiguous or is_unambiguous_key(name, start, short.end())):
                found.append((12 + tonic_of(short), start, short.end(), True))
        elif long := LONG_KEY.match(name, start):
            natural = not long["accidental"]
            one_word = not long["space"] and (natural or bool(long["sign"]))
            article = natural and long["tonic"] == "a" and long["space"] in (" ", "_")
            if article and not re.search(rf"(?<!{WORD}){ignoring_case('in')}{SPACE}$", name[:start]):
                continue
            ambiguous = natural and not long["space"] and long["tonic"] in "AaEe" and long["mode"].lower() == "min"
            if ambiguous and not is_unambiguous_key(name, start, long.end()):
                continue
            found.append((tonic_of(long) + 12 * long["mode"].lower().startswith("min"), start, long.end(), one_word))
        elif (alone := TONIC_ALONE.match(name, start)) and alone["tonic"].isupper() and AFTER_KEY_WORD.search(name[:start]):
            found.append((tonic_of(alone), start, alone.end(), False))
    return found


# --- a path ----------------------------------------------------------------------------------------


def meters_in(name: str) -> set[str]:
    """The meters in a name, none if it holds no letter."""
    return {meter.replace("-", "/") for meter in METER.findall(name)} if re.search(f"[{LETTER}]", name) else set()


def without_suffix(name: str) -> str:
    """A name without its suffix, and without the one before that of a compression."""
    stem, dot, suffix = name.rpartition(".")
    if dot and suffix.lower() in ("gz", "bz2", "xz", "zst"):
        return stem.rpartition(".")[0] if "." in stem else stem
    return stem if dot else name


def key_in(names: list[str]) -> str | None:
    """The key of the first name (the file's own comes first) that has any; None if it has several.

    A folder with several keys gives the one whose tonic begins the file's name.
    """
    for i, name in enumerate(names):
        keys = {row for row, *_ in keys_in(name)}
        initial = INITIAL_TONIC.match(names[0])
        if i and len(keys) > 1 and initial:
            of_file = {row for row in keys if row % 12 == tonic_of(initial)}
            keys = of_file if len(of_file) == 1 else keys
        if keys:
            return USUAL_KEYS[keys.pop()] if len(keys) == 1 else None
    return None


def filename_facts(path: bytes) -> tuple[float | None, str | None, str | None]:
    """name_bpm, name_key and name_meter: each from the file's name, or else from the nearest folder that has any."""
    names = path.decode("latin-1").split("/")[::-1]
    names = [without_suffix(name) if i == 0 or name.endswith("!") else name for i, name in enumerate(names)]
    bpm = next((set(found) for found in map(tempos_in, names) if found), set())
    meters = next((found for found in map(meters_in, names) if found), set())
    return bpm.pop() if len(bpm) == 1 else None, key_in(names), meters.pop() if len(meters) == 1 else None
