"""The notes of one file as numpy arrays, which share the memory that the file was read into.

That memory belongs to a Notes while it, or one of its arrays, lives. Then the next file has it: new memory costs as much as
the notes of a small file.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stddef cimport size_t
from libc.stdint cimport uint8_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from midiopt import limits

from midiopt.core.array_view cimport BOOL, FLOAT64, INT32, INT64, UINT16, UINT8, array_view
from midiopt.core.memory cimport (
    NOTE_BLOCK, SECONDS_BLOCK, LentBlock, Scratch, allocate_zeroed, lend_block, return_block, trim,
)
from midiopt.core.notes.columns cimport NOTE_BYTES, SECONDS_BYTES, reserve_columns, reserve_seconds, split_for_view, time_notes
from midiopt.core.notes.notes cimport pair_notes, reset_note_counts
from midiopt.core.notes.types cimport Notes as NoteReader
from midiopt.core.smf.arena cimport Arena
from midiopt.core.smf.midi cimport NO_MEMORY, USABLE, Status
from midiopt.core.smf.parser cimport parse_smf, raise_status
from midiopt.core.timeline.tempo_map cimport TempoMap, TempoSegment, read_tempo_map

# All that reading the notes of a file needs (0.6 MB), once per thread that does at the same time.
cdef struct Reader:
    Scratch scratch
    Arena arena
    TempoMap map
    NoteReader notes
    bint is_timed  # whether the columns of seconds are filled
    Reader *next_idle

cdef Reader *idle = NULL  # the readers that no thread is using, as a list, which the lock of the interpreter guards


cdef Reader *take_reader() except NULL:
    """The reader that was used last, or a new one."""
    global idle
    cdef Reader *reader = idle
    if reader != NULL:
        idle = reader.next_idle
        return reader
    reader = <Reader *>allocate_zeroed(sizeof(Reader))
    if reader == NULL:
        raise MemoryError()
    reader.arena.scratch = reader.map.scratch = reader.notes.scratch = &reader.scratch
    return reader


cdef void put_back(Reader *reader) noexcept:
    global idle
    reader.next_idle = idle
    idle = reader


cdef void give_back(int block, size_t item_size, const LentBlock *lent) noexcept:
    """Give a block to an idle reader, as each may be in the hands of any thread."""
    if idle != NULL:
        return_block(&idle.scratch, block, item_size, lent)
    else:
        free(lent.bytes)


cdef Status read_file(Reader *r, const uint8_t *data, size_t size, size_t max_events, size_t *offset) noexcept nogil:
    """Fill the columns with the notes of a file; if that fails, `offset` is where in the bytes the reason is.

    Seconds are filled in where tracks have their own time; otherwise when they are asked for, by a copy of the tempo map.
    """
    cdef Status status = parse_smf(data, size, &r.arena, max_events, offset)
    cdef size_t tracks = r.arena.track_count, first = 0, end, before
    if status:
        return status
    reset_note_counts(&r.notes, &r.arena)
    if reserve_columns(&r.notes, &r.arena, 0, tracks):
        return NO_MEMORY
    r.is_timed = False
    while first < tracks:
        end = first + 1 if r.arena.header.format == 2 else tracks
        before = r.notes.columns.count
        if read_tempo_map(&r.map, &r.arena, r.arena.data, first, end):
            return NO_MEMORY
        if pair_notes(&r.notes, &r.arena, r.arena.data, r.map.ticks_per_quarter, first, end):
            return NO_MEMORY
        if end < tracks or first > 0:
            if not r.is_timed and reserve_seconds(&r.notes, r.arena.event_count):
                return NO_MEMORY
            r.is_timed = True
            time_notes(&r.notes.columns, &r.map, before)
        first = end
    split_for_view(&r.notes.columns)
    return USABLE


cdef class Notes:
    """The notes of one file, track after track and there in the order of their onsets: one read-only numpy array per column.

    The arrays share memory that belongs to this object while it, or one of them, lives.
    """

    def __cinit__(self, data):
        cdef Py_buffer view
        cdef Reader *reader
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        try:
            reader = take_reader()
            try:
                read_notes(self, reader, &view)
            finally:
                trim(&reader.scratch)
                put_back(reader)
        finally:
            PyBuffer_Release(&view)

    def __dealloc__(self):
        free(self.map.segments)
        if self.block.bytes != NULL:
            give_back(NOTE_BLOCK, NOTE_BYTES, &self.block)
        if self.seconds_block.bytes != NULL:
            give_back(SECONDS_BLOCK, SECONDS_BYTES, &self.seconds_block)

    def __reduce__(self):
        raise TypeError("Notes can be neither copied nor sent to another process: pass on the file, or arrays of it")

    cdef object column(self, int item_type, const void *items):
        return array_view(item_type, items, self.columns.count, self)

    cdef object ticks(self, const void *items):
        return self.column(INT64 if self.columns.wide else INT32, items)

    cdef int time(self) except -1:
        """Fill the columns of seconds."""
        cdef Reader *reader
        if self.seconds_block.bytes != NULL:
            return 0
        reader = take_reader()
        try:
            if reserve_seconds(&reader.notes, self.columns.count):
                raise MemoryError()
            self.columns.onset_s = reader.notes.columns.onset_s
            self.columns.end_s = reader.notes.columns.end_s
            self.seconds_block = lend_block(&reader.scratch, SECONDS_BLOCK, SECONDS_BYTES)
        finally:
            put_back(reader)
        time_notes(&self.columns, &self.map, 0)
        return 0

    def __len__(self):
        """Number of notes."""
        return self.columns.count

    def __repr__(self):
        return f"<{len(self):,} notes, {self.ticks_per_quarter:g} ticks per quarter>"

    @property
    def onset(self):
        """Ticks from the start of the file; int32, or int64 in a file with a tick from 2**30 on."""
        return self.ticks(self.columns.onset)

    @property
    def length(self):
        """Ticks, with the type of ``onset``; docs/policy.md says what ends a note."""
        return self.ticks(self.columns.length)

    @property
    def onset_s(self):
        """Seconds from the start of the file by the tempo map, float64."""
        self.time()
        return self.column(FLOAT64, self.columns.onset_s)

    @property
    def end_s(self):
        """The end of the note: seconds from the start of the file, float64."""
        self.time()
        return self.column(FLOAT64, self.columns.end_s)

    @property
    def pitch(self):
        """0 to 127, uint8; 60 is middle C."""
        return self.column(UINT8, self.columns.pitch)

    @property
    def velocity(self):
        """1 to 127, uint8."""
        return self.column(UINT8, self.columns.velocity)

    @property
    def channel(self):
        """0 to 15, uint8."""
        return self.column(UINT8, self.columns.channel)

    @property
    def program(self):
        """Number of the General MIDI program in force at the onset, 0 to 127, uint8; for a drum, that of the kit."""
        return self.column(UINT8, self.columns.program)

    @property
    def is_drum(self):
        """Whether the part plays drums, bool."""
        return self.column(BOOL, self.columns.sound)

    @property
    def track(self):
        """Index of the track in the file, uint16."""
        return self.column(UINT16, self.columns.track)


cdef int read_notes(Notes notes, Reader *reader, const Py_buffer *view) except -1:
    """Read the notes of a file; without the lock of the interpreter, unless the bytes may change."""
    cdef const uint8_t *data = <const uint8_t *>view.buf
    cdef size_t size = view.len, offset = 0, max_events = limits.MAX_EVENTS
    cdef Status status
    if view.readonly:
        with nogil:
            status = read_file(reader, data, size, max_events, &offset)
    else:
        status = read_file(reader, data, size, max_events, &offset)
    if status:
        raise_status(status, offset, max_events)
    notes.columns = reader.notes.columns
    notes.ticks_per_quarter = reader.map.ticks_per_quarter
    notes.block = lend_block(&reader.scratch, NOTE_BLOCK, NOTE_BYTES)
    if reader.is_timed:
        notes.seconds_block = lend_block(&reader.scratch, SECONDS_BLOCK, SECONDS_BYTES)
    else:
        keep_tempo_map(notes, &reader.map)
    return 0


cdef int keep_tempo_map(Notes notes, const TempoMap *map) except -1:
    """Copy a tempo map, most often one segment: reading notes is 1.06 times as fast where nobody asks for their seconds."""
    cdef size_t size = map.count * sizeof(TempoSegment)
    notes.map.segments = <TempoSegment *>malloc(size)
    if notes.map.segments == NULL:
        raise MemoryError()
    memcpy(notes.map.segments, map.segments, size)
    notes.map.count = map.count
    return 0
