"""Parts: the instruments of a sequence, each a port and a channel, with their programs, and which of them are drums."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from statistics import median_low
from typing import NamedTuple

from midiopt.core.notes.drum_words import SAYS_DRUMS, SAYS_MELODIC, WORDS
from reference.text import name_bytes, words_in
from reference.tracks import Message, Track

DRUM_CHANNEL = 9  # channel 10, counted from 0
MAX_PORTS = 16  # that are told apart
BANK_SELECT = 0  # controller
XG_DRUM_BANKS, GM2_DRUM_BANK, GM2_MELODY_BANK = (126, 127), 120, 121
EVENTS_BACK = 64  # from a program change to its bank select
XG_KITS = {0, 1, 8, 16, 24, 25, 32, 40, 48}  # programs
KIT = range(24, 60)  # pitches
DRUM_NAME = re.compile(
    rb"drum|snare|kick|hi[- ]?hat|schlagz|tromme|trumm|rummut|bater|batteri|slagwerk|perkus|(?<![a-z])perc", re.IGNORECASE
)
MELODIC_NAME = re.compile(rb"steel|syn|taiko|organ|piano|melod|reverse", re.IGNORECASE)

Part = tuple[int, int]  # port, channel


class State(NamedTuple):
    """What is in force on a part."""

    program: int
    drums: bool


def says_drums(name: bytes) -> bool:
    """Whether a track's or instrument's name says drums or percussion, and no instrument that plays melodies."""
    name = name_bytes(name)
    kinds = words_in(name, WORDS)
    return (bool(DRUM_NAME.search(name)) or SAYS_DRUMS in kinds) and not (MELODIC_NAME.search(name) or SAYS_MELODIC in kinds)


def notes_of(events: Track) -> tuple[Counter[int], list[int]]:
    """The notes by pitch, and the lengths in ticks of those that are ended, by a note-off or by another note of the pitch."""
    pitches: Counter[int] = Counter()
    lengths = []
    onsets: dict[int, int] = {}
    for tick, m in events:
        if m.type in ("note_on", "note_off"):
            if m.note in onsets:
                lengths.append(tick - onsets.pop(m.note))
            if m.type == "note_on" and m.velocity:
                pitches[m.note] += 1
                onsets[m.note] = tick
    return pitches, lengths


def share_in_kit(pitches: Counter[int]) -> float:
    """The share of the notes that are in the range of a drum kit."""
    return sum(n for pitch, n in pitches.items() if pitch in KIT) / max(pitches.total(), 1)


def plays_like_drums(pitches: Counter[int], lengths: list[int], quarter: float) -> bool:
    """Few pitches, struck again and again, and briefly."""
    notes, common = pitches.total(), sum(n for _, n in pitches.most_common(3))
    if notes < 4 or notes < 2 * len(pitches) or 5 * common < 3 * notes:
        return False
    return (not lengths or median_low(lengths) <= int(quarter)) and (len(pitches) <= 2 or share_in_kit(pitches) >= 0.5)


def rhythm_part(data: tuple[int, ...]) -> tuple[int, bool] | None:
    """(channel, whether it becomes drums) of a system-exclusive message of GS or XG that says so; `data` without F0 and F7."""
    if len(data) >= 9 and data[0] == 0x41 and data[2:5] == (0x42, 0x12, 0x40) and data[5] >> 4 == 1 and data[6] == 0x15:
        if data[7] > 2 or sum(data[4:]) % 128:  # no such mode, or a wrong checksum
            return None
        return (9, *range(9), *range(10, 16))[data[5] & 15], data[7] != 0
    if is_xg(data) and len(data) >= 7 and data[3] == 0x08 and data[4] < 16 and data[5] == 0x07:
        return data[4], data[6] != 0
    return None


def is_xg(data: tuple[int, ...]) -> bool:
    """Whether a system-exclusive message is one of XG."""
    return len(data) >= 3 and data[0] == 0x43 and data[1] >> 4 == 1 and data[2] == 0x4C


class Parts:
    """What is in force on each part while the events of a sequence pass by in their order."""

    def __init__(self, tracks: list[Track], quarter: float) -> None:
        self._tracks, self._quarter = tracks, quarter
        self._ids: defaultdict[str, dict[object, int]] = defaultdict(dict)  # of ports, by kind of event
        self._highest = 0
        self._port_of = {id(m): self._add_port(m) for track in tracks for _, m in track if m.type in ("midi_port", "device_name")}
        self._first_ports = [next((self._port_of[id(m)] for _, m in track if id(m) in self._port_of), 0) for track in tracks]
        self._ports = list(self._first_ports)
        self._banks = {id(m): bank for track in tracks for m, bank in self._banks_of(track)}
        self._xg = any(is_xg(m.data) for track in tracks for _, m in track if m.type == "sysex")
        self._programs: Counter[Part] = Counter()
        self._by_mode: dict[Part, bool] = {}
        self._drums: dict[Part, bool] = {}
        self._played: dict[Part, bool] = {}
        self._last_drums = self._pass_by()
        self._programs.clear()
        self._by_mode, self._drums, self._ports = {}, {}, list(self._first_ports)
        self._named = [self._is_drums_by_name(i) for i in range(len(tracks))]

    def _pass_by(self) -> dict[Part, bool]:
        """Whether each part is drums after all events."""
        events = [(tick, i, m) for i, track in enumerate(self._tracks) for tick, m in track]
        for _, i, m in sorted(events, key=lambda event: event[0]):
            self.apply(i, m)
        return self._drums

    def _add_port(self, m: Message) -> int:
        """The id of the port that an event names: the first of each kind is 0; those after the sixteenth share the last."""
        ids, name = self._ids[m.type], m.port if m.type == "midi_port" else m.name
        if name not in ids:
            if sum(map(len, self._ids.values())) == MAX_PORTS:
                return self._highest
            self._highest += bool(ids)
            ids[name] = self._highest if ids else 0
        return ids[name]

    def _banks_of(self, track: Track) -> list[tuple[Message, int | None]]:
        """(program change, bank selected since the one before on its channel, or that one's bank) in a track."""
        found = []
        banks: dict[int, int] = {}
        row_before: dict[int, int] = {}
        for row, (_, m) in enumerate(track):
            if m.type == "program_change":
                first = max(row_before.get(m.channel, 0), row - EVENTS_BACK)
                selected = [
                    e.value
                    for _, e in track[first:row]
                    if e.type == "control_change" and e.control == BANK_SELECT and e.channel == m.channel
                ]
                banks |= {m.channel: selected[-1]} if selected else {}
                row_before[m.channel] = row
                found.append((m, banks.get(m.channel)))
        return found

    def _is_played_like_kit(self, part: Part) -> bool:
        if part not in self._played:
            events = [
                [(tick, m) for tick, m in track if m.type in ("note_on", "note_off") and m.channel == part[1]]
                for track, port in zip(self._tracks, self._first_ports, strict=True)
                if port == part[0]
            ]
            found = [notes_of(track) for track in events]
            pitches = sum((p for p, _ in found), Counter())
            lengths = [n for _, tracks_lengths in found for n in tracks_lengths]
            self._played[part] = share_in_kit(pitches) >= 0.5 and plays_like_drums(pitches, lengths, self._quarter)
        return self._played[part]

    def _is_drums_by_name(self, index: int) -> bool:
        """Whether a track is drums by its name: its notes are on one channel whose part is not drums in the end, and played so."""
        track = self._tracks[index]
        names = [m.name.encode("latin1") for _, m in track if m.type in ("track_name", "instrument_name")]
        channels = {m.channel for _, m in track if m.type == "note_on" and m.velocity}
        offs = [m.channel for _, m in track if m.type in ("note_on", "note_off")]
        if not any(map(says_drums, names)) or len(channels) != 1 or offs[0] not in channels or DRUM_CHANNEL in channels:
            return False
        if self._last_drums.get((self._first_ports[index], *channels)):
            return False
        return plays_like_drums(*notes_of(track), self._quarter)

    def apply(self, track: int, m: Message) -> None:
        """Take an event of a track."""
        if id(m) in self._port_of:
            self._ports[track] = self._port_of[id(m)]
        elif m.type == "program_change":
            part = self._ports[track], m.channel
            by_mode = self._by_mode.get(part, m.channel == DRUM_CHANNEL)
            self._programs[part] = m.program
            self._drums[part] = self._is_drums_under(self._banks[id(m)], part, m.program, by_mode)
        elif m.type == "sysex" and (mode := rhythm_part(m.data)):
            part = self._ports[track], mode[0]
            self._by_mode[part] = self._drums[part] = mode[1]

    def _is_drums_under(self, bank: int | None, part: Part, program: int, by_mode: bool) -> bool:
        """Whether a part is drums under a bank. Banks 126 and 127 are drums in XG; elsewhere only where they are played so."""
        if bank == GM2_MELODY_BANK:
            return False
        if bank == GM2_DRUM_BANK or by_mode:
            return True
        return bank in XG_DRUM_BANKS and (self._xg or (program in XG_KITS and self._is_played_like_kit(part)))

    def port_of(self, track: int) -> int:
        """The first port that a track names: notes that sound at its end may be ended by other tracks of this port."""
        return self._first_ports[track]

    def in_force(self, track: int, channel: int) -> State:
        """The state of a channel of a track."""
        part = self._ports[track], channel
        return State(self._programs[part], self._named[track] or self._drums.get(part, channel == DRUM_CHANNEL))
