"""Events whose length is missing or wrong: system-exclusive messages and time signatures.

A dump shows the events of the only track of a file of 96 ticks per quarter; C4 and E4 last a quarter each.
"""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import midiopt
from accuracy import corpus
from reference.mending import mend
from sample import smf
from tests.core.test_policy import C4, E4, END, EVENTS_AT, HEADER, KEPT_C4, TWO_TRACKS, chunk, kept, one_track, repaired, unusual

FIELD = corpus.CORPUS.parent / "field"

# A whole message is 7E 7F 09 01 F7, GM System On, or 41 10 42 12 40 00 7F 00 41 F7, GS Reset.
WRONG_LENGTHS = {
    "as on the cable": ("F0 7E 7F 09 01 F7", "7E 7F 09 01 F7"),
    "GS as on the cable": ("F0 41 10 42 12 40 00 7F 00 41 F7", "41 10 42 12 40 00 7F 00 41 F7"),
    "F0 counted": ("F0 06 7E 7F 09 01 F7", "7E 7F 09 01 F7"),
    "F0 and F7 counted twice": ("F0 07 7E 7F 09 01 F7", "7E 7F 09 01 F7"),
    "F7 not counted": ("F0 04 7E 7F 09 01 F7", "7E 7F 09 01 F7"),
    "two too few": ("F0 03 7E 7F 09 01 F7", "7E 7F 09 01 F7"),
    "a manufacturer of three bytes, as on the cable": ("F0 00 20 33 01 00 10 7F F7", "00 20 33 01 00 10 7F F7"),
    "XG part mode, a length of 0": ("F0 00 43 10 4C 08 0B 07 02 F7", "43 10 4C 08 0B 07 02 F7"),
    "a length of two bytes": ("F0 81 00 7E 7F 09 01 F7", "7E 7F 09 01 F7"),
    "beyond the end of the track": ("F0 7F 7E 7F 09 01 F7", "7F 7E 7F 09 01 F7"),
}
MUSIC = {
    "notes": "00 90 3C 40  60 80 3C 00",
    "notes later": "60 90 3C 40  60 80 3C 00",
    "notes after a long rest": "83 60 90 3C 40  60 80 3C 00",
    "a text": "00 FF 01 01 78  00 90 3C 40  60 80 3C 00",
    "another message without a length": "00 F0 43 10 4C 00 00 7E 00 F7  00 90 3C 40  60 80 3C 00",
    "a good message": "00 F0 05 7E 7F 09 03 F7  00 90 3C 40  60 80 3C 00",
    "an escape": "00 F7 02 F3 01  00 90 3C 40  60 80 3C 00",
}


@pytest.mark.parametrize("music", MUSIC.values(), ids=MUSIC)
@pytest.mark.parametrize(("message", "data"), WRONG_LENGTHS.values(), ids=WRONG_LENGTHS)
def test_the_f7_ends_a_message_of_a_wrong_length(message, data, music):
    notes = E4 * 40  # enough to be swallowed by a length of 7E, and for End of Track to be far away
    file = one_track(bytes.fromhex(f"00 {message} {music}") + notes + END)
    facts = midiopt.analyze(file)
    assert facts.issue_names == ["sysex_length"]
    assert facts.error == f"system-exclusive event without or with a wrong length, read up to its F7 at byte {EVENTS_AT}"
    assert facts.note_count == 41
    assert midiopt.parse(file).marks()[0][3] == bytes.fromhex(data)


def test_running_status_survives_it():
    file = one_track(
        "00 90 3C 40"  # note on
        "00 F0 7E 7F 09 01 F7"  # as on the cable
        "60 3C 00"  # note off under the running status of before
        "00 FF 2F 00"  # End of Track
    )
    assert set(midiopt.analyze(file).issue_names) == {"sysex_length", "running_status_crossed"}
    assert kept(file) == ["0: 90 3C 40", "0: F0", "96: 90 3C 00", "96: FF 2F"]


# C4, a message, and C4 to G4 under the running status of before, which the message has ended. Its data look like such notes, too.
UNDER_RUNNING_STATUS = {
    "as on the cable, led into the middle": "F0 08 43 00 09 20 00 41 40 08 42 40 08 43 40 08 44 40 08 45 40 08 46 40 08 47 40 F7",
    "a length of 0": "F0 00 41 10 42 12 40 00 7F 00 41 F7",
}


