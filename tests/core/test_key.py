"""The key of music with an undisputed key, and the program that scores keys."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import midiopt
from sample import smf

ROOT = Path(__file__).resolve().parents[2]
QUARTER = 480
Progression = tuple[tuple[int, tuple[int, ...]], ...]  # roots and shapes, in half tones
MAJOR, MINOR = (0, 4, 7), (0, 3, 7)
CADENCE = ((0, MAJOR), (5, MAJOR), (7, MAJOR), (0, MAJOR))  # I IV V I
MINOR_CADENCE = ((0, MINOR), (5, MINOR), (7, MAJOR), (0, MINOR))  # with the leading tone
NATURAL_LOOP = ((9, MINOR), (5, MAJOR), (0, MAJOR), (7, MAJOR))  # Am F C G: A minor or C major


def chords(progression: Progression, tonic: int, times: int, start: int = 0, channel: int = 0) -> list[smf.Event]:
    """Four-beat chords around middle C over their roots."""
    events = []
    for i, (root, shape) in enumerate(progression * times):
        on = (start + i * 4) * QUARTER
        for pitch in (36 + tonic + root, *(60 + (tonic + root + step) % 12 for step in shape)):
            events += [(on, smf.note_on(channel, pitch, 80)), (on + 4 * QUARTER, smf.note_off(channel, pitch))]
    return events


def encode(*parts: list[smf.Event]) -> bytes:
    """A file with one track."""
    return smf.smf([smf.track(sorted((event for part in parts for event in part), key=lambda event: event[0]))])


def song(*parts: list[smf.Event]) -> midiopt.Analysis:
    """The facts of a file with one track."""
    return midiopt.analyze(encode(*parts))


@pytest.mark.parametrize("tonic, name", [(0, "C"), (1, "Db"), (6, "F#"), (10, "Bb")])
def test_a_cadence_in_major(tonic: int, name: str) -> None:
    facts = song(chords(CADENCE, tonic, 4))
    assert (facts.key, facts.key_notes, facts.key_changes) == (name, name, 0)
    assert facts.key_confidence > 0.8


def test_a_cadence_in_minor() -> None:
    facts = song(chords(MINOR_CADENCE, 9, 4))
    assert (facts.key, facts.key_changes) == ("Am", 0)


def test_drums_have_no_key() -> None:
    facts = song(chords(CADENCE, 2, 4), chords(MINOR_CADENCE, 6, 4, channel=9))
    assert facts.key == "D"


def test_the_key_that_holds_longest_wins() -> None:
    """Thirty-two bars of D major, then sixteen of Ab major."""
    facts = song(chords(CADENCE, 2, 8), chords(CADENCE, 8, 4, start=128))
    assert (facts.key, facts.key_changes) == ("D", 1)


def test_few_chords_give_less_confidence_than_many() -> None:
    few, many = song(chords(CADENCE, 0, 1)), song(chords(CADENCE, 0, 16))
    assert few.key == many.key == "C"
    assert few.key_confidence < many.key_confidence


def test_a_key_signature_makes_an_uncertain_key_surer() -> None:
    loop = chords(NATURAL_LOOP, 0, 4)
    undeclared = song(loop)
    assert undeclared.key == undeclared.key_notes == "Am"
    declared = song([(0, smf.key_signature("Am"))], loop)
    assert (declared.key_notes, declared.key_declared) == ("Am", "Am")
    assert declared.key_confidence > undeclared.key_confidence


def test_the_key_of_a_loop_is_decided_by_where_its_chords_stand() -> None:
    """The same four chords, beginning with Am and with C; with a melody of single notes they are no loop of chords."""
    loop = [*NATURAL_LOOP[2:], *NATURAL_LOOP[:2]]
    assert song(chords(NATURAL_LOOP, 0, 2)).key_notes == "Am"
    assert song(chords(loop, 0, 2)).key_notes == "C"


def test_a_key_signature_does_not_overrule_clear_notes() -> None:
    facts = song([(0, smf.key_signature("C"))], chords(CADENCE, 6, 4))
    assert (facts.key, facts.key_declared) == ("F#", "C")


def test_notes_without_a_length_have_a_key() -> None:
    facts = song(
        [
            (i * QUARTER, event)
            for i, pitch in enumerate((60, 64, 67, 65, 62, 59, 60))
            for event in (smf.note_on(0, pitch, 80), smf.note_off(0, pitch))
        ]
    )
    assert (facts.key, facts.key_changes) == ("C", 0)


def test_the_accuracy_of_keys(tmp_path: Path) -> None:
    """Two files in C major, of which one is annotated as A minor."""
    corpus, truth = tmp_path / "corpus", tmp_path / "truth"
    corpus.mkdir()
    truth.mkdir()
    for name in ("one.mid", "two.mid"):
        (corpus / name).write_bytes(encode(chords(CADENCE, 0, 4)))
    lines = ["relpath\ttonic_pc\tmode\tsource\tgroup", "one.mid\t0\tmaj\tus\t1", "two.mid\t9\tmin\tus\t2", "three.mid\t9\tmin\tus\t3"]
    (truth / "key.tsv").write_text("\n".join(lines))
    command = [sys.executable, "-m", "accuracy.evaluate", corpus, truth, "--sample", "0"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "| us | 2 | 0.500 | 0.650 | 1.000 | 0.500 | 0.500 | 0.500 |  |" in out  # the relative key counts 0.3
    assert "| us | 1 | 0 | 1 | 0 | 0 | 0 |" in out


def test_the_accuracy_of_chords_and_filenames(tmp_path: Path) -> None:
    """A tune with its chords in a file of their own, and two loops, of which the name of one states a wrong chord."""
    pytest.importorskip("mir_eval")  # extra `eval`
    (tmp_path / "chords").mkdir()
    blocks = [(480 * i, 480, pitch) for i, chord in enumerate(((48, 52, 55), (53, 57, 60))) for pitch in chord]
    events = [e for at, length, p in blocks for e in ((at, smf.note_on(0, p, 80)), (at + length, smf.note_off(0, p)))]
    events.sort(key=lambda e: (e[0], e[1][0]))
    melody = smf.track([(0, smf.note_on(0, 72, 80)), (960, smf.note_off(0, 72))])
    alone = smf.smf([smf.track([(0, smf.time_signature(2, 4)), *events])], division=240)
    (tmp_path / "chords" / "tune.mid").write_bytes(alone)
    (tmp_path / "tune.mid").write_bytes(smf.smf([smf.track([(0, smf.time_signature(2, 4))]), melody, smf.track(events)], division=240))
    (tmp_path / "Loops in C major").mkdir()
    for name in ("C - I IV - Happy", "C - I V7 - Sad"):
        (tmp_path / "Loops in C major" / f"{name}.mid").write_bytes(alone)
    command = [sys.executable, "-m", "accuracy.evaluate", tmp_path, tmp_path, "--sample", "0"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for voicing in ("as written", "first inversions", "second inversions"):
        assert f"| tunes, {voicing} | 1 | 1.000 | 1.000 | 1.000 |" in out
    assert "| Loops in C major | 2 | 0.500 | 0.750 | 0.750 |" in out
    assert "| Loops in C major | 2 | 0 | 2 | 0 |" in out
