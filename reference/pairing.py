"""Note-ons to notes, by the rules of docs/policy.md. Each note says which rule ended it.

NOTE_OFF     a note-off of its channel and pitch in its track ends the oldest sounding note
CONTROLLER   controller 120 or 123 in its track ends all sounding notes of its channel
RETRIGGER    where a pitch has fewer note-offs than note-ons, a note-off ends all sounding notes of the pitch
OTHER_TRACK  a note-off of its channel and pitch, or controller 120 or 123 of its channel, in another track
TRACK_END    nothing: it ends with its track
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple

SILENCING = (120, 123)  # controllers: All Sound Off and All Notes Off


class Rule(Enum):
    """What ended a note."""

    NOTE_OFF = "note-off"
    CONTROLLER = "controller"
    RETRIGGER = "retrigger"
    OTHER_TRACK = "other track"
    TRACK_END = "track end"


class Kind(Enum):
    """What an event does to the notes of its channel and pitch, or (SILENCE) of its channel."""

    ON = "on"
    OFF = "off"
    SILENCE = "silence"


class KeyEvent(NamedTuple):
    """A note-on, a note-off or a silencing controller."""

    tick: int
    track: int
    channel: int  # from 0
    kind: Kind
    pitch: int = 0
    velocity: int = 0
    program: int = 0  # in force, of a note-on
    drums: bool = False  # likewise
    port: int = 0  # of the track


class PairedNote(NamedTuple):
    """A note-on, and where and by which rule it ends."""

    on: KeyEvent
    end: int  # ticks
    rule: Rule


Run = list[KeyEvent]  # of one channel and pitch in one track: from an onset in silence to the next silence


def key_event(tick: int, track: int, data: bytes | list[int], program: int = 0, drums: bool = False, port: int = 0) -> KeyEvent | None:
    """The event of a channel message (status and data bytes), or None if it neither begins nor ends notes."""
    kind, channel = data[0] >> 4, data[0] & 15
    if kind in (8, 9):
        return KeyEvent(tick, track, channel, Kind.ON if kind == 9 and data[2] else Kind.OFF, data[1], data[2], program, drums, port)
    if kind == 11 and data[1] in SILENCING:
        return KeyEvent(tick, track, channel, Kind.SILENCE, port=port)
    return None


def pair(events: list[KeyEvent], track_ends: list[int]) -> list[PairedNote]:
    """The notes of a sequence, from its events in (tick, track, position) order and the last tick of each track."""
    notes = []
    for run in runs(events):
        ended, sounding = pair_run(run)
        if sounding:
            ended, sounding = pair_run(run, retrigger=True)
        notes += ended
        notes += [end_elsewhere(on, events, track_ends[on.track]) for on in sounding]
    return notes


def runs(events: Iterable[KeyEvent]) -> list[Run]:
    """All runs; an event that ends nothing is in none."""
    found: list[Run] = []
    current: dict[tuple[int, int], dict[int, tuple[Run, int]]] = defaultdict(dict)  # (track, channel) -> pitch -> run, notes that sound
    for event in events:
        pitches = current[event.track, event.channel]
        if event.kind is Kind.SILENCE:
            for run, _ in pitches.values():
                run.append(event)
            pitches.clear()
        elif event.kind is Kind.ON:
            if event.pitch not in pitches:
                found.append([])
                pitches[event.pitch] = found[-1], 0
            run, sounding = pitches[event.pitch]
            run.append(event)
            pitches[event.pitch] = run, sounding + 1
        elif event.pitch in pitches:
            run, sounding = pitches.pop(event.pitch)
            run.append(event)
            if sounding > 1:
                pitches[event.pitch] = run, sounding - 1
    return found


def pair_run(run: Run, retrigger: bool = False) -> tuple[list[PairedNote], list[KeyEvent]]:
    """The notes that end in a run, and the onsets of those that do not; with `retrigger`, each note-off ends all that sound."""
    notes: list[PairedNote] = []
    sounding: list[KeyEvent] = []
    for event in run:
        if event.kind is Kind.ON:
            sounding.append(event)
        elif event.kind is Kind.SILENCE:
            notes += [PairedNote(on, event.tick, Rule.CONTROLLER) for on in sounding]
            sounding = []
        elif sounding:
            notes.append(PairedNote(sounding.pop(0), event.tick, Rule.NOTE_OFF))
            if retrigger:
                notes += [PairedNote(on, event.tick, Rule.RETRIGGER) for on in sounding]
                sounding = []
    return notes, sounding


def end_elsewhere(on: KeyEvent, events: Iterable[KeyEvent], track_end: int) -> PairedNote:
    """A note that nothing in its track ends: another track does, at a later tick than its onset, or the end of its track."""
    for event in events:
        ends_it = event.kind is Kind.SILENCE or (event.kind is Kind.OFF and event.pitch == on.pitch)
        of_part = event.channel == on.channel and event.port == on.port
        if ends_it and of_part and event.tick > on.tick and event.track != on.track:
            return PairedNote(on, event.tick, Rule.OTHER_TRACK)
    return PairedNote(on, track_end, Rule.TRACK_END)
