"""The arena: events lent out without a copy, memory used again, and no refill under a living view."""

from __future__ import annotations

import ctypes
import gc
import io
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import midiopt
from sample import smf

FILE = bytes.fromhex(
    "4D 54 68 64  00 00 00 06"  # MThd, 6 bytes
    "00 01  00 02  01 E0"  # format 1, 2 tracks, 480 ticks per quarter
    "4D 54 72 6B  00 00 00 14"  # MTrk, 20 bytes
    "00 FF 03 04 54 75 6E 65"  # track name: Tune
    "83 60 FF 51 03 07 A1 20"  # 480 ticks later: 500,000 microseconds a quarter
    "00 FF 2F 00"  # End of Track
    "4D 54 72 6B  00 00 00 18"  # MTrk, 24 bytes
    "00 C3 13"  # program 19 on channel 4
    "00 93 3C 64"  # note on: middle C, velocity 100
    "81 70 3C 00"  # 240 ticks later, running status: note off
    "00 D3 40"  # channel pressure: one data byte
    "00 F0 03 7E 7F F7"  # system exclusive of 3 bytes
    "0A FF 2F 00"  # 10 ticks later: End of Track
)
DTYPE = np.dtype(
    {
        "names": ["tick", "mark", "status", "data1", "data2"],
        "formats": ["<i8", "<u4", "u1", "u1", "u1"],
        "offsets": [0, 8, 12, 13, 14],
        "itemsize": 16,
    }
)
EVENTS = [  # tick since the start of the track, row in MARKS or 0, status, data1, data2
    (0, 0, 0xFF, 0x03, 0),
    (480, 1, 0xFF, 0x51, 0),
    (480, 2, 0xFF, 0x2F, 0),
    (0, 3, 0xC3, 19, 0),
    (0, 0, 0x93, 60, 100),
    (240, 0, 0x93, 60, 0),
    (240, 0, 0xD3, 64, 0),
    (240, 4, 0xF0, 0, 0),
    (250, 5, 0xFF, 0x2F, 0),
]
MARKS = [  # row in EVENTS, status, type, data, valid
    (0, 0xFF, 0x03, b"Tune", True),
    (1, 0xFF, 0x51, b"\x07\xa1\x20", True),
    (2, 0xFF, 0x2F, b"", True),
    (3, 0xC3, 0, b"\x13", True),
    (7, 0xF0, 0, b"\x7e\x7f\xf7", True),
    (8, 0xFF, 0x2F, b"", True),
]
TRACKS = [(0, 3, 480), (3, 6, 250)]  # first event, number of events, last tick


def a_file(notes: int, seed: int = 0) -> bytes:
    """A file whose notes have other values for each seed."""
    return smf.smf([smf.track([(i, smf.note_on(i % 16, (i + seed) % 128, 1 + (i * 7 + seed) % 127)) for i in range(notes)])])


def address(arena: midiopt.EventArena) -> int:
    """The address of the arena's events; no view is left."""
    return arena.events().__array_interface__["data"][0]


def owner(view: np.ndarray) -> midiopt.EventArena:
    """The arena that a view belongs to."""
    base = view
    while isinstance(base, np.ndarray):
        base = base.base
    assert isinstance(base.obj, midiopt.EventArena)
    return base.obj


def has_views(arena: midiopt.EventArena) -> bool:
    """Whether a view prevents parsing and resetting alike."""
    try:
        midiopt.parse(FILE, into=arena)
    except BufferError:
        with pytest.raises(BufferError):
            arena.reset()
        return True
    arena.reset()
    return False


# --- contents -----------------------------------------------------------------------------------


def test_events():
    events = midiopt.parse(FILE).events()
    assert events.dtype == DTYPE
    assert events.tolist() == EVENTS
    assert [events[name].tolist() for name in DTYPE.names] == [list(column) for column in zip(*EVENTS, strict=True)]


def test_marks_and_tracks():
    arena = midiopt.parse(FILE)
    assert arena.marks() == MARKS
    assert arena.tracks() == TRACKS
    assert (len(arena), arena.format, arena.division, arena.issues) == (9, 1, 480, 0)
    assert repr(arena) == "<EventArena: 9 events, 2 tracks>"


def test_an_arena_before_its_first_file():
    arena = midiopt.EventArena()
    assert (len(arena), arena.marks(), arena.tracks(), arena.issues) == (0, [], [], 0)
    events = arena.events()
    assert (events.dtype, events.tolist()) == (DTYPE, [])
    assert has_views(arena)
    del events
    assert not has_views(arena)


BYTES_LIKE = {
    "bytes": bytes,
    "bytearray": bytearray,
    "memoryview": memoryview,
    "part of a memoryview": lambda data: memoryview(data * 2)[: len(data)],
    "numpy array": lambda data: np.frombuffer(data, np.uint8),
}


