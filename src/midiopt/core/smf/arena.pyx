"""The event arena: one preallocated buffer that every file of a worker is parsed into.

Memory is taken once and reused; nothing is allocated or freed per event, and hardly ever per file.
``events()`` lends the buffer out as a numpy array without copying. While such a view lives, the arena
refuses to be refilled or reset (BufferError), so a view can never show another file's events. This is
the ownership that a design of borrowed lifetimes could not express: there a reused arena and a view
of it exclude each other when the program is compiled; here the arena counts its views while it runs.
"""

from cpython.buffer cimport PyBuffer_FillInfo
from libc.stdlib cimport free
from libc.string cimport memset

from midiopt.core.memory cimport OVER_CAP, Growth, reserve
from midiopt.core.smf.midi cimport MAX_EVENTS_CAP, MAX_TRACKS, NO_MEMORY, TOO_MANY_EVENTS, TOO_MANY_TRACKS, USABLE

cdef enum:
    KEPT_BYTES = 64 << 20  # an arena larger than this shrinks after the file that needed it
    MAX_MARKS = MAX_EVENTS_CAP


cdef Status arena_begin(Arena *arena, size_t file_size, size_t max_events) noexcept nogil:
    """Empty the arena and make room for whatever `file_size` bytes can hold.

    The shortest event is two bytes (delta time and a running-status data byte), so the parser's loop
    never has to ask for room; pages that are not written cost nothing.
    """
    cdef size_t most = file_size // 2 + 1
    cdef Growth growth
    arena.event_count = arena.mark_count = arena.track_count = 0
    memset(&arena.header, 0, sizeof(Header))
    growth = reserve(<void **>&arena.events, &arena.event_capacity, min(most, max_events), sizeof(Event), max_events, False)
    return NO_MEMORY if growth else USABLE


cdef Status arena_grow_marks(Arena *arena) noexcept nogil:
    cdef Growth growth = reserve(<void **>&arena.marks, &arena.mark_capacity, arena.mark_count + 1, sizeof(Mark), MAX_MARKS, True)
    return USABLE if not growth else TOO_MANY_EVENTS if growth == OVER_CAP else NO_MEMORY


cdef Status arena_grow_tracks(Arena *arena) noexcept nogil:
    cdef Growth growth = reserve(<void **>&arena.tracks, &arena.track_capacity, arena.track_count + 1, sizeof(Track), MAX_TRACKS, True)
    return USABLE if not growth else TOO_MANY_TRACKS if growth == OVER_CAP else NO_MEMORY


cdef void arena_trim(Arena *arena) noexcept nogil:
    """Give memory back after a giant, so that one file does not set a worker's size for good."""
    if arena.event_capacity * sizeof(Event) + arena.mark_capacity * sizeof(Mark) > KEPT_BYTES:
        arena_free(arena)


cdef void arena_free(Arena *arena) noexcept nogil:
    free(arena.events)
    free(arena.marks)
    free(arena.tracks)
    memset(arena, 0, sizeof(Arena))


cdef class EventArena:
    """The events of one MIDI file, and the memory for the next one."""

    def __cinit__(self):
        memset(&self.arena, 0, sizeof(Arena))

    def __dealloc__(self):
        arena_free(&self.arena)

    def reset(self):
        """Forget the events and return the memory. Raises BufferError while a view from events() lives."""
        self.check_no_views()
        arena_free(&self.arena)
        self._data = None

    cdef int check_no_views(self) except -1:
        if self.views:
            raise BufferError(f"{self.views} view(s) of this arena's events are alive: delete them, or parse into another EventArena")
        return 0

    def events(self):
        """All events of all tracks, one after another: a read-only numpy array without a copy.

        Fields: tick (int64, since the start of its track), mark (uint32, row in marks() of a meta,
        system-exclusive or program-change event), status, data1, data2 (uint8; of a meta event data1
        is the type).
        """
        import numpy as np

        fields = ["tick", "mark", "status", "data1", "data2"]
        layout = {"names": fields, "formats": ["<i8", "<u4", "u1", "u1", "u1"], "offsets": [0, 8, 12, 13, 14], "itemsize": sizeof(Event)}
        return np.asarray(memoryview(self)).view(np.dtype(layout))

    def marks(self):
        """Meta, system-exclusive and program-change events, as (event, status, type, data, valid) tuples."""
        cdef Mark m
        cdef size_t i
        found = []
        for i in range(self.arena.mark_count):
            m = self.arena.marks[i]
            found.append((m.event, m.status, m.type, self._data[m.offset : m.offset + m.length], bool(m.valid)))
        return found

    def tracks(self):
        """(first event, number of events, tick of the last event) of each track."""
        return [
            (self.arena.tracks[i].first_event, self.arena.tracks[i].event_count, self.arena.tracks[i].end_tick)
            for i in range(self.arena.track_count)
        ]

    def __len__(self):
        return self.arena.event_count

    @property
    def format(self):
        return self.arena.header.format

    @property
    def division(self):
        """The header's division as written: ticks per quarter, or SMPTE when above 0x7FFF."""
        return self.arena.header.division

    @property
    def issues(self):
        """Bits of what was repaired or is unusual; schema.issue_names() names them."""
        return self.arena.header.issues

    def __getbuffer__(self, Py_buffer *view, int flags):
        cdef void *start = self.arena.events if self.arena.events else <void *>&self.arena
        PyBuffer_FillInfo(view, self, start, self.arena.event_count * sizeof(Event), True, flags)
        self.views += 1

    def __releasebuffer__(self, Py_buffer *view):
        self.views -= 1
