"""Convert the folk tunes of a music21 wheel to MIDI files: python -m training.folk_tunes WHEEL FOLDER [KNOWN ...]

The wheel (pip download --no-deps music21) has some 12,000 tunes in ABC notation: the Essen collection, O'Neill's, Aird's and
Ryan's. Written are those with one meter and one key throughout whose bars are complete, with both declared, at 120 BPM, and
without repeats. An upbeat follows a rest, so that bar lines stand at multiples of the bar.

KNOWN are folders of MIDI files of other collections, such as the Nottingham tunes: a tune that shares a fifth of its rows of
MATCH intervals with them is left out, so that a collection that is held out has no version of its tunes elsewhere.
"""

from __future__ import annotations

import re
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import mido

import midiopt

FOLDERS = ("essenFolksong", "airdsAirs", "oneills1850", "ryansMammoth")
TICKS_PER_QUARTER = 480
MIN_NOTES = 24
MATCH = 8  # intervals in a row
MAX_SHARED = 0.2  # of these
MIN_COMPLETE = 0.9  # of the bars between the first and the last have the length of the meter

LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
SHARPS = {"F": -1, "C": 0, "G": 1, "D": 2, "A": 3, "E": 4, "B": 5}  # of the major keys
MODES = {"": 0, "maj": 0, "ion": 0, "mix": -1, "dor": -2, "m": -3, "min": -3, "aeo": -3, "phr": -4, "loc": -5, "lyd": 1}
ACCIDENTALS = {"": 0, "^": 1, "^^": 2, "_": -1, "__": -2, "=": 0}
TUPLETS = {2: Fraction(3, 2), 3: Fraction(2, 3), 4: Fraction(3, 4)}
TOKEN = re.compile(
    r'"[^"]*"|!.*?!|\{[^}]*\}|\\$'  # chord symbols, decorations, grace notes
    r"|(?P<tuplet>\(\d)|(?P<bar>::|:?\|[\]|:]*|\[\|)|(?P<broken>[<>]+)|(?P<tie>-)|(?P<field>\[\w:)"
    r"|(?P<accidental>\^{1,2}|_{1,2}|=)?(?P<note>[A-Ga-gzx])(?P<octaves>[,']*)(?P<length>\d*/*\d*)"
)


@dataclass
class Tune:
    """The notes of a tune, in quarters."""

    meter: tuple[int, int]
    sharps: int
    is_minor: bool
    notes: list[tuple[Fraction, Fraction, int]] = field(default_factory=list)  # onset, length, pitch
    end: Fraction = Fraction(0)
    rest: Fraction = Fraction(0)  # before an upbeat, in onsets but not in the end

    @property
    def bar(self) -> Fraction:
        """Quarters."""
        return Fraction(4 * self.meter[0], self.meter[1])


def parse_meter(text: str) -> tuple[int, int] | None:
    """The meter of an M: line; None without one."""
    text = {"C": "4/4", "C|": "2/2"}.get(text.strip(), text.strip())
    found = re.fullmatch(r"(\d+)/(\d+)", text)
    return (int(found[1]), int(found[2])) if found else None


def parse_key(text: str) -> tuple[int, bool] | None:
    """Sharps of the key signature of a K: line, and whether the mode is minor; None without one."""
    found = re.match(r"([A-G])([#b]?)\s*([A-Za-z]{0,3})", text.strip())
    mode = found[3].lower() if found else ""
    if not found or mode not in MODES:
        return None
    sharps = SHARPS[found[1]] + {"": 0, "#": 7, "b": -7}[found[2]] + MODES[mode]
    return (sharps, MODES[mode] == MODES["min"]) if -7 <= sharps <= 7 else None


def parse_length(text: str) -> Fraction:
    """The factor that follows a note: 3, /, //, /4, 3/2."""
    number, slashes, divisor = re.fullmatch(r"(\d*)(/*)(\d*)", text).groups()  # type: ignore[union-attr]
    return Fraction(int(number or 1), int(divisor) if divisor else 2 ** len(slashes))


def signature(sharps: int) -> dict[str, int]:
    """The accidental of each letter under a key signature."""
    letters = "FCGDAEB"
    return {letter: (sharps > i) - (-sharps > 6 - i) for i, letter in enumerate(letters)}


def parse_head(text: str) -> tuple[Tune, str, Fraction] | None:
    """A tune without its notes, the ABC of these, and the unit of their lengths; None unless it has one meter, one key and one voice."""
    fields: dict[str, list[str]] = {}
    body = []
    for line in text.splitlines():
        line = line.split("%")[0].strip()
        if re.match(r"[A-Za-z]:", line):
            fields.setdefault(line[0], []).append(line[2:])
        elif "K" in fields:
            body.append(line)
    meter = parse_meter(fields.get("M", [""])[0])
    key = parse_key(fields.get("K", [""])[0])
    if not meter or not key or any(len(fields.get(name, [])) > 1 for name in "MKL") or "V" in fields:
        return None
    tune = Tune(meter, *key)
    default = Fraction(1, 16) if Fraction(*meter) < Fraction(3, 4) else Fraction(1, 8)
    unit = 4 * (Fraction(fields["L"][0].strip()) if "L" in fields else default)
    return tune, " ".join(body), unit


def parse_tune(text: str) -> Tune | None:
    """A tune from ABC notation; None unless it has one meter, one key, one voice and complete bars."""
    if not (head := parse_head(text)):
        return None
    tune = head[0]
    return tune if read_notes(*head) and len(tune.notes) >= MIN_NOTES else None


