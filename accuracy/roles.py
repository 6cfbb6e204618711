"""What the roles of files are, by folders whose contents are known, and the drum patterns of grooves, by the style in their names."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import midiopt
from accuracy import markdown
from accuracy.chord_loops import chords_in_name
from accuracy.corpus import midi_files
from accuracy.main_parts import MIN_NOTES
from midiopt import Analysis

CONTENTS = {
    "drums-with-llm": "grooves",
    "POP909-Dataset": "songs",
    "asap-dataset": "piano pieces",
    "GiantMIDI-Piano": "piano transcriptions",
}
NOTTINGHAM = {"melody": "Nottingham melodies", "chords": "Nottingham chord tracks", "MIDI": "Nottingham tunes"}


def contents(path: Path) -> str | None:
    """What a file of the corpus holds by its folder; None if that is not known."""
    collection = path.parts[0].split("+")[-1]
    if collection == "free-midi-chords":
        return "chord progressions" if chords_in_name(path) else None
    return NOTTINGHAM.get(path.parent.name) if collection == "nottingham-dataset" else CONTENTS.get(collection)


def counted(values: list[str]) -> str:
    """Each value with how often it occurs, the most common first."""
    return ", ".join(f"{value} {count}" for value, count in Counter(values).most_common())


def report(corpus: Path, truth: Path, sample: int) -> str:
    """Both tables; the truth is in the names of folders and files."""
    del truth, sample
    found: dict[str, list[Analysis]] = defaultdict(list)
    styles: dict[str, list[str]] = defaultdict(list)
    for path in midi_files(corpus):
        if not (kind := contents(path.relative_to(corpus))):
            continue
        facts = midiopt.analyze(path)
        found[kind].append(facts)
        number, *style = path.stem.split("_")  # 44_rock_95_beat_4-4
        if kind == "grooves" and number.isdigit() and "beat" in style and facts.note_count >= MIN_NOTES:
            styles[style[0]].append(facts.drum_pattern or "null")
    roles = [
        [kind, len(files), counted([f.role or "null" for f in files]), sum(f.is_loop is True for f in files)]
        for kind, files in found.items()
    ]
    patterns = [[style, len(values), counted(values)] for style, values in sorted(styles.items())]
    return "\n\n".join(
        [
            "### Roles",
            markdown.table(["files", "number", "role", "loops"], roles),
            "### Drum patterns of grooves",
            markdown.table(["style", "beats", "found"], patterns),
        ]
    )
