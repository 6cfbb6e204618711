"""The compiled kernel against the reference analyzer, column by column, on generated, bundled and real files.

A difference is a bug in one of the two, or a policy stated in docs/policy.md. Files that mido cannot read have no
reference.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings

import midiopt
from accuracy import corpus
from pgo import training_files
from reference.analyzer import COLUMNS, Unreadable, analyze, differing_columns
from sample import compose, smf
from tests.helpers.strategies import midi_files

SAMPLE = sorted(compose.sample())
UNREADABLE = {"odd/WALTZ.RMI", "odd/nineteen sharps.mid", "odd/not found.mid"}
SUFFIXES = {".mid", ".midi", ".smf", ".kar", ".rmi"}
FILES_COMPARED = 500  # of the corpus
MAX_FILE_BYTES = 60_000  # of those

# Repairs for which mido has another policy. It accepts a variable-length quantity of more than 28 bits: in a file of the
# corpus the first note comes after 2**32 - 128 ticks, which means -128; midiopt reads that as 0.
DIFFERENT_POLICIES = {"long_varint"}


def differences(data: bytes) -> dict[str, tuple[object, object]]:
    """The columns in which kernel and reference differ, with both values; raises Unreadable."""
    reference = analyze(data)
    facts = midiopt.analyze(data)
    row = {column.name: getattr(facts, column.name) for column in COLUMNS}
    return {name: (row[name], reference[name]) for name in differing_columns(row, reference)}


# Two simultaneous notes whose lengths, 2**24 and 2**24 + 1 quarters, are equal as the float32 that notes_hash takes.
EQUAL_AS_FLOAT32 = [
    (0, smf.note_on(0, 60, 90)),
    (0, smf.note_on(1, 60, 40)),
    (2**24, smf.note_off(0, 60)),
    (2**24 + 1, smf.note_off(1, 60)),
]


@settings(max_examples=400)
@given(midi_files())
@example(smf.smf([smf.track(EQUAL_AS_FLOAT32)], division=1))
def test_generated_files(data):
    assert differences(data) == {}


@pytest.mark.parametrize("path", [path for path in SAMPLE if path not in UNREADABLE])
def test_sample(path):
    assert differences((compose.FOLDER / path).read_bytes()) == {}


@pytest.mark.parametrize("path", sorted(UNREADABLE))
def test_what_mido_cannot_read_has_no_reference(path):
    with pytest.raises(Unreadable):
        analyze((compose.FOLDER / path).read_bytes())


STRUCTURE = ("text_mode", "utf8_text", "track_length", "joined_tracks", "early_end", "undeclared_tracks", "frame_rate", "bytes_after_end")
WITH_LYRICS = training_files.VALID + smf.chunk(b"XFKM", smf.encode([(0, smf.text(smf.LYRIC, "la"))]) + b"\0" + smf.END_OF_TRACK)


@pytest.mark.parametrize("data", [*map(training_files.ISSUES.get, STRUCTURE), WITH_LYRICS], ids=[*STRUCTURE, "XFKM"])
def test_damaged_structure(data):
    assert differences(data) == {}


def real_files() -> Iterator[tuple[str, bytes]]:
    """(path below the corpus, content) in pseudo-random order, the same in every run."""

    def order(path: str) -> bytes:
        return hashlib.sha256(path.encode(errors="surrogateescape")).digest()

    paths = [path.relative_to(corpus.CORPUS).as_posix() for path in corpus.CORPUS.rglob("*") if path.suffix.lower() in SUFFIXES]
    for path in sorted(paths, key=order):
        file = corpus.CORPUS / path
        if file.is_file() and file.stat().st_size <= MAX_FILE_BYTES:
            yield path, file.read_bytes()


@pytest.mark.skipif(not corpus.CORPUS.is_dir(), reason="the corpus of real files is absent")
def test_real_files():
    compared, wrong = 0, {}
    for path, data in real_files():
        try:
            found = differences(data)
        except Unreadable:
            continue
        except midiopt.MidiError as error:
            wrong[path] = repr(error)  # although mido can read it
            continue
        if found and DIFFERENT_POLICIES.intersection(midiopt.analyze(data).issue_names):
            continue
        if found:
            wrong[path] = found
        compared += 1
        if compared == FILES_COMPARED:
            break
    assert wrong == {}
    assert compared == FILES_COMPARED
