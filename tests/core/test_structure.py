"""Files whose structure is damaged: transfers, lengths, counts and containers. Each repair from its definition in docs/policy.md.

First every kind as a dump of a file, then as a property: any well-formed file, damaged so and read, has the facts that it had
before.
"""

from __future__ import annotations

import re
from dataclasses import asdict

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

import midiopt
from midiopt.schema import REPAIRS
from sample import smf
from tests.helpers.strategies import Song, songs

ABOUT_THE_BYTES = ("content_hash", "issues", "status", "error")


def header(count: int, format: int = 1, division: str = "00 60") -> bytes:
    """MThd with this number of tracks, and 96 ticks per quarter."""
    return bytes.fromhex(f"4D 54 68 64  00 00 00 06  {format:04X} {count:04X} {division}")


def track(events: bytes, length: int | None = None) -> bytes:
    """MTrk around these events, with its own length or another."""
    return b"MTrk" + (len(events) if length is None else length).to_bytes(4, "big") + events


END = bytes.fromhex("00 FF 2F 00")
CONDUCTOR = bytes.fromhex(
    "00 FF 03 04 43 6F 6E 64"  # name: Cond
    "00 FF 51 03 09 27 C0"  # 100 quarters a minute
    "00 FF 58 04 03 02 18 08"  # 3/4
    "00 FF 2F 00"  # End of Track
)
HIGH = bytes.fromhex(
    "00 C0 0A"  # program 10
    "00 90 48 40  60 80 48 00"  # C5, a quarter
    "0A 90 4C 40  60 80 4C 00"  # E5, 10 ticks later
    "00 FF 2F 00"  # End of Track
)
LOW = bytes.fromhex(
    "00 91 30 40  81 40 81 30 00"  # C3 on channel 2, two quarters
    "00 FF 2F 00"  # End of Track
)
SONG = header(3) + track(CONDUCTOR) + track(HIGH) + track(LOW)
FOUR = header(4) + track(CONDUCTOR) + track(HIGH) + track(LOW) + track(HIGH)


def music(data: bytes) -> dict[str, object]:
    """Every fact but those about the bytes."""
    return {name: value for name, value in asdict(midiopt.analyze(data)).items() if name not in ABOUT_THE_BYTES}


def repaired(damaged: bytes, good: bytes, *names: str, at: int) -> None:
    """The damaged file has the facts of the good one, exactly these issues (the first one at this byte) and its events and marks."""
    facts = midiopt.analyze(damaged)
    assert facts.issue_names == sorted(names, key=list((*REPAIRS, *names)).index)
    assert facts.status == "repaired" and facts.error is not None and re.search(r"at byte (\d+)", facts.error)[1] == str(at)
    assert music(damaged) == music(good)
    arenas = midiopt.parse(damaged), midiopt.parse(good)
    assert arenas[0].events().tolist() == arenas[1].events().tolist()
    assert arenas[0].marks() == arenas[1].marks()


# --- transfers -----------------------------------------------------------------------------------------


def test_line_feeds_became_cr_lf():
    damaged = SONG.replace(b"\x0a", b"\x0d\x0a")
    repaired(damaged, SONG, "text_mode", at=damaged.index(b"\x0d\x0a"))


def test_line_feeds_became_cr_lf_twice():
    damaged = SONG.replace(b"\x0a", b"\x0d\x0d\x0a")
    repaired(damaged, SONG, "text_mode", at=damaged.index(b"\x0d\x0d"))


def test_carriage_returns_became_cr_lf():
    good = header(1) + track(HIGH.replace(b"\x48", b"\x0d") + END)  # the pitch 13; line feeds stand alone
    repaired(good.replace(b"\x0d", b"\x0d\x0a"), good, "text_mode", "bytes_after_end", at=good.index(b"\x0d") + 1)


@pytest.mark.parametrize("padding", [b"\x1a", bytes(50)])  # ^Z ends a text file of CP/M and DOS
def test_what_follows_the_last_track_of_a_changed_file(padding):
    damaged = SONG.replace(b"\x0a", b"\x0d\x0a") + padding
    repaired(damaged, SONG, "text_mode", "trailing_bytes", at=damaged.index(b"\x0d\x0a"))


def test_a_good_file_with_0d_0a_is_left_alone():
    good = header(1) + track(bytes.fromhex("0D 90 0D 0A  0D 80 0D 0A") + END)  # velocity 10, ticks and pitches 13
    assert midiopt.analyze(good).status == "ok"
    assert midiopt.parse(good).events().tolist()[0] == (13, 0, 0x90, 13, 10)


