"""The scripts that midiopt is measured against find what midiopt finds: a script that does less would not be a fair one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import midiopt
from benchmarks import peer_pipeline, peers

SAMPLE = Path(__file__).parents[2] / "sample" / "midi"
COLUMNS = ("path", "tracks", "notes", "drum_notes", "duration", "bpm")


def valid_files() -> Iterator[tuple[Path, midiopt.Analysis]]:
    """Every eighth file of the sample that needs no repair."""
    for path in sorted(SAMPLE.rglob("*.mid"))[::8]:
        try:
            facts = midiopt.analyze(path)
        except midiopt.MidiError:
            continue
        if facts.status == "ok" and facts.format != 2:
            yield path, facts


@pytest.mark.parametrize("library", peer_pipeline.LIBRARIES)
def test_a_script_finds_the_same_notes_and_durations(library):
    pytest.importorskip(library)
    compared = 0
    for path, facts in valid_files():
        row = dict(zip(COLUMNS, peer_pipeline.row(library, str(path)), strict=False))
        assert row["notes"] == facts.note_count, path
        assert row["duration"] == pytest.approx(facts.duration_s, abs=0.1), path  # some end with the last note
        compared += 1
    assert compared


def test_a_file_that_a_library_refuses_is_a_row_with_an_error():
    row = peer_pipeline.row("no such library", "song.mid")
    assert (row[0], len(row)) == ("song.mid", peer_pipeline.COLUMNS)
    assert "no such library" in row[-1]


def test_ratios_are_of_files_per_second():
    result = {"library": "mido", "state": "warm", "files": 1000, "peer_files": 10, "seconds": [(1.0, 2.0), (2.0, 2.0)]}
    assert peers.ratios(result) == [200.0, 100.0]
    assert "| 1,000 | warm | mido | 667 | 5 | 150.0 (75.0–225.0) |  |" in peers.block([result])
