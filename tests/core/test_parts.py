"""Parts: ports, programs, and which parts are drums.

Most files here have a track per part and 96 ticks per quarter. BEAT is four quarters of kick, hi-hat and snare, TUNE a scale.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import midiopt
from accuracy import corpus
from midiopt.core.notes.drum_words import WORDS
from reference.parts import says_drums
from sample import smf
from tests.core.test_policy import END, chunk, one_track

FIELD = corpus.CORPUS.parent / "field"
BEAT = [(48 * i, pitch) for i in range(16) for pitch in ((42, 36) if i % 4 == 0 else (42, 38) if i % 4 == 2 else (42,))]  # (tick, pitch)
TUNE = [(96 * i, pitch) for i, pitch in enumerate([60, 62, 64, 65, 67, 69, 71, 72, 71, 69, 67, 65, 64, 62, 60, 67])]
GM2_ON, XG_ON = bytes.fromhex("F0 05 7E 7F 09 03 F7"), bytes.fromhex("F0 08 43 10 4C 00 00 7E 00 F7")


def notes(channel: int, music: list[tuple[int, int]], length: int = 24) -> list[smf.Event]:
    """Music as (tick, pitch) on a channel, counted from 0."""
    ons = [(tick, smf.note_on(channel, pitch, 90)) for tick, pitch in music]
    return sorted([*ons, *((tick + length, smf.note_off(channel, pitch)) for tick, pitch in music)], key=lambda event: event[0])


def song(*tracks: list[smf.Event]) -> midiopt.Analysis:
    return midiopt.analyze(smf.smf([smf.track(events) for events in tracks], division=96))


def at_start(*events: bytes) -> list[smf.Event]:
    return [(0, event) for event in events]


def rhythm_part(block: int, mode: int) -> bytes:
    """GS: use part `block` for rhythm."""
    return smf.sysex(bytes([0x41, 0x10, 0x42, 0x12, 0x40, 0x10 | block, 0x15, mode, 0x1B - block - mode & 0x7F, 0xF7]))


def bank(channel: int, number: int, program: int = 0) -> tuple[bytes, bytes, bytes]:
    """Bank select, both bytes, and a program change."""
    return smf.control_change(channel, 0, number), smf.control_change(channel, 32, 0), smf.program_change(channel, program)


# --- ports --------------------------------------------------------------------------------------------


def port(number: int) -> bytes:
    return smf.meta(0x21, bytes([number]))


def device(name: bytes) -> bytes:
    return smf.meta(0x09, name)


@pytest.mark.parametrize(("one", "other"), [(port(0), port(1)), (port(2), port(7)), (device(b"Port 1"), device(b"Port 2"))])
def test_a_channel_of_two_ports_is_two_parts(one, other):
    """The program of the second port comes first in the second track, before the notes of the first: it is not theirs."""
    first = at_start(one, smf.program_change(0, 5)) + [(tick + 96, event) for tick, event in notes(0, TUNE)]
    second = at_start(other, smf.program_change(0, 40)) + notes(0, TUNE[:5])
    facts = song(first, second)
    assert (facts.programs, facts.primary_program, facts.channels) == ([5, 40], 5, [1])
    assert song(first, at_start(one, smf.program_change(0, 40)) + notes(0, TUNE[:5])).programs == [40]


def test_a_port_named_after_the_program_change():
    facts = song(
        at_start(port(0), smf.program_change(0, 5)) + notes(0, TUNE), at_start(smf.program_change(0, 40), port(1)) + notes(0, TUNE[:5])
    )
    assert (facts.programs, facts.primary_program) == ([5, 40], 5)


def test_a_track_without_a_port_plays_on_the_first():
    """Programs in a track of their own, as many sequencers write them."""
    facts = song(at_start(smf.program_change(0, 5)), at_start(port(0)) + notes(0, TUNE), at_start(port(1)) + notes(0, TUNE[:5]))
    assert (facts.programs, facts.primary_program) == ([0, 5], 5)


def test_a_port_that_changes_within_a_track():
    """Format 0 with two ports, which take turns."""
    events = at_start(port(0), smf.program_change(0, 5), port(1), smf.program_change(0, 40))
    events += [(0, port(0)), *notes(0, TUNE[:3]), (288, port(1)), *notes(0, TUNE[3:5])]
    facts = song(events)
    assert (facts.programs, facts.primary_program) == ([5, 40], 5)


def test_channel_10_of_each_port_is_drums():
    facts = song(at_start(port(0)) + notes(9, BEAT), at_start(port(1)) + notes(9, BEAT), at_start(port(1)) + notes(0, TUNE))
    assert (facts.drum_note_count, facts.note_count) == (2 * len(BEAT), 2 * len(BEAT) + len(TUNE))


def test_more_ports_than_are_told_apart():
    """All of the 40 tracks are read; the ports from the sixteenth on are one."""
    tracks = [at_start(port(i), smf.program_change(0, i)) + notes(0, TUNE[:3]) for i in range(40)]
    facts = song(*tracks)
    assert facts.note_count == 120
    assert set(range(15)) < set(facts.programs)
    assert facts.drum_note_count == 0


def test_an_empty_port_event_names_none():
    file = one_track(bytes.fromhex("00 FF 21 00  00 C0 05  00 90 3C 40  60 80 3C 00") + END)
    assert midiopt.analyze(file).programs == [5]


@pytest.mark.skipif(not FIELD.is_dir(), reason="the files of the field are absent")
@pytest.mark.parametrize("name", ["ports_programs", "ports_by_device_name"])
def test_ports_of_the_field(name):
    facts = midiopt.analyze((FIELD / f"{name}.mid").read_bytes())
    assert (facts.note_count, facts.programs, facts.primary_program, facts.status) == (66, [0, 40], 0, "ok")


# --- drums that say so --------------------------------------------------------------------------------


@pytest.mark.parametrize(("block", "channel"), [*((i, i - 1) for i in range(1, 10)), *((i, i) for i in range(10, 16))])
@pytest.mark.parametrize("mode", [1, 2])
def test_gs_use_for_rhythm_part(block, channel, mode):
    """Blocks 1 to 9 are channels 1 to 9, A to F channels 11 to 16; both drum maps."""
    facts = song(at_start(rhythm_part(block, mode)), notes(channel, TUNE))
    assert (facts.drum_note_count, facts.programs, facts.key, facts.polyphony_max, facts.issues) == (len(TUNE), [], None, 0, 0)
    assert song(at_start(rhythm_part(block, mode)), notes((channel + 1) % 9, TUNE)).drum_note_count == 0


def test_gs_block_0_is_channel_10():
    assert song(at_start(rhythm_part(0, 0)), notes(9, TUNE)).drum_note_count == 0
    assert song(at_start(rhythm_part(0, 1)), notes(9, TUNE)).drum_note_count == len(TUNE)


@pytest.mark.parametrize(("position", "flipped"), [(5, 2), (7, 3), (8, 1)])
def test_gs_messages_with_a_wrong_checksum_are_ignored(position, flipped):
    """By the devices, too: the block, the mode or the checksum is not what was sent."""
    damaged = bytearray(rhythm_part(1, 1))
    damaged[2 + position] ^= flipped
    assert song(at_start(bytes(damaged)), *(notes(channel, TUNE) for channel in range(9))).drum_note_count == 0


def test_gs_has_no_third_drum_map():
    assert song(at_start(rhythm_part(1, 3)), notes(0, TUNE)).drum_note_count == 0


def test_a_mode_holds_from_its_tick_on():
    facts = song([(8 * 96, rhythm_part(1, 1)), (12 * 96, rhythm_part(1, 0))], notes(0, TUNE))
    assert facts.drum_note_count == 4


@pytest.mark.parametrize("length", ["08", "00"])
def test_xg_part_mode(length):
    mode = bytes.fromhex(f"F0 {length} 43 10 4C 08 0B 07 02 F7")  # part 12: drum setup 1
    assert song(at_start(mode), notes(11, TUNE)).drum_note_count == len(TUNE)
    assert song(at_start(mode), notes(10, TUNE)).drum_note_count == 0


@pytest.mark.parametrize("number", [126, 127])
def test_xg_banks(number):
    assert song(at_start(XG_ON), at_start(*bank(4, number)) + notes(4, TUNE)).drum_note_count == len(TUNE)
    assert song(at_start(*bank(4, number)) + notes(4, TUNE), at_start(XG_ON)).drum_note_count == len(TUNE)  # XG wherever it says so


def test_bank_127_without_xg_is_drums_only_if_a_kit_is_played():
    """In GS, bank 127 has the sounds of an MT-32."""
    assert song(at_start(*bank(4, 127)) + notes(4, BEAT)).drum_note_count == len(BEAT)
    assert song(at_start(*bank(4, 127)) + notes(4, TUNE)).drum_note_count == 0
    assert song(at_start(*bank(4, 127, 66)) + notes(4, BEAT)).drum_note_count == 0  # 66 is no kit


def test_gm2_banks():
    assert song(at_start(GM2_ON, *bank(4, 120)) + notes(4, TUNE)).drum_note_count == len(TUNE)
    assert song(at_start(GM2_ON, *bank(4, 121)) + notes(4, BEAT)).drum_note_count == 0
    assert song(at_start(GM2_ON, *bank(9, 121)) + notes(9, BEAT)).drum_note_count == 0
    assert song(at_start(GM2_ON, *bank(9, 120)) + notes(9, BEAT)).drum_note_count == len(BEAT)
    assert song(at_start(*bank(9, 0)) + notes(9, BEAT)).drum_note_count == len(BEAT)


def test_a_bank_counts_from_the_program_change_on_and_for_the_following_ones():
    late = [(4 * 96, bank(4, 120)[0]), (8 * 96, smf.program_change(4, 0)), (12 * 96, smf.program_change(4, 8))]
    events = sorted([*late, *notes(4, TUNE)], key=lambda event: event[0])
    assert song(events).drum_note_count == 8
    back = sorted([*((13 * 96, event) for event in bank(4, 0, 5)), *events], key=lambda event: event[0])
    assert (song(back).drum_note_count, song(back).programs) == (5, [0, 5])


# --- drums by their name ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [smf.TRACK_NAME, smf.INSTRUMENT])
@pytest.mark.parametrize(
    "name", ["Drums", "DRUMKIT", "perc", "Sub drums 2", "Batería", "Batterie", "Schlagzeug", "Snare", "Hi-Hat", "bdrum1"]
)
def test_a_name_and_how_it_is_played(kind, name):
    facts = song(at_start(smf.text(kind, name)) + notes(3, BEAT), notes(0, TUNE))
    assert (facts.drum_note_count, facts.issue_names, facts.status) == (len(BEAT), ["drums_by_name"], "ok")
    assert facts.unique_pitches == len({pitch for _, pitch in TUNE})


JAPANESE = ("ドラム", "ドラムス 1", "ﾄﾞﾗﾑ", "打楽器", "パーカッション")
CHINESE = ("鼓", "架子鼓", "大鼓组", "打击乐")
RUSSIAN = ("ударные", "УДАРНЫЕ", "Барабаны", "Перкуссия")


@pytest.mark.parametrize(
    ("name", "charset"),
    [
        *((name, charset) for charset in ("cp932", "utf-8", "utf-16") for name in JAPANESE),
        *((name, charset) for charset in ("gbk", "utf-8", "utf-16") for name in CHINESE),
        *((name, charset) for charset in ("big5", "utf-8") for name in ("爵士鼓", "打擊樂")),
        *((name, charset) for charset in ("euc-kr", "utf-8") for name in ("드럼", "드럼 세트", "타악기")),
        *((name, charset) for charset in ("cp1251", "koi8-r", "utf-8", "utf-16") for name in RUSSIAN),
        *((name, "utf-16") for name in ("Drums", "HiHat")),
        *((name, "latin1") for name in ("Trummor", "Trommer", "Rummut")),
    ],
)
def test_drums_in_other_languages(name, charset):
    data = name.encode(charset)
    assert drum_notes(data) == len(BEAT) and says_drums(data)


@pytest.mark.parametrize(
    ("name", "charset"),
    [
        *(("スチールドラム", "cp932"), ("シンセドラム", "utf-8"), ("太鼓", "utf-8"), ("钢鼓", "gbk")),
        *(("鋼鼓", "big5"), ("스틸 드럼", "euc-kr"), ("Стальные барабаны", "cp1251")),
    ],
)
def test_melodic_drums_in_other_languages(name, charset):
    data = name.encode(charset)
    assert drum_notes(data) == 0 and not says_drums(data)


def test_a_word_is_not_found_between_characters():
    """B9 C4 is a drum in GBK, but not the end of a character and the beginning of the next."""
    assert drum_notes(b"\xb9\xc4") == drum_notes(b"a\xd0\xa1\xb9\xc4") == len(BEAT)
    assert drum_notes(b"\xd0\xb9\xc4\xe3") == drum_notes(b"a\xd0\xb9\xc4\xe3") == 0


def drum_notes(name: bytes) -> int:
    """How many notes are drums in a track of this name that plays like them."""
    return song(at_start(smf.meta(smf.TRACK_NAME, name)) + notes(3, BEAT)).drum_note_count


def test_one_drum_of_any_pitch():
    assert song(at_start(smf.text(smf.TRACK_NAME, "Drum 3")) + notes(3, [(96 * i, 80) for i in range(8)])).drum_note_count == 8


@pytest.mark.parametrize(
    ("name", "music", "length"),
    [
        ("Piano", BEAT, 24),  # no name of drums
        ("Supercussion", BEAT, 24),  # perc inside a word
        ("Drums", TUNE, 24),  # a melody
        ("Drums", [(192 * i, 36) for i in range(8)], 97),  # longer than a quarter
        ("Drums", BEAT[:3], 24),  # too few notes
        ("Steel Drum", [(96 * i, 60) for i in range(8)], 24),  # instruments that play melodies
        ("Taiko Drum", BEAT, 24),
        ("Percussive Organ", BEAT, 24),
        ("SynDrum", BEAT, 24),
    ],
)
def test_a_name_alone_or_notes_alone_are_no_drums(name, music, length):
    facts = song(at_start(smf.text(smf.TRACK_NAME, name)) + notes(3, music, length))
    assert (facts.drum_note_count, facts.issues) == (0, 0)


def test_a_track_of_several_channels_has_the_name_of_a_song():
    assert song(at_start(smf.text(smf.TRACK_NAME, "Drums")) + notes(3, BEAT) + notes(4, [(2000, 40)])).drum_note_count == 0


def test_other_tracks_of_the_channel_are_not_drums():
    """A file that has all tracks on channel 1."""
    facts = song(at_start(smf.text(smf.TRACK_NAME, "Drums")) + notes(0, BEAT), at_start(smf.text(smf.TRACK_NAME, "Lead")) + notes(0, TUNE))
    assert facts.drum_note_count == len(BEAT)


@pytest.mark.parametrize("events", [[], [rhythm_part(4, 1)], [XG_ON, *bank(3, 127)]])
def test_a_part_that_says_so_itself_is_not_inferred(events):
    channel = 3 if events else 9
    facts = song(at_start(smf.text(smf.TRACK_NAME, "Drums"), *events) + notes(channel, BEAT))
    assert (facts.drum_note_count, facts.issues) == (len(BEAT), 0)


MARKS = (b"\xfe\xff", b"\xff\xfe", b"{@UTF-16LE}", b"\0", b"\xd0", b"a" * 509, b"a" * 4090)
PIECES = st.sampled_from([*(word.data for word in WORDS), *MARKS])
NAMES = st.one_of(
    st.text("drumspeckhiat-BDRP 1", max_size=14).map(str.encode),
    st.text("drumspeckhiat 鼓ドラム", max_size=14).map(lambda name: name.encode("utf-16")),
    st.lists(st.one_of(PIECES, st.binary(max_size=3)), max_size=5).map(b"".join),
)


@given(NAMES)
def test_names_as_in_the_reference(name):
    assert drum_notes(name) == (len(BEAT) if says_drums(name) else 0)


# --- what follows -------------------------------------------------------------------------------------


@given(
    st.integers(0, 15).filter(lambda channel: channel != 9),
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 127)), min_size=1, max_size=40),
)
def test_drums_are_drums_on_any_channel(channel, music):
    """A rhythm part has all facts of the same notes on channel 10 but `channels`, and the events that say so."""
    music = sorted(music)
    block = channel + 1 if channel < 9 else channel
    here = song(at_start(rhythm_part(block, 1)), notes(channel, music), notes(0 if channel else 1, TUNE))
    there = song(at_start(rhythm_part(block, 1)), notes(9, music), notes(0 if channel else 1, TUNE))
    differing = {name for name in ("channels", *here.__slots__) if getattr(here, name) != getattr(there, name)}
    assert differing <= {"channels", "content_hash", "analysis_us"}


def test_a_track_of_no_notes_called_drums():
    assert midiopt.analyze(smf.smf([smf.track(at_start(smf.text(smf.TRACK_NAME, "Drums")))])).drum_note_count == 0
    assert chunk(b"") == b"MTrk\0\0\0\0"