@pytest.mark.parametrize("kept", [0, 1])
def test_a_line_feed_alone_proves_that_nothing_was_changed(kept):
    """A track that is cut, and holds 0D 0A: the length would not fit without the 0D, either."""
    events = bytes.fromhex("00 90 0D 0A  00 90 0A 40" if kept else "00 90 0D 0A  00 90 0B 40")
    assert "text_mode" not in midiopt.analyze(header(1) + track(events + END, 100)).issue_names


def test_other_changes_of_line_ends_are_not_guessed():
    damaged = SONG.replace(b"\x0a", b"\x0d")  # the same lengths
    assert midiopt.analyze(damaged).issue_names == []


@pytest.mark.parametrize(
    ("mark", "codec"),
    [(b"", "latin-1"), (b"\xef\xbb\xbf", "latin-1"), (b"", "cp1252"), (b"", "x-user-defined")],
    ids=["Latin-1", "with a mark", "Windows-1252", "x-user-defined"],
)
def test_saved_as_utf8(mark, codec):
    if codec == "x-user-defined":
        text = "".join(chr(b if b < 0x80 else 0xF700 + b) for b in SONG)
    else:
        text = "".join(bytes([b]).decode(codec) if bytes([b]).decode(codec, "ignore") else chr(b) for b in SONG)
    damaged = mark + text.encode()
    at = 0 if mark else next(i for i, b in enumerate(damaged) if b >= 0x80)
    repaired(damaged, SONG, "utf8_text", at=at)
    repaired(damaged.replace(b"\x0a", b"\x0d\x0a"), SONG, "text_mode", "utf8_text", at=min(at, damaged.index(b"\x0a")))


@pytest.mark.parametrize("order", ["le", "be"])
@pytest.mark.parametrize("codec", ["latin-1", "cp1252"])
def test_saved_as_utf16(order, codec):
    def saved(data):
        text = "".join(bytes([b]).decode(codec) if bytes([b]).decode(codec, "ignore") else chr(b) for b in data)
        return ("\ufeff" + text).encode(f"utf-16-{order}")

    repaired(saved(SONG), SONG, "utf8_text", at=0)
    repaired(saved(SONG.replace(b"\x0a", b"\x0d\x0a")), SONG, "text_mode", "utf8_text", at=0)
    repaired(saved(header(3) + track(CONDUCTOR, 9) + track(HIGH, 9) + track(LOW, 9)), SONG, "utf8_text", "track_length", at=0)
    for cut in (saved(SONG[:-9]), saved(SONG[:-8])[:-1]):  # behind a character, and within it
        facts = midiopt.analyze(cut)
        assert facts.notes_hash == midiopt.analyze(SONG[:-9]).notes_hash and "utf8_text" in facts.issue_names
    for lost in (saved(SONG) + "я".encode(f"utf-16-{order}"), saved(SONG)[2:]):  # no byte, no mark
        with pytest.raises(midiopt.NotMidi):
            midiopt.analyze(lost)


@pytest.mark.parametrize("length", [0, 9])
def test_transfers_of_files_with_wrong_lengths(length):
    """The events prove it: they have faults before, and none after."""
    good = header(3) + track(CONDUCTOR, length) + track(HIGH, length) + track(LOW, length)
    text, utf8 = good.replace(b"\x0a", b"\x0d\x0a"), good.decode("latin-1").encode()
    repaired(text, SONG, "text_mode", "track_length", at=text.index(b"\x0d"))
    repaired(utf8, SONG, "utf8_text", "track_length", at=utf8.index(b"\xc3"))
    both = utf8.replace(b"\x0a", b"\x0d\x0a")
    repaired(both, SONG, "text_mode", "utf8_text", "track_length", at=min(both.index(b"\xc3"), both.index(b"\x0d")))


@pytest.mark.parametrize("count", [4, 9])
def test_transfers_of_files_that_count_too_many_tracks(count):
    text = (header(count) + SONG[14:]).replace(b"\x0a", b"\x0d\x0a")
    repaired(text, SONG, "text_mode", "missing_tracks", at=text.index(b"\x0d"))


def test_transfers_of_files_that_are_cut():
    """Their lengths never fit: the events had faults that the end of a file does not make, and have none."""
    good = header(2) + track(CONDUCTOR) + track(LOW[:-4] + HIGH[3:])
    for cut in (good[:-1], good[:-5], good[:-9]):
        for damaged, name in ((cut.replace(b"\x0a", b"\x0d\x0a"), "text_mode"), (cut.decode("latin-1").encode(), "utf8_text")):
            facts, before = midiopt.analyze(damaged), midiopt.analyze(cut)
            assert name in facts.issue_names and "data_over_127" not in facts.issue_names
            assert (facts.notes_hash, facts.bpm) == (before.notes_hash, before.bpm)


