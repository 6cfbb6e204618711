from libc.stdint cimport uint8_t, uint64_t

from midiopt.core.smf.arena cimport Arena, Reading, record_issue
from midiopt.core.smf.chunks cimport CHUNK_HEADER
from midiopt.core.smf.cursor cimport load_be32
from midiopt.core.smf.midi cimport (
    BAD_META, CHUNK_OVERRUN, META, META_END_OF_TRACK, SYSEX_LENGTH, ZERO_TEMPO, Status, Track, issue_bit,
)
from midiopt.core.smf.track cimport parse_track

# A track chunk while it is read.
cdef struct TrackChunk:
    const uint8_t *start  # its header
    const uint8_t *stopped  # where its events stopped
    const uint8_t *next  # where its length leads, or a repair of it; at most the end of the file


cdef Status mend_track(Arena *arena, const uint8_t *data, const uint8_t *end, const Reading *before, TrackChunk *track) noexcept nogil
cdef Status mend_early_end(
    Arena *arena, const uint8_t *data, const uint8_t *end, bint fits, const Reading *before, TrackChunk *track
) noexcept nogil
cdef bint has_note(const Arena *arena, size_t first_event, size_t end_event) noexcept nogil


cdef inline Status read_track_chunk(Arena *arena, const uint8_t *data, const uint8_t *end, TrackChunk *track) noexcept nogil:
    """Read the track at `track.start` up to where its length leads."""
    cdef size_t length = load_be32(track.start + 4)
    track.stopped = track.start + CHUNK_HEADER
    if length > <size_t>(end - track.stopped):
        record_issue(arena, CHUNK_OVERRUN, track.start + 4 - data)
        length = end - track.stopped
    track.next = track.stopped + length
    return parse_track(data, &track.stopped, track.next, arena)


cdef inline bint has_ended(const Arena *arena) noexcept nogil:
    """Whether the track that was read last has events, and the last one is End of Track."""
    cdef const Track *track = &arena.tracks[arena.track_count - 1]
    return track.event_count > 0 and arena.events[arena.event_count - 1].message & 0xFFFF == (META | META_END_OF_TRACK << 8)


cdef inline uint64_t within_events() noexcept nogil:
    """The faults of events that are whole: they do not show that a reading goes wrong."""
    return issue_bit(SYSEX_LENGTH) | issue_bit(BAD_META) | issue_bit(ZERO_TEMPO)
