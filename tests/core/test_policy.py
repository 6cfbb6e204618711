"""Damaged and unusual files: docs/policy.md, line by line.

Every test is a dump of a file, or of the events of its only track, and checks what is kept of it, which issue bits are
set, and the byte offset of the first fault.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import midiopt
from midiopt.core.analyzer import Analyzer
from midiopt.limits import MAX_EVENTS_CAP
from midiopt.schema import ALL_REPAIRS, FIRST_UNUSUAL, ISSUE_BITS, ISSUES, REPAIRS, UNUSUAL, issue_names

ROOT = Path(__file__).resolve().parents[2]

HEADER = bytes.fromhex(
    "4D 54 68 64  00 00 00 06"  # MThd, 6 bytes
    "00 00  00 01  00 60"  # format 0, 1 track, 96 ticks per quarter
)
TWO_TRACKS = bytes.fromhex(
    "4D 54 68 64  00 00 00 06"  # MThd, 6 bytes
    "00 01  00 02  00 60"  # format 1, 2 tracks, 96 ticks per quarter
)
EVENTS_AT = 22  # where the events of one_track() begin

C4 = bytes.fromhex(
    "00 90 3C 40"  # note on
    "60 80 3C 00"  # note off, a quarter later
)
E4 = bytes.fromhex(
    "00 90 40 40"  # note on
    "60 80 40 00"  # note off, a quarter later
)
END = bytes.fromhex("00 FF 2F 00")  # End of Track

KEPT_C4 = ["0: 90 3C 40", "96: 80 3C 00"]
KEPT_E4 = ["0: 90 40 40", "96: 80 40 00"]
KEPT_END = ["96: FF 2F"]


def chunk(data: bytes, name: bytes = b"MTrk") -> bytes:
    return name + len(data).to_bytes(4, "big") + data


def one_track(events: str | bytes) -> bytes:
    """A format 0 file of 96 ticks per quarter around these events."""
    return HEADER + chunk(bytes.fromhex(events) if isinstance(events, str) else events)


PLAIN = one_track(C4 + END)


def kept(data: bytes) -> list[str]:
    """The events of all tracks, such as "0: 90 3C 40" or "96: FF 2F": tick, status and data, without the data in marks()."""
    events = []
    for event in midiopt.parse(data).events():
        status = int(event["status"])
        size = {0xC0: 2, 0xD0: 2, 0xF0: 2 if status == 0xFF else 1}.get(status & 0xF0, 3)
        message = bytes([status, event["data1"], event["data2"]])[:size]
        events.append(f"{event['tick']}: {message.hex(' ').upper()}")
    return events


def rejected(data: bytes, kind: type[midiopt.MidiError], at: int) -> str:
    """parse() and analyze() raise this error with this offset; returns the reason."""
    for read in (midiopt.parse, midiopt.analyze):
        with pytest.raises(midiopt.MidiError) as caught:
            read(data)
        assert type(caught.value) is kind
        assert caught.value.offset == at
        assert str(caught.value) == f"{caught.value.reason} at byte {at}"
    return caught.value.reason


def repaired(data: bytes, *names: str, at: int) -> midiopt.Analysis:
    """Exactly these issues; the first one was found first, at this byte."""
    facts = midiopt.analyze(data)
    assert set(facts.issue_names) == set(names)
    assert facts.status == "repaired"
    others = [text for name, text in REPAIRS.items() if name in names[1:]]
    assert facts.error == "; ".join([f"{REPAIRS[names[0]]} at byte {at}", *others])
    assert {n for n in issue_names(midiopt.parse(data).issues) if n in REPAIRS} == {n for n in names if n in REPAIRS}
    return facts


def unusual(data: bytes, *names: str) -> midiopt.Analysis:
    """Exactly these issues, and the status is ok."""
    facts = midiopt.analyze(data)
    assert set(facts.issue_names) == set(names)
    assert (facts.status, facts.error) == ("ok", None)
    return facts


def test_a_file_without_fault():
    facts = unusual(PLAIN)
    assert facts.issues == 0
    assert kept(PLAIN) == KEPT_C4 + KEPT_END
    assert (facts.format, facts.track_count, facts.ticks_per_quarter, facts.event_count, facts.note_count) == (0, 1, 96, 3, 1)


# --- unusable ------------------------------------------------------------------------------------


def test_an_empty_file():
    assert rejected(b"", midiopt.NotMidi, at=0) == "the file is empty"


@pytest.mark.parametrize("data", [b"<!DOCTYPE html>", bytes(5000), b"MTrk" + bytes(100), b"RIFF\x10\0\0\0RMIDdata\0\0\0\0"])
def test_no_header(data):
    assert "no MThd" in rejected(data, midiopt.NotMidi, at=0)


@pytest.mark.parametrize("length", range(6))
def test_a_header_length_below_6(length):
    data = bytes.fromhex(
        f"4D 54 68 64  00 00 00 {length:02X}"  # MThd, less than 6 bytes
        "00 00  00 01  00 60"  # what should be in it
    )
    repaired(data + chunk(C4 + END), "header_length", at=4)  # the track tells that it is whole
    assert kept(data + chunk(C4 + END)) == KEPT_C4 + KEPT_END
    data += bytes(20) + chunk(C4 + END)
    assert rejected(data, midiopt.Malformed, at=0) == "the header is shorter than 6 bytes"
    assert rejected(b"junk!" + data, midiopt.Malformed, at=5) == "the header is shorter than 6 bytes"


@pytest.mark.parametrize("size", range(4, 14))
def test_a_header_cut_by_the_end_of_the_file(size):
    assert rejected(HEADER[:size], midiopt.Malformed, at=0) == "the header is shorter than 6 bytes"


@pytest.mark.parametrize("division", ["00 00", "E7 00"])  # 0 ticks per quarter; 25 frames per second of 0 ticks
def test_a_division_of_0(division):
    data = bytes.fromhex(
        "4D 54 68 64  00 00 00 06"  # MThd, 6 bytes
        f"00 00  00 01  {division}"  # format 0, 1 track, no division
    ) + chunk(C4 + END)
    assert rejected(data, midiopt.Malformed, at=12).startswith("the division is 0")


@pytest.mark.parametrize(
    "rest",
    [
        "",
        "4D 54 72 6B",  # MTrk, and no length
        "4D 54 72 6B  00 00 00",  # three bytes of it
        "00 90 3C 40  60 80 3C 00  00 FF 2F 00",  # events without a chunk around them
        "6D 74 72 6B  00 00 00 04  00 FF 2F 00",  # mtrk, which is another name, and cut
    ],
)
def test_no_track(rest):
    data = HEADER + bytes.fromhex(rest)
    assert rejected(data, midiopt.Malformed, at=14 if not rest.startswith("6D") else len(data)) == "no track chunk"


def test_only_alien_chunks():
    data = HEADER + chunk(b"some text", b"XFIH") + chunk(b"", b"TEXT")
    assert rejected(data, midiopt.Malformed, at=len(data)) == "no track chunk"


def test_a_header_that_declares_no_track_with_none():
    data = bytes.fromhex(
        "4D 54 68 64  00 00 00 06"  # MThd, 6 bytes
        "00 01  00 00  00 60"  # format 1, 0 tracks
    )
    assert rejected(data, midiopt.Malformed, at=14) == "no track chunk"


EVENT_LIMIT = 8_000_000


def many_events(count: int) -> bytes:
    """A track of `count` events, End of Track included, of two bytes each, the shortest possible."""
    return one_track(bytes.fromhex("00 D0 01") + bytes.fromhex("00 01") * (count - 2) + END)


def test_over_the_limit_of_events():
    arena = midiopt.EventArena()
    assert len(midiopt.parse(many_events(EVENT_LIMIT), into=arena)) == EVENT_LIMIT
    assert arena.tracks() == [(0, EVENT_LIMIT, 0)]

    over = many_events(EVENT_LIMIT + 1)
    with pytest.raises(midiopt.TooLarge, match="more than 8,000,000 events") as caught:
        midiopt.parse(over, into=arena)
    assert caught.value.offset == len(over) - len(END)
    assert (len(arena), arena.marks(), arena.tracks()) == (0, [], [])
    with pytest.raises(midiopt.TooLarge, match="more than 8,000,000 events"):
        midiopt.analyze(over)

    midiopt.parse(PLAIN, into=arena)
    assert len(arena) == len(KEPT_C4 + KEPT_END)
    assert unusual(PLAIN).note_count == 1


def test_max_events_has_a_cap():
    """The cap of limits.py is the one in core/smf/midi.pxd."""
    Analyzer(MAX_EVENTS_CAP)
    with pytest.raises(ValueError, match="at most 100,000,000"):
        Analyzer(MAX_EVENTS_CAP + 1)


def test_over_the_limit_of_tracks():
    def tracks(count: int) -> bytes:
        return bytes.fromhex(
            "4D 54 68 64  00 00 00 06"  # MThd, 6 bytes
            f"00 01  {count:04X}  00 60"  # format 1
        ) + count * chunk(END)

    assert len(midiopt.parse(tracks(32767)).tracks()) == 32767
    assert midiopt.analyze(tracks(32767)).track_count == 32767
    over = tracks(32768)
    assert rejected(over, midiopt.TooLarge, at=len(over) - len(END)) == "more than 32,767 tracks"
    assert kept(PLAIN) == KEPT_C4 + KEPT_END


def test_over_the_limit_of_bytes(tmp_path):
    path = tmp_path / "large.mid"
    with path.open("wb") as file:
        file.write(PLAIN)
        file.truncate(64 << 20)  # zeros, which take no disk space
    assert midiopt.analyze(path).issue_names == ["trailing_bytes"]
    with path.open("r+b") as file:
        file.truncate((64 << 20) + 1)
    with pytest.raises(midiopt.TooLarge, match="67,108,865 bytes"):
        midiopt.analyze(path)


# --- repaired: around the tracks -------------------------------------------------------------------


@pytest.mark.parametrize("length", [1, 3, 128, 1023, 1024])  # 128: a MacBinary header
def test_leading_junk(length):
    data = b"\0" * length + PLAIN
    repaired(data, "leading_junk", at=0)
    assert kept(data) == KEPT_C4 + KEPT_END


def test_too_much_leading_junk():
    assert "no MThd" in rejected(b"\0" * 1025 + PLAIN, midiopt.NotMidi, at=0)


def test_leading_junk_counts_in_offsets():
    data = b"junk" + one_track(C4)
    facts = repaired(data, "leading_junk", "no_end_of_track", at=0)
    assert facts.error == "bytes before MThd at byte 0; track without End of Track"


def test_a_longer_header():
    data = bytes.fromhex(
        "4D 54 68 64  00 00 00 0A"  # MThd, 10 bytes
        "00 00  00 01  00 60"  # format 0, 1 track, 96 ticks per quarter
        "DE AD BE EF"  # what a later specification may put here
    ) + chunk(C4 + END)
    repaired(data, "header_length", at=4)
    assert kept(data) == KEPT_C4 + KEPT_END


@pytest.mark.parametrize("length", ["00 00 00 07", "00 00 00 0E", "06 00 00 00", "FF FF FF FF"])
def test_a_wrong_header_length(length):
    data = bytes.fromhex(
        f"4D 54 68 64  {length}"  # MThd, and a length other than that of what follows
        "00 00  00 01  00 60"  # format 0, 1 track, 96 ticks per quarter
    ) + chunk(C4 + END)
    repaired(data, "header_length", at=4)
    assert kept(data) == KEPT_C4 + KEPT_END


@pytest.mark.parametrize("number", ["00 03", "01 00", "FF FF"])
def test_an_unknown_format(number):
    data = bytes.fromhex(
        "4D 54 68 64  00 00 00 06"  # MThd, 6 bytes
        f"{number}  00 02  00 60"  # a format above 2, 2 tracks
    )
    data += chunk(C4 + END) + chunk(E4 + END)
    facts = repaired(data, "unknown_format", at=8)
    assert (facts.format, facts.track_count, facts.polyphony_max) == (1, 2, 2)  # together, as in format 1


def test_format_0_with_several_tracks():
    data = bytes.fromhex(
        "4D 54 68 64  00 00 00 06"  # MThd, 6 bytes
        "00 00  00 02  00 60"  # format 0, 2 tracks
    )
    data += chunk(C4 + END) + chunk(E4 + END)
    facts = repaired(data, "format_0_tracks", at=8)
    assert (facts.format, facts.track_count, facts.polyphony_max) == (0, 2, 2)
    assert kept(data) == KEPT_C4 + KEPT_END + KEPT_E4 + KEPT_END


def test_a_chunk_longer_than_the_file():
    data = HEADER + bytes.fromhex("4D 54 72 6B  00 00 10 00") + C4 + END  # MTrk, 4,096 bytes
    repaired(data, "chunk_overrun", at=18)
    assert kept(data) == KEPT_C4 + KEPT_END


def test_a_chunk_longer_than_the_file_before_another():
    data = TWO_TRACKS + bytes.fromhex("4D 54 72 6B  FF FF FF FF") + C4 + END + chunk(E4 + END)
    repaired(data, "track_length", at=18)
    assert kept(data) == KEPT_C4 + KEPT_END + KEPT_E4 + KEPT_END


def test_fewer_tracks_than_declared():
    data = TWO_TRACKS + chunk(C4 + END)
    facts = repaired(data, "missing_tracks", at=len(data))
    assert facts.track_count == 1
    assert kept(data) == KEPT_C4 + KEPT_END


def test_no_more_tracks_than_declared_are_read():
    data = HEADER + chunk(C4 + END) + chunk(E4 + END)
    facts = unusual(data, "trailing_bytes")
    assert facts.track_count == 1
    assert kept(data) == KEPT_C4 + KEPT_END


NONE_DECLARED = bytes.fromhex(
    "4D 54 68 64  00 00 00 06"  # MThd, 6 bytes
    "00 01  00 00  00 60"  # format 1, 0 tracks
)


def test_none_declared_reads_all_that_follow():
    data = NONE_DECLARED + chunk(C4 + END) + chunk(b"text", b"TEXT") + chunk(E4 + END)
    assert unusual(data, "alien_chunk").track_count == 2
    data = NONE_DECLARED + chunk(C4 + END) + b"gap" + chunk(E4 + END)
    repaired(data, "lost_track", at=len(NONE_DECLARED + chunk(C4 + END)))
    assert kept(data) == KEPT_C4 + KEPT_END + KEPT_E4 + KEPT_END


def test_none_declared_and_bytes_of_a_damaged_track_behind_a_gap():
    data = NONE_DECLARED + chunk(C4 + END) + b"gap" + chunk(E4)
    assert unusual(data, "trailing_bytes").track_count == 1


def test_none_declared_and_a_gap_before_the_first_track():
    data = NONE_DECLARED + b"\0" + chunk(C4 + END) + chunk(E4 + END)
    repaired(data, "lost_track", at=len(NONE_DECLARED))
    assert kept(data) == KEPT_C4 + KEPT_END + KEPT_E4 + KEPT_END


@pytest.mark.parametrize("gap", ["00", "00 FF 2F 00", "4D 54 72", "FF" * 5000])
def test_a_track_after_a_gap(gap):
    data = TWO_TRACKS + chunk(C4 + END) + bytes.fromhex(gap) + chunk(E4 + END)
    repaired(data, "lost_track", at=len(TWO_TRACKS + chunk(C4 + END)))
    assert kept(data) == KEPT_C4 + KEPT_END + KEPT_E4 + KEPT_END


def test_a_gap_before_the_first_track():
    data = HEADER + b"\0\0" + chunk(C4 + END)
    repaired(data, "lost_track", at=len(HEADER))
    assert kept(data) == KEPT_C4 + KEPT_END


def test_a_track_after_one_with_too_great_a_length():
    """The first length leads into the second track, which is searched for from the first's End of Track."""
    data = TWO_TRACKS + bytes.fromhex("4D 54 72 6B  00 00 00 14") + C4 + END + b"\0\0" + chunk(E4 + END)  # MTrk, 20 bytes, not 12
    repaired(data, "bytes_after_end", "lost_track", at=34)
    assert kept(data) == KEPT_C4 + KEPT_END + KEPT_E4 + KEPT_END


