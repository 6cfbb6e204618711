# A track chunk while it is read, and what the mending of tracks shares.

from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint64_t

from midiopt.core.smf.arena cimport Arena, Reading, record_issue
from midiopt.core.smf.chunks cimport CHUNK_HEADER
from midiopt.core.smf.cursor cimport load_be32
from midiopt.core.smf.midi cimport CHUNK_OVERRUN, META, META_END_OF_TRACK, Issue, Status, Track, issue_bit
from midiopt.core.smf.track cimport parse_track

cdef struct TrackChunk:
    const uint8_t *start  # its header
    const uint8_t *stopped  # where its events stopped
    const uint8_t *next  # where its length leads, or a repair of it; at most the end of the file


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


cdef inline void withdraw(Arena *arena, const Reading *before, Issue issue) noexcept nogil:
    """Take back an issue that was not recorded before the reading."""
    cdef uint64_t bit = issue_bit(issue)
    if before.header.issues & bit == 0:
        arena.header.issues &= ~bit
        if arena.header.first_repair == bit:
            arena.header.first_repair = 0
