"""Write the default training files of a PGO build: python -m pgo.training_files OUT_DIR

350 files, 4 MB, always the same bytes. A profile records which way branches go, so the mixture of events matters,
not the music. Five families have the same shares and sizes as among real files, and together these statistics:

===================================  =============================  =============================
                                     7,006 real songs               generated
===================================  =============================  =============================
events per file (5, 25, 50, 75, 95 %)  51, 293, 1423, 4129, 13923     54, 164, 1269, 3908, 12350
tracks per file (5, 25, 50, 75, 95 %)  1, 1, 2, 4, 6                  1, 2, 3, 4, 6
note on                              39.1 %                         39.8 %
note on, velocity 0                  20.2 %                         23.3 %
note off                             19.1 %                         16.5 %
control change                       18.4 %                         17.3 %
pitch bend                           1.5 %                          1.6 %
key and channel pressure             0.9 %                          0.9 %
program change                       0.06 %                         0.07 %
meta                                 0.7 %                          0.5 %
system exclusive                     0.02 %                         0.02 %
delta time of 1, 2, 3 bytes          87.96, 12.00, 0.03 %           90.56, 9.42, 0.01 %
running status                       43.9 %                         41.8 %
files of format 0, 1, 2              20.6, 79.3, 0.1 %              17.5, 81.6, 0.6 %
files with several tempo events      17.9 %                         14.6 %
files repaired                       0.1 %                          7.0 %
events in files repaired             0.16 %                         0.26 %
===================================  =============================  =============================

The songs are from 16 public collections: folk tunes, pop arranged for piano, piano performances, drum grooves,
game and General MIDI music. Message types and delta times are shares of all events, running status of all channel
messages. tests/project/test_pgo.py computed both columns and checks the right one.

There is one short file per kind of damage and per rare feature: a larger share of the files than among real songs,
where most kinds are missing, but the same share of the events. So every path is taken, with a realistic weight.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import NamedTuple

from sample import smf
from sample.notation import Chord, arpeggio, bassline, chords, comp, drums, humanise, improvise, pedal, ramp
from sample.pieces_piano import rubato
from sample.score import DRUMS, GM, Note, Part, Piece

CHORDS = ["C", "F", "G", "Am", "Dm", "Em", "G7", "F", "C", "Am", "E7", "D7"]
SCALE = "C D E F G A B"
RHYTHMS = ["x-x-x-x-", "x---x-x-", "xxxxx-x-", "x-xxx---", "x---x---", "xx.xxx.x"]


def harmony(rng: Random, beats: float) -> list[Chord]:
    return chords(" ".join(rng.choices(CHORDS, k=math.ceil(beats / 4))))


def tune(rng: Random, changes: list[Chord], low: int, gate: float = 0.9) -> list[Note]:
    return [n._replace(length=n.length * gate / 0.9) for n in improvise(changes, SCALE, rng, low, RHYTHMS, 86)]


# The five families: each composes a piece of a given number of beats


def folk(rng: Random, beats: float) -> Piece:
    """A tune, mostly with the chords below it, exactly on the grid."""
    changes = harmony(rng, beats)
    parts = [Part("Tune", 0, tune(rng, changes, 60, 1), None)]
    if rng.random() < 0.7:
        parts.append(Part("Chords", 1, comp(changes, rng.choice(["x---x---", "x-x-x-x-"]), 48, gate=1)))
    tempo = rng.choice([None, 120, rng.randint(80, 200)])
    key, division = rng.choice([None, "C", "Am"]), rng.choice([480, 480, 480, 96])
    return Piece("Tune", beats, parts, tempo, key=key, division=division, running_status=False)


def groove(rng: Random, beats: float) -> Piece:
    """A drummer on pads, whose hi-hat pedal reports every move."""
    bars = math.ceil(beats / 4)
    rows = {"kick": "X...x...x.x.....", "snare": "....X..o....X...", "hat": rng.choice(["x.x.x.x.x.x.x.x.", "xoxoxoxoxoxoxoxo"])}
    notes = humanise(drums(rows, bars), rng, 0.03, 20)
    foot = [(n.start + d, smf.control_change(DRUMS, 4, rng.randrange(128))) for n in notes if n.pitch == 42 for d in (0.02, 0.1, 0.2)]
    part = Part("Drums", DRUMS, notes, 0, foot if rng.random() < 0.7 else [])
    return Piece("Groove", bars * 4, [part], rng.randint(80, 160), key="C", format=0, running_status=rng.random() < 0.2)


def arranged(rng: Random, beats: float) -> Piece:
    """A pop song for piano: melody, second voice and accompaniment, played, with pedal."""
    changes = harmony(rng, beats)
    melody = humanise(tune(rng, changes, 67), rng, 0.03, 15)
    bridge = humanise(tune(rng, changes[::2], 60), rng, 0.03, 15)
    left = arpeggio(changes, rng.choice(["1235 3532 1235 3532", "1535 1535 1535 1535"]), 43, step=0.25) + comp(changes, "x...x...", 55)
    held = [(n.start + n.length / 2, smf.poly_pressure(0, n.pitch, n.velocity // 2)) for n in melody] if rng.random() < 0.4 else []
    parts = [
        Part("MELODY", 0, melody, GM.PIANO, held),
        Part("BRIDGE", 1, bridge, GM.PIANO),
        Part("PIANO", 2, humanise(left, rng, 0.03, 15), GM.PIANO, gradual(pedal(2, changes), 4)),
    ]
    tempo = rubato(math.ceil(beats), rng.randint(60, 120), 16, rng)[::8] if rng.random() < 0.45 else rng.randint(60, 140)
    return Piece("Song", beats, parts, tempo, key=rng.choice([None, "C"]), running_status=rng.random() < 0.5)


def performed(rng: Random, beats: float) -> Piece:
    """A piano performance as recorded by an instrument: not quantised, with 128 positions of the pedal."""
    changes = harmony(rng, beats)
    right = tune(rng, changes, 72) + arpeggio(changes, "3.53 ..35 53.. 3535", 60, step=0.25, gate=1.5)
    left = arpeggio(changes, "1..5 3... 1.5. 3...", 36, step=0.25, gate=2) + comp(changes, "..x...x.", 48)
    pedals = gradual(pedal(0, changes), 14)
    if rng.random() < 0.3:
        soft = zip(range(0, int(beats), 4), (0, 90) * 9999, strict=False)
        pedals += [(beat + 0.3, smf.control_change(0, 67, value)) for beat, value in soft]
    hands = [
        Part("Right", 0, humanise(right, rng, 0.2, 40), GM.PIANO, pedals),
        Part("Left", 0, humanise(left, rng, 0.2, 40), GM.PIANO),
    ]
    tempo = rubato(math.ceil(beats), 90, 12, rng) if rng.random() < 0.15 else 120
    division = rng.choice([384, 480, 480])
    return Piece("Performance", beats, hands, tempo, division=division, format=rng.choice([0, 1, 1]), running_status=rng.random() < 0.7)


def band(rng: Random, beats: float) -> Piece:
    """General MIDI: drums, bass, chords, lead, and up to ten accompanying sections."""
    changes = harmony(rng, beats)
    kit = drums({"kick": "X..x..x...x.....", "snare": "....X..o.o..X..o", "hat": "xoxoxoxoxoxoxoxo"}, math.ceil(beats / 4))
    bent = [event for chord in changes for event in bends(4, chord.start, rng.choice([0, 0, 0, 12, 36]))]
    other = [(beats // 2, smf.program_change(4, GM.SAW_LEAD))] if rng.random() < 0.5 else []
    parts = [
        Part("Drums", DRUMS, kit, 0),
        Part("Bass", 1, bassline(changes, "1-.1.58.", 34), GM.FINGER_BASS),
        Part("Guitar", 2, comp(changes, "x.xx.xx.", 52, gate=0.6), GM.CLEAN_GUITAR),
        Part("Keys", 3, arpeggio(changes, "1353 1353 1353 1353", 60, step=0.25), GM.ELECTRIC_PIANO),
        Part("Lead", 4, humanise(tune(rng, changes, 67), rng), GM.SQUARE_LEAD, bent + other),
    ]
    for i in range(rng.choice([0, 0, 1, 2, 4, 10])):
        channel = 5 + i % 4
        swell = [event for chord in changes for event in ramp(channel, rng.choice([1, 7, 11, 74]), chord.start, 3, 40, 110, 8)]
        pressed = [(chord.start + 0.5, smf.channel_pressure(channel, 60)) for chord in changes[:: rng.choice([1, 9999])]]
        notes = comp(changes, rng.choice(["x-------", "x---x---", "x-x-x-x-"]), 48 + 3 * i, gate=1)
        parts.append(Part(f"Section {i + 1}", channel, notes, 40 + i, swell + pressed))
    tempo = [(0, 120), (beats // 2, 126)] if rng.random() < 0.2 else rng.randint(80, 150)
    division = rng.choice([96, 120, 192, 384, 480])
    format, running_status = rng.choice([0, 1, 1, 1]), rng.random() < 0.5
    return Piece("Band", beats, parts, tempo, key="C", division=division, format=format, running_status=running_status)


def gradual(pedals: list[tuple[float, bytes]], depths: int) -> list[tuple[float, bytes]]:
    """A pedal that moves down and up through ``depths`` positions."""
    return [
        (beat + i * 0.02, bytes([status, number, min(127, abs(127 - value - 127 * (i + 1) // depths))]))
        for beat, (status, number, value) in pedals
        for i in range(depths)
    ]


def bends(channel: int, start: float, count: int) -> Iterator[tuple[float, bytes]]:
    """Pitch bends from one beat after ``start`` on."""
    return ((start + 1 + i / 24, smf.pitch_bend(channel, round(4000 * math.sin(i)))) for i in range(count))


class Family(NamedTuple):
    """Files of one kind of music."""

    files: int
    events: tuple[int, ...]  # per file: minimum, quartiles and maximum
    running: float  # share of the files with running status
    compose: Callable[[Random, float], Piece]


FAMILIES = {
    "folk": Family(116, (90, 270, 370, 590, 2000), 0.03, folk),
    "groove": Family(39, (20, 48, 86, 242, 12000), 0.97, groove),
    "arranged": Family(87, (2000, 3120, 3693, 4283, 7200), 0.9, arranged),
    "performed": Family(33, (1700, 5000, 9000, 13000, 30000), 0.6, performed),
    "band": Family(29, (800, 4000, 9000, 15000, 40000), 0.5, band),
}


def family(name: str) -> Iterator[bytes]:
    """The files of one family: each is composed twice, the second time with the wanted length."""
    files, events, running, compose = FAMILIES[name]
    for i in range(files):
        quartile, fraction = divmod(4 * (i + 0.5) / files, 1)
        low, high = events[int(quartile)], events[int(quartile) + 1]
        wanted = low * (high / low) ** fraction
        bars = 8.0
        density = sum(map(len, compose(Random(f"{name} {i}"), 4 * bars).tracks())) / bars
        piece = compose(Random(f"{name} {i}"), 4 * max(1, round(wanted / density)))
        yield encoded(piece, i * 0.618034 % 1 < running, stuck=i % 35 == 17)


def encoded(piece: Piece, running: bool, stuck: bool = False) -> bytes:
    """The file of a piece; with ``stuck``, the last note of the last track has no end."""
    tracks = [[*(e for e in events if e[0] <= piece.end), (piece.end, smf.END_OF_TRACK)] for events in piece.tracks()]
    if stuck:
        ends = [i for i, (_, event) in enumerate(tracks[-1]) if event[0] >> 4 == 8 or (event[0] >> 4 == 9 and event[2] == 0)]
        del tracks[-1][ends[-1]]
    return smf.smf([smf.track(events, running, end_of_track=False) for events in tracks], piece.division, piece.format)


# Rare: a file per issue in schema.py, per reason to reject a file, and some more

MELODY = smf.encode([(96 * i + late, smf.note_on(0, 60 + i * 5 % 24, 80 - late)) for i in range(48) for late in (0, 80)])
BASS = smf.encode([(192 * i + late, smf.note_on(1, 36 + i * 7 % 12, 90 - late)) for i in range(24) for late in (0, 90)])
END = b"\0" + smf.END_OF_TRACK


def make_file(*tracks: bytes, format: int = 1, division: int = 96) -> bytes:
    return smf.smf([smf.chunk(b"MTrk", events) for events in tracks], division, format)


def with_event(event: bytes) -> bytes:
    """A file with these bytes in the middle of a track."""
    return make_file(MELODY + END, BASS + b"\0" + event + b"\0" + smf.note_on(1, 40, 70) + b"\x60" + smf.note_off(1, 40) + END)


def with_track_count(count: int, file: bytes) -> bytes:
    """The file with another number of tracks in its header."""
    return file[:10] + count.to_bytes(2, "big") + file[12:]


VALID = make_file(MELODY + END, BASS + END)
LAST = VALID.rindex(b"MTrk")  # the second track
WITH_LINE_FEEDS = make_file(smf.encode([(10, smf.note_on(0, 10, 80)), (20, smf.note_off(0, 10))]) + MELODY + END, BASS + END)

KIT = b"".join(
    b"\x3c" + smf.note_on(2, (36, 42, 38, 42)[i % 4], 90) + b"\x0c" + smf.note_off(2, (36, 42, 38, 42)[i % 4]) for i in range(64)
)

ISSUES = {
    "leading_junk": bytes(128) + VALID,
    "header_length": VALID[:7] + b"\x08" + VALID[8:14] + bytes(2) + VALID[14:],
    "unknown_format": make_file(MELODY + END, BASS + END, format=4),
    "format_0_tracks": make_file(MELODY + END, BASS + END, format=0),
    "chunk_overrun": VALID[:-100],
    "event_cut": make_file(MELODY[:-1], BASS + END),
    "no_end_of_track": make_file(MELODY, BASS),
    "bytes_after_end": make_file(MELODY + END + bytes(20), BASS + END),
    "stray_data": make_file(b"\0\x3c\x40" + MELODY + END, BASS + END),
    "data_over_127": with_event(b"\x91\x30\xc8"),
    "bad_status": with_event(b"\xf3\x01"),
    "long_varint": with_event(smf.note_on(1, 45, 70) + b"\x80\x80\x80\x80\x60" + smf.note_on(1, 45, 0)),
    "bad_meta": with_event(smf.meta(0x59, b"\x13\0")),
    "zero_tempo": with_event(smf.meta(0x51, bytes(3))),
    "missing_tracks": VALID[:LAST],
    "lost_track": VALID[:LAST] + bytes(4) + VALID[LAST:],
    "text_mode": WITH_LINE_FEEDS.replace(b"\n", b"\r\n"),
    "utf8_text": VALID.decode("latin-1").encode(),
    "track_length": VALID[:18] + bytes(4) + VALID[22:],
    "joined_tracks": with_track_count(2, make_file(MELODY + END + BASS + END)),
    "early_end": make_file(MELODY + END + MELODY + END, BASS + END),
    "undeclared_tracks": with_track_count(1, make_file(END, MELODY + END, BASS + END)),
    "rmid_size": smf.rmid(VALID)[:16] + bytes(4) + smf.rmid(VALID)[20:],
    "sysex_length": with_event(b"\xf0\x7e\x7f\x09\x01\xf7"),
    "frame_rate": make_file(MELODY + END, BASS + END, division=0x10000 - (25 << 8 | 40)),
    "filled_block": with_event(smf.note_on(1, 45, 0) + bytes(96)),
    "rmid": smf.rmid(VALID),
    "alien_chunk": VALID[:LAST] + smf.chunk(b"XFIH", bytes(24)) + VALID[LAST:],
    "smpte": make_file(MELODY + END, BASS + END, division=smf.smpte(25, 40)),
    "format_2": make_file(MELODY + END, BASS + END, format=2),
    "no_notes": make_file(END, format=0),
    "trailing_bytes": VALID + bytes(60),
    "running_status_crossed": make_file(b"\0" + smf.note_on(0, 60, 80) + b"\0" + smf.text(smf.TEXT, "here") + b"\x60\x3c\0" + END),
    "stuck_note": make_file(MELODY[:-3] + END, BASS + END),
    "joined_songs": VALID + VALID,
    "drums_by_name": make_file(b"\0" + smf.text(smf.TRACK_NAME, "Drums") + KIT + END, BASS + END),
}

UNUSABLE = {
    "empty": b"",
    "web page": b"<!DOCTYPE html><html><head><title>Not Found</title></head></html>",
    "short header": smf.chunk(b"MThd", bytes(4)),
    "no division": make_file(MELODY + END, division=0),
    "no track": VALID[:14],
}


def unusual() -> Iterator[tuple[str, bytes]]:
    """Valid files with rare features: name and content."""
    rng = Random("unusual")
    song = band(rng, 64)
    words: list[tuple[float, bytes]] = [
        (beat, smf.text(kind, word)) for beat in range(4, 60) for kind, word in ((smf.LYRIC, "la"), (smf.TEXT, "/la"))
    ]
    header: list[tuple[float, bytes]] = [
        (0, smf.text(smf.TEXT, "@KMIDI KARAOKE FILE")),
        (0, smf.text(smf.COPYRIGHT, "nobody")),
        (0, smf.meta(0x7F, bytes(40))),
    ]
    yield "karaoke.kar", encoded(replace(song, title="Été", parts=[*song.parts, Part("Words", 0, [], None, header + words)]), running=True)
    dump: list[tuple[float, bytes]] = [(beat, smf.sysex(b"\x41\x10" + bytes(4000) + b"\xf7")) for beat in range(4)]
    packets = [smf.sysex(b"\x41" + bytes(200)), smf.sysex_packet(bytes(200)), smf.sysex_packet(b"\xf7")]
    split: list[tuple[float, bytes]] = [(8 + i, packet) for i, packet in enumerate(packets)]
    resets = [(beat / 4, smf.sysex(b"\x7e\x7f\x09\x01\xf7")) for beat in range(48, 240)]
    yield "bank.mid", encoded(replace(song, parts=[Part("Dump", 0, [], None, dump + split + resets), *song.parts]), running=False)
    patterns = [replace(part, notes=groove(rng, 8).parts[0].notes) for part in song.parts]
    yield "patterns.mid", encoded(replace(song, parts=patterns, beats=8, format=2), running=True)
    timed = encoded(replace(song, division=500, title="Scène", encoding="latin-1"), running=True)
    yield "cue.mid", timed[:12] + smf.smpte(25, 40).to_bytes(2, "big") + timed[14:]  # a tick is a millisecond


def rare() -> Iterator[tuple[str, bytes]]:
    """Every rare file: path and content."""
    for name, content in unusual():
        yield f"unusual/{name}", content
    for folder, files in (("issues", ISSUES), ("unusable", UNUSABLE)):
        for name, content in files.items():
            yield f"{folder}/{name}.mid", content


def everything() -> Iterator[tuple[str, bytes]]:
    """Every training file: path and content."""
    for name in FAMILIES:
        for i, content in enumerate(family(name)):
            yield f"{name}/{i:03}.mid", content
    yield "folk/copy of 000.mid", next(family("folk"))
    yield from rare()


def write(folder: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Write files below a folder."""
    for path, content in files:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    write(Path(sys.argv[1]), everything())
