"""How often the chord loops are right, where files are named after their chords: "Gb - I bVII IV - Hopeful", against chord_progression."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import midiopt
from accuracy import markdown

Chord: TypeAlias = tuple[int, str]  # root and quality

NATURALS = dict(zip("CDEFGAB", (0, 2, 4, 5, 7, 9, 11), strict=True))
ACCIDENTALS = {"b": -1, "": 0, "#": 1}
DEGREES = ("i", "ii", "iii", "iv", "v", "vi", "vii")
NUMERAL = re.compile("([b#]?)(VII|VI|IV|V|III|II|I|vii|vi|iv|v|iii|ii|i)(.*)")
SCALES = {"maj": (0, 2, 4, 5, 7, 9, 11), "min": (0, 2, 3, 5, 7, 8, 10)}
DIMINISHED = {"maj": "vii", "min": "ii"}  # diminished by custom when written without a sign


def parse_chord(name: str) -> Chord:
    """Root and quality of a name of chord_progression: "Bbm" -> (10, "m")."""
    found = re.fullmatch("([A-G])([b#]?)(.*)", name)
    if not found:
        raise ValueError(f"{name!r} is not the name of a chord")
    letter, accidental, quality = found.groups()
    return (NATURALS[letter] + ACCIDENTALS[accidental]) % 12, quality


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
        quality = next((q for q in ("dim", "sus4", "sus2") if suffix.startswith(q)), "m" if degree.islower() or suffix == "m" else "")
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
    """The table. The truth is in the names, so `truth` is not read, and all files are scored whatever `sample` says."""
    return "### Chords: loops by their names\n\n" + markdown.table(
        ["folder", "files", "whole progression", "chords", "roots"], loop_table(corpus)
    )
