"""lyric_count: lyric events, and the text events of karaoke files that are syllables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import midiopt
from midiopt.core.text import lyrics_words
from reference.analyzer import says_lyrics
from sample import smf

SYLLABLES = ["\\Hap", "py ", "birth", "day ", "to ", "you"]
HEADER = [(0, smf.text(smf.TEXT, line)) for line in ("@KMIDI KARAOKE FILE", "@V0100", "@IMade by hand")]
TAGS = [(0, smf.text(smf.TEXT, line)) for line in ("@LENGL", "@TTitle", "@TComposer")]


def sung(kind: int = smf.TEXT, gap: int = 48) -> list[smf.Event]:
    """The syllables, each `gap` ticks after the one before."""
    return [(gap * i, smf.text(kind, syllable)) for i, syllable in enumerate(SYLLABLES)]


def named(name: str) -> list[smf.Event]:
    return [(0, smf.text(smf.TRACK_NAME, name))]


def count(*tracks: list[smf.Event]) -> int:
    notes = [(0, smf.note_on(0, 60, 64)), (480, smf.note_off(0, 60))]
    return midiopt.analyze(smf.smf([*map(smf.track, tracks), smf.track(notes)])).lyric_count


def test_lyric_events_are_syllables():
    assert count(sung(smf.LYRIC)) == 6


def test_tags_are_no_syllables():
    assert count([*HEADER, *TAGS, *sung(smf.LYRIC)]) == 6
    assert count([(0, smf.text(smf.LYRIC, "@LENGL")), *sung(smf.LYRIC)]) == 6


@pytest.mark.parametrize("name", ["Words", " WORDS ", "words\0", "Melody", ""])
def test_soft_karaoke(name):
    """The header in a track of its own, and the syllables in another, whatever its name."""
    assert count([*named("Soft Karaoke"), *HEADER], [*named(name), *TAGS, *sung()]) == 6


def test_karaoke_of_one_track():
    assert count([*named("Title"), *HEADER, *TAGS, *sung()]) == 6


def test_comments_and_marks_of_other_tracks_are_no_syllables():
    comments = [(0, smf.text(smf.TEXT, f"line {i}")) for i in range(20)]
    hidden = [(0, smf.text(smf.TEXT, "%-")), (480, smf.text(smf.TEXT, "%+"))]
    assert count(comments, [*HEADER], [*named("Words"), *TAGS, *sung()], [*named("Guitar"), *hidden]) == 6


@pytest.mark.parametrize("name", ["Words", "Lyrics", "lyric track", "Letra", "KARAOKE", "Paroles", "Testo", "Songtext"])
def test_a_track_whose_name_says_lyrics(name):
    assert count([*named(name), *sung()], [*named("Chords"), *sung()]) == 6
    assert count([*named(name), *sung()], [*named(name), *sung()]) == 12  # two voices


@pytest.mark.parametrize(
    ("name", "charset"),
    [
        *((name, charset) for name in ("歌詞", "カラオケ") for charset in ("cp932", "utf-8", "utf-8-sig", "utf-16")),
        *(("歌词", "gbk"), ("歌詞", "big5"), ("가사", "euc-kr"), ("가사", "utf-8"), ("Слова песни", "koi8-r"), ("ТЕКСТ", "utf-16")),
        *(("Слова", charset) for charset in ("cp1251", "koi8-r", "utf-8", "utf-8-sig", "utf-16")),
        *(("Słowa", "cp1250"), ("słowa", "utf-8"), ("Tekst", "ascii"), ("Dalszöveg", "cp1250"), ("Sözler", "utf-8"), ("Parole", "ascii")),
        *((name, "utf-16") for name in ("Words", "Lyrics", "Letra", " PAROLES ", "Słowa")),
    ],
)
def test_a_track_whose_name_says_lyrics_in_other_letters(name, charset):
    data = name.encode(charset)
    assert count([(0, smf.meta(smf.TRACK_NAME, data)), *sung()]) == 6
    assert says_lyrics(data.decode("latin-1"))


PIECES = [
    *(word.data for word in lyrics_words.WORDS),
    *(b"words", b"Lyric", b"tekst", b" ", b"\0", b"\xfe\xff", b"\xff\xfe", b"{@UTF-16LE}"),
]


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=3)), max_size=4).map(b"".join))
def test_names_as_in_the_reference(name):
    assert count([(0, smf.meta(smf.TRACK_NAME, name)), *sung()]) == (6 if says_lyrics(name.decode("latin-1")) else 0)


@pytest.mark.parametrize(
    "name", ["Слова и музыка", "Parole e musica", "Słowa: Jan", "Wordsmith", "Words & Music by", "Guitar", "Chords", ""]
)
def test_texts_of_other_tracks_are_no_syllables(name):
    assert count([(0, smf.meta(smf.TRACK_NAME, name.encode())), *sung()]) == 0


def test_a_name_alone_makes_no_syllables():
    assert count([*named("Words"), *sung(gap=0)]) == 0  # all at one tick: comments
    assert count([*named("Words"), *sung()[:3]]) == 0  # three are few


def test_whichever_are_more():
    assert count([*HEADER, *sung()], sung(smf.LYRIC)[:5]) == 6
    assert count([*HEADER, *sung()[:5]], sung(smf.LYRIC)) == 6


def test_an_empty_text_prolongs_the_syllable_before():
    events = sorted([*sung(), *((48 * i + 24, smf.meta(smf.TEXT)) for i in range(6))], key=lambda event: event[0])
    assert count([*named("Words"), *events]) == 6