def test_a_track_after_one_with_a_gap_in_it():
    """The rest of the first track, behind the gap, has a fault of its own: it is not taken for a part of it."""
    gap = bytes.fromhex("F4 F4 00 F4")
    data = TWO_TRACKS + bytes.fromhex("4D 54 72 6B  00 00 00 06") + C4[:6] + gap + C4[6:] + END + chunk(E4 + END)  # MTrk, 6 bytes
    repaired(data, "event_cut", "no_end_of_track", "lost_track", "stuck_note", at=26)
    assert kept(data) == KEPT_C4[:1] + KEPT_E4 + KEPT_END


def test_a_track_inside_an_alien_chunk_that_leads_nowhere():
    inside = chunk(E4 + END)
    data = TWO_TRACKS + chunk(C4 + END) + b"TEXT" + (len(inside) + 3).to_bytes(4, "big") + b"abc" + inside + b"!!"
    repaired(data, "lost_track", "alien_chunk", "trailing_bytes", at=len(data) - 2)
    assert kept(data) == KEPT_C4 + KEPT_END + KEPT_E4 + KEPT_END


def test_a_track_that_is_nowhere():
    data = TWO_TRACKS + chunk(C4 + END) + bytes(100)
    repaired(data, "missing_tracks", at=len(data))


