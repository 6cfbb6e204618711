"""Hypothesis strategies: whole MIDI files, realistic and extreme, all of them readable by mido.

    songs()       -> Song: tracks of (tick, event), and encode(), which makes a file of them
    midi_files()  -> bytes of such a file
    note_lists()  -> plain music for invariance tests, which play() turns into the events of a track

Extreme means: notes that repeat, overlap, have no length, never end or end without a beginning; events of all
kinds at one tick; extreme tempos, time signatures and gaps; texts in rare charsets. The files are never damaged:
meta and system-exclusive events end running status, and every length is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hypothesis import strategies as st

from sample import smf

# A few values are frequent, so that events coincide; all values are possible.
channels = st.sampled_from([0, 0, 1, 9, 15]) | st.integers(0, 15)
pitches = st.sampled_from([36, 60, 60, 62, 64, 67, 72]) | st.integers(0, 127)
velocities = st.sampled_from([1, 64, 100, 127]) | st.integers(1, 127)
data_bytes = st.sampled_from([0, 1, 64, 127]) | st.integers(0, 127)
gaps = st.sampled_from([0, 0, 0, 1, 24, 60, 120, 240, 480, 480, 960, 1920]) | st.integers(0, 1000)  # ticks
long_gaps = st.sampled_from([127, 128, 16383, 16384, 2**21 - 1, 2**21, 2**28 - 1])  # the edges of a varint
divisions = (
    st.sampled_from([1, 24, 48, 96, 120, 192, 220, 240, 384, 480, 480, 960, 1024, 15360, 32767])
    | st.integers(1, 32767)
    | st.builds(smf.smpte, st.sampled_from([24, 25, 29, 30]), st.sampled_from([1, 2, 4, 8, 10, 40, 80, 100, 255]))
)

# --- events: one encoded event each --------------------------------------------------------------

channel_events = st.one_of(
    st.builds(smf.note_on, channels, pitches, velocities),
    st.builds(smf.note_on, channels, pitches, st.just(0)),
    st.builds(smf.note_off, channels, pitches, data_bytes),
    st.builds(smf.poly_pressure, channels, pitches, data_bytes),
    st.builds(smf.control_change, channels, st.sampled_from([7, 64, 64, 123]) | data_bytes, data_bytes),
    st.builds(smf.control_change, channels, st.just(0), st.sampled_from([0, 120, 121, 126, 127])),  # bank select
    st.builds(smf.program_change, channels, data_bytes),
    st.builds(smf.channel_pressure, channels, data_bytes),
    st.builds(smf.pitch_bend, channels, st.sampled_from([-8192, 0, 8191]) | st.integers(-8192, 8191)),
)

NAMES = (
    *(b"", b" ", b"\0", b" \t\r\n\x0b\x0c", b"Piano", b" Piano ", b"Piano\0\0", b"Pi\0ano"),
    *(b"Drums", b"drums 2", b"Percussion", b"Steel Drum", b"upperc"),
    *(b"Words", b" wORDS ", b"@KMIDI KARAOKE FILE", b"@k", b"Wordsmith", b"Letra", b"@LENGL"),
    *("Flöte".encode(), "Flöte".encode("latin1"), "ピアノ".encode(), "ピアノ".encode("shift_jis"), "🎹".encode()),
    *(b"\xed\xa0\x80", b"\xc0\xaf", b"\xff\xfe", b"\xc2\xa0", b"\x1f"),  # surrogate, overlong, never UTF-8, blank in Unicode
    *("Größe".encode("utf-16"), b"\xfe\xff" + "小星\0".encode("utf-16-be"), b"\xff\xfeP\0i\0a", b"\xfe\xff\xd8\x00\x00a"),  # UTF-16
    *(b"\xef\xbb\xbfPiano  ", "\ufeffFlöte\0".encode(), "Étude в".encode()[:-1], b"\xd2\xb2\xdd"),  # a mark; cut, and half-width kana
    *(b"{@JP}\x83s", b"{@LATIN}\x83s{#Title=\xe9tude}", b"{@utf-8}\xc3\xa9\xc3", b"{@UTF-16LE}P\0", b"{@", b"{#Title=x", b"@T \xe9"),
    *(b"x" * 1001, "é".encode() * 1001, b"\xe9" * 1001, b"a" * 999 + "🎹🎹".encode()),
)
words = st.sampled_from(NAMES) | st.binary(max_size=12) | st.text(max_size=12).map(str.encode)


def _metas(kind: int, *numbers: st.SearchStrategy[int]) -> st.SearchStrategy[bytes]:
    """Meta events of one type, with a byte per number."""
    return st.tuples(*numbers).map(lambda values: smf.meta(kind, bytes(values)))


def _tempos(microseconds: st.SearchStrategy[int]) -> st.SearchStrategy[bytes]:
    return microseconds.map(lambda n: smf.meta(0x51, n.to_bytes(3, "big")))


_bytes = st.integers(0, 255)
valid_metas = st.one_of(
    st.builds(smf.meta, st.just(smf.TRACK_NAME), words),
    st.builds(smf.meta, st.sampled_from([smf.TEXT, smf.LYRIC]) | st.integers(1, 15), words),
    _tempos(st.sampled_from([500_000, 500_000, 461_538, 461_539, 600_000, 7680, 1, 2**24 - 1]) | st.integers(200_000, 1_500_000)),
    _tempos(st.integers(1, 2**24 - 1)),
    _metas(0x58, st.sampled_from([2, 3, 4, 6]), st.sampled_from([2, 3]), st.just(24), st.just(8)),
    _metas(0x58, st.integers(1, 255), st.integers(0, 7), _bytes, _bytes),
    st.sampled_from(list(smf.SHARPS)).map(smf.key_signature),
    _metas(0x00, _bytes, _bytes),  # sequence number
    _metas(0x20, st.integers(0, 15)),  # channel prefix
    _metas(0x21, st.sampled_from([0, 1, 2]) | st.integers(0, 127)),  # port
    st.builds(smf.meta, st.just(9), st.sampled_from([b"A", b"B", b""]) | words),  # device name
    _metas(0x54, st.sampled_from([0, 23, 96, 119]), *[st.integers(0, 59)] * 2, st.integers(0, 23), st.integers(0, 99)),  # SMPTE offset
    st.builds(smf.meta, st.sampled_from([0x10, 0x22, 0x4B, 0x60, 0x7E, 0x7F]), st.binary(max_size=200)),  # unknown, sequencer's own
)
invalid_metas = st.one_of(  # mido reads them; an analyser must ignore them
    st.just(smf.meta(0x51, bytes(3))),  # tempo 0
    _metas(0x58, st.just(0), st.integers(0, 7), st.just(24), st.just(8)),  # 0/4
    _metas(0x58, st.just(4), st.sampled_from([8, 9, 16, 28]), st.just(24), st.just(8)),  # 4/256 and beyond; mido fails on 2**29
)


def _sysexes(
    start: list[int], part: st.SearchStrategy[int], address: int, mode: st.SearchStrategy[int], *end: int
) -> st.SearchStrategy[bytes]:
    """System-exclusive messages that set the mode of a part."""
    return st.builds(lambda p, m: smf.sysex(bytes([*start, p, address, m, *end])), part, mode)


system_events = st.one_of(
    st.binary(max_size=8).map(lambda data: smf.sysex(bytes(b & 127 for b in data) + b"\xf7")),
    st.binary(max_size=8).map(lambda data: smf.sysex(bytes(b & 127 for b in data))),  # unfinished: packets may follow
    st.binary(max_size=200).map(smf.sysex_packet),
    _sysexes([0x41, 0x10, 0x42, 0x12, 0x40], st.integers(0x10, 0x1F), 0x15, st.integers(0, 2), 0, 0xF7),  # GS: use for rhythm part
    _sysexes([0x43, 0x10, 0x4C, 0x08], st.integers(0, 17), 0x07, st.integers(0, 3), 0xF7),  # XG: part mode
)

# --- figures: groups of (offset, event), the first at offset 0 ---------------------------


def _note(channel: int, pitch: int, velocity: int, length: int, by_off: bool) -> list[smf.Event]:
    end = smf.note_off(channel, pitch) if by_off else smf.note_on(channel, pitch, 0)
    return [(0, smf.note_on(channel, pitch, velocity)), (length, end)]


def _repeated(channel: int, pitch: int, velocity: int, repeats: list[tuple[int, int]], offs: list[int]) -> list[smf.Event]:
    """Several onsets of one pitch, and another number of note-offs."""
    onsets = [(offset, smf.note_on(channel, pitch, v)) for offset, v in [(0, velocity), *repeats]]
    return onsets + [(offset, smf.note_off(channel, pitch)) for offset in offs]


def _chord(channel: int, tones: list[int], velocity: int, length: int) -> list[smf.Event]:
    return [event for pitch in tones for event in _note(channel, pitch, velocity, length, True)]


def _figures(valid: bool) -> st.SearchStrategy[list[smf.Event]]:
    singles = channel_events | valid_metas | system_events
    return st.one_of(
        (singles if valid else singles | invalid_metas).map(lambda event: [(0, event)]),
        st.builds(_note, channels, pitches, velocities, gaps | long_gaps, st.booleans()),
        st.builds(_repeated, channels, pitches, velocities, st.lists(st.tuples(gaps, velocities), max_size=3), st.lists(gaps, max_size=5)),
        st.builds(_chord, channels, st.lists(pitches, min_size=2, max_size=5), velocities, gaps),
    )


# --- tracks and files ------------------------------------------------------------------------------


def _in_time_order(figures: list[tuple[int, list[smf.Event]]], last_gap: int) -> list[smf.Event]:
    """The events of figures, each a gap after the start of the one before; End of Track comes a gap after the last event."""
    now, events = 0, []
    for gap, figure in figures:
        now += gap
        events += [(now + offset, event) for offset, event in figure]
    events.sort(key=lambda event: event[0])  # stable: events at one tick stay as generated
    end = events[-1][0] if events else 0
    return [*events, (end + last_gap, smf.END_OF_TRACK)]


def tracks(valid: bool = False) -> st.SearchStrategy[list[smf.Event]]:
    """(tick, event) in time order, End of Track included."""
    return st.builds(_in_time_order, st.lists(st.tuples(gaps | gaps | gaps | long_gaps, _figures(valid)), max_size=25), gaps)


class Song(NamedTuple):
    format: int
    division: int
    tracks: list[list[smf.Event]]
    running_status: bool

    def encode(self) -> bytes:
        chunks = [smf.track(t, self.running_status, end_of_track=False) for t in self.tracks]
        return smf.smf(chunks, self.division, self.format)


@st.composite
def songs(draw: st.DrawFn, valid: bool = False) -> Song:
    """Songs; with `valid`, without events that an analyser must ignore."""
    format_ = draw(st.sampled_from([0, 1, 1, 1, 2]))
    parts = draw(st.lists(tracks(valid), min_size=1, max_size=1 if format_ == 0 else 5))
    return Song(format_, draw(divisions), parts, draw(st.booleans()))


def midi_files(valid: bool = False) -> st.SearchStrategy[bytes]:
    return songs(valid).map(Song.encode)


# --- plain music -----------------------------------------------------------------------------------


class Note(NamedTuple):
    tick: int
    length: int
    pitch: int
    velocity: int
    channel: int


def _without_collisions(notes: list[Note]) -> list[Note]:
    """In time order, without notes on a channel and pitch that is already sounding."""
    kept, free_from = [], {}
    for note in sorted(notes):
        key = note.channel, note.pitch
        if note.tick >= free_from.get(key, 0):
            kept.append(note)
            free_from[key] = note.tick + note.length
    return kept


def note_lists(min_size: int = 0, max_size: int = 30) -> st.SearchStrategy[list[Note]]:
    """Notes in time order, at least two octaves from both ends of the pitch range, some of them drums (channel 9).

    No note begins while its pitch sounds on its channel, so every encoding of the list pairs to the same notes. That
    may leave fewer than `min_size` notes, but never none.
    """
    note = st.builds(
        Note,
        st.sampled_from([0, 0, 240, 480, 960, 1920]) | st.integers(0, 4000),
        st.sampled_from([120, 240, 480, 960]) | st.integers(1, 2000),
        st.sampled_from([48, 60, 62, 64, 65, 67, 69, 71]) | st.integers(24, 103),
        st.integers(1, 127),
        st.sampled_from([0, 0, 1, 2, 9]),
    )
    return st.lists(note, min_size=min_size, max_size=max_size).map(_without_collisions)


def play(notes: Sequence[Note]) -> list[smf.Event]:
    """The events of a track; at one tick, notes end before others begin, each in the order of the list."""
    ends = [(n.tick + n.length, 0, smf.note_off(n.channel, n.pitch)) for n in notes]
    begins = [(n.tick, 1, smf.note_on(n.channel, n.pitch, n.velocity)) for n in notes]
    return [(tick, event) for tick, _, event in sorted(ends + begins, key=lambda e: e[:2])]
