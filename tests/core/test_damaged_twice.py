"""Files whose structure is damaged in two ways at once, and files that are cut besides: docs/policy.md."""

from __future__ import annotations

import pytest

import midiopt
from tests.core.test_structure import CONDUCTOR, END, FOUR, HIGH, LOW, SONG, header, music, repaired, track

TUNE = b"".join(bytes([0, 0x90, pitch, 64, 96, 0x80, pitch, 0]) for pitch in (60, 60, 67, 67, 69, 69, 67)) + END
SECOND_SONG = header(1, format=0, division="01 E0") + track(TUNE)
TRANSFERS = [("text_mode", lambda data: data.replace(b"\n", b"\r\n")), ("utf8_text", lambda data: data.decode("latin1").encode())]


@pytest.mark.parametrize("length", [0, 10])
def test_every_place_where_a_track_of_a_wrong_length_may_be_cut(length):
    """A recorder that was switched off: the length was never filled in, and the last event is not whole."""
    for size in range(40 if length else 2, len(TUNE)):
        damaged, good = header(1) + track(TUNE[:size], length), header(1) + track(TUNE[:size], len(TUNE))
        assert music(damaged) == music(good), size
        assert "track_length" in midiopt.analyze(damaged).issue_names


@pytest.mark.parametrize("behind", [b"", track(HIGH)], ids=["last", "first"])
@pytest.mark.parametrize("rest", [1, 2, 3, 6, 7, 8, 9, 15, 23])
def test_a_track_without_end_whose_length_leaves_out_running_status(rest, behind):
    """Zeros and text have no status, either, but are no rest of the event that the length cuts, and text has no zeros."""
    notes = bytes.fromhex("00 91 30 40") + bytes.fromhex("60 30 00  05 34 40") * 4 + bytes.fromhex("60 34 00")
    good = header(1 + bool(behind)) + track(notes) + behind
    damaged = header(1 + bool(behind)) + track(notes, len(notes) - rest) + behind
    repaired(damaged, good, "no_end_of_track", "track_length", at=18)


@pytest.mark.parametrize("length", [0, 5])
def test_several_tracks_of_wrong_lengths_in_a_file_that_is_cut(length):
    whole, damaged = SONG, header(3) + track(CONDUCTOR, length) + track(HIGH, 0) + track(LOW, 0)
    for size in range(len(whole) - len(LOW) + 1, len(whole)):
        assert music(damaged[:size]) == music(whole[:size])


@pytest.mark.parametrize("size", range(2, len(LOW)))
@pytest.mark.parametrize("stated", [0, len(LOW), len(LOW) + 20])
def test_a_song_that_is_cut_before_another_one(size, stated):
    """What was left of the first song, and then the second one: none of its bytes belong to the first."""
    first = header(3) + track(CONDUCTOR) + track(HIGH) + track(LOW[:size], stated)
    good = header(3) + track(CONDUCTOR) + track(HIGH) + track(LOW[:size])
    assert music(first + SECOND_SONG)["notes_hash"] == music(good)["notes_hash"]
    assert {"track_length", "joined_songs"} <= set(midiopt.analyze(first + SECOND_SONG).issue_names)


@pytest.mark.parametrize("count", [0, 2, 3])
def test_tracks_without_headers_behind_the_only_one(count):
    """The length of the only MTrk is that of the first track."""
    damaged = header(count) + track(CONDUCTOR) + track(b"\0\xff\x03\x01A" + HIGH + b"\0\xff\x03\x01B" + LOW)[8:]
    good = header(3) + track(CONDUCTOR) + track(b"\0\xff\x03\x01A" + HIGH) + track(b"\0\xff\x03\x01B" + LOW)
    repaired(damaged, good, "track_length", "joined_tracks", at=18)


def test_other_bytes_behind_the_only_track_are_no_tracks():
    data = header(3) + track(CONDUCTOR) + bytes.fromhex("00 90 3C 40 3C 3C 3C 3C 3C 90 90 90")
    assert midiopt.analyze(data).issue_names == ["missing_tracks", "no_notes"]


