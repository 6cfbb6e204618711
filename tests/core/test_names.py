"""Title and track names: encodings that mark themselves, cut names, language tags, and the order of titles."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

import midiopt
from sample.smf import LYRIC, TEXT, TRACK_NAME, Event, meta, note_off, note_on, smf, sysex, track

NOTE: list[Event] = [(0, note_on(0, 60, 64)), (480, note_off(0, 60))]


def names(*texts: bytes) -> list[str]:
    """The track names of a file with a track per name."""
    return midiopt.analyze(smf([track([(0, meta(TRACK_NAME, text)), *NOTE]) for text in texts])).track_names


def title(*tracks: list[bytes]) -> str | None:
    """The title of a file whose tracks hold these events; a track with a note in it is no conductor's."""
    return midiopt.analyze(smf([track([(0, event) for event in events]) for events in tracks])).title


# --- Unicode with a mark ---


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"\xfe\xff\x00T\x00r\x00\xe4\x00u\x00m", "Träum"),  # FE FF: the high byte first
        (b"\xff\xfeT\x00r\x00\xe4\x00u\x00m\x00", "Träum"),  # FF FE: the low byte first
        (b"\xfe\xff\x00A\x00b\x00\x00", "Ab"),  # with a terminator
        (b"\xff\xfeA\x00b\x00\x00\x00", "Ab"),
        (b"\xfe\xff\x00A\x00b\x00", "Ab"),  # half a unit at the end
        (b"\xff\xfeA\x00b\x00\x00", "Ab"),
        (b"\xff\xfeA\x00b", "Ab"),  # whose zero was taken for the end of the text
        (b"\xff\xfeA\x00\x05", "A"),  # half of U+0105
        (b"\xff\xfe\x5c\x66\x1f\x66\x1f", "晜星"),  # half a unit of a text that is not Latin-1 says nothing
        (b"\xfe\xff\x5c\x0f\x66\x1f\xd8\x3c\xdf\xb9", "小星🎹"),  # a surrogate pair
        (b"\xfe\xff\xd8\x3c\x00A\xdc\x00", "\ufffdA\ufffd"),  # halves of pairs
        (b"\xfe\xff\x00A\x00 \x30\x00\x00\r\x00\n", "A"),  # blanks at the end, the ideographic one, too
        (b"\xef\xbb\xbfFl\xc3\xb6te", "Flöte"),  # the mark of UTF-8
        (b"\xef\xbb\xbfPiano", "Piano"),
        (b"\xef\xbb\xbf\xef\xbb\xbfPiano", "Piano"),  # a text that was marked twice
        (b"\xef\xbb\xbfFl\xc3", "Fl"),  # marked, and cut in its first character of two bytes
    ],
)
def test_marked_texts(data, name):
    assert names(data) == [name]


@pytest.mark.parametrize("data", [b"\xfe\xff", b"\xff\xfe\x00\x00", b"\xff\xfe ", b"\xef\xbb\xbf", b"\xef\xbb\xbf \0", b"\xfe\xff\x30\x00"])
def test_a_mark_alone_is_no_name(data):
    assert names(data) == []


@given(st.text(max_size=30), st.sampled_from(["utf-16-be", "utf-16-le"]), st.sampled_from(["", "\0", "\0\0", "  "]))
def test_utf16_reads_back(text, encoding, end):
    expected = text.replace("\0", "").rstrip(" \t\n\v\f\r\xa0\u3000")
    if "{" not in text:
        assert names("\ufeff".encode(encoding) + (text + end).encode(encoding)) == [expected] * bool(expected)


# --- UTF-8 that is cut within a character ---

CYRILLIC, JAPANESE, FRENCH = "Вечерний звон", "エリーゼのために", "Études d’exécution à quatre mains"
HEBREW, ARABIC = "הבה נגילה", "طلع البدر علينا"


