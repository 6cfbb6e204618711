"""Write the bundled sample: python -m sample.compose [FOLDER] (default: sample/midi)

The bytes are the same every time: each file has a random generator seeded with its path. README.md says what each file
is and what midiopt should find in it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

from sample import pieces_band, pieces_chamber, pieces_electronic, pieces_grooves, pieces_piano, smf
from sample.notation import line
from sample.score import GM, Piece, at_start

FOLDER = Path(__file__).resolve().parent / "midi"

PIECES: dict[str, Callable[[Random], Piece]] = {
    "grooves/straight rock kit 120.mid": pieces_grooves.rock,
    "grooves/two-bar funk loop.mid": pieces_grooves.funk_loop,
    "grooves/RAIN.MID": pieces_grooves.drum_and_bass,
    "grooves/seven steps uphill.mid": pieces_grooves.seven_eight,
    "grooves/pattern bank.mid": pieces_grooves.patterns,
    "piano/nocturne.mid": pieces_piano.nocturne,
    "piano/waltz of the paper lanterns.mid": pieces_piano.waltz,
    "piano/invention in pursuit.mid": pieces_piano.invention,
    "piano/prelude.midi": pieces_piano.prelude,
    "piano/etude 5-4.mid": pieces_piano.five_four,
    "piano/take 3.mid": pieces_piano.improvisation,
    "band/slap happy.mid": pieces_band.slap_happy,
    "band/laundromat shuffle.mid": pieces_band.shuffle,
    "band/walking home the long way.mid": pieces_band.walking_home,
    "band/slow dance in the kitchen.mid": pieces_band.slow_dance,
    "band/neon avenue.mid": pieces_band.neon,
    "band/ISLAND.MID": pieces_band.island_time,
    "band/stadium lights.midi": pieces_band.stadium,
    "band/Paper Boat.kar": pieces_band.paper_boat,
    "chamber/quartet for a rainy sunday.midi": pieces_chamber.quartet,
    "chamber/round for three flutes.mid": pieces_chamber.round_,
    "chamber/evening hymn.mid": pieces_chamber.hymn,
    "electronic/warehouse key.mid": pieces_electronic.house,
    "electronic/drift.mid": pieces_electronic.drift,
    "electronic/satellite hours.MID": pieces_electronic.trance,
}

NOT_MIDI = """<!DOCTYPE html>
<html><head><title>404 Not Found</title></head>
<body><h1>Not Found</h1><p>The song you asked for is no longer here.</p></body></html>
"""


def sample() -> dict[str, bytes]:
    """Every file of the sample: path below the folder -> content."""
    files = {path: piece(Random(path)).smf() for path, piece in PIECES.items()}
    complete = files["band/stadium lights.midi"]
    files |= {
        "odd/slap_happy_final_v2.MID": files["band/slap happy.mid"],
        "odd/WALTZ.RMI": smf.rmid(files["piano/waltz of the paper lanterns.mid"]),
        "odd/film cue 25 fps.mid": film_cue(),
        "odd/half a download.mid": complete[: len(complete) * 3 // 5],
        "odd/nineteen sharps.mid": nineteen_sharps(),
        "odd/not found.mid": NOT_MIDI.encode(),
    }
    return files


def film_cue() -> bytes:
    """SMPTE division: 25 frames per second of 40 ticks, so that a tick is a millisecond and tempo does not matter."""
    notes = line("E3+B3:2 - E3+C4 - D3+A3 E4 G4 B4:6 - | E3:.5 - E3 - E3 F#3 G3 F#3 E3:4 B2+F#3:4 E3+G3+B3+E4:8")
    gm_on = smf.sysex(b"\x7e\x7f\x09\x01\xf7")
    events = at_start([smf.text(smf.TRACK_NAME, "Cue 4M2: The Door"), gm_on, smf.program_change(0, GM.STRINGS)])
    for note in notes:
        events.append((round(note.start * 1000), smf.note_on(0, note.pitch, note.velocity)))
        events.append((round((note.start + note.length) * 1000), smf.note_off(0, note.pitch)))
    events.sort(key=lambda event: event[0])
    return smf.smf([smf.track(events)], smf.smpte(25, 40), format=0)


def nineteen_sharps() -> bytes:
    """A C major scale whose key signature has 19 sharps, which no key has."""
    events = [(0, smf.text(smf.TRACK_NAME, "C major scale")), (0, smf.meta(0x59, b"\x13\x00"))]
    for i, note in enumerate(line("C4 D4 E4 F4 G4 A4 B4 C5")):
        events += [(i * 96, smf.note_on(0, note.pitch, 80)), (i * 96 + 90, smf.note_off(0, note.pitch))]
    return smf.smf([smf.track(events)], 96, format=0)


def write(folder: Path) -> None:
    """Write every file below a folder."""
    for path, content in sample().items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
