"""How often the phase of the quarter is right: where in the declared quarter the beats lie.

The annotated chords of POP909 change on beats, so the tempo map puts these changes at the phase. In files of the other collections
the beats are taken to be on the declared quarters. An answer is right within 1/16 quarter.
"""

from __future__ import annotations

import cmath
import math
from bisect import bisect_right
from pathlib import Path

import midiopt
from accuracy import ground_truth, markdown
from accuracy.corpus import beside, midi_files
from accuracy.ground_truth import Row
from midiopt.core.analyzer import Analyzer
from midiopt.core.inspection import quarter_phase
from reference.quantization import POSITIONS

TOLERANCE = 12  # positions
MIN_CONCENTRATION = 0.9  # of the chord changes' positions in the quarter: elsewhere the tempo map does not follow the beats
MAX_FILES = 300  # per collection without annotations
TRANSCRIPTIONS = ("GiantMIDI", "AccoMontage")  # collections with piano transcriptions, whose quarters are not the music's


def distance(position: float, other: float) -> float:
    """Between two positions in the quarter, the shorter way round."""
    return abs((position - other + POSITIONS / 2) % POSITIONS - POSITIONS / 2)


def annotated_phases(truth: Path, corpus: Path) -> list[tuple[Row, float]]:
    """A row per song with annotated chords, and the position of their changes."""
    changes: dict[str, list[float]] = {}
    for row in ground_truth.read(truth, "pop909_chords", corpus):
        changes.setdefault(row["relpath"], []).append(float(row["start_s"]))
    found = []
    for relpath, seconds in changes.items():
        tempo_map = midiopt.tempo_map(corpus / relpath)
        starts = tempo_map.seconds.tolist()
        mean = 0j
        for time in seconds:
            i = bisect_right(starts, time) - 1
            quarters = int(tempo_map.tick[i]) / tempo_map.ticks_per_quarter + (time - starts[i]) * 1e6 / int(tempo_map.tempo[i])
            mean += cmath.exp(2j * math.pi * quarters) / len(seconds)
        if abs(mean) >= MIN_CONCENTRATION:
            phase = cmath.phase(mean) / (2 * math.pi) * POSITIONS
            found.append(({"relpath": relpath, "source": "pop909_chords", "group": str(Path(relpath).parent)}, phase))
    return found


def written_files(corpus: Path, annotated: set[str]) -> list[Row]:
    """A row for files, at most MAX_FILES each, of the collections that are not annotated and no transcriptions."""
    rows: list[Row] = []
    for folder in sorted(corpus.iterdir()):
        if not folder.is_dir() or folder.name in annotated or any(name in folder.name for name in TRANSCRIPTIONS):
            continue
        for path in midi_files(folder):
            relpath = str(path.relative_to(corpus))
            rows.append({"relpath": relpath, "source": folder.name, "group": relpath})
    return ground_truth.thin([row for row in rows if row["source"] != "edge"], MAX_FILES)


def found_phase(path: Path) -> int | None:
    """The phase that the analysis finds; None for performances and for unusable files."""
    analyzer = Analyzer()
    rows, heap = bytearray(), bytearray()
    try:
        facts = midiopt.analyze(path)
        analyzer.analyze(path.read_bytes(), facts.content_hash, facts.analyzer_version, rows, heap)
    except midiopt.MidiError:
        return None
    return quarter_phase(analyzer) if facts.is_performance is False and facts.ticks_per_quarter else None


def report(corpus: Path, truth: Path, _sample: int) -> str:
    """The table of the phase, by collection."""
    annotated = annotated_phases(truth, corpus)
    known = {row["relpath"].split("/")[0] for row, _ in annotated}
    files = [(corpus / row["relpath"], row["source"], phase) for row, phase in annotated]
    for folder in (corpus, *beside(corpus)):
        files += [(folder / row["relpath"], row["source"], 0.0) for row in written_files(folder, known)]
    answers: dict[str, list[tuple[bool, bool]]] = {}
    for path, source, phase in files:
        found = found_phase(path)
        if found is not None:
            shifted = distance(phase, 0) > TOLERANCE
            answers.setdefault(source, []).append((distance(found, phase) <= TOLERANCE, shifted))
    lines = [
        [source, len(mine), sum(shifted for _, shifted in mine), sum(right for right, _ in mine) / len(mine)]
        for source, mine in sorted(answers.items())
    ]
    table = markdown.table(["source", "files", "of them beside the declared quarters", "right"], lines)
    return f"### Phase of the quarter: within 1/16 quarter\n\n{table}"
