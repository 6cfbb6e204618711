"""How often the chords are right, where a collection says which they are.

    half bars    Tunes whose chords also exist alone, in `chords/NAME.mid` beside `NAME.mid`: a block of notes per chord symbol,
                 the lowest note the root. The right chord of a half bar is the one that sounds longest in it. Each tune is
                 analyzed as written, and with the lowest one or two notes of each chord an octave higher (inversions).
    loops        Files named after their chords, "Gb - I bVII IV - Hopeful", against chord_progression.

The baseline takes the best of 24 major and minor triads by sounding time, for each half bar separately.
"""

from __future__ import annotations

import io
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import midiopt
from accuracy import markdown
from midiopt.core.analysis import Analyzer
from midiopt.core.inspection import half_bars

Message: TypeAlias = Any  # of mido, which is imported only when it is needed
File: TypeAlias = Any
Chord: TypeAlias = tuple[int, str]  # root and quality

QUALITIES = {(0, 4, 7): "", (0, 4, 7, 10): "", (0, 3, 7): "m", (0, 3, 7, 10): "m", (0, 3, 7, 9): "m", (0, 3, 6): "dim"}
TRIADS = {(root, quality): {root, (root + third) % 12, (root + 7) % 12} for quality, third in (("", 4), ("m", 3)) for root in range(12)}
NATURALS = dict(zip("CDEFGAB", (0, 2, 4, 5, 7, 9, 11), strict=True))
ACCIDENTALS = {"b": -1, "": 0, "#": 1}
VOICINGS = ("as written", "first inversions", "second inversions")  # by the number of notes raised an octave


class Note(NamedTuple):
    """A note without channel and velocity."""

    onset: int  # ticks
    end: int  # ticks
    pitch: int


class Block(NamedTuple):
    """A chord symbol."""

    onset: int  # ticks
    end: int  # ticks
    chord: Chord


class Score(NamedTuple):
    """What is right about a half bar."""

    chord: bool
    root: bool
    baseline: bool


def parse_chord(name: str) -> Chord:
    """Root and quality of a name of chord_progression: "Bbm" -> (10, "m")."""
    found = re.fullmatch("([A-G])([b#]?)(.*)", name)
    if not found:
        raise ValueError(f"{name!r} is not the name of a chord")
    letter, accidental, quality = found.groups()
    return (NATURALS[letter] + ACCIDENTALS[accidental]) % 12, quality


# --- half bars -------------------------------------------------------------------------------------


def read(path: Path) -> File:
    """A file as mido reads it."""
    try:
        import mido
    except ImportError:
        raise SystemExit("make eval needs mido: pip install 'midiopt[eval]'") from None
    return mido.MidiFile(path)


def notes_of(track: Sequence[Message]) -> list[Note]:
    """The notes of a track in order; a note ends where its pitch begins again."""
    notes = []
    sounding: dict[int, int] = {}  # pitch -> onset
    tick = 0
    for message in track:
        tick += message.time
        if message.type in ("note_on", "note_off"):
            if message.note in sounding:
                notes.append(Note(sounding.pop(message.note), tick, message.note))
            if message.type == "note_on" and message.velocity:
                sounding[message.note] = tick
    return sorted(notes)


def blocks_of(notes: Sequence[Note]) -> list[Block]:
    """The chords that simultaneous onsets make; those that are no known chord are left out."""
    by_onset = defaultdict(list)
    for note in notes:
        by_onset[note.onset].append(note)
    blocks = []
    for onset, chord in sorted(by_onset.items()):
        root = min(note.pitch for note in chord)
        quality = QUALITIES.get(tuple(sorted({(note.pitch - root) % 12 for note in chord})))
        if quality is not None:
            blocks.append(Block(onset, max(note.end for note in chord), (root % 12, quality)))
    return blocks


def raise_lowest(track: Sequence[Message], count: int) -> None:
    """Transpose the lowest notes of each chord of a track up an octave."""
    tick = 0
    onsets = defaultdict(list)
    for message in track:
        tick += message.time
        if message.type == "note_on" and message.velocity:
            onsets[tick].append(message)
    raised = {id(m) for chord in onsets.values() for m in sorted(chord, key=lambda m: int(m.note))[:count]}
    raised_pitches: set[int] = set()  # that sound now
    for message in track:
        if message.type == "note_on" and message.velocity:
            (raised_pitches.add if id(message) in raised else raised_pitches.discard)(message.note)
        if message.type in ("note_on", "note_off") and message.note in raised_pitches:
            if message.type == "note_off" or not message.velocity:
                raised_pitches.discard(message.note)
            message.note += 12


def overlap(start: int, end: int, other_start: int, other_end: int) -> int:
    """The ticks that two intervals share."""
    return max(0, min(end, other_end) - max(start, other_start))


def best_triad(notes: Sequence[Note], start: int, end: int) -> Chord:
    """The baseline: the triad whose pitch classes sound longest between two ticks."""
    weights = [0] * 12
    for note in notes:
        weights[note.pitch % 12] += overlap(note.onset, note.end, start, end)
    return max(TRIADS, key=lambda chord: sum(weights[pc] for pc in TRIADS[chord]))


def tunes(corpus: Path) -> Iterator[tuple[Path, Path]]:
    """Files, and the files of their chords alone."""
    for chords in sorted(corpus.rglob("chords/*.mid")):
        if (tune := chords.parent.parent / chords.name).is_file():
            yield tune, chords