@pytest.mark.parametrize(("codec", "byte"), [("latin-1", 0x90), ("cp1252", 0x94), ("x-user-defined", 0x90)])
def test_files_saved_as_utf8_that_are_cut_within_a_character(codec, byte):
    """Read as they are, each status would be a data byte above 127, and the notes be others."""

    def saved(data):
        if codec == "x-user-defined":
            return "".join(chr(b if b < 0x80 else 0xF700 + b) for b in data).encode()
        return data.decode(codec).encode()

    song = header(2) + track(CONDUCTOR) + b"MTrk\0\0\1\0" + HIGH[:-4].replace(b"\x90", bytes([byte])).replace(b"\x80", bytes([byte ^ 0x10]))
    whole = saved(song + b"\0" + bytes([byte]))
    assert len(whole) - len(saved(song + b"\0")) == (2 if codec == "latin-1" else 3)
    for size in range(len(saved(song + b"\0")), len(whole)):
        facts = midiopt.analyze(whole[:size])
        assert facts.notes_hash == midiopt.analyze(song).notes_hash and "utf8_text" in facts.issue_names


def test_a_first_character_that_is_cut_proves_no_utf8():
    assert "utf8_text" not in midiopt.analyze(header(1) + track(b"\0\x40\x40\xc2", 99)).issue_names


def test_what_is_utf8_was_saved_so_in_any_case():
    """No status but F8 to FF is followed by data in UTF-8: even with faults besides, it is read as what it was."""
    good = header(3) + track(CONDUCTOR, 5) + track(HIGH[:-4], 0) + track(LOW.replace(b"\x91", b"\xf5"), 400)
    facts = midiopt.analyze(good.decode("latin-1").encode())
    assert {"utf8_text", "bad_status"} <= set(facts.issue_names)
    assert facts.notes_hash == midiopt.analyze(good).notes_hash


def test_a_transfer_that_the_events_do_not_prove():
    """Text that has the only line feeds, in a file of wrong lengths; and a file that has faults with and without the pairs."""
    text = bytes.fromhex("00 FF 01 04 61 0D 0A 62")
    data = header(2) + track(CONDUCTOR.replace(b"\x0a", b"\x0b") + text + END, 0) + track(LOW, 0)
    assert "text_mode" not in midiopt.analyze(data).issue_names
    assert "text_mode" not in midiopt.analyze(data.replace(b"\xff\x51", b"\xfe\x51")).issue_names


def test_characters_that_are_no_bytes():
    damaged = SONG.replace(b"Cond", "Соnd".encode()).decode("latin-1").encode() + "я".encode()
    assert "utf8_text" not in midiopt.analyze(damaged).issue_names


def test_the_arena_keeps_the_marks_of_an_undone_transfer():
    """They point into bytes of their own, which the next file does not overwrite."""
    damaged = SONG.replace(b"\x0a", b"\x0d\x0a")
    arena = midiopt.parse(damaged)
    marks = arena.marks()
    midiopt.parse(FOUR.replace(b"\x0a", b"\x0d\x0a"))
    assert arena.marks() == marks and marks[0][3] == b"Cond"


# --- lengths of tracks ---------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [0, 1, 7, 8, 20])
def test_a_last_track_that_is_longer_than_it_says(length):
    damaged = header(3) + track(CONDUCTOR) + track(LOW) + track(HIGH, length)
    repaired(damaged, header(3) + track(CONDUCTOR) + track(LOW) + track(HIGH), "track_length", at=len(damaged) - len(HIGH) - 4)


@pytest.mark.parametrize("count", [3, 0])
def test_lengths_that_were_never_filled_in(count):
    damaged = header(count) + track(CONDUCTOR, 0) + track(HIGH, 0) + track(LOW, 0)
    repaired(damaged, SONG, "track_length", at=18)


def test_a_track_longer_than_it_says_and_without_end():
    damaged = header(1) + track(HIGH[:-4], 5)
    repaired(damaged, header(1) + track(HIGH[:-4]), "no_end_of_track", "track_length", at=18)


