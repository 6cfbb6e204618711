"""Which tempo is believed, and what is said of how the notes keep to it."""

from __future__ import annotations

import random

import pytest

import midiopt
from sample import smf
from tests.helpers.strategies import Note, play


def facts(ticks: list[int], bpm: float | None = 120, quarter: int = 480) -> midiopt.Analysis:
    """Of a drum groove, bass and snare drum in turns, one stroke at each tick."""
    notes = [Note(tick, 20, (36, 38)[i % 2], 100, 9) for i, tick in enumerate(ticks)]
    tempo = [(0, smf.meta(0x51, round(60e6 / bpm).to_bytes(3, "big")))] if bpm else []
    return midiopt.analyze(smf.smf([smf.track([*tempo, *play(notes)])], quarter, 0))


def test_written_notes_believe_the_map():
    written = facts([i * 240 for i in range(128)])
    assert (written.bpm, written.bpm_source) == (120, "tempo_map")
    assert (written.grid_deviation, written.is_performance, written.swing) == (0, False, None)


def test_notes_that_ignore_the_map_speak_for_themselves():
    """Strokes 0.7 s apart, give or take 15 ms, recorded at 120 BPM."""
    chance = random.Random(1)
    played = facts([round((0.7 * i + 1 + chance.gauss(0, 0.015)) * 960) for i in range(100)])
    assert played.bpm_source == "onsets"
    assert (played.bpm, played.bpm_confidence) == (played.bpm_onsets, played.bpm_onsets_confidence)
    assert played.bpm == pytest.approx(60 / 0.7, rel=0.01)
    assert played.is_performance
    assert played.grid_deviation > 0.02


def test_a_few_notes_refute_nothing():
    assert facts([round(i * 701.3) for i in range(12)]).bpm_source == "tempo_map"


def test_without_a_declared_tempo():
    undeclared = facts([i * 240 for i in range(128)], bpm=None)
    assert undeclared.bpm_source == "onsets"
    assert undeclared.bpm == undeclared.bpm_onsets
    assert facts([0, 480], bpm=None).bpm_source == "none"


def test_swing():
    assert facts([i * 480 + late for i in range(64) for late in (0, 320)]).swing == pytest.approx(2)
    triplets = facts([i * 480 + part for i in range(64) for part in (0, 160, 320)])
    assert triplets.swing is None


def test_smpte_has_no_quarters():
    played = facts([i * 500 for i in range(64)], bpm=None, quarter=smf.smpte(25, 40))
    assert (played.grid_deviation, played.is_performance, played.swing) == (None, None, None)
    assert played.bpm_source == "onsets"
