from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint32_t

from midiopt.core.smf.midi cimport ALL_REPAIRS, Event, Header, Mark, Status, Track

cdef struct Arena:
    Event *events
    Mark *marks
    Track *tracks
    size_t event_count, event_capacity  # items
    size_t mark_count, mark_capacity
    size_t track_count, track_capacity
    Header header


cdef Status arena_begin(Arena *arena, size_t file_size, size_t max_events) noexcept nogil
cdef Status arena_grow_marks(Arena *arena) noexcept nogil
cdef Status arena_grow_tracks(Arena *arena) noexcept nogil
cdef void arena_trim(Arena *arena) noexcept nogil
cdef void arena_free(Arena *arena) noexcept nogil


cdef inline Mark *add_mark(Arena *arena) noexcept nogil:
    """A fresh mark, or NULL when memory ran out."""
    if arena.mark_count == arena.mark_capacity and arena_grow_marks(arena):
        return NULL
    arena.mark_count += 1
    return &arena.marks[arena.mark_count - 1]


cdef inline Track *add_track(Arena *arena) noexcept nogil:
    if arena.track_count == arena.track_capacity and arena_grow_tracks(arena):
        return NULL
    arena.track_count += 1
    return &arena.tracks[arena.track_count - 1]


cdef inline void record_issue(Arena *arena, uint32_t bit, size_t offset) noexcept nogil:
    """Set an issue bit; the first repair is remembered with its place."""
    if bit & ALL_REPAIRS and not arena.header.first_repair:
        arena.header.first_repair = bit
        arena.header.first_repair_at = <uint32_t>offset
    arena.header.issues |= bit


cdef class EventArena:
    cdef Arena arena
    cdef int views  # exported buffers that are alive
    cdef object _data  # the bytes that the marks point into
    cdef int check_no_views(self) except -1
