"""Songs for a band: funk, blues, jazz, a ballad, synth-pop, reggae, rock, and a karaoke song."""

from __future__ import annotations

from random import Random

from sample import smf
from sample.notation import arpeggio, bassline, chords, comp, drums, humanise, improvise, line, ramp, repeat, shift, swing, walking_bass
from sample.score import DRUMS, GM, Note, Part, Piece


def slap_happy(rng: Random) -> Piece:
    """Funk in A minor at 121: drums, slap bass, piano and strings."""
    verse, chorus = chords("Am7 Am7 Dm7 Am7 Am7 Am7 Dm7 E7"), chords("F G Am Am F G E7 E7", start=32)
    form = [c._replace(start=c.start + 64 * i) for i in range(2) for c in verse + chorus] + chords("Am7 Dm7 Am7 E7 Am:16", start=128)
    beat = {"kick": "X..x..x...x.....", "snare": "....X..o.o..X...", "hat": "xoxoxoxoxoxoxoxo"}
    lift = {"kick": "X.....x.X.x.....", "snare": "....X.......X..o", "open": "..x...x...x...x."}
    kit = drums(beat, 8) + drums(lift, 7, 32) + drums(beat, 8, 64) + drums(lift, 7, 96) + drums(beat, 4, 128)
    for bar in (15, 31):
        kit += drums({"snare": "X..oX..oX.X.XXXX", "kick": "X...X...X...X..."}, 1, bar * 4)
    kit += drums({"crash": "X...............", "kick": "X..............."}, 1, 144)
    groove = [c for c in form if c.start < 144]
    bass = [n for bar in groove for n in bassline([bar], rng.choice(("1.1..8.1..5.818.", "1..81..5..8.1.18")), 33, 100, 0.25, 0.6)]
    bass += line("A1:8", 144, 100)
    piano = comp(groove, "..x..x....x..x..", 57, 76, 0.25) + comp(form[-1:], "x--------------", 57, 76)
    strings = comp([c for c in form if 32 <= c.start < 64 or c.start >= 96], "x-------", 64, 62, gate=0.98)
    swells = [event for i in range(0, 56, 8) for event in ramp(3, 11, 96 + i, 8, 70, 118, 12)]
    parts = [
        Part("Drum Kit", DRUMS, humanise(kit, rng)),
        Part("Slap Bass", 0, humanise(bass, rng, 0.008), GM.SLAP_BASS, volume=110),
        Part("Piano", 1, humanise(piano, rng), GM.PIANO, pan=50),
        Part("Strings", 3, humanise(strings, rng, 0.02), GM.STRINGS, swells, volume=84, pan=76),
    ]
    return Piece("Slap Happy", 160, parts, tempo=121, key="Am")


def shuffle(rng: Random) -> Piece:
    """Twelve-bar blues in E at 112: walking bass, organ, and an improvising harmonica."""
    choruses = 4
    chorus = chords("E7 A7 E7 E7 A7 A7 E7 E7 B7 A7 E7 B7")
    form = [c._replace(start=c.start + 48 * i) for i in range(choruses) for c in chorus]
    form[-1] = chords("E7", start=form[-1].start)[0]
    kit = swing(drums({"kick": "x...x...", "snare": "..X...X.", "ride": "x.xxx.xx", "pedal": "..x...x."}, 12 * choruses))
    bass = walking_bass(form, rng, 28)
    organ = swing(comp(form, "..x..x.x", 56, 64, gate=0.5))
    rhythms = ["xx-.xx-.", "x--xx---", ".xxxx--.", "x-x-....", "........"]
    harp = swing(improvise(form[12:], "E G A Bb B D", rng, 64, rhythms, 92))
    scoops = [(n.start, smf.pitch_bend(3, -1400)) for n in harp[::5]] + [(n.start + 0.2, smf.pitch_bend(3, 0)) for n in harp[::5]]
    parts = [
        Part("Drums", DRUMS, humanise(kit, rng)),
        Part("Upright Bass", 0, humanise(bass, rng), GM.ACOUSTIC_BASS),
        Part("Organ", 2, humanise(organ, rng), GM.ORGAN, volume=80),
        Part("Blues Harp", 3, humanise(harp, rng, 0.03), GM.HARMONICA, scoops),
    ]
    return Piece("Laundromat Shuffle", 48 * choruses, parts, tempo=112, division=120)


