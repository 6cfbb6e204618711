"""Piano music: a nocturne, a waltz, an invention, a prelude, a study, and an improvisation."""

from __future__ import annotations

import math
from random import Random

from sample.notation import Chord, arpeggio, bassline, chords, comp, humanise, improvise, line, pedal, shift, swell
from sample.score import GM, Note, Part, Piece


def rubato(beats: int, bpm: float, phrase: int, rng: Random) -> list[tuple[float, float]]:
    """A tempo for each beat: faster in the middle of a phrase, slower at its end."""

    def pace(beat: int) -> float:
        left = phrase - beat % phrase
        return 1 + 0.08 * math.sin(math.pi * left / phrase) - (0.2 / left if left <= 3 else 0) + 0.03 * (rng.random() - 0.5)

    return [(beat, round(bpm * pace(beat))) for beat in range(beats)]


def ritardando(start: float, bpm: float, last: float, beats: int) -> list[tuple[float, float]]:
    """Constant until `start`, then slower with every beat."""
    return [(0, bpm)] + [(start + i, round(bpm + (last - bpm) * (i + 1) / beats, 1)) for i in range(beats)]


def nocturne(rng: Random) -> Piece:
    """A nocturne in E flat: rubato with a tempo for every beat, pedalled triplets in the left hand."""
    opening = "Bb5:2 G5:.5 F5 Eb5 D5 | C5:2 Eb5:1 G5 | Ab5:2 G5:.5 F5 Eb5 F5 | D5:3 Bb4:1 | G5:1.5 Bb5:.5 Eb6:1 D6 | B5:1 D6 F5 G5 |"
    middle = "Eb5:1 D5:.5 C5 G5:2 | C6:1 Bb5:.5 Ab5 Eb5:2 | F5:1 G5:.5 Ab5 C6:2 | B5:2 G5:1 D5 | Eb5:1.5 F5:.5 G5:2 | Ab5:1.5 Bb5:.5 C6:2 |"
    middle += "D6:1 C6:.5 Bb5 Ab5:1 F5 | D5:3 -:1 |"
    answer, close = "Ab5:1.5 G5:.5 F5:1 C5 | D5:2 F5:1 Bb4 |", "Ab5:1.5 F5:.5 D5:1 F5 | Eb5:4"
    melody = line(f"{opening} {answer} {middle} {opening} {close}", velocity=84, gate=1)
    harmony = chords("Eb Cm Fm7 Bb7 Eb G7 Fm7 Bb7 | Cm Ab Fm G7 Cm Ab Bb7 Bb7 | Eb Cm Fm7 Bb7 Eb G7 Bb7 Eb")
    left = arpeggio(harmony, "135643135643", 39, 56, step=1 / 3, gate=1)
    hands = [
        Part("Right hand", 0, swell(humanise(melody, rng, 0.03), 16, 18), GM.PIANO),
        Part("Left hand", 0, swell(humanise(left, rng, 0.02, 5), 16), GM.PIANO, pedal(0, harmony)),
    ]
    return Piece("Nocturne for a Late Train", 96, hands, rubato(96, 66, 16, rng), "4/4", "Eb")


def waltz(rng: Random) -> Piece:
    """A waltz in A minor at 152, in the form AABABA."""
    a = "E5:1 A5 B5 | C6:2 B5:1 | A5 F5 D5 | A5:3 | G#5:1 F5 E5 | B5:2 G#5:1 | A5 E5 C5 | A4:2 -:1 |"
    b = "G5:1.5 F5:.5 E5:1 | D5:2 G5:1 | E5:1.5 F5:.5 G5:1 | C6:3 | A5:1.5 G5:.5 F5:1 | G5:2 E5:1 | G#5 B5 D6 | E6:2 -:1 |"
    melody = line(a + a + b + a + b + a, velocity=88)
    a_chords, b_chords = "Am Am Dm Dm E7 E7 Am Am ", "C G C C F C E7 E7 "
    harmony = chords(a_chords * 2 + b_chords + a_chords + b_chords + a_chords, 3)
    left = bassline(harmony, "1..", 40, 76, step=1) + comp(harmony, ".xx", 57, 58, step=1, gate=0.5)
    hands = [
        Part("Right hand", 0, swell(humanise(melody, rng, 0.02), 24), GM.PIANO),
        Part("Left hand", 0, humanise(left, rng, 0.015), GM.PIANO),
    ]
    return Piece("Waltz of the Paper Lanterns", 144, hands, 152, "3/4", "Am", division=384)


