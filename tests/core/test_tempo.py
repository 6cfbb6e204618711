"""The tempo of the tempo map and of the onsets: which one is reported, and whether the notes are quantized."""

from __future__ import annotations

import random

import pytest

import midiopt
from sample import smf
from tests.helpers.strategies import Note, play


def facts(ticks: list[int], bpm: float | None = 120, quarter: int = 480) -> midiopt.Analysis:
    """The facts of a groove of alternating kick and snare, one hit at each tick."""
    notes = [Note(tick, 20, (36, 38)[i % 2], 100, 9) for i, tick in enumerate(ticks)]
    tempo = [(0, smf.meta(0x51, round(60e6 / bpm).to_bytes(3, "big")))] if bpm else []
    return midiopt.analyze(smf.smf([smf.track([*tempo, *play(notes)])], quarter, 0))


def test_quantized_notes_keep_the_tempo_map() -> None:
    written = facts([i * 240 for i in range(128)])
    assert (written.bpm, written.bpm_source) == (120, "tempo_map")
    assert (written.grid_deviation, written.is_performance, written.swing) == (0, False, None)


def test_notes_that_ignore_the_tempo_map_give_the_tempo() -> None:
    """Hits 0.7 s apart with a standard deviation of 15 ms, recorded at 120 BPM."""
    rng = random.Random(1)
    played = facts([round((0.7 * i + 1 + rng.gauss(0, 0.015)) * 960) for i in range(100)])
    assert played.bpm_source == "onsets"
    assert (played.bpm, played.bpm_confidence) == (played.bpm_onsets, played.bpm_onsets_confidence)
    assert played.bpm == pytest.approx(60 / 0.7, rel=0.01)
    assert played.is_performance
    assert played.grid_deviation > 0.02


def test_too_few_notes_to_ignore_the_tempo_map() -> None:
    assert facts([round(i * 701.3) for i in range(12)]).bpm_source == "tempo_map"


def test_without_a_declared_tempo_the_onsets_give_it() -> None:
    undeclared = facts([i * 240 for i in range(128)], bpm=None)
    assert undeclared.bpm_source == "onsets"
    assert undeclared.bpm == undeclared.bpm_onsets
    assert facts([0, 480], bpm=None).bpm_source == "none"


def test_swing_is_not_triplets() -> None:
    assert facts([i * 480 + late for i in range(64) for late in (0, 320)]).swing == pytest.approx(2)
    triplets = facts([i * 480 + part for i in range(64) for part in (0, 160, 320)])
    assert triplets.swing is None


def test_smpte_files_have_no_quarters() -> None:
    played = facts([i * 500 for i in range(64)], bpm=None, quarter=smf.smpte(25, 40))
    assert (played.grid_deviation, played.is_performance, played.swing) == (None, None, None)
    assert played.bpm_source == "onsets"
