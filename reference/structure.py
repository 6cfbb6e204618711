"""Files whose structure is damaged, written anew as they should be, so that mido can read them: docs/policy.md, from its words.

    restore(data) -> the bytes of a well-formed file with the same events, or `data` where nothing can be told

Containers (RMID) and other bytes before the header are left alone; mido does not read them.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass, field

from reference.chunks import END, chunks, fits, is_chunk, is_whole, length_at
from reference.mending import END_OF_TRACK, Faulty, any_sysex_end, event_end

FRAME_RATES = (24, 25, 29, 30)
RESOLUTIONS = (4, 8, 10, 40, 80, 100)  # ticks per frame
NOT_THE_END = b"\xff\x60\0"  # an unknown meta event: counts as an early End of Track does, and mido reads on behind it
CHARACTERS = {bytes([b]).decode("cp1252", "ignore") or chr(b): b for b in range(0x80, 0xA0)}


def one_byte_each(data: bytes) -> bytes:
    """UTF-8, whose last character may be cut, turned back to a byte a character; raises ValueError."""
    text = codecs.getincrementaldecoder("utf-8")().decode(data).removeprefix("\ufeff")
    if text.isascii() and not data.isascii():
        raise ValueError
    return bytes(CHARACTERS.get(c, ord(c) - 0xF700 if "\uf780" <= c <= "\uf7ff" else ord(c)) for c in text)


def undo_transfer(data: bytes) -> bytes:
    """The bytes before a transfer in text mode, or before they were saved as UTF-8: whichever makes all lengths fit, or leaves events
    without the faults that they had. What is UTF-8 was saved so in any case."""
    candidates = list(before_transfer(data))
    for candidate in filter(fits, candidates):
        return candidate
    for changed in (False, True):
        guess = next((c for c in candidates[1:] if is_likely(c) and has_changed_line_feeds(c) <= changed), data)
        if has_whole_events(guess) and not has_whole_events(data):
            return guess
    return guess if is_utf8(data) else data


def has_changed_line_feeds(data: bytes) -> bool:
    """Whether there are line feeds, and a carriage return before each."""
    return data.count(b"\n") == data.count(b"\r\n") > 0


def has_whole_events(data: bytes) -> bool:
    """Whether the events of all tracks that the header counts lead to End of Track."""
    read = read_song(data)
    return read is not None and all(track.endswith(END) for track in read[0].tracks)


def before_transfer(data: bytes) -> Iterator[bytes]:
    """What the bytes may have been."""
    line_feeds = [data]
    while has_changed_line_feeds(line_feeds[-1]) and len(line_feeds) < 3:
        line_feeds.append(line_feeds[-1].replace(b"\r\n", b"\n"))
    if data.count(b"\r") == data.count(b"\r\n") > 0:
        line_feeds.append(data.replace(b"\r\n", b"\r"))
    for candidate in line_feeds:
        try:
            for _ in range(3):
                yield candidate
                candidate = one_byte_each(candidate)
        except ValueError:
            continue


def is_utf8(data: bytes) -> bool:
    """Whether these bytes can be turned back to fewer."""
    try:
        return len(one_byte_each(data)) < len(data)
    except ValueError:
        return False


def is_likely(data: bytes) -> bool:
    """Whether a track follows the header, and the bytes are no longer UTF-8."""
    return data[:8] == b"MThd\0\0\0\6" and data[14:18] == b"MTrk" and not is_utf8(data)


@dataclass
class Song:
    """A song while it is read: what the header says, and the events of its tracks."""

    data: bytes
    count: int  # of tracks, as the header has it
    tracks: list[bytes] = field(default_factory=list)
    aliens: int = 0

    def events(self, at: int, limit: int) -> tuple[int, bool]:
        """Where the events end, and whether that is End of Track; raises Faulty if one has a fault."""
        track, start, running = self.data[at:limit], 0, 0
        end = 0
        while end < len(track):
            start, end, running = event_end(track, end, running, lambda data, _: any_sysex_end(track, data))
            if track[start : start + 2] == bytes([0xFF, END_OF_TRACK]):
                return at + end, True
        return limit, False

    def next_track(self, at: int) -> int:
        """The next track or song, else the end of the file."""
        found = [i for i in (self.data.find(b"MTrk", at), self.data.find(b"MThd\0\0\0\6", at)) if i >= 0]
        return min(found, default=len(self.data))

    def read_track(self, chunk: int) -> int:
        """Read the track at `chunk`, and return where the next chunk is; raises Faulty."""
        data, first = self.data, chunk + 8
        written = first + length_at(data, chunk)
        leads = written == len(data) or is_chunk(data, written)
        try:
            stop, ended = self.events(first, min(written, len(data)))
        except Faulty:
            if leads:
                raise
            stop, ended = first, False
        if not ended:
            if not leads:
                stop, ended = self.events(first, self.next_track(first))
            self.tracks.append(data[first:stop])
            is_inside = ended and not leads and stop < len(data) and not is_chunk(data, stop)
            return self.read_rest(stop, stop, False) if is_inside else stop
        self.tracks.append(data[first:stop])
        if stop == written and (leads or 0 < self.count <= len(self.tracks)):
            return stop
        return self.read_rest(stop, written, leads)

    def read_rest(self, stop: int, written: int, leads: bool) -> int:
        """What stands behind End of Track, up to where the length leads: other tracks, more events, or nothing of use."""
        data = self.data
        limit = written if leads else self.next_track(stop)
        if not leads and stop < written < limit and data[:written].endswith(END):
            limit = written
        behind = chunks(data, limit)[:-1] if self.count > len(self.tracks) + self.aliens else []
        aliens = self.aliens + sum(data[at : at + 4] != b"MTrk" for at in behind)  # the header may count them
        missing = self.count - len(self.tracks) - self.aliens - len(behind)
        if not leads and is_chunk(data, stop):
            return stop
        is_last = len(self.tracks) == self.count and is_whole(data, stop) and not any(map(notes, self.tracks))
        if data[stop : stop + 4] == b"MTrk" and (missing + aliens > 0 or self.count == 0 or is_last):
            return stop
        pieces, ended = self.pieces(stop, limit)
        if not pieces and missing > 0:
            pieces, ended = self.pieces(stop, limit, missing)  # other bytes may follow
            limit = stop + sum(map(len, pieces))
        if not pieces:
            return min(written, len(data))
        are_missing = len(pieces) <= missing + aliens if missing > 0 else len(pieces) == missing + aliens
        if (are_missing or all(map(has_name, pieces))) and (ended or is_balanced(pieces)):
            self.tracks += pieces
            return written if leads else limit
        if leads and missing <= 0 and any(map(notes, pieces)) and (ended or is_balanced(pieces)):
            self.tracks[-1] = NOT_THE_END.join([self.tracks[-1][:-3], *(p[:-3] for p in pieces[:-1]), b""]) + pieces[-1]
        return min(written, len(data))

    def pieces(self, at: int, limit: int, most: int = 1 << 15) -> tuple[list[bytes], bool]:
        """The tracks without headers from `at` to `limit`, at most so many; none if an event has a fault. And whether the last ends."""
        pieces: list[bytes] = []
        ended = True
        try:
            while at < limit and len(pieces) < most:
                start = at
                at, ended = self.events(start, limit)
                pieces.append(self.data[start:at])
        except Faulty:
            return [], False
        return pieces, ended


def has_name(events: bytes) -> bool:
    """Whether a track, in which no event has a fault, begins with its name: at tick 0."""
    end, running = 0, 0
    while end < len(events) and events[end] == 0:
        start, end, running = event_end(events, end, running, lambda data, _: any_sysex_end(events, data))
        if events[start : start + 2] == b"\xff\x03" and events[start + 2]:
            return True
    return False


def notes(events: bytes) -> list[bool]:
    """Whether each note event is the beginning of a note, in events without a fault."""
    found, end, running = [], 0, 0
    while end < len(events):
        start, end, running = event_end(events, end, running, lambda data, _: any_sysex_end(events, data))
        if running & 0xE0 == 0x80 and events[start] < 0xF0:
            found.append(running & 0xF0 == 0x90 and events[end - 1] > 0)
    return found if any(found) else []


def is_readable(events: bytes) -> bool:
    """Whether no event has a fault."""
    try:
        notes(events)
    except Faulty:
        return False
    return True


def is_balanced(pieces: list[bytes]) -> bool:
    """Whether the events begin with a note and end each one."""
    sounding = 0
    for begins in (begins for piece in pieces for begins in notes(piece)):
        sounding += 1 if begins else -1
        if sounding < 0:
            return False
    return sounding == 0


def mend_division(data: bytes) -> bytes:
    """An SMPTE division that was negated as a whole, negated back."""
    negated = 0x10000 - int.from_bytes(data, "big")
    if data[0] < 0x80 or negated >> 8 not in FRAME_RATES or negated & 0xFF == 0:
        return data
    if 0x100 - data[0] in FRAME_RATES and negated & 0xFF not in RESOLUTIONS:
        return data
    return bytes([0x100 - (negated >> 8), negated & 0xFF])


def restore(data: bytes) -> bytes:
    """The file as it should be."""
    if data[:4] != b"MThd" or len(data) < 22:
        return data
    data = data if fits(data) else undo_transfer(data)
    data = data[:12] + mend_division(data[12:14]) + data[14:]
    read = read_song(data)
    if read is None or not read[0].tracks:
        return data
    song, at = read
    return take_undeclared(with_tracks(data, song.tracks) + with_right_lengths(data, at))


def read_song(data: bytes) -> tuple[Song, int] | None:
    """The tracks that the header counts, and what is behind them; None if an event has a fault."""
    at = 14 if data[14:18] == b"MTrk" else 8 + length_at(data, 0)
    song = Song(data, int.from_bytes(data[10:12], "big"))
    try:
        while is_chunk(data, at) and data[at : at + 4] != b"MThd" and (song.count == 0 or len(song.tracks) < song.count):
            if data[at : at + 4] == b"MTrk":
                at = song.read_track(at)
            else:
                song.aliens += 1
                at += 8 + length_at(data, at)
    except Faulty:
        return None
    return song, at


def with_right_lengths(data: bytes, at: int) -> bytes:
    """What is behind the tracks that the header counts: of tracks, with the length that their events have."""
    song, written = Song(data, 0), b""
    lost = song.next_track(at)
    if not is_chunk(data, at) and is_whole(data, lost):
        at = lost
    try:
        while data[at : at + 4] == b"MTrk" and len(data) - at >= 8:
            end = song.read_track(at)
            if not (end == len(data) or data[end : end + 4] in (b"MTrk", b"MThd")):
                break
            written += b"MTrk" + len(song.tracks[-1]).to_bytes(4, "big") + song.tracks[-1]
            at = end
    except Faulty:
        pass
    return written + data[at:]


def with_tracks(data: bytes, tracks: list[bytes]) -> bytes:
    """The header of a file, and these tracks."""
    header = b"MThd\0\0\0\6" + data[8:10] + len(tracks).to_bytes(2, "big") + data[12:14]
    return header + b"".join(b"MTrk" + len(t).to_bytes(4, "big") + t for t in tracks)


def take_undeclared(data: bytes) -> bytes:
    """If no track that the header counts has a note, count the well-formed ones that follow, too."""
    count, found = int.from_bytes(data[10:12], "big"), chunks(data, 14)
    bodies = [data[at + 8 : at + 8 + length_at(data, at)] for at in found[:-1] if data[at : at + 4] == b"MTrk"]
    try:
        if count == 0 or len(bodies) <= count or any(map(notes, bodies[:count])):
            return data
        whole = next((i for i, body in enumerate(bodies) if i >= count and not is_readable(body)), len(bodies))
        return with_tracks(data, bodies[:whole]) if any(map(notes, bodies[count:whole])) else data
    except Faulty:
        return data