def read_notes(tune: Tune, body: str, unit: Fraction) -> bool:
    """Add the notes of a body; False where it is beyond this notation."""
    now, bar_start = Fraction(0), Fraction(0)
    in_signature = signature(tune.sharps)
    in_bar: dict[str, int] = {}
    tuplet, left, tied, factor = Fraction(1), 0, False, Fraction(1)
    bars: list[Fraction] = []
    for found in TOKEN.finditer(re.sub(r"\[([_^=]*[A-Ga-g][,']*)[^\]:|]*\]", r"\1", body)):  # of a chord the first note
        if found["field"]:
            return False
        if found["tuplet"]:
            left = int(found["tuplet"][1])
            tuplet = TUPLETS.get(left, Fraction(1))
        elif found["bar"]:
            if now > bar_start:
                bars.append(now - bar_start)
            bar_start, in_bar = now, {}
        elif found["tie"]:
            tied = True
        elif found["broken"] and tune.notes:
            onset, length, pitch = tune.notes[-1]
            more = length * (1 - Fraction(1, 2 ** len(found["broken"]))) * (1 if found["broken"][0] == ">" else -1)
            tune.notes[-1] = onset, length + more, pitch
            now, factor = now + more, (length - more) / length
        elif found["note"]:
            length = parse_length(found["length"]) * unit * factor * (tuplet if left else 1)
            left, factor = max(left - 1, 0), Fraction(1)
            letter = found["note"]
            if letter not in "zx":
                name = letter.upper()
                octaves = found["octaves"].count("'") - found["octaves"].count(",") + letter.islower()
                if found["accidental"] is not None:
                    in_bar[letter + found["octaves"]] = ACCIDENTALS[found["accidental"]]
                pitch = 60 + LETTERS[name] + 12 * octaves + in_bar.get(letter + found["octaves"], in_signature[name])
                if tied and tune.notes and tune.notes[-1][2] == pitch:
                    onset, before, _ = tune.notes[-1]
                    tune.notes[-1] = onset, before + length, pitch
                else:
                    tune.notes.append((now, length, pitch))
            tied = False
            now += length
    tune.end = now
    tune.rest = tune.bar - bars[0] if bars and bars[0] < tune.bar else Fraction(0)
    if len(bars) < 3 or sum(length == tune.bar for length in bars[1:-1]) < MIN_COMPLETE * len(bars[1:-1]):
        return False
    tune.notes = [(onset + tune.rest, length, pitch) for onset, length, pitch in tune.notes]
    return all(0 <= pitch < 128 for _, _, pitch in tune.notes)


def texts(wheel: Path, folders: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """The name and the ABC of each tune in some folders of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(archive.namelist()):
            path = Path(name)
            if path.suffix == ".abc" and path.parent.name in folders:
                text = archive.read(name).decode("utf-8", "replace")
                for number, part in enumerate(re.split(r"^X:", text, flags=re.MULTILINE)[1:], 1):
                    yield f"{path.parent.name}/{path.stem}-{number}", part.partition("\n")[2]


def tunes(wheel: Path) -> Iterator[tuple[str, Tune]]:
    """The name and notes of each tune of a wheel that can be used."""
    for name, text in texts(wheel, FOLDERS):
        if tune := parse_tune(text):
            yield name, tune


def rows_of_intervals(pitches: list[int]) -> set[tuple[int, ...]]:
    """The rows of MATCH intervals of a melody."""
    intervals = [after - before for before, after in pairwise(pitches)]
    return {tuple(intervals[i : i + MATCH]) for i in range(len(intervals) - MATCH + 1)}


def known_rows(folders: list[Path]) -> set[tuple[int, ...]]:
    """The rows of intervals of the highest notes of all files in some folders."""
    rows: set[tuple[int, ...]] = set()
    for path in (path for folder in folders for path in sorted(folder.rglob("*.mid"))):
        try:
            notes = midiopt.notes(path)
        except midiopt.MidiError:
            continue
        highest: dict[int, int] = {}
        for onset, pitch in zip(notes.onset.tolist(), notes.pitch.tolist(), strict=True):
            highest[onset] = max(highest.get(onset, 0), pitch)
        rows |= rows_of_intervals([highest[onset] for onset in sorted(highest)])
    return rows


def to_midi(tune: Tune) -> mido.MidiFile:
    """A file of format 0."""
    events = []
    for onset, length, pitch in tune.notes:
        events.append((onset + length, 0, mido.Message("note_off", note=pitch)))
        events.append((onset, 1, mido.Message("note_on", note=pitch, velocity=80)))
    track = mido.MidiTrack([mido.MetaMessage("time_signature", numerator=tune.meter[0], denominator=tune.meter[1])])
    now = 0
    for at, _, message in sorted(events, key=lambda event: event[:2]):
        tick = round(at * TICKS_PER_QUARTER)
        track.append(message.copy(time=tick - now))
        now = tick
    return mido.MidiFile(type=0, ticks_per_beat=TICKS_PER_QUARTER, tracks=[track])


def main(wheel: Path, folder: Path, known: list[Path]) -> None:
    """Write the files."""
    rows = known_rows(known)
    written = left_out = 0
    for name, tune in tunes(wheel):
        mine = rows_of_intervals([pitch for _, _, pitch in tune.notes])
        if sum(row in rows for row in mine) > MAX_SHARED * max(len(mine), 1):
            left_out += 1
            continue
        path = folder / f"{name}.mid"
        path.parent.mkdir(parents=True, exist_ok=True)
        to_midi(tune).save(path)
        written += 1
    print(f"{written} tunes written, {left_out} left out that other collections have")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]), [Path(each) for each in sys.argv[3:]])
