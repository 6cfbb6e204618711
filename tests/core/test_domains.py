"""The limits of the kernels: ticks, bars, lengths and numbers of notes that no music has, but that bytes can say.

Every value of a row is inside its column's range, and a row does not depend on the file analysed before. `make sanitize`
runs this file, too: a read or write out of bounds need not change a row.
"""

from __future__ import annotations

import contextlib
import gzip
import math
import mmap
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import midiopt
from accuracy.corpus import CORPUS, FILES
from midiopt.core.analyzer import Analyzer
from midiopt.kinds import FLOAT32, FLOAT64, INT16, INT32, INT64, SHARES
from midiopt.limits import MAX_EVENTS
from midiopt.schema import ANALYSES, ISSUE_BITS, TRACKS, Table
from reference.analyzer import COLUMNS, analyze, differing_columns
from sample import smf
from tests.helpers.track_rows import track_rows

JUMP = 2**28 - 1  # the longest delta time
LONG = smf.varint(JUMP) + b"\xf8"  # as much time in five bytes: a system message is skipped, and its delta time counts
MAX_TICK = 2**52 - 1
MAX_SECONDS = 2**52 * 2**24 / 1e6 * 2  # at the slowest tempo and the lowest division, 1/2 tick per quarter

NUMBERS = (INT16, INT32, INT64, FLOAT32, FLOAT64, SHARES)
COUNT = (0, MAX_EVENTS)
SHARE = (0, 1)
SECONDS = (0, MAX_SECONDS)
DECLARED_BPM = (60e6 / 2**24, 60e6)
PITCH = (0, 127)
VELOCITY = (1, 127)

RANGES: dict[str, tuple[float, float]] = {
    "analyzer_version": (1, 2**15 - 1),
    "format": (0, 2),
    "track_count": (1, 2**15 - 1),
    "ticks_per_quarter": (1, 2**15 - 1),
    "event_count": COUNT,
    "duration_ticks": (0, MAX_TICK),
    "duration_s": SECONDS,
    "first_note_s": SECONDS,
    "last_note_s": SECONDS,
    "bpm": DECLARED_BPM,
    "bpm_confidence": SHARE,
    "bpm_mean": DECLARED_BPM,
    "bpm_min": DECLARED_BPM,
    "bpm_max": DECLARED_BPM,
    "tempo_changes": COUNT,
    "bpm_onsets": (60 / (2.6 * 2.4), 60 / (0.6 * 0.18)),  # tracked: REACH and NEAREST of the periods in beat_tracker.pyx
    "bpm_onsets_confidence": SHARE,
    "grid_deviation": (0, 1 / 8),
    "swing": (104 / 88, 138 / 54),
    "time_signature_changes": COUNT,
    "meter_confidence": SHARE,
    "key_confidence": SHARE,
    "key_changes": (0, 15),
    "pitch_classes": SHARE,
    "note_count": COUNT,
    "drum_note_count": COUNT,
    "pitch_min": PITCH,
    "pitch_max": PITCH,
    "unique_pitches": (1, 128),
    "velocity_mean": VELOCITY,
    "velocity_std": (0, 63),
    "velocity_min": VELOCITY,
    "velocity_max": VELOCITY,
    "unique_velocities": VELOCITY,
    "note_seconds_mean": SECONDS,
    "notes_per_second": (0, MAX_EVENTS * 32767 * 1e6),
    "polyphony_max": COUNT,
    "polyphony_mean": COUNT,
    "primary_program": (0, 127),
    "chord_changes_per_bar": (0, 1020),  # each quarter of a bar of 255/1
    "harmonic_rhythm": (1 / 32, 64 * 4 * 255),  # one bar of 1/128 to 64 of 255/1
    "drum_density": COUNT,
    "bar_count": (1, 2**31 - 1),
    "loop_bars": (1, 16),
    "control_changes": COUNT,
    "sustain_pedals": COUNT,
    "pitch_bends": COUNT,
    "program_changes": COUNT,
    "sysex_count": COUNT,
    "lyric_count": COUNT,
    "issues": (0, sum(ISSUE_BITS.values())),
}  # fmt: skip
TRACK_RANGES = RANGES | {"track": (0, 2**15 - 2), "program": (0, 127), "first_onset_s": SECONDS, "last_onset_s": SECONDS}


