"""What ends the notes of real files: notes and files by rule of docs/policy.md, into its table.

    python -m accuracy.pairing_rules [DIR]

The events are midiopt's, the pairing that of reference/pairing.py. Files below a folder called edge, which are damaged on
purpose, are left out.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import numpy as np

import midiopt
from accuracy import corpus
from benchmarks import generated_blocks
from midiopt.sources.walk import iter_paths
from reference.pairing import KeyEvent, Kind, Rule, key_event, pair, runs

PAGE = corpus.PROJECT / "docs" / "policy.md"
META, PORT, DEVICE_NAME = 0xFF, 0x21, 0x09  # a status, and types of meta events
MAX_PORTS = 16  # later ones share the last
CHANNEL_MESSAGES = (0x80, 0x90, 0xB0)  # of those, key_event() takes what concerns notes

# (what happens, midiopt, symusic, pretty_midi, counted as)
TABLE = (
    ("a note-off while its pitch sounds", "ends a note", "ends a note", "ends a note", "note-off"),
    ("of these, at the tick of the onset", "keeps a note of length 0", "keeps a note of length 0", "drops the note", "length 0"),
    ("of these, while several notes of its pitch sound", "ends the oldest", "ends the oldest", "ends all", "several"),
    ("a note-off while its pitch is silent", "ignores it", "ignores it", "ignores it", "without a note"),
    ("controller 120 or 123", "ends all notes of its channel in its track", "ignores it", "ignores it", "controller"),
    ("fewer note-offs than note-ons of a pitch", "each ends all notes of the pitch (retrigger)", "drops the last", "ends all", "retrigger"),
    ("a note-off, or controller 120 or 123, only in another track", "ends the note", "drops the note", "drops the note", "other track"),
    ("nothing ends the note", "ends it with its track: `stuck_note`", "drops the note", "drops the note", "track end"),
)


def first_ports(arena: midiopt.EventArena) -> list[int]:
    """The port of each track, from the first FF 21 or FF 09 in it; the first of each kind is port 0, and so is a track without any."""
    ports: dict[tuple[int, bytes], int] = {}
    found = []
    for row, status, kind, name, valid in arena.marks():
        if status == META and kind in (PORT, DEVICE_NAME) and valid and name:
            if (kind, name) not in ports:
                is_first = all(other != kind for other, _ in ports)
                last = max(ports.values(), default=0)
                ports[kind, name] = 0 if is_first and len(ports) < MAX_PORTS else last + (len(ports) < MAX_PORTS)
            found.append((row, ports[kind, name]))
    return [next((port for row, port in found if first <= row < first + count), 0) for first, count, _ in arena.tracks()]


def sequences(arena: midiopt.EventArena) -> list[tuple[list[KeyEvent], list[int]]]:
    """The arguments of pair() for each sequence of a file."""
    events, found = arena.events(), []
    tracks = [(*track, port) for track, port in zip(arena.tracks(), first_ports(arena), strict=True)]
    for together in [[track] for track in tracks] if arena.format == 2 else [tracks]:
        keys = []
        for number, (first, count, _, port) in enumerate(together):
            of_track = events[first : first + count]
            of_track = of_track[np.isin(of_track["status"] & 0xF0, CHANNEL_MESSAGES)]
            for tick, _, *message in of_track.tolist():
                event = key_event(tick, number, message, port=port)
                keys += [event] if event else []
        keys.sort(key=lambda event: event.tick)
        found.append((keys, [end for _, _, end, _ in together]))
    return found


def count(events: list[KeyEvent], track_ends: list[int]) -> Counter[str]:
    """How often each rule applies in a sequence."""
    notes = pair(events, track_ends)
    found = Counter({rule.value: number for rule, number in Counter(note.rule for note in notes).items()})
    found["length 0"] = sum(note.rule is Rule.NOTE_OFF and note.end == note.on.tick for note in notes)
    matched = 0
    for run in runs(events):
        sounding = 0
        for event in run:
            matched += event.kind is Kind.OFF
            found["several"] += event.kind is Kind.OFF and sounding > 1
            sounding += {Kind.ON: 1, Kind.OFF: -1, Kind.SILENCE: 0}[event.kind]
    found["without a note"] = sum(event.kind is Kind.OFF for event in events) - matched
    return found


def table(files: int, notes: Counter[str], in_files: Counter[str]) -> str:
    """The block of docs/policy.md."""
    total = sum(notes[rule.value] for rule in Rule)
    lines = [
        f"Counted in {files:,} real files with {total:,} notes (`python -m accuracy.pairing_rules`):",
        "",
        "| what happens | midiopt | symusic | pretty_midi | times | files |",
        "| --- | --- | --- | --- | ---: | ---: |",
        *(f"| {' | '.join(texts)} | {notes[name]:,} | {in_files[name]:,} |" for *texts, name in TABLE),
    ]
    return "\n".join(lines)


def main() -> int:
    """Count, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path, nargs="?", default=corpus.FILES, help="folder of MIDI files (default: %(default)s)")
    folder = parser.parse_args().corpus
    arena = midiopt.EventArena()
    files, notes, in_files = 0, Counter[str](), Counter[str]()
    for path in iter_paths([str(folder)]):
        if b"/edge/" in path:
            continue
        try:
            midiopt.parse(Path(path.decode(errors="surrogateescape")).read_bytes(), into=arena)
        except midiopt.MidiError:
            continue
        files += 1
        found = sum((count(*sequence) for sequence in sequences(arena)), Counter())
        notes += found
        in_files += Counter(dict.fromkeys(+found, 1))
    text = table(files, notes, in_files)
    print(text)
    generated_blocks.fill(PAGE, "pairing", text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