# --- repaired: inside a track ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cut",
    [
        "81",  # a delta time that goes on
        "00",  # a delta time, and no event
        "00 90",  # note on without data
        "00 90 40",  # without velocity
        "00 40",  # running status: note off without velocity
        "81 00 90 40",  # without velocity, after a delta time of two bytes
        "81 80 00 90 40",  # of three
        "81 00 40",  # running status, two
        "00 C0",  # program change without data
        "00 FF",  # meta event without type
        "00 FF 01",  # without length
        "00 FF 01 81",  # with a length that goes on
        "00 FF 01 05 61 62 63 64",  # with 4 bytes of 5
        "00 FF 51 03 07 A1",  # tempo with 2 bytes of 3
        "00 FF 2F",  # End of Track without length
        "00 F0",  # system exclusive without length
        "00 F0 05 7E 7F 09 01",  # with 4 bytes of 5
        "00 F7 01",  # packet without data
    ],
)
def test_an_event_cut_by_the_end_of_its_track(cut):
    data = TWO_TRACKS + chunk(C4 + bytes.fromhex(cut)) + chunk(E4 + END)
    facts = repaired(data, "event_cut", "no_end_of_track", at=EVENTS_AT + len(C4))
    assert kept(data) == KEPT_C4 + KEPT_E4 + KEPT_END  # all before, and the next track
    assert facts.duration_ticks == 96


