"""A pipeline without midiopt: a loader of MIDI files in a pool of two processes, rows into SQLite in batches.

    python -m benchmarks.peer_pipeline FOLDER --db FILE --library symusic        (or mido, pretty_midi)

What an experienced user of these libraries writes in an afternoon: numpy where the library offers it, chunks for the
pool, WAL and one executemany per thousand rows. It finds a dozen facts, midiopt some seventy.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from functools import partial
from itertools import chain, islice
from multiprocessing import Pool
from pathlib import Path
from typing import Any

import numpy as np

PROCESSES = 2
CHUNK, BATCH = 64, 1000  # files per task of the pool; rows per transaction

MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)  # Krumhansl and Kessler 1982
MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
TONICS = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
KEYS = [tonic + suffix for suffix in ("", "m") for tonic in TONICS]
PROFILES = np.array([np.roll(profile, tonic) for profile in (MAJOR, MINOR) for tonic in range(12)])
PROFILES = (PROFILES - PROFILES.mean(1, keepdims=True)) / PROFILES.std(1, keepdims=True)
DRUMS = 9

TABLE = """CREATE TABLE songs (path TEXT PRIMARY KEY, tracks INTEGER, notes INTEGER, drum_notes INTEGER, duration_s REAL, bpm REAL,
tempo_changes INTEGER, time_signature TEXT, key TEXT, pitch_min INTEGER, pitch_max INTEGER, velocity_mean REAL, error TEXT)"""
COLUMNS = 13
Row = tuple[object, ...]


def key_of(pitches: Any, durations: Any) -> str | None:
    """The key whose profile correlates best with the durations per pitch class; None if there is nothing to compare."""
    weights = np.bincount(pitches % 12, durations, 12)
    return KEYS[int(np.argmax(PROFILES @ weights))] if np.ptp(weights) else None


def facts(notes: Any, durations: Any, velocities: Any) -> Row:
    """The last columns of a row, of the pitches, durations and velocities of all notes but drums."""
    if not len(notes):
        return (None, None, None, None)
    return (key_of(notes, durations), int(notes.min()), int(notes.max()), float(velocities.mean()))


def symusic_row(path: str) -> Row:
    """The row of one file."""
    from symusic import Score

    score: Any = Score(path, ttype="second")  # faster than ticks and a conversion
    melodic = [track.notes.numpy() for track in score.tracks if not track.is_drum and len(track.notes)]
    pitches, durations, velocities = (
        np.concatenate([notes[name] for notes in melodic]) if melodic else np.empty(0, int) for name in ("pitch", "duration", "velocity")
    )
    drums = sum(len(track.notes) for track in score.tracks if track.is_drum)
    tempo, signature = next(iter(score.tempos), None), next(iter(score.time_signatures), None)
    return (
        *(path, len(score.tracks), len(pitches) + drums, drums, score.end()),
        *(tempo.qpm if tempo else None, max(0, len(score.tempos) - 1)),
        f"{signature.numerator}/{signature.denominator}" if signature else None,
        *facts(pitches, durations, velocities),
        None,
    )


def mido_row(path: str) -> Row:
    """The row of one file."""
    import mido

    file = mido.MidiFile(path)
    sounding: dict[tuple[int, int], list[tuple[float, int]]] = {}
    notes: list[tuple[int, float, int]] = []
    tempos: list[float] = []
    signature = None
    now, count, drums = 0.0, 0, 0
    for message in file:  # merged, with delta times in seconds
        now += message.time
        if message.type == "note_on" and message.velocity:
            count += 1
            drums += message.channel == DRUMS
            if message.channel != DRUMS:
                sounding.setdefault((message.channel, message.note), []).append((now, message.velocity))
        elif message.type in ("note_on", "note_off"):
            if starts := sounding.get((message.channel, message.note)):
                start, velocity = starts.pop(0)
                notes.append((message.note, now - start, velocity))
        elif message.type == "set_tempo":
            tempos.append(mido.tempo2bpm(message.tempo))
        elif message.type == "time_signature":
            signature = signature or f"{message.numerator}/{message.denominator}"
    columns = np.array(notes).reshape(-1, 3).T
    return (
        *(path, len(file.tracks), count, drums, now, tempos[0] if tempos else None, max(0, len(tempos) - 1), signature),
        *facts(columns[0].astype(int), columns[1], columns[2]),
        None,
    )


def pretty_midi_row(path: str) -> Row:
    """The row of one file."""
    import pretty_midi

    file = pretty_midi.PrettyMIDI(path)
    notes = [(n.pitch, n.end - n.start, n.velocity) for i in file.instruments if not i.is_drum for n in i.notes]
    drums = sum(len(instrument.notes) for instrument in file.instruments if instrument.is_drum)
    _, tempos = file.get_tempo_changes()
    columns = np.array(notes).reshape(-1, 3).T
    signature = next(iter(file.time_signature_changes), None)
    return (
        *(path, len(file.instruments), len(notes) + drums, drums, file.get_end_time()),
        *(float(tempos[0]) if len(tempos) else None, max(0, len(tempos) - 1)),
        f"{signature.numerator}/{signature.denominator}" if signature else None,
        *facts(columns[0].astype(int), columns[1], columns[2]),
        None,
    )


LIBRARIES: dict[str, Callable[[str], Row]] = {"symusic": symusic_row, "mido": mido_row, "pretty_midi": pretty_midi_row}


def row(library: str, path: str) -> Row:
    """The row of one file; for a file that the library refuses, one with its error."""
    try:
        return LIBRARIES[library](path)
    except Exception as problem:  # each library has its own exceptions
        return (path, *[None] * (COLUMNS - 2), repr(problem)[:200])


def find_files(folder: Path) -> Iterator[str]:
    """The files of a collection, in order."""
    for name, folders, files in os.walk(folder):
        folders.sort()
        yield from (os.path.join(name, file) for file in sorted(files) if file.lower().endswith((".mid", ".midi")))


def write(rows: Iterable[Row], database: Path) -> None:
    """Fill an empty database."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(TABLE)
        insert = f"INSERT INTO songs VALUES ({', '.join('?' * COLUMNS)})"
        rows = iter(rows)
        while batch := list(islice(rows, BATCH)):
            with connection:
                connection.executemany(insert, batch)


def main() -> None:
    """Write the rows of the files below a folder into a database."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", metavar="FOLDER", type=Path, nargs="+")
    parser.add_argument("--db", metavar="FILE", type=Path, required=True, help="a database that does not exist yet")
    parser.add_argument("--library", choices=LIBRARIES, required=True)
    options = parser.parse_args()
    paths = chain.from_iterable(map(find_files, options.folder))
    with Pool(PROCESSES) as pool:
        write(pool.imap_unordered(partial(row, options.library), paths, CHUNK), options.db)


if __name__ == "__main__":
    main()
