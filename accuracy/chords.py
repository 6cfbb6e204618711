"""How often chords are right, where a collection says which they are.

    half bars    tunes whose chords also stand alone, in `chords/NAME.mid` beside `NAME.mid`: a block of notes for each chord symbol,
                 the lowest the root. The chord of a half bar is the one that sounds longest in it. Each tune is heard as
                 it is, and with the lowest one or two notes of each chord an octave higher: inversions.
    loops        files that are called after their chords, "Gb - I bVII IV - Hopeful": the text of chord_progression

The baseline takes the best of 24 major and minor triads, by sounding time, for each half bar by itself.
"""

from __future__ import annotations

import io
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import midiopt
from accuracy import markdown
from midiopt.core.analysis import Analyzer

Note = tuple[int, int, int]  # onset and end in ticks, pitch
Chord = tuple[int, str]  # root and quality

QUALITIES = {(0, 4, 7): "", (0, 4, 7, 10): "", (0, 3, 7): "m", (0, 3, 7, 10): "m", (0, 3, 7, 9): "m", (0, 3, 6): "dim"}
TRIADS = {(root, quality): {root, (root + third) % 12, (root + 7) % 12} for quality, third in (("", 4), ("m", 3)) for root in range(12)}
NATURALS = dict(zip("CDEFGAB", (0, 2, 4, 5, 7, 9, 11), strict=True))
SIGNS = {"b": -1, "": 0, "#": 1}
INVERSIONS = ("as written", "first inversions", "second inversions")


def chord_of(name: str) -> Chord:
    """'Bbm' -> (10, 'm')"""
    letter, sign, quality = re.fullmatch("([A-G])([b#]?)(.*)", name).groups()  # type: ignore[union-attr]
    return (NATURALS[letter] + SIGNS[sign]) % 12, quality


# Half bars


def read(path: Path):
    try:
        import mido
    except ImportError:
        raise SystemExit("make eval needs mido: pip install 'midiopt[eval]'") from None
    return mido.MidiFile(path)


def notes_of(track) -> list[Note]:
    notes, sounding, tick = [], {}, 0
    for message in track:
        tick += message.time
        if message.type in ("note_on", "note_off"):
            if message.note in sounding:
                notes.append((sounding.pop(message.note), tick, message.note))
            if message.type == "note_on" and message.velocity:
                sounding[message.note] = tick
    return sorted(notes)


def blocks_of(notes: Sequence[Note]) -> list[tuple[int, int, Chord]]:
    """(onset, end, chord) of notes that begin together; of those that are no chord, none."""
    together = defaultdict(list)
    for onset, end, pitch in notes:
        together[onset].append((end, pitch))
    found = []
    for onset, struck in sorted(together.items()):
        root = min(pitch for _, pitch in struck)
        quality = QUALITIES.get(tuple(sorted({(pitch - root) % 12 for _, pitch in struck})))
        if quality is not None:
            found.append((onset, max(end for end, _ in struck), (root % 12, quality)))
    return found


def raise_lowest(track, count: int) -> None:
    """Put the lowest notes of each chord of a track an octave higher."""
    tick, struck = 0, defaultdict(list)
    for message in track:
        tick += message.time
        if message.type == "note_on" and message.velocity:
            struck[tick].append(message)
    raised = {id(m) for chord in struck.values() for m in sorted(chord, key=lambda m: m.note)[:count]}
    higher = set()  # pitches that sound an octave higher
    for message in track:
        if message.type == "note_on" and message.velocity:
            (higher.add if id(message) in raised else higher.discard)(message.note)
        if message.type in ("note_on", "note_off") and message.note in higher:
            if message.type == "note_off" or not message.velocity:
                higher.discard(message.note)
            message.note += 12


def overlap(start: int, end: int, low: int, high: int) -> int:
    return max(0, min(end, high) - max(start, low))


def triad(notes: Sequence[Note], start: int, end: int) -> Chord:
    weights = [0] * 12
    for onset, off, pitch in notes:
        weights[pitch % 12] += overlap(onset, off, start, end)
    return max(TRIADS, key=lambda chord: sum(weights[pc] for pc in TRIADS[chord]))


def tunes(corpus: Path) -> Iterator[tuple[Path, Path]]:
    """Files and their chords."""
    for chords in sorted(corpus.rglob("chords/*.mid")):
        if (tune := chords.parent.parent / chords.name).is_file():
            yield tune, chords


