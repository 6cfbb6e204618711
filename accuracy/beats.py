"""How often the beats of recorded performances are right.

A performance lies beside its score, `midi_score.mid`. Aligning the notes of both (dynamic time warping over the sets of pitches that
begin together) puts the beats of the score at times of the performance. An alignment counts where it gives the annotated tempo (within
5 %) and number of beats (within 6 %). The measure is mir_eval's F measure: beats within 70 ms, after the first 5 seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

import midiopt
from accuracy import ground_truth, markdown
from accuracy.corpus import load_mir_eval
from accuracy.ground_truth import Row
from accuracy.tempo import STEADY_IBI_CV, annotated_bpm

Floats: TypeAlias = npt.NDArray[np.floating[Any]]
Chords: TypeAlias = npt.NDArray[np.float32]  # a line per time, a column per pitch

CHORD_SECONDS = (0.005, 0.035)  # notes that begin together, in a score and in a performance
SKIP_COST, SKIP_SHARE = 0.2, 0.7  # of a time that only one of the two has: a constant, and a share of the difference
MAX_TEMPO_ERROR, MAX_COUNT_ERROR = 0.05, 0.06


@dataclass(frozen=True)
class Truth:
    """The beats of a performance."""

    seconds: Floats
    is_downbeat: npt.NDArray[np.bool_]


def chords_of(path: Path, together: float) -> tuple[Floats, Chords]:
    """The times at which notes begin, and the pitches of each."""
    notes = midiopt.notes(path)
    times: list[float] = []
    pitches: list[set[int]] = []
    for i in np.argsort(notes.onset_s, kind="stable"):
        if not times or notes.onset_s[i] - times[-1] > together:
            times.append(float(notes.onset_s[i]))
            pitches.append(set())
        pitches[-1].add(int(notes.pitch[i]))
    chords = np.zeros((len(times), 128), np.float32)
    for line, found in zip(chords, pitches, strict=True):
        line[list(found)] = 1
    return np.array(times), chords


def overlaps(a: Chords, b: Chords) -> Chords:
    """The share of common pitches among all of each pair of chords."""
    common = a @ b.T
    return np.asarray(common / (a.sum(1)[:, None] + b.sum(1)[None, :] - common))


def align(overlap: Chords) -> list[tuple[int, int]]:
    """The cheapest way from the first pair to the last, forward in one or both."""
    n, m = overlap.shape
    moves = np.zeros((n, m), np.int8)  # 0 both, 1 the first alone, 2 the second alone
    row = np.full(m, np.inf)
    for i in range(n):
        cost = 1 - overlap[i].astype(float)
        skip = SKIP_SHARE * cost + SKIP_COST
        both = cost + (np.concatenate([[0.0 if i == 0 else np.inf], row[:-1]]))
        down = row + skip
        best = np.minimum(both, down)
        reached = np.cumsum(skip)
        across = reached + np.minimum.accumulate(best - reached)
        moves[i] = np.where(across < best - 1e-9, 2, np.where(down < both, 1, 0))
        row = np.minimum(across, best)
    pairs, i, j = [], n - 1, m - 1
    while i >= 0 and j >= 0:
        pairs.append((i, j))
        move = moves[i, j]
        i, j = i - (move != 2), j - (move != 1)
    return pairs[::-1]


def aligned_beats(score: Path, performance: Path) -> Truth:
    """The beats of a score at times of its performance."""
    score_times, score_chords = chords_of(score, CHORD_SECONDS[0])
    times, chords = chords_of(performance, CHORD_SECONDS[1])
    overlap = overlaps(score_chords, chords)
    best: dict[int, int] = {}
    for i, j in align(overlap):
        if overlap[i, j] > 0 and (i not in best or overlap[i, j] > overlap[i, best[i]]):
            best[i] = j
    matched = sorted(best)
    played = np.maximum.accumulate(times[[best[i] for i in matched]])
    beats = midiopt.beats(score)
    inside = (beats.seconds >= score_times[matched[0]] - 1e-6) & (beats.seconds <= score_times[matched[-1]] + 1e-6)
    seconds = np.interp(beats.seconds[inside], score_times[matched], played)
    apart = np.concatenate([[True], np.diff(seconds) > 0.02])
    return Truth(seconds[apart], (beats.position[inside] == 0)[apart])


def is_plausible(truth: Truth, row: Row) -> bool:
    """Whether beats have the annotated number and tempo."""
    if len(truth.seconds) < 2 or abs(len(truth.seconds) / int(row["n_beats"]) - 1) > MAX_COUNT_ERROR:
        return False
    bpm = 60 / float(np.median(np.diff(truth.seconds)))
    return any(abs(bpm / annotated - 1) <= MAX_TEMPO_ERROR for annotated in annotated_bpm(row))


def f_measure(truth: Floats, found: Floats) -> float:
    """mir_eval's F measure."""
    mir_eval = load_mir_eval()
    truth, found = mir_eval.beat.trim_beats(truth), mir_eval.beat.trim_beats(found)
    return float(mir_eval.beat.f_measure(truth, found)) if len(truth) and len(found) else 0.0


def report(corpus: Path, truth: Path, _sample: int) -> str:
    """The table of the beats of performances beside a score."""
    rows = [row for row in ground_truth.read(truth, "tempo", corpus) if row["midi_tempo_map"] == "fake"]
    scores = []
    for row in rows:
        score = (corpus / row["relpath"]).parent / "midi_score.mid"
        if score.is_file() and is_plausible(right := aligned_beats(score, corpus / row["relpath"]), row):
            found = midiopt.beats(corpus / row["relpath"])
            downbeats = f_measure(right.seconds[right.is_downbeat], found.downbeats)
            scores.append((float(row["ibi_cv"]), f_measure(right.seconds, found.seconds), downbeats))
    lines = []
    for name, limit in (("performances", np.inf), *((f"ibi_cv < {limit}", limit) for limit in STEADY_IBI_CV)):
        mine = [score for score in scores if score[0] < limit]
        if mine:
            lines.append([name, len(mine), *(float(np.mean([score[i] for score in mine])) for i in (1, 2))])
    return f"### Beats of {len(rows)} performances: F measure\n\n{markdown.table(['', 'aligned', 'beats', 'downbeats'], lines)}"
