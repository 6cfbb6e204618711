"""Chamber music: a string quartet, a round for flutes, a hymn for four voices."""

from __future__ import annotations

import math
from random import Random

from sample import smf
from sample.notation import arpeggio, bassline, chords, comp, humanise, line, shift, swell
from sample.pieces_piano import ritardando
from sample.score import GM, Note, Part, Piece


def quartet(rng: Random) -> Piece:
    """A string quartet in G minor at 84, with a ritardando at the end and a swell in every phrase."""
    tune = "G5:2 F#5:1 G5 | A5:2 D5 | Bb5:1.5 A5:.5 G5:1 Eb5 | D5:3 -:1 | C5:1 Eb5 G5 Bb5 | A5:1.5 G5:.5 F#5:1 D5 | G5 Bb5 A5 F#5 | G5:4 |"
    middle = "Bb5:2 D6:1 Bb5 | A5:2 F5 | G5:1.5 F5:.5 Eb5:1 G5 | F5:3 D5:1 | Eb5 G5 C6 Bb5 | A5:2 F#5 | Bb5:1 A5 G5 C#5 | D5:4 |"
    outer = "Gm D Gm:2 Eb:2 D Cm D7 Gm:2 D7:2 Gm "
    form = chords(f"{outer} Bb F Eb Bb Cm D Gm:2 A7:2 D {outer}")
    violin = line(tune + middle + tune, velocity=86, gate=0.98)
    second = comp(form, "x-------", 62, 70, gate=0.98)
    second = [max((n for n in second if n.start == c.start), key=lambda n: n.pitch) for c in form]
    viola = arpeggio(form, "2.3.2.3.", 55, 64, gate=1.6)
    cello = bassline(form, "1---1-3-", 36, 76, gate=0.95)
    players = ("Violin I", violin, GM.VIOLIN), ("Violin II", second, GM.VIOLIN), ("Viola", viola, GM.VIOLA), ("Cello", cello, GM.CELLO)
    parts = [
        Part(name, i, swell(humanise(notes, rng, 0.02), 16), program, _breath(i, 96), pan=34 + 20 * i)
        for i, (name, notes, program) in enumerate(players)
    ]
    return Piece("Quartet for a Rainy Sunday", 96, parts, ritardando(88, 84, 50, 8), "4/4", "Gm", running_status=False)


def _breath(channel: int, beats: int) -> list[tuple[float, bytes]]:
    """Expression (CC 11) that rises and falls with each phrase of four bars."""
    return [(beat, smf.control_change(channel, 11, round(84 + 30 * math.sin(math.pi * (beat % 16) / 16)))) for beat in range(beats)]


def round_(rng: Random) -> Piece:
    """Three flutes in canon over a cello, in D at 100; a voice enters every four bars."""
    ground = chords("D A D G " * 11 + "D")
    phrases = [
        "F#5:2 E5 | C#5 E5 | D5 F#5 | G5:1 F#5 E5 D5 |",
        "D5:.5 F#5 A5:1 F#5 D5 | E5:.5 C#5 A4:1 C#5 E5 | F#5:.5 D5 A4:1 D5 F#5 | G5:2 B5 |",
        "A5:1 D6 A5 F#5 | E5 A5 C#6 A5 | A5:1.5 F#5:.5 D5:1 F#5 | B4 D5 G5 B5 |",
        "D6:4 | C#6 | A5 | B5:2 G5 |",
    ]
    voice = line("".join((phrases * 3)[:11]), velocity=78)
    flutes = []
    for i, last in enumerate(("F#5:4", "D5:4", "A4:4")):
        entered = [n for n in shift(voice, 16 * i) if n.start < 175.9]
        flutes.append(Part(f"Flute {i + 1}", i, humanise(entered, rng) + line(last, 176), GM.FLUTE, pan=44 + 20 * i))
    cello = Part("Cello", 3, humanise(bassline(ground, "1---3---", 38, 70, gate=1), rng), GM.CELLO)
    return Piece("Round for Three Flutes", 180, [*flutes, cello], tempo=100, key="D", division=240, running_status=False)


STANZAS = """
Now the eve-ning gen-tly falls, qui-et on the gar-den walls; ev-ery win-dow holds a light, gath-ered in a-gainst the night.
Rest your la-bour, rest your hands, snow is deep a-cross the lands; all that's bro-ken, all that's worn, will be mend-ed in the morn.
"""


def hymn(rng: Random) -> Piece:
    """Four voices in B flat at 60, with lyric events in the soprano."""
    tune = "Bb4:1 C5 D5 Bb4 | Eb5 D5 C5:2 | D5:1 F5 Eb5 D5 | C5 Bb4 C5:2 | D5:1 Eb5 F5 D5 | G5 F5 Eb5:2 | D5:1 C5 Bb4 Eb5 | D5 C5 Bb4:2 |"
    names = "Bb F Bb Gm Eb Bb F:2 Bb Bb Eb Bb F Gm F:2 Bb Eb Bb Gm Eb Bb Cm:2 Bb F Gm Eb Bb F7 Bb:2"
    harmony = chords(f"{names} {names}", 1)
    soprano = line(tune + tune, velocity=80, gate=0.98)
    alto: list[Note] = []
    tenor: list[Note] = []
    bass: list[Note] = []
    for n, chord in zip(soprano, harmony, strict=True):
        below = [p for p in range(n.pitch - 1, 36, -1) if (p - chord.root) % 12 in chord.intervals]
        for voice, pitch in (alto, below[0]), (tenor, below[1]), (bass, chord.tone(1, 43)):
            voice.append(n._replace(pitch=pitch, velocity=n.velocity - 10))
    syllables = [s for word in STANZAS.split() for s in (word + " ").replace("-", "-\n").split("\n")]
    lyrics = [(n.start, smf.text(smf.LYRIC, s)) for n, s in zip(soprano, syllables, strict=True)]
    voices = {"Soprano": soprano, "Alto": alto, "Tenor": tenor, "Bass": bass}
    parts = [Part(name, i, swell(humanise(notes, rng, 0.02), 8), GM.CHOIR) for i, (name, notes) in enumerate(voices.items())]
    parts[0].events = lyrics
    return Piece("Evening Hymn", 64, parts, tempo=60, key="Bb", division=96)