def invention(rng: Random) -> Piece:
    """A canon in D minor: the left hand follows two bars later, an octave below.

    Each phrase is two bars over Dm Gm A7 Dm, so that any two fit together.
    """
    phrases = [
        "D5:.5 F5 A5 F5 | G5 Bb5 A5 G5 | A5 G5 F5 E5 | F5 D5 A4:1 |",
        "D5:.25 E5 F5 G5 A5 G5 F5 E5 | D5 Bb4 D5 G5 Bb5 A5 G5 F5 | E5 C#5 E5 A5 G5 F5 E5 C#5 | D5 F5 A5 F5 D5:1 |",
        "A5:1 F5:.5 D5 | Bb5:1 G5:.5 D5 | C#6:1 A5:.5 G5 | F5:1 D5 |",
        "D6:.5 A5:.25 F5 A5:.5 D5 | G5 D5:.25 Bb4 D5:.5 G5 | E5 G5:.25 E5 C#5:.5 E5 | D5 E5:.25 F5 A5:1 |",
    ]
    order = [0, 1, 2, 3, *rng.sample(range(4), 4), 0]
    leader = line("".join(phrases[i] for i in order), velocity=78, gate=0.85)
    voices = [
        Part("Leader", 0, humanise(leader, rng) + line("D5:4", 80), GM.PIANO, pan=70),
        Part("Follower", 1, humanise(shift(leader, 8, -12), rng), GM.PIANO, pan=54),
    ]
    follower = voices[1].notes
    follower[:] = [note for note in follower if note.start < 79.9] + line("D3+D4:4", 80)
    return Piece("Invention in Pursuit", 84, voices, ritardando(76, 88, 60, 4), "4/4", "Dm", running_status=False)


def prelude(rng: Random) -> Piece:
    """Broken chords in C at 72, with a ritardando over the last three bars. The title is in UTF-8."""
    harmony = chords("C F C G Am Em F G | Am Dm G7 C Dm7 G7 Em Am | F Fm C A7 Dm7 G7 | C F:2 G7:2")
    right = arpeggio(harmony, "3564 5643 5645 6543", 48, 66, step=0.25, gate=1)
    left = bassline(harmony, "1---5---", 36, 62, gate=1)
    ending = line("C3+G3+E4+G4+C5:4", 96, 64, 1)
    notes = swell(humanise(right + left, rng, 0.015, 5), 16) + ending
    part = Part("Piano", 0, notes, GM.PIANO, pedal(0, [*harmony, Chord(96, 4, 0, ())]))
    return Piece("Prélude aux lumières", 100, [part], ritardando(88, 72, 38, 12), "4/4", "C")


def five_four(rng: Random) -> Piece:
    """A study in B minor, 5/4 (3 + 2) at 132. The title is in Latin-1, as old programs wrote it."""
    tune = "F#5:1.5 E5:.5 D5:1 C#5 B4 | D5:1.5 E5:.5 F#5:1 B5:2 | B5:1.5 A5:.5 G5:1 F#5 G5 | E5:3 C#5:1 A4 |"
    tune += "D5:1.5 C#5:.5 B4:1 D5 F#5 | G5:1.5 F#5:.5 E5:1 G5 B5 | A#5:3 C#6:1 F#5 | B5:3 -:2 |"
    outer = "Bm Bm G A Bm Em F#7 Bm "
    harmony = chords(f"{outer} Em A D G Em Bm F#7 F#7 {outer}", 5)
    middle = improvise(harmony[8:16], "B C# D E F# G A", rng, 66, ["x-x-x-x-x-", "x---x-xxx-", "xxx-x-x---"])
    left = bassline(harmony, "1--5-81-5-", 35, 70)
    hands = [
        Part("Main droite", 0, humanise(line(tune) + middle + line(tune, 80), rng), GM.PIANO),
        Part("Main gauche", 0, humanise(left, rng), GM.PIANO),
    ]
    return Piece("Étude à cinq temps", 120, hands, 132, "5/4", division=120, encoding="latin-1")


def improvisation(rng: Random) -> Piece:
    """An improvisation at about 92, recorded under the default tempo of 120: no note is on the grid."""
    harmony = chords("G D C G " * 3 + "Em C G D Em C Am D " + "G D C G " * 2 + "C D G:8")
    right = improvise(harmony, "G A B C D E F#", rng, 67, ["x-x-xx--", "x--xx-x-", "xxx-x---", "x---x-x-"], 80)
    left = bassline(harmony, "1-5-8-5-", 43, 60, gate=1) + comp(harmony, "..x.....", 59, 52)
    notes = swell(humanise(right + left, rng, 0.03, 10), 16)
    beats = 4 * 32
    seconds = [0.0]  # onset of each beat; the tempo drifts a little
    for beat in range(beats + 4):
        seconds.append(seconds[-1] + 60 / (92 * (1 + 0.02 * math.sin(beat / 9) + 0.015 * (rng.random() - 0.5))))

    def recorded(beat: float) -> float:
        """The beat of the file at which a beat of the music was played."""
        whole = min(int(beat), beats + 2)
        at = seconds[whole] + (beat - whole) * (seconds[whole + 1] - seconds[whole])
        return (0.8 + at) * 120 / 60

    def performed(note: Note) -> Note:
        start = recorded(note.start)
        return note._replace(start=start, length=recorded(note.start + note.length) - start)

    feet = [(recorded(beat), event) for beat, event in pedal(0, harmony)]
    part = Part("Piano", 0, [performed(note) for note in notes], GM.PIANO, feet)
    return Piece("Take 3", math.ceil(recorded(beats + 2)), [part], 120, "4/4", running_status=False)
