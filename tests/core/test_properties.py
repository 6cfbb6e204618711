"""Properties of every file: written events are read back, nothing crashes or hangs, and facts follow the music."""

from __future__ import annotations

import faulthandler
import math
import os
import re
from itertools import accumulate, pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import midiopt
from accuracy.rewritten import difference
from midiopt.kinds import FLOAT32, FLOAT64, INT16, INT32, INT64, SHARES
from midiopt.schema import ANALYSES, KEYS, REPAIRS
from sample import compose, smf
from tests.helpers.strategies import Note, Song, divisions, midi_files, note_lists, play, songs

HANG_TIMEOUT = 600  # seconds; a test takes a few, and up to 300 if it fails and Hypothesis looks for a smaller example


@pytest.fixture(autouse=True, scope="module")
def _end_a_hang(request):
    """A loop in compiled code handles no signal: end the process with a traceback."""
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        screen = os.dup(2)
    yield lambda: faulthandler.dump_traceback_later(HANG_TIMEOUT, exit=True, file=screen)
    faulthandler.cancel_dump_traceback_later()
    os.close(screen)


@pytest.fixture(autouse=True)
def _watch(_end_a_hang):
    _end_a_hang()


# --- written events are read back ----------------------------------------------------------------------


def expected_of(song: Song) -> tuple[list[tuple], list[tuple], list[tuple]]:
    """The expected results of events(), marks() and tracks(), from the events that were encoded."""
    events, marks, tracks = [], [], []
    for track in song.tracks:
        tracks.append((len(events), len(track), track[-1][0]))
        for tick, event in track:
            status, kind = event[0], event[1] if event[0] == 0xFF else 0
            here = (tick, 0, status, event[1], event[2] if len(event) > 2 else 0)
            if status >= 0xF0 or status & 0xF0 == 0xC0:
                here = (tick, len(marks), status, event[1] if status < 0xF0 else kind, 0)
                marks.append((len(events), status, kind, content(event), is_valid(kind, content(event))))
            events.append(here)
    return events, marks, tracks


def content(event: bytes) -> bytes:
    """The data of a program change, meta or system-exclusive event, without type and length."""
    if event[0] < 0xF0:
        return event[1:]
    at = 2 if event[0] == 0xFF else 1
    while event[at] > 127:
        at += 1
    return event[at + 1 :]


def is_valid(kind: int, data: bytes) -> bool:
    """Of the meta events that helpers.strategies generates, only these have invalid values."""
    if kind == 0x51:
        return data != bytes(3)
    return not (kind == 0x58 and (data[0] == 0 or data[1] > 7))


@settings(max_examples=200)
@given(songs())
def test_written_events_read_back(song):
    events, marks, tracks = expected_of(song)
    for running_status in (False, True):
        arena = midiopt.parse(song._replace(running_status=running_status).encode())
        assert arena.events().tolist() == events
        assert arena.marks() == marks
        assert arena.tracks() == tracks
        assert (len(arena), arena.format, arena.division) == (len(events), song.format, song.division)


@settings(max_examples=100)
@given(songs(valid=True))
def test_a_valid_file_is_ok(song):
    facts = midiopt.analyze(song.encode())
    assert (facts.status, facts.error) == ("ok", None)
    assert set(facts.issue_names) <= {"smpte", "format_2", "no_notes", "stuck_note"}
    assert ("smpte" in facts.issue_names, "format_2" in facts.issue_names) == (song.division > 0x7FFF, song.format == 2)


# --- any bytes ------------------------------------------------------------------------------

REFERENCE = compose.sample()["odd/film cue 25 fps.mid"]
SEEDS = [  # small files of all kinds, for mutations
    *(data for data in compose.sample().values() if len(data) < 2000),
    smf.rmid(smf.smf([smf.track([(0, smf.note_on(0, 60, 64)), (96, smf.note_off(0, 60))])], 96, 0)),
    smf.smf([smf.track([(0, smf.text(smf.TRACK_NAME, "A")), (5, smf.tempo(90)), (9, smf.sysex(b"\x7e\x7f"))])] * 4, 96, 1),
    smf.smf([smf.track(play([Note(i * 10, 15, 40 + i, 64, i % 16) for i in range(40)]))] * 3, smf.smpte(25, 40), 2),
]


