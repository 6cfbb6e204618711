"""Facts per track: against the reference, against the facts of the file, and what a track by itself does not tell."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import example, given, settings

import midiopt
from midiopt.core.analyzer import Analyzer
from midiopt.schema import MAIN_PARTS, TRACKS
from reference.analyzer import Unreadable, differing_columns
from reference.track_facts import track_facts
from sample import compose, smf
from tests.core.test_reference import FILES_COMPARED, SAMPLE, UNREADABLE, corpus, real_files
from tests.helpers.strategies import midi_files
from tests.helpers.track_rows import DIGEST, VERSION, track_rows

QUARTER = 480  # ticks; at 120 BPM half a second
COLUMNS = tuple(c for c in TRACKS if c.name not in ("content_hash", "analyzer_version"))
SHARED = Analyzer()  # has analysed every example before


def differences(data: bytes) -> dict[tuple[int, str], tuple[object, object]]:
    """The columns of tracks in which kernel and reference differ, with both values; raises Unreadable."""
    found = {}
    for ours, theirs in itertools.zip_longest(track_rows(data), track_facts(data), fillvalue={}):
        for name in differing_columns(ours, theirs, COLUMNS):
            found[theirs["track"], name] = (ours[name], theirs[name])
    return found


def check_sums(data: bytes) -> None:
    """The rows of the tracks add up to the row of the file."""
    facts, tracks = midiopt.analyze(data), track_rows(data, SHARED)
    assert [row["track"] for row in tracks] == list(range(facts.track_count))
    assert sum(row["note_count"] for row in tracks) == facts.note_count
    assert sorted({channel for row in tracks for channel in row["channels"]}) == facts.channels
    hashes = [int.from_bytes(row["notes_hash"]) for row in tracks if row["notes_hash"]]
    assert sum(hashes) % 2**64 == int.from_bytes(facts.notes_hash or b"\0")
    for name, of_all in (("pitch_min", min), ("pitch_max", max)):
        assert of_all((row[name] for row in tracks if row[name] is not None), default=None) == getattr(facts, name)
    assert {row["program"] for row in tracks} - {None} <= set(facts.programs)
    assert max(row["polyphony_max"] for row in tracks) <= facts.polyphony_max
    assert min((row["first_onset_s"] for row in tracks if row["note_count"]), default=None) == facts.first_note_s
    assert set(facts.track_names) == {row["name"] for row in tracks} - {None}
    assert facts.format == 2 or all([row["main_part"] for row in tracks].count(part) <= 1 for part in MAIN_PARTS)
    assert all(row["content_hash"] == DIGEST and row["analyzer_version"] == VERSION for row in tracks)


def check_file_unchanged(data: bytes) -> None:
    """The row of the file and its text are the same with and without those of the tracks."""
    found = []
    for tracks in (None, bytearray()):
        rows, heap = bytearray(), bytearray()
        SHARED.analyze(data, DIGEST, VERSION, rows, heap, tracks)
        found.append((rows, heap))
    assert found[0] == found[1]


def check(data: bytes) -> list[dict[str, Any]]:
    """The tracks of a file, on which the reference agrees."""
    assert differences(data) == {}
    check_sums(data)
    check_file_unchanged(data)
    return track_rows(data)


def a_note(channel: int, pitch: int, onset: int, length: int, velocity: int = 64) -> list[smf.Event]:
    return [(onset, smf.note_on(channel, pitch, velocity)), (onset + length, smf.note_off(channel, pitch))]


def track(*events: smf.Event, name: str = "") -> bytes:
    named = [(0, smf.text(smf.TRACK_NAME, name))] if name else []
    return smf.track([*named, *sorted(events, key=lambda event: event[0])])


# Notes that nothing in their own track ends: a long one and a short one, ended by another track in the opposite order.
ENDED_ELSEWHERE = smf.smf(
    [
        track((0, smf.note_on(0, 60, 64)), (10, smf.note_on(0, 64, 64)), (20, smf.note_on(0, 67, 64)), *a_note(0, 72, 30, 5)),
        track((100, smf.note_off(0, 64)), (200, smf.note_off(0, 60)), *a_note(0, 50, 150, 10)),
        track((5, smf.note_on(1, 40, 64)), (300, smf.note_on(1, 41, 64))),
    ]
)
WIDE = smf.smf([smf.chunk(b"MTrk", b"\0" + smf.note_on(0, 60, 64) + (smf.varint(2**28 - 1) + b"\xf8") * 8 + b"\0\xff\x2f\0")] * 2)


@settings(max_examples=300)
@given(midi_files())
@example(ENDED_ELSEWHERE)
@example(WIDE)
def test_generated_files(data):
    check(data)


@pytest.mark.parametrize("path", [path for path in SAMPLE if path not in UNREADABLE])
def test_sample(path):
    check((compose.FOLDER / path).read_bytes())


@pytest.mark.skipif(not corpus.CORPUS.is_dir(), reason="the corpus of real files is absent")
def test_real_files():
    compared, wrong = 0, {}
    for path, data in real_files():
        try:
            found = differences(data)
        except (Unreadable, midiopt.MidiError):
            continue
        check_sums(data)
        check_file_unchanged(data)
        if found and "long_varint" not in midiopt.analyze(data).issue_names:
            wrong[path] = found
        compared += 1
        if compared == FILES_COMPARED // 2:
            break
    assert wrong == {}


def test_a_band():
    tracks = check(
        smf.smf(
            [
                track(name="Song"),
                track(*(event for i in range(8) for event in a_note(9, 36, i * QUARTER, 100, 100)), name="Drums"),
                track(
                    (0, smf.program_change(0, 33)), *(event for i in range(8) for event in a_note(0, 30 + i, i * QUARTER, 400)), name="Bass"
                ),
                track(
                    (0, smf.program_change(1, 4)),
                    *(event for i in range(4) for pitch in (60, 64, 67) for event in a_note(1, pitch, i * 960, 900)),
                ),
                track((0, smf.program_change(2, 73)), *(event for i in range(4) for event in a_note(2, 72 + i, 960 + i * 480, 480, 90))),
            ]
        )
    )
    assert [row["role"] for row in tracks] == [None, "drums", "bass", "chords", "melody"]
    assert [row["name"] for row in tracks] == ["Song", "Drums", "Bass", None, None]
    assert [row["channels"] for row in tracks] == [[], [10], [1], [2], [3]]
    assert [row["program"] for row in tracks] == [None, None, 33, 4, 73]
    assert [row["note_count"] for row in tracks] == [0, 8, 8, 12, 4]
    assert [row["first_onset_s"] for row in tracks] == [None, 0, 0, 0, 1]
    assert [row["last_onset_s"] for row in tracks] == [None, 3.5, 3.5, 3, 2.5]
    assert [(row["pitch_min"], row["pitch_max"]) for row in tracks] == [(None, None), (None, None), (30, 37), (60, 67), (72, 75)]
    assert [(row["polyphony_max"], row["polyphony_mean"]) for row in tracks] == [(0, 0), (0, 0), (1, 1), (3, 3), (1, 1)]
    assert [row["velocity_mean"] for row in tracks] == [None, 100, 64, 64, 90]


TUNE = (67, 69, 71, 72, 74, 72, 71, 69, 67, 71, 69, 67, 66, 67, 69, 67) * 2
MELODY = [event for i, pitch in enumerate(TUNE) for event in a_note(0, pitch, i * QUARTER, 450, 100)]
PADS = [event for i in range(8) for pitch in (55, 59, 62) for event in a_note(1, pitch, i * 4 * QUARTER, 4 * QUARTER)]
BASS_LINE = [(0, smf.program_change(2, 33)), *(event for i in range(16) for event in a_note(2, 31 + i % 2 * 7, i * 2 * QUARTER, 900))]


def test_main_parts_come_from_the_notes_not_from_names():
    for names in (("", "", ""), ("Bass", "Melody", "Vocal")):
        parts = [track(*events, name=name) for events, name in zip((MELODY, PADS, BASS_LINE), names, strict=True)]
        assert [row["main_part"] for row in check(smf.smf(parts, QUARTER))] == ["melody", None, "bass"]
        assert [row["main_part"] for row in check(smf.smf(parts[::-1], QUARTER))] == ["bass", None, "melody"]


def test_of_two_equal_melodies_neither_is_sure():
    parts = [track(*events) for events in (MELODY, MELODY, BASS_LINE)]
    assert [row["main_part"] for row in check(smf.smf(parts, QUARTER))] == [None, None, "bass"]


def test_main_parts_of_what_has_one_track():
    assert [row["main_part"] for row in check(smf.smf([track(*MELODY)], QUARTER, 0))] == ["melody"]
    assert [row["main_part"] for row in check(smf.smf([track(*PADS)], QUARTER, 0))] == [None]
    assert [row["main_part"] for row in check(smf.smf([track(*MELODY), track(*MELODY)], QUARTER, 2))] == ["melody", "melody"]


def test_drums_are_no_main_part():
    drums = [event for i, pitch in enumerate(TUNE) for event in a_note(9, pitch, i * QUARTER, 450, 100)]
    assert [row["main_part"] for row in check(smf.smf([track(*drums)], QUARTER, 0))] == [None]
    assert [row["main_part"] for row in check(smf.smf([track(*drums, *MELODY)], QUARTER, 0))] == ["melody"]


def test_equal_notes_have_equal_hashes_in_any_file_and_track():
    melody = [*a_note(0, 60, 0, 240), *a_note(0, 62, 480, 240)]
    on_channel_4 = [*a_note(3, 60, 0, 240), *a_note(3, 62, 480, 240)]
    twice_the_ticks = [*a_note(0, 60, 0, 480), *a_note(0, 62, 960, 480)]
    [alone] = check(smf.smf([track(*melody)], QUARTER, 0))
    [_, other] = check(smf.smf([track(*a_note(1, 40, 0, 100)), track(*on_channel_4)], QUARTER))
    [longer] = check(smf.smf([track(*twice_the_ticks)], 2 * QUARTER, 0))
    assert alone["notes_hash"] == other["notes_hash"] == longer["notes_hash"]


def test_a_program_of_another_track_holds():
    """Tracks share the parts of a sequence: files often set all programs in the first one."""
    [_, second] = check(smf.smf([track((0, smf.program_change(0, 40))), track(*a_note(0, 60, 10, 100))]))
    assert second["program"] == 40


def test_notes_that_another_track_ends():
    first, second, third = check(ENDED_ELSEWHERE)
    assert (first["polyphony_max"], second["polyphony_max"], third["polyphony_max"]) == (4, 1, 1)
    assert first["note_count"] == 4


def test_each_track_of_format_2_has_its_own_time():
    slow = smf.tempo(60)
    tracks = check(smf.smf([track((0, slow), *a_note(0, 60, QUARTER, 10)), track(*a_note(0, 62, QUARTER, 10))], QUARTER, 2))
    assert [row["first_onset_s"] for row in tracks] == [1, 0.5]
    assert [row["track"] for row in tracks] == [0, 1]


def test_names_are_decoded_like_the_title():
    names = ["ピアノ", "ベース", "ピアノ", ""]
    chunks = [smf.track([(0, smf.meta(smf.TRACK_NAME, name.encode("shift_jis")))]) for name in names]
    assert [row["name"] for row in check(smf.smf(chunks))] == ["ピアノ", "ベース", "ピアノ", None]


def test_many_tracks_of_the_same_and_of_different_names():
    chunks = [smf.track([(0, smf.text(smf.TRACK_NAME, f"Track {i % 700}"))]) for i in range(1100)]
    names = [row["name"] for row in track_rows(smf.smf(chunks))]
    assert names == [f"Track {i % 700}" for i in range(1000)] + [None] * 100  # as many as track_names takes from


def test_a_file_that_is_refused_has_no_tracks():
    tracks = bytearray()
    for data in (b"MThd", b"", smf.smf([track(*a_note(0, 60, 0, 100))])[:20]):
        with pytest.raises(midiopt.MidiError):
            SHARED.analyze(data, DIGEST, VERSION, bytearray(), bytearray(), tracks)
    assert tracks == b""