def test_a_file_that_is_cut():
    data = PLAIN[:-6]  # within note off
    repaired(data, "chunk_overrun", "event_cut", "no_end_of_track", "stuck_note", at=18)
    assert kept(data) == KEPT_C4[:1]


def test_no_end_of_track():
    data = TWO_TRACKS + chunk(C4) + chunk(E4 + END)
    repaired(data, "no_end_of_track", at=EVENTS_AT + len(C4))
    assert kept(data) == KEPT_C4 + KEPT_E4 + KEPT_END


def test_a_track_of_no_bytes():
    data = TWO_TRACKS + chunk(b"") + chunk(E4 + END)
    repaired(data, "no_end_of_track", at=EVENTS_AT)
    assert midiopt.parse(data).tracks() == [(0, 0, 0), (0, 3, 96)]


@pytest.mark.parametrize("rest", ["00", "00 00 00 00", "00 FF 2F 00", "64 80 3C 00 00 90 3C 64 00 80 3C 00"])
def test_bytes_after_end_of_track(rest):
    """Zeros; a second End of Track; the end of an earlier recording, which begins in the middle of a note."""
    data = TWO_TRACKS + chunk(C4 + END + bytes.fromhex(rest)) + chunk(E4 + END)
    repaired(data, "bytes_after_end", at=EVENTS_AT + len(C4 + END))
    assert kept(data) == KEPT_C4 + KEPT_END + KEPT_E4 + KEPT_END


def test_data_without_a_status():
    data = one_track(
        "0A 3C 40 00 3E 40"  # data bytes, a zero among them, 10 ticks in
        "90 40 40"  # note on: the next status byte, at the tick where the data began
        "60 40 00"  # running status: note off a quarter later
        "00 FF 2F 00"  # End of Track
    )
    repaired(data, "stray_data", at=EVENTS_AT + 1)
    assert kept(data) == ["10: 90 40 40", "106: 90 40 00", "106: FF 2F"]


@pytest.mark.parametrize("byte", [0x00, 0x20, 0x55])
@pytest.mark.parametrize(("status", "length"), [("B0 07", 3), ("D0", 2)])
def test_a_block_that_was_lost_and_filled(byte, status, length):
    """Some sectors of a disk, a hole of a download. The events before and behind it stay, at the ticks that they have without it."""
    before, behind = C4 + bytes.fromhex(f"00 {status} 01"), E4 + END
    data = one_track(before + bytes([byte]) * length * 40 + behind)
    repaired(data, "filled_block", at=EVENTS_AT + len(before))
    assert kept(data) == kept(one_track(before + behind))
    some = one_track(before + bytes([byte]) * 60 + behind)
    assert "filled_block" not in midiopt.analyze(some).issue_names


def test_data_after_a_meta_event_without_a_status():
    data = one_track(
        "00 FF 01 01 78"  # text
        "0A 3C"  # a data byte, and no status yet in this track
        "FF 01 01 79"  # text: the next status byte
        "00 90 3C 40  60 80 3C 00  00 FF 2F 00"  # C4, End of Track
    )
    repaired(data, "stray_data", at=EVENTS_AT + 6)
    assert kept(data) == ["0: FF 01", "10: FF 01", "10: 90 3C 40", "106: 80 3C 00", "106: FF 2F"]


def test_running_status_does_not_cross_tracks():
    data = TWO_TRACKS + chunk(C4 + END) + chunk(bytes.fromhex("00 3C 40") + END[1:])
    repaired(data, "stray_data", at=len(TWO_TRACKS + chunk(C4 + END)) + 9)


def test_data_without_a_status_to_the_end():
    data = TWO_TRACKS + chunk(bytes.fromhex("00 3C 40 00 3C 00")) + chunk(E4 + END)
    repaired(data, "stray_data", "no_end_of_track", at=EVENTS_AT + 1)
    assert kept(data) == KEPT_E4 + KEPT_END


@pytest.mark.parametrize(
    ("event", "clamped"),
    [
        ("90 BC 40", "90 7F 40"),  # the pitch of a note on
        ("90 3C C0", "90 3C 7F"),  # its velocity
        ("90 FF FF", "90 7F 7F"),  # both
        ("80 3C 80", "80 3C 7F"),
        ("A0 3C F0", "A0 3C 7F"),  # key pressure
        ("B0 80 05", "B0 7F 05"),  # controller
        ("C0 F7", "C0 7F"),  # program
        ("D0 90", "D0 7F"),  # channel pressure
        ("E0 00 81", "E0 00 7F"),  # pitch bend
    ],
)
def test_a_data_byte_above_127(event, clamped):
    data = one_track(f"00 90 3C 40  00 {event}  60 80 3C 00  00 FF 2F 00")
    facts = midiopt.analyze(data)
    assert "data_over_127" in facts.issue_names
    assert set(facts.issue_names) <= {"data_over_127", "stuck_note"}
    assert facts.error == f"data byte above 127, read as 127 at byte {EVENTS_AT + 6}"
    assert kept(data) == ["0: 90 3C 40", f"0: {clamped}", "96: 80 3C 00", "96: FF 2F"]


def test_a_second_data_byte_above_127_under_running_status():
    data = one_track(
        "00 90 3C 40"  # note on
        "00 40 C8"  # running status: note on, with a velocity of 200
        "60 3C 00  00 40 00"  # note off, twice
        "00 FF 2F 00"  # End of Track
    )
    facts = repaired(data, "data_over_127", at=EVENTS_AT + 5)
    assert facts.velocity_max == 127
    assert kept(data) == ["0: 90 3C 40", "0: 90 40 7F", "96: 90 3C 00", "96: 90 40 00", "96: FF 2F"]


def test_a_program_above_127():
    data = one_track(bytes.fromhex("00 C0 C8") + C4 + END)
    assert repaired(data, "data_over_127", at=EVENTS_AT + 2).programs == [127]
    assert kept(data) == ["0: C0 7F", *KEPT_C4, *KEPT_END]


SYSTEM_MESSAGES = {
    "F1": "F1 05",  # time code quarter frame: one byte
    "F2": "F2 05 06",  # song position: two bytes
    "F3": "F3 05",  # song select: one byte
    **{f"{status:02X}": f"{status:02X}" for status in (0xF4, 0xF5, 0xF6, *range(0xF8, 0xFF))},  # none
}


