"""The second opinion: every fact of one file, computed slowly and plainly from mido's messages.

It is written from the definitions alone, shares nothing with the compiled kernel but the names in
schema.py, and is meant to be read as their documentation. Time is kept exact: a tick maps to whole
*units* (microseconds times ticks per quarter, or SMPTE ticks), and becomes seconds by one division.

    twin(data) -> {column: value}          as rows.record() gives them
    same(kernel_row, twin_row) -> [column] where the two differ
"""

from __future__ import annotations

import math
import struct
from bisect import bisect_right
from collections import Counter, defaultdict, deque
from dataclasses import dataclass
from io import BytesIO
from itertools import accumulate, groupby, pairwise
from statistics import fmean, pstdev

import mido
import xxhash
from mido.midifiles import meta

from midiopt.schema import ANALYSES
from reference import meter, rhythm
from reference.form import form_facts, role
from reference.key import key_facts
from reference.text import decoded, encoding_of

LEFT_OUT = ("content_hash", "analyzer_version", "issues")  # facts about the bytes, not about the music
COLUMNS = tuple(c for c in ANALYSES if c.name not in LEFT_OUT)
CHANNEL_TYPES = {"note_off", "note_on", "polytouch", "control_change", "program_change", "aftertouch", "pitchwheel"}

DRUMS = 9  # channel 10
SUSTAIN = 64
DEFAULT_TEMPO = 500_000  # microseconds a quarter: 120 BPM
SMPTE_RATES = {29: 30000 / 1001}  # the others are what they say

Track = list[tuple[int, mido.Message | mido.MetaMessage]]  # absolute tick, message


class Unreadable(Exception):
    """mido cannot read the file, so there is no second opinion on it."""


# --- bytes to tracks ---------------------------------------------------------------------------


def _keep_the_delta_of_unknown_metas() -> None:
    """mido 1.3 reads a meta type it does not know with delta 0, which moves all that follows; give each a spec of its own."""
    known = {spec.type_byte for spec in meta._META_SPECS.values()}
    for type_byte in set(range(0x100)) - known:
        name = f"meta_{type_byte:02x}"
        meta.add_meta_spec(type(name, (meta.MetaSpec_sequencer_specific,), {"type_byte": type_byte, "type": name}))


_keep_the_delta_of_unknown_metas()


@dataclass(frozen=True)
class Division:
    ticks_per_quarter: int | None  # None: SMPTE
    frame_ticks: float  # SMPTE ticks a second

    @classmethod
    def from_header(cls, data: bytes) -> Division:
        high, low = data[12], data[13]
        if high < 0x80:
            return cls(high << 8 | low, 0.0)
        frames = 0x100 - high
        return cls(None, SMPTE_RATES.get(frames, frames) * low)

    @property
    def quarter(self) -> float:
        """Ticks a quarter note, where SMPTE files count half seconds."""
        return self.frame_ticks / 2 if self.ticks_per_quarter is None else self.ticks_per_quarter


def read(data: bytes) -> tuple[int, Division, list[Track]]:
    """The format, the division, and the tracks, each up to its first End of Track: what follows is no part of it.

    System common and real-time messages, which mido also reads, have no place in a file and are left out.
    """
    try:
        file = mido.MidiFile(file=BytesIO(data), charset="latin1", clip=True)
    except Exception as error:
        raise Unreadable(f"mido cannot read this file: {error!r}") from error
    division = Division.from_header(data)
    if not division.quarter:
        raise Unreadable("the division is 0")
    if not file.tracks:
        raise Unreadable("no track is declared")
    tracks = []
    for messages in file.tracks:
        tick, track = 0, []
        for message in messages:
            tick += message.time
            if message.is_meta or message.type == "sysex" or message.type in CHANNEL_TYPES:
                track.append((tick, message))
            if message.type == "end_of_track":
                break
        tracks.append(track)
    return file.type if file.type in (0, 1, 2) else 1, division, tracks  # an unknown format is read as 1


# --- time --------------------------------------------------------------------------------------


