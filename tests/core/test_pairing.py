"""What ends a note: the table in docs/policy.md, line by line, and the kernel against reference/pairing.py."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import midiopt
from reference.analyzer import COLUMNS, analyze, differing_columns
from sample import smf

TICKS = 96  # per quarter, of which there are two a second


def song(*tracks: str) -> bytes:
    """A file of 96 ticks per quarter with these tracks, of which each ends an eighth (48 ticks) after its last event."""
    chunks = [bytes.fromhex(events + "30 FF 2F 00") for events in tracks]
    return smf.smf([b"MTrk" + len(data).to_bytes(4, "big") + data for data in chunks], TICKS, 1 if len(tracks) > 1 else 0)


def check(data: bytes, *lengths: int, last: int, issues: tuple[str, ...] = ()) -> midiopt.Analysis:
    """As many notes as lengths (in ticks), whose mean is theirs; the last one ends at tick `last`. The reference agrees."""
    facts = midiopt.analyze(data)
    assert facts.note_count == len(lengths)
    assert facts.note_seconds_mean == pytest.approx(sum(lengths) / len(lengths) / (2 * TICKS), rel=1e-6)
    assert facts.last_note_s == pytest.approx(last / (2 * TICKS), rel=1e-9)
    assert tuple(facts.issue_names) == issues
    assert differing(data) == {}
    return facts


def differing(data: bytes) -> dict[str, tuple[object, object]]:
    """The columns in which kernel and reference differ, with both values."""
    facts, reference = midiopt.analyze(data), analyze(data)
    row = {column.name: getattr(facts, column.name) for column in COLUMNS}
    return {name: (row[name], reference[name]) for name in differing_columns(row, reference)}


def test_a_note_off_ends_the_note():
    check(song("00 90 3C 40  60 80 3C 00"), 96, last=96)
    check(song("00 90 3C 40  60 90 3C 00"), 96, last=96)  # a note-on with velocity 0


def test_a_note_off_at_the_tick_of_the_onset():
    check(song("00 90 3C 40  00 80 3C 00  60 90 3E 40  60 80 3E 00"), 0, 96, last=192)


def test_two_notes_of_a_pitch_end_in_their_order():
    check(song("00 90 3C 40  30 90 3C 50  30 80 3C 00  60 80 3C 00"), 96, 144, last=192)


def test_a_note_off_without_a_note():
    check(song("00 80 3C 00  00 90 3C 40  60 80 3C 00  10 80 3C 00"), 96, last=96)


@pytest.mark.parametrize("controller", ["78", "7B"])  # 120 All Sound Off, 123 All Notes Off
@pytest.mark.parametrize("value", ["00", "7F"])
def test_a_controller_ends_all_notes_of_its_channel(controller, value):
    data = song(
        "00 90 3C 40  00 3C 40  00 40 40"  # C4 twice and E4 on channel 1
        "00 91 43 40"  # G4 on channel 2
        f"60 B0 {controller} {value}"  # the controller, on channel 1
        "60 80 3C 00"  # a note-off too late
        "00 81 43 00"
    )
    check(data, 96, 96, 96, 192, last=192)


@pytest.mark.parametrize("controller", ["79", "7A", "7C", "40"])  # reset, local control, omni off, pedal
def test_other_controllers_end_nothing(controller):
    check(song(f"00 90 3C 40  60 B0 {controller} 00  60 80 3C 00"), 192, last=192)


def test_drums_end_by_a_controller_too():
    facts = midiopt.analyze(song("00 99 24 40  60 B9 7B 00"))
    assert (facts.last_note_s, facts.issue_names, facts.drum_note_count) == (0.5, [], 1)


def test_retrigger():
    """A second note-on without a note-off: one note-off ends both."""
    facts = check(song("00 90 3C 40  60 90 3C 40  60 80 3C 00  81 40 FF 01 00"), 192, 96, last=192)
    assert facts.polyphony_max == 2


def test_a_retrigger_shifts_no_later_note():
    data = song(
        "00 90 3C 40  30 80 3C 00"  # complete
        "00 90 3C 40  00 90 3C 40  30 80 3C 00"  # struck twice, released once
        "00 90 3C 40  30 80 3C 00"  # complete
        "00 90 3C 40  30 80 3C 00"  # complete
    )
    check(data, 48, 48, 48, 48, 48, last=192)


def test_pairs_before_the_pitch_was_silent_stay():
    data = song(
        "00 90 3C 40  30 90 3C 40  30 80 3C 00  30 80 3C 00"  # two voices: 96 ticks each
        "00 90 3C 40  30 90 3C 40  30 80 3C 00"  # struck twice, released once: 96 and 48
    )
    check(data, 96, 96, 96, 48, last=240)


def test_a_retrigger_takes_surplus_note_offs():
    """The first of two note-offs ends three notes, and the second none."""
    check(song("00 90 3C 40  30 90 3C 40  30 90 3C 40  30 80 3C 00  60 80 3C 00"), 144, 96, 48, last=144)


def test_a_note_off_in_another_track():
    facts = check(song("00 90 3C 40", "60 80 3C 00"), 96, last=96)
    assert facts.duration_s == pytest.approx(144 / 192)


def test_a_note_off_in_another_track_after_the_end_of_the_notes_track():
    check(song("00 90 3C 40", "81 40 80 3C 00"), 192, last=192)


@pytest.mark.parametrize("events", ["60 81 3C 00", "60 80 3D 00", "00 80 3C 00", "60 B1 7B 00", "00 B0 7B 00", "60 90 3C 40  00 3C 00"])
def test_what_ends_no_note_of_another_track(events):
    """Another channel, another pitch, the tick of the onset; but a note-off that ends a note of its own track ends it too."""
    facts = midiopt.analyze(song("00 90 3C 40  60 FF 01 00", events))
    ended = events.startswith("60 90")
    assert facts.issue_names == ([] if ended else ["stuck_note"])
    assert differing(song("00 90 3C 40  60 FF 01 00", events)) == {}


def test_a_controller_in_another_track():
    data = song("00 90 3C 40  00 40 40  00 91 43 40  81 40 81 43 00", "60 B0 7B 00")
    check(data, 96, 96, 192, last=192)


def test_another_track_never_shortens_a_note():
    check(song("00 90 3C 40  81 40 80 3C 00", "60 80 3C 00  00 B0 7B 00"), 192, last=192)


def test_the_tracks_of_format_2_end_nothing_of_one_another():
    data = song("00 90 3C 40", "60 80 3C 00")
    facts = midiopt.analyze(data[:9] + b"\2" + data[10:])
    assert facts.issue_names == ["format_2", "stuck_note"]
    assert facts.last_note_s == 0.25


def test_a_note_that_nothing_ends():
    check(song("00 90 3C 40  60 90 40 40  60 80 40 00"), 240, 96, last=240, issues=("stuck_note",))


# --- against the reference -----------------------------------------------------------------------------

CHANNELS, PITCHES = (0, 9), (60, 61)
events = st.one_of(
    st.builds(smf.note_on, st.sampled_from(CHANNELS), st.sampled_from(PITCHES), st.sampled_from([0, 1, 64])),
    st.builds(smf.note_on, st.sampled_from(CHANNELS), st.sampled_from(PITCHES), st.just(64)),
    st.builds(smf.note_off, st.sampled_from(CHANNELS), st.sampled_from(PITCHES)),
    st.builds(smf.control_change, st.sampled_from(CHANNELS), st.sampled_from([7, 120, 123]), st.just(0)),
)
steps = st.lists(st.tuples(st.sampled_from([0, 1, 24]), events), max_size=30)


def in_time(steps: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """(gap, event) as (tick, event)."""
    now, found = 0, []
    for gap, event in steps:
        now += gap
        found.append((now, event))
    return found


@settings(max_examples=300)
@given(st.lists(steps, min_size=1, max_size=4), st.sampled_from([1, 1, 1, 2]), st.booleans())
def test_few_pitches_and_channels(tracks, number, tempos):
    """Notes that overlap, repeat and are cut in all ways, under one tempo and under two."""
    tracks = [in_time(track) for track in tracks]
    if tempos:
        tracks.append([(30, smf.tempo(60))])
    assert differing(smf.smf([smf.track(track) for track in tracks], TICKS, number)) == {}
