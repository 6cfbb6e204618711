"""Chords, chord loops, drum patterns, bars, loops and roles of short music with known answers."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

import midiopt
from midiopt.core.analyzer import Analyzer
from midiopt.core.inspection import beat_triads
from sample.smf import END_OF_TRACK, note_off, note_on, program_change, smf, time_signature, track

Q = 480  # ticks per quarter
KICK, SNARE, HAT = 36, 38, 42
AM, F, C, G, DM = (57, 60, 64), (53, 57, 60), (48, 52, 55), (55, 59, 62), (50, 53, 57)


Notes = list[tuple[float, float, int]]  # onset and length in quarters, pitch


def song(
    notes: Notes, meter: tuple[int, int] | None = (4, 4), end: int | None = None, channel: int = 0, before: Sequence[bytes] = ()
) -> midiopt.Analysis:
    """The facts of a track of notes that begins with the events ``before`` and ends at the quarter ``end``."""
    events = [(0, time_signature(*meter))] if meter else []
    events += [(0, event) for event in before]
    for onset, length, pitch in notes:
        events += [(round(onset * Q), note_on(channel, pitch, 90)), (round((onset + length) * Q), note_off(channel, pitch))]
    events.sort(key=lambda event: (event[0], event[1][0] & 0xF0 == 0x90))  # notes end before others begin
    if end is not None:
        events.append((end * Q, END_OF_TRACK))
    return midiopt.analyze(smf([track(events, end_of_track=end is None)], division=Q))


def chords(sequence: Sequence[tuple[int, ...]], length: float = 4.0, rounds: int = 4) -> Notes:
    """A sequence of chords, played ``rounds`` times."""
    return [(i * length, length, pitch) for i, chord in enumerate(sequence * rounds) for pitch in chord]


def drums(times: int, kick: Sequence[float] = (), snare: Sequence[float] = (), hat: Sequence[float] = ()) -> midiopt.Analysis:
    """The facts of ``times`` bars of the same hits, in quarters from the bar line."""
    hits = [(beat, pitch) for beats, pitch in ((kick, KICK), (snare, SNARE), (hat, HAT)) for beat in beats]
    return song([(4 * bar + beat, 0.1, pitch) for bar in range(times) for beat, pitch in sorted(hits)], channel=9)


def inverted(chord: tuple[int, ...], inversion: int) -> tuple[int, ...]:
    """An inversion of a chord: its lowest notes an octave higher."""
    return tuple(sorted(p + 12 if i < inversion else p for i, p in enumerate(chord)))


# --- chords ------------------------------------------------------------------------------------


@pytest.mark.parametrize("inversion", [0, 1, 2])
def test_a_loop_of_four_chords_in_any_inversion(inversion: int) -> None:
    facts = song(chords([inverted(chord, inversion) for chord in (AM, F, C, G)]))
    assert facts.chord_progression == "Am F C G"
    assert facts.chord_changes_per_bar == pytest.approx(15 / 16)
    assert facts.harmonic_rhythm == 4


def test_a_bass_on_the_root_and_a_melody_over_inversions() -> None:
    notes = chords([inverted(AM, 1), inverted(F, 2), C, inverted(G, 1)])
    notes += [(bar * 4 + beat, 1, root) for bar, root in enumerate([45, 41, 36, 43] * 4) for beat in range(4)]
    notes += [(i / 2, 0.5, 72 + (0, 2, 4, 5, 7, 9, 11, 12)[i % 8]) for i in range(128)]
    assert song(notes).chord_progression == "Am F C G"


def test_the_bass_decides_between_a_seventh_and_a_sixth() -> None:
    assert song(chords([(45, 60, 64, 67), (41, 57, 60, 64)])).chord_progression == "Am F"
    assert song(chords([(48, 57, 64, 67), (53, 60, 62, 69)])).chord_progression == "C F"


def test_a_melody_on_the_seventh_does_not_change_an_inversion() -> None:
    """E G C under a B is C, not Em."""
    notes = chords([inverted(C, 1), inverted(F, 1)])
    notes += [(4 * bar + 2 * half, 2, pitch) for bar in range(16) for half, pitch in enumerate([(72, 71), (77, 76)][bar % 2])]
    assert song(notes).chord_progression == "C F"


def test_a_chord_played_ahead_of_its_bar_leaves_the_one_before() -> None:
    c, em, am, f = (36, 60, 64, 67), (40, 64, 67, 71), (45, 57, 60, 64), (41, 53, 57, 60)
    times = (0, 1.5), (1.5, 2.5), (4, 1.5), (5.5, 2.5)
    assert song([(*time, p) for time, chord in zip(times, (c, em, am, f), strict=True) for p in chord]).chord_progression == "C Em Am F"


def test_a_triad_for_each_beat() -> None:
    analyzer = Analyzer()
    events = [(960 * i, note_on(0, pitch, 90)) for i, chord in enumerate((AM, F, C, G)) for pitch in chord]
    events += [(960 * i + 960, note_off(0, pitch)) for i, chord in enumerate((AM, F, C, G)) for pitch in chord]
    analyzer.analyze(smf([track(sorted(events, key=lambda e: (e[0], e[1][0])))], division=Q), bytes(16), 1, bytearray(), bytearray())
    assert beat_triads(analyzer) == [(i * 480, ("Am", "F", "C", "G")[i // 2]) for i in range(8)]
    analyzer.analyze(smf([track([(0, note_on(0, 60, 90)), (960, note_off(0, 60))])], division=Q), bytes(16), 1, bytearray(), bytearray())
    assert beat_triads(analyzer) == []


def test_two_chords_per_bar_and_their_spelling() -> None:
    e, b, c_sharp_minor, a = (52, 56, 59), (47, 51, 54), (49, 52, 56), (45, 49, 52)
    facts = song(chords([e, b, c_sharp_minor, a], length=2))
    assert facts.chord_progression == "E B C#m A"
    assert facts.harmonic_rhythm == 2
    assert song(chords([(56, 60, 63), (51, 55, 58), (53, 56, 60), (49, 53, 56)])).chord_progression == "Ab Eb Fm Db"


def test_other_triads() -> None:
    kinds = [(60, 63, 66), (60, 64, 68), (60, 65, 67), (62, 64, 69), (60, 64, 67)]
    assert song(chords(kinds, rounds=1)).chord_progression == "Cdim Caug Csus4 Dsus2 C"
    assert song(chords([(48, 55), (53, 60)])).chord_progression == "C F"  # power chords


def test_the_most_common_loop_is_not_the_verse() -> None:
    verse, chorus = chords([AM, DM, G, G, AM, F, DM, C], rounds=1), chords([AM, F, C, G], rounds=4)
    notes = verse + [(on + 32, length, pitch) for on, length, pitch in chorus]
    assert song(notes).chord_progression == "Am F C G"
    assert song(chords([AM, F, C, G, AM, F, DM, G])).chord_progression == "Am F C G Am F Dm G"
    blues = [C, C, C, C, F, F, C, C, G, F, C, G]
    assert song(chords(blues)).chord_progression == "C F C G F C G"
    assert song(chords([AM, F, C, G], rounds=1)).chord_progression == "Am F C G"  # once is a loop too


def test_twelve_eight_three_four_and_six_eight() -> None:
    twelve = [(i * 6 + third * 0.5, 0.5, chord[third % 3]) for i, chord in enumerate([AM, F, C, G] * 4) for third in range(12)]
    bass = [(i * 6, 6, chord[0] - 12) for i, chord in enumerate([AM, F, C, G] * 4)]
    facts = song(twelve + bass, meter=(12, 8))
    assert facts.chord_progression == "Am F C G" and facts.harmonic_rhythm == 6
    waltz = [(bar * 3 + beat, 1, p) for bar, chord in enumerate([C, AM, F, G] * 4) for beat in (1, 2) for p in chord]
    waltz += [(bar * 3, 1, chord[0] - 12) for bar, chord in enumerate([C, AM, F, G] * 4)]
    assert song(waltz, meter=(3, 4)).chord_progression == "C Am F G"
    facts = song(chords([C, F, G, C], length=1.5), meter=(6, 8))
    assert facts.chord_progression == "C F G C" and facts.chord_changes_per_bar == pytest.approx(12 / 8)


def test_rests_keep_the_chord_and_single_notes_are_no_chord() -> None:
    facts = song([(i * 4, 1, p) for i, chord in enumerate([AM, F] * 4) for p in chord])
    assert facts.chord_progression == "Am F" and facts.harmonic_rhythm == 4
    facts = song([(i, 1, 60 + i % 12) for i in range(32)])
    assert facts.chord_progression is facts.chord_changes_per_bar is facts.harmonic_rhythm is None
    assert drums(4, kick=(0, 1), hat=(0, 1)).chord_progression is None
    assert song(chords([C], rounds=8)).chord_progression == "C"


# --- drums -------------------------------------------------------------------------------------

EIGHTHS = [i / 2 for i in range(8)]
SWUNG = [beat + part for beat in range(4) for part in (0, 2 / 3)]


@pytest.mark.parametrize(
    ("pattern", "kick", "snare", "hat"),
    [
        ("four on the floor", (0, 1, 2, 3), (1, 3), (0.5, 1.5, 2.5, 3.5)),
        ("four on the floor", (0, 1, 2, 3), (), ()),
        ("rock backbeat", (0, 2), (1, 3), EIGHTHS),
        ("rock backbeat", (0, 1.5, 2.5), (1, 3), EIGHTHS),
        ("half time", (0, 1.5), (2,), EIGHTHS),
        ("breakbeat", (0, 0.5, 2.5, 2.75), (1, 1.75, 2.25, 3, 3.75), EIGHTHS),
        ("shuffle", (0, 2), (1, 3), SWUNG),
        ("none", (0,), (), EIGHTHS),
        ("none", (), (), EIGHTHS),
    ],
)
def test_drum_patterns(pattern: str, kick: Sequence[float], snare: Sequence[float], hat: Sequence[float]) -> None:
    facts = drums(4, kick, snare, hat)
    assert facts.drum_pattern == pattern
    assert facts.drum_density == len(kick) + len(snare) + len(hat)
    assert facts.role == "drums"


def test_twelve_eight_with_every_eighth_is_no_shuffle() -> None:
    hits = [(6 * bar + i / 2, 0.1, HAT) for bar in range(4) for i in range(12)]
    hits += [(6 * bar + 1.5 * beat, 0.1, KICK if beat % 2 == 0 else SNARE) for bar in range(4) for beat in range(4)]
    assert song(hits, meter=(12, 8), channel=9).drum_pattern == "rock backbeat"
    shuffled = [hit for hit in hits if hit[0] * 2 % 3 != 1]  # without the second eighth of each beat
    assert song(shuffled, meter=(12, 8), channel=9).drum_pattern == "shuffle"


def test_two_bars_of_two_four_are_one_measure() -> None:
    assert song([(i, 0.1, (KICK, SNARE)[i % 2]) for i in range(16)], meter=(2, 4), channel=9).drum_pattern == "rock backbeat"
    assert song([(i, 0.1, (KICK, SNARE, SNARE)[i % 3]) for i in range(12)], meter=(3, 4), channel=9).drum_pattern == "none"


def test_bars_without_drums_do_not_lower_the_density() -> None:
    assert song([(on, 0.1, HAT) for on in (0, 1, 2, 3, 40, 41, 42, 43)], channel=9).drum_density == 4
    assert song(chords([C])).drum_density is None


# --- bars and loops ----------------------------------------------------------------------------

RIFF = (57, 60, 62, 64, 67, 64, 62, 60)


def riff(bars: int, change: int = 0) -> Notes:
    """Bars of eighths, each ``change`` half tones above the one before."""
    return [(bar * 4 + i / 2, 0.5, RIFF[i] + change * bar) for bar in range(bars) for i in range(8)]


@pytest.mark.parametrize("bars", [1, 2, 4, 8, 16])
def test_loops(bars: int) -> None:
    facts = song(riff(bars, change=1))
    assert (facts.bar_count, facts.is_loop, facts.loop_bars) == (bars, True, bars)


def test_a_repeated_loop_has_the_length_of_one() -> None:
    assert song(riff(8)).loop_bars == 1
    two = riff(2, change=1)
    facts = song([(on + 8 * i, length, pitch) for i in range(3) for on, length, pitch in two])
    assert (facts.bar_count, facts.is_loop, facts.loop_bars) == (6, True, 2)


def test_music_that_does_not_loop() -> None:
    for facts in (
        song(riff(3, change=1)),
        song([*riff(2), (8, 1, 57)]),  # ends on the next bar's first beat
        song([*riff(1), (3.5, 2, 45)]),  # rings into the next bar
        song(riff(2), end=12),  # End of Track comes after a silent bar
        song([(on + 4, length, pitch) for on, length, pitch in riff(1)]),  # begins with a silent bar
    ):
        assert facts.is_loop is False and facts.loop_bars is None
    assert song([*riff(1), (3.5, 0.6, 45)]).loop_bars == 1  # a tenth of a quarter too long is how people play


def test_bar_counts_of_other_meters() -> None:
    assert song([(0, 9, 60)], meter=(3, 4)).bar_count == 3
    assert song([(0, 9, 60)], meter=(6, 8)).bar_count == 3
    assert song([(0, 9, 60)], meter=None).bar_count == 3  # 4/4 unless declared
    assert song([]).bar_count is None and song([]).is_loop is None and song([]).role is None


def test_a_change_of_time_signature_changes_the_bars() -> None:
    events = [(0, time_signature(3, 4)), (0, note_on(0, 60, 90)), (6 * Q, time_signature(4, 4)), (14 * Q, note_off(0, 60))]
    assert midiopt.analyze(smf([track(events)], division=Q)).bar_count == 4


# --- roles -------------------------------------------------------------------------------------


def test_roles() -> None:
    line = [(i / 2, 0.5, 30 + i % 8) for i in range(32)]
    assert song(line).role == "bass"
    assert song([(on, length, pitch + 40) for on, length, pitch in line]).role == "melody"
    assert song([(on, length, pitch + 24) for on, length, pitch in line], before=[program_change(0, 33)]).role == "bass"
    assert song(chords([AM, F, C, G])).role == "chords"
    above = [(i / 2, 0.5, 84 + i % 8) for i in range(128)]
    assert song(chords([AM, F, C, G]) + above).role == "full"