def last_at_each_tick(changes: list[tuple[int, object]]) -> list[tuple[int, object]]:
    """Of (tick, value) in order, what is in force after each tick."""
    return list(dict(changes).items())


class Clock:
    """From ticks to exact units and to seconds."""

    def __init__(self, division: Division, tempos: list[tuple[int, int]]) -> None:
        if division.ticks_per_quarter is None:
            self.units_per_second = division.frame_ticks
            self.segments = [(0, 1)]  # a tick is a unit
        else:
            self.units_per_second = 1_000_000 * division.ticks_per_quarter
            self.segments = last_at_each_tick([(0, DEFAULT_TEMPO), *tempos])
        self._starts = [tick for tick, _ in self.segments]
        self._units = [0]  # at the start of each segment
        for (start, tempo), (end, _) in pairwise(self.segments):
            self._units.append(self._units[-1] + (end - start) * tempo)

    def tempo(self, tick: int) -> int:
        """Units a tick."""
        return self.segments[bisect_right(self._starts, tick) - 1][1]

    def units(self, tick: int) -> int:
        i = bisect_right(self._starts, tick) - 1
        start, tempo = self.segments[i]
        return self._units[i] + (tick - start) * tempo

    def seconds(self, tick: int) -> float:
        return self.units(tick) / self.units_per_second


# --- a sequence: tracks that play together -----------------------------------------------------


@dataclass(frozen=True)
class Note:
    onset: int  # ticks
    end: int
    channel: int
    pitch: int
    velocity: int
    program: int  # in force on its channel at the onset
    track: int

    @property
    def pitched(self) -> bool:
        return self.channel != DRUMS


class Sequence:
    def __init__(self, tracks: list[Track], division: Division) -> None:
        # The sort is stable, so events stand in (tick, track, position) order.
        self.events = sorted(((tick, i, m) for i, track in enumerate(tracks) for tick, m in track), key=lambda event: event[0])
        self.track_ends = [track[-1][0] if track else 0 for track in tracks]
        self.duration = max(self.track_ends)
        smpte = division.ticks_per_quarter is None
        self.tempos = [] if smpte else [(tick, m.tempo) for tick, _, m in self.events if m.type == "set_tempo" and m.tempo > 0]
        self.clock = Clock(division, self.tempos)
        self.quarter = division.quarter
        self.notes = self._pair_notes()
        self.pitched = [n for n in self.notes if n.pitched]
        self.horizon = max((n.end for n in self.notes), default=self.duration)

    def _pair_notes(self) -> list[Note]:
        """First in, first out per track, channel and pitch; what never ends ends with its track."""
        notes = []
        program = [0] * 16  # by channel, shared by all tracks
        sounding = defaultdict(deque)

        def end(key: tuple[int, int, int], tick: int) -> None:
            onset, velocity, program_then = sounding[key].popleft()
            notes.append(Note(onset, tick, key[1], key[2], velocity, program_then, key[0]))

        for tick, track, m in self.events:
            if m.type == "program_change":
                program[m.channel] = m.program
            elif m.type in ("note_on", "note_off"):
                key = (track, m.channel, m.note)
                if m.type == "note_on" and m.velocity > 0:
                    sounding[key].append((tick, m.velocity, program[m.channel]))
                elif sounding[key]:
                    end(key, tick)
        for key, never_ended in sounding.items():
            while never_ended:
                end(key, self.track_ends[key[0]])
        return notes

    def signatures(self) -> list[tuple[int, int, int]]:
        """(tick, numerator, denominator) of real changes."""
        declared = [(tick, (m.numerator, m.denominator)) for tick, _, m in self.events if m.type == "time_signature" and is_meter(m)]
        changes = groupby(last_at_each_tick(declared), key=lambda change: change[1])
        return [(next(group)[0], *signature) for signature, group in changes]

    def sounding_units(self, note: Note) -> int:
        return self.clock.units(note.end) - self.clock.units(note.onset)

    def seconds_at_onset(self, note: Note) -> float:
        """The length that the note would have under the tempo of its onset."""
        return (note.end - note.onset) * self.clock.tempo(note.onset) / self.clock.units_per_second

    def polyphony(self) -> tuple[int, int]:
        """Most pitched notes at once, and the units in which any sounds, over half-open intervals."""
        change = Counter()
        for n in self.pitched:
            if n.end > n.onset:
                change[n.onset] += 1
                change[n.end] -= 1
        now = most = covered = 0
        for tick, following in pairwise(sorted(change)):
            now += change[tick]
            most = max(most, now)
            if now:
                covered += self.clock.units(following) - self.clock.units(tick)
        return most, covered