def test_every_number_has_a_range() -> None:
    assert list(RANGES) == [c.name for c in ANALYSES if c.kind in NUMBERS]
    assert {c.name for c in TRACKS if c.kind in NUMBERS} <= set(TRACK_RANGES)


def out_of_range(facts: dict[str, Any], table: Table = ANALYSES, ranges: dict[str, tuple[float, float]] = RANGES) -> dict[str, object]:
    """The numbers that are not in their ranges, to the precision of float32, and null where the column has no null."""
    wrong: dict[str, object] = {}
    for column in table:
        value = facts[column.name]
        low, high = ranges.get(column.name, (0, 0))
        if value is None:
            valid = column.nullable
        elif column.name not in ranges:
            valid = True
        else:
            numbers = value if column.kind is SHARES else [value]
            valid = all(math.isfinite(x) and low * (1 - 1e-6) <= x <= high * (1 + 1e-6) for x in numbers)
        if not valid:
            wrong[column.name] = value
    return wrong


def columns_of(facts: midiopt.Analysis) -> dict[str, Any]:
    return {c.name: getattr(facts, c.name) for c in ANALYSES}


def check_tracks(data: bytes, facts: midiopt.Analysis) -> None:
    """The rows of the tracks, and their sums."""
    tracks = track_rows(data)
    for track in tracks:
        assert out_of_range(track, TRACKS, TRACK_RANGES) == {}
        assert track["polyphony_mean"] == 0 or track["polyphony_mean"] >= 1 - 1e-6
    assert sum(track["note_count"] for track in tracks) == facts.note_count
    assert max(track["polyphony_max"] for track in tracks) <= facts.polyphony_max


def check(data: bytes) -> midiopt.Analysis:
    """Analyse a file, and check its row and those of its tracks."""
    facts = midiopt.analyze(data)
    assert out_of_range(columns_of(facts)) == {}
    check_tracks(data, facts)
    if facts.note_count:
        assert facts.first_note_s is not None and facts.last_note_s is not None
        assert facts.first_note_s <= facts.last_note_s <= facts.duration_s * (1 + 1e-12)
        assert facts.drum_note_count <= facts.note_count
    assert facts.polyphony_mean == 0 or facts.polyphony_mean >= 1 - 1e-6
    assert sum(facts.pitch_classes) == pytest.approx(1 if any(facts.pitch_classes) else 0, abs=1e-5)
    return facts


def row(analyzer: Analyzer, data: bytes) -> tuple[bytes, bytes]:
    """The row of a file, those of its tracks, and their text."""
    rows, heap, tracks = bytearray(), bytearray(), bytearray()
    analyzer.analyze(data, bytes(16), 1, rows, heap, tracks)
    return bytes(rows + tracks), bytes(heap)


def differences(data: bytes) -> dict[str, tuple[object, object]]:
    """The columns in which the reference differs, with both values."""
    facts, reference = midiopt.analyze(data), analyze(data)
    values = {column.name: getattr(facts, column.name) for column in COLUMNS}
    return {name: (values[name], reference[name]) for name in differing_columns(values, reference)}


def song(data: bytes, division: int = 480) -> bytes:
    """A file with one track of these bytes."""
    return smf.smf([smf.chunk(b"MTrk", data + b"\0" + smf.END_OF_TRACK)], division, format=0)


def later(ticks: int) -> bytes:
    """A delta time of any number of ticks."""
    jumps, rest = divmod(ticks, JUMP)
    return LONG * jumps + smf.varint(rest)


def signature(numerator: int, power: int) -> bytes:
    return smf.meta(0x58, bytes([numerator, power, 24, 8]))


def tempo(microseconds: int) -> bytes:
    return smf.meta(0x51, microseconds.to_bytes(3, "big"))


# Generated files