@pytest.mark.parametrize("filling", [bytes(7), b"\x1a"])
def test_all_tracks_in_one_chunk_that_is_filled_up(filling):
    damaged = header(3) + track(CONDUCTOR + HIGH + LOW + filling)
    repaired(damaged, SONG, "bytes_after_end", "joined_tracks", at=22 + len(CONDUCTOR))


def test_a_last_declared_track_that_takes_in_all_others():
    """The header counts one track, and its length leads over the two that follow."""
    damaged = header(1) + track(CONDUCTOR, len(CONDUCTOR + track(HIGH) + track(LOW))) + track(HIGH) + track(LOW)
    repaired(damaged, SONG, "track_length", "undeclared_tracks", at=18)


def test_filling_before_tracks_that_the_header_does_not_count():
    damaged = header(1) + track(CONDUCTOR) + bytes(3) + track(HIGH) + track(LOW)
    repaired(damaged, SONG, "lost_track", "undeclared_tracks", at=22 + len(CONDUCTOR))


@pytest.mark.parametrize("behind", [b"", track(LOW)])
def test_tracks_without_end_that_the_header_does_not_count(behind):
    damaged = header(1) + track(CONDUCTOR) + track(LOW) + track(HIGH[:-4]) + behind
    good = header(4 if behind else 3) + track(CONDUCTOR) + track(LOW) + track(HIGH[:-4]) + behind
    repaired(damaged, good, "no_end_of_track", "undeclared_tracks", at=22 + len(CONDUCTOR))


@pytest.mark.parametrize("count", [1, 4])
def test_undeclared_tracks_of_a_file_that_is_cut(count):
    """As far as they go, whether the header counts them or not."""
    for size in range(len(header(1) + track(CONDUCTOR)) + 20, len(FOUR)):
        damaged = header(count) + FOUR[14:size]
        assert music(damaged)["notes_hash"] == music(FOUR[:size])["notes_hash"], size


@pytest.mark.parametrize("length", [0, 5, len(CONDUCTOR), len(CONDUCTOR + HIGH + LOW)])
def test_tracks_in_one_chunk_of_a_file_that_is_cut(length):
    """As many tracks as are missing, the last one cut; before that, one cut track alone proves nothing."""
    first = len(header(3) + track(CONDUCTOR) + track(HIGH))
    for size in range(first + 8 + 5, len(SONG)):
        damaged = (header(3) + track(CONDUCTOR + HIGH + LOW, length))[: size - 16]
        assert music(damaged)["notes_hash"] == music(SONG[:size])["notes_hash"], size
        assert midiopt.analyze(damaged).track_count == 3
    stale = header(2) + track(CONDUCTOR + HIGH[3:-6])
    assert midiopt.analyze(stale).issue_names == ["bytes_after_end", "missing_tracks", "no_notes"]


@pytest.mark.parametrize("length", [0, 5, None])
def test_tracks_that_the_header_does_not_count_before_another_song(length):
    damaged = header(1) + track(CONDUCTOR) + track(HIGH, length) + track(LOW, length) + SECOND_SONG
    assert music(damaged) == music(SONG)
    assert {"undeclared_tracks", "joined_songs"} <= set(midiopt.analyze(damaged).issue_names)


@pytest.mark.parametrize(("name", "damage"), TRANSFERS)
@pytest.mark.parametrize(
    ("fault", "first"),
    [
        ("header_length", "4D 54 68 64  00 00 00 00  00 01 00 03 00 60"),  # 0 before six good bytes
        ("header_length", "4D 54 68 64  00 00 00 08  00 01 00 03 00 60  00 00"),  # two bytes more, as the length says
        ("unknown_format", "4D 54 68 64  00 00 00 06  00 03 00 03 00 60"),
    ],
)
def test_a_transfer_of_a_file_with_a_wrong_header(name, damage, fault, first):
    """The chunk lengths fit after it, which proves it."""
    damaged = damage(bytes.fromhex(first) + SONG[14:])
    assert music(damaged) == music(SONG)
    assert {name, fault} <= set(midiopt.analyze(damaged).issue_names)