@pytest.mark.parametrize("message", SYSTEM_MESSAGES.values(), ids=SYSTEM_MESSAGES)
def test_a_system_message(message):
    data = one_track(
        "00 90 3C 40"  # note on
        f"30 {message}"  # half a quarter later, and its delta time counts
        "30 3C 00"  # running status: note off, another half later
        "00 FF 2F 00"  # End of Track
    )
    facts = repaired(data, "bad_status", at=EVENTS_AT + 5)
    assert kept(data) == ["0: 90 3C 40", "96: 90 3C 00", "96: FF 2F"]
    assert facts.event_count == 3


def test_a_system_message_without_all_its_data():
    data = one_track(
        "00 90 3C 40  60 80 3C 00"  # C4
        "00 F2 05"  # song position with one byte of two
        "83 60 90 40 40  60 80 40 00"  # 480 ticks later, E4: its delta time is no data byte
        "00 FF 2F 00"  # End of Track
    )
    repaired(data, "bad_status", at=EVENTS_AT + len(C4) + 1)
    assert kept(data) == [*KEPT_C4, "576: 90 40 40", "672: 80 40 00", "672: FF 2F"]


def test_a_system_message_at_the_end():
    data = one_track(C4 + bytes.fromhex("00 F1"))
    repaired(data, "bad_status", "no_end_of_track", at=EVENTS_AT + len(C4) + 1)
    assert kept(data) == KEPT_C4


@pytest.mark.parametrize(
    ("delta", "ticks"),
    [
        ("80 80 80 80 60", 96),  # zeros in front
        ("80 80 80 80 80 80 80 80 80 80 81 00", 128),  # many
        ("80 FF FF FF 7F", 2**28 - 1),  # the largest number that fits four bytes
        ("81 80 80 80 00", 0),  # 2**28, which does not
        ("8F FF FF FF 7F", 0),  # -1 in 32 bits
        ("FF FF FF FF FF FF FF FF FF 7F", 0),  # in 64
    ],
)
def test_a_delta_time_of_more_than_four_bytes(delta, ticks):
    data = one_track(C4 + bytes.fromhex(delta) + E4[1:] + END)
    repaired(data, "long_varint", at=EVENTS_AT + len(C4))
    assert kept(data) == [*KEPT_C4, f"{96 + ticks}: 90 40 40", f"{192 + ticks}: 80 40 00", f"{192 + ticks}: FF 2F"]


@pytest.mark.parametrize(
    "event",
    [
        "FF 01 80 80 80 80 03 61 62 63",  # text of 3 bytes
        "F0 80 80 80 80 03 7E 7F F7",  # system exclusive of 3 bytes
        "F7 80 80 80 80 00",  # packet of none
        "FF 01 81 80 80 80 00",  # 2**28 bytes, taken as 0
    ],
)
def test_a_length_of_more_than_four_bytes(event):
    data = one_track(C4 + bytes.fromhex("00" + event) + E4 + END)
    repaired(data, "long_varint", at=EVENTS_AT + len(C4))
    assert kept(data)[:2] + kept(data)[3:] == [*KEPT_C4, "96: 90 40 40", "192: 80 40 00", "192: FF 2F"]


def test_the_longest_delta_time_is_no_fault():
    data = one_track(C4 + bytes.fromhex("FF FF FF 7F FF 2F 00"))
    assert unusual(data).duration_ticks == 96 + 2**28 - 1


BAD_METAS = {
    "sequence number of 1 byte": "00 01 05",
    "channel prefix of 0 bytes": "20 00",
    "channel prefix of 2 bytes": "20 02 00 00",
    "port of 2 bytes": "21 02 00 00",
    "tempo of 2 bytes": "51 02 07 A1",
    "tempo of 4 bytes": "51 04 07 A1 20 00",
    "SMPTE offset of 4 bytes": "54 04 00 00 00 00",
    "time signature of 1 byte": "58 01 03",
    "time signature of 5 bytes, 0/4": "58 05 00 02 18 08 00",
    "time signature of 0/4": "58 04 00 02 18 08",
    "time signature of 3/256": "58 04 03 08 18 08",
    "key signature of 1 byte": "59 01 02",
    "key signature of 3 bytes": "59 03 02 00 00",
    "key signature of 8 sharps": "59 02 08 00",
    "key signature of 8 flats": "59 02 F8 00",
    "key signature neither major nor minor": "59 02 02 02",
    "key signature of minus one mode": "59 02 02 FF",
    "type 128": "80 01 00",
    "type 255": "FF 01 00",
}


@pytest.mark.parametrize("event", BAD_METAS.values(), ids=BAD_METAS)
def test_a_bad_meta_event(event):
    data = one_track(
        f"00 FF {event}"  # read as an event, and for nothing else
        "00 90 3C 40  60 80 3C 00  00 FF 2F 00"  # C4, End of Track
    )
    facts = repaired(data, "bad_meta", at=EVENTS_AT)
    assert kept(data) == [f"0: FF {event[:2]}", *KEPT_C4, *KEPT_END]
    assert [valid for *_, valid in midiopt.parse(data).marks()] == [False, True]
    assert (facts.bpm, facts.bpm_source, facts.time_signature, facts.key_declared) == (None, "none", None, None)
    assert (facts.duration_s, facts.event_count) == (0.5, 4)


def test_a_good_meta_event_after_a_bad_one_counts():
    data = one_track(
        "00 FF 58 04 00 02 18 08  00 FF 58 04 03 02 18 08"  # 0/4, 3/4
        "00 FF 59 02 13 00  00 FF 59 02 02 01"  # 19 sharps, 2 sharps minor
        "00 FF 51 03 00 00 00  00 FF 51 03 07 A1 20"  # 0, 500,000 microseconds per quarter
        "00 90 3C 40  60 80 3C 00  00 FF 2F 00"  # C4, End of Track
    )
    facts = repaired(data, "bad_meta", "zero_tempo", at=EVENTS_AT)
    assert (facts.time_signature, facts.key_declared, facts.bpm, facts.tempo_changes) == ("3/4", "Bm", 120, 0)


