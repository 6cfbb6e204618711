"""midiopt.notes and midiopt.tempo_map: the notes and the time of one file as arrays."""

from __future__ import annotations

import gc
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

import midiopt
from reference.analyzer import sequences_of
from reference.tracks import read_tracks
from sample import smf
from tests.helpers.strategies import midi_files

# Format 1, 480 ticks per quarter: a melody on channel 1 with program 36 under two tempos, and a bass drum.
SONG = bytes.fromhex(
    "4D 54 68 64  00 00 00 06  00 01  00 02  01 E0"
    "4D 54 72 6B  00 00 00 2C"  # MTrk, 44 bytes
    "00 FF 51 03 07 A1 20"  # 500,000 microseconds per quarter
    "00 FF 58 04 03 02 18 08"  # 3/4
    "00 C0 24"  # program 36
    "00 90 3C 64"  # middle C, velocity 100
    "83 60 3C 00"  # a quarter later: its end
    "00 FF 51 03 0F 42 40"  # 1,000,000 microseconds per quarter
    "00 90 3E 50  83 60 3E 00"  # D, velocity 80, a quarter
    "00 FF 2F 00"
    "4D 54 72 6B  00 00 00 0D"  # MTrk, 13 bytes
    "83 60 99 24 7F"  # a quarter later: bass drum, velocity 127
    "78 24 00"  # 120 ticks
    "00 FF 2F 00"
)
COLUMNS = {
    "onset": np.int32,
    "length": np.int32,
    "onset_s": np.float64,
    "end_s": np.float64,
    "pitch": np.uint8,
    "velocity": np.uint8,
    "channel": np.uint8,
    "program": np.uint8,
    "is_drum": np.bool_,
    "track": np.uint16,
}


def columns(notes: midiopt.Notes) -> dict[str, list[Any]]:
    return {name: getattr(notes, name).tolist() for name in COLUMNS}


def test_the_columns_of_a_song() -> None:
    notes = midiopt.notes(SONG)
    assert len(notes) == 3
    assert notes.ticks_per_quarter == 480
    assert columns(notes) == {
        "onset": [0, 480, 480],
        "length": [480, 480, 120],
        "onset_s": [0.0, 0.5, 0.5],
        "end_s": [0.5, 1.5, 0.75],
        "pitch": [60, 62, 36],
        "velocity": [100, 80, 127],
        "channel": [0, 0, 9],
        "program": [36, 36, 0],
        "is_drum": [False, False, True],
        "track": [0, 0, 1],
    }
    for name, dtype in COLUMNS.items():
        assert getattr(notes, name).dtype == dtype
        assert not getattr(notes, name).flags.writeable
    assert repr(notes) == "<3 notes, 480 ticks per quarter>"


def test_a_path_a_buffer_and_a_view(tmp_path: Path) -> None:
    (tmp_path / "song.mid").write_bytes(SONG)
    for source in (tmp_path / "song.mid", str(tmp_path / "song.mid"), bytearray(SONG), memoryview(SONG)):
        assert columns(midiopt.notes(source)) == columns(midiopt.notes(SONG))


def test_arrays_keep_their_memory() -> None:
    """An array outlives its Notes, and no later file changes it, nor the tempo map by which seconds are found when they are asked for."""
    song = midiopt.notes(SONG)
    kept = [midiopt.notes(SONG).pitch for _ in range(3)]
    gc.collect()
    for _ in range(10):
        midiopt.notes(smf.smf([smf.track([(0, smf.note_on(0, pitch, 90)) for pitch in range(20)])]))
    assert [array.tolist() for array in kept] == [[60, 62, 36]] * 3
    assert song.end_s.tolist() == [0.5, 1.5, 0.75]


def test_arrays_are_read_only_and_keep_no_more_than_their_notes() -> None:
    notes = midiopt.notes(SONG)
    arrays = [getattr(notes, name) for name in COLUMNS]
    assert all(array.base is notes and array.flags.aligned and array.flags.c_contiguous for array in arrays)
    with pytest.raises(ValueError, match="WRITEABLE"):
        arrays[0].flags.writeable = True
    counts = sys.getrefcount(notes), sys.getrefcount(arrays[0].dtype)
    arrays += [notes.onset for _ in range(1000)]
    del arrays[1:]  # of which "length" has the type of "onset"
    assert (sys.getrefcount(notes), sys.getrefcount(arrays[0].dtype)) == (counts[0] - len(COLUMNS) + 1, counts[1] - 1)


def test_memory_is_used_again() -> None:
    """The second file after another has the memory of the first, when nothing shows that any more."""
    address = midiopt.notes(SONG).onset.__array_interface__["data"]
    assert midiopt.notes(SONG).onset.__array_interface__["data"] == address