@pytest.mark.parametrize("events", [HIGH, LOW])
@pytest.mark.parametrize("kind", ["FF 01 0C", "FF 07 0C", "F0 0C"], ids=["text", "cue point", "system exclusive"])
@pytest.mark.parametrize("length", [0, 2, 8, 14])
def test_an_event_that_contains_a_track_header(kind, events, length):
    """Twelve bytes: MTrk, a length of 2, and three letters; an F7 ends them."""
    text = bytes.fromhex(f"00 {kind}  4D 54 72 6B  00 00 00 02  61 62 63 F7")
    good = header(3) + track(CONDUCTOR) + track(text + events) + track(text + LOW)
    damaged = header(3) + track(CONDUCTOR) + track(text + events, length) + track(text + LOW)
    repaired(damaged, good, "track_length", at=18 + len(track(CONDUCTOR)))
    last = header(2) + track(CONDUCTOR) + track(text + events, length)
    repaired(last, header(2) + track(CONDUCTOR) + track(text + events), "track_length", at=18 + len(track(CONDUCTOR)))
    all_lengths = header(3) + track(CONDUCTOR, 0) + track(text + events, 0) + track(text + LOW, 0)
    repaired(all_lengths, good, "track_length", at=18)


@pytest.mark.parametrize("filling", [bytes(30), b"\x1a" * 30, b"more text, perhaps of a mail program"])
def test_filling_is_no_part_of_a_track(filling):
    data = header(1) + track(HIGH[:-4]) + filling
    assert midiopt.analyze(data).issue_names == ["no_end_of_track", "trailing_bytes"]
    assert midiopt.analyze(data).note_count == 2


@pytest.mark.parametrize("more", [2, len(track(LOW)), len(track(LOW)) + 3, 0xFFFFFFFF - len(HIGH)])
def test_a_track_that_is_shorter_than_it_says(more):
    """Its length leads into the next track, over it, or past the end of the file; End of Track stands before MTrk."""
    damaged = header(4) + track(CONDUCTOR) + track(HIGH, len(HIGH) + more) + track(LOW) + track(HIGH)
    repaired(damaged, FOUR, "track_length", at=18 + len(track(CONDUCTOR)))


def test_a_stale_track_behind_end_of_track():
    """The lengths lead to as many tracks as the header counts: what stands in between belongs to none."""
    data = header(3) + track(CONDUCTOR) + track(HIGH + track(LOW)) + track(LOW)
    facts = midiopt.analyze(data)
    assert (facts.issue_names, facts.track_count) == (["bytes_after_end"], 3)
    assert facts.notes_hash == midiopt.analyze(SONG).notes_hash


@pytest.mark.parametrize("more", [1, 8, len(track(LOW)) - 4])
def test_a_track_without_end_that_leads_into_the_next(more):
    damaged = header(3) + track(CONDUCTOR) + track(HIGH[:-4], len(HIGH) - 4 + more) + track(LOW)
    good = header(3) + track(CONDUCTOR) + track(HIGH[:-4]) + track(LOW)
    repaired(damaged, good, "no_end_of_track", "track_length", at=18 + len(track(CONDUCTOR)))


def test_all_tracks_in_one_chunk():
    damaged = header(3) + track(CONDUCTOR + HIGH + LOW)
    repaired(damaged, SONG, "joined_tracks", at=22 + len(CONDUCTOR))


@pytest.mark.parametrize("alien", ["XFIH", "XFKM"])
def test_all_tracks_in_one_chunk_and_an_alien_chunk(alien):
    """Whether the header counts it or not."""
    rest = track(b"").replace(b"MTrk", alien.encode())
    for count in (3, 4):
        data = header(count) + track(CONDUCTOR + HIGH + LOW) + rest
        facts = midiopt.analyze(data)
        assert (facts.issue_names, facts.track_count) == (["joined_tracks", "alien_chunk"], 3)
        assert facts.notes_hash == midiopt.analyze(SONG).notes_hash


@pytest.mark.parametrize("length", [0, 5])
def test_all_tracks_in_one_chunk_of_a_wrong_length(length):
    repaired(header(3) + track(CONDUCTOR + HIGH + LOW, length), SONG, "track_length", "joined_tracks", at=18)


@pytest.mark.parametrize("length", [0, 5, len(CONDUCTOR + HIGH + LOW), 0x7FFFFFFF])
@pytest.mark.parametrize("behind", [bytes(9), b"\r\n\x1a", b"a line of text"])
def test_all_tracks_in_one_chunk_and_other_bytes_behind(length, behind):
    facts = midiopt.analyze(header(3) + track(CONDUCTOR + HIGH + LOW, length) + behind)
    assert {"joined_tracks", "trailing_bytes"} <= set(facts.issue_names) <= {"joined_tracks", "track_length", "trailing_bytes"}
    assert facts.track_count == 3 and music(SONG) == music(header(3) + track(CONDUCTOR + HIGH + LOW, length) + behind)