GOOD_METAS = {
    "sequence number of 0 bytes": "00 00",  # the specification allows it in format 2
    "sequence number of 2 bytes": "00 02 00 05",
    "text of 0 bytes": "01 00",
    "channel prefix": "20 01 0F",
    "port": "21 01 FF",
    "the fastest tempo": "51 03 00 00 01",
    "the slowest tempo": "51 03 FF FF FF",
    "SMPTE offset": "54 05 00 00 00 00 00",
    "time signature of 255/128": "58 04 FF 07 18 08",
    "time signature of 1/1": "58 04 01 00 18 08",
    "key signature of 7 sharps": "59 02 07 00",
    "key signature of 7 flats": "59 02 F9 01",
    "unknown type 127": "7F 03 00 00 41",
    "unknown type 96": "60 01 00",
}


@pytest.mark.parametrize("event", GOOD_METAS.values(), ids=GOOD_METAS)
def test_a_good_meta_event(event):
    data = one_track(bytes.fromhex(f"00 FF {event}") + C4 + END)
    unusual(data)
    assert all(valid for *_, valid in midiopt.parse(data).marks())


def test_an_end_of_track_with_data_still_ends_the_track():
    data = TWO_TRACKS + chunk(C4 + bytes.fromhex("00 FF 2F 02 00 00")) + chunk(E4 + END)
    repaired(data, "bad_meta", at=EVENTS_AT + len(C4))
    assert kept(data) == KEPT_C4 + KEPT_END + KEPT_E4 + KEPT_END


def test_a_tempo_of_0():
    data = one_track(
        "00 FF 51 03 00 00 00"  # 0 microseconds per quarter
        "00 90 3C 40  60 80 3C 00  00 FF 2F 00"  # C4, End of Track
    )
    facts = repaired(data, "zero_tempo", at=EVENTS_AT)
    assert (facts.bpm, facts.bpm_source, facts.duration_s) == (None, "none", 0.5)  # 120 BPM, as without one


def test_a_tempo_of_0_leaves_the_one_before_in_force():
    data = one_track(
        "00 FF 51 03 0F 42 40"  # 1,000,000 microseconds per quarter
        "60 FF 51 03 00 00 00"  # 0, a quarter later
        "00 90 3C 40  60 80 3C 00  00 FF 2F 00"  # C4, End of Track
    )
    facts = repaired(data, "zero_tempo", at=EVENTS_AT + 7)
    assert (facts.bpm, facts.tempo_changes, facts.duration_s) == (60, 0, 2)


# --- unusual -----------------------------------------------------------------------------------------


def test_rmid():
    data = bytes.fromhex(
        "52 49 46 46  2A 00 00 00  52 4D 49 44"  # RIFF, 42 bytes, RMID
        "64 61 74 61  1E 00 00 00"  # data, 30 bytes
        "4D 54 68 64  00 00 00 06"  # MThd, 6 bytes
        "00 00  00 01  00 60"  # format 0, 1 track, 96 ticks per quarter
        "4D 54 72 6B  00 00 00 08"  # MTrk, 8 bytes
        "00 90 3C 40"  # note on
        "00 FF 2F 00"  # End of Track
    )
    unusual(data, "rmid", "stuck_note")
    assert kept(data) == ["0: 90 3C 40", "0: FF 2F"]


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    """A RIFF RMID container: lengths are little-endian, and contents padded to even ones."""
    body = b"".join(name + len(data).to_bytes(4, "little") + data + bytes(len(data) % 2) for name, data in chunks)
    return b"RIFF" + (len(body) + 4).to_bytes(4, "little") + b"RMID" + body


def test_rmid_with_other_chunks():
    odd = one_track(C4 + bytes.fromhex("00 FF 01 01 78") + END)
    assert len(odd) % 2
    data = riff((b"DISP", b"odd"), (b"data", odd), (b"LIST", b"INFO"))
    unusual(data, "rmid")
    assert kept(data) == [*KEPT_C4, "96: FF 01", *KEPT_END]


def test_rmid_whose_data_ends_early():
    """The container's size is believed where the tracks do not tell better: what follows belongs to other chunks."""
    data = riff((b"data", PLAIN[: -len(END)]), (b"LIST", C4))  # the length of the track leads into the list
    repaired(data, "chunk_overrun", "no_end_of_track", "rmid", at=20 + 18)
    assert kept(data) == KEPT_C4


def test_rmid_that_is_cut():
    data = riff((b"data", PLAIN))[: -len(END)]
    repaired(data, "chunk_overrun", "no_end_of_track", "rmid", at=20 + 18)


def test_rmid_with_junk_in_its_data():
    data = riff((b"data", b"junk" + PLAIN))
    repaired(data, "leading_junk", "rmid", at=0)
    assert kept(data) == KEPT_C4 + KEPT_END


@pytest.mark.parametrize("name", [b"XFIH", b"XFKM", b"caD8", b"IDs ", b"0123"])
@pytest.mark.parametrize("content", [b"", b"text", chunk(E4 + END)])
def test_an_alien_chunk(name, content):
    data = TWO_TRACKS + chunk(content, name) + chunk(C4 + END) + chunk(content, name) + chunk(E4 + END)
    facts = unusual(data, "alien_chunk")
    assert facts.track_count == 2
    assert kept(data) == KEPT_C4 + KEPT_END + KEPT_E4 + KEPT_END


def test_an_alien_chunk_after_the_last_track():
    assert unusual(PLAIN + chunk(b"text", b"XFIH") + chunk(b"", b"CdS1"), "alien_chunk").track_count == 1
    assert unusual(PLAIN + chunk(b"text", b"XFIH") + b"more", "alien_chunk", "trailing_bytes").track_count == 1


@pytest.mark.parametrize(("division", "seconds"), [("E8 04", 1.0), ("E7 28", 0.096), ("E3 64", 96 / (100 * 30000 / 1001)), ("E2 50", 0.04)])
def test_smpte(division, seconds):
    data = bytes.fromhex(
        "4D 54 68 64  00 00 00 06"  # MThd, 6 bytes
        f"00 00  00 01  {division}"  # minus frames per second (24, 25, 29.97, 30), ticks per frame
    ) + chunk(C4 + END)
    facts = unusual(data, "smpte")
    assert facts.ticks_per_quarter is None
    assert facts.duration_s == pytest.approx(seconds, rel=1e-12)


