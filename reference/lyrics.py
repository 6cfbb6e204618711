"""The lyrics in chunks XFKM of Yamaha: docs/policy.md."""

from __future__ import annotations

from reference.chunks import END, chunks, length_at
from reference.mending import Faulty, any_sysex_end, event_end


def xf_lyrics(data: bytes) -> int:
    """Number of lyric events in chunks XFKM."""
    bodies = [data[at + 8 : at + 8 + length_at(data, at)] for at in chunks(data, 14)[:-1] if data[at : at + 4] == b"XFKM"]
    return sum(map(count_lyrics, bodies))


def count_lyrics(events: bytes) -> int:
    """Number of lyric events before End of Track, or before the first fault."""
    count, end, running = 0, 0, 0
    try:
        while end < len(events):
            start, end, running = event_end(events, end, running, lambda data, _: any_sysex_end(events, data))
            count += events[start : start + 2] == b"\xff\x05"
            if events[start : start + 2] == END[:2]:
                break
    except Faulty:
        pass
    return count
