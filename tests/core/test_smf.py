"""Rules of the Standard MIDI File that no other test shows: see docs/smf.md."""

from __future__ import annotations

import pytest

import midiopt
from sample import smf

# The two examples of RP-001: 4/4, 120 BPM, 96 ticks per quarter; three channels with programs 5, 46 and 70.
FORMAT_0 = bytes.fromhex(
    "4D 54 68 64  00 00 00 06  00 00  00 01  00 60"  # MThd: format 0, 1 track, 96 ticks per quarter
    "4D 54 72 6B  00 00 00 3B"  # MTrk, 59 bytes
    "00 FF 58 04 04 02 18 08"  # 4/4
    "00 FF 51 03 07 A1 20"  # 500,000 microseconds per quarter
    "00 C0 05  00 C1 2E  00 C2 46"  # programs
    "00 92 30 60  00 3C 60"  # C3 and, under running status, C4 on channel 3
    "60 91 43 40"  # G4 on channel 2
    "60 90 4C 20"  # E5 on channel 1
    "81 40 82 30 40  00 3C 40"  # after a delta time of two bytes, all end
    "00 81 43 40  00 80 4C 40"
    "00 FF 2F 00"  # End of Track
)
FORMAT_1 = bytes.fromhex(
    "4D 54 68 64  00 00 00 06  00 01  00 04  00 60"  # MThd: format 1, 4 tracks
    "4D 54 72 6B  00 00 00 14"  # MTrk, 20 bytes: the tempo map
    "00 FF 58 04 04 02 18 08  00 FF 51 03 07 A1 20  83 00 FF 2F 00"
    "4D 54 72 6B  00 00 00 10"  # MTrk, 16 bytes
    "00 C0 05  81 40 90 4C 20  81 40 4C 00  00 FF 2F 00"
    "4D 54 72 6B  00 00 00 0F"  # MTrk, 15 bytes
    "00 C1 2E  60 91 43 40  82 20 43 00  00 FF 2F 00"
    "4D 54 72 6B  00 00 00 15"  # MTrk, 21 bytes
    "00 C2 46  00 92 30 60  00 3C 60  83 00 30 00  00 3C 00  00 FF 2F 00"
)


def song(*events: bytes, tracks: tuple[list[smf.Event], ...] = ()) -> midiopt.Analysis:
    """The facts of a file without fault: these events at tick 0, a quarter note at 480 ticks per quarter, and further tracks."""
    first = [*((0, event) for event in events), (0, smf.note_on(0, 60, 64)), (480, smf.note_off(0, 60))]
    facts = midiopt.analyze(smf.smf([smf.track(first), *map(smf.track, tracks)]))
    assert (facts.status, facts.note_count) == ("ok", 1)
    return facts


def check_example(data: bytes) -> midiopt.Analysis:
    facts = midiopt.analyze(data)
    assert (facts.status, facts.issues) == ("ok", 0)
    assert (facts.note_count, facts.programs, facts.channels) == (4, [5, 46, 70], [1, 2, 3])
    assert (facts.bpm, facts.time_signature, facts.duration_ticks, facts.duration_s) == (120.0, "4/4", 384, 2.0)
    assert (facts.pitch_min, facts.pitch_max, facts.polyphony_max, facts.ticks_per_quarter) == (0x30, 0x4C, 4, 96)
    return facts


def test_the_example_of_format_0():
    assert check_example(FORMAT_0).event_count == 14


def test_the_example_of_format_1():
    facts = check_example(FORMAT_1)
    assert (facts.track_count, facts.event_count) == (4, 17)
    assert facts.notes_hash == midiopt.analyze(FORMAT_0).notes_hash


# The table of RP-001.
QUANTITIES = {
    "00": 0x00,
    "40": 0x40,
    "7F": 0x7F,
    "81 00": 0x80,
    "C0 00": 0x2000,
    "FF 7F": 0x3FFF,
    "81 80 00": 0x4000,
    "C0 80 00": 0x100000,
    "FF FF 7F": 0x1FFFFF,
    "81 80 80 00": 0x200000,
    "C0 80 80 00": 0x8000000,
    "FF FF FF 7F": 0xFFFFFFF,
}


@pytest.mark.parametrize(("written", "number"), QUANTITIES.items())
def test_variable_length_quantities(written, number):
    track = bytes.fromhex(written + "90 3C 40  00 80 3C 00  00 FF 2F 00")
    facts = midiopt.analyze(smf.smf([smf.chunk(b"MTrk", track)]))
    assert (facts.status, facts.duration_ticks) == ("ok", number)


@pytest.mark.parametrize("kind", [0x02, 0x04, 0x06, 0x07, 0x08, 0x09, *range(0x0A, 0x10)])
def test_texts_that_no_fact_is_made_of(kind):
    facts = song(smf.text(kind, "Wind"))
    assert (facts.title, facts.track_names, facts.lyric_count) == (None, [], 0)


def test_lyrics():
    assert song(smf.text(smf.LYRIC, "la"), smf.text(smf.LYRIC, "lu\r")).lyric_count == 2


def test_texts_are_counted_as_lyrics_in_karaoke_files_only():
    words = [(96 * i, smf.text(smf.TEXT, "la")) for i in range(4)]
    assert song(tracks=(words,)).lyric_count == 0
    assert song(tracks=([(0, smf.text(smf.TRACK_NAME, "Words")), *words],)).lyric_count == 4


def test_the_channel_prefix_changes_no_fact():
    facts = song(smf.meta(0x20, b"\5"), smf.text(smf.TRACK_NAME, "Flute"))
    assert (facts.title, facts.channels) == ("Flute", [1])


def test_the_smpte_offset_changes_no_fact():
    facts = song(smf.meta(0x54, bytes([1, 0, 0, 10, 0])))
    assert (facts.first_note_s, facts.duration_s) == (0.0, 0.5)


def test_120_beats_per_minute_without_a_tempo():
    facts = song()
    assert (facts.duration_s, facts.bpm_source) == (0.5, "none")


def test_the_tempo_map_of_all_tracks():
    facts = song(smf.tempo(60), tracks=([(240, smf.tempo(120))],))
    assert (facts.duration_s, facts.bpm_min, facts.bpm_max, facts.tempo_changes) == (0.75, 60.0, 120.0, 1)


def test_bars_of_4_4_without_a_time_signature():
    """The last note begins in the second bar: 4 * 480 ticks after the first."""
    notes = [(tick, event) for at in (0, 1920) for tick, event in ((at, smf.note_on(0, 60, 64)), (at + 240, smf.note_off(0, 60)))]
    facts = midiopt.analyze(smf.smf([smf.track(notes)]))
    assert (facts.time_signature, facts.bar_count) == (None, 2)


@pytest.mark.parametrize("key", smf.SHARPS)
def test_key_signatures(key):
    assert song(smf.key_signature(key)).key_declared == key
