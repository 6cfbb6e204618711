"""EventArena.to_bytes(): a valid file, which is read back as it was; and what no valid file can hold."""

from __future__ import annotations

import io

import mido
import numpy as np
import pytest
from hypothesis import assume, given, settings

import midiopt
from accuracy.corpus import FILES
from accuracy.rewritten import difference, differences, is_equal
from midiopt.schema import ALL_REPAIRS, issue_names
from sample import compose, smf
from tests.helpers.strategies import midi_files, songs

HEADER = bytes.fromhex("4D 54 68 64  00 00 00 06  00 00  00 01  00 60")  # format 0, 96 ticks per quarter
END = smf.END_OF_TRACK


def one_track(*events: smf.Event, ends: bool = True) -> bytes:
    return smf.smf([smf.track(list(events), end_of_track=ends)], 96, 0)


def rewrite(data: bytes) -> bytes:
    arena = midiopt.parse(data)
    assert difference(arena) is None
    return arena.to_bytes()


def chunk(name: bytes, data: bytes) -> bytes:
    return name + len(data).to_bytes(4, "big") + data


# --- files without a fault -----------------------------------------------------------------------


def test_the_bytes_of_a_file():
    data = HEADER + bytes.fromhex(
        "4D 54 72 6B  00 00 00 1C"  # MTrk, 28 bytes
        "00 FF 51 03 07 A1 20"  # 120 BPM
        "00 C0 05"  # program 5
        "00 90 3C 64  83 60 3C 00"  # a note of 480 ticks, which ends under running status
        "00 F0 03 7E 7F F7"  # a system-exclusive message
        "00 90 3E 64"  # which cancels running status
    )
    assert midiopt.parse(data + b"\x60" + END).to_bytes() == data[:18] + b"\0\0\0\x20" + data[22:] + b"\x60" + END


def test_running_status_is_written_whether_it_was_there_or_not():
    notes = [(i * 10, smf.note_on(0, 60 + i, 64)) for i in range(9)]
    short, long = (smf.smf([smf.track(notes, running)], 96, 0) for running in (True, False))
    assert rewrite(long) == rewrite(short) == short


@settings(max_examples=60)
@given(songs(valid=True))
def test_a_file_without_a_fault_reads_back_equal(song):
    arena = midiopt.parse(song.encode())
    assert difference(arena) is None
    if all(is_finished(event) for track in song.tracks for _, event in track):
        again = midiopt.parse(arena.to_bytes())
        assert is_equal(again, arena)
        assert again.issues == arena.issues


def is_finished(event: bytes) -> bool:
    return event[0] != 0xF0 or event.endswith(b"\xf7")


@settings(max_examples=30)
@given(midi_files())
def test_mido_reads_what_is_written(data):
    """A second opinion: both files have the same messages at the same ticks."""
    first, second = (mido.MidiFile(file=io.BytesIO(file), clip=True) for file in (data, midiopt.parse(data).to_bytes()))
    assume(not any(isinstance(message, mido.UnknownMetaMessage) for track in first.tracks for message in track))  # their ticks get lost
    assert (first.ticks_per_beat, len(first.tracks)) == (second.ticks_per_beat, len(second.tracks))
    for before, after in zip(first.tracks, second.tracks, strict=True):
        assert messages(after) == messages(before)


def messages(track: mido.MidiTrack) -> list[tuple]:
    """Channel messages with their ticks; of the others mido drops some that are good."""
    tick, found = 0, []
    for message in track:
        tick += message.time
        if not message.is_meta and message.type not in ("sysex",):
            found.append((tick, message.bytes()))
    return found


def test_the_sample():
    for name, data in compose.sample().items():
        try:
            arena = midiopt.parse(data)
        except midiopt.MidiError:
            continue
        assert difference(arena) is None, name
        assert arena.issues & ALL_REPAIRS or is_equal(midiopt.parse(arena.to_bytes()), arena), name


@pytest.mark.skipif(not FILES.is_dir(), reason="the corpus of real files is absent")
def test_real_files():
    """`python -m accuracy.rewritten` has all."""
    assert not list(differences(sorted(FILES.rglob("*.mid"))[::150]))


# --- what no valid file can hold -----------------------------------------------------------------


def test_a_track_without_its_end_gets_one():
    assert rewrite(one_track((5, smf.note_on(0, 60, 64)), ends=False)) == one_track((5, smf.note_on(0, 60, 64)))


def test_meta_events_that_are_not_valid_are_left_out():
    bad = [smf.meta(0x51, b"\0\0\0"), smf.meta(0x51, b"\7"), smf.meta(0x59, b"\x09\0"), b"\xff\x90\0"]
    data = one_track(*((i, event) for i, event in enumerate(bad)), (9, smf.note_on(0, 60, 64)))
    assert rewrite(data) == one_track((9, smf.note_on(0, 60, 64)))


@pytest.mark.parametrize("given", [b"\3\2", b"\3\2\x18", b"\3\2\x18\x08\0"])
def test_a_time_signature_is_completed(given):
    assert rewrite(one_track((0, smf.meta(0x58, given)))) == one_track((0, smf.meta(0x58, b"\3\2\x18\x08")))