signatures = st.builds(signature, st.sampled_from([1, 2, 3, 4, 7, 254, 255]) | st.integers(1, 255), st.sampled_from([0, 2, 3, 7]))
tempos = st.sampled_from([1, 2, 20_000, 500_000, 2**24 - 1]).map(tempo)
divisions = st.sampled_from([1, 2, 3, 8, 96, 480, 32767, smf.smpte(1, 1), smf.smpte(128, 255), smf.smpte(29, 4)]) | st.integers(1, 32767)
gaps = st.sampled_from([0, 0, 0, 1, 1, 2, 3, 8, 24, 480, 1020, 130_560, 2**20, JUMP])
jumps = st.sampled_from([0] * 12 + [1, 2**5, 2**12, 2**12, 2**16])  # times 2**28 ticks
channels = st.sampled_from([0, 0, 0, 1, 9])
pitches = st.sampled_from([0, 36, 38, 48, 49, 50, 52, 55, 60, 64, 67, 127]) | st.integers(0, 127)


def _notes(channel: int, keys: list[int], count: int, gap: int, length: int, held: bool) -> bytes:
    """Chords one after another; `held` ends them later or never."""
    chord = b"\0".join(smf.note_on(channel, key, 90) for key in keys)
    ends = b"\0".join(smf.note_off(channel, key) for key in keys)
    if held:
        return (smf.varint(gap) + chord) * count
    return (smf.varint(gap) + chord + smf.varint(length) + ends) * count


notes = st.builds(
    _notes, channels, st.lists(pitches, min_size=1, max_size=12), st.sampled_from([1, 1, 2, 7, 40, 300]), gaps, gaps, st.booleans()
)
offs = st.builds(smf.note_off, channels, pitches)
patches = st.builds(smf.program_change, channels, st.integers(0, 127))


@st.composite
def extreme_tracks(draw: st.DrawFn) -> bytes:
    parts = []
    for _ in range(draw(st.integers(1, 12))):
        parts.append(LONG * draw(jumps))
        parts.append(draw(st.one_of(notes, notes, st.tuples(gaps.map(smf.varint), signatures | tempos | offs | patches).map(b"".join))))
    return smf.chunk(b"MTrk", b"".join(parts) + later(draw(gaps)) + smf.END_OF_TRACK)


extreme_files = st.builds(smf.smf, st.lists(extreme_tracks(), min_size=1, max_size=3), divisions, st.sampled_from([0, 1, 1, 2]))

SHARED = Analyzer()  # has analysed every example before


TRILL = song((b"\0" + smf.note_on(0, 0, 90) + smf.varint(1020) + smf.note_off(0, 0)) * 40, 2**15 - 1)


@settings(max_examples=200)
@given(extreme_files)
@example(TRILL)  # tracked at 321 BPM, and the networks choose among 29 to 300
def test_extreme_files(data: bytes) -> None:
    check(data)
    assert row(SHARED, data) == row(Analyzer(), data)


# Each limit


def chord_song() -> bytes:
    """A short and a long bar: 128 of 1/128 make the usual beat 2 subticks, then a tick of 255/1 weighs 2**17."""
    events = [(0, signature(1, 7)), (4, signature(255, 0))]
    for pitch in range(48, 60):
        for length in [1] if pitch < 50 else [1020] * 32 + [120]:
            events += [(4, smf.note_on(0, pitch, 64)), (4 + length, smf.note_off(0, pitch))]
    return smf.smf([smf.track(sorted(events, key=lambda e: (e[0], e[1][0] & 0xF0 == 0x90, e[1][0] != 0xFF)))], 1, 0)


def test_weights_of_a_long_bar_among_short_ones() -> None:
    """32 bits held -2**20 for ten classes, so no chord had a score, and chord 127 was read from beyond the tables."""
    check(chord_song())
    assert differences(chord_song()) == {}


def test_weights_of_many_notes() -> None:
    """600,000 notes on each key of a triad through one bar exceed 32 bits together."""
    count = 600_000
    ons = b"".join(b"\0\x90" + bytes([key, 64]) + bytes([0, key, 64]) * (count - 1) for key in (60, 64, 67))
    offs = b"".join(bytes([0, key, 0]) * count for key in (60, 64, 67))  # the first after a bar
    facts = check(song(ons + smf.varint(4 * 480) + offs[1:]))
    assert facts.note_count == 3 * count
    assert facts.chord_progression == "C"
    assert facts.polyphony_max == facts.polyphony_mean == 3 * count