@pytest.mark.parametrize("convert", BYTES_LIKE.values(), ids=BYTES_LIKE)
def test_parse_takes_any_bytes_like_object(convert):
    arena = midiopt.parse(convert(FILE))
    assert (arena.events().tolist(), arena.marks(), arena.tracks()) == (EVENTS, MARKS, TRACKS)


def test_marks_keep_the_bytes_that_were_parsed():
    data = bytearray(FILE)
    arena = midiopt.parse(data)
    data[:] = bytes(len(data))
    assert arena.marks() == MARKS


@pytest.mark.parametrize("wrong", [None, 4, [77, 84, 104, 100]])
def test_parse_refuses_other_objects(wrong):
    with pytest.raises(TypeError):
        midiopt.parse(wrong)


def test_parse_refuses_another_arena():
    with pytest.raises(TypeError):
        midiopt.parse(FILE, into=[])


# --- exported without a copy ----------------------------------------------------------------------------------


def test_views_share_the_memory():
    arena = midiopt.parse(FILE)
    first, second = arena.events(), arena.events()
    assert np.shares_memory(first, second)
    assert not first.flags.owndata
    assert not np.shares_memory(first, midiopt.parse(FILE).events())


def test_views_are_read_only():
    arena = midiopt.parse(FILE)
    events = arena.events()
    with pytest.raises(ValueError, match="read-only"):
        events["tick"][0] = 1
    with pytest.raises(ValueError, match="WRITEABLE"):
        events.setflags(write=True)
    assert memoryview(arena).readonly
    assert events.tolist() == EVENTS


def test_a_refused_buffer_is_no_view():
    arena = midiopt.parse(FILE)
    with pytest.raises(TypeError):
        io.BytesIO(b"overwrite").readinto(arena)
    assert not has_views(arena)


# --- reuse --------------------------------------------------------------------------------------


def test_smaller_files_need_no_new_memory():
    arena = midiopt.parse(a_file(200_000))
    before = address(arena)
    for notes in (0, 1, 100, 199_999, 5, 50_000):
        assert midiopt.parse(a_file(notes), into=arena) is arena
        assert len(arena) == notes + 1  # and End of Track
        assert address(arena) == before


def test_a_larger_file_makes_it_grow():
    arena = midiopt.parse(a_file(10))
    for notes in (1000, 100_000, 10):
        midiopt.parse(a_file(notes), into=arena)
        assert np.array_equal(arena.events(), midiopt.parse(a_file(notes)).events())


def test_nothing_of_the_last_file_is_left():
    arena = midiopt.parse(smf.smf([smf.track([(0, smf.meta(0x59, b"\x13\x00"))])] * 3, 96, 1))
    assert arena.issues
    midiopt.parse(FILE, into=arena)
    assert (arena.events().tolist(), arena.marks(), arena.tracks()) == (EVENTS, MARKS, TRACKS)
    assert (len(arena), arena.format, arena.division, arena.issues) == (9, 1, 480, 0)


def test_reset():
    arena = midiopt.parse(FILE)
    arena.reset()
    assert (len(arena), arena.events().tolist(), arena.marks(), arena.tracks(), arena.issues) == (0, [], [], [], 0)
    arena.reset()
    midiopt.parse(FILE, into=arena)
    assert arena.events().tolist() == EVENTS


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", midiopt.NotMidi),
        (b"no music", midiopt.NotMidi),
        (FILE[:13], midiopt.Malformed),  # within the header
        (FILE[:12] + b"\0\0" + FILE[14:], midiopt.Malformed),  # division 0
        (FILE[:14], midiopt.Malformed),  # no track
        (smf.smf([smf.track([])] * 32768), midiopt.TooLarge),  # tracks; events are in test_policy.py
    ],
)
def test_a_failed_parse_leaves_it_empty_and_usable(data, error):
    arena = midiopt.parse(FILE)
    with pytest.raises(error):
        midiopt.parse(data, into=arena)
    assert (len(arena), arena.events().tolist(), arena.marks(), arena.tracks()) == (0, [], [], [])
    midiopt.parse(FILE, into=arena)
    assert (arena.events().tolist(), arena.marks(), arena.tracks()) == (EVENTS, MARKS, TRACKS)


# --- not while a view lives ------------------------------------------------------------------------------


def test_a_view_prevents_reuse():
    arena = midiopt.parse(FILE)
    view = arena.events()
    with pytest.raises(BufferError, match=r"1 view\(s\) of this arena's events are alive"):
        midiopt.parse(a_file(100), into=arena)
    with pytest.raises(BufferError, match=r"1 view\(s\) of this arena's events are alive"):
        arena.reset()
    assert view.tolist() == EVENTS
    assert (arena.marks(), arena.tracks()) == (MARKS, TRACKS)
    del view
    assert not has_views(arena)


