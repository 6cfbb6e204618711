"""Notes as a file: how the benchmark of similar files saves what it has changed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

import midiopt
from sample.smf import note_off, note_on, smf, tempo, track

TICKS = 480  # per quarter
PITCHED = (*range(9), *range(10, 16))  # channels


@dataclass
class Song:
    """The notes of a song as columns; onsets and lengths are in quarters."""

    onset: npt.NDArray[np.float64]
    length: npt.NDArray[np.float64]
    pitch: npt.NDArray[np.int64]
    velocity: npt.NDArray[np.int64]
    is_drum: npt.NDArray[np.bool_]
    track: npt.NDArray[np.int64]
    ticks: int = TICKS
    microseconds: int = 500_000

    def kept(self, kept: npt.NDArray[np.bool_]) -> Song:
        """Some of the notes."""
        return replace(
            self,
            onset=self.onset[kept],
            length=self.length[kept],
            pitch=self.pitch[kept],
            velocity=self.velocity[kept],
            is_drum=self.is_drum[kept],
            track=self.track[kept],
        )


def read_song(content: bytes) -> Song:
    """The notes of a file."""
    notes = midiopt.notes(content)
    quarter = notes.ticks_per_quarter
    columns = (notes.pitch.astype(np.int64), notes.velocity.astype(np.int64), notes.is_drum.copy(), notes.track.astype(np.int64))
    return Song(notes.onset / quarter, notes.length / quarter, *columns)


def song_bytes(song: Song) -> bytes:
    """A file of format 1: a track with the tempo, then those of the song; drums are on channel 10."""
    chunks = [track([(0, tempo(60e6 / song.microseconds))])]
    onset = np.round(song.onset * song.ticks).astype(int)
    end = np.maximum(np.round((song.onset + song.length) * song.ticks).astype(int), onset + 1)
    for i, number in enumerate(np.unique(song.track)):
        rows = np.flatnonzero(song.track == number)
        events = []
        for row in rows.tolist():
            channel = 9 if song.is_drum[row] else PITCHED[i % 15]
            events.append((int(onset[row]), 1, note_on(channel, int(song.pitch[row]), int(song.velocity[row]))))
            events.append((int(end[row]), 0, note_off(channel, int(song.pitch[row]))))
        events.sort(key=lambda event: event[:2])
        chunks.append(track([(tick, data) for tick, _, data in events]))
    return smf(chunks, division=song.ticks)