@pytest.mark.parametrize("text", [CYRILLIC, JAPANESE, FRENCH, HEBREW, ARABIC, "Ständchen für Flöte"])
@pytest.mark.parametrize("padding", [b"", b"\0", b"  "])
def test_utf8_cut_at_any_width(text, padding):
    data = text.encode()
    for width in range(data.index(text[1:].encode()) + len(text[1].encode()), len(data) + 1):
        cut = data[:width]
        if not cut.decode(errors="ignore").isascii():
            expected = cut.decode(errors="ignore")
            assert names(cut + padding) == [expected.rstrip() if expected.encode() == cut else expected], cut


def test_one_other_name_shows_that_a_cut_is_utf8():
    """D2 B2 DD is half of "Ҳ" and one more, or "ﾒｲﾝ" in Shift-JIS."""
    assert names(b"\xd2\xb2\xdd") == ["ﾒｲﾝ"]
    assert names("Вечер".encode(), b"\xd2\xb2\xdd") == ["Вечер", "Ҳ"]


def test_an_accent_at_the_end_is_not_a_cut():
    assert names(b"Caf\xe9") == ["Café"]  # CP1252; E9 begins a character of three bytes in UTF-8


# --- one name, not two ---


def test_blanks_at_the_end_make_no_second_name():
    assert names(b"Piano", b"Piano   ", b"Piano\0", b"Piano\0\0 \t\r\n", b"Pi\0ano", b"\xfe\xff\0P\0i\0a\0n\0o\0 ") == ["Piano"]
    assert names(b"  Piano  ") == ["  Piano"]


def test_many_names_are_listed_once_and_in_order():
    different = [b"Part %d" % i for i in range(999)]
    assert names(*different, b"Part 7 ", b"Part 8") == [name.decode() for name in different]
    assert len(names(*(b"%d" % i for i in range(1100)))) == 1000


def test_the_first_name_of_a_track_that_is_not_blank():
    assert title([meta(TRACK_NAME, b" \0"), meta(TRACK_NAME, b"Song"), meta(TRACK_NAME, b"Other")]) == "Song"


# --- language tags of RP-026 ---


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"{@JP}\x83s\x83A\x83m", "ピアノ"),
        (b"{@jp}\xcb\xdf\xb1\xc9", "ﾋﾟｱﾉ"),  # Cyrillic in CP1251
        (b"{@LATIN}\x83s\x83A\x83m", "ƒsƒAƒm"),
        (b"{@UTF-8}\xcb\xb1\xc9", "˱"),
        (b"{@UTF-16LE}P\0i\0", "Pi"),
        (b"{@UTF-16BE}\0P\0i", "Pi"),
        (b"Pia{@LATIN}no{#Composer=me}", "Piano"),
        (b"{@other}Piano", "Piano"),
        (b"{Piano}", "{Piano}"),  # no tag
        (b"{@Piano", "{@Piano"),
        (b"{@LATIN} ", " "),
    ],
)
def test_language_tags(data, name):
    assert names(data) == ([name] if name.strip() else [])


def test_a_tag_in_the_lyrics_is_for_the_names_too():
    name = meta(TRACK_NAME, b"\xcb\xdf\xb1\xc9")
    assert title([name, meta(LYRIC, b"{@LATIN}la")]) == "Ëß±É"
    assert title([name, meta(LYRIC, b"{@JP}la")]) == "ﾋﾟｱﾉ"
    assert title([name, meta(LYRIC, b"la"), meta(TEXT, b"{@LATIN}"), meta(LYRIC, b"{@JP}")]) == "Ëß±É"  # the first


# --- which text is the title ---

NAMED, UNNAMED = meta(TRACK_NAME, b"Name of track 0"), meta(TRACK_NAME, b" ")
LINE, WORDS = meta(TEXT, b"@TTitle of the karaoke "), meta(TRACK_NAME, b"Words")
CONDUCTOR, PART = meta(TRACK_NAME, b"Conductor's"), meta(TRACK_NAME, b"Piano")