def test_a_transfer_of_a_file_with_filling_behind_a_track():
    good = header(3) + track(CONDUCTOR) + track(HIGH + bytes(3)) + track(LOW)
    damaged = good.replace(b"\x0a", b"\x0d\x0a")
    repaired(damaged, good, "text_mode", "bytes_after_end", at=damaged.index(b"\x0d\x0a"))


def test_filling_behind_a_track_is_no_sign_of_a_transfer():
    """The only line feed is in a text, in which a program wrote a carriage return before it. Without that, zeros would be events."""
    events = bytes.fromhex(
        "00 91 3C 40  60 3C 00"  # C4 on channel 2
        "00 FF 01 05 61 0D 0A 62 63"  # text: a, CR, LF, b, c
        "48 91 43 00  0A 3E 6B  60 81 3E 40"  # a note-off, and D4
        "00 FF 2F 00"  # End of Track
    )
    repaired(header(1) + track(events + bytes(7)), header(1) + track(events), "bytes_after_end", at=22 + len(events))


@pytest.mark.parametrize("length", [0, 10])
@pytest.mark.parametrize(
    ("fault", "more"),
    [
        ("bad_status", "00 F1"),  # of the cable, not of a file
        ("long_varint", "80 80 80 80 00 B1 07 40"),  # a delta time of five bytes
    ],
)
def test_a_track_of_a_wrong_length_with_another_fault(fault, more, length):
    """End of Track right before the next track proves where it ends, whatever else is wrong in it."""
    events = bytes.fromhex(more) + TUNE
    damaged, good = header(2) + track(events, length) + track(LOW), header(2) + track(events) + track(LOW)
    assert music(damaged) == music(good)
    assert {"track_length", fault} <= set(midiopt.analyze(damaged).issue_names)


def test_filling_behind_a_track_that_the_header_does_not_count():
    damaged = header(1) + track(CONDUCTOR) + track(HIGH + bytes(2)) + track(LOW)
    good = header(3) + damaged[14:]
    repaired(damaged, good, "bytes_after_end", "undeclared_tracks", at=22 + len(CONDUCTOR))


def test_tracks_behind_a_chunk_that_holds_two_and_is_the_only_one_that_the_header_counts():
    """The track that it counts holds no note: what else its chunk holds does not change that."""
    names = b"\0\xff\x03\x01A", b"\0\xff\x03\x01B"
    damaged = header(1) + track(CONDUCTOR + names[0] + HIGH) + track(names[1] + LOW)
    good = header(3) + track(CONDUCTOR) + track(names[0] + HIGH) + track(names[1] + LOW)
    repaired(damaged, good, "joined_tracks", "undeclared_tracks", at=22 + len(CONDUCTOR))


@pytest.mark.parametrize("size", [0, 4, 60])
def test_a_container_without_a_size_and_a_header_that_counts_too_few(size):
    song = header(1) + SONG[14:]
    container = b"RIFF" + (len(song) + 12).to_bytes(4, "little") + b"RMIDdata" + size.to_bytes(4, "little") + song
    assert music(container) == music(SONG)
    assert {"rmid", "rmid_size", "undeclared_tracks"} == set(midiopt.analyze(container).issue_names)


def test_a_damaged_track_that_the_header_does_not_count_is_named():
    """It is left out, but the file is not one without notes that has no fault."""
    events = bytes.fromhex("00 91 30 40  60 81 30 00  00 F1 40 40  00 91 30")  # a note, a status of the cable, and half an event
    facts = midiopt.analyze(header(1) + track(CONDUCTOR) + track(events, 5) + track(LOW))
    assert (facts.status, facts.note_count) == ("repaired", 0)
    assert facts.issue_names == ["undeclared_tracks", "no_notes", "trailing_bytes"]


def test_a_transfer_of_a_file_whose_header_counts_too_few_tracks():
    """The length of the counted track fits before, too; those of the others do after it."""
    damaged = (header(1) + SONG[14:]).replace(b"\x0a", b"\x0d\x0a")
    repaired(damaged, SONG, "text_mode", "undeclared_tracks", at=damaged.index(b"\x0d\x0a"))