@pytest.mark.parametrize("message", UNDER_RUNNING_STATUS.values(), ids=UNDER_RUNNING_STATUS)
def test_data_that_look_like_events_under_running_status(message):
    scale = b"".join(bytes([0, pitch, 64, 96, pitch, 0]) for pitch in (60, 62, 64, 65, 67)) * 4
    file = one_track(bytes.fromhex(f"00 90 3C 40 60 3C 00 00 {message}") + scale + END)
    facts = repaired(file, "sysex_length", "running_status_crossed", at=EVENTS_AT + 7)
    assert (facts.note_count, facts.sysex_count, facts.duration_s) == (21, 1, 10.5)
    assert mend(file) != file and midiopt.analyze(mend(file)).notes_hash == facts.notes_hash


def test_an_f7_that_is_no_empty_packet():
    """With the length that is written, F7 00 is one, B0 07 a delta time, and 40 00 a note-off of before, which the message has ended."""
    controllers = bytes.fromhex("00 B0 07 40") * 20
    file = one_track(C4 + bytes.fromhex("00 F0 03 7E 7F 09 01 F7") + controllers + E4 + END)
    facts = repaired(file, "sysex_length", at=EVENTS_AT + len(C4))
    assert (facts.note_count, facts.control_changes, facts.duration_s) == (2, 20, 1.0)


@pytest.mark.parametrize("miscount", [-2, -1, 1, 2])
def test_two_long_messages_in_a_row(miscount):
    """Lengths of two bytes, both miscounted: no event follows the first one but the second, which is found by its F7 as well."""
    data = bytes([0x43, *range(127)] * 2) + b"\xf7"
    message = b"\xf0" + smf.varint(len(data) + miscount) + data
    file = one_track(b"\0" + message + b"\x60" + message + C4 * 3 + END)
    facts = repaired(file, "sysex_length", at=EVENTS_AT)
    assert (facts.note_count, facts.sysex_count, facts.first_note_s, facts.duration_s) == (3, 2, 0.5, 2.0)


def test_the_last_event_of_a_track_without_its_end():
    file = TWO_TRACKS + chunk(C4 + bytes.fromhex("00 F0 7E 7F 09 01 F7")) + chunk(E4 + END)
    repaired(file, "sysex_length", "no_end_of_track", at=EVENTS_AT + len(C4))
    assert kept(file)[:3] == [*KEPT_C4, "96: F0"]


RIGHT_LENGTHS = {
    "two packets": "00 F0 03 43 12 00  60 F7 04 43 12 00 F7  00 90 3C 40  60 80 3C 00",
    "two packets, F7 77 between them": "00 F0 03 43 12 00  F7 77 F7 04 43 12 00 F7  00 90 3C 40  60 80 3C 00",
    "a packet, and an F7 of its own": "00 F0 03 43 12 00  00 F7 01 F7  00 90 3C 40  60 80 3C 00",
    "no F7 at all": "00 F0 03 43 12 00  00 90 3C 40  60 80 3C 00",
    "two messages in one event": "00 F0 0B 7E 7F 09 01 F7 F0 7E 7F 09 01 F7  00 90 3C 40  60 80 3C 00",
    "an escape with an F7 inside": "00 F7 06 F7 00 90 3C 40 F7  00 90 3C 40  60 80 3C 00",
    "empty, and an empty packet": "00 C0 00  00 F0 00  00 F7 00  01 90 24 00  00 90 3C 40  60 80 3C 00",
    "empty": "00 F0 00  00 90 3C 40  60 80 3C 00",
    "F7 alone": "00 F0 01 F7  00 90 3C 40  60 80 3C 00",
}


@pytest.mark.parametrize("events", RIGHT_LENGTHS.values(), ids=RIGHT_LENGTHS)
def test_a_right_length_is_trusted(events):
    file = one_track(bytes.fromhex(events) + E4 * 20 + END)
    assert unusual(file).note_count == 21
    assert mend(file) == file