@pytest.mark.parametrize("count", [4, 30])
def test_all_tracks_in_one_chunk_and_a_header_that_counts_more(count):
    repaired(header(count) + track(CONDUCTOR + HIGH + LOW), SONG, "joined_tracks", "missing_tracks", at=22 + len(CONDUCTOR))


def test_all_tracks_in_one_chunk_behind_an_alien_chunk_that_is_not_counted():
    alien = track(b"info").replace(b"MTrk", b"XFIH")
    facts = midiopt.analyze(header(3) + alien + track(CONDUCTOR + HIGH + LOW))
    assert (facts.issue_names, facts.track_count) == (["joined_tracks", "alien_chunk"], 3)


def test_all_tracks_in_one_chunk_with_a_message_without_length():
    """A fault within a whole event does not show that the bytes are no tracks."""
    message = bytes.fromhex("00 F0 7E 7F 09 01 F7")  # GM on
    facts = midiopt.analyze(header(3) + track(CONDUCTOR + message + HIGH + LOW))
    assert (facts.issue_names, facts.track_count) == (["sysex_length", "joined_tracks"], 3)
    assert facts.notes_hash == midiopt.analyze(SONG).notes_hash


@pytest.mark.parametrize("count", [0, 1])
def test_tracks_in_one_chunk_that_have_names(count):
    """Whatever the header counts: nobody names a track in its middle."""
    named = [bytes.fromhex("00 FF 03 01") + name + events for name, events in ((b"h", HIGH), (b"l", LOW))]
    good = header(3) + track(CONDUCTOR) + b"".join(map(track, named))
    repaired(header(count) + track(CONDUCTOR + b"".join(named)), good, "joined_tracks", at=22 + len(CONDUCTOR))


@pytest.mark.parametrize("length", [0, 5, 0x7FFFFFFF])
def test_a_track_of_a_wrong_length_before_an_alien_chunk(length):
    """Its lyrics are counted."""
    lyrics = track(bytes.fromhex("00 FF 05 02 6C 61") + END).replace(b"MTrk", b"XFKM")
    facts = midiopt.analyze(header(2) + track(CONDUCTOR) + track(HIGH, length) + lyrics)
    assert (facts.issue_names, facts.lyric_count) == (["track_length", "alien_chunk"], 1)


@pytest.mark.parametrize("end", [END, b""])
def test_a_track_of_length_0_with_faults_within_its_events(end):
    """A time signature of two bytes, and a message without a length."""
    faulty = bytes.fromhex("00 FF 58 02 03 02  00 F0 7E 7F 09 01 F7")
    right = bytes.fromhex("00 FF 58 04 03 02 18 08  00 F0 05 7E 7F 09 01 F7")
    facts, good = (midiopt.analyze(header(1) + track(e + HIGH[:-4] + end, n)) for e, n in ((faulty, 0), (right, None)))
    assert {"track_length", "bad_meta", "sysex_length"} <= set(facts.issue_names)
    assert (facts.notes_hash, facts.time_signature, facts.duration_s) == (good.notes_hash, "3/4", good.duration_s)


def test_two_tracks_in_one_chunk():
    damaged = header(3) + track(CONDUCTOR) + track(HIGH + LOW)
    repaired(damaged, SONG, "joined_tracks", at=22 + len(track(CONDUCTOR)) + len(HIGH))


def test_more_tracks_in_one_chunk_than_are_missing():
    """There are three Ends of Track and the header counts two: nothing tells which of them is stale."""
    facts = midiopt.analyze(header(2) + track(HIGH + HIGH + LOW))
    assert (facts.issue_names, facts.track_count, facts.note_count) == (["bytes_after_end", "missing_tracks"], 1, 2)


def test_an_early_end_of_track():
    early = HIGH[:11] + END + HIGH[11:]  # after the first note
    data = header(2) + track(early) + track(LOW)
    facts = midiopt.analyze(data)
    assert (facts.issue_names, facts.error) == (["early_end"], f"{REPAIRS['early_end']} at byte {22 + 11 + 4}")
    assert (facts.track_count, facts.event_count) == (2, 10)
    assert facts.notes_hash == midiopt.analyze(header(2) + track(HIGH) + track(LOW)).notes_hash
    assert midiopt.parse(data).tracks() == [(0, 7, 202), (7, 3, 192)]


