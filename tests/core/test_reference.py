"""The kernel against its slow twin, column by column: on generated files, on the sample, on real files.

A disagreement is a bug in one of them, or a policy that docs/policy.md has. Where mido cannot read a
file there is no second opinion on it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings

import midiopt
from reference.analyzer import Unreadable, same, twin
from sample import smf
from tests.helpers.strategies import midi_files

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = sorted(path for path in (ROOT / "sample/midi").rglob("*") if path.is_file())
CORPUS = ROOT.parent / "shared/corpus"
SUFFIXES = {".mid", ".midi", ".smf", ".kar", ".rmi"}
ENOUGH = 500  # files of the corpus
LARGEST = 60_000  # bytes of each

# Repairs in which mido has another policy. It takes a number of more than 28 bits at its word: in a file
# of the corpus the first note comes after 2**32 - 128 ticks, which means -128; midiopt reads it as 0.
POLICIES = {"long_varint"}


def differences(data: bytes) -> dict[str, tuple]:
    """The columns in which kernel and twin differ, with what each says; Unreadable where mido gives up."""
    expected = twin(data)
    facts = midiopt.analyze(data)
    return {name: (getattr(facts, name), expected[name]) for name in same(vars(facts), expected)}


# Two notes at once, the softer one a quarter longer than 2**24: as float32, which notes_hash takes, their lengths are equal.
ALIKE = [(0, smf.note_on(0, 60, 90)), (0, smf.note_on(1, 60, 40)), (2**24, smf.note_off(0, 60)), (2**24 + 1, smf.note_off(1, 60))]


@settings(deadline=None, derandomize=True, max_examples=400, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(midi_files())
@example(smf.smf([smf.track(ALIKE)], division=1))
def test_generated_files(data):
    assert differences(data) == {}


@pytest.mark.parametrize("path", SAMPLE, ids=[path.name for path in SAMPLE])
def test_sample(path):
    try:
        assert differences(path.read_bytes()) == {}
    except Unreadable as reason:
        pytest.skip(str(reason))


def test_most_of_the_sample_has_a_second_opinion():
    def is_readable(path: Path) -> bool:
        try:
            twin(path.read_bytes())
        except Unreadable:
            return False
        return True

    assert sum(map(is_readable, SAMPLE)) >= 25


def real_files() -> Iterator[tuple[str, bytes]]:
    """Files of the corpus with their paths in it, in an order that is chance and yet always the same."""
    paths = [path.relative_to(CORPUS).as_posix() for path in CORPUS.rglob("*") if path.suffix.lower() in SUFFIXES]
    for path in sorted(paths, key=lambda path: hashlib.sha256(path.encode(errors="surrogateescape")).digest()):
        file = CORPUS / path
        if file.is_file() and file.stat().st_size <= LARGEST:
            yield path, file.read_bytes()


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real files is not here")
def test_real_files():
    compared, wrong = 0, {}
    for path, data in real_files():
        try:
            found = differences(data)
        except Unreadable:
            continue
        except midiopt.MidiError as error:
            wrong[path] = repr(error)  # and mido can read it
            continue
        if found and POLICIES.intersection(midiopt.analyze(data).issue_names):
            continue
        if found:
            wrong[path] = found
        compared += 1
        if compared == ENOUGH:
            break
    assert wrong == {}
    assert compared == ENOUGH
