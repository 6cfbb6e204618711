"""Fit the weights of core/structure/main_parts_weights.py: python -m training.main_parts [CORPUS [TRUTH]]

Two choices (training/logit.py) among the tracks with pitched notes and "none": which has the melody, and which the bass. The truth is
that of accuracy/main_parts.py. From each song that has the part a second one is made without its tracks, where "none" is right (of
POP909 the piano alone, as its bridge is a melody, too). Prints how often a track is named and is right with weights that saw the file
(tuned), no version of its piece (untouched), and nothing of its collection (foreign). Writes the weights.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import midiopt
from accuracy import ground_truth, markdown
from accuracy.corpus import PROJECT, make_parser, parse_arguments
from accuracy.main_parts import Row, Song, songs
from midiopt.schema import MAIN_PARTS
from reference.main_parts import FEATURES, SURE, Part, intervals_of, part_features
from training.logit import Bools, Floats, fit, probabilities

WEIGHTS = PROJECT / "src" / "midiopt" / "core" / "structure" / "main_parts_weights.py"
MAX_TRACKS = 40
MAX_SOURCE = 300  # files of a source that are fitted: the others are scored
WITHOUT = 0.5  # importance of a song whose part was taken away
IMPORTANCE = 100  # of all files of a source together; songs that are named or sung count one each


@dataclass
class Case:
    """A choice to learn from."""

    source: str
    collection: str
    group: str
    features: list[list[float]]
    right: list[int]  # indices of the features; empty for none
    importance: float


def part_of(row: Row, notes: midiopt.Notes) -> Part:
    """A track as the choice sees it."""
    mine = (notes.track == row["track"]) & ~notes.is_drum
    pitch, onset = notes.pitch[mine].astype(int), notes.onset[mine]
    seconds = float((notes.end_s[mine] - notes.onset_s[mine]).sum())
    return Part(
        len(pitch),
        float(pitch.mean()),
        row["pitch_max"] - row["pitch_min"],
        row["polyphony_mean"],
        seconds / row["polyphony_mean"] if row["polyphony_mean"] else 0.0,
        row["first_onset_s"],
        row["last_onset_s"],
        row["velocity_mean"],
        row["program"],
        intervals_of(list(zip(onset.tolist(), pitch.tolist(), strict=True))),
    )


def cases_of(song: Song, part: str) -> Iterator[Case]:
    """The choices of a song: as it is, and without the part."""
    right = song.right(part)
    if right is None or len(song.rows) > MAX_TRACKS:
        return
    notes = midiopt.notes(song.path)
    parts = {row["track"]: part_of(row, notes) for row in song.rows}
    yield Case(song.source, song.collection, song.group, part_features(list(parts.values())), [list(parts).index(t) for t in right], 1.0)
    names = {row["track"]: (row["name"] or "").strip() for row in song.rows}
    rest = [shape for track, shape in parts.items() if track not in right and (song.source != "POP909" or names[track] == "PIANO")]
    if right and rest:
        yield Case(f"{song.source}, without it", song.collection, song.group, part_features(rest), [], WITHOUT)


def arrays(cases: list[Case]) -> tuple[Floats, Bools, Floats]:
    """Features, right choices and the score of choices that a file does not have; "none" is the last choice."""
    choices = max(len(case.features) for case in cases) + 1
    x, right = np.zeros((len(cases), choices, len(FEATURES))), np.zeros((len(cases), choices), bool)
    absent = np.full((len(cases), choices), -1e9)
    absent[:, -1] = 0
    for i, case in enumerate(cases):
        n = len(case.features)
        x[i, :n], absent[i, :n] = case.features, 0
        right[i, case.right or [choices - 1]] = True
    return x, right, absent


def importance_of(cases: list[Case]) -> Floats:
    """The importance of each case; 0 for those beyond MAX_SOURCE."""
    is_song = [case.source.split(",")[0] in ("named", "karaoke") for case in cases]
    number, seen = Counter(case.source for case in cases), Counter[str]()
    found = np.zeros(len(cases))
    for i in np.random.default_rng(0).permutation(len(cases)):
        source = cases[i].source
        seen[source] += 1
        if is_song[i]:
            found[i] = cases[i].importance
        elif seen[source] <= MAX_SOURCE:
            found[i] = cases[i].importance * min(1, IMPORTANCE / min(number[source], MAX_SOURCE))
    return found


def learn(part: str, cases: list[Case]) -> tuple[Floats, list[list[object]]]:
    """The weights of a part, and the lines of the table."""
    x, right, absent = arrays(cases)
    importance = importance_of(cases)

    def choose(seen: Bools, mine: Bools) -> tuple[Floats, Floats]:
        used = seen & (importance > 0)
        weights = fit(x[used], right[used], importance[used], absent[used])
        return weights, probabilities(weights, x[mine], absent[mine])

    everything = np.ones(len(cases), bool)
    weights, tuned = choose(everything, everything)

    def without(keys: list[Any]) -> Floats:
        p = np.empty_like(tuned)
        for key in sorted(set(keys)):
            mine = np.array([k == key for k in keys])
            p[mine] = choose(~mine, mine)[1]
        return p

    sizes = Counter(case.collection for case in cases)
    collections = [case.collection if sizes[case.collection] >= MAX_TRACKS else "others" for case in cases]
    held_out = {"tuned": tuned, "untouched": without([ground_truth.fold(case.group) for case in cases]), "foreign": without(collections)}
    lines = []
    for source in dict.fromkeys(case.source for case in cases):
        mine = np.array([case.source == source for case in cases])
        line: list[object] = [source, part, int(mine.sum())]
        for p in held_out.values():
            best = p[mine].argmax(1)
            sure = (p[mine].max(1) > SURE) & (best < p.shape[1] - 1)
            hits = right[mine][np.arange(len(best)), best]
            line += [int(sure.sum()), float(hits[sure].mean()) if sure.any() else "", float(hits.mean())]
        lines.append(line)
    return weights, lines


def main(corpus: Path) -> None:
    """Fit both, print the table, write the weights."""
    found = list(songs(corpus))
    weights, lines = {}, []
    for part in MAIN_PARTS:
        weights[part], more = learn(part, [case for song in found for case in cases_of(song, part)])
        lines += more
    head = [f"{way}: {what}" for way in ("tuned", "untouched", "foreign") for what in ("named", "of them right", "most probable is right")]
    print(markdown.table(["source", "part", "files", *head], lines))
    text = '"""The weights of main_parts.pyx, written by training/main_parts.py, in the order of reference/main_parts.py."""\n\n'
    text += "".join(f"{part.upper()} = ({', '.join(f'{w:.2f}' for w in weights[part].tolist())})\n" for part in MAIN_PARTS)
    WEIGHTS.write_text(text)


if __name__ == "__main__":
    main(parse_arguments(make_parser(__doc__)).corpus)
