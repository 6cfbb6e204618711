"""The event arena: one preallocated buffer that file after file is parsed into.

Memory is taken once and reused: nothing is allocated or freed per event, and hardly ever per file. ``events()`` exports
the buffer as a numpy array without a copy. While such a view lives, the arena refuses to be refilled or reset
(BufferError), so that a view can never show the events of another file. Borrowed lifetimes could not express this: there,
refilling an arena while a view of it lives is an error at compile time; here the arena counts its views at run time.
"""

from cpython.buffer cimport PyBuffer_FillInfo
from libc.stdint cimport uint32_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from midiopt.core.memory cimport EVENT_BLOCK, MARK_BLOCK, TRACK_BLOCK, release, reserve_block, set_room
from midiopt.core.smf.midi cimport MAX_EVENTS_CAP, MAX_TRACKS, NO_MEMORY, USABLE
from midiopt.core.smf.writer cimport TrackRows, WrittenSong, write_smf


cdef enum:
    REPAIR_BUDGET_FACTOR = 4  # of the file's size
    MIN_REPAIR_BUDGET = 4096


cdef Status arena_prepare(Arena *arena, size_t file_size, size_t max_events) noexcept nogil:
    """Empty the arena and make room for all events that `file_size` bytes can hold, at most `max_events`.

    The shortest event has two bytes (delta time and a data byte under running status), so the parser's inner loop
    need not check for room; pages that are never written cost nothing.
    """
    cdef size_t needed = min(file_size // 2 + 1, max_events)
    arena_forget(arena)
    arena.repair_budget = REPAIR_BUDGET_FACTOR * file_size + MIN_REPAIR_BUDGET
    arena.events = <Event *>reserve_block(arena.scratch, EVENT_BLOCK, needed, sizeof(Event), max_events, False)
    arena.event_capacity = arena.scratch.capacities[EVENT_BLOCK]
    arena.marks = <Mark *>arena.scratch.blocks[MARK_BLOCK]
    arena.mark_capacity = arena.scratch.capacities[MARK_BLOCK]
    arena.tracks = <Track *>arena.scratch.blocks[TRACK_BLOCK]
    arena.track_capacity = arena.scratch.capacities[TRACK_BLOCK]
    forget_items(arena.scratch, MARK_BLOCK, sizeof(Mark))
    forget_items(arena.scratch, TRACK_BLOCK, sizeof(Track))
    return USABLE if arena.events != NULL else NO_MEMORY


cdef inline void forget_items(Scratch *scratch, int block, size_t item_size) noexcept nogil:
    """Let the address sanitizer find accesses to the items of the file before."""
    scratch.rooms[block] = scratch.capacities[block] * item_size  # any of them may be open
    set_room(scratch.blocks[block], &scratch.rooms[block], 0)


cdef bint arena_grow_marks(Arena *arena) noexcept nogil:
    """Make room for one more mark; False when memory ran out. There are never more marks than events."""
    cdef void *grown = reserve_block(arena.scratch, MARK_BLOCK, arena.mark_count + 1, sizeof(Mark), MAX_EVENTS_CAP, True)
    arena.mark_capacity = arena.scratch.capacities[MARK_BLOCK]
    arena.marks = <Mark *>arena.scratch.blocks[MARK_BLOCK]
    return grown != NULL


cdef bint arena_grow_tracks(Arena *arena) noexcept nogil:
    """Make room for one more track; False when memory ran out or there are MAX_TRACKS."""
    cdef void *grown = reserve_block(arena.scratch, TRACK_BLOCK, arena.track_count + 1, sizeof(Track), MAX_TRACKS, True)
    arena.track_capacity = arena.scratch.capacities[TRACK_BLOCK]
    arena.tracks = <Track *>arena.scratch.blocks[TRACK_BLOCK]
    return grown != NULL


cdef void arena_forget(Arena *arena) noexcept nogil:
    """Empty the arena; its memory stays with the scratch."""
    cdef Scratch *scratch = arena.scratch
    memset(arena, 0, sizeof(Arena))
    arena.scratch = scratch


cdef class EventArena:
    """The events of one MIDI file, in memory that is reused for the next one."""

    def __cinit__(self):
        memset(&self.scratch, 0, sizeof(Scratch))
        memset(&self.arena, 0, sizeof(Arena))
        self.arena.scratch = &self.scratch

    def __dealloc__(self):
        release(&self.scratch)

    def __reduce__(self):
        raise TypeError("an EventArena can be neither copied nor sent to another process: pass on the file, or to_bytes()")

    def reset(self):
        """Drop the events and free the memory. Raises BufferError while a view from events() lives."""
        self.check_no_views()
        arena_forget(&self.arena)
        release(&self.scratch)
        self._data = None

    cdef int check_no_views(self) except -1:
        """Raise BufferError while a view from events() lives."""
        if self.views:
            raise BufferError(f"{self.views} view(s) of this arena's events are alive: delete them, or parse into another EventArena")
        return 0

    def events(self):
        """All events of all tracks, track after track, as a read-only numpy array that shares the arena's memory.

        Fields: tick (int64, from the start of the track), mark (uint32, row in marks() of a meta, system-exclusive or
        program-change event, else 0), status, data1, data2 (uint8; data1 of a meta event is its type).
        """
        import numpy as np

        fields = ["tick", "mark", "status", "data1", "data2"]
        layout = {"names": fields, "formats": ["<i8", "<u4", "u1", "u1", "u1"], "offsets": [0, 8, 12, 13, 14], "itemsize": sizeof(Event)}
        return np.asarray(memoryview(self)).view(np.dtype(layout))

    def marks(self):
        """Meta, system-exclusive and program-change events, as a list of tuples.

        Each is (row in events(), status, meta type or 0, data, valid); a meta event whose length or value breaks the
        format is not valid.
        """
        cdef Mark m
        cdef size_t i
        found = []
        for i in range(self.arena.mark_count):
            m = self.arena.marks[i]
            found.append((m.event, m.status, m.type, self._data[m.offset : m.offset + m.length], bool(m.valid)))
        return found

    def tracks(self):
        """(first row in events(), number of events, tick of the last event) of each track, as a list of tuples."""
        return [
            (self.arena.tracks[i].first_event, self.arena.tracks[i].event_count, self.arena.tracks[i].end_tick)
            for i in range(self.arena.track_count)
        ]

    def to_bytes(self, tracks=None):
        """A valid Standard MIDI File with these events, which reads back as they are; what no valid file can hold is left out.

        With ``tracks``, a file of other tracks: for each, rows of events() in the order of their ticks. It has format 1, or 0 if there is
        one. Raises ValueError if the arena holds no file, or for rows that are not there or not in order.
        """
        cdef Py_ssize_t i
        cdef const uint32_t[::1] rows
        cdef size_t count = self.arena.track_count if tracks is None else len(tracks)
        cdef TrackRows *written
        cdef WrittenSong song
        if self.arena.track_count == 0:
            raise ValueError("the arena holds no file")
        if not 0 < count <= MAX_TRACKS:
            raise ValueError(f"a file has 1 to {MAX_TRACKS:,} tracks, not {count:,}")
        chosen = None if tracks is None else [self._check_rows(track) for track in tracks]
        written = <TrackRows *>calloc(count, sizeof(TrackRows))
        if written == NULL:
            raise MemoryError()
        try:
            for i in range(<Py_ssize_t>count):
                if chosen is None:
                    written[i].first_event = self.arena.tracks[i].first_event
                    written[i].count = self.arena.tracks[i].event_count
                    written[i].first_mark = self.arena.tracks[i].first_mark
                    written[i].mark_count = self.arena.tracks[i].mark_count
                else:
                    rows = chosen[i]
                    written[i].count = rows.shape[0]
                    if rows.shape[0]:
                        written[i].rows = &rows[0]
            song.data, song.events, song.marks = <const uint8_t *>self._data, self.arena.events, self.arena.marks
            song.tracks, song.track_count = written, count
            song.chunks_at, song.chunk_sizes = self.arena.alien_chunks_at, self.arena.alien_chunk_sizes
            song.chunk_count = 0 if chosen is not None else min(self.arena.header.alien_chunks, <size_t>MAX_KEPT_CHUNKS)
            song.format = self.arena.header.format if chosen is None else 0
            song.division = self.arena.header.division
            return write_smf(&song)
        finally:
            free(written)

    def _check_rows(self, track):
        """The rows of a track to write, as an array of uint32."""
        import numpy as np

        rows = np.asarray(track)
        if rows.size and rows.dtype.kind not in "iu":
            raise TypeError(f"rows are whole numbers, not {rows.dtype}")
        if rows.ndim != 1 or (rows.size and not 0 <= rows.min() <= rows.max() < self.arena.event_count):
            raise ValueError(f"rows are numbers from 0 to {self.arena.event_count - 1:,}")
        if (np.diff(self.events()["tick"][rows.astype(np.intp)]) < 0).any():
            raise ValueError("the rows of a track must be in the order of their ticks")
        return np.ascontiguousarray(rows, np.uint32)

    def __repr__(self):
        return f"<EventArena: {len(self):,} events, {self.arena.track_count:,} track{'' if self.arena.track_count == 1 else 's'}>"

    def __len__(self):
        """Number of events."""
        return self.arena.event_count

    @property
    def format(self):
        """SMF format: 0, 1 or 2; a file with a number above 2 is read as format 1."""
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
