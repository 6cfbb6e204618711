"""midiopt.harmony: the chords and the keys of a file over time."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings

import midiopt
from sample import smf
from tests.helpers.strategies import midi_files

QUARTER = 480
TRIADS = {"C": (48, 60, 64, 67), "F": (41, 60, 65, 69), "G": (43, 59, 62, 67), "Am": (45, 60, 64, 69)}


def chord_events(names: str, quarters: int = 4, shift: int = 0) -> list[smf.Event]:
    """Each chord for so many quarters."""
    events = []
    for i, name in enumerate(names.split()):
        at = i * quarters * QUARTER
        events += [(at, smf.note_on(0, pitch + shift, 80)) for pitch in TRIADS[name]]
        events += [(at + quarters * QUARTER, smf.note_off(0, pitch + shift)) for pitch in TRIADS[name]]
    return events


def song(names: str, *more: smf.Event) -> bytes:
    return smf.smf([smf.track(sorted([*more, *chord_events(names)], key=lambda event: event[0]))])


def test_chords_begin_at_ticks_and_seconds() -> None:
    """A chord that goes on begins once; the tempo of 60 BPM from the third bar on counts."""
    chords = midiopt.harmony(song("C Am Am F", (8 * QUARTER, smf.tempo(60)))).chords
    assert chords.name == ["C", "Am", "F"]
    assert chords.tick.tolist() == [0, 4 * QUARTER, 12 * QUARTER]
    assert chords.seconds.tolist() == [0.0, 2.0, 8.0]
    assert (chords.tick.dtype, chords.seconds.dtype, len(chords)) == (np.int64, np.float64, 3)


def test_a_list_of_chords_and_of_keys() -> None:
    """A chord ends where the next one begins, the last with the last note; what is lowest in most of its beats is its bass."""
    data = song("C Am F", (4 * QUARTER, smf.note_on(0, 31, 80)), (8 * QUARTER, smf.note_off(0, 31)))
    assert midiopt.chords(data) == [
        (0.0, 2.0, 0, 4 * QUARTER, "C", 0, "", 0),
        (2.0, 4.0, 4 * QUARTER, 8 * QUARTER, "Am7/G", 9, "m7", 7),
        (4.0, 6.0, 8 * QUARTER, 12 * QUARTER, "F", 5, "", 5),
    ]
    assert midiopt.analyze(data).chord_symbols == "C Am7/G F"
    assert midiopt.keys(data) == [(0.0, 6.0, 0, 12 * QUARTER, midiopt.analyze(data).key)]
    assert midiopt.chords(smf.smf([smf.track([])])) == midiopt.keys(smf.smf([smf.track([])])) == []


@pytest.mark.parametrize("others", [1, 2])
def test_parts_that_are_equally_low_count_alike(others: int) -> None:
    """Of parts that play single notes, the lowest counts more; where two are, the order of the tracks chooses neither.

    Two notes that begin together are a chord: then only one of the two parts plays single notes.
    """
    one = smf.track([(0, smf.note_on(0, 60, 80)), (4, smf.note_off(0, 60))])
    other = smf.track([(1, smf.note_on(1, 60, 80))] * others + [(1, smf.note_off(1, 60))] * others)
    both = smf.track([(2, smf.note_on(2, pitch, 80)) for pitch in (36, 109)] + [(6, smf.note_off(2, pitch)) for pitch in (36, 109)])
    chords = [midiopt.chords(smf.smf(list(tracks), division=1)) for tracks in permutations([one, other, both])]
    assert chords[0] and chords == [chords[0]] * 6


@pytest.mark.parametrize(("pitches", "symbol"), [
    ((48, 64, 67, 70), "C7"), ((48, 64, 67, 71), "Cmaj7"), ((48, 63, 67, 70), "Cm7"), ((48, 63, 66, 70), "Cm7b5"),
    ((48, 63, 66, 69), "Cdim7"), ((48, 65, 67), "Csus4"), ((48, 62, 67), "Csus2"), ((52, 60, 67), "C/E"), ((48, 64, 67, 69), "C6"),
    ((48, 64, 66), "C(b5)"), ((48, 64, 66, 69), "F#m7b5/C"), ((51, 57, 60), "Adim/Eb"), ((51, 57, 60, 67), "Am7b5/Eb"),
])  # fmt: skip
def test_symbols(pitches: tuple[int, ...], symbol: str) -> None:
    events = [(0, smf.note_on(0, pitch, 80)) for pitch in pitches] + [(8 * QUARTER, smf.note_off(0, pitch)) for pitch in pitches]
    assert [chord.symbol for chord in midiopt.chords(smf.smf([smf.track(events)]))] == [symbol]


def test_a_melody_of_single_notes_counts_less_than_the_chords() -> None:
    """E flat over C major, as long as the chord: a part of its own is no reason for C minor."""
    notes = [(tick, smf.note_on(1, 75, 80)) for tick in range(0, 8 * QUARTER, QUARTER)]
    ends = [(tick + QUARTER, smf.note_off(1, 75)) for tick in range(0, 8 * QUARTER, QUARTER)]
    events = sorted([*chord_events("C C"), *notes, *ends], key=lambda event: (event[0], event[1][0] & 0xF0 == 0x90))
    assert [chord.symbol for chord in midiopt.chords(smf.smf([smf.track(events)]))] == ["C"]


def test_a_key_that_holds_is_the_key_of_the_file() -> None:
    data = song("C F G C " * 4, (0, smf.key_signature("Cm")))  # C minor is declared: three flats
    keys = midiopt.harmony(data).keys
    assert (keys.name, keys.tick.tolist(), keys.seconds.tolist()) == ([midiopt.analyze(data).key], [0], [0.0])


def test_a_change_of_key() -> None:
    """16 bars in C, then 16 in F sharp: sixteen segments of two bars."""
    half = 64 * QUARTER
    moved = [(half + tick, event) for tick, event in chord_events("C F G C " * 4, shift=6)]
    keys = midiopt.harmony(smf.smf([smf.track([*chord_events("C F G C " * 4), *moved])])).keys
    assert keys.name == ["C", "F#"]
    assert keys.tick[0] == 0 and abs(keys.tick[1] - half) <= 4 * QUARTER
    assert keys.seconds[1] == keys.tick[1] / QUARTER / 2


def test_files_without_chords_or_keys() -> None:
    empty = midiopt.harmony(smf.smf([smf.track([])]))
    assert (empty.chords.name, empty.keys.name, empty.chords.tick.tolist()) == ([], [], [])
    drums = smf.smf([smf.track([(tick, smf.note_on(9, 36, 90)) for tick in range(0, 4 * QUARTER, QUARTER)])])
    assert not midiopt.harmony(drums).chords.name and not midiopt.harmony(drums).keys.name
    melody = smf.smf([smf.track([e for i, p in enumerate((60, 64, 67)) for e in ((i, smf.note_on(0, p, 9)), (i + 1, smf.note_off(0, p)))])])
    assert (midiopt.harmony(melody).chords.name, midiopt.harmony(melody).keys.name) == ([], ["C"])


def test_an_smpte_division_has_keys_but_no_bars() -> None:
    found = midiopt.harmony(smf.smf([smf.track(chord_events("C F G C"))], division=smf.smpte(25, 40)))
    assert (len(found.chords), found.keys.name) == (0, ["C"])


def test_of_format_2_the_first_track_with_notes() -> None:
    tracks = [smf.track([]), smf.track(chord_events("F G")), smf.track(chord_events("Am C"))]
    data = smf.smf(tracks, format=2)
    assert midiopt.harmony(data).chords.name == ["F", "G"] == (midiopt.analyze(data).chord_progression or "").split()


@pytest.mark.parametrize("data", [b"RIFF", b"MThd\0\0\0\6\0\0\0\1\0\x60"])
def test_unusable_content(data: bytes) -> None:
    with pytest.raises(midiopt.MidiError):
        midiopt.harmony(data)


@settings(max_examples=50)
@given(midi_files())
def test_they_are_what_the_facts_summarise(data: bytes) -> None:
    """The symbols of the loop are among the chords, and there are as many keys as key_changes says."""
    facts, found = midiopt.analyze(data), midiopt.harmony(data)
    assert set((facts.chord_symbols or "").split()) <= set(found.chords.name)
    if facts.format != 2:  # whose tracks count together in key_changes
        assert len(found.keys) == (0 if facts.key is None else facts.key_changes + 1)
        assert facts.key_changes or found.keys.name == [facts.key][: len(found.keys)]
    for segments in (found.chords, found.keys):
        assert all(np.diff(segments.tick) > 0) and all(np.diff(segments.seconds) >= 0)
        assert all(name != after for name, after in zip(segments.name, segments.name[1:], strict=False))