def walking_home(rng: Random) -> Piece:
    """A jazz trio in F at 140: AABA, brushes, walking bass, a chorus of piano solo."""
    a, b = "Fmaj7 Fmaj7 Gm7 C7 Am7 D7 Gm7:2 C7:2 Fmaj7 ", "Cm7 F7 Bbmaj7 Bbmaj7 Dm7 G7 Gm7 C7 "
    form = chords((a + a + b + a) * 2)
    kit = swing(drums({"ride": "x.xxx.xx", "pedal": "..x...x.", "kick": "o...o..."}, 64)) + drums({"rim": "...........o...."}, 64)
    theme = "A4:1 C5 E5:1.5 D5:.5 | F5:3 E5:1 | D5 Bb4 G4 A4 | Bb4:3 G4:1 | C5 E5 G5:1.5 E5:.5 | F#5:2 D5 | Bb4:1 D5 E5 G5 | F5:3 -:1 |"
    bridge = "Eb5:1 G5 Bb5 G5 | A5:3 F5:1 | D5 F5 A5:1.5 F5:.5 | D5:4 | F5:1 A5 C6 A5 | B5:3 G5:1 | Bb5 A5 G5 F5 | E5:3 -:1 |"
    head = swing(line(theme + theme + bridge + theme, velocity=86, gate=0.85))
    lines = ["xxxxxxxx", "x-xxxxx-", ".xxxx-x-", "x-x-xxxx", "x---xx--"]
    solo = swing(improvise(form[34:], "F G A Bb C D E", rng, 65, lines, 84))
    left = swing(comp(form, "x..x....", 53, 58, gate=0.8))
    parts = [
        Part("Brushes", DRUMS, humanise(kit, rng, loudness=10), volume=84),
        Part("Bass", 1, humanise(walking_bass(form, rng, 29), rng), GM.ACOUSTIC_BASS),
        Part("Piano", 2, humanise(head + solo + left, rng, 0.02), GM.PIANO),
    ]
    return Piece("Walking Home the Long Way", 256, parts, tempo=140, key="F", division=192)


def slow_dance(rng: Random) -> Piece:
    """A ballad in D, 6/8: 90 quarters or 60 dotted quarters per minute."""
    form = chords("D A Bm G D A G A7 | D A Bm G D A7 G D | Em A F#m Bm Em A D D7 | G A F#m Bm G A7 D D", 3)
    kit = drums({"kick": "X.....", "snare": "...x..", "hat": "xxxxxx"}, 24, 24, 3)
    guitar = arpeggio(form, "135653", 50, 66)
    bass = bassline(form, "1--1-5", 38, 84)
    tune = "F#5:1.5 E5:1 D5:.5 | E5:1.5 C#5 | D5 F#5:1 D5:.5 | B4:3 | A4:1.5 D5:1 F#5:.5 | E5:1.5 A5 | G5:1 F#5:.5 D5:1 B4:.5 | C#5:3 |"
    turn = "G5:1.5 E5:1 G5:.5 | A5:1.5 E5 | F#5 A5:1 F#5:.5 | D5:3 | G5:1.5 F#5:1 E5:.5 | A5:1.5 C#5 | D5:3 | F#5:3 |"
    home = "G5:1.5 B5:1 G5:.5 | A5:1.5 E5 | F#5 C#5:1 F#5:.5 | D5:3 | B4:1.5 D5:1 G5:.5 | E5:1.5 C#5 | D5:3 | -:3 |"
    flute = line(tune, 24, 88) + line(turn + home, 48, 92)
    parts = [
        Part("Drums", DRUMS, humanise(kit, rng), volume=80),
        Part("Guitar", 0, humanise(guitar, rng), GM.STEEL_GUITAR),
        Part("Bass", 1, humanise(bass, rng), GM.FINGER_BASS),
        Part("Flute", 2, humanise(flute, rng, 0.02), GM.FLUTE, ramp(2, 11, 24, 72, 80, 120, 40)),
    ]
    return Piece("Slow Dance in the Kitchen", 96, parts, tempo=90, meter="6/8", key="D", division=96)


