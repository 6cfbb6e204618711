"""A Standard MIDI File writer: events in, bytes out.

It shares no code with midiopt's parser, so that each tests the other. An event is bytes, made by the functions below
or by hand; a track is a list of (tick, event) in time order:

    smf([track([(0, note_on(0, 60, 64)), (480, note_off(0, 60))])])

Channels count from 0, as in the status byte. A value out of range raises ValueError; tests that need a malformed file
write raw bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

Event = tuple[int, bytes]  # absolute tick, encoded event

TEXT, COPYRIGHT, TRACK_NAME, INSTRUMENT, LYRIC, MARKER, CUE = range(1, 8)  # meta types of text events
END_OF_TRACK = b"\xff\x2f\x00"

# Key signatures from seven flats to seven sharps; SHARPS has the number of sharps of each, negative for flats.
MAJOR_KEYS = "Cb Gb Db Ab Eb Bb F C G D A E B F# C#"
MINOR_KEYS = "Abm Ebm Bbm Fm Cm Gm Dm Am Em Bm F#m C#m G#m D#m A#m"
SHARPS = {key: i - 7 for keys in (MAJOR_KEYS, MINOR_KEYS) for i, key in enumerate(keys.split())}


def varint(n: int) -> bytes:
    """A variable-length quantity: seven bits per byte, high bits first, bit 7 set on all bytes but the last."""
    if not 0 <= n < 1 << 28:
        raise ValueError(f"{n} does not fit into the four bytes of a variable-length quantity")
    out = bytes([n & 127])
    while n := n >> 7:
        out = bytes([n & 127 | 128]) + out
    return out


# Channel messages


def _channel_message(status: int, channel: int, *data: int) -> bytes:
    """A status byte with its channel, and data bytes."""
    if not 0 <= channel < 16 or not all(0 <= value < 128 for value in data):
        raise ValueError(f"channel {channel} or data {data} out of range")
    return bytes([status | channel, *data])


def note_off(channel: int, pitch: int, velocity: int = 64) -> bytes:
    """8n: note off."""
    return _channel_message(0x80, channel, pitch, velocity)


def note_on(channel: int, pitch: int, velocity: int) -> bytes:
    """9n: note on; velocity 0 ends the note."""
    return _channel_message(0x90, channel, pitch, velocity)


def poly_pressure(channel: int, pitch: int, value: int) -> bytes:
    """An: polyphonic key pressure."""
    return _channel_message(0xA0, channel, pitch, value)


def control_change(channel: int, controller: int, value: int) -> bytes:
    """Bn: control change."""
    return _channel_message(0xB0, channel, controller, value)


def program_change(channel: int, number: int) -> bytes:
    """Cn: program change."""
    return _channel_message(0xC0, channel, number)


def channel_pressure(channel: int, value: int) -> bytes:
    """Dn: channel pressure."""
    return _channel_message(0xD0, channel, value)


def pitch_bend(channel: int, value: int) -> bytes:
    """En: pitch bend, from -8192 to 8191; 0 is the center."""
    value += 8192
    return _channel_message(0xE0, channel, value & 127, value >> 7)


# Meta and system-exclusive events


def meta(kind: int, data: bytes = b"") -> bytes:
    """FF: a meta event of any type."""
    if not 0 <= kind < 128:
        raise ValueError(f"meta type {kind} out of range")
    return bytes([0xFF, kind]) + varint(len(data)) + data


def text(kind: int, words: str, encoding: str = "utf-8") -> bytes:
    """A text event of one of the types above."""
    return meta(kind, words.encode(encoding))


def tempo(bpm: float) -> bytes:
    """Set Tempo, rounded to a microsecond per quarter."""
    return meta(0x51, round(60e6 / bpm).to_bytes(3, "big"))


def time_signature(numerator: int, denominator: int) -> bytes:
    """The denominator must be a power of two. The metronome clicks on quarters, in 6/8 and the like on dotted quarters."""
    clocks = 36 if denominator == 8 and numerator % 3 == 0 else 24
    return meta(0x58, bytes([numerator, denominator.bit_length() - 1, clocks, 8]))


def key_signature(key: str) -> bytes:
    """A key signature by a name in SHARPS: "C", "F#m", "Bb"."""
    return meta(0x59, bytes([SHARPS[key] & 0xFF, key.endswith("m")]))


def sysex(data: bytes) -> bytes:
    """F0: a system-exclusive message; data includes the closing F7 unless packets follow."""
    return b"\xf0" + varint(len(data)) + data


def sysex_packet(data: bytes) -> bytes:
    """F7: the next packet of a divided system-exclusive message, or bytes to be sent unchanged."""
    return b"\xf7" + varint(len(data)) + data


# Tracks and files


def encode(events: Iterable[Event], running_status: bool = True) -> bytes:
    """The content of a track chunk: a delta time before each event.

    With running status, a channel message omits its status byte if it equals the previous one. As specified, meta and
    system-exclusive events cancel running status.
    """
    out = bytearray()
    now = 0
    status = None
    for tick, event in events:
        out += varint(tick - now)
        now = tick
        out += event[1:] if running_status and event[0] == status else event
        status = event[0] if event[0] < 0xF0 else None
    return bytes(out)


def chunk(tag: bytes, data: bytes) -> bytes:
    """A chunk: type, length, data."""
    return tag + struct.pack(">I", len(data)) + data


def track(events: Iterable[Event], running_status: bool = True, end_of_track: bool = True) -> bytes:
    """An MTrk chunk. End of Track has the tick of the last event; to end later, pass it as the last event yourself."""
    return chunk(b"MTrk", encode(events, running_status) + (b"\x00" + END_OF_TRACK if end_of_track else b""))


def smpte(frames: int, resolution: int) -> int:
    """An SMPTE division: frames per second (24, 25, 29 for 29.97, 30) and ticks per frame."""
    return (-frames & 0xFF) << 8 | resolution


def smf(tracks: Sequence[bytes], division: int = 480, format: int = 1) -> bytes:
    """A file from its MTrk chunks; division is ticks per quarter note, or what smpte() returns."""
    return chunk(b"MThd", struct.pack(">HHH", format, len(tracks), division)) + b"".join(tracks)


def rmid(data: bytes) -> bytes:
    """A file in a RIFF RMID container, whose lengths are little-endian and whose chunks are padded to an even length."""
    body = b"RMIDdata" + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body
