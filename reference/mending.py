"""Events whose length is missing or wrong, written anew with the right one, so that mido can read the file.

    mend(data) -> the bytes of the file, with whole system-exclusive messages and time signatures of four bytes

A file in which this reading meets any other fault is returned as it is.
"""

from __future__ import annotations

from collections.abc import Callable

END_OF_TRACK, TIME_SIGNATURE = 0x2F, 0x58
CLOCKS_AND_NOTES = b"\x18\x08"  # what a time signature of two bytes leaves out: 24 clocks per click, 8 thirty-seconds per quarter
ENOUGH_EVENTS = 16  # that follow without a fault
MAX_MISCOUNT = 2  # bytes
MANUFACTURERS = b"\x41\x43\x7e\x7f"  # Roland, Yamaha, and messages of no manufacturer


class Faulty(Exception):
    """The bytes of a track are no events."""


def read_varint(track: bytes, at: int) -> tuple[int, int]:
    """(value, position behind it) of one of up to four bytes."""
    value = 0
    for i, byte in enumerate(track[at : at + 4]):
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + i + 1
    raise Faulty


def write_varint(value: int) -> bytes:
    """The variable-length quantity of a number below 2**28."""
    return bytes((value >> shift & 0x7F) | (0x80 if shift else 0) for shift in (21, 14, 7, 0) if value >> shift or not shift)


def event_end(track: bytes, at: int, running: int, sysex_end: Callable[[int, int], int]) -> tuple[int, int, int]:
    """(position of the status or first data byte, position behind the event, running status) of the event at `at`.

    `sysex_end` says where the message ends whose length is at its first argument, under the running status.
    """
    _, start = read_varint(track, at)
    try:
        status = track[start] if track[start] >= 0x80 else running
        data = start + (track[start] >= 0x80)
        if 0x80 <= status < 0xF0:
            end = data + (1 if 0xC0 <= status < 0xE0 else 2)
            if max(track[data:end]) >= 0x80:
                raise Faulty
            running = status
        elif status == 0xFF and track[data] < 0x80:
            length, first = read_varint(track, data + 1)
            end = first + length
        elif status == 0xF7:
            length, first = read_varint(track, data)
            end = first + length
        elif status == 0xF0:
            end = sysex_end(data, running)
        else:
            raise Faulty
    except (IndexError, ValueError) as error:
        raise Faulty from error
    if end > len(track):
        raise Faulty
    return start, end, running


def any_sysex_end(track: bytes, at: int) -> int:
    """Where a message among those that follow ends: by its length if an F7 is there, else at its F7."""
    length, first = read_varint(track, at)
    if length and track[first + length - 1 : first + length] == b"\xf7":
        return first + length
    if track[at] >= 0x80:  # surely a length
        at = first
    end = next((i for i, byte in enumerate(track[at:], at) if byte >= 0x80), None)
    if end is None or track[end] != 0xF7:
        raise Faulty
    return end + 1


def good_events(track: bytes, at: int, running: int) -> int:
    """The number of events from `at` on that have no fault; ENOUGH_EVENTS if so many have none, or all up to End of Track or
    to the end of the bytes."""
    for count in range(ENOUGH_EVENTS):
        if at == len(track):
            return ENOUGH_EVENTS if count else 0
        try:
            start, at, running = event_end(track, at, running, lambda data, _: any_sysex_end(track, data))
        except Faulty:
            return count
        if track[start : start + 2] == bytes([0xFF, END_OF_TRACK]):
            return ENOUGH_EVENTS if track[start + 2] == 0 else count
    return ENOUGH_EVENTS


def continues(track: bytes, at: int) -> bool:
    """Whether the next event is a packet that continues a message: one or more data bytes, or an F7 at their end."""
    try:
        _, status = read_varint(track, at)
        length, first = read_varint(track, status + 1)
    except Faulty:
        return False
    packet = track[first : first + length]
    return track[status] == 0xF7 and 0 < length == len(packet) and max(packet[:-1], default=0) < 0x80 and not 0x80 <= packet[-1] < 0xF7


def has_status(track: bytes, at: int) -> bool:
    """Whether a delta time and a status follow, or else data under running status, or nothing."""
    try:
        _, status = read_varint(track, at)
    except Faulty:
        return False
    return track[status : status + 1] >= b"\x80"


def true_sysex_end(track: bytes, at: int, running: int) -> int:
    """Where the message ends whose length is at `at`: as written, or at the first byte above 127 if that is an F7.

    The F7 is right if more events without a fault follow it than follow the written end; or enough of them, unless it may be an
    empty packet behind the written end, with a status behind it.
    """
    length, first = read_varint(track, at)
    written = first + length
    fits = written <= len(track)
    found = next((i for i in range(first, len(track)) if track[i] >= 0x80), len(track))
    if found == len(track) or track[found] != 0xF7 or found + 1 == written:
        return written
    if fits and found >= written and continues(track, written):
        return written
    after_found = good_events(track, found + 1, running)
    after_written = good_events(track, written, running) if fits else -1
    is_empty_packet = found == written + 1 and track[found + 1 : found + 2] == b"\0" and has_status(track, found + 2)
    return found + 1 if after_found > after_written or (after_found == ENOUGH_EVENTS and not is_empty_packet) else written


def mend_track(track: bytes) -> bytes:
    """The events of a track up to End of Track, each with its right length; raises Faulty."""
    out, at, running = bytearray(), 0, 0
    while at < len(track):
        start, end, running = event_end(track, at, running, lambda data, status: true_sysex_end(track, data, status))
        event = track[start:end]
        if event[0] == 0xF0:
            written, first = read_varint(track, start + 1)
            if written != end - first:
                is_zero = written == 0 and track[first] in MANUFACTURERS  # the numbers of others begin with 0, too
                no_length = abs(written - (end - first)) > MAX_MISCOUNT and not is_zero
                data = track[start + 1 if no_length else first : end]
                event = b"\xf0" + write_varint(len(data)) + data
        elif event[:2] == bytes([0xFF, TIME_SIGNATURE]) and event[2] != 4 and event[2] >= 2:
            event = event[:2] + b"\x04" + (event[3:5] + CLOCKS_AND_NOTES if event[2] < 4 else event[3:7])
        out += track[at:start] + event
        if event[:2] == bytes([0xFF, END_OF_TRACK]):
            return bytes(out + track[end:])
        at = end
    raise Faulty


def mend(data: bytes) -> bytes:
    """The file with the lengths of its events mended, or as it is if it has another fault."""
    out, at = bytearray(data[:14]), 14
    if data[:8] != b"MThd\0\0\0\6":
        return data
    try:
        while data[at : at + 4] == b"MTrk":
            length = int.from_bytes(data[at + 4 : at + 8], "big")
            track = mend_track(data[at + 8 : at + 8 + length])
            out += b"MTrk" + len(track).to_bytes(4, "big") + track
            at += 8 + length
    except Faulty:
        return data
    return bytes(out + data[at:])
