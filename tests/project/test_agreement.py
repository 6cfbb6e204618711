"""Disagreements with mido, symusic and pretty_midi are explained: see docs/agreement.md.

The program runs in a process of its own: reference/tracks.py mends mido for all of a process.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import midiopt
from accuracy import corpus
from benchmarks.agreement_classes import why_other_notes
from benchmarks.agreement_readings import drums_only, of_midiopt, paired_by_symusic, read
from sample import smf

for library in ("mido", "symusic", "pretty_midi"):
    pytest.importorskip(library)

ROOT = Path(__file__).resolve().parents[2]
ON, OFF = smf.note_on, smf.note_off
NOTE = [(0, ON(0, 60, 64)), (480, OFF(0, 60))]
NAME = smf.TRACK_NAME

# What is in the file, the libraries that read it otherwise, and the class.
FILES = {
    "two notes of a pitch": (
        [[(0, ON(0, 60, 64)), (240, ON(0, 60, 65)), (480, OFF(0, 60)), (720, OFF(0, 60))]],
        {("pretty_midi", "notes"): "several notes of a pitch"},
    ),
    "a note that nothing ends": (
        [[*NOTE, (480, ON(0, 62, 64))]],
        {(library, aspect): "track end" for library in ("symusic", "pretty_midi") for aspect in ("note count", "notes")},
    ),
    "a tempo in the second track": (
        [NOTE, [(0, smf.tempo(90))]],
        {
            ("pretty_midi", "tempo map"): "tempo events outside the first track are ignored",
            ("pretty_midi", "duration"): "another tempo map",
        },
    ),
    "a name in Latin-1": (
        [[(0, smf.text(NAME, "Flöte")), *NOTE]],
        {("mido", "track names"): "names beyond ASCII", ("pretty_midi", "track names"): "names beyond ASCII"},
    ),
    "a track without notes": (
        [[(0, smf.text(NAME, "Notes")), *NOTE], [(0, smf.text(NAME, "Words"))]],
        {(library, "track names"): "tracks without notes have no name" for library in ("symusic", "pretty_midi")},
    ),
    "an unknown meta type": (
        [[(0, ON(0, 60, 64)), (240, smf.meta(0x4B, b"")), (480, OFF(0, 60))]],
        {(library, "duration"): "" for library in ("mido", "pretty_midi")},
    ),
}


def run(*arguments: str) -> tuple[int, str, str]:
    """Exit code, table and list of what is not explained."""
    done = subprocess.run([sys.executable, "-m", "benchmarks.agreement", "--check", *arguments], cwd=ROOT, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("kind", FILES)
def test_classes(kind, tmp_path):
    tracks, classes = FILES[kind]
    (tmp_path / "song.mid").write_bytes(smf.smf([smf.track(track) for track in tracks]))
    code, table, unexplained = run(str(tmp_path))
    assert (code, unexplained) == (0, "")
    for (library, aspect), name in classes.items():
        assert f"| {library} | {aspect} | 1 | {name}" in table


def test_a_difference_without_evidence_is_unexplained(tmp_path):
    """A note twice, where no rule of pairing gives it twice."""
    file = read(smf.smf([smf.track(NOTE)]), midiopt.EventArena())
    ours = drums_only(of_midiopt(file).notes)
    assert why_other_notes(file, ours, ours + ours, paired_by_symusic, dropped=False) is None


@pytest.mark.skipif(not corpus.FILES.is_dir(), reason="the corpus of real files is absent")
def test_a_sample_of_real_files():
    code, table, unexplained = run(str(corpus.FILES), "--sample", "250", "--slow", "1")
    assert (code, unexplained) == (0, ""), table