def check_robust(data: bytes) -> None:
    """analyze() and parse() agree: facts in range, or the same MidiError."""
    try:
        facts = midiopt.analyze(data)
    except midiopt.MidiError as error:
        assert 0 <= error.offset <= len(data)
        with pytest.raises(type(error)) as again:
            midiopt.parse(data)
        assert str(error).endswith(str(again.value))  # analyze() also names the type of file
        return
    arena = midiopt.parse(data)
    assert len(arena) == facts.event_count == sum(count for _, count, _ in arena.tracks())
    assert len(arena.tracks()) == facts.track_count >= 1
    assert all(event < len(arena) for event, *_ in arena.marks())
    ticks = arena.events()["tick"]
    for first, count, last in arena.tracks():
        of_track = ticks[first : first + count]
        assert (of_track[1:] >= of_track[:-1]).all()
        assert (of_track[-1] if count else 0) == last
    assert difference(arena) is None
    check_ranges(facts)


def check_ranges(facts: midiopt.Analysis) -> None:
    assert (facts.status == "repaired") == bool(facts.error) == any(name in REPAIRS for name in facts.issue_names)
    assert facts.format in (0, 1, 2)
    assert 0 <= facts.drum_note_count <= facts.note_count <= facts.event_count
    assert (facts.note_count == 0) == ("no_notes" in facts.issue_names) == (facts.notes_hash is None) == (facts.channels == [])
    assert (facts.pitch_min is None) == (facts.note_count == facts.drum_note_count) == (facts.programs == [])
    for column in ANALYSES:
        value = getattr(facts, column.name)
        if value is None:
            assert column.nullable
        elif column.kind in (FLOAT32, FLOAT64):
            assert value >= 0
            assert math.isfinite(value)
            assert column.unit != "0..1" or value <= 1
        elif column.kind in (INT16, INT32, INT64):
            assert value >= 0
    if facts.pitch_min is not None:
        assert 0 <= facts.pitch_min <= facts.pitch_max <= 127
        assert facts.polyphony_mean <= facts.polyphony_max + 1e-3
        assert sum(facts.pitch_classes) == pytest.approx(1, abs=1e-5) or not any(facts.pitch_classes)
    if facts.note_count:
        assert 1 <= facts.velocity_min <= facts.velocity_mean <= facts.velocity_max <= 127
        assert facts.first_note_s <= facts.last_note_s <= facts.duration_s * (1 + 1e-9)
    if facts.bpm_source == "tempo_map":
        assert facts.bpm_min <= facts.bpm <= facts.bpm_max


@settings(max_examples=100)
@given(midi_files(), st.lists(st.floats(0, 1, exclude_max=True), min_size=8, max_size=8))
def test_any_prefix(data, cuts):
    for cut in cuts:
        check_robust(data[: int(cut * len(data))])


