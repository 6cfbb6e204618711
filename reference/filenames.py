"""What a path says of tempo and key, by regular expressions: the rules of docs/accuracy.md in the simplest words."""

from __future__ import annotations

import re

SHARP, FLAT = "\xe2\x99\xaf", "\xe2\x99\xad"  # U+266F and U+266D as bytes
LETTER = r"A-Za-z\x80-\xff"
WORD = rf"[{LETTER}0-9']"
SPACE = "[ _-]"
ANY = "(?i:{})".format
NUMBER = r"(?>[0-9]{2,3}(?:[.,][0-9]{1,2}(?![0-9]))?)(?![0-9])"

TONIC = rf"(?P<tonic>[A-Ga-g])(?P<accidental>(?P<sign>[#b]|{SHARP}|{FLAT})|{SPACE}?(?:{ANY('sharp')}|{ANY('flat')}))?+"
MODE = rf"(?:{ANY('major')}|{ANY('minor')}|{ANY('maj')}|{ANY('min')})(?!{WORD})"
SHORT = re.compile(rf"(?<!{WORD})(?P<tonic>[A-Ga-g])(?P<accidental>(?P<sign>[#b]|{SHARP}|{FLAT}))?+(?P<mode>m)(?!{WORD})")
LONG = re.compile(rf"(?<!{WORD}){TONIC}(?P<space>{SPACE}?)(?P<mode>{MODE})")
ALONE = re.compile(rf"(?<!{WORD}){TONIC}(?!{WORD})")
FIRST = re.compile(rf"(?=[A-Z]){TONIC}(?!{WORD})")
AFTER_KEY = re.compile(rf"(?:(?<!{WORD}){ANY('key')}(?:{SPACE}{ANY('of')})?{SPACE}|(?<!{WORD}){ANY('key')}[=:])$")
MARK_BEFORE = re.compile(r"(?:^|[ _-]-|-[ _-]|[^A-Za-z0-9'\x80-\xff. _-])[ _-]*$")
MARK_AFTER = re.compile(r"[ _-]*(?:$|-[ _-]|[ _-]-|[^A-Za-z0-9'\x80-\xff. _-])")
BPM = re.compile(rf"(?<![{LETTER}]){ANY('bpm')}(?![{LETTER}])")

METER = re.compile(rf"(?<!{WORD})(?<![.-])(2-2|[2-7]-4|[35679]-8|12-8)(?!{WORD})(?![.-])")
SEMITONES = dict(zip("ABCDEFG", (9, 11, 0, 2, 4, 5, 7), strict=True))
NAMES = [
    *("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"),
    *("Cm", "C#m", "Dm", "Ebm", "Em", "Fm", "F#m", "Gm", "G#m", "Am", "Bbm", "Bm"),
]


def tonic_of(found: re.Match[str]) -> int:
    sign = (found["accidental"] or "").lower()
    alter = 0 if not sign else 1 if sign in ("#", SHARP) or sign.endswith("sharp") else -1
    return (SEMITONES[found["tonic"].upper()] + alter) % 12


def value_of(number: str) -> float:
    return float(number.replace(",", "."))


def number_that_ends(text: str) -> re.Match[str] | None:
    """The number at the end of the text, with what is left of the point only where that makes 20 and more."""
    found = re.search(r"(?<![0-9])(?:[2-9][0-9]|[0-9]{3,})[.,][0-9]{1,2}$", text) or re.search(r"[0-9]+$", text)
    return found if found and re.fullmatch(NUMBER, found[0]) else None


def is_range(name: str, start: int, end: int) -> bool:
    before = number_that_ends(name[: start - 1]) if start > 1 and name[start - 1] == "-" else None
    after = re.compile("-(" + NUMBER + ")").match(name, end)
    others = [before[0]] if before else []
    others += [after[1]] if after else []
    return any(60 <= value_of(x) <= 200 for x in others)


def beside_bpm(name: str, at: int, end: int) -> tuple[int, int] | None:
    """Where the number is that belongs to the bpm at `at`."""
    spaces = re.search("[ _-]{0,3}$", name[:at])[0]
    signs = re.compile("[ _=:.-]{0,3}").match(name, end)[0]
    before, after = at - len(spaces), end + len(signs)
    places = []
    if found := number_that_ends(name[:before]):
        places.append((0 if not spaces else 2, found.start(), before))
    if (found := re.compile(NUMBER).match(name, after)) and not re.compile(WORD).match(name, found.end()):
        places.append((1 if not signs else 3, after, found.end()))
    for _, start, stop in sorted(places):
        if 20 <= value_of(name[start:stop]) <= 400:
            return start, stop
    return None