def test_an_early_end_and_no_other():
    """What follows begins with a note and ends it, up to the last byte."""
    facts = midiopt.analyze(header(1) + track(HIGH[:11] + END + HIGH[11:-4]))
    assert (facts.issue_names, facts.note_count) == (["no_end_of_track", "early_end"], 2)
    facts = midiopt.analyze(header(1) + track(HIGH[:11] + END + HIGH[15:-4]))  # ends a note that never began
    assert (facts.issue_names, facts.note_count) == (["bytes_after_end"], 1)


# --- how many tracks ---------------------------------------------------------------------------------


@pytest.mark.parametrize("format", [0, 1])
def test_undeclared_tracks(format):
    damaged = header(1, format) + track(CONDUCTOR) + track(HIGH) + track(LOW)
    names = ("format_0_tracks", "undeclared_tracks") if format == 0 else ("undeclared_tracks",)
    repaired(damaged, header(3, format) + track(CONDUCTOR) + track(HIGH) + track(LOW), *names, at=22 + len(CONDUCTOR))


def test_undeclared_tracks_that_are_broken_or_without_notes():
    stray = track(HIGH[:3] + b"\0\xf4" + HIGH[3:-4])
    for broken in (stray, track(HIGH[:-4]) + b"abc", track(HIGH, 5) + bytes(10)):
        facts = midiopt.analyze(header(1) + track(CONDUCTOR) + broken)
        assert (facts.issue_names, facts.track_count) == (["undeclared_tracks", "no_notes", "trailing_bytes"], 1)
    for silent in (track(CONDUCTOR), track(CONDUCTOR) + bytes(10)):
        facts = midiopt.analyze(header(1) + track(CONDUCTOR) + silent)
        assert (facts.issue_names, facts.track_count) == (["no_notes", "trailing_bytes"], 1)


@pytest.mark.parametrize("length", [0, 5, len(HIGH) - 4, 0xFFFFFFFF])
def test_undeclared_tracks_of_wrong_lengths(length):
    damaged = header(1) + track(CONDUCTOR, 0) + track(HIGH, length) + track(LOW, 0)
    repaired(damaged, SONG, "undeclared_tracks", "track_length", at=18)


def test_an_alien_chunk_that_the_header_counts():
    data = header(3) + track(CONDUCTOR) + track(b"what it is", 10).replace(b"MTrk", b"XFIH") + track(HIGH)
    assert (midiopt.analyze(data).issue_names, midiopt.analyze(data).track_count) == (["alien_chunk"], 2)


@pytest.mark.parametrize("count", [2, 3, 0])
def test_another_song_behind(count):
    data = header(count) + track(CONDUCTOR) + track(HIGH) + header(1, 0, "01 E0") + track(LOW)
    facts = midiopt.analyze(data)
    assert facts.issue_names == (["missing_tracks"] if count == 3 else []) + ["joined_songs"]
    assert music(data) == music(header(2) + track(CONDUCTOR) + track(HIGH))


XF_SONG = SONG + track(b"x" * 8).replace(b"MTrk", b"XFIH")
LYRICS = bytes.fromhex(
    "00 FF 07 04 24 4C 79 72"  # cue: what the chunk is
    "00 FF 05 02 6C 61  60 FF 05 02 6C 69"  # la, li
    "00 FF 2F 00"  # End of Track
)


def test_lyrics_in_a_chunk_of_their_own():
    facts = midiopt.analyze(XF_SONG + track(LYRICS).replace(b"MTrk", b"XFKM"))
    assert (facts.issue_names, facts.lyric_count, facts.track_count) == (["alien_chunk"], 2, 3)
    assert facts.event_count == midiopt.analyze(SONG).event_count


@pytest.mark.parametrize("length", [0, 9, 40, 0xFFFFFFFF])
def test_lyrics_in_a_chunk_of_a_wrong_length(length):
    """The chunk ends with its End of Track, also in the file that is written anew."""
    data = XF_SONG + track(LYRICS, length).replace(b"MTrk", b"XFKM") + bytes(20)
    facts, written = midiopt.analyze(data), midiopt.parse(data).to_bytes()
    assert facts.issue_names == ["chunk_overrun"] * (length > 99) + ["track_length", "alien_chunk", "trailing_bytes"]
    assert facts.lyric_count == 2
    assert written == midiopt.parse(XF_SONG + track(LYRICS).replace(b"MTrk", b"XFKM")).to_bytes()


