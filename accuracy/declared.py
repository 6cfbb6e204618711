"""How often the tempo and the meter are those that a file declares, in collections that nobody annotated: those beside the corpus.

A tempo counts if the file keeps to it and fewer than a tenth of the collection declare the same, which would be a program's default.
And how many songs of POP909, nearly all of which are in 4/4, are heard in it.
"""

from __future__ import annotations

from collections import Counter
from itertools import compress
from pathlib import Path

import midiopt
from accuracy import ground_truth, markdown
from accuracy.corpus import beside, midi_files
from accuracy.markdown import HIGH_CONFIDENCE
from accuracy.tempo import both_accuracies, is_near, share
from midiopt import Analysis

MAX_DEFAULT_SHARE = 0.1
MIN_NOTES = 32


def analyses(folder: Path) -> list[Analysis]:
    """The facts of each file of a folder that has notes enough."""
    found = []
    for path in midi_files(folder):
        try:
            facts = midiopt.analyze(path)
        except midiopt.MidiError:
            continue
        if facts.note_count >= MIN_NOTES:
            found.append(facts)
    return found


def keeps_tempo(facts: Analysis) -> bool:
    """Whether a file keeps to the one tempo that it declares."""
    return facts.bpm_source == "tempo_map" and not facts.tempo_changes and facts.is_performance is False and facts.bpm is not None


def are_meant(tempos: list[float]) -> list[bool]:
    """For each tempo that files of a collection declare, whether it is too rare to be a program's default."""
    frequency = Counter(map(round, tempos))
    return [frequency[round(bpm)] <= max(MAX_DEFAULT_SHARE * len(tempos), 1) for bpm in tempos]


def tempo_line(name: str, files: list[Analysis]) -> list[object]:
    """The line of a collection in the table of tempos."""
    steady = [f for f in files if keeps_tempo(f) and f.bpm_onsets]
    mine = list(compress(steady, are_meant([f.bpm or 0 for f in steady])))
    rows = [{"bpm": str(f.bpm), "bpm_quarter": ""} for f in mine]
    sure = [is_near(f.bpm_onsets, row) for f, row in zip(mine, rows, strict=True) if (f.bpm_onsets_confidence or 0) > HIGH_CONFIDENCE]
    return [name, len(mine), both_accuracies([f.bpm_onsets for f in mine], rows), len(sure), share(sure)]


def meter_line(name: str, files: list[Analysis]) -> list[object]:
    """The line of a collection in the table of meters."""
    mine = [f for f in files if f.time_signature and not f.time_signature_changes and f.meter_estimated]
    right = [f.meter_estimated == f.time_signature for f in mine]
    others = [f.meter_estimated == f.time_signature for f in mine if f.time_signature != "4/4"]
    sure = [f.meter_estimated == f.time_signature for f in mine if f.meter_confidence > HIGH_CONFIDENCE]
    return [name, len(mine), share(right), len(others), share(others), len(sure), share(sure)]


def report(corpus: Path, truth: Path, sample: int) -> str:
    """The tables; there is no slow baseline to sample."""
    del sample
    collections = {each.name: analyses(each) for folder in beside(corpus) for each in sorted(folder.iterdir()) if each.is_dir()}
    songs = [row for row in ground_truth.read(truth, "tempo", corpus) if row["source"] == "pop909_beat_midi"]
    in_4_4 = [midiopt.analyze(corpus / row["relpath"]).meter_estimated == "4/4" for row in songs]
    tempo_head = ["collection", "files", "acc1 / acc2", "above 0.8", "of them right"]
    meter_head = ["collection", "files", "right", "not in 4/4", "of them right", "above 0.8", "of them right"]
    return "\n\n".join(
        [
            "### Tempo: declared in collections without annotations",
            markdown.table(tempo_head, [tempo_line(name, files) for name, files in collections.items()]),
            "### Meter: declared in collections without annotations",
            markdown.table(meter_head, [meter_line(name, files) for name, files in collections.items()]),
            f"Of {len(in_4_4)} songs of POP909 {share(in_4_4):.3f} are estimated as 4/4.",
        ]
    )