# Bytes with a meaning in MIDI files are frequent.
meaningful = st.sampled_from([0x00, 0x7F, 0x80, 0x90, 0xB0, 0xC0, 0xF0, 0xF1, 0xF7, 0xF8, 0xFF, 0x2F, 0x51, 0x58, 0x59, 0x03])
some_bytes = st.lists(meaningful | st.integers(0, 255), min_size=1, max_size=6).map(bytes) | st.sampled_from(
    [b"MTrk", b"MThd", b"MTrk\0\0\0\x04\0\xff\x2f\0", b"RIFF", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0" * 20, b"\0\xff\x2f\0"]
)
places = st.floats(0, 1, exclude_max=True)  # as a fraction of the file, whose length varies
mutations = st.lists(
    st.one_of(
        st.tuples(st.just("overwrite"), places, some_bytes),
        st.tuples(st.just("overwrite"), places.map(lambda at: at**8), some_bytes),  # near the beginning, where the lengths are
        st.tuples(st.just("insert"), places, some_bytes),
        st.tuples(st.just("delete"), places, st.integers(1, 20)),
        st.tuples(st.just("flip"), places, st.integers(0, 7)),
        st.tuples(st.just("splice"), places, st.tuples(st.sampled_from(SEEDS), places, places)),
    ),
    min_size=1,
    max_size=6,
)


def mutate(data: bytes, kind: str, place: float, what) -> bytes:
    at = int(place * len(data))
    if kind == "overwrite":
        return data[:at] + what + data[at + len(what) :]
    if kind == "insert":
        return data[:at] + what + data[at:]
    if kind == "delete":
        return data[:at] + data[at + what :]
    if kind == "flip":
        return data[:at] + bytes([data[at] ^ 1 << what]) + data[at + 1 :] if data else data
    other, start, stop = what
    return data[:at] + other[int(start * len(other)) : int(stop * len(other))] + data[at:]


@settings(max_examples=1200)
@given(st.sampled_from(SEEDS), mutations)
def test_any_mutation(data, changes):
    for change in changes:
        data = mutate(data, *change)
        check_robust(data)


@settings(max_examples=100)
@given(midi_files(), mutations)
def test_any_mutation_of_a_generated_file(data, changes):
    for change in changes:
        data = mutate(data, *change)
        check_robust(data)


HEADERS = [b"", b"MThd", b"MThd\0\0\0\6\0\1\0\2\0\x60", b"MThd\0\0\0\6\0\1\0\0\0\x60MTrk\0\0\1\0", b"RIFF\0\0\1\0RMIDdata\0\0\1\0"]


@settings(max_examples=600)
@given(st.sampled_from(HEADERS), st.binary(max_size=300) | st.lists(some_bytes, max_size=40).map(b"".join))
def test_random_bytes(header, data):
    check_robust(header + data)


@settings(max_examples=100)
@given(st.sampled_from(SEEDS), mutations, midi_files())
def test_same_bytes_same_row(data, changes, between):
    """Independent of the files that were analysed before in the same memory, valid or not."""
    for change in changes:
        data = mutate(data, *change)
    expected = outcome(data)
    outcome(between)
    outcome(b"no music")
    outcome(REFERENCE)
    assert outcome(data) == expected
    assert outcome(bytearray(data)) == expected


def outcome(data: bytes | bytearray) -> midiopt.Analysis | str:
    try:
        return midiopt.analyze(data)
    except midiopt.MidiError as error:
        return repr(error)


# --- facts follow the music --------------------------------------------------------------------------


def compare(one: midiopt.Analysis, other: midiopt.Analysis, ignored: set[str]) -> None:
    """All columns but those in `ignored` are equal; floats to the accuracy of a sum in another order."""
    for column in ANALYSES:
        if column.name in ignored | {"content_hash"}:
            continue
        a, b = getattr(one, column.name), getattr(other, column.name)
        if b is not None and column.kind in (FLOAT32, FLOAT64, SHARES):
            assert a == pytest.approx(b, rel=1e-6, abs=2e-6), column.name  # pitch classes have 6 decimals
        else:
            assert a == b, column.name


def without_ties(tracks: list[list[smf.Event]]) -> list[list[smf.Event]]:
    """The same tracks without events of two tracks at one tick: track i of n has the ticks i, i + n, i + 2n and so on."""
    n = len(tracks)
    max_gap = (2**28 - 1) // n - 1  # so that n gaps fit into a delta time
    spread = []
    for i, track in enumerate(tracks):
        gaps = [min(after[0] - before[0], max_gap) for before, after in pairwise([(0, b""), *track])]
        spread.append([(tick * n + i, event) for tick, (_, event) in zip(accumulate(gaps), track, strict=True)])
    return spread


@settings(max_examples=150)
@given(songs(), st.randoms(use_true_random=False))
def test_the_order_of_tracks(song, random):
    assume(len(song.tracks) > 1)
    tracks = without_ties(song.tracks)
    one = midiopt.analyze(song._replace(format=1, tracks=tracks).encode())
    random.shuffle(tracks)
    other = midiopt.analyze(song._replace(format=1, tracks=tracks).encode())
    compare(one, other, {"title", "track_names"})
    assert sorted(one.track_names) == sorted(other.track_names)


def music(notes: list[Note], division: int = 480, tempos: list[smf.Event] | None = None, format_: int = 0) -> bytes:
    return smf.smf([smf.track(sorted([*(tempos or []), *play(notes)], key=lambda event: event[0]))], division, format_)


def transposed(key: str | None, by: int) -> str | None:
    if key is None:
        return None
    classes = dict(zip("CDEFGAB", (0, 2, 4, 5, 7, 9, 11), strict=True))

    def pitch_class(name: str) -> int:
        return (classes[name[0]] + name.count("#") - name.count("b")) % 12

    return next(k for k in ESTIMATED if k.endswith("m") == key.endswith("m") and pitch_class(k) == (pitch_class(key) + by) % 12)


def transposed_chord(chord: str, by: int) -> str:
    root = chord[: 2 if chord[1:2] in ("#", "b") else 1]
    kind = chord.removeprefix(root)
    minor = "m" if kind in ("m", "dim") else ""
    name = transposed(root + minor, by)
    assert name
    return name.removesuffix("m") + kind


# The spellings that estimates use.
ESTIMATED = (
    *("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"),
    *("Cm", "C#m", "Dm", "Ebm", "Em", "Fm", "F#m", "Gm", "G#m", "Am", "Bbm", "Bm"),
)


def test_transposed_keys():
    assert set(ESTIMATED) <= set(KEYS)
    assert [transposed("C", n) for n in (0, 1, -1, 6, 12)] == ["C", "Db", "B", "F#", "C"]
    assert [transposed("F#m", n) for n in (1, -1, 3, -6)] == ["Gm", "Fm", "Am", "Cm"]
    assert [transposed_chord(c, 1) for c in ("C", "Bbm", "Csus4", "F#dim")] == ["Db", "Bm", "Dbsus4", "Gdim"]


def symbol_classes(symbol: str) -> tuple[list[int], str]:
    """The pitch classes of the root and of the bass, if it is named, and the kind of a chord."""
    root, kind, bass = re.fullmatch(r"([A-G][#b]?)([^/]*)(?:/([A-G][#b]?))?", symbol).groups()  # type: ignore[union-attr]
    names = [name for name in (root, bass) if name]
    return [("C D EF G A B".index(name[0]) + name.count("#") - name.count("b")) % 12 for name in names], kind


@settings(max_examples=200)
@given(note_lists(min_size=3), st.integers(-24, 24).filter(bool))
def test_transposition(notes, by):
    """Of pitched notes: drums have no pitch."""
    assume(any(n.channel != 9 for n in notes))
    one = midiopt.analyze(music(notes))
    other = midiopt.analyze(music([n if n.channel == 9 else n._replace(pitch=n.pitch + by) for n in notes]))
    shifting = {"pitch_min", "pitch_max", "pitch_classes", "key", "key_notes", "chord_progression", "chord_symbols", "role", "notes_hash"}
    compare(one, other, shifting)
    assert (other.pitch_min, other.pitch_max) == (one.pitch_min + by, one.pitch_max + by)
    assert other.pitch_classes == [one.pitch_classes[(pc - by) % 12] for pc in range(12)]
    assert other.notes_hash != one.notes_hash
    assert (other.key, other.key_notes) == (transposed(one.key, by), transposed(one.key_notes, by))
    assert (other.key_confidence, other.key_changes) == (one.key_confidence, one.key_changes)
    if one.chord_progression:
        assert other.chord_progression == " ".join(transposed_chord(c, by) for c in one.chord_progression.split())
    assert (one.chord_symbols is None) == (other.chord_symbols is None)
    for before, after in zip((one.chord_symbols or "").split(), (other.chord_symbols or "").split(), strict=True):
        classes, kind = symbol_classes(before)
        assert symbol_classes(after) == ([(pitch_class + by) % 12 for pitch_class in classes], kind)


tempo_lists = st.dictionaries(st.sampled_from([0, 0, 480, 960]) | st.integers(0, 4000), st.integers(200_000, 1_500_000), max_size=5)


@settings(max_examples=200)
@given(note_lists(min_size=1), tempo_lists, st.integers(2, 10))
def test_tempo_scaling(notes, tempos, by):
    """At a tempo `by` times slower, times are `by` times longer and rates `by` times lower."""
    tempos = {0: 500_000} | tempos
    one = midiopt.analyze(music(notes, tempos=[(t, smf.meta(0x51, us.to_bytes(3, "big"))) for t, us in tempos.items()]))
    other = midiopt.analyze(music(notes, tempos=[(t, smf.meta(0x51, (us * by).to_bytes(3, "big"))) for t, us in tempos.items()]))
    for name in ("duration_s", "first_note_s", "last_note_s", "note_seconds_mean"):
        before, after = getattr(one, name), getattr(other, name)
        assert after == (None if before is None else pytest.approx(before * by, rel=1e-6))
    for name in ("bpm", "bpm_mean", "bpm_min", "bpm_max", "notes_per_second"):
        # A tempo within a microsecond of an integer BPM is rounded to it: up to 1 in 200,000.
        assert getattr(other, name) == pytest.approx(getattr(one, name) / by, rel=6e-6)
    tempo_facts = {"duration_s", "first_note_s", "last_note_s", "note_seconds_mean", "notes_per_second"}
    tempo_facts |= {"bpm", "bpm_mean", "bpm_min", "bpm_max", "bpm_onsets", "bpm_onsets_confidence"}
    # The 20 ms frames hold other onsets, and cover another part of the music: beat and meter may differ.
    tempo_facts |= {"meter_estimated", "meter_confidence", "grid_deviation", "is_performance", "swing"}
    compare(one, other, tempo_facts)


@settings(max_examples=100)
@given(note_lists(min_size=12), tempo_lists, st.sampled_from([96, 480, 960]), st.integers(2, 10))
def test_the_beat_is_in_the_seconds(notes, tempos, division, by):
    """Slower tempos and equally shorter ticks: the same seconds, so the same onsets, whatever tempo the file declares."""
    tempos = sorted(({0: 500_000} | tempos).items())
    one, other = (
        midiopt.analyze(music(notes, division * k, tempos=[(t, smf.meta(0x51, (us * k).to_bytes(3, "big"))) for t, us in tempos]))
        for k in (1, by)
    )
    assert other.duration_s == pytest.approx(one.duration_s, rel=1e-9)
    assert other.bpm == pytest.approx(one.bpm / by, rel=6e-6)
    assert (other.bpm_onsets, other.bpm_onsets_confidence) == (one.bpm_onsets, one.bpm_onsets_confidence)


@pytest.mark.parametrize("bpm", [80, 84, 96, 110])
def test_the_beat_of_a_march(bpm):
    """Bass and snare drum alternate with hi-hats between them; the declared beat is three quarters of the real one."""
    notes = [Note(i * 320, 160, 36 if i % 4 == 0 else 38 if i % 4 == 2 else 42, 70 + 40 * (i % 2 == 0), 9) for i in range(128)]
    facts = midiopt.analyze(music(notes, 480, tempos=[(0, smf.meta(0x51, round(45e6 / bpm).to_bytes(3, "big")))]))
    assert facts.bpm == pytest.approx(bpm * 4 / 3, rel=1e-5)
    assert facts.bpm_onsets == pytest.approx(bpm, rel=0.005)


@settings(max_examples=150)
@given(note_lists(), divisions.filter(lambda division: division < 0x8000 // 4), st.integers(2, 4))
def test_the_same_music_at_another_division(notes, division, by):
    one = midiopt.analyze(music(notes, division))
    other = midiopt.analyze(music([n._replace(tick=n.tick * by, length=n.length * by) for n in notes], division * by))
    compare(one, other, {"ticks_per_quarter", "duration_ticks"})
    assert other.notes_hash == one.notes_hash
    assert other.duration_ticks == one.duration_ticks * by


@settings(max_examples=150)
@given(note_lists(), st.integers(1, 4), st.randoms(use_true_random=False))
def test_the_same_music_in_other_tracks(notes, parts, random):
    """Format 0, format 1 with one track, and notes split at random into several tracks: the same facts but for the sketch, of which
    each track has a share, and for chords and keys, for which notes count less in a part that plays one at a time."""
    one = midiopt.analyze(music(notes))
    again = midiopt.analyze(music(notes, format_=1))
    compare(one, again, {"format"})
    split = [[] for _ in range(parts)]
    for note in notes:
        random.choice(split).append(note)
    other = midiopt.analyze(smf.smf([smf.track(play(part)) for part in split], 480, 1))
    chords = {"chord_progression", "chord_symbols", "chord_changes_per_bar", "harmonic_rhythm"}
    keys = {"key", "key_confidence", "key_notes", "key_changes"}
    compare(one, other, {"format", "track_count", "event_count", "sketch", *chords, *keys})
    assert one.notes_hash == again.notes_hash == other.notes_hash


@settings(max_examples=150)
@given(note_lists(min_size=1), st.data())
def test_other_notes_have_another_hash(notes, data):
    i = data.draw(st.integers(0, len(notes) - 1))
    note = notes[i]
    changed = data.draw(
        st.sampled_from(
            [
                note._replace(velocity=note.velocity % 127 + 1),
                note._replace(pitch=note.pitch ^ 1, channel=3),
                note._replace(length=note.length + 1, channel=3),
                note._replace(tick=note.tick + 1, channel=3),
                note._replace(channel=9 if note.channel != 9 else 3),
            ]
        )
    )
    others = notes[:i] + notes[i + 1 :]
    assume(changed.channel != 9 or all(n.channel != 9 or n.pitch != changed.pitch for n in others))
    one = midiopt.analyze(music([note._replace(channel=3 if note.channel != 9 else 9), *others]))
    assert midiopt.analyze(music([changed, *others])).notes_hash != one.notes_hash
