"""Fit the weights of core/harmony/key.pyx: python -m training.key CORPUS TRUTH

A choice among the 24 keys: the probability of each is the exponential of its weighed evidence, over the sum of all
(a conditional logit: D. McFadden, "Conditional Logit Analysis of Qualitative Choice Behavior", 1974), fitted by
Newton's method with a ridge. Where only the sharps are known, either of the two keys with that signature is right.

Prints the share of right answers where the weights saw the file (tuned), where they saw no version of its piece
(untouched), and where they saw nothing of its collection (foreign), and the line of WEIGHTS.
"""

from __future__ import annotations

import io
import random
import sys
from dataclasses import dataclass
from pathlib import Path

import mido
import numpy as np

from accuracy import annotations, markdown
from midiopt.core.analysis import Analyzer
from midiopt.errors import MidiError
from midiopt.rows.batch import ANALYSES_DTYPE

FROM_NOTES = 6  # kinds of evidence; the four others come from the declaration
RIDGE = 1.0
# Steps of evidence that are alike before the ridge, which punishes what is large: a correlation moves by a twentieth
# between likely keys, a share by a fifth.
SCALE = np.array([20, 20, 5, 5, 10, 3, 1, 1, 1, 1])
# Piano music has few pieces, so that they count three times: or folk tunes decide alone. The chord loops are
# often in more than one key. Medleys teach what a change of key means, and should not teach anything else.
IMPORTANCE = {
    "pop909_key_audio": 1.5,
    "wtc_bwv_number": 3,
    "asap_performance": 3,
    "asap_score": 3,
    "free_midi_chords_prog": 0.5,
    "medley": 0.2,
}
MEDLEYS = 600
OF_MEDLEYS = "nottingham_abc_MIDI"  # short tunes that stay in a key
FEW_NOTES = (0, 5, 10, 15, 20, 30, 40)  # tried: a file of so many notes counts half in its confidence
DECLARED_FILES = 100  # how many files each source stands for when declarations are weighed


@dataclass
class File:
    source: str
    group: str
    evidence: np.ndarray  # 24 keys x kinds
    right: np.ndarray  # 24 x bool
    notes: int  # pitched
    importance: float = 1.0