def test_a_transfer_of_a_file_with_an_unknown_format_and_a_wrong_length():
    """The events have faults before, and none after: the format was wrong before the transfer."""
    damaged = (header(3, format=3) + track(CONDUCTOR) + track(HIGH, 5) + track(LOW)).replace(b"\x0a", b"\x0d\x0a")
    assert music(damaged) == music(SONG)
    assert midiopt.analyze(damaged).issue_names == ["unknown_format", "text_mode", "track_length"]


@pytest.mark.parametrize("missing", [0, 1])
def test_line_ends_of_a_text_that_has_its_length_are_no_sign_of_a_transfer(missing):
    """One line end and a length that is one too small: without its 0D the text would take in the delta time behind it."""
    events = bytes.fromhex(
        "00 FF 01 05 61 0D 0A 62 63"  # text: a, CR, LF, b, c
        "3C 90 3C 40  60 80 3C 40"  # C4, a quarter
        "00 FF 2F 00"  # End of Track
    )
    damaged, good = (header(1 + missing) + track(events, length) for length in (len(events) - 1, None))
    assert music(damaged) == music(good)
    assert midiopt.analyze(damaged).issue_names == ["missing_tracks"] * missing + ["track_length"]


@pytest.mark.parametrize("line_end", [b"\x0d\x0a", b"\x0d\x0d\x0a"])
@pytest.mark.parametrize(
    "event",
    [
        "00 F0 0A 41 10 42 12 40 10 15 00 00 F7",  # the length of a message, which can be read up to its F7
        "00 FF 51 03 07 0A E2",  # a tempo, whose last byte then is one of the next delta time
        "00 FF 03 03 61 0A E9",  # likewise a name: a, line feed, e with an accent in Latin-1
    ],
)
def test_a_transfer_after_which_the_events_have_no_fault(event, line_end):
    good = header(1) + track(bytes.fromhex(event + "00 99 3C 40  60 89 3C 40  00 FF 2F 00"))
    repaired(good.replace(b"\x0a", line_end), good, "text_mode", at=good.index(b"\x0a"))


def test_two_tracks_in_a_chunk_that_the_header_does_not_count():
    names = b"\0\xff\x03\x01A", b"\0\xff\x03\x01B"
    damaged = header(1) + track(CONDUCTOR) + track(names[0] + HIGH + names[1] + LOW)
    good = header(3) + track(CONDUCTOR) + track(names[0] + HIGH) + track(names[1] + LOW)
    repaired(damaged, good, "joined_tracks", "undeclared_tracks", at=22 + len(CONDUCTOR))


def test_tracks_in_one_chunk_with_zeros_between_them():
    """A track begins with a delta time and a status: of the zeros before its status, one is its own."""
    damaged = header(3) + track(CONDUCTOR) + track(HIGH + bytes(3) + LOW)
    repaired(damaged, SONG, "bytes_after_end", "joined_tracks", at=30 + len(CONDUCTOR + HIGH))


@pytest.mark.parametrize(
    ("fault", "more"),
    [
        ("bad_status", "00 F8"),  # of the cable, not of a file
        ("long_varint", "80 80 80 80 00 B1 07 40"),  # a delta time of five bytes
    ],
)
def test_tracks_in_one_chunk_with_another_fault(fault, more):
    """As many as are missing, and each begins with its name."""
    events = b"\0\xff\x03\x01B" + bytes.fromhex(more) + LOW
    damaged, good = header(3) + track(CONDUCTOR) + track(HIGH + events), header(3) + track(CONDUCTOR) + track(HIGH) + track(events)
    repaired(damaged, good, fault, "joined_tracks", at=30 + len(CONDUCTOR + HIGH))


def test_a_chunk_of_another_kind_between_tracks_that_share_a_length():
    chunk = b"JUNK" + bytes.fromhex("00 00 00 02  61 62")
    damaged = header(3) + track(CONDUCTOR) + track(HIGH, len(HIGH + LOW)) + chunk + LOW
    good = header(3) + track(CONDUCTOR) + track(HIGH) + chunk + track(LOW)
    repaired(damaged, good, "track_length", "joined_tracks", "alien_chunk", at=26 + len(CONDUCTOR))


