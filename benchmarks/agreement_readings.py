"""What midiopt, mido, symusic and pretty_midi read in a file, and what each of the three would read in midiopt's events.

A model states the policies of a library in code: if it gives exactly what the library reads, the difference from midiopt is
explained by these policies and by nothing else.
"""

from __future__ import annotations

import io
import warnings
from collections import Counter, defaultdict
from typing import Any, NamedTuple

import numpy as np

import midiopt
from accuracy.pairing_rules import sequences
from reference.pairing import KeyEvent, Kind, PairedNote, pair

TRACK_NAME, TEMPO = 0x03, 0x51
DRUMS = 9  # channel 10, counted from 0
DEFAULT_TEMPO = 500_000  # microseconds per quarter
# Meta types that mido 1.3 knows. It reads the others with a delta time of 0.
KNOWN_TO_MIDO = {*range(0x0A), 0x20, 0x21, 0x2F, 0x51, 0x54, 0x58, 0x59, 0x7F}

Notes = Counter[tuple[int, int, int, int, int]]  # (tick, channel, pitch, velocity, length)
TempoMap = list[tuple[int, int]]  # (tick, microseconds per quarter) wherever the tempo changes


class Reading(NamedTuple):
    """What is compared. The seconds are those of the duration with mido, and of the last note's end with the others."""

    notes: Notes
    tempos: TempoMap
    seconds: float
    names: set[str]


class File(NamedTuple):
    """A file, as midiopt reads it."""

    data: bytes
    facts: midiopt.Analysis
    notes: list[PairedNote]
    events: list[list[KeyEvent]]  # of each track
    tempos: list[tuple[int, int, int]]  # (tick, track, microseconds per quarter), track after track
    names: list[list[bytes]]  # of each track
    unknown: list[list[tuple[int, int]]]  # (tick, delta time) of meta events that mido does not know, of each track


def read(data: bytes, arena: midiopt.EventArena) -> File:
    """A file as midiopt reads it; AssertionError unless its compiled notes are those of the definition."""
    facts = midiopt.analyze(data)
    midiopt.parse(data, into=arena)
    events, tracks = arena.events(), arena.tracks()
    starts = np.array([first for first, _, _ in tracks])
    found = sequences(arena)
    notes = [note for sequence in found for note in pair(*sequence)]
    drums = sum(note.on.channel == DRUMS for note in notes)
    # Where drums are on another channel, the hash marks other notes as drums than the three libraries do.
    if drums == facts.drum_note_count:
        assert hash_of(notes, arena.division) == facts.notes_hash, "the notes are not those of the definition"
    by_track: list[list[KeyEvent]] = [[] for _ in tracks]
    for number, (keys, _) in enumerate(found):
        for key in keys:
            by_track[key.track + (number if arena.format == 2 else 0)].append(key)
    tempos: list[tuple[int, int, int]] = []
    names: list[list[bytes]] = [[] for _ in tracks]
    unknown: list[list[tuple[int, int]]] = [[] for _ in tracks]
    for row, status, kind, content, valid in arena.marks():
        if status == 0xFF:
            tick, track = int(events["tick"][row]), int(np.searchsorted(starts, row, "right")) - 1
            if kind not in KNOWN_TO_MIDO:
                unknown[track].append((tick, tick - (int(events["tick"][row - 1]) if row > starts[track] else 0)))
            if kind == TEMPO and valid:
                tempos.append((tick, track, int.from_bytes(content, "big")))
            elif kind == TRACK_NAME:
                names[track].append(content)
    return File(data, facts, notes, by_track, tempos, names, unknown)


def hash_of(notes: list[PairedNote], division: int) -> bytes | None:
    """notes_hash as reference/notes.py defines it, whose imports would mend mido."""
    quarter: float = division
    if division & 0x8000:
        frames = 0x100 - (division >> 8)
        quarter = (30000 / 1001 if frames == 29 else frames) * (division & 0xFF) / 2
    records = np.zeros(len(notes), dtype=[("onset", "<f8"), ("rest", "u1", 4), ("length", "<f4")])
    records["onset"] = np.array([n.on.tick for n in notes]) / quarter
    records["length"] = np.array([n.end - n.on.tick for n in notes]) / quarter
    if notes:
        records["rest"] = [(n.on.pitch, n.on.velocity, n.on.channel == DRUMS, 0) for n in notes]
    onset, rest = records.view("<u8").reshape(-1, 2).T
    value = onset * np.uint64(0x9E3779B97F4A7C15)
    value = ((value ^ value >> np.uint64(32)) ^ rest) * np.uint64(0xFF51AFD7ED558CCD)
    value = (value ^ value >> np.uint64(29)) * np.uint64(0xC4CEB9FE1A85EC53)
    total = int((value ^ value >> np.uint64(32)).sum(dtype=np.uint64))
    return total.to_bytes(8, "big") if notes else None


def tempo_map(tempos: list[tuple[int, int]]) -> TempoMap:
    """Where the tempo changes, from (tick, tempo) in time order; the last at a tick counts."""
    changes: TempoMap = []
    for tick, tempo in sorted({0: DEFAULT_TEMPO, **dict(tempos)}.items()):
        if not changes or changes[-1][1] != tempo:
            changes.append((tick, tempo))
    return changes


def seconds_at(tempos: TempoMap, tick: int, quarter: int) -> float:
    """Seconds from the beginning to a tick."""
    total = 0
    for (start, tempo), (end, _) in zip(tempos, [*tempos[1:], (tick, 0)], strict=True):
        total += max(min(end, tick) - start, 0) * tempo
    return total / quarter / 1e6


def last_end(notes: Notes) -> int:
    """Tick at which the last note ends."""
    return max((tick + length for tick, _, _, _, length in notes), default=0)


