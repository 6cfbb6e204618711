"""From the bytes of a file to its tracks, with mido as the parser."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import TypeAlias

import mido
from mido.midifiles import meta

from reference.mending import mend
from reference.structure import restore

Message: TypeAlias = mido.Message | mido.MetaMessage
Track: TypeAlias = list[tuple[int, Message]]  # (absolute tick, message)

CHANNEL_MESSAGES = {"note_off", "note_on", "polytouch", "control_change", "program_change", "aftertouch", "pitchwheel"}
SMPTE_FRAME_RATES = {29: 30000 / 1001}  # code 29 means 29.97; every other code is the rate itself


class Unreadable(Exception):
    """mido cannot read the file, so there is no reference for it."""


def _register_unknown_meta_types() -> None:
    """Give each meta type that mido does not know a spec: mido 1.3 reads those with delta time 0, which shifts all that follows."""
    known = {spec.type_byte for spec in meta._META_SPECS.values()}
    for type_byte in set(range(0x100)) - known:
        name = f"meta_{type_byte:02x}"
        meta.add_meta_spec(type(name, (meta.MetaSpec_sequencer_specific,), {"type_byte": type_byte, "type": name}))


_register_unknown_meta_types()


@dataclass(frozen=True)
class Division:
    """The header's unit of time."""

    ticks_per_quarter: int | None  # None under an SMPTE division
    smpte_ticks_per_second: float  # 0 unless SMPTE

    @classmethod
    def from_header(cls, data: bytes) -> Division:
        """Bytes 12 and 13: ticks per quarter, or (when the first is negative) SMPTE frames per second and ticks per frame."""
        high, low = data[12], data[13]
        if high < 0x80:
            return cls(high << 8 | low, 0.0)
        frame_code = 0x100 - high
        return cls(None, SMPTE_FRAME_RATES.get(frame_code, frame_code) * low)

    @property
    def quarter(self) -> float:
        """Ticks per quarter note; under an SMPTE division ticks per half second (a quarter at 120 BPM)."""
        return self.smpte_ticks_per_second / 2 if self.ticks_per_quarter is None else self.ticks_per_quarter


def read_tracks(data: bytes) -> tuple[int, Division, list[Track]]:
    """Return format, division and tracks of a file; raises Unreadable.

    Each track ends with its first End of Track. System common and real-time messages, which mido also reads, are not
    allowed in a file and are dropped. An unknown format counts as 1.
    """
    data = restore(data)
    try:
        file = mido.MidiFile(file=BytesIO(mend(data)), charset="latin1", clip=True)
    except Exception as error:
        raise Unreadable(f"mido cannot read this file: {error!r}") from error
    division = Division.from_header(data)
    if not division.quarter:
        raise Unreadable("the division is 0")
    if not file.tracks:
        raise Unreadable("the header declares no tracks")
    tracks = []
    for messages in file.tracks:
        tick, track = 0, []
        for message in messages:
            tick += message.time
            if message.is_meta or message.type == "sysex" or message.type in CHANNEL_MESSAGES:
                track.append((tick, message))
            if message.type == "end_of_track":
                break
        tracks.append(track)
    return file.type if file.type in (0, 1, 2) else 1, division, tracks