def test_lyrics_of_a_file_that_is_cut():
    data = XF_SONG + track(LYRICS).replace(b"MTrk", b"XFKM")
    counts = [midiopt.analyze(data[:-missing]).lyric_count for missing in range(1, 20)]
    assert counts == [2] * 4 + [1] * 6 + [0] * 9
    assert midiopt.analyze(data[:-1]).issue_names == ["chunk_overrun", "alien_chunk"]
    assert midiopt.analyze(midiopt.parse(data[:-1]).to_bytes()).lyric_count == 2


# --- header and container ----------------------------------------------------------------------------


@pytest.mark.parametrize(("division", "right"), [("E1 B0", "E2 50"), ("E6 D8", "E7 28"), ("E1 FC", "E2 04")])
def test_a_division_that_was_negated_as_a_whole(division, right):
    good = header(1, 1, right) + track(HIGH)
    damaged = header(1, 1, division) + track(HIGH)
    assert midiopt.analyze(damaged).issue_names == ["frame_rate", "smpte"]
    assert music(damaged) == music(good)
    assert midiopt.parse(damaged).division == int.from_bytes(bytes.fromhex(right), "big")


@pytest.mark.parametrize(("division", "right"), [("E7 B0", "E8 50"), ("E2 9C", "E3 64"), ("E7 FC", "E8 04")])
def test_a_negated_division_that_looks_like_another_frame_rate(division, right):
    """25 frames of 176 ticks, and so on: E7 28, 25 of 40, is left as it is."""
    damaged = header(1, 1, division) + track(HIGH)
    assert midiopt.analyze(damaged).issue_names == ["frame_rate", "smpte"]
    assert music(damaged) == music(header(1, 1, right) + track(HIGH))
    assert midiopt.analyze(header(1, 1, "E7 28") + track(HIGH)).issue_names == ["smpte"]


def test_a_frame_rate_that_does_not_exist():
    facts = midiopt.analyze(header(1, 1, "CE 50") + track(HIGH))  # 50 frames; negated, 49
    assert (facts.issue_names, facts.duration_s) == (["frame_rate", "smpte"], 202 / (50 * 80))


def rmid(song: bytes, size: int | None = None, before: bytes = b"", after: bytes = b"") -> bytes:
    """A RIFF container; `size` is what its data chunk says."""
    data = b"data" + (len(song) if size is None else size).to_bytes(4, "little") + song + bytes(len(song) & 1)
    content = b"RMID" + before + data + after
    return b"RIFF" + len(content).to_bytes(4, "little") + content


INFO = b"LIST" + (16).to_bytes(4, "little") + b"INFOINAM" + (4).to_bytes(4, "little") + b"Name"


@pytest.mark.parametrize("size", [0, 1, 14, 40, len(SONG) - 1])
@pytest.mark.parametrize("after", [b"", INFO])
def test_rmid_data_that_is_larger_than_it_says(size, after):
    repaired(rmid(SONG, size, after=after), SONG, "rmid_size", "rmid", at=16)


@pytest.mark.parametrize("length", [0, 5])
@pytest.mark.parametrize("size", [0, 1, 20, 60])
def test_rmid_data_and_tracks_of_wrong_lengths(length, size):
    """No chunk of the container begins where the size leads."""
    song = header(3) + track(CONDUCTOR, length) + track(HIGH, length) + track(LOW, length)
    repaired(rmid(song, size)[: 20 + len(song)], SONG, "track_length", "rmid_size", "rmid", at=16)


def test_lyrics_in_rmid_data_that_is_larger_than_it_says():
    lyrics = track(bytes.fromhex("00 FF 05 02 6C 6100 FF 2F 00")).replace(b"MTrk", b"XFKM")
    for size in (0, len(SONG), None):
        assert midiopt.analyze(rmid(SONG + lyrics, size)).lyric_count == 1


@pytest.mark.parametrize("size", [None, len(SONG) + 1, 0xFFFFFFFF])
def test_rmid_data_that_is_not(size):
    facts = midiopt.analyze(rmid(SONG, size))
    assert facts.status == "ok" and music(rmid(SONG, size)) == music(SONG)


@pytest.mark.parametrize("padded", [True, False])
def test_rmid_chunks_of_odd_sizes(padded):
    """They are padded to even sizes; some programs do not."""
    odd = b"DISP" + (2001).to_bytes(4, "little") + b"x" * 2001 + bytes(padded)
    assert midiopt.analyze(rmid(SONG, before=odd)).issue_names == ["rmid"]


def test_riff_sizes_do_not_matter():
    data = rmid(SONG)
    assert midiopt.analyze(data[:4] + bytes(4) + data[8:]).issue_names == ["rmid"]