def drums_only(notes: Notes) -> Notes:
    """The notes without their channels, but for drums: symusic and pretty_midi keep no more of it."""
    found: Notes = Counter()
    for (tick, channel, *rest), times in notes.items():
        found[tick, channel == DRUMS, *rest] += times  # type: ignore[index]
    return found


def of_midiopt(file: File) -> Reading:
    """What midiopt reads."""
    tempos = tempo_map([(tick, tempo) for tick, _, tempo in sorted(file.tempos, key=lambda change: change[:2])])
    return Reading(counted(file.notes), tempos, file.facts.duration_s, set(file.facts.track_names))


def counted(notes: list[PairedNote]) -> Notes:
    """Notes as they are compared."""
    return Counter((note.on.tick, note.on.channel, note.on.pitch, note.on.velocity, note.end - note.on.tick) for note in notes)


# --- mido ----------------------------------------------------------------------------------------------


def of_mido(data: bytes) -> tuple[Reading, Any]:
    """What mido reads, paired by midiopt's rules, since mido has no notes of its own; and its object."""
    import mido

    from reference.pairing import key_event

    file = mido.MidiFile(file=io.BytesIO(data), charset="latin1")
    keys, tempos, ends, names = [], [], [], set()
    for number, track in enumerate(file.tracks):
        tick = 0
        for message in track:
            tick += message.time
            if message.type == "set_tempo":
                tempos.append((tick, message.tempo))
            elif not message.is_meta and message.type in ("note_on", "note_off", "control_change"):
                event = key_event(tick, number, message.bytes())
                keys += [event] if event else []
        ends.append(tick)
        names.add(track.name)
    keys.sort(key=lambda event: event.tick)
    tempos.sort(key=lambda change: change[0])
    return Reading(counted(pair(keys, ends)), tempo_map(tempos), file.length, names - {""}), file


def without_dropped_times(file: File) -> File:
    """The file with the ticks of mido, which drops the delta times of meta events that it does not know."""

    def ticks(track: int, tick: int) -> int:
        return tick - sum(delta for at, delta in file.unknown[track] if at <= tick)

    def shifted(event: KeyEvent) -> KeyEvent:
        return event._replace(tick=ticks(event.track, event.tick))

    return file._replace(
        notes=[PairedNote(shifted(note.on), ticks(note.on.track, note.end), note.rule) for note in file.notes],
        events=[[shifted(event) for event in track] for track in file.events],
        tempos=[(ticks(track, tick), track, tempo) for tick, track, tempo in file.tempos],
    )


# --- symusic -------------------------------------------------------------------------------------------


def of_symusic(data: bytes) -> Reading:
    """What symusic reads."""
    import symusic

    score: Any = symusic.Score.from_midi(data)
    notes: Notes = Counter()
    for track in score.tracks:
        columns = track.notes.numpy()
        for tick, length, pitch, velocity in zip(*(columns[c].tolist() for c in ("time", "duration", "pitch", "velocity")), strict=True):
            notes[tick, track.is_drum, pitch, velocity, length] += 1
    tempos = tempo_map([(tempo.time, tempo.mspq) for tempo in score.tempos])
    return Reading(notes, tempos, seconds_at(tempos, last_end(notes), score.tpq), {track.name for track in score.tracks} - {""})


def paired_by_symusic(file: File) -> Notes:
    """First in, first out; controllers end nothing, and a note without a note-off in its track is dropped."""
    notes: Notes = Counter()
    for track in file.events:
        sounding: defaultdict[tuple[int, int], list[KeyEvent]] = defaultdict(list)
        for event in track:
            waiting = sounding[event.channel, event.pitch]
            if event.kind is Kind.ON:
                waiting.append(event)
            elif event.kind is Kind.OFF and waiting:
                on = waiting.pop(0)
                notes[on.tick, on.channel == DRUMS, on.pitch, on.velocity, event.tick - on.tick] += 1
    return notes


# --- pretty_midi ---------------------------------------------------------------------------------------


def of_pretty_midi(file: Any) -> Reading:
    """What pretty_midi reads, from mido's object, which it changes."""
    import pretty_midi

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        song = pretty_midi.PrettyMIDI(mido_object=file)
    times = song._PrettyMIDI__tick_to_time
    notes: Notes = Counter()
    for instrument in song.instruments:
        starts = np.searchsorted(times, [note.start for note in instrument.notes]).tolist()
        ends = np.searchsorted(times, [note.end for note in instrument.notes]).tolist()
        for note, start, end in zip(instrument.notes, starts, ends, strict=True):
            notes[start, instrument.is_drum, note.pitch, note.velocity, end - start] += 1
    tempos = tempo_map([(tick, round(scale * song.resolution * 1e6)) for tick, scale in song._tick_scales])
    last = max((note.end for instrument in song.instruments for note in instrument.notes), default=0.0)
    return Reading(notes, tempos, last, {instrument.name for instrument in song.instruments} - {""})


def paired_by_pretty_midi(file: File) -> Notes:
    """A note-off ends all notes that began at an earlier tick; a note of no length, or without a note-off, is dropped."""
    notes: Notes = Counter()
    for track in file.events:
        sounding: dict[tuple[int, int], list[KeyEvent]] = {}
        for event in track:
            key = event.channel, event.pitch
            if event.kind is Kind.ON:
                sounding.setdefault(key, []).append(event)
            elif event.kind is Kind.OFF and key in sounding:
                ended = [on for on in sounding[key] if on.tick != event.tick]
                kept = [on for on in sounding.pop(key) if on.tick == event.tick]
                for on in ended:
                    notes[on.tick, on.channel == DRUMS, on.pitch, on.velocity, event.tick - on.tick] += 1
                if ended and kept:
                    sounding[key] = kept
    return notes