def test_a_view_prevents_parsing_of_bad_bytes():
    arena = midiopt.parse(FILE)
    view = arena.events()
    with pytest.raises(BufferError):
        midiopt.parse(b"no music", into=arena)
    assert view.tolist() == EVENTS
    assert len(arena) == len(EVENTS)


def test_every_view_counts():
    arena = midiopt.parse(FILE)
    views = [arena.events() for _ in range(3)]
    while views:
        with pytest.raises(BufferError, match=rf"{len(views)} view\(s\)"):
            arena.reset()
        del views[0]
    assert not has_views(arena)


DERIVED = {
    "slice": lambda events: events[2:5],
    "reversed": lambda events: events[::-1],
    "field": lambda events: events["tick"],
    "field of a slice": lambda events: events[1:]["data1"][::2],
    "bytes": lambda events: events.view(np.uint8),
    "row": lambda events: events[3:4][0],  # a structured scalar points into its array
    "memoryview": memoryview,
}


@pytest.mark.parametrize("derive", DERIVED.values(), ids=DERIVED)
def test_anything_derived_from_a_view_prevents_reuse(derive):
    arena = midiopt.parse(FILE)
    part = derive(arena.events())
    gc.collect()
    assert has_views(arena)
    assert np.asarray(part).tolist() == np.asarray(derive(midiopt.parse(FILE).events())).tolist()
    del part
    assert not has_views(arena)


def test_a_copy_does_not_prevent_reuse():
    arena = midiopt.parse(FILE)
    copy = arena.events().copy()
    ticks = arena.events()["tick"] * 2
    assert not has_views(arena)
    assert copy.tolist() == EVENTS
    assert ticks.tolist() == [2 * tick for tick, *_ in EVENTS]


def test_marks_and_tracks_belong_to_the_caller():
    arena = midiopt.parse(FILE)
    marks, tracks = arena.marks(), arena.tracks()
    midiopt.parse(a_file(100), into=arena)
    arena.reset()
    assert (marks, tracks) == (MARKS, TRACKS)


def test_a_view_outlives_the_name_of_its_arena():
    """Borrowed lifetimes would have to forbid this: the view alone keeps the arena alive."""
    arena = midiopt.parse(a_file(50_000, seed=1))
    expected = arena.events().copy()
    view = arena.events()[10:]
    del arena
    gc.collect()
    for seed in range(2, 20):  # memory that was freed too early would show these
        midiopt.parse(a_file(50_000, seed))
    gc.collect()
    assert np.array_equal(view, expected[10:])

    arena = owner(view)
    assert has_views(arena)
    assert np.array_equal(arena.events(), expected)
    del view
    gc.collect()
    assert not has_views(arena)


def test_a_view_in_a_reference_cycle_lives_until_collection():
    arena = midiopt.parse(FILE)
    gc.disable()
    try:
        cycle = [arena.events()]
        cycle.append(cycle)
        del cycle
        assert has_views(arena)
        gc.collect()
        assert not has_views(arena)
    finally:
        gc.enable()


# --- threads -----------------------------------------------------------------------------------------------


def test_many_arenas_in_many_threads():
    files = [a_file(notes, seed) for seed, notes in enumerate([0, 1, 10, 100, 1000, 3000, 5000, 10_000])]
    expected = [midiopt.parse(data).events().copy() for data in files]
    start = threading.Barrier(8)

    def work(first: int) -> int:
        arena = midiopt.EventArena()
        start.wait()
        right = 0
        for i in range(first, first + 40):
            midiopt.parse(files[i % 8], into=arena)
            view = arena.events()
            with pytest.raises(BufferError):
                arena.reset()
            right += np.array_equal(view, expected[i % 8])
            del view
        return right

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(8))) == [40] * 8


def test_a_view_dropped_in_another_thread():
    arena = midiopt.parse(FILE)
    views = [arena.events() for _ in range(100)]
    assert has_views(arena)

    def drop() -> None:
        for _ in range(25):
            assert views.pop().tolist() == EVENTS

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(drop) for _ in range(4)]:
            done.result()
    assert views == []
    assert not has_views(arena)


@pytest.mark.skipif(midiopt.build_info()["mode"] != "sanitize", reason="only the address sanitizer knows which bytes may be read")
def test_the_events_of_the_file_before_cannot_be_read() -> None:
    arena = midiopt.EventArena()
    midiopt.parse(smf.smf([smf.track([(0, smf.note_on(0, 60, 64))] * 500)]), arena)
    midiopt.parse(FILE, arena)
    events = arena.events()
    start = events.__array_interface__["data"][0]
    is_poisoned = ctypes.CDLL(None).__asan_address_is_poisoned
    is_poisoned.argtypes = [ctypes.c_void_p]
    assert not is_poisoned(start + events.nbytes - 1)
    assert is_poisoned(start + events.nbytes)