# --- properties --------------------------------------------------------------------------------------

valid = songs(valid=True)


def split(data: bytes) -> list[bytes]:
    """The events of each track of a well-formed file."""
    at, found = 14, []
    while at < len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "big")
        found.append(data[at + 8 : at + 8 + length])
        at += 8 + length
    return found


@given(valid, st.integers(1, 2), st.booleans())
def test_any_file_changed_in_text_mode(song, times, mac):
    good = song.encode()
    old = b"\r" if mac else b"\n"
    damaged = good.replace(old, b"\r" * times + b"\n" if not mac else b"\r\n")
    if damaged == good or (mac and not re.search(rb"(?<!\r)\n", damaged)):
        return  # nothing to change, or it looks like line feeds that were changed
    assert "text_mode" in midiopt.analyze(damaged).issue_names
    assert music(damaged) == music(good)


@given(valid, st.integers(1, 2))
def test_any_file_saved_as_utf8(song, times):
    good = damaged = song.encode()
    for _ in range(times):
        damaged = damaged.decode("latin-1").encode()
    assert "utf8_text" in midiopt.analyze(damaged).issue_names
    assert music(damaged) == music(good)


@given(valid, st.data())
def test_any_lengths_of_tracks(song, data):
    """Whatever the lengths say, events and End of Track tell where tracks end."""
    good = song.encode()
    tracks = split(good)
    assume(good.count(b"MTrk") == len(tracks))  # none in a text
    lengths = [data.draw(st.just(len(t)) | st.just(0) | st.integers(0, len(t)) | st.integers(0, 2 * len(good))) for t in tracks]
    damaged = good[:14] + b"".join(track(t, n) for t, n in zip(tracks, lengths, strict=True))
    assert music(damaged) == music(good)


@given(
    valid,
    st.sampled_from([bytes.fromhex("00 F0 7E 7F 09 01 F7"), bytes.fromhex("00 FF 58 02 03 02"), bytes.fromhex("00 FF 51 03 00 00 00")]),
)
def test_any_track_of_length_0_with_faulty_events(song, event):
    """What is wrong within an event does not hide where the track ends."""
    good = song.encode()
    tracks = [event + t for t in split(good)]
    assume(good.count(b"MTrk") == len(tracks))
    whole, damaged = (good[:14] + b"".join(track(t, length) for t in tracks) for length in (None, 0))
    assume(music(whole)["note_count"] == music(good)["note_count"])  # the sysex may seem to have 126 bytes, where another has no F7
    assert music(damaged) == music(whole)


NAMED_CR_LF = [(0, b"\xffQ\x03\x07\xa1 "), (0, b"\xff\x03\x02\r\n"), (240, b"\xff/\x00")]


@given(valid)
@example(Song(0, 1, [NAMED_CR_LF], False))  # with one byte less, the name and the rest behind it might be read, too
def test_any_file_of_lengths_0_saved_as_utf8(song):
    good = song.encode()
    tracks = split(good)
    assume(good.count(b"MTrk") == len(tracks))
    damaged = (good[:14] + b"".join(track(t, 0) for t in tracks)).decode("latin-1").encode()
    assert "utf8_text" in midiopt.analyze(damaged).issue_names
    assert music(damaged) == music(good)


@given(valid)
def test_any_tracks_in_one_chunk(song):
    good = song.encode()
    tracks = split(good)
    assume(len(tracks) > 1)
    damaged = good[:14] + track(b"".join(tracks))
    assert "joined_tracks" in midiopt.analyze(damaged).issue_names
    assert music(damaged) == music(good)


@given(valid)
def test_any_tracks_that_are_not_counted(song):
    good = song.encode()
    tracks = [smf.END_OF_TRACK.join([b"\0", b""]), *split(good)]
    assume(midiopt.analyze(good).note_count)
    files = [good[:8] + good[8:10] + n.to_bytes(2, "big") + good[12:14] + b"".join(map(track, tracks)) for n in (1, len(tracks))]
    assert music(files[0]) == music(files[1])
    assert "undeclared_tracks" in midiopt.analyze(files[0]).issue_names


@given(valid, st.binary(max_size=60) | st.sampled_from([SONG, track(HIGH), b"XFIH" + bytes(4)]))
def test_bytes_after_the_last_track_change_only_status_and_issues(song, rest):
    good = song.encode()
    assume(midiopt.analyze(good).note_count)
    assert music(good + rest) == music(good)
    assert midiopt.analyze(good + rest).status == "ok"
