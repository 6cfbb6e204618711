"""The targets of `make fuzz`: every seed passes every property of its target, and a broken property is a finding."""

from __future__ import annotations

import ctypes

import pytest

from fuzz import targets
from fuzz.seeds import SEEDS
from sample.smf import note_on, smf, track

CASES = [(name, i) for name in targets.TARGETS for i in range(len(SEEDS[name]()))]


@pytest.mark.parametrize(("name", "number"), CASES)
def test_seed(name, number):
    targets.TARGETS[name](memoryview(SEEDS[name]()[number]))


def test_every_target_has_seeds():
    assert set(SEEDS) == {"parser", *targets.TARGETS}


def test_a_value_out_of_range_is_a_finding():
    _, row, heap = targets.analyze_row(targets.Analyzer(), smf([track([(0, note_on(0, 60, 1))])]))
    rows = targets.np.frombuffer(row, targets.ANALYSES_DTYPE).copy()
    rows["note_count"] = -5
    with pytest.raises(AssertionError, match="note_count"):
        targets.check_range(targets.ANALYSES, rows.tobytes(), heap)


def test_other_notes_than_were_counted_are_a_finding():
    song = smf([track([(0, note_on(0, 60, 1))])])
    _, row, _ = targets.analyze_row(targets.Analyzer(), song)
    targets.check_notes(memoryview(song), row)
    with pytest.raises(AssertionError, match="2 notes"):
        targets.check_notes(memoryview(smf([track([(0, note_on(0, 60, 1)), (1, note_on(0, 62, 1))])])), row)


def test_a_dependence_on_earlier_files_is_a_finding(monkeypatch):
    """Every analysis gives the note count of the one before."""
    real = targets.analyze_row
    counts = iter(range(1000))

    def with_state(analyzer, data):
        status, row, heap = real(analyzer, data)
        rows = targets.np.frombuffer(bytearray(row), targets.ANALYSES_DTYPE)
        rows["note_count"] = next(counts)
        return status, rows.tobytes(), heap

    monkeypatch.setattr(targets, "analyze_row", with_state)
    with pytest.raises(AssertionError, match="earlier file"):
        for _ in range(targets.FRESH_INTERVAL):
            targets.analysis(memoryview(SEEDS["analysis"]()[0]))


def test_an_input_is_not_copied():
    """A copy would hide reads behind the input's end from the sanitizer."""
    addresses = []
    run = targets.test_one_input(lambda data: addresses.append(ctypes.addressof(ctypes.c_char.from_buffer(data))))
    buffer = ctypes.create_string_buffer(b"MThd")
    run(ctypes.addressof(buffer), 4)
    assert addresses == [ctypes.addressof(buffer)]
