"""The phase of the quarter: music whose beats lie between the quarters of its ticks."""

from __future__ import annotations

import random

import pytest

import midiopt
from midiopt.core.analyzer import Analyzer
from midiopt.core.inspection import quarter_phase
from sample.smf import note_off, note_on, smf, track

Q = 480
BARS = 16
CHORDS = ((48, 55, 64), (45, 52, 60), (41, 53, 57), (43, 50, 59))


def song(shift: float = 0.0, first_beat: int = 0, ahead: float = 0.0, channel: int = 0) -> bytes:
    """A chord per bar and a melody of quarters, eighths and sixteenths, all ``shift`` quarters late.

    Chords come ``ahead`` of their beat, by so many quarters.
    """
    chance = random.Random(7)
    notes = []
    for bar in range(BARS):
        notes += [(4 * bar - ahead, 3.9, pitch) for pitch in CHORDS[bar % 4]]
        for beat in range(4):
            parts = chance.choice(((0,), (0, 0.5), (0, 0.5), (0, 0.25, 0.5, 0.75)))
            notes += [(4 * bar + beat + part, 0.9 / len(parts), chance.randrange(67, 79)) for part in parts]
    events = []
    for onset, length, pitch in notes:
        at = max(round((onset + shift + first_beat) * Q), 0)
        events += [(at, note_on(channel, pitch, 90)), (at + round(length * Q), note_off(channel, pitch))]
    return smf([track(sorted(events, key=lambda event: event[0]))], division=Q)


def phase(data: bytes) -> int:
    """The phase that the analysis finds, in 1/192 quarter."""
    analyzer = Analyzer()
    analyzer.analyze(data, bytes(16), 0, bytearray(), bytearray())
    return quarter_phase(analyzer)


@pytest.mark.parametrize("shift", [0.1, 0.2, 0.37, 0.45, -0.2, -0.43])
def test_beats_between_the_quarters_are_found(shift: float) -> None:
    assert phase(song(shift, first_beat=4)) == pytest.approx(192 * shift, abs=1)


def test_written_music_keeps_the_declared_quarters() -> None:
    assert phase(song()) == 0
    assert phase(song(first_beat=1)) == 0  # a rest before the first note is no shift


def test_chords_ahead_of_the_beat_do_not_move_it() -> None:
    assert phase(song(ahead=0.25, first_beat=4)) == 0


def test_drums_have_no_phase() -> None:
    assert phase(song(0.2, channel=9)) == 0


def test_bars_begin_at_the_phase() -> None:
    assert midiopt.analyze(song()).bar_count == BARS
    assert midiopt.analyze(song(0.37)).bar_count == BARS  # in declared bars the last chord would reach into one more
    assert midiopt.analyze(song(-0.43, first_beat=4)).bar_count == BARS + 1  # the first bar rests
    assert midiopt.analyze(song(0.37, ahead=0.25)).bar_count == BARS + 1  # what begins before the phase is in a bar of its own


def test_chords_of_shifted_bars_are_those_of_the_music() -> None:
    plain, shifted = midiopt.analyze(song()), midiopt.analyze(song(0.37))
    assert shifted.chord_progression == plain.chord_progression is not None
    chords = midiopt.harmony(song(0.37)).chords
    assert chords.tick[:3].tolist() == pytest.approx([(4 * bar + 0.37) * Q for bar in range(3)], abs=2)
    assert midiopt.harmony(song(-0.43, first_beat=4)).chords.tick[0] == pytest.approx(3.57 * Q, abs=2)


def test_a_loop_begins_with_its_file() -> None:
    assert midiopt.analyze(song()).is_loop
    assert not midiopt.analyze(song(0.37)).is_loop
