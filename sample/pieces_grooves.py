"""Grooves and loops: short, with drums in front, to be repeated."""

from __future__ import annotations

from random import Random

from sample.notation import arpeggio, bassline, chords, comp, drums, humanise, line, ramp, repeat, shift
from sample.score import DRUMS, GM, Note, Part, Piece

TOM_FILL = {"high": "........XxXx....", "mid": "............Xx..", "low": "..............XX"}


def rock(rng: Random) -> Piece:
    """Drums alone: sixteen bars of straight rock at 120, with a fill in every fourth."""
    beat = {"kick": "X.......x.x.....", "snare": "....X.......X...", "hat": "x.o.x.o.x.o.x.o."}
    last = {"kick": "X.......", "snare": "....X...", "hat": "x.o.x.o.", "crash": "........"} | TOM_FILL
    notes: list[Note] = []
    for bar in range(16):
        notes += drums(last if bar % 4 == 3 else beat, 1, bar * 4)
        if bar % 8 == 0:
            notes += drums({"crash": "X..............."}, 1, bar * 4)
    return Piece("Straight Rock Kit", 64, [Part("Drums", DRUMS, humanise(notes, rng))], tempo=120, division=240)


def funk_loop(rng: Random) -> Piece:
    """Two bars of slap bass and drums at 104, all in one track."""
    kit = drums({"kick": "X..x..x...x.....", "snare": "....X..o.o..X..o", "hat": "xoxoxoxoxoxoxoxo"}, 2)
    riff = "E2:.5 E3:.25 - - D3 E3:.5 - E2:.25 G2 A2:.5 Bb2:.25 B2 | E2:.5 E3:.25 - - D3 E3:.5 B2:.25 - D3 B2 A2 G2:.5 E2:.25"
    bass = humanise(line(riff, gate=0.7), rng, 0.006)
    parts = [Part("Drums", DRUMS, humanise(kit, rng)), Part("Slap Bass", 1, bass, GM.SLAP_BASS)]
    return Piece("Two-Bar Funk Loop", 8, parts, tempo=104, division=96, format=0)


def drum_and_bass(rng: Random) -> Piece:
    """Drum and bass at 174 in F minor: breakbeat, sub bass, stabs and a slow pad."""
    beat = {"kick": "X.........x.....", "snare": "....X..o.o..X..o", "hat": "x.x.x.x.x.x.x.x.", "ride": "..o...o...o...o."}
    other = {"kick": "X..x......x..x..", "snare": "....X..o.o.oX.oo", "hat": "x.xxx.x.x.xxx.x."}
    kit = [note for i in range(14) for note in drums(beat, 3, 32 + i * 16) + drums(other, 1, 44 + i * 16) if note.start < 192]
    cycle = chords("Fm Db:8 Eb Fm Ab Bbm:4 C7:4", 8)
    changes = [chord._replace(start=chord.start + 48 * i) for i in range(4) for chord in cycle]
    bass = bassline(changes, "1-----.11---.5-1-----3---1------", 29, 96)
    stabs = [note for note in comp(changes, "...x..x.....x...", 60, 66, gate=0.5) if note.start >= 64]
    pad = comp(changes, "x---------------", 53, 52, gate=0.98)
    theme = "C5:3 Ab4:1 Bb4:2 Ab4:1 F4 | Ab4:6 -:2 | G4:1 Bb4 Eb5:2 D5:1 C5 Bb4:2 | C5:6 -:2 | Eb5:1.5 Db5:.5 C5:2 Bb4:1 C5 Ab4:2 |"
    lead = line(f"{theme} F5:2 Db5 E5 G4:1 Bb4", 96, 84)
    parts = [
        Part("Amen Street", DRUMS, humanise(kit, rng, 0.01)),
        Part("Sub", 1, bass, GM.SYNTH_BASS),
        Part("Stabs", 2, humanise(stabs, rng), GM.ELECTRIC_PIANO, pan=80),
        Part("Pad", 3, pad, GM.WARM_PAD, ramp(3, 74, 0, 64, 20, 110, 64), volume=84),
        Part("Lead", 4, humanise(lead + shift(lead, 48), rng), GM.SQUARE_LEAD, volume=80),
    ]
    return Piece("Rain on the Ring Road", 192, parts, tempo=174, division=192)


def seven_eight(rng: Random) -> Piece:
    """7/8 (2 + 2 + 3) in D minor at 140 quarters per minute."""
    bars = 28
    kit = drums({"kick": "X...x.....x...", "snare": "....o...X...o.", "hat": "x.x.x.x.x.x.x.", "cowbell": "x...x...x....."}, bars, bar=3.5)
    changes = chords("Dm Dm C C Bb Bb A7 A7 " * 3 + "Gm Bb A7 Dm", 3.5)
    bass = bassline(changes, "1.1.1.3 1.5.131", 38, 92)
    keys = comp(changes, "x.x.x--", 57, 70, gate=0.6)
    cycle = "A4:1 D5 F5:1.5 | E5:1 D5 A4:1.5 | G4:1 C5 E5:1.5 | D5:1 C5 G4:1.5 | F4:1 Bb4 D5:1.5 | F5:1 D5 Bb4:1.5 |"
    theme = line(f"{cycle} E5:1 C#5 A4:1.5 | G5:1 E5 C#5:1.5")
    coda = line("Bb4:1 D5 G5:1.5 | F5:1 D5 Bb4:1.5 | C#5:1 E5 G5:1.5 | D5:3.5", 84)
    tune = shift(theme, 28) + shift(theme, 56, velocity=8) + coda
    parts = [
        Part("Hand Drums", DRUMS, humanise(kit, rng)),
        Part("Fretless", 1, humanise(bass, rng), GM.FINGER_BASS),
        Part("Keys", 2, humanise(keys, rng), GM.ELECTRIC_PIANO),
        Part("Clarinet", 3, humanise(tune, rng, 0.02), GM.CLARINET),
    ]
    return Piece("Seven Steps Uphill", bars * 3.5, parts, tempo=140, meter="7/8", key="Dm")


def patterns(rng: Random) -> Piece:
    """A bank of four two-bar patterns for a groovebox: format 2, where each track is a sequence of its own."""
    harmony = chords("C Am:2 G:2")
    kit = drums({"kick": "X...x...X...x...", "clap": "....x.......x...", "open": "..x...x...x...x."}, 2)
    runs = repeat(arpeggio(harmony[:1], "1234543213246542", 60, step=0.25), 2, 4)
    parts = [
        Part("Pattern 1 Drums", DRUMS, kit),
        Part("Pattern 2 Bass", 0, bassline(harmony, "1.13.15.", 36, 92), GM.SYNTH_BASS),
        Part("Pattern 3 Chords", 0, comp(harmony, "x--x--x-", 60), GM.ELECTRIC_PIANO),
        Part("Pattern 4 Arpeggio", 0, humanise(runs, rng, 0), GM.SAW_LEAD),
    ]
    return Piece("Pattern Bank", 8, parts, tempo=110, division=96, format=2, running_status=False)