def half_bars(corpus: Path) -> list[list[object]]:
    scores: dict[str, list[tuple[bool, bool, bool]]] = {name: [] for name in INVERSIONS}
    analyzer = Analyzer()
    for tune, chords in tunes(corpus):
        truth = blocks_of([note for track in read(chords).tracks for note in notes_of(track)])
        for count, name in enumerate(INVERSIONS):
            file = read(tune)
            if blocks_of(notes_of(file.tracks[-1])) != truth:
                break  # the tune is another version
            raise_lowest(file.tracks[-1], count)
            out = io.BytesIO()
            file.save(file=out)
            heard = sorted(note for track in file.tracks for note in notes_of(track))
            analyzer.analyze(out.getvalue(), bytes(16), 0, bytearray(), bytearray())
            found = [(tick, chord_of(name)) for tick, name in analyzer.half_bars()]
            ends = [tick for tick, _ in found[1:]] + [max(end for _, end, _ in heard)]
            for (start, chord), end in zip(found, ends, strict=True):
                longest = max(truth, key=lambda block, s=start, e=end: overlap(block[0], block[1], s, e))
                if overlap(longest[0], longest[1], start, end):
                    right = longest[2]
                    near = [note for note in heard if note[0] < end and note[1] > start]
                    scores[name].append((chord == right, chord[0] == right[0], triad(near, start, end) == right))
    return [[name, len(hits), *(sum(hit[i] for hit in hits) / len(hits) for i in range(3))] for name, hits in scores.items() if hits]


# Loops

DEGREES = ("i", "ii", "iii", "iv", "v", "vi", "vii")
NUMERAL = re.compile("([b#]?)(VII|VI|IV|V|III|II|I|vii|vi|iv|v|iii|ii|i)(.*)")
SCALES = {"maj": (0, 2, 4, 5, 7, 9, 11), "min": (0, 2, 3, 5, 7, 8, 10)}
DIMINISHED = {"maj": "vii", "min": "ii"}  # without a sign, by custom


def chords_called(path: Path) -> list[Chord]:
    """The chords that a name says, in Roman numerals above a tonic; below a folder `Minor` those of the minor scale."""
    tonic, *rest = path.stem.split(" - ")
    at = re.fullmatch("([A-G])([b#]?)", tonic)
    numerals = [NUMERAL.fullmatch(word) for word in rest[0].split()] if at and rest else []
    if not at or not all(numerals):
        return []
    mode = "min" if "Minor" in path.parts else "maj"
    chords = []
    for numeral in numerals:
        sign, degree, more = numeral.groups()  # type: ignore[union-attr]
        root = NATURALS[at[1]] + SIGNS[at[2]] + SCALES[mode][DEGREES.index(degree.lower())] + SIGNS[sign]
        quality = next((q for q in ("dim", "sus4", "sus2") if more.startswith(q)), "m" if degree.islower() else "")
        if not more and not sign and degree == DIMINISHED[mode]:
            quality = "dim"
        chords.append((root % 12, quality))
    period = next(n for n in range(1, len(chords) + 1) if chords == (chords * len(chords))[:n] * (len(chords) // n))
    return [chord for i, chord in enumerate(chords[:period]) if i == 0 or chord != chords[i - 1]]


def in_order(found: Sequence, right: Sequence) -> int:
    """The most items of `right` that `found` has in the same order (the longest common subsequence)."""
    row = [0] * (len(right) + 1)
    for item in found:
        before = row[:]
        for i, other in enumerate(right):
            row[i + 1] = before[i] + 1 if item == other else max(row[i], before[i + 1])
    return row[-1]


def loops(corpus: Path) -> list[list[object]]:
    scores: dict[str, list[tuple[bool, int, int, int]]] = defaultdict(list)
    for path in sorted(corpus.rglob("*.mid")):
        if right := chords_called(path.relative_to(corpus)):
            found = [chord_of(name) for name in (midiopt.analyze(path).chord_progression or "").split()]
            roots = in_order([root for root, _ in found], [root for root, _ in right])
            scores[path.parent.name].append((found == right, in_order(found, right), roots, max(len(found), len(right))))
    rows: list[list[object]] = []
    for name, hits in sorted(scores.items()):
        chords = sum(hit[3] for hit in hits)
        rows.append([name, len(hits), sum(hit[0] for hit in hits) / len(hits), *(sum(hit[i] for hit in hits) / chords for i in (1, 2))])
    return rows


def report(corpus: Path, tables_of_truth: Path, sample: int) -> str:
    """The tables of docs/accuracy.md. The truth lies beside the files, and is small enough to need no sample."""
    return "\n\n".join(
        [
            "### Chords: half bars",
            markdown.table(["chords", "half bars", "right", "root", "best of 24 triads"], half_bars(corpus)),
            "### Chords: loops by their names",
            markdown.table(["folder", "files", "whole progression", "chords", "roots"], loops(corpus)),
        ]
    )
