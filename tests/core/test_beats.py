"""midiopt.beats: the beats of a file, from its bars or tracked through its onsets."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings

import midiopt
from accuracy import corpus
from reference import analyzer
from reference.beat import FRAME_RATE, choose_beat, find_evidence, lower_median, onsets_of
from reference.beat_tracker import PlayedNote, positions_in, tracked_beats
from reference.performance import UNSURE
from reference.sequence import Sequence
from reference.tracks import read_tracks
from sample import smf
from tests.helpers.strategies import midi_files

QUARTER = 480


def written(meter: tuple[int, int] | None, quarters: int, tempos: dict[int, float] | None = None) -> bytes:
    """A quarter note on each quarter, under one time signature and tempos by tick."""
    events: list[smf.Event] = [(0, smf.time_signature(*meter))] if meter else []
    events += [(tick, smf.tempo(bpm)) for tick, bpm in (tempos or {}).items()]
    for i in range(quarters):
        events += [(i * QUARTER, smf.note_on(0, 60 + i % 5, 90)), ((i + 1) * QUARTER, smf.note_off(0, 60 + i % 5))]
    return smf.smf([smf.track(sorted(events, key=lambda event: event[0]))], division=QUARTER)


def played(beat_seconds: list[float], division: int = QUARTER) -> bytes:
    """A performance under a tempo map without meaning: a chord on each of 4 beats, notes in between, a stress on the first."""
    chance = random.Random(1)
    events: list[smf.Event] = []
    time = 1.0
    for i, length in enumerate(beat_seconds):
        for part, pitches in ((0.0, (43 + i % 4, 60, 64)), (0.5, (72 + chance.randrange(5),))):
            for pitch in pitches:
                at = round((time + part * length + chance.gauss(0, 0.006)) * 2 * division)  # 120 BPM, since no tempo is declared
                velocity = 60 + 25 * (part == 0) + 20 * (i % 4 == 0)
                events += [
                    (at, smf.note_on(0, pitch, velocity)),
                    (at + round(length * division * (1.4 if part == 0 else 0.7)), smf.note_off(0, pitch)),
                ]
        time += length
    return smf.smf([smf.track(sorted(events, key=lambda event: event[0]))], division=division)


@pytest.mark.parametrize(
    ("meter", "beats", "quarters_per_beat"),
    [(None, 4, 1), ((4, 4), 4, 1), ((3, 4), 3, 1), ((2, 2), 2, 2), ((6, 8), 2, 1.5), ((12, 8), 4, 1.5), ((3, 8), 3, 0.5), ((7, 8), 7, 0.5)],
)
def test_beats_of_bars(meter: tuple[int, int] | None, beats: int, quarters_per_beat: float) -> None:
    found = midiopt.beats(written(meter, 42))
    n = len(found)
    assert n == 42 / quarters_per_beat and not found.tracked
    assert found.tick.tolist() == [round(i * quarters_per_beat * QUARTER) for i in range(n)]
    assert found.position.tolist() == [i % beats for i in range(n)]
    np.testing.assert_allclose(found.seconds, 0.5 * quarters_per_beat * np.arange(n))
    np.testing.assert_array_equal(found.downbeats, found.seconds[::beats])
    assert (found.tick.dtype, found.seconds.dtype, found.position.dtype) == (np.int64, np.float64, np.int32)


def test_times_follow_the_tempo_map() -> None:
    data = written((4, 4), 8, {0: 120, 4 * QUARTER: 60})
    assert midiopt.beats(data).seconds.tolist() == [0, 0.5, 1, 1.5, 2, 3, 4, 5]


def test_a_time_signature_begins_a_bar() -> None:
    events = [(0, smf.time_signature(4, 4)), (6 * QUARTER, smf.time_signature(3, 4))]
    for i in range(12):
        events += [(i * QUARTER, smf.note_on(0, 60, 90)), ((i + 1) * QUARTER, smf.note_off(0, 60))]
    data = smf.smf([smf.track(sorted(events, key=lambda event: event[0]))], division=QUARTER)
    assert midiopt.beats(data).position.tolist() == [0, 1, 2, 3, 0, 1, 0, 1, 2, 0, 1, 2]


def test_beats_have_the_phase_of_the_notes() -> None:
    notes = [
        (4 * bar + beat + part, pitch) for bar in range(16) for beat in range(4) for part, pitch in ((0, 60), (0, 48 + bar % 3), (0.5, 64))
    ]
    events: list[smf.Event] = []
    for onset, pitch in notes:
        at = round((onset + 0.3) * QUARTER)
        events += [(at, smf.note_on(0, pitch, 90)), (at + (400 if onset % 1 == 0 else 100), smf.note_off(0, pitch))]
    found = midiopt.beats(smf.smf([smf.track(sorted(events, key=lambda event: event[0]))], division=QUARTER))
    assert not found.tracked
    assert found.tick.tolist() == pytest.approx([(i + 0.3) * QUARTER for i in range(len(found))], abs=3)


@pytest.mark.parametrize("rubato", [0.0, 0.06])
def test_a_performance_is_tracked(rubato: float) -> None:
    lengths = [0.53 * (1 + rubato * np.sin(i / 5)) for i in range(80)]
    found = midiopt.beats(played(lengths))
    truth = 1 + np.cumsum([0, *lengths[:-1]])
    near = np.abs(found.seconds[:, None] - truth).min(1) < 0.07
    assert found.tracked and near.mean() > 0.95
    assert min(abs(len(found) - len(truth) / per_beat) for per_beat in (1, 2)) <= 3
    np.testing.assert_allclose(found.tick, found.seconds * 2 * QUARTER, atol=0.51)


def test_a_silence_is_counted_through_or_begun_anew() -> None:
    lengths = [0.53] * 30
    for silence, beats_in_it in ((2.12, 3), (60.0, 0)):
        found = midiopt.beats(played([*lengths, 0.53 + silence, *lengths]))
        inside = (found.seconds > 1 + 30.5 * 0.53) & (found.seconds < 1 + 30.5 * 0.53 + silence)
        assert inside.sum() == pytest.approx(beats_in_it, abs=1)


def test_beats_begin_with_the_music_and_end_with_it() -> None:
    """Where no pulse is more likely than not to be a beat, a track that begins late would have the higher score."""
    notes = [(i * 53 + i * i % 7, 60 + i % 3) for i in range(2000)]  # faster than any beat
    events = [event for at, pitch in notes for event in ((at, smf.note_on(0, pitch, 90)), (at + 8, smf.note_off(0, pitch)))]
    found = midiopt.beats(smf.smf([smf.track(sorted(events, key=lambda event: event[0]))], division=QUARTER))
    assert found.tracked
    assert found.tick[0] < 10 * QUARTER and found.tick[-1] > notes[-1][0] - 10 * QUARTER


def first_bpm(data: bytes) -> float:
    """The tempo at which beats are tracked first."""
    _, division, tracks = read_tracks(data)
    sequence = Sequence(tracks, division)
    evidence = find_evidence(onsets_of(sequence), lower_median([note.pitch for note in sequence.pitched]), 0.0)
    assert evidence
    return float(np.float32(60 * FRAME_RATE / choose_beat(evidence)[0]))


def assert_equals_reference(data: bytes) -> None:
    """The tracked beats of a file, and the meter, are those of the reference."""
    found, notes = midiopt.beats(data), midiopt.notes(data)
    columns = (notes.onset_s.tolist(), notes.end_s.tolist(), notes.pitch.tolist(), notes.velocity.tolist())
    assert found.tracked
    expected = tracked_beats([PlayedNote(*values) for values in zip(*columns, strict=True)], 60 / first_bpm(data))
    np.testing.assert_allclose(found.seconds, [seconds for seconds, _ in expected])
    assert found.position.tolist() == [position for _, position in expected]
    facts, reference = midiopt.analyze(data), analyzer.analyze(data)
    assert facts.meter_estimated == reference["meter_estimated"]
    assert facts.meter_confidence == pytest.approx(reference["meter_confidence"], rel=1e-5)


@pytest.mark.parametrize("seed", range(8))
def test_tracked_beats_equal_the_reference(seed: int) -> None:
    chance = random.Random(seed)
    lengths = [0.3 + 0.1 * seed + chance.gauss(0, 0.02) for _ in range(60)]
    lengths[30] += 4 * (seed % 3)
    assert_equals_reference(played(lengths))


def test_performances_of_the_corpus_equal_the_reference() -> None:
    paths = corpus.midi_files(corpus.FILES / "fosfrancesco+asap-dataset")[:520:70]
    if not paths:
        pytest.skip("there is no corpus")
    performances = [data for path in paths if path.name != "midi_score.mid" and midiopt.beats(data := path.read_bytes()).tracked]
    assert len(performances) > 4
    for data in performances:
        assert_equals_reference(data)


@pytest.mark.parametrize(
    ("length", "spread", "octaves", "is_sure"),
    [(0.7, 0.0, 0, True), (0.3, 0.06, 1, True), (0.6, 0.12, 0, False), (0.35, 0.1, 1, False), (1.0, 0.12, -1, False)],
)
def test_bars_and_unsure_tempos_of_performances_are_tracked(length: float, spread: float, octaves: int, is_sure: bool) -> None:
    chance = random.Random(5)
    data = played([length * (1 + chance.gauss(0, spread)) for _ in range(90)])
    facts, found, first = midiopt.analyze(data), midiopt.beats(data), first_bpm(data)
    tracked = 60 / np.median(np.diff(found.seconds))
    assert facts.bar_count == (found.position == 0).sum()
    assert tracked == pytest.approx(first * 2**octaves, rel=0.03)
    assert (facts.bpm_onsets_confidence > UNSURE) == is_sure
    assert facts.bpm_onsets == (pytest.approx(first) if is_sure else pytest.approx(tracked / 2**octaves, rel=0.005))


@pytest.mark.parametrize(
    ("meter", "rhythm", "seconds"),
    [
        ("4/4", [1.5, 0.5, 1, 1], 0.7),
        ("3/4", [1, 1, 1], 0.7),
        ("3/4", [1, 1, 1], 0.4),  # beats are bars
        ("9/8", [0.5, 0.5, 0.5, 1, 0.5, 1, 0.5], 0.6),  # beats are dotted quarters
    ],
)
def test_the_meter_of_a_performance(meter: str, rhythm: list[float], seconds: float) -> None:
    """Bars of one rhythm in quarters, each over a bass note, at a tempo that comes and goes, with chords spread over 20 ms."""
    chance = random.Random(3)
    events: list[smf.Event] = []
    time = 1.0
    for bar in range(40):
        for i, length in enumerate(rhythm):
            for pitch in (43 + bar % 4, 60, 64, 72) if i == 0 else (60 + (0, 4, 7, 5)[i % 4] + 2 * (bar % 2),):
                at = round((time + chance.uniform(0, 0.02)) * 2 * QUARTER)
                end = at + round(seconds * sum(rhythm) * (1.9 if pitch < 48 else 0.4) * QUARTER)
                events += [(at, smf.note_on(0, pitch, 100 - 15 * (i > 0))), (end, smf.note_off(0, pitch))]
            time += length * seconds * (1 + 0.06 * np.sin(bar / 3))
    data = smf.smf([smf.track(sorted(events, key=lambda event: event[0]))], division=QUARTER)
    assert midiopt.beats(data).tracked and midiopt.analyze(data).meter_estimated == meter


@pytest.mark.parametrize("meter", [2, 3, 4])
def test_bars_follow_the_stresses(meter: int) -> None:
    scores = [2.0 if i % meter == 1 else -2.0 for i in range(40)]
    scores_of = {beats: positions_in(beats, scores) for beats in (2, 3, 4)}
    assert max(scores_of, key=lambda beats: scores_of[beats][0]) == meter
    assert scores_of[meter][1] == [(i - 1) % meter for i in range(40)]


def test_a_lost_beat_shifts_the_bars() -> None:
    scores = [3.0 if i % 4 == 0 else -3.0 for i in range(20)] + [3.0 if i % 4 == 3 else -3.0 for i in range(20)]
    _, positions = positions_in(4, scores)
    assert [i for i, position in enumerate(positions) if position == 0] == [0, 4, 8, 12, 16, 23, 27, 31, 35, 39]


def test_files_without_beats() -> None:
    assert len(midiopt.beats(smf.smf([smf.track([])], division=QUARTER))) == 0
    smpte = smf.smf([smf.track([(0, smf.note_on(0, 60, 90)), (10, smf.note_off(0, 60))])], division=0xE728)
    assert len(midiopt.beats(smpte)) == 0 and midiopt.beats(smpte).tracked


def test_at_most_100_000_beats() -> None:
    events = [(0, smf.note_on(0, 60, 90)), (1_000_000, smf.note_off(0, 60))]
    assert len(midiopt.beats(smf.smf([smf.track(events)], division=1))) == 100_000


@settings(max_examples=60, deadline=None)
@given(midi_files())
def test_beats_of_any_file(data: bytes) -> None:
    found = midiopt.beats(data)
    assert len(found.tick) == len(found.seconds) == len(found.position)
    assert (np.diff(found.seconds) >= 0).all() and (np.diff(found.tick) >= 0).all()
    assert (found.position >= 0).all() and np.isfinite(found.seconds).all()