@pytest.mark.parametrize(
    ("fault", "more"),
    [
        ("bad_meta", "00 FF 59 01 00"),  # a key signature of one byte
        ("zero_tempo", "00 FF 51 03 00 00 00"),
        ("bad_status", "00 F8"),
        ("long_varint", "80 80 80 80 00 B1 07 40"),
    ],
)
def test_a_text_like_a_track_in_a_track_of_length_0_with_another_fault(fault, more):
    events = bytes.fromhex("00 FF 01 08 4D 54 72 6B 20 69 73 20") + bytes.fromhex(more) + TUNE  # text: MTrk is
    damaged, good = header(1) + track(events, 0), header(1) + track(events)
    assert music(damaged) == music(good)
    assert midiopt.analyze(damaged).issue_names == [fault, "track_length"]


HARMLESS = [
    ("bad_status", "00 F8"),  # of the cable, not of a file
    ("long_varint", "80 80 80 80 00 B1 07 40"),  # a delta time of five bytes
]
FILLINGS = [bytes(2), bytes(40), b"\x1a", b" " * 9]


@pytest.mark.parametrize("filling", FILLINGS)
@pytest.mark.parametrize("length", [0, 5])
@pytest.mark.parametrize(("fault", "more"), HARMLESS)
def test_filling_behind_a_track_of_a_wrong_length_with_another_fault(fault, more, length, filling):
    conductor = bytes.fromhex(more) + CONDUCTOR
    damaged = header(3) + track(conductor + filling, length) + track(HIGH) + track(LOW)
    repaired(damaged, header(3) + track(conductor) + track(HIGH) + track(LOW), "lost_track", "track_length", fault, at=18)
    behind = header(1) + track(bytes.fromhex(more) + TUNE + b"\r\n", length)  # a single line end is no filling
    assert music(behind) == music(header(1) + track(bytes.fromhex(more) + TUNE))


@pytest.mark.parametrize("filling", FILLINGS)
@pytest.mark.parametrize("length", [0, 5, None])
@pytest.mark.parametrize(("fault", "more"), [("", ""), *HARMLESS])
def test_a_transfer_of_a_file_with_filling_a_wrong_length_and_another_fault(fault, more, length, filling):
    """The other faults go, and what is left need not come from a transfer."""
    events = bytes.fromhex(more) + HIGH
    good = header(3) + track(CONDUCTOR) + track(events) + track(LOW)
    damaged = header(3) + track(CONDUCTOR) + track(events + filling, length) + track(LOW)
    facts = midiopt.analyze(damaged.replace(b"\x0a", b"\x0d\x0a"))
    assert music(damaged.replace(b"\x0a", b"\x0d\x0a")) == music(good)
    assert {"text_mode", *filter(None, [fault])} <= set(facts.issue_names)


@pytest.mark.parametrize(("name", "change"), TRANSFERS)
@pytest.mark.parametrize("before", [b"HTTP/1.1 200 OK\nServer: x\xb7\n\n", bytes(range(128, 256)), b"\n\xa0"])
def test_bytes_before_a_file_that_was_transferred(before, name, change):
    """They came later: they have line feeds alone, and bytes that are no UTF-8."""
    changed = change(SONG)
    first = next(i for i in range(len(SONG)) if changed[i] != SONG[i])
    repaired(before + changed, SONG, name, "leading_junk", at=len(before) + first)


@pytest.mark.parametrize("filling", FILLINGS)
@pytest.mark.parametrize("length", [None, 5])
def test_filling_before_a_track_of_a_header_that_counts_none(length, filling):
    damaged = header(0) + track(CONDUCTOR) + filling + track(HIGH) + filling + track(LOW, length)
    good = header(0) + SONG[14:]
    repaired(damaged, good, "lost_track", *["track_length"] * (length is not None), at=22 + len(CONDUCTOR))


def test_filling_before_a_track_of_a_wrong_length_that_the_header_does_not_count():
    damaged = header(1) + track(CONDUCTOR) + bytes(3) + track(HIGH, 5) + track(LOW)
    repaired(damaged, SONG, "lost_track", "track_length", "undeclared_tracks", at=22 + len(CONDUCTOR))