def beside_key(name: str, start: int, end: int) -> list[float]:
    """Numbers from 60 to 200 that stand alone before and after a key."""
    found = []
    if spaces := re.search("[ _-]{1,3}$", name[:start]):
        number = number_that_ends(name[: spaces.start()])
        if number and not re.search(WORD + "$", name[: number.start()]) and not is_range(name, number.start(), spaces.start()):
            found.append(number[0])
    number = re.compile(rf"[ _-]{{1,3}}({NUMBER})(?!{WORD})").match(name, end)
    if number and not is_range(name, number.start(1), number.end()):
        found.append(number[1])
    return [value_of(x) for x in found if 60 <= value_of(x) <= 200]


def stands_out(name: str, start: int, end: int) -> bool:
    if re.search(rf"(?<!{WORD})[Ii]{SPACE}$", name[:start]):
        return False
    if beside_key(name, start, end) or AFTER_KEY.search(name[:start]):
        return True
    if re.search(rf"(?<![{LETTER}]){ANY('bpm')}[ _-]{{1,3}}$", name[:start]):
        return True
    if re.compile(rf"[ _-]{{1,3}}[0-9]*{ANY('bpm')}(?![{LETTER}])").match(name, end):
        return True
    return bool(MARK_BEFORE.search(name[:start]) and MARK_AFTER.match(name, end))


def keys_of(name: str) -> list[tuple[int, int, int, bool]]:
    """(key, start, end, whether it is one word) of every key."""
    found = []
    for start in range(len(name)):
        if short := SHORT.match(name, start):
            doubtful = short["tonic"] in "AE" and not short["sign"]
            plain = short["tonic"].isupper() or short["sign"] not in (None, "b")
            if plain and (not doubtful or stands_out(name, start, short.end())):
                found.append((12 + tonic_of(short), start, short.end(), True))
        elif long := LONG.match(name, start):
            natural = not long["accidental"]
            one_word = not long["space"] and (natural or bool(long["sign"]))
            article = natural and long["tonic"] == "a" and long["space"] in (" ", "_")
            if article and not re.search(rf"(?<!{WORD}){ANY('in')}{SPACE}$", name[:start]):
                continue
            doubtful = natural and not long["space"] and long["tonic"] in "AaEe" and long["mode"].lower() == "min"
            if doubtful and not stands_out(name, start, long.end()):
                continue
            found.append((tonic_of(long) + 12 * long["mode"].lower().startswith("min"), start, long.end(), one_word))
        elif (alone := ALONE.match(name, start)) and alone["tonic"].isupper() and AFTER_KEY.search(name[:start]):
            found.append((tonic_of(alone), start, alone.end(), False))
    return found


def tempos_of(name: str) -> list[float | None]:
    """Beside "bpm", else beside keys; None for a range."""
    found: list[float | None] = []
    for bpm in BPM.finditer(name):
        if place := beside_bpm(name, bpm.start(), bpm.end()):
            found.append(None if is_range(name, *place) else value_of(name[slice(*place)]))
    if not found:
        found = [bpm for _, start, end, one_word in keys_of(name) if one_word for bpm in beside_key(name, start, end)]
    return found


def without_suffix(name: str) -> str:
    stem, dot, suffix = name.rpartition(".")
    if dot and suffix.lower() == "gz":
        return stem.rpartition(".")[0] if "." in stem else stem
    return stem if dot else name


def meters_of(name: str) -> set[str]:
    """Those of a name that holds letters too."""
    return {meter.replace("-", "/") for meter in METER.findall(name)} if re.search(f"[{LETTER}]", name) else set()


def name_facts(path: bytes) -> tuple[float | None, str | None, str | None]:
    """name_bpm, name_key and name_meter of a path."""
    names = path.decode("latin-1").split("/")[::-1]
    names = [without_suffix(name) if i == 0 or name.endswith("!") else name for i, name in enumerate(names)]
    bpm = next((set(found) for found in map(tempos_of, names) if found), set())
    key = None
    for i, name in enumerate(names):
        keys = {number for number, *_ in keys_of(name)}
        first = FIRST.match(names[0])
        if i and len(keys) > 1 and first:
            mine = {k for k in keys if k % 12 == tonic_of(first)}
            keys = mine if len(mine) == 1 else keys
        if keys:
            key = NAMES[keys.pop()] if len(keys) == 1 else None
            break
    meters = next((found for found in map(meters_of, names) if found), set())
    return bpm.pop() if len(bpm) == 1 else None, key, meters.pop() if len(meters) == 1 else None
