"""How often the chords are right, second by second, where a collection says which they are.

    POP909       songs whose chords are in the table pop909_chords.tsv (start and end in seconds, label in Harte's syntax), which
                 another program found from the piano part alone; those from which training/chords.py did not learn
    tunes        whose chords also exist alone, in `chords/NAME.mid` beside `NAME.mid`: a block of notes per chord symbol, the
                 lowest note the root. Each is analyzed as written, and with the lowest one or two notes of each chord an octave
                 higher (inversions).

The measures are those of mir_eval, of the time that has a label, song by song, and then their mean: `root`, `majmin` (the triad, where
the label's is major or minor) and `sevenths` (where it is major, minor, 7, maj7 or m7). The baseline takes the best of 24 major and
minor triads by sounding time, for each quarter separately.
"""

from __future__ import annotations

import csv
import io
import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np

import midiopt
from accuracy import ground_truth, markdown
from accuracy.corpus import load_mir_eval

Message: TypeAlias = Any  # of mido, which is imported only when it is needed
File: TypeAlias = Any
Label: TypeAlias = tuple[float, float, str]  # start and end in seconds, Harte's syntax

TABLE = "pop909_chords.tsv"
TRAINING_FOLDS = (0, 1)  # training/chords.py fits the scores to these songs of POP909; the others are scored
MEASURES = ("root", "majmin", "sevenths")
# Qualities that midiopt writes otherwise.
HARTE = {"": "maj", "m": "min", "6": "maj6", "m6": "min6", "m7": "min7", "m7b5": "hdim7", "(b5)": "(3,b5)"}
QUALITIES = {(0, 4, 7): "maj", (0, 4, 7, 10): "7", (0, 3, 7): "min", (0, 3, 7, 10): "min7", (0, 3, 7, 9): "min6", (0, 3, 6): "dim"}
ROOTS = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
TRIADS = {f"{ROOTS[root]}:{quality}": (root, (root + third) % 12, (root + 7) % 12)
          for quality, third in (("maj", 4), ("min", 3)) for root in range(12)}  # fmt: skip
VOICINGS = ("as written", "first inversions", "second inversions")  # by the number of notes raised an octave


class Note(NamedTuple):
    """A note without channel and velocity."""

    onset: int  # ticks
    end: int  # ticks
    pitch: int


# --- what is right -----------------------------------------------------------------------------------


def songs(truth: Path) -> dict[str, list[Label]]:
    """The labels of each song of the table, by its path."""
    found: dict[str, list[Label]] = defaultdict(list)
    if (truth / TABLE).is_file():
        with (truth / TABLE).open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                found[row["relpath"]].append((float(row["start_s"]), float(row["end_s"]), row["label"]))
    return found


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


def labels_of(notes: Sequence[Note], time: midiopt.TempoMap) -> list[Label]:
    """The chords that simultaneous onsets make; those that are no known chord are left out."""
    by_onset = defaultdict(list)
    for note in notes:
        by_onset[note.onset].append(note)
    labels = []
    for onset, chord in sorted(by_onset.items()):
        root = min(note.pitch for note in chord)
        quality = QUALITIES.get(tuple(sorted({(note.pitch - root) % 12 for note in chord})))
        if quality is not None:
            start, end = time.seconds_at([onset, max(note.end for note in chord)])
            labels.append((float(start), float(end), f"{ROOTS[root % 12]}:{quality}"))
    starts = [start for start, _, _ in labels[1:]]
    return [(start, min(end, after), label) for (start, end, label), after in zip(labels, [*starts, np.inf], strict=True)]


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


def tunes(corpus: Path) -> Iterator[tuple[Path, Path]]:
    """Files, and the files of their chords alone."""
    for chords in sorted(corpus.rglob("chords/*.mid")):
        if (tune := chords.parent.parent / chords.name).is_file():
            yield tune, chords


# --- what was found ----------------------------------------------------------------------------------


def harte(symbol: str) -> str:
    """A chord symbol without its bass in Harte's syntax: "Am7/G" -> "A:min7"."""
    if symbol == "N":
        return symbol
    name = symbol.partition("/")[0]
    root = name[:2] if name[1:2] in ("b", "#") else name[:1]
    quality = name[len(root) :]
    return f"{root}:{HARTE.get(quality, quality)}"