def signature(key: int) -> int:
    return 7 * (key % 12 + 3 * (key // 12)) % 12


SIGNATURES = np.array([signature(key) for key in range(24)])


def listen(analyzer: Analyzer, data: bytes) -> tuple[np.ndarray, int]:
    rows = bytearray()
    analyzer.analyze(data, bytes(16), 0, rows, bytearray())
    facts = np.frombuffer(rows, ANALYSES_DTYPE)[0]
    return np.array(analyzer.key_evidence()), int(facts["note_count"] - facts["drum_note_count"])


def read_files(corpus: Path, tables: Path) -> list[File]:
    analyzer = Analyzer()
    rows = [*annotations.read(tables, "key", corpus), *annotations.read(tables, "keysig_sharps", corpus)]
    versions: dict[tuple[str, str], int] = {}
    for row in rows:
        versions[row["source"], row["group"]] = versions.get((row["source"], row["group"]), 0) + 1
    files, seen = [], set()
    for row in rows:
        loop = row["source"] == "free_midi_chords_prog"  # the same in twelve keys: one says it all
        if loop and row["group"] in seen:
            continue
        seen.add(row["group"])
        try:
            evidence, notes = listen(analyzer, (corpus / row["relpath"]).read_bytes())
        except MidiError:
            continue
        right = np.arange(24) == true_key(row) if "mode" in row else int(row["sharps"]) % 12 == SIGNATURES
        share = 1 if loop else versions[row["source"], row["group"]]
        files.append(File(row["source"], row["group"], evidence, right, notes, IMPORTANCE.get(row["source"], 1) / share))
    return files + read_medleys(analyzer, corpus, [row for row in rows if row["source"] == OF_MEDLEYS])


def true_key(row: dict[str, str]) -> int:
    return int(row["tonic_pc"]) + 12 * row["mode"].startswith("min")


# Medleys


def read_medleys(analyzer: Analyzer, corpus: Path, rows: list[dict[str, str]]) -> list[File]:
    """Two tunes one after the other, in different keys: the right one is that of the longer tune."""
    chance = random.Random(1)
    files = []
    for _ in range(MEDLEYS if rows else 0):
        one, other = chance.choice(rows), chance.choice(rows)
        up = chance.randrange(-5, 7)
        first = true_key(one)
        second = (true_key(other) + up) % 12 + true_key(other) // 12 * 12
        data, lengths = medley(corpus / one["relpath"], corpus / other["relpath"], up)
        if signature(first) == signature(second) or not 1.3 < max(lengths) / min(lengths) < 3:
            continue
        longer = first if lengths[0] > lengths[1] else second
        evidence, notes = listen(analyzer, data)
        files.append(File("medley", one["group"], evidence, np.arange(24) == longer, notes, IMPORTANCE["medley"]))
    return files


def medley(one: Path, other: Path, up: int) -> tuple[bytes, list[int]]:
    """The notes of two files, those of the second `up` semitones higher; and the ticks of each."""
    files = [mido.MidiFile(path) for path in (one, other)]
    joined = mido.MidiFile(ticks_per_beat=files[0].ticks_per_beat)
    start, lengths = 0, []
    for file, by in zip(files, (0, up), strict=True):
        longest = 0
        for track in file.tracks:
            tick, before, notes = 0, 0, mido.MidiTrack()
            for message in track:
                tick += message.time
                now = start + tick * joined.ticks_per_beat // file.ticks_per_beat
                longest = max(longest, now - start)
                if message.type in ("note_on", "note_off"):
                    higher = message.note + by * (message.channel != 9)
                    notes.append(message.copy(note=min(max(higher, 0), 127), time=now - before))
                    before = now
            joined.tracks.append(notes)
        start += longest
        lengths.append(longest)
    data = io.BytesIO()
    joined.save(file=data)
    return data.getvalue(), lengths


# The fit


def probabilities(weights: np.ndarray, x: np.ndarray, offset: np.ndarray | float = 0.0) -> np.ndarray:
    z = x @ weights + offset
    p = np.exp(z - z.max(1, keepdims=True))
    return p / p.sum(1, keepdims=True)


def fit(x: np.ndarray, right: np.ndarray, importance: np.ndarray, offset: np.ndarray | float = 0.0) -> np.ndarray:
    """The weights that make the right keys most probable; x is files x 24 x kinds."""

    def gain(weights: np.ndarray) -> float:
        likely = (probabilities(weights, x, offset) * right).sum(1)
        return float((importance * np.log(likely + 1e-300)).sum() - RIDGE / 2 * weights @ weights)

    kinds = x.shape[2]
    weights = np.zeros(kinds)
    for _ in range(20):
        p = probabilities(weights, x, offset)
        among = p * right
        among /= among.sum(1, keepdims=True)
        gradient = np.einsum("n,nk,nkf->f", importance, among - p, x) - RIDGE * weights
        mean = np.einsum("nk,nkf->nf", p, x)
        spread = (x * np.sqrt(importance[:, None, None] * p[:, :, None])).reshape(-1, kinds)
        curvature = spread.T @ spread - (mean * importance[:, None]).T @ mean + RIDGE * np.eye(kinds)
        step = np.linalg.solve(curvature, gradient)
        while gain(weights + step) < gain(weights) and np.abs(step).max() > 1e-6:
            step /= 2
        weights = weights + step
    return weights


def held_out(parts: np.ndarray, x: np.ndarray, right: np.ndarray, importance: np.ndarray) -> np.ndarray:
    """The probabilities for each part from weights fitted to all others."""
    p = np.empty(x.shape[:2])
    for part in np.unique(parts):
        mine = parts == part
        p[mine] = probabilities(fit(x[~mine], right[~mine], importance[~mine]), x[mine])
    return p


def main(corpus: Path, tables_of_truth: Path) -> None:
    files = read_files(corpus, tables_of_truth)
    x = np.array([file.evidence for file in files]) * SCALE
    right = np.array([file.right for file in files])
    importance = np.array([file.importance for file in files])
    sources = np.array([file.source for file in files])
    notes, declared = x[:, :, :FROM_NOTES], x[:, :, FROM_NOTES:]

    weights = fit(notes, right, importance)
    collections = np.array([file.group.split(":")[0] if ":" in file.group else file.source for file in files])
    untouched = held_out(np.array([annotations.fold(file.group) for file in files]), notes, right, importance)
    results = {"tuned": probabilities(weights, notes), "untouched": untouched, "foreign": held_out(collections, notes, right, importance)}
    rows = []
    for source in np.unique(sources):
        mine = np.flatnonzero(sources == source)
        rows.append([source, len(mine), *(float(right[mine, p[mine].argmax(1)].mean()) for p in results.values())])
    print(markdown.table(["source", "files", *results], rows))

    # Declarations are weighed on top of probabilities from weights that did not see the piece, each source alike.
    some = declared.any((1, 2))
    alike = importance.copy()
    for source in np.unique(sources[some]):
        mine = some & (sources == source)
        alike[mine] *= DECLARED_FILES / alike[mine].sum()
    more = fit(declared[some], right[some], alike[some], np.log(untouched[some]))
    both = np.log(untouched) + declared @ more
    each = np.array([1 / (sources == source).sum() for source in sources])
    count = np.array([file.notes for file in files])
    likelihood = {}
    for few in FEW_NOTES:
        p = probabilities(np.zeros(1), x[:, :, :1], both * (count / (count + few + 1e-9))[:, None])
        likelihood[few] = float((each * np.log((p * right).sum(1))).sum())
        agreed = right[np.arange(len(files)), p.argmax(1)]
        answers = list(zip(p.max(1), agreed, strict=True))
        print(f"\nFEW_NOTES = {few}: log likelihood, each source alike, {likelihood[few]:.3f}\n\n" + markdown.reliability(answers))
    print("\nWEIGHTS = [" + ", ".join(f"{w:.2f}" for w in np.concatenate([weights, more]) * SCALE) + "]")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