def test_the_last_beat_ends_before_a_later_signature() -> None:
    """8,192 bars of 1/128 fill the grid; the next signature, 2,000,000 ticks later, is no end of the last of them."""
    events = [(0, signature(1, 7)), (0, smf.note_on(0, 60, 64)), (1, smf.note_off(0, 60))]
    events += [(127, smf.note_on(0, key, 64)) for key in (60, 64, 67)]
    events += [(2_000_000, signature(4, 2)), *((2_000_001, smf.note_off(0, key)) for key in (60, 64, 67))]
    data = smf.smf([smf.track(events)], 1, 0)
    assert check(data).chord_progression == "C"
    assert differences(data) == {}


def late_pulse(start: int, gap: int = 1, microseconds: int = 500_000) -> bytes:
    """40 notes of no length from a tick on, at 1 tick per quarter."""
    note = smf.note_on(0, 60, 64) + b"\0" + smf.note_off(0, 60)
    return song(b"\0" + tempo(microseconds) + LONG * (start // JUMP) + smf.varint(start % JUMP) + note + (smf.varint(gap) + note) * 39, 1)


def test_slots_at_late_ticks() -> None:
    """From tick 2**44 at 8 per quarter, the end of the last slot was rounded, and a note was entered into one after it."""
    start = 17592186460368
    pulse = b"".join(smf.varint(8) + smf.note_on(0, 60 + i % 4 * 2, 64) + b"\0" + smf.note_off(0, 60 + i % 4 * 2) for i in range(170))
    last = smf.varint(start + 1365 - (start + 8 * 169)) + smf.note_on(0, 60, 64) + b"\0" + smf.note_off(0, 60)
    facts = check(song(LONG * (start // JUMP) + smf.varint(start % JUMP - 8) + b"\xf8" + pulse + last, 8))
    early = check(song(b"\0\xf8" + pulse + last, 8))
    assert facts.bpm_onsets == early.bpm_onsets == pytest.approx(120, rel=1e-4)
    assert facts.meter_estimated == "4/4"
    assert facts.note_count == 171


def test_no_meter_from_slots_beyond_the_doubles() -> None:
    """From slot 2**50 on, a double holds only eighths of a slot: the meter then comes from the accents."""
    start = 2**50 // 12  # 12 slots per tick
    before, after = (check(late_pulse(tick, gap=16, microseconds=14_000)) for tick in (start - 1000, start))
    assert before.bpm_onsets == after.bpm_onsets is not None
    assert before.meter_confidence != after.meter_confidence
    assert after.meter_estimated is not None


def test_no_beat_beyond_the_doubles() -> None:
    """Frame 2**46 comes after 44,000 years."""
    before, after = (check(late_pulse(tick)) for tick in (2**41, 2**42))
    assert before.bpm_onsets == pytest.approx(120, rel=1e-4)
    assert (after.bpm_onsets, after.grid_deviation, after.is_performance, after.meter_estimated) == (None, None, None, None)
    assert after.duration_s == (2**42 + 39) / 2


def test_lengths_that_add_up_beyond_64_bits() -> None:
    """266,667 stuck notes of 2**45.4 ticks: the sum was negative, and 400,000 of 2**46 wrap beyond 0 again."""
    for count, jumps in ((266_667, 175_000), (600_000, 2**18)):
        data = song(b"\0" + smf.note_on(0, 60, 64) + b"\0\x3c\x40" * (count - 2) + b"\0\x40\x40" + LONG * jumps)
        facts = check(data)
        assert facts.note_seconds_mean == pytest.approx(facts.duration_s, rel=1e-6)
        assert facts.polyphony_max == facts.polyphony_mean == count
        assert facts.pitch_classes[0] == pytest.approx((count - 1) / count, abs=1e-6)


def test_a_bar_count_beyond_its_column() -> None:
    def held(bars: int) -> bytes:
        return song(b"\0" + smf.note_on(0, 60, 64) + later(4 * bars) + smf.note_off(0, 60), 1)

    assert check(held(2**31 - 1)).bar_count == 2**31 - 1
    assert check(held(2**31)).bar_count is None


def test_the_last_tick() -> None:
    """One tick more than the kernels hold is refused, at the end of its track."""

    def lasting(ticks: int) -> bytes:
        notes = b"\0".join(smf.note_on(channel, key, 64) for channel, key in ((0, 60), (0, 64), (9, 36)))
        return song(b"\0" + notes + LONG * (ticks // JUMP) + smf.varint(ticks % JUMP) + notes)

    assert check(lasting(MAX_TICK)).duration_ticks == MAX_TICK
    over = lasting(MAX_TICK + 1)
    with pytest.raises(midiopt.TooLarge, match="a tick above 4,503,599,627,370,495") as caught:
        midiopt.analyze(over)
    assert caught.value.offset == len(over)


def test_the_last_byte() -> None:
    """Offsets have 32 bits: a larger file is refused unread."""
    with mmap.mmap(-1, 2**32) as data:
        data[:4] = b"MThd"
        with pytest.raises(midiopt.TooLarge, match="more than 4,294,967,295 bytes"):
            Analyzer().analyze(data, bytes(16), 1, bytearray(), bytearray())


def test_crowded_frames() -> None:
    """150,000 notes at an onset are as strong as 200: a frame's strengths must not carry into one another."""

    def pulse(count: int) -> bytes:
        hits = smf.varint(240) + smf.note_on(0, 60, 100) + b"\0\x3c\x64" * (count - 1)
        return song(hits * 8)

    few, many = (check(pulse(count)) for count in (200, 150_000))
    assert many.note_count == 8 * 150_000
    assert (many.bpm_onsets, many.bpm_onsets_confidence) == (few.bpm_onsets, few.bpm_onsets_confidence)
    assert (many.meter_estimated, many.meter_confidence) == (few.meter_estimated, few.meter_confidence)


def test_an_onset_in_every_frame() -> None:
    """Lag 0 has no excess but that of rounding, of which other lags have any multiple."""
    for microseconds in (20_000, 20_001, 40_000):
        note = b"\1" + smf.note_on(0, 60, 64) + b"\0" + smf.note_off(0, 60)
        data = song(b"\0" + tempo(microseconds) + note * 3000, 1)
        check(data)
        assert differences(data) == {}


def test_drums_at_the_last_tick_of_the_shortest_bars() -> None:
    """24 steps per subtick: 2**62.6 steps."""
    hit = smf.note_on(9, 36, 64) + b"\0" + smf.note_off(9, 36)
    data = b"\0" + signature(1, 7) + b"\0" + hit + b"\0" + hit + LONG * 2**19 + b"\0" + hit
    facts = check(song(data, 1))
    assert facts.drum_density == 2
    assert facts.bar_count is None


# All files of the corpus, where it is present.


def test_values_of_the_corpus_are_in_range() -> None:
    paths = sorted(path for path in FILES.rglob("*") if path.is_file())
    if not paths:
        pytest.skip(f"{FILES} is not present")
    for path in paths:
        with contextlib.suppress(midiopt.MidiError):
            data = path.read_bytes()
            facts = midiopt.analyze(data)
            assert out_of_range(columns_of(facts)) == {}, path
            check_tracks(data, facts)


# Files that were found outside of the project, where they are present.

FIELD = CORPUS.parent / "field" / "reliability"
FIELD_FILES = ["chord_oob.mid", "slot_oob.mid.gz", "ticks_wrap.mid.gz", "last_frame.mid"]


@pytest.mark.parametrize("name", FIELD_FILES)
def test_files_of_the_field(name: str) -> None:
    path: Path = FIELD / name
    if not path.exists():
        pytest.skip(f"{path} is not present")
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    facts = check(data)
    if name == "chord_oob.mid":
        assert facts.note_count == 332
    if name == "ticks_wrap.mid.gz":
        assert facts.polyphony_mean == facts.polyphony_max == 266_667
        assert facts.note_seconds_mean == pytest.approx(facts.duration_s, rel=1e-6)
    if len(data) < 10_000:  # the reference takes long for the others
        assert differences(data) == {}