# --- tempo, meter, declared key ----------------------------------------------------------------


def bpm_of(tempo: int) -> float:
    """An integer where the file can only mean that: within a microsecond a quarter."""
    exact = 60e6 / tempo
    integer = math.floor(exact + 0.5)
    return float(integer) if abs(tempo - 60e6 / integer) <= 1 else exact


def lower_median(weighted: list[tuple[float, int]]) -> float:
    """The smallest value that, with all up to it, has half the weight."""
    weighted = sorted(weighted)
    so_far = list(accumulate(weight for _, weight in weighted))
    return next(value for (value, _), weight in zip(weighted, so_far, strict=True) if weight * 2 >= so_far[-1])


def tempo_facts(sequences: list[Sequence]) -> dict[str, object]:
    names = ("bpm", "bpm_mean", "bpm_min", "bpm_max")
    facts = {**dict.fromkeys(names), "bpm_source": "none", "bpm_confidence": 0.0, "tempo_changes": 0}
    sequence = next((s for s in sequences if s.tempos), None)
    if sequence is None:
        return facts
    segments, horizon = sequence.clock.segments, sequence.horizon
    facts["bpm_source"] = "tempo_map"
    facts["tempo_changes"] = sum(before != after for (_, before), (_, after) in pairwise(segments))
    if horizon == 0:
        bpm = bpm_of(segments[0][1])
        return facts | {"bpm": bpm, "bpm_mean": bpm, "bpm_min": bpm, "bpm_max": bpm, "bpm_confidence": 1.0}
    in_force = [  # (bpm, ticks, units) of what lies before the horizon
        (bpm_of(tempo), min(end, horizon) - start, (min(end, horizon) - start) * tempo)
        for (start, tempo), (end, _) in pairwise([*segments, (math.inf, 0)])
        if start < horizon
    ]
    bpm = lower_median([(tempo_bpm, ticks) for tempo_bpm, ticks, _ in in_force])
    units = sequence.clock.units(horizon)
    lowest, highest = min(in_force)[0], max(in_force)[0]
    return facts | {
        "bpm": bpm,
        "bpm_min": lowest,
        "bpm_max": highest,
        "bpm_mean": lowest if lowest == highest else 60e6 * horizon / units,
        "bpm_confidence": sum(u for tempo_bpm, _, u in in_force if abs(tempo_bpm / bpm - 1) <= 0.04) / units,
    }


def onsets_of(s: Sequence, division: Division) -> list[rhythm.Onset]:
    return [
        rhythm.Onset(s.clock.seconds(n.onset), n.onset / division.quarter, s.seconds_at_onset(n), n.pitch, n.velocity, not n.pitched)
        for n in s.notes
    ]


def onset_facts(sequences: list[Sequence], division: Division) -> dict[str, object]:
    """Of each sequence up to the first that has a beat, the last word counts."""
    names = ("bpm_onsets", "bpm_onsets_confidence", "grid_deviation", "is_performance", "swing", "meter_estimated")
    facts = {**dict.fromkeys(names), "meter_confidence": 0.0, "map_refuted": False}
    pitches, drums = [], 0
    for s in sequences:
        pitches += [n.pitch for n in s.pitched]
        drums += len(s.notes) - len(s.pitched)
        onsets = [
            rhythm.Onset(
                s.clock.seconds(n.onset), n.onset / division.quarter, s.seconds_at_onset(n), n.pitch, n.velocity, not n.pitched
            )
            for n in s.notes
        ]
        facts |= rhythm.estimate(onsets, rhythm.median(pitches), drums / max(len(pitches) + drums, 1))
        facts |= rhythm.grid_facts(onsets) if division.ticks_per_quarter else {}
        if facts["bpm_onsets"]:
            if division.ticks_per_quarter and not facts["map_refuted"]:
                facts |= meter.estimate(s.notes, rhythm.median(pitches), drums / (len(pitches) + drums), division.quarter)
            break
    return facts


