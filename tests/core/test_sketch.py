"""The sketch: what it does not depend on, and when there is none."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import midiopt
from sample.smf import note_off, note_on, smf, tempo, track

Note = tuple[int, int, int, int]  # track, onset and length in sixteenths, pitch
SONGS = st.integers(0, 10**6).map(lambda seed: make_song(seed))


def make_song(seed: int) -> list[Note]:
    """Three tracks with a walk each."""
    chance = random.Random(seed)
    notes: list[Note] = []
    for number in range(3):
        onset, pitch = 0, 40 + 15 * number
        for _ in range(chance.randrange(20, 80)):
            notes.append((number, onset, 1, pitch))
            onset += chance.choice((1, 2, 2, 4))
            pitch = min(max(pitch + chance.randrange(-7, 8), 30), 90)
    return notes


def sketch(notes: list[Note], ticks: int = 4, delay: int = 0, shift: int = 0, bpm: float = 120, channel: int | None = None):
    """The sketch of a file with these notes; `ticks` are those of a sixteenth."""
    events: dict[int, list[tuple[int, int, bytes]]] = {}
    for number, onset, length, pitch in notes:
        part = number if channel is None else channel
        start = onset * ticks + delay
        events.setdefault(number, []).append((start, 1, note_on(part, pitch + shift, 64)))
        events[number].append((start + length * ticks, 0, note_off(part, pitch + shift)))
    chunks = [track([(tick, data) for tick, _, data in sorted(of_track, key=lambda event: event[:2])]) for of_track in events.values()]
    return midiopt.analyze(smf([track([(0, tempo(bpm))]), *chunks], division=4 * ticks)).sketch


def shared(one: list[int], other: list[int]) -> float:
    return len({*one} & {*other}) / max(len(one), len(other))


@given(SONGS, st.integers(-12, 12), st.integers(0, 10_000), st.sampled_from([6, 24, 30, 120, 240]), st.integers(20, 250))
def test_transposition_delay_ticks_and_tempo_do_not_matter(song, shift, delay, ticks, bpm):
    assert sketch(song, ticks, delay, shift, bpm) == sketch(song)


@given(SONGS, st.permutations(range(3)))
def test_the_order_of_tracks_does_not_matter(song, order):
    assert sketch([(order[number], *rest) for number, *rest in song]) == sketch(song)


def test_merged_tracks_share_much():
    songs = [make_song(seed) for seed in range(200)]
    scores = sorted(shared(sketch(sorted((0, *rest) for _, *rest in song)), sketch(song)) for song in songs)
    assert scores[100] > 0.4 and scores[10] > 0.2


@pytest.mark.parametrize("dropped", range(3))
def test_a_song_without_a_track_shares_much(dropped):
    songs = [make_song(seed) for seed in range(200)]
    scores = sorted(shared(sketch([note for note in song if note[0] != dropped]), sketch(song)) for song in songs)
    assert scores[100] > 0.3 and scores[10] > 0.1


@given(SONGS)
def test_values_are_in_their_places(song):
    found = sketch(song)
    assert all(0 < value < 2**24 for value in found)
    assert sorted({value >> 19 for value in found}) == [value >> 19 for value in found]


def test_different_songs_share_next_to_nothing():
    sketches = [sketch(make_song(seed)) for seed in range(40)]
    scores = [shared(sketches[i], sketches[j]) for i in range(40) for j in range(i)]
    assert sum(score > 0.1 for score in scores) <= len(scores) / 100


def test_drums_have_grams_of_their_own():
    chance = random.Random(2)
    groove = [(0, 2 * i, 1, chance.choice((36, 38, 42, 46))) for i in range(64)]
    drums = sketch(groove, channel=9)
    assert shared(drums, sketch(groove, ticks=120, delay=77, channel=9)) == 1
    assert shared(drums, sketch([*groove[:56], *((0, 2 * i, 1, 45) for i in range(56, 64))], channel=9)) > 0.5
    assert not {*drums} & {*sketch(groove)}


def test_too_few_notes_have_no_sketch():
    notes = make_song(1)
    assert sketch([note for note in notes if note[0] == 0][:10]) is None
    assert sketch([(0, i, 1, 60) for i in range(100)]) is None  # always the same note


def test_the_tick_range_does_not_matter():
    song = make_song(5)
    late = [(number, onset + 10**7, length, pitch) for number, onset, length, pitch in song]
    assert sketch(late) == sketch(song)