def test_events_behind_the_end_of_track_stay():
    early = [(0, smf.note_on(0, 60, 64)), (9, END), (9, smf.note_on(0, 62, 64)), (12, smf.note_off(0, 62)), (20, END)]
    data = one_track(*early, ends=False)
    assert issue_names(midiopt.parse(data).issues) == ["early_end"]
    assert rewrite(data) == one_track(*(e for e in early[:-1] if e[1] != END), early[-1], ends=False)


def test_several_tracks_make_format_1():
    tracks = [smf.track([(0, smf.note_on(0, 60, 64))])] * 2
    assert rewrite(smf.smf(tracks, 96, 0)) == smf.smf(tracks, 96, 1)


def test_a_gap_of_more_than_28_bits_has_an_empty_marker():
    song = HEADER + chunk(b"MTrk", b"\xff\xff\xff\x7f\xf8" + b"\x01\x90\x3c\x40" + b"\0" + END)  # F8 is skipped, its delta time counts
    assert rewrite(song)[22:] == b"\xff\xff\xff\x7f\xff\x06\0" + b"\x01\x90\x3c\x40" + b"\0" + END


def test_chunks_of_other_kinds_stand_behind_the_tracks():
    track, lyrics = chunk(b"MTrk", b"\0\x90\x3c\x40\0" + END), chunk(b"XFKM", b"\0\xff\x05\1a" + b"\0" + END)
    assert rewrite(HEADER + lyrics + track + chunk(b"XFIH", b"x")) == HEADER + track + lyrics + chunk(b"XFIH", b"x")
    assert midiopt.analyze(rewrite(HEADER + lyrics + track)).lyric_count == 1


def test_a_container_and_other_bytes_around_are_left_out():
    song = one_track((0, smf.note_on(0, 60, 64)))
    assert rewrite(smf.rmid(song)) == rewrite(b"junk" + song) == rewrite(song + b"trailing") == song


# A message (F0) of 2 bytes without F7. Before the next byte above 127 nothing tells its end but its length.
def test_an_unfinished_message_stays_where_its_length_is_believed():
    for follows in (b"\0\x90\x3c\x40", b"\0\xf7\x02\x01\xf7", b"\x81\0\x90\x3c\x40", b"\0\xff\x01\0"):
        data = HEADER + chunk(b"MTrk", b"\0\xf0\x02\x41\x10" + follows + b"\0" + END)
        assert rewrite(data) == data


def test_another_unfinished_message_becomes_an_escape():
    data = HEADER + chunk(b"MTrk", b"\0\xf0\x02\x41\x10" + b"\0\xf7\x01\x90" + b"\0" + END)  # what follows is no continuation
    assert rewrite(data)[22:] == b"\0\xf7\x03\xf0\x41\x10" + b"\0\xf7\x01\x90" + b"\0" + END


def test_a_frame_rate_that_does_not_exist_stays():
    data = one_track((0, smf.note_on(0, 60, 64)))
    odd = data[:12] + b"\xec\x28" + data[14:]  # 20 frames of 40 ticks
    assert rewrite(odd) == odd


# --- chosen events ----------------------------------------------------------------------------------


def test_tracks_of_chosen_events():
    note = (0, smf.note_on(0, 60, 64)), (9, smf.note_off(0, 60))
    arena = midiopt.parse(one_track((0, smf.tempo(100)), note[0], (4, smf.note_on(1, 62, 64)), note[1]))
    assert arena.to_bytes([[0], [1, 3]]) == smf.smf([smf.track([(0, smf.tempo(100))]), smf.track(list(note))], 96, 1)
    assert arena.to_bytes([np.array([2])]) == one_track((4, smf.note_on(1, 62, 64)))
    assert arena.to_bytes([[]]) == one_track()


def test_wrong_rows():
    arena = midiopt.parse(one_track((0, smf.note_on(0, 60, 64)), (9, smf.note_off(0, 60))))
    for tracks, message in (
        ([[3]], "rows are numbers from 0 to 2"),
        ([[-1]], "from 0 to 2"),
        ([[1, 0]], "in the order of their ticks"),
        ([], "1 to 32,767 tracks, not 0"),
        ([[[0]]], "from 0 to 2"),
    ):
        with pytest.raises(ValueError, match=message):
            arena.to_bytes(tracks)
    with pytest.raises(TypeError, match="rows are whole numbers, not float64"):
        arena.to_bytes([[0.5]])


def test_an_arena_without_a_file():
    arena = midiopt.EventArena()
    with pytest.raises(ValueError, match="the arena holds no file"):
        arena.to_bytes()


def test_the_bytes_do_not_change_with_the_arena():
    arena = midiopt.parse(one_track((0, smf.note_on(0, 60, 64))))
    data = arena.to_bytes()
    midiopt.parse(one_track((0, smf.note_on(5, 70, 1))), into=arena)
    assert data == one_track((0, smf.note_on(0, 60, 64)))