def test_the_written_length_is_kept_where_nothing_speaks_against_it():
    file = one_track(
        "00 F0 05 7E F7 01 02 03"  # an F7 inside, and no event after it
        "00 90 3C 40  60 80 3C 00  00 FF 2F 00"  # C4, End of Track
    )
    assert unusual(file).note_count == 1


messages = st.binary(min_size=1, max_size=70).map(lambda data: bytes(b & 127 for b in data))


@given(messages, st.integers(-2, 2) | st.none(), st.lists(st.tuples(st.integers(0, 300), st.integers(0, 127)), min_size=16, max_size=40))
@example(bytes.fromhex("41 10 42 12 40 00 7F 00 41"), None, [(0, 60)] * 20)
def test_no_note_is_lost(data, miscount, notes):
    """Any message whose length is missing or miscounted by up to two, before any notes: the notes are those without the fault."""
    whole, music = data + b"\xf7", bytearray()
    for gap, pitch in notes:
        music += smf.varint(gap) + smf.note_on(0, pitch, 64) + smf.varint(gap) + smf.note_off(0, pitch)
    if miscount is None:
        faulty = b"\xf0" + whole
    elif not 0 < len(whole) + miscount < 128:
        return
    else:
        faulty = bytes([0xF0, len(whole) + miscount]) + whole
    right = one_track(b"\0" + smf.sysex(whole) + music + END)
    wrong = one_track(b"\0" + faulty + music + END)
    read, expected = midiopt.analyze(wrong), midiopt.analyze(right)
    if read.issues == 0:  # the first byte happens to be the right length of the rest
        assert miscount == 0 or (miscount is None and data[0] == len(data))
    else:
        assert read.issue_names == ["sysex_length"]
        assert (read.notes_hash, read.duration_s) == (expected.notes_hash, expected.duration_s)
        assert mend(mend(wrong)) == mend(wrong)


@pytest.mark.parametrize(
    "event",
    [
        "58 02 03 02",  # two bytes: 3/4
        "58 03 03 02 18",  # three: the clocks per click, too
        "58 05 03 02 18 08 00",  # five
        "58 08 03 02 18 08 00 00 00 00",  # eight
    ],
)
def test_a_time_signature_of_a_wrong_length(event):
    file = one_track(bytes.fromhex(f"00 FF {event}") + C4 + END)
    facts = repaired(file, "bad_meta", at=EVENTS_AT)
    assert (facts.time_signature, facts.bar_count) == ("3/4", 1)
    assert midiopt.analyze(mend(file)).time_signature == "3/4"


@pytest.mark.parametrize("event", ["58 00", "58 01 03", "58 02 00 02", "58 02 03 08", "58 05 03 1C 18 08 00"])
def test_no_time_signature_without_numerator_and_denominator(event):
    file = one_track(bytes.fromhex(f"00 FF {event}") + C4 + END)
    assert repaired(file, "bad_meta", at=EVENTS_AT).time_signature is None


def test_a_long_dump():
    """An F7 at the end and no other: a dump of 100,000 bytes is as good as its length."""
    dump = bytes.fromhex("43 10 4C") + bytes(100_000) + b"\xf7"
    assert unusual(HEADER + chunk(b"\0" + smf.sysex(dump) + C4 + END)).sysex_count == 1
    one_short = b"\xf0" + smf.varint(len(dump) - 1) + dump
    assert repaired(HEADER + chunk(b"\0" + one_short + C4 + END), "sysex_length", at=EVENTS_AT).note_count == 1


@pytest.mark.skipif(not FIELD.is_dir(), reason="the files of the field are absent")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *((name, (22, 13.75, 0.0, 13.75)) for name in ("sysex_no_length", "sysex_no_length_gs", "sysex_two_too_long", "sysex_len_minus1")),
        ("ts_two_bytes", (24, 14.4, 0.0, 14.4)),
    ],
)
def test_files_of_the_field(name, expected):
    facts = midiopt.analyze((FIELD / f"{name}.mid").read_bytes())
    assert (facts.note_count, facts.duration_s, facts.first_note_s, facts.last_note_s) == expected
    assert facts.status == "repaired"
    assert facts.time_signature == ("3/4" if name == "ts_two_bytes" else "4/4")