def one_tempo(facts: dict[str, object]) -> dict[str, object]:
    """The declared tempo, unless there is none or the notes ignore it."""
    if facts["bpm_onsets"] and (facts["map_refuted"] or facts["bpm_source"] == "none"):
        return {"bpm": facts["bpm_onsets"], "bpm_confidence": facts["bpm_onsets_confidence"], "bpm_source": "onsets"}
    return {}


def is_meter(m: mido.MetaMessage) -> bool:
    return m.numerator >= 1 and m.denominator <= 2**7


def meter_facts(sequences: list[Sequence]) -> dict[str, object]:
    for s in sequences:
        declared = [(tick, f"{m.numerator}/{m.denominator}") for tick, _, m in s.events if m.type == "time_signature" and is_meter(m)]
        if declared:
            spans = last_at_each_tick(declared)
            ticks = Counter()
            for (start, meter), (end, _) in pairwise([*spans, (s.duration, "")]):
                ticks[meter] += end - start
            longest = max(ticks, key=ticks.get)  # the first that came, on a tie
            return {"time_signature": longest, "time_signature_changes": sum(a != b for (_, a), (_, b) in pairwise(spans))}
    return {"time_signature": None, "time_signature_changes": 0}


def declared_key(sequences: list[Sequence]) -> str | None:
    for s in sequences:
        keys = last_at_each_tick([(tick, m.key) for tick, _, m in s.events if m.type == "key_signature"])
        if keys:
            return keys[0][1]
    return None


# --- what the notes say ------------------------------------------------------------------------


def pitch_facts(sequences: list[Sequence]) -> dict[str, object]:
    pitches = [n.pitch for s in sequences for n in s.pitched]
    units = [sum(s.sounding_units(n) for s in sequences for n in s.pitched if n.pitch % 12 == pc) for pc in range(12)]
    total = sum(units)
    polyphony = [s.polyphony() for s in sequences]
    covered = sum(c for _, c in polyphony)
    programs = Counter(n.program for s in sequences for n in s.pitched)
    return {
        "pitch_classes": [round(u / total, 6) if total else 0.0 for u in units],
        "pitch_min": min(pitches, default=None),
        "pitch_max": max(pitches, default=None),
        "unique_pitches": len(set(pitches)) or None,
        "note_seconds_mean": total / len(pitches) / sequences[0].clock.units_per_second if pitches else None,
        "polyphony_max": min(max(most for most, _ in polyphony), 2**15 - 1),
        "polyphony_mean": total / covered if covered else 0.0,
        "programs": sorted(programs),
        "primary_program": min(programs, key=lambda p: (-programs[p], p), default=None),
    }


def note_facts(sequences: list[Sequence]) -> dict[str, object]:
    notes = [n for s in sequences for n in s.notes]
    velocities = [n.velocity for n in notes]
    return {
        "note_count": len(notes),
        "drum_note_count": sum(not n.pitched for n in notes),
        "first_note_s": min((s.clock.seconds(n.onset) for s in sequences for n in s.notes), default=None),
        "last_note_s": max((s.clock.seconds(n.end) for s in sequences for n in s.notes), default=None),
        "velocity_mean": fmean(velocities) if notes else None,
        "velocity_std": pstdev(velocities) if notes else None,
        "velocity_min": min(velocities, default=None),
        "velocity_max": max(velocities, default=None),
        "unique_velocities": len(set(velocities)) or None,
        "channels": sorted({n.channel + 1 for n in notes}),
    }


