"""Sections: which bars repeat which, as the column `sections` and as midiopt.sections."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import midiopt
from reference.analyzer import analyze, sequences_of
from reference.bar_grid import spans_of
from reference.sections import find_sections, sections_of
from reference.tracks import read_tracks
from sample.smf import note_off, note_on, smf, smpte, tempo, time_signature, track

QUARTER = 96
BAR = 4 * QUARTER
Bar = list[tuple[int, int]]  # position in ticks and pitch of its notes


def random_bar(seed: object, notes: int = 8) -> Bar:
    chance = random.Random(str(seed))
    return [(chance.randrange(16) * QUARTER // 4, chance.randrange(48, 84)) for _ in range(notes)]


def passage(name: str, bars: int) -> list[Bar]:
    """Bars that no passage of another name has."""
    return [random_bar((name, i)) for i in range(bars)]


def song(form: str) -> list[Bar]:
    """The bars of a form such as `A8 B8 A8`; `-4` are four bars of rest."""
    return [bar for part in form.split() for bar in ([[]] * int(part[1:]) if part[0] == "-" else passage(part[0], int(part[1:])))]


def file_of(bars: list[Bar], length: int = BAR, channel: int = 0, before: tuple[tuple[int, bytes], ...] = ()) -> bytes:
    """A file with these bars, each of `length` ticks, the last of which must not be a rest."""
    events: list[tuple[int, bytes]] = []
    for number, bar in enumerate(bars):
        for position, pitch in sorted(set(bar)):
            start = number * length + position
            events += [(start, note_on(channel, pitch, 80)), (start + 6, note_off(channel, pitch))]
    return smf([track(sorted([*before, *events], key=lambda event: event[0]))], division=QUARTER)


def form(data: bytes) -> str | None:
    """The column, which is that of the second analyser."""
    found = midiopt.analyze(data).sections
    assert analyze(data)["sections"] == found
    return found


@pytest.mark.parametrize("text", ["A8 A8 B8 B8", "A8 A8 B8 A8", "A4 A4 B4 A4 A4 B4", "A12 B16 A12", "A16 A16 B6", "A8 B4 A8 C4 A8"])
def test_sections_that_come_again_have_the_same_letter(text):
    assert form(file_of(song(text))) == text


def test_sections_that_always_follow_each_other_are_one():
    """Nothing tells verse and chorus from one long section if they only come together."""
    assert form(file_of(song("I4 V8 C8 V8 C8"))) == "A4 B16 B16"


def test_a_loop_of_one_or_two_bars_is_counted_in_fours():
    assert form(file_of(song("A1 " * 16))) == form(file_of(song("A2 " * 8))) == "A4 A4 A4 A4"


def test_an_upbeat_belongs_to_the_first_section():
    upbeat = [(3 * QUARTER, 60)]
    assert form(file_of([upbeat, *song("A8 A8 B8 B8")])) == "A9 A8 B8 B8"


def test_a_section_may_vary():
    """Every other bar differs by a note, and the last one altogether, as second endings do."""
    varied = [[*bar[:-1], (0, 100)] if i % 2 else bar for i, bar in enumerate(song("A7"))]
    assert form(file_of([*song("A8"), *varied, random_bar("ending"), *song("B8 B8")])) == "A8 A8 B8 B8"


def test_rests_repeat_each_other():
    assert form(file_of(song("-8 A8 -8 A8"))) == "A4 A4 B8 A4 A4 B8"
    assert form(file_of(song("A8 -8 A8"))) == "A8 B4 B4 A8"


def test_null_where_less_than_half_of_the_bars_are_repeated():
    assert form(file_of(song("A8 A8 B20"))) is None
    assert form(file_of(song("A8 A8 B16"))) == "A8 A8 B16"
    assert form(file_of(song("A32"))) is None


@pytest.mark.parametrize(("bars", "expected"), [(6, None), (8, "A4 A4"), (512, "A256 A256"), (514, None)])
def test_eight_to_512_bars_have_sections(bars, expected):
    half = [random_bar(i) for i in range(bars // 2)]
    assert form(file_of(half * 2)) == expected
    assert len(midiopt.sections(file_of(half * 2))) == (2 if expected else 0)


def test_drums_count_where_nothing_else_plays():
    drums = song("A8 A8 B8 B8")
    assert form(file_of(drums, channel=9)) == "A8 A8 B8 B8"
    beat = [(time, data) for bar in range(32) for time, data in ((bar * BAR, note_on(9, 36, 90)), (bar * BAR + 6, note_off(9, 36)))]
    assert form(file_of(song("A16 B16"), before=tuple(beat))) is None


def test_bars_are_those_of_the_time_signatures():
    waltz = [[(position * 3 // 4, pitch) for position, pitch in bar] for bar in song("A8 A8 B8 B8")]
    assert form(file_of(waltz, length=3 * QUARTER, before=((0, time_signature(3, 4)),))) == "A8 A8 B8 B8"
    # Eight bars of 4/4, then the same music in bars of 2/4, of which there are 16.
    assert form(file_of(song("A8 B8 B8"), before=((8 * BAR, time_signature(2, 4)),))) == "A8 B16 B16"


def test_ticks_of_seconds_have_no_bars():
    data = smf([track([(i * 40, note_on(0, 60, 80)) for i in range(64)])], division=smpte(25, 40))
    assert midiopt.analyze(data).sections is None and len(midiopt.sections(data)) == 0


def test_sections_with_their_times():
    found = midiopt.sections(file_of(song("A8 B4 A8"), before=((0, tempo(120)), (8 * BAR, tempo(60)))))
    assert found.form == "A8 B4 A8" and found.label == ["A", "B", "A"]
    assert found.bar.tolist() == [0, 8, 12] and found.bars.tolist() == [8, 4, 8]
    assert found.tick.tolist() == [0, 8 * BAR, 12 * BAR] and found.seconds.tolist() == [0, 16, 32]


def test_sections_that_are_not_sure_are_given_too():
    assert midiopt.sections(file_of(song("A8 A8 B20"))).form == "A8 A8 B20"
    many = " ".join(f"{chr(97 + i)}4 {chr(97 + i)}4" for i in range(28))
    found = midiopt.sections(file_of(song(many)))
    assert midiopt.analyze(file_of(song(many))).sections is None  # more than 26 letters
    assert found.label[::2] == [*"ABCDEFGHIJKLMNOPQRSTUVWXYZ", "AA", "AB"]


@settings(max_examples=25)
@given(st.lists(st.tuples(st.sampled_from("ABCDE-"), st.integers(1, 9)), min_size=2, max_size=9), st.integers(0, 10**6))
def test_the_second_analyser_agrees(parts, seed):
    """Any form of passages that are cut short or differ in some notes."""
    chance = random.Random(seed)
    bars = [[note for note in bar if chance.random() < 0.9] for name, length in parts for bar in song(f"{name}{length}")]
    form(file_of([*bars, *passage("F", 1)]))


@settings(max_examples=50)
@given(st.lists(st.integers(0, 2**128 - 1).map(lambda bits: bits or 1), min_size=8, max_size=60))
def test_sections_cover_all_bars(bits):
    sections = find_sections(bits)
    assert sections[0][0] == 0 and sections[-1][1] == len(bits)
    assert all(one[1] == other[0] < other[1] for one, other in pairwise(sections))
    labels = [label for _, _, label in sections]
    assert sorted(set(labels), key=labels.index) == list(range(len(set(labels))))


def test_the_view_and_the_column_agree():
    data = file_of(song("A8 A8 B8 A8"))
    format_, division, tracks = read_tracks(data)
    [sequence] = sequences_of(tracks, format_, division)
    of_reference = sections_of(sequence, spans_of(sequence.time_signatures(), QUARTER, 0, 0), QUARTER)
    assert midiopt.sections(data).form == midiopt.analyze(data).sections
    assert [start for start, _, _ in of_reference] == midiopt.sections(data).bar.tolist()