def test_smpte_ignores_tempo_events():
    data = bytes.fromhex(
        "4D 54 68 64  00 00 00 06"  # MThd, 6 bytes
        "00 00  00 01  E7 28"  # 25 frames per second, 40 ticks per frame
    ) + chunk(bytes.fromhex("00 FF 51 03 03 D0 90") + C4 + END)
    facts = unusual(data, "smpte")
    assert (facts.bpm, facts.bpm_source, facts.duration_s) == (None, "none", 0.096)


def test_format_2():
    data = bytes.fromhex(
        "4D 54 68 64  00 00 00 06"  # MThd, 6 bytes
        "00 02  00 02  00 60"  # format 2, 2 tracks
    )
    data += chunk(C4 + END) + chunk(C4 + E4 + END)
    facts = unusual(data, "format_2")
    assert (facts.format, facts.note_count, facts.duration_ticks, facts.polyphony_max) == (2, 3, 192, 1)


@pytest.mark.parametrize("events", ["", "00 C0 05", "00 90 3C 00  60 80 3C 00"])  # velocity 0 is a note off
def test_no_notes(events):
    facts = unusual(one_track(bytes.fromhex(events) + END), "no_notes")
    assert (facts.note_count, facts.bpm, facts.key, facts.pitch_min, facts.velocity_mean, facts.notes_hash) == (0, *[None] * 5)


@pytest.mark.parametrize("rest", [b"\0", b"\x1a" * 127, b"MTrk", b"text after the music"])
def test_trailing_bytes(rest):
    unusual(PLAIN + rest, "trailing_bytes")
    assert kept(PLAIN + rest) == KEPT_C4 + KEPT_END


CANCELLING = {
    "meta": ("FF 01 01 78", "FF 01"),
    "system exclusive": ("F0 02 7E F7", "F0"),
    "packet": ("F7 01 F8", "F7"),
    "two": ("FF 01 01 78  00 F7 00", "FF 01", "F7"),
}


@pytest.mark.parametrize("events", CANCELLING.values(), ids=CANCELLING)
def test_running_status_continued_across_another_event(events):
    event, *marks = events
    data = one_track(
        "00 90 3C 40"  # note on
        f"00 {event}"  # ends running status, says the specification
        "60 3C 00"  # a note off that relies on it
        "00 40 40  60 40 00"  # E4, as well
        "00 FF 2F 00"  # End of Track
    )
    unusual(data, "running_status_crossed")
    notes = ["96: 90 3C 00", "96: 90 40 40", "192: 90 40 00", "192: FF 2F"]
    assert kept(data) == ["0: 90 3C 40", *(f"0: {mark}" for mark in marks), *notes]


def test_a_status_after_a_meta_event_is_no_issue():
    unusual(one_track("00 90 3C 40  00 FF 01 01 78  60 90 3C 00  00 40 40  60 40 00  00 FF 2F 00"))


def test_a_note_never_ended():
    data = one_track(
        "00 90 3C 40"  # note on, never ended
        "60 90 40 40  60 80 40 00"  # E4
        "81 40 FF 2F 00"  # End of Track, two quarters later
    )
    facts = unusual(data, "stuck_note")
    assert (facts.note_count, facts.last_note_s, facts.note_seconds_mean) == (2, 2.0, 1.25)  # it ends with its track


def test_a_note_off_without_a_note_is_ignored():
    assert unusual(one_track(bytes.fromhex("00 80 40 00") + C4 + END)).note_count == 1


# --- several at once -----------------------------------------------------------------------------------


def test_several_issues():
    data = bytes.fromhex(
        "00 00 00"  # junk
        "4D 54 68 64  00 00 00 08"  # MThd, 8 bytes
        "00 07  00 04  00 60  AB CD"  # format 7, 4 tracks (there are 2, and a chunk of another kind), 96 ticks per quarter, 2 bytes more
        "58 46 49 48  00 00 00 01  00"  # XFIH, 1 byte
        "4D 54 72 6B  00 00 00 30"  # MTrk, 48 bytes: the first
        "0A 3C 40"  # data bytes without a status
        "90 3C FF"  # note on, with a velocity of 255
        "00 FF 51 03 00 00 00"  # tempo 0
        "60 3C 00"  # note off; running status crosses the tempo
        "00 FF 59 02 13 00"  # 19 sharps
        "00 F8"  # timing clock
        "80 80 80 80 00 90 40 40"  # note on, after a delta time of 5 bytes; never ended
        "00 FF 2F 00"  # End of Track
        "00 00 00 00 00 00 00 00 00 00 00 00"  # 12 bytes
        "00"  # no chunk
        "4D 54 72 6B  00 00 00 40"  # MTrk, 64 bytes: the second
        "00 90 43 40"  # note on
        "60"  # and no event
    )
    names = (
        *("leading_junk", "header_length", "unknown_format", "chunk_overrun", "event_cut", "no_end_of_track"),
        *("bytes_after_end", "stray_data", "data_over_127", "bad_status", "long_varint", "bad_meta", "zero_tempo"),
        *("missing_tracks", "lost_track", "alien_chunk", "running_status_crossed", "stuck_note"),
    )
    facts = repaired(data, *names, at=0)
    assert kept(data) == [
        *("10: 90 3C 7F", "10: FF 51", "106: 90 3C 00", "106: FF 59", "106: 90 40 40", "106: FF 2F"),
        "0: 90 43 40",
    ]
    assert (facts.track_count, facts.note_count, facts.format) == (2, 3, 1)


# --- every kind of event -------------------------------------------------------------------------------


def test_every_channel_message():
    data = one_track(
        "00 80 3C 40  00 3D 41"  # note off: two bytes, and again under running status
        "00 9F 3C 40  00 3D 00"  # note on, channel 16
        "00 A1 3C 40  00 3D 41"  # key pressure
        "00 B2 40 7F  00 40 00"  # control change: pedal
        "00 C3 7F  00 00"  # program change: one byte
        "00 D4 40  00 41"  # channel pressure: one byte
        "00 E5 00 40  00 7F 7F"  # pitch bend
        "00 FF 2F 00"  # End of Track
    )
    assert kept(data) == [
        *("0: 80 3C 40", "0: 80 3D 41", "0: 9F 3C 40", "0: 9F 3D 00", "0: A1 3C 40", "0: A1 3D 41", "0: B2 40 7F", "0: B2 40 00"),
        *("0: C3 7F", "0: C3 00", "0: D4 40", "0: D4 41", "0: E5 00 40", "0: E5 7F 7F", "0: FF 2F"),
    ]
    facts = unusual(data, "stuck_note")
    assert (facts.control_changes, facts.sustain_pedals, facts.pitch_bends, facts.program_changes) == (2, 2, 2, 2)
    assert (facts.event_count, facts.note_count) == (15, 1)


