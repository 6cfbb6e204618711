"""The notes of a song and its time, as one message of bytes that a page draws and plays.

It begins with the length of a JSON text as a 32-bit number, the text, and spaces up to a multiple of 8. Then come the columns that the
text names, each an array of little-endian numbers, padded likewise. 14 bytes a note, where JSON takes 40.
"""

from __future__ import annotations

import json
import math
import struct
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from midiopt.api.harmony import Segments, harmony
from midiopt.api.one_file import Notes
from midiopt.api.tempo_map import TempoMap, tempo_map
from midiopt.core.smf.parser import parse
from midiopt.general_midi import DRUM_SOUNDS, PROGRAMS
from midiopt.rows.track_names import track_names
from midiopt.wording import printable_text

if TYPE_CHECKING:
    import numpy.typing as npt
    from _typeshed import ReadableBuffer as Buffer

MAX_NOTES = 200_000  # the longest of 16,828 real files has 45,000
MAX_BARS = 20_000
MAX_CHANGES = 5_000  # of tempo or meter
MAX_PARTS = 256
MAX_DIVISION = 0x7FFF  # in ticks per quarter; above, it is of SMPTE, which has no bars
ALIGNMENT = 8


def song_message(data: Buffer) -> bytes:
    """The message for the content of a MIDI file. Raises MidiError."""
    notes, time, names = Notes(data), tempo_map(memoryview(data)), harmony(memoryview(data))
    order = np.argsort(notes.onset_s, kind="stable")[:MAX_NOTES]
    parts, part_of = _parts(data, notes)
    columns = {
        "onset": notes.onset_s[order].astype("<f4"),
        "end": notes.end_s[order].astype("<f4"),
        "part": part_of[order].astype("<u2"),
        "pitch": notes.pitch[order],
        "velocity": notes.velocity[order],
        "program": notes.program[order],
        "bars": (_bars(time, notes) if len(notes) and parse(data).division <= MAX_DIVISION else np.empty(0)).astype("<f4"),
    }
    head = {
        "notes": len(notes),
        "seconds": max((float(notes.end_s.max()) if len(notes) else 0.0), 0.0),
        "parts": parts,
        "drums": {pitch: name for pitch, name in DRUM_SOUNDS.items() if (notes.is_drum & (notes.pitch == pitch)).any()},
        "chords": _segments(names.chords),
        "keys": _segments(names.keys),
        "meters": _meters(time),
        "tempos": _tempos(time),
        "columns": [{"name": name, "type": column.dtype.str[1:], "length": len(column)} for name, column in columns.items()],
    }
    text = json.dumps(head, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-(len(text) + 4) % ALIGNMENT)
    return b"".join([struct.pack("<I", len(text)), text, *(_padded(column.tobytes()) for column in columns.values())])


def _segments(segments: Segments) -> list[dict[str, object]]:
    return [{"second": second, "name": name} for second, name in zip(segments.seconds.tolist(), segments.name, strict=True)]


def _meters(time: TempoMap) -> list[dict[str, object]]:
    signatures = time.time_signatures[:MAX_CHANGES]
    return [{"second": float(time.seconds_at(s.tick)), "name": f"{s.numerator}/{s.denominator}"} for s in signatures]


def _tempos(time: TempoMap) -> list[dict[str, object]]:
    """Whole beats per minute; neighbours differ."""
    found: list[dict[str, object]] = []
    for second, bpm in zip(time.seconds.tolist(), time.bpm.tolist(), strict=True):
        if not found or found[-1]["name"] != f"{bpm:.0f}":
            found.append({"second": second, "name": f"{bpm:.0f}"})
    return found[:MAX_CHANGES]


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % ALIGNMENT)


def _parts(data: Buffer, notes: Notes) -> tuple[list[dict[str, Any]], npt.NDArray[np.intp]]:
    """What has a colour of its own: the notes of one channel in one track; the last one has those of all others. The part of each note."""
    names = track_names(data)
    keys = (notes.track.astype(np.int32) << 5) | (notes.channel.astype(np.int32) << 1) | notes.is_drum
    found, part_of = np.unique(keys, return_inverse=True)
    in_track = Counter((found >> 5).tolist())
    parts = []
    for i, key in enumerate(found[:MAX_PARTS].tolist()):  # of thousands, each looking at all notes, it would take minutes
        mine = part_of == i
        track, is_drum = key >> 5, bool(key & 1)
        program = int(np.bincount(notes.program[mine]).argmax())
        sound = "Drums" if is_drum else PROGRAMS[program]
        name = names.get(track, "") if in_track[track] == 1 else ""
        parts.append(
            {
                "track": track,
                "channel": (key >> 1 & 15) + 1,
                "drums": is_drum,
                "name": printable_text(name or sound),
                "sound": sound,
                "program": program,
                "notes": int(mine.sum()),
            }
        )
    return parts, np.minimum(part_of, MAX_PARTS - 1)


def _bars(time: TempoMap, notes: Notes) -> npt.NDArray[np.float64]:
    """The seconds at which bars begin, up to the end of the last note."""
    end = int((notes.onset + notes.length).max())
    changes = [(s.tick, s.numerator, s.denominator) for s in time.time_signatures]
    if not changes or changes[0][0] > 0:
        changes.insert(0, (0, 4, 4))
    ticks: list[float] = []
    for (tick, numerator, denominator), following in zip(changes, [*(c[0] for c in changes[1:]), end], strict=True):
        bar = time.ticks_per_quarter * 4 * numerator / denominator
        count = max(0, math.ceil((min(following, end) - tick) / bar))
        ticks += _steps(tick, bar, min(count, MAX_BARS - len(ticks)))
    return time.seconds_at(np.array(ticks))


def _steps(first: float, step: float, count: int) -> Iterable[float]:
    return (first + i * step for i in range(count))