def score_half_bars(analyzer: Analyzer, file: File, truth: list[Block]) -> Iterator[Score]:
    """Compare each half bar of a file that overlaps a true chord."""
    data = io.BytesIO()
    file.save(file=data)
    notes = sorted(note for track in file.tracks for note in notes_of(track))
    analyzer.analyze(data.getvalue(), bytes(16), 0, bytearray(), bytearray())
    found = [(tick, parse_chord(name)) for tick, name in half_bars(analyzer)]
    ends = [tick for tick, _ in found[1:]] + [max(note.end for note in notes)]
    for (start, chord), end in zip(found, ends, strict=True):
        longest = max(truth, key=lambda block, s=start, e=end: overlap(block.onset, block.end, s, e))  # type: ignore[misc]
        if overlap(longest.onset, longest.end, start, end):
            sounding = [note for note in notes if note.onset < end and note.end > start]
            right = longest.chord
            yield Score(chord == right, chord[0] == right[0], best_triad(sounding, start, end) == right)


def half_bar_table(corpus: Path) -> list[list[object]]:
    """A row per voicing: half bars, and the share with the right chord, root, and baseline."""
    scores: dict[str, list[Score]] = {name: [] for name in VOICINGS}
    analyzer = Analyzer()
    for tune, chords in tunes(corpus):
        truth = blocks_of([note for track in read(chords).tracks for note in notes_of(track)])
        for raised, name in enumerate(VOICINGS):
            file = read(tune)
            if blocks_of(notes_of(file.tracks[-1])) != truth:
                break  # the tune is another version
            raise_lowest(file.tracks[-1], raised)
            scores[name] += score_half_bars(analyzer, file, truth)
    return [[name, len(hits), *(sum(each) / len(hits) for each in zip(*hits, strict=True))] for name, hits in scores.items() if hits]


# --- loops -----------------------------------------------------------------------------------------

DEGREES = ("i", "ii", "iii", "iv", "v", "vi", "vii")
NUMERAL = re.compile("([b#]?)(VII|VI|IV|V|III|II|I|vii|vi|iv|v|iii|ii|i)(.*)")
SCALES = {"maj": (0, 2, 4, 5, 7, 9, 11), "min": (0, 2, 3, 5, 7, 8, 10)}
DIMINISHED = {"maj": "vii", "min": "ii"}  # diminished by custom when written without a sign


def chords_in_name(path: Path) -> list[Chord]:
    """The chords in a file name, Roman numerals above a tonic (below a folder `Minor` of the minor scale); empty if there are none."""
    tonic, *rest = path.stem.split(" - ")
    root_name = re.fullmatch("([A-G])([b#]?)", tonic)
    words = rest[0].split() if rest else []
    numerals = [found for word in words if (found := NUMERAL.fullmatch(word))]
    if not root_name or not words or len(numerals) < len(words):
        return []
    mode = "min" if "Minor" in path.parts else "maj"
    chords = []
    for numeral in numerals:
        accidental, degree, suffix = numeral.groups()
        step = SCALES[mode][DEGREES.index(degree.lower())]
        root = NATURALS[root_name[1]] + ACCIDENTALS[root_name[2]] + step + ACCIDENTALS[accidental]
        quality = next((q for q in ("dim", "sus4", "sus2") if suffix.startswith(q)), "m" if degree.islower() else "")
        if not suffix and not accidental and degree == DIMINISHED[mode]:
            quality = "dim"
        chords.append((root % 12, quality))
    period = next(n for n in range(1, len(chords) + 1) if chords == (chords * len(chords))[:n] * (len(chords) // n))
    return [chord for i, chord in enumerate(chords[:period]) if i == 0 or chord != chords[i - 1]]


def common_subsequence_length(found: Sequence[object], right: Sequence[object]) -> int:
    """The length of the longest common subsequence."""
    row = [0] * (len(right) + 1)
    for item in found:
        before = row[:]
        for i, other in enumerate(right):
            row[i + 1] = before[i] + 1 if item == other else max(row[i], before[i + 1])
    return row[-1]


def loop_table(corpus: Path) -> list[list[object]]:
    """A row per folder: files, the share of whole progressions, of chords, and of roots that are right."""
    scores: dict[str, list[tuple[bool, int, int, int]]] = defaultdict(list)  # whole, chords, roots, length
    for path in sorted(corpus.rglob("*.mid")):
        if right := chords_in_name(path.relative_to(corpus)):
            found = [parse_chord(name) for name in (midiopt.analyze(path).chord_progression or "").split()]
            chords = common_subsequence_length(found, right)
            roots = common_subsequence_length([root for root, _ in found], [root for root, _ in right])
            scores[path.parent.name].append((found == right, chords, roots, max(len(found), len(right))))
    rows: list[list[object]] = []
    for name, hits in sorted(scores.items()):
        whole, in_order, roots, length = (sum(column) for column in zip(*hits, strict=True))
        rows.append([name, len(hits), whole / len(hits), in_order / length, roots / length])
    return rows


def report(corpus: Path, truth: Path, sample: int) -> str:
    """The tables. The truth lies beside the files, so `truth` is not read, and all files are scored whatever `sample` says."""
    return "\n\n".join(
        [
            "### Chords: half bars",
            markdown.table(["chords", "half bars", "right", "root", "best of 24 triads"], half_bar_table(corpus)),
            "### Chords: loops by their names",
            markdown.table(["folder", "files", "whole progression", "chords", "roots"], loop_table(corpus)),
        ]
    )