def neon(rng: Random) -> Piece:
    """Synth-pop in F sharp minor at 128: filter sweeps, a lead with pitch bends and vibrato."""
    form = chords("F#m D A E F#m D C#7 F#m " * 5)
    kit = drums({"kick": "X...X...X...X...", "hat": "..x...x...x...x."}, 38, 8)
    kit += drums({"snare": "....X.......X...", "clap": "....X.......X..."}, 32, 32)
    bass = bassline(form, "1.11.11.", 30, 94, gate=0.6)
    sequence = arpeggio(form[4:], "1353 4535 1353 6543", 54, 70, 0.25, 0.6)
    tune = "C#5:1.5 A4:.5 F#4:2 | A4:1 B4 A4:2 | C#5:1.5 E5:.5 C#5:1 B4 | B4:3 -:1 | C#5:1.5 F#5:.5 E5:1 C#5 | D5:2 C#5:1 A4 |"
    lead = line(f"{tune} G#4:1 B4 C#5 B4 | A4:2 F#4", velocity=92)
    lead = shift(lead, 64) + shift(lead, 96) + shift(lead, 128)
    wheel = [(n.start + i / 24, smf.pitch_bend(3, -4096 + 512 * i)) for n in lead if n.length > 1.2 for i in range(9)]
    vibrato = [event for n in lead if n.length > 1.5 for event in ramp(3, 1, n.start + 0.5, n.length - 0.5, 0, 90, 8)]
    still = [(n.start, smf.control_change(3, 1, 0)) for n in lead if n.length > 1.5]
    sweeps = [event for i in range(0, 160, 32) for event in ramp(2, 74, i, 32, 24, 118, 64)]
    parts = [
        Part("Drum Machine", DRUMS, kit),
        Part("Bass Synth", 1, bass, GM.SYNTH_BASS),
        Part("Sequencer", 2, humanise(sequence, rng, 0), GM.SAW_LEAD, sweeps, volume=76, pan=40),
        Part("Lead", 3, humanise(lead, rng), GM.SQUARE_LEAD, sorted(wheel + still + vibrato, key=lambda event: event[0])),
    ]
    return Piece("Neon Avenue", 160, parts, tempo=128, key="F#m")


def island_time(rng: Random) -> Piece:
    """Reggae in G at 75: the keyboard changes from organ to steel drums half-way."""
    form = chords("G G C D G Em C D " * 3)
    kit = drums({"kick": "........X.......", "rim": "........X.......", "hat": "x.xox.xox.xox.xo"}, 24)
    bass = bassline(form, "1-.31.5-..1.5.3.", 31, 96, 0.25)
    skank = comp(form, "..x...x...x...x.", 60, 70, 0.25, 0.6)
    tune = "B4:.5 D5 G5:1 F#5:.5 E5 D5:1 | B4:.5 D5 E5:1 D5:2 | E5:.5 G5 E5:1 C5:.5 D5 E5:1 | F#5:.5 A5 F#5:1 D5:2 |"
    theme = line(f"{tune} G5:.5 F#5 G5:1 B5:.5 A5 G5:1 | E5:.5 G5 E5:1 B4:2 | C5:.5 E5 G5:1 E5:.5 D5 C5:1 | D5:2 A4:1 F#4")
    keys = shift(theme, 32) + shift(theme, 64, velocity=8)
    change = [(63.9, smf.program_change(2, GM.STEEL_DRUMS)), (63.9, smf.text(smf.CUE, "steel drums"))]
    parts = [
        Part("One Drop", DRUMS, humanise(kit, rng)),
        Part("Bass", 0, humanise(bass, rng), GM.FINGER_BASS),
        Part("Skank", 1, humanise(skank, rng), GM.CLEAN_GUITAR, volume=84, pan=84),
        Part("Organ, then steel drums", 2, humanise(keys, rng), GM.ORGAN, change),
    ]
    return Piece("Island Time", 96, parts, tempo=75, division=240)


