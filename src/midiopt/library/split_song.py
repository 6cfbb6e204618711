"""Splitting a song into its tracks or channels: a file for each, all with the tempo map, the meter and the keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from midiopt.api.one_file import parse
from midiopt.core.smf.arena import EventArena
from midiopt.rows.track_names import track_names

if TYPE_CHECKING:
    import numpy.typing as npt
    from _typeshed import ReadableBuffer as Buffer

    Rows = npt.NDArray[np.intp]

META, FIRST_SYSTEM = 0xFF, 0xF0
DEVICE_NAME, PORT, END_OF_TRACK = 0x09, 0x21, 0x2F
SHARED = (0x51, 0x54, 0x58, 0x59)  # tempo, SMPTE offset, time and key signature: of every part
BANK = (0, 32)  # controllers: bank select
NOTHING = -1


@dataclass(frozen=True, slots=True)
class Part:
    """A file of its own."""

    name: str
    """The number and the name of the track, or the port and the channel."""
    data: bytes


def split_song(content: Buffer, by: str = "track") -> list[Part]:
    """The tracks or channels that have notes, in order.

    The first track of each part has what belongs to all: tempo, meter and keys, and the texts and system-exclusive messages of tracks
    that are no part of their own. The second has the events of the part, also those that set up its channels in other tracks. In a file
    of format 2, each track is split on its own. Raises MidiError for unusable content.
    """
    data = bytes(memoryview(content))
    arena = parse(data)
    names = track_names(data)
    song = _Song(arena)
    sequences = [[t] for t in range(song.track_count)] if arena.format == 2 else [list(range(song.track_count))]
    return [part for tracks in sequences for part in song.parts(tracks, by, names)]


class _Song:
    """The events of a song, and to which track, port and channel each belongs."""

    def __init__(self, arena: EventArena) -> None:
        self._arena = arena
        events, tracks = arena.events().copy(), arena.tracks()
        self.track_count = len(tracks)
        self._tick, self._status = events["tick"], events["status"]
        self._data1 = events["data1"]
        self._track = np.repeat(np.arange(len(tracks)), [count for _, count, _ in tracks])
        self._is_channel = self._status < FIRST_SYSTEM
        self._is_onset = (self._status & 0xF0 == 0x90) & (events["data2"] > 0)
        self._is_shared = (self._status == META) & np.isin(self._data1, SHARED)
        self._port = np.array(self._ports())[self._track] if tracks else self._track
        self._channel = np.where(self._is_channel, self._port * 16 + (self._status & 15), NOTHING)

    def _ports(self) -> list[int]:
        """The port of each track, as a number: that of its first event that names one, else the one that is named first."""
        named: dict[bytes, int] = {}
        ports: list[int | None] = [None] * self.track_count
        for event, status, kind, content, valid in self._arena.marks():
            if status == META and kind in (PORT, DEVICE_NAME) and valid and ports[track := int(self._track[event])] is None:
                ports[track] = named.setdefault(bytes([kind]) + content, len(named))
        return [port or 0 for port in ports]

    def parts(self, tracks: list[int], by: str, names: dict[int, str]) -> Iterator[Part]:
        """The parts of a sequence that consists of these tracks."""
        here = np.isin(self._track, tracks)
        key = self._channel if by == "channel" else np.where(self._is_channel, self._track, NOTHING)
        keys = np.unique(key[here & self._is_onset])
        owner = np.full(self.track_count, NOTHING)  # the part that has all notes of the track
        for track in tracks:
            of_track = np.unique(key[self._is_onset & (self._track == track)])
            if len(of_track) == 1:
                owner[track] = of_track[0]
        for number in keys:
            mine = here & (owner[self._track] == number) & ~self._is_channel & ~self._is_shared
            common = here & ~self._is_channel & ((owner[self._track] == NOTHING) | self._is_shared)
            is_end = (self._status == META) & (self._data1 == END_OF_TRACK)
            written = [self._in_order(mine | self._messages(here, key, int(number)))]
            if (common & ~is_end).any():
                written.insert(0, self._in_order(common))
            start = f"{tracks[0] + 1:02} " if by == "channel" and len(tracks) < self.track_count else ""
            yield Part(start + self._name(int(number), by, names), self._arena.to_bytes(written))

    def _messages(self, here: npt.NDArray[np.bool_], key: Rows, number: int) -> npt.NDArray[np.bool_]:
        """The channel messages of a part, also those of tracks without notes on its channels, and programs that are set elsewhere only."""
        mine = here & (key == number) & self._is_channel
        channels = np.unique(self._channel[mine & self._is_onset])
        with_notes = np.bincount(self._track[self._is_onset], minlength=self.track_count) > 0
        mine = mine | (here & ~with_notes[self._track] & np.isin(self._channel, channels))
        is_program = self._status & 0xF0 == 0xC0
        without = np.setdiff1d(channels, self._channel[mine & is_program])
        is_bank = (self._status & 0xF0 == 0xB0) & np.isin(self._data1, BANK)
        chosen: npt.NDArray[np.bool_] = mine | (here & (is_program | is_bank) & np.isin(self._channel, without))
        return chosen

    def _in_order(self, chosen: npt.NDArray[np.bool_]) -> Rows:
        """The rows in the order of ticks; at one tick, in that of the tracks."""
        rows = np.flatnonzero(chosen)
        return rows[np.argsort(self._tick[rows], kind="stable")]

    def _name(self, number: int, by: str, names: dict[int, str]) -> str:
        if by == "track":
            return f"{number + 1:02} {names.get(number, '')}".rstrip()
        port = f"port {number // 16 + 1} " if self._port.any() else ""
        return f"{port}channel {number % 16 + 1:02}"