@pytest.mark.parametrize("channel", range(16))
def test_every_program(channel):
    data = one_track(b"".join(bytes([0, 0xC0 | channel, p, 0, 0x90 | channel, 60, 64, 1, 0x80 | channel, 60, 0]) for p in range(128)) + END)
    facts = unusual(data)
    assert facts.channels == [channel + 1]
    assert facts.programs == ([] if channel == 9 else list(range(128)))  # channel 10 is drums
    assert facts.program_changes == 128


def test_system_exclusive_in_packets():
    data = one_track(
        "00 F0 03 43 12 00"  # system exclusive, to be continued
        "60 F7 06 43 12 00 43 12 00"  # a packet, a quarter later
        "60 F7 04 43 12 00 F7"  # the last one
        "00 F7 02 F3 01"  # bytes to be sent as they are: song select
        "00 F0 05 7E 7F 09 01 F7"  # a whole one
        "00 90 3C 40  60 80 3C 00  00 FF 2F 00"  # C4, End of Track
    )
    assert unusual(data).sysex_count == 5
    assert [(status, content.hex(" ").upper()) for _, status, _, content, _ in midiopt.parse(data).marks()] == [
        (0xF0, "43 12 00"),
        (0xF7, "43 12 00 43 12 00"),
        (0xF7, "43 12 00 F7"),
        (0xF7, "F3 01"),
        (0xF0, "7E 7F 09 01 F7"),
        (0xFF, ""),
    ]
    assert kept(data)[:5] == ["0: F0", "96: F7", "192: F7", "192: F7", "192: F0"]


# --- limits on what is kept ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "encoding"), [("x", "ascii"), ("é", "utf-8"), ("forêt ", "latin1"), ("ワルツ", "shift-jis"), ("🎹", "utf-8")]
)
def test_names_are_cut_at_1000_characters(word, encoding):
    text = (word * 1001)[:1001]
    name = text.encode(encoding)
    length = bytes([0x80 | len(name) >> 7, len(name) & 0x7F])
    facts = unusual(one_track(bytes.fromhex("00 FF 03") + length + name + C4 + END))
    assert facts.title == text[:1000]
    assert facts.track_names == [text[:1000]]


def test_1000_names_are_kept():
    names = [f"{i:04}" for i in range(1001)]
    data = bytes.fromhex(
        "4D 54 68 64  00 00 00 06"  # MThd, 6 bytes
        "00 01  03 E9  00 60"  # format 1, 1,001 tracks
    ) + b"".join(chunk(bytes.fromhex("00 FF 03 04") + name.encode() + C4 + END) for name in names)
    facts = unusual(data)
    assert (facts.track_count, facts.track_names) == (1001, names[:1000])


# --- the documentation -----------------------------------------------------------------------------------


def bits_in_midi_pxd() -> dict[str, int]:
    """The issues of core/smf/midi.pxd, in order, each with its bit."""
    text = (ROOT / "src/midiopt/core/smf/midi.pxd").read_text()
    assert f" ALL_REPAIRS = {ALL_REPAIRS:#X} ".replace("X", "x", 1) in text
    enumeration = text.split("cdef enum Issue:\n")[1].split("\n\n")[0]
    return {name.lower(): 1 << int(bit) for name, bit in re.findall(r"^    ([A-Z0-9_]+) = (\d+)$", enumeration, re.MULTILINE)}


def test_bits_of_the_schema_are_those_of_the_parser():
    assert list(bits_in_midi_pxd().items()) == list(ISSUE_BITS.items())
    assert sum(ISSUE_BITS[name] for name in REPAIRS) <= ALL_REPAIRS == 2**FIRST_UNUSUAL - 1
    assert all(ALL_REPAIRS < ISSUE_BITS[name] < 2**53 for name in UNUSUAL)


def test_the_mask_of_the_repairs_is_documented():
    assert f"`issues & {ALL_REPAIRS}`" in (ROOT / "docs/policy.md").read_text()


def table_in_policy_md() -> list[list[str]]:
    """(name, severity, what the file looks like, what midiopt does) of each issue."""
    lines = (ROOT / "docs/policy.md").read_text().splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]
    return [cells for cells in rows if len(cells) == 4]


def test_every_issue_is_documented_in_order():
    table = table_in_policy_md()
    assert [name.strip("`") for name, *_ in table] == list(ISSUES)
    for name, severity, looks, does in table:
        assert severity == ("repaired" if name.strip("`") in REPAIRS else "unusual")
        assert looks and does
    assert set(REPAIRS).isdisjoint(UNUSUAL)


@pytest.mark.parametrize(
    ("file", "constant", "limit"),
    [
        ("limits.py", r"MAX_EVENTS = 8_000_000\b", "8,000,000 events"),
        ("limits.py", r"FILE_TIMEOUT = 30\.0\b", "30 seconds"),
        ("core/smf/midi.pxd", r"MAX_TRACKS = 32767\b", "32,767 tracks"),
        ("core/smf/midi.pxd", r"MAX_LEADING_JUNK = 1024\b", "1,024 bytes"),
        ("core/smf/midi.pxd", r"TICK_BITS = 52\b", f"{2**52 - 1:,} ticks"),
        ("core/smf/midi.pxd", r"OFFSET_BITS = 32\b", f"{2**32 - 1:,} bytes"),
        ("core/rhythm/onsets.pxd", r"MAX_SEQUENCES = 32\b", "the first 32 with six notes"),
        ("core/timeline/bar_grid.pxd", r"MAX_BEATS = 8192\b", "8,192 beats"),
        ("limits.py", r"MAX_FILE_BYTES = 64 << 20\b", "64 MiB"),
        ("core/text/text.pyx", r"MAX_NAME_CHARACTERS = 1000\b", "1,000 characters"),
        ("core/text/names.pxd", r"MAX_TRACK_NAMES = 1000\b", "1,000 track names"),
    ],
)
def test_every_limit_is_documented(file, constant, limit):
    assert re.search(constant, (ROOT / "src/midiopt" / file).read_text())
    assert limit in (ROOT / "docs/policy.md").read_text()
