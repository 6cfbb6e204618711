# The arena of one file: its events, marks and tracks in memory that is kept between files.

from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint32_t, uint64_t

from midiopt.core.memory cimport Scratch, open_item
from midiopt.core.smf.midi cimport ALL_REPAIRS, META, Event, Header, Issue, Mark, Status, Track, issue_bit

cdef enum:
    MAX_KEPT_CHUNKS = 16  # of other kinds, whose places are known; files of the XF format have two

cdef struct Arena:
    Scratch *scratch  # owns the arrays
    const uint8_t *data  # the bytes that were read, which the marks point into: not the file's where a transfer was undone
    size_t size
    Event *events
    Mark *marks
    Track *tracks
    size_t event_count, event_capacity  # items
    size_t mark_count, mark_capacity
    size_t track_count, track_capacity
    Header header
    uint32_t[MAX_KEPT_CHUNKS] alien_chunks_at  # places in the data of the first of header.alien_chunks
    uint32_t[MAX_KEPT_CHUNKS] alien_chunk_sizes  # bytes behind their headers, whatever their lengths say
    size_t repair_budget  # bytes that may still be read a second time, in search of a better reading

# How far an arena was filled at some moment.
cdef struct Reading:
    size_t event_count, mark_count, track_count
    Header header

# The marks of neighbouring tracks, which follow one another in the arena.
cdef struct MarkRange:
    const Mark *next
    const Mark *end


cdef Status arena_prepare(Arena *arena, size_t file_size, size_t max_events) noexcept nogil
cdef bint arena_grow_marks(Arena *arena) noexcept nogil
cdef bint arena_grow_tracks(Arena *arena) noexcept nogil
cdef void arena_forget(Arena *arena) noexcept nogil


cdef inline Mark *add_mark(Arena *arena) noexcept nogil:
    """A new mark, or NULL when memory ran out."""
    if arena.mark_count == arena.mark_capacity and not arena_grow_marks(arena):
        return NULL
    arena.mark_count += 1
    open_item(&arena.marks[arena.mark_count - 1])
    return &arena.marks[arena.mark_count - 1]


cdef inline Track *add_track(Arena *arena) noexcept nogil:
    """A new track, or NULL when memory ran out or there are MAX_TRACKS."""
    if arena.track_count == arena.track_capacity and not arena_grow_tracks(arena):
        return NULL
    arena.track_count += 1
    open_item(&arena.tracks[arena.track_count - 1])
    return &arena.tracks[arena.track_count - 1]


cdef inline void record_issue(Arena *arena, Issue issue, size_t offset) noexcept nogil:
    """Set the bit of an issue; of the first repair, keep the byte offset too."""
    cdef uint64_t bit = issue_bit(issue)
    if bit & ALL_REPAIRS and not arena.header.first_repair:
        arena.header.first_repair = bit
        arena.header.first_repair_at = <uint32_t>offset
    arena.header.issues |= bit


cdef inline Reading read_so_far(const Arena *arena) noexcept nogil:
    cdef Reading reading
    reading.event_count = arena.event_count
    reading.mark_count = arena.mark_count
    reading.track_count = arena.track_count
    reading.header = arena.header
    return reading


cdef inline void return_to(Arena *arena, const Reading *reading) noexcept nogil:
    """Forget what has been read since."""
    arena.event_count = reading.event_count
    arena.mark_count = reading.mark_count
    arena.track_count = reading.track_count
    arena.header = reading.header


cdef inline bint spend(Arena *arena, size_t bytes) noexcept nogil:
    """Take so many bytes of the budget for repairs; False if there are not so many left."""
    if bytes > arena.repair_budget:
        return False
    arena.repair_budget -= bytes
    return True


cdef inline MarkRange marks_of(const Arena *arena, size_t first_track, size_t end_track) noexcept nogil:
    """The marks of the tracks from `first_track` to `end_track` (exclusive), at least one track."""
    cdef MarkRange marks
    cdef const Track *last = &arena.tracks[end_track - 1]
    marks.next = arena.marks + arena.tracks[first_track].first_mark
    marks.end = arena.marks + last.first_mark + last.mark_count
    return marks


cdef inline const Mark *next_meta(MarkRange *marks, uint8_t type) noexcept nogil:
    """The next valid meta event of a type, in (track, position) order; NULL after the last."""
    cdef const Mark *mark
    while marks.next < marks.end:
        mark = marks.next
        marks.next += 1
        if mark.status == META and mark.type == type and mark.valid:
            return mark
    return NULL


cdef class EventArena:
    cdef Scratch scratch
    cdef Arena arena
    cdef int views  # exported buffers that are alive
    cdef bytes _data  # the file, which the marks point into
    cdef int check_no_views(self) except -1