def test_a_file_without_notes() -> None:
    notes = midiopt.notes(smf.smf([smf.track([])]))
    assert len(notes) == 0
    assert set(map(len, columns(notes).values())) == {0}


def test_ticks_that_need_64_bits() -> None:
    """A file with a tick from 2**30 on has columns of 64 bits."""
    step = 0x0FFFFFFF  # the longest delta time
    for last, dtype in ((2**30 - 1, np.int32), (2**30, np.int64)):
        events = [(k * step, smf.text(smf.TEXT, "")) for k in range(4)]
        notes = midiopt.notes(smf.smf([smf.track([*events, (last - 7, smf.note_on(0, 60, 100)), (last, smf.note_off(0, 60))])]))
        assert notes.onset.dtype == notes.length.dtype == dtype
        assert (notes.onset.tolist(), notes.length.tolist()) == ([last - 7], [7])


@pytest.mark.parametrize(("data", "error"), [(b"RIFF", midiopt.NotMidi), (SONG[:14], midiopt.Malformed)])
def test_unusable_content(data: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        midiopt.notes(data)
    with pytest.raises(error):
        midiopt.tempo_map(data)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="missing\\.mid"):
        midiopt.notes(tmp_path / "missing.mid")


@settings(max_examples=100)
@given(midi_files(valid=True))
def test_the_second_analyser_reads_the_same_notes(data: bytes) -> None:
    check_notes(data)


@pytest.mark.parametrize("seed", range(4))
def test_long_tracks_are_paired_block_after_block(seed: int) -> None:
    """Notes that sound across the edges of blocks of 512 events, and within them changes of programs and controllers that end notes."""
    chosen = random.Random(seed)
    status = (0x80, 0x90, 0x90, 0x90, 0xB0, 0xC0, 0xE0) if seed < 2 else (0x80, 0x90, 0x90)
    events, tick = [], 0
    for _ in range(1_300):
        kind = chosen.choice(status)
        channel, pitch, velocity = chosen.choice((0, 0, 3, 9)), chosen.randrange(40, 100), chosen.choice((0, 0, 64))
        number = chosen.choice((1, 7, 64, 120, 121, 123)) if kind == 0xB0 else pitch
        data = bytes((kind | channel, number) if kind == 0xC0 else (kind | channel, number, velocity))
        tick += chosen.choice((0, 0, 3, 200))
        events.append((tick, data))
    check_notes(smf.smf([smf.track(events[:700]), smf.track(events[700:])]))


def check_notes(data: bytes) -> None:
    """Both analysers read the same notes."""
    format_, division, tracks = read_tracks(data)
    sequences = sequences_of(tracks, format_, division)
    expected = sorted(
        (i if format_ == 2 else n.track, n.onset, n.end - n.onset, n.pitch, n.velocity, n.channel, n.program, not n.pitched)
        for i, s in enumerate(sequences)
        for n in s.notes
    )
    notes = midiopt.notes(data)
    names = ("track", "onset", "length", "pitch", "velocity", "channel", "program", "is_drum")
    assert sorted(zip(*(getattr(notes, name).tolist() for name in names), strict=True)) == expected


@settings(max_examples=100)
@given(midi_files())
def test_seconds_follow_the_tempo_map(data: bytes) -> None:
    """In format 2, that of the note's track."""
    notes = midiopt.notes(data)
    for track in set(notes.track.tolist()):
        of_track = notes.track == track
        tempos = midiopt.tempo_map(data, track)
        assert notes.onset_s[of_track] == pytest.approx(tempos.seconds_at(notes.onset[of_track]))
        assert notes.end_s[of_track] == pytest.approx(tempos.seconds_at(notes.onset[of_track] + notes.length[of_track]))


def test_the_tempo_map_of_a_song() -> None:
    tempos = midiopt.tempo_map(SONG)
    assert tempos.ticks_per_quarter == 480
    assert (tempos.tick.tolist(), tempos.seconds.tolist(), tempos.tempo.tolist()) == ([0, 480], [0.0, 0.5], [500_000, 1_000_000])
    assert tempos.bpm.tolist() == [120, 60]
    assert tempos.time_signatures == [(0, 3, 4)]
    assert tempos.seconds_at([[0, 240], [480, 960]]).tolist() == [[0.0, 0.25], [0.5, 1.5]]
    assert tempos.seconds_at(-240).tolist() == -0.25, "at the first tempo, not the last"


def test_a_track_that_is_not_there() -> None:
    with pytest.raises(IndexError, match="the file has 2, counted from 0"):
        midiopt.tempo_map(SONG, track=2)
    with pytest.raises(TypeError, match="'str' object cannot be interpreted as an integer"):
        midiopt.tempo_map(SONG, track="1")  # type: ignore[arg-type]
