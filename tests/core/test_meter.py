"""The meter estimate of quantized notes, which does not depend on declared time signatures."""

from __future__ import annotations

import pytest

import midiopt
from sample import smf
from tests.helpers.strategies import Note, play

QUARTER = 480


def tune(bar: float, rhythm: list[float], declared: tuple[int, int] | None = None, start: float = 0) -> midiopt.Analysis:
    """A melody of 16 bars with the same rhythm, in quarters, over a bass note on each first beat; `start` is that of the first."""
    notes = []
    for i in range(16):
        at = start + i * bar
        notes.append(Note(round(at * QUARTER), round(bar * QUARTER), 36 + 5 * (i % 4 == 3), 80, 0))
        for j, length in enumerate(rhythm):
            notes.append(Note(round(at * QUARTER), round(length * QUARTER), 60 + (0, 4, 7, 5)[j % 4] + 2 * (i % 2), 80, 0))
            at += length
    power = {2: 1, 4: 2, 8: 3}
    signature = [(0, smf.meta(0x58, bytes([declared[0], power[declared[1]], 24, 8])))] if declared else []
    return midiopt.analyze(smf.smf([smf.track([*signature, *play(notes)])], QUARTER, 0))


TUNES = {
    "4/4": (4, [1.5, 0.5, 1, 1]),
    "3/4": (3, [2, 1]),
    "6/8": (3, [1.5, 0.5, 0.5, 0.5]),
    "9/8": (4.5, [0.5, 0.5, 0.5, 1, 0.5, 1, 0.5]),
    "5/4": (5, [1.5, 0.5, 1, 1, 1]),
    "7/8": (3.5, [1, 1, 0.5, 0.5, 0.5]),
}


@pytest.mark.parametrize("meter", TUNES)
def test_bars_of_one_rhythm(meter: str) -> None:
    assert tune(*TUNES[meter]).meter_estimated == meter


@pytest.mark.parametrize("meter", TUNES)
def test_a_declared_time_signature_changes_nothing(meter: str) -> None:
    estimated = tune(*TUNES[meter])
    for declared in ((4, 4), (3, 4), (6, 8)):
        other = tune(*TUNES[meter], declared=declared)
        assert (other.meter_estimated, other.meter_confidence) == (estimated.meter_estimated, estimated.meter_confidence)


@pytest.mark.parametrize("meter", TUNES)
def test_bar_lines_between_the_beats_of_the_music_are_no_evidence(meter: str) -> None:
    """With beats a twelfth of a quarter after the declared ones, it does not matter on which of these the music begins."""
    first, *others = (tune(*TUNES[meter], start=beats + 1 / 12) for beats in range(4))
    assert first.meter_estimated == meter
    assert {(other.meter_estimated, other.meter_confidence) for other in others} == {(meter, first.meter_confidence)}


POLKA = [[0.25] * 4 + [0.5, 0.5], [0.5] * 4, [0.25] * 4 + [0.5, 0.5], [0.5, 0.5, 1]]  # bars of 2/4


@pytest.mark.parametrize(("intervals", "meter"), [((0,), "2/4"), ((0, 12), "4/4")])
def test_only_a_melody_alone_is_in_2_4_without_strong_evidence(intervals: tuple[int, ...], meter: str) -> None:
    """Many tunes are in 2/4 and hardly any songs: notes that begin together stand for these."""
    notes = []
    at = 0.0
    for i, length in enumerate(length for bar in range(32) for length in POLKA[bar % 4]):
        pitch = 67 + (0, 4, 7, 5, 2, 9, 0, -3)[(3 * i + int(at // 2)) % 8]
        notes += [Note(round(at * QUARTER), round(length * QUARTER), pitch + interval, 80, 0) for interval in intervals]
        at += length
    assert midiopt.analyze(smf.smf([smf.track(play(notes))], QUARTER, 0)).meter_estimated == meter


def test_too_few_slots_leave_the_estimate_to_the_accents() -> None:
    """Onsets 1/6 s apart, in a file whose quarters last for 16 seconds."""
    notes = [Note(i, 1, 60, 80, 0) for i in range(12)]
    slow = [(0, smf.meta(0x51, (16_000_000).to_bytes(3, "big")))]
    assert midiopt.analyze(smf.smf([smf.track([*slow, *play(notes)])], 96, 0)).meter_estimated is not None