def found_labels(data: bytes) -> list[Label]:
    """The chords of a file."""
    chords, end = midiopt.harmony(data).chords, midiopt.notes(data).end_s.max()
    return [(start, after, harte(name)) for start, after, name in zip(chords.seconds, [*chords.seconds[1:], end], chords.name, strict=True)]


def best_triads(data: bytes) -> list[Label]:
    """The baseline."""
    notes, time = midiopt.notes(data), midiopt.tempo_map(data)
    onset, end = notes.onset / notes.ticks_per_quarter, (notes.onset + notes.length) / notes.ticks_per_quarter
    quarters = np.arange(np.ceil(end.max()) + 1)
    weights = np.zeros((len(quarters) - 1, 12))
    for a, b, pitch, is_drum in zip(onset, end, notes.pitch, notes.is_drum, strict=True):
        for quarter in range(int(a), int(np.ceil(b))) if not is_drum else ():
            weights[quarter, pitch % 12] += min(b, quarter + 1) - max(a, quarter)
    scores = np.array([weights[:, list(classes)].sum(1) for classes in TRIADS.values()])
    names = [list(TRIADS)[best] for best in scores.argmax(0)]
    return [(a, b, name) for (a, b), name in zip(pairwise(time.seconds_at(quarters * notes.ticks_per_quarter)), names, strict=True)]


def compare(right: list[Label], found: list[Label]) -> list[float]:
    """The measures of a song."""
    mir_eval = load_mir_eval()
    intervals, labels = np.array([label[:2] for label in right]), [label for *_, label in right]
    found = [label for label in found if label[1] > label[0]]
    with warnings.catch_warnings():  # it warns of songs without any label that a measure knows
        warnings.simplefilter("ignore")
        found_intervals, found_labels = mir_eval.util.adjust_intervals(
            np.array([label[:2] for label in found]), [label for *_, label in found], intervals.min(), intervals.max(), "N", "N"
        )
        parts, expected, given = mir_eval.util.merge_labeled_intervals(intervals, labels, found_intervals, found_labels)
        seconds = np.diff(parts, axis=1)[:, 0]
        chord = mir_eval.chord
        return [float(chord.weighted_accuracy(getattr(chord, measure)(expected, given), seconds)) for measure in MEASURES]


def song_rows(corpus: Path, truth: Path) -> list[list[object]]:
    """The row of POP909, and that of the baseline."""
    scores, baseline = [], []
    for name, labels in songs(truth).items():
        if (corpus / name).is_file() and ground_truth.fold(name) not in TRAINING_FOLDS:
            data = (corpus / name).read_bytes()
            scores.append(compare(labels, found_labels(data)))
            baseline.append(compare(labels, best_triads(data)))
    return [
        [source, len(rows), *np.mean(rows, axis=0).tolist()]
        for source, rows in (("POP909, untouched", scores), ("POP909, best of 24 triads", baseline))
        if rows
    ]


def tune_rows(corpus: Path) -> list[list[object]]:
    """A row per voicing of the tunes, and one of the baseline as written."""
    scores: dict[str, list[list[float]]] = defaultdict(list)
    for tune, chords in tunes(corpus):
        time = midiopt.tempo_map(tune)
        blocks = [note for track in read(chords).tracks for note in notes_of(track)]
        for raised, voicing in enumerate(VOICINGS):
            file = read(tune)
            if notes_of(file.tracks[-1]) != blocks:
                break  # the tune is another version
            raise_lowest(file.tracks[-1], raised)
            content = io.BytesIO()
            file.save(file=content)
            if labels := without_gaps(labels_of(blocks, time)):
                scores[f"tunes, {voicing}"].append(compare(labels, found_labels(content.getvalue())))
                if not raised:
                    scores["tunes, best of 24 triads"].append(compare(labels, best_triads(content.getvalue())))
    return [[source, len(rows), *np.mean(rows, axis=0).tolist()] for source, rows in scores.items()]


def without_gaps(labels: list[Label]) -> list[Label]:
    """Labels with X, which no measure counts, between them."""
    filled: list[Label] = []
    for start, end, label in labels:
        if filled and start > filled[-1][1]:
            filled.append((filled[-1][1], start, "X"))
        filled.append((start, end, label))
    return filled


def report(corpus: Path, truth: Path, sample: int) -> str:
    """The table; all files are scored whatever `sample` says."""
    rows = [*song_rows(corpus, truth), *tune_rows(corpus)]
    return "### Chords\n\n" + markdown.table(["source", "songs", *MEASURES], rows)