def test_the_order_of_titles():
    assert title([NAMED], [WORDS, LINE], [CONDUCTOR]) == "Name of track 0"
    assert title([UNNAMED], [WORDS, LINE, meta(TEXT, b"@TArtist")], [CONDUCTOR]) == "Title of the karaoke"
    assert title([UNNAMED], [CONDUCTOR], [PART]) == "Conductor's"
    assert title([note_on(0, 60, 1)], [PART, note_on(0, 60, 1)]) is None


def test_lines_of_karaoke():
    assert title([meta(TEXT, b"@T "), LINE]) == "Title of the karaoke"  # the first that is not blank
    assert title([meta(LYRIC, b"@TNo title")]) is None  # a lyric
    assert title([meta(TEXT, b"@LENGL"), meta(TEXT, b"@ITitle of nothing")]) is None


def test_song_information():
    assert title([meta(LYRIC, b"{@JP}{#TITLE= \x83s}{#Composer=x}")]) == "ピ"
    assert title([meta(LYRIC, b"{#Title=}{#Title=Song}")]) == "Song"
    assert title([meta(LYRIC, b"{#Title=Song")]) is None


@pytest.mark.parametrize("name", [b"Soft Karaoke", b"WORDS", b"Lyrics ", b"=====", b"* * *"])
def test_names_of_text_tracks_that_are_no_titles(name):
    assert title([UNNAMED], [meta(TRACK_NAME, name)]) is None
    assert title([UNNAMED], [meta(TRACK_NAME, name)], [CONDUCTOR]) == "Conductor's"


def test_a_track_of_system_exclusive_events_gives_no_title():
    assert title([UNNAMED], [meta(TRACK_NAME, b"GS reset"), sysex(b"\x41\xf7")], [CONDUCTOR]) == "Conductor's"


# --- RMID ---


def riff(*chunks: bytes) -> bytes:
    """A RIFF file of these chunks, whose lengths are little-endian and which are padded to even lengths."""
    body = b"".join(chunks)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"RMID" + body


def riff_chunk(tag: bytes, data: bytes) -> bytes:
    return tag + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


SONG, OTHER = smf([track([(0, UNNAMED), *NOTE]), track([(0, CONDUCTOR)])]), smf([track([(0, NAMED)])])
INFO = riff_chunk(b"LIST", b"INFO" + riff_chunk(b"IART", b"Artist") + riff_chunk(b"INAM", b"Title in RIFF\0"))


def test_the_title_in_an_rmid_container():
    for chunks in ((riff_chunk(b"data", SONG), INFO), (INFO, riff_chunk(b"data", SONG))):
        assert midiopt.analyze(riff(*chunks)).title == "Title in RIFF"
    assert midiopt.analyze(riff(INFO, riff_chunk(b"data", OTHER))).title == "Name of track 0"
    assert midiopt.analyze(riff(riff_chunk(b"LIST", b"DLS " + INFO[12:]), riff_chunk(b"data", SONG))).title == "Conductor's"


@pytest.mark.parametrize("size", [0, 5, len(SONG) - 4])
def test_the_title_behind_rmid_data_that_is_larger_than_it_says(size):
    data = riff_chunk(b"data", SONG)
    facts = midiopt.analyze(riff(data[:4] + struct.pack("<I", size) + data[8:], INFO))
    assert (facts.title, facts.issue_names) == ("Title in RIFF", ["rmid_size", "rmid"])


@given(st.integers(0, 200), st.sampled_from([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x10\0\0\0"]))
def test_damaged_containers(at, length):
    """Cut or with a wrong length anywhere, a container is read within its bytes or refused."""
    file = riff(INFO, riff_chunk(b"data", SONG), INFO)
    for damaged in (file[:at], file[:at] + length + file[at + 4 :]):
        with contextlib.suppress(midiopt.MidiError):
            midiopt.analyze(damaged)