def stadium(rng: Random) -> Piece:
    """Rock in D at 100. After a bar of 2/4 the last chorus is a tone higher, at 104."""
    verse, chorus = "D Bm G A D Bm G A ", "G A D Bm G A D D "
    form = chords((verse + chorus) * 2 + "A:2") + chords("A B E C#m A B E E", start=130)
    beat = {"kick": "X.....x.X.......", "snare": "....X.......X...", "hat": "x.x.x.x.x.x.x.x."}
    kit: list[Note] = []
    for start in (0, 32, 64, 96, 130):
        kit += drums(beat, 8, start) + drums({"crash": "X..............."}, 1, start)
    kit += drums({"high": "XxXx....", "low": "....XxXX"}, 1, 128, 2)
    guitar = comp(form, "x-x-x-x-", 45, 80, gate=0.8)
    bass = bassline(form, "11111111", 28, 92)
    tune = "B4:1 D5 G5 D5 | C#5:2 E5 | F#5:1 E5 D5 A4 | B4:3 -:1 | D5:1 E5 G5 B5 | A5:2 E5 | F#5:1.5 E5:.5 D5:2 | D5:3 -:1"
    lead = line(tune, 32, 96) + line(tune, 96, 96) + shift(line(tune, 130, 104), semitones=2)
    pads = comp([c for c in form if c.start >= 64], "x-------", 57, 60, gate=0.98)
    parts = [
        Part("Drums", DRUMS, humanise(kit, rng)),
        Part("Rhythm Guitar", 0, humanise(guitar, rng), GM.OVERDRIVE_GUITAR, pan=34),
        Part("Bass", 1, humanise(bass, rng), GM.FINGER_BASS),
        Part("Lead Guitar", 2, humanise(lead, rng, 0.02), GM.OVERDRIVE_GUITAR, pan=94),
        Part("Brass Pads", 3, pads, GM.BRASS, volume=70),
    ]
    tempo, meter, key = [(0, 100), (130, 104)], [(0, "4/4"), (128, "2/4"), (130, "4/4")], [(0, "D"), (130, "E")]
    return Piece("Stadium Lights", 162, parts, tempo, meter, key, running_status=False)


VERSES = """
Pa-per boat up-on the stream, car-ry me in-to a dream, round the bend and un-der trees, sail-ing on the eve-ning breeze.
Pa-per boat so small and light, fol-low stars a-long the night, past the mill and to the sea, then sail back a-gain to me.
"""


def paper_boat(rng: Random) -> Piece:
    """A karaoke song in A at 96: the words are text events in a track of their own, as in .kar files."""
    form = chords("A D E7 A | A A D A Bm A E7 A | A D E7 A | A A D A Bm A E7 A | D E7 A A")
    tune = "A4:1 C#5 E5 E5 | F#5 E5 C#5:2 | D5:1 F#5 A5 F#5 | E5 C#5 E5:2 | F#5:1 D5 B4 D5 | C#5 E5 A5:2 | B4:1 D5 G#5 F#5 | E5 C#5 A4:2 |"
    sung = line(tune, 16, 92) + line(tune, 64, 92)
    words = [smf.text(smf.TEXT, header) for header in ("@LENGL", "@TPaper Boat", "@TA song of the midiopt sample")]
    sheet: list[tuple[float, bytes]] = [(0, word) for word in words]
    syllables = [s for verse in VERSES.strip().split("\n") for s in _karaoke(verse)]
    sheet += [(n.start, smf.text(smf.TEXT, syllable)) for n, syllable in zip(sung, syllables, strict=True)]
    parts = [
        Part("Soft karaoke", 0, [], events=[(0, smf.text(smf.TEXT, "@KMIDI KARAOKE FILE"))]),
        Part("Words", 0, [], events=sheet),
        Part("Melody", 0, humanise(sung, rng, 0.02), GM.FLUTE),
        Part("Guitar", 1, humanise(arpeggio(form, "13546543", 45, 66), rng), GM.NYLON_GUITAR),
        Part("Bass", 2, humanise(bassline(form, "1---5---", 33, 80), rng), GM.ACOUSTIC_BASS),
        Part("Drums", DRUMS, humanise(repeat(drums({"kick": "x...x...", "rim": "..x...x.", "shaker": "xoxoxoxo"}, 1), 28, 4), rng)),
    ]
    return Piece("Paper Boat", 112, parts, tempo=96, division=120)


def _karaoke(verse: str) -> list[str]:
    """Syllables in the format of .kar files: \\ begins a verse, / a line, and a space ends a word."""
    lines = verse.replace(", ", ",\n").split("\n")
    marked = [("/" if i else "\\") + words.replace(" ", " \n").replace("-", "\n") for i, words in enumerate(lines)]
    return [syllable for words in marked for syllable in words.split("\n")]
