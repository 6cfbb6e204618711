"""Electronic music: house, ambient, trance."""

from __future__ import annotations

from random import Random

from sample.notation import arpeggio, bassline, chords, comp, drums, humanise, line, ramp, shift
from sample.score import DRUMS, GM, Note, Part, Piece


def house(rng: Random) -> Piece:
    """House in C minor at 124: four on the floor, everything in one track."""
    form = chords("Cm7 Ab Fm7 G7 " * 8)
    kit = drums({"kick": "X...X...X...X...", "open": "..x...x...x...x.", "clap": "....x.......x..."}, 32)
    kit += drums({"shaker": "xoxoxoxoxoxoxoxo"}, 24, 32)
    bass = bassline(form, "..1..11...1..181", 36, 96, 0.25, 0.7)
    stabs = [n for n in comp(form, "x..x..x...x..x..", 60, 74, 0.25, 0.5) if n.start >= 32]
    vocal = line("G5:1.5 Eb5:.5 F5:1 G5 | Ab5:2 G5:1 Eb5 | F5:1.5 G5:.5 Ab5:1 F5 | G5:3 B4:1", 64, 88)
    parts = [
        Part("Drums", DRUMS, humanise(kit, rng, 0.004)),
        Part("Bass", 1, humanise(bass, rng, 0.006), GM.SYNTH_BASS),
        Part("Stabs", 2, humanise(stabs, rng), GM.ELECTRIC_PIANO, ramp(2, 74, 32, 96, 30, 110, 48)),
        Part("Voice", 3, humanise(vocal + shift(vocal, 16) + shift(vocal, 48), rng), GM.VOICE),
    ]
    return Piece("Warehouse Key", 128, parts, tempo=124, division=96, format=0)


def drift(rng: Random) -> Piece:
    """Ambient pads in D flat at 60: few notes, many controllers, no time signature."""
    form = chords("Dbmaj7 Bbm7 Gbmaj7 Ab Dbmaj7 Fm7 Gbmaj7 Ab Dbmaj7", 12)
    pad = comp(form, "x-----------------------", 49, 54, gate=1)
    low = bassline(form, "1-----------------------", 37, 60, gate=1)
    bells = [Note(c.start + rng.choice((2, 3, 5, 7)), 3, c.tone(rng.choice((5, 6, 7, 8)), 61), 48) for c in form for _ in range(3)]
    waves = [event for c in form for event in ramp(0, 11, c.start, 6, 50, 120, 24) + ramp(0, 11, c.start + 6, 6, 120, 50, 24)]
    parts = [
        Part("Slow Pad", 0, pad, GM.SWEEP_PAD, waves),
        Part("Low Strings", 1, low, GM.CONTRABASS, ramp(1, 74, 0, 108, 20, 90, 108)),
        Part("Bells", 2, humanise(bells, rng, 0.2), GM.MUSIC_BOX, volume=70),
    ]
    return Piece("Drift", 108, parts, tempo=60, meter=None, division=960)


def trance(rng: Random) -> Piece:
    """Trance in C sharp minor at 138: arpeggios with a filter sweep."""
    form = chords("C#m A E B C#m A F#m G#m " * 4)
    kit = drums({"kick": "X...X...X...X...", "open": "..x...x...x...x."}, 24, 32) + drums({"clap": "....x.......x..."}, 16, 64)
    runs = arpeggio(form, "1356 5313 5653 1356", 61, 76, 0.25, 0.7)
    bass = [n for n in bassline(form, ".111.111.111.111", 37, 92, 0.25, 0.7) if n.start >= 32]
    tune = line("G#5:3 E5:1 | C#5:2 E5 | B5:3 G#5:1 | F#5:4 | G#5:3 E5:1 | A5:2 C#6 | A5:1 G#5 F#5 C#5 | D#5:4", 64, 90)
    opening = [event for i in (0, 64) for event in ramp(0, 74, i, 64, 10, 120, 96)]
    parts = [
        Part("Kit", DRUMS, kit),
        Part("Arpeggiator", 0, humanise(runs, rng, 0, 12), GM.SAW_LEAD, opening),
        Part("Rolling Bass", 1, bass, GM.SYNTH_BASS),
        Part("Lead", 2, tune + shift(tune, 32, velocity=10), GM.SQUARE_LEAD),
    ]
    return Piece("Satellite Hours", 128, parts, tempo=138, key="C#m", division=384)