def notes_hash(sequences: list[Sequence], quarter: float) -> bytes | None:
    """The sum of the XXH3-64 of each note, modulo 2**64: a sum does not ask for an order."""
    records = [
        struct.pack("<dfBBBB", n.onset / quarter, (n.end - n.onset) / quarter, n.pitch, n.velocity, not n.pitched, 0)
        for s in sequences
        for n in s.notes
    ]
    return (sum(map(xxhash.xxh3_64_intdigest, records)) % 2**64).to_bytes(8, "big") if records else None


# --- events and texts --------------------------------------------------------------------------


def is_karaoke(messages: list) -> bool:
    texts = [m.text for m in messages if m.type == "text"]
    names = [m.name for m in messages if m.type == "track_name"]
    return any(t.startswith("@K") for t in texts) or any(n.strip(" ").lower() == "words" for n in names)


def event_facts(tracks: list[Track]) -> dict[str, object]:
    messages = [m for track in tracks for _, m in track]
    count = Counter(m.type for m in messages)
    return {
        "track_count": len(tracks),
        "event_count": len(messages),
        "control_changes": count["control_change"],
        "sustain_pedals": sum(m.type == "control_change" and m.control == SUSTAIN for m in messages),
        "pitch_bends": count["pitchwheel"],
        "program_changes": count["program_change"],
        "sysex_count": count["sysex"],
        "lyric_count": count["lyrics"] or (count["text"] if is_karaoke(messages) else 0),
    }


def name_facts(tracks: list[Track]) -> dict[str, object]:
    raw = [next((m.name.encode("latin1") for _, m in track if m.type == "track_name"), b"") for track in tracks]
    otherwise = encoding_of(raw)

    def text_of(name: bytes) -> str | None:
        name = name.replace(b"\0", b"")
        return decoded(name, otherwise)[:1000] if name.strip() else None

    names = [text_of(name) for name in raw]
    return {"title": names[0], "track_names": list(dict.fromkeys(name for name in names if name))[:1000]}


# --- the row -----------------------------------------------------------------------------------


def twin(data: bytes) -> dict[str, object]:
    """Every fact of a file, from its bytes; Unreadable when mido cannot read it."""
    format_, division, tracks = read(data)
    sequences = [Sequence([t], division) for t in tracks] if format_ == 2 else [Sequence(tracks, division)]
    facts = {
        "format": format_,
        "ticks_per_quarter": division.ticks_per_quarter,
        "duration_ticks": max(s.duration for s in sequences),
        "duration_s": max(s.clock.seconds(s.duration) for s in sequences),
        "key_declared": declared_key(sequences),
        "notes_hash": notes_hash(sequences, division.quarter),
        **tempo_facts(sequences),
        **onset_facts(sequences, division),
        **meter_facts(sequences),
        **key_facts(sequences, declared_key(sequences)),
        **pitch_facts(sequences),
        **note_facts(sequences),
        **event_facts(tracks),
        **name_facts(tracks),
    }
    facts |= form_facts(sequences, division.ticks_per_quarter)
    facts["role"] = role(sequences, division.quarter, facts["polyphony_mean"])
    facts |= one_tempo(facts)
    facts["notes_per_second"] = facts["note_count"] / facts["duration_s"] if facts["duration_s"] else None
    return {c.name: facts[c.name] for c in COLUMNS}


def same(kernel_row: dict[str, object], twin_row: dict[str, object]) -> list[str]:
    """The columns in which two rows differ: floats beyond 1e-4 of the value and 1e-6, all else at all."""

    def close(a: float | None, b: float | None) -> bool:
        return a == b if a is None or b is None else math.isclose(a, b, rel_tol=1e-4, abs_tol=1e-6)

    differ = []
    for column in COLUMNS:
        ours, theirs = kernel_row[column.name], twin_row[column.name]
        if column.kind == "floats":
            equal = all(close(a, b) for a, b in zip(ours, theirs, strict=True))
        elif column.kind in ("float32", "float64"):
            equal = close(ours, theirs)
        else:
            equal = ours == theirs
        if not equal:
            differ.append(column.name)
    return differ
