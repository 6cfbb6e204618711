"""The notes of several files as one array per column: a row per file, as long as the longest, padded with zeros.

Columns are copied as each file is read, so that the next file is read into the same memory. The arrays of a batch share one piece of
memory, which the next batch has when no array lives any more: new memory took 5 page faults per file.
"""

from cpython.buffer cimport PyBuffer_FillInfo
from libc.stddef cimport size_t
from libc.stdint cimport int32_t, uint8_t, uint16_t
from libc.stdlib cimport free
from libc.string cimport memcpy, memset

from midiopt.core.memory cimport MAX_IDLE_BYTES, reserve
from midiopt.core.notes.note_view cimport Notes
from midiopt.core.notes.types cimport NoteColumns

# Columns in the order of TYPES.
cdef enum:
    ONSET, LENGTH, ONSET_S, END_S, PITCH, VELOCITY, CHANNEL, PROGRAM, IS_DRUM, TRACK
    COLUMNS

cdef enum:
    MAX_FILES = 1 << 24
    IDLE_BLOCKS = 2  # a loop over batches still has the last one while the next is made

TYPES = {  # the same for every file
    "onset": "i4",
    "length": "i4",
    "onset_s": "f8",
    "end_s": "f8",
    "pitch": "u1",
    "velocity": "u1",
    "channel": "u1",
    "program": "u1",
    "is_drum": "?",
    "track": "i4",
}

cdef struct Columns:
    int numbers[COLUMNS]
    int count

cdef struct Block:
    uint8_t *bytes
    size_t capacity

cdef Block[IDLE_BLOCKS] idle  # memory that no array has, which the lock of the interpreter guards


cdef class _Memory:
    """The buffer of a batch, which its arrays keep alive."""

    cdef Block block
    cdef Py_ssize_t size

    def __cinit__(self, Py_ssize_t size):
        cdef int i
        for i in range(IDLE_BLOCKS):
            if idle[i].capacity > self.block.capacity:
                self.block, idle[i] = idle[i], self.block
        self.size = size
        if reserve(<void **>&self.block.bytes, &self.block.capacity, size, 1, <size_t>1 << 40, False):
            raise MemoryError()

    def __dealloc__(self):
        cdef int i
        for i in range(IDLE_BLOCKS):
            if self.block.capacity > idle[i].capacity and self.block.capacity <= MAX_IDLE_BYTES:
                self.block, idle[i] = idle[i], self.block
        free(self.block.bytes)

    def __getbuffer__(self, Py_buffer *view, int flags):
        PyBuffer_FillInfo(view, self, self.block.bytes, self.size, False, flags)


cdef inline const void *column_of(const NoteColumns *c, int column) noexcept nogil:
    """Where a column of a Notes lies."""
    if column == ONSET or column == LENGTH:
        return c.onset if column == ONSET else c.length
    if column == ONSET_S or column == END_S:
        return c.onset_s if column == ONSET_S else c.end_s
    if column == PITCH or column == VELOCITY:
        return c.pitch if column == PITCH else c.velocity
    if column == CHANNEL or column == PROGRAM:
        return c.channel if column == CHANNEL else c.program
    return c.sound


cdef inline size_t item_bytes(int column) noexcept nogil:
    """The bytes of an item, as it is kept and in an array."""
    if column == ONSET_S or column == END_S:
        return 8
    return 4 if column in (ONSET, LENGTH, TRACK) else 1


cdef inline size_t aligned(size_t size) noexcept nogil:
    """Bytes up to the next column."""
    return (size + 7) & ~<size_t>7


cdef class NoteBatch:
    """Collects columns, named as in TYPES, of one file after another."""

    cdef Columns columns
    cdef list types
    cdef uint8_t *kept  # file after file, and there column after column
    cdef size_t capacity, filled  # bytes
    cdef size_t *counts  # notes of each file
    cdef size_t file_capacity, file_count

    def __cinit__(self, names):
        order = list(TYPES)
        if len(set(names)) < len(names):
            raise ValueError("a column is named twice")
        self.types = [TYPES[name] for name in names]
        self.columns.count = len(self.types)
        for i, name in enumerate(names):
            self.columns.numbers[i] = order.index(name)

    def __dealloc__(self):
        free(self.kept)
        free(self.counts)

    def __len__(self):
        """Number of files."""
        return self.file_count

    def add(self, Notes notes not None):
        """Take the notes of a file. Raises OverflowError for one of weeks, whose ticks have 64 bits."""
        cdef size_t count = notes.columns.count, needed = self.filled
        cdef uint8_t *kept
        cdef const uint16_t *tracks = notes.columns.track
        cdef size_t n
        cdef int i
        if notes.columns.wide:
            raise OverflowError("its ticks have 64 bits")
        for i in range(self.columns.count):
            if self.columns.numbers[i] == ONSET_S or self.columns.numbers[i] == END_S:
                notes.time()
            needed += aligned(count * item_bytes(self.columns.numbers[i]))
        if reserve(<void **>&self.kept, &self.capacity, needed, 1, <size_t>1 << 40, True):
            raise MemoryError()
        if reserve(<void **>&self.counts, &self.file_capacity, self.file_count + 1, sizeof(size_t), MAX_FILES, True):
            raise MemoryError()
        for i in range(self.columns.count if count else 0):  # a file without notes may have no columns
            kept = self.kept + self.filled
            if self.columns.numbers[i] == TRACK:
                for n in range(count):
                    (<int32_t *>kept)[n] = tracks[n]
            else:
                memcpy(kept, column_of(&notes.columns, self.columns.numbers[i]), count * item_bytes(self.columns.numbers[i]))
            self.filled += aligned(count * item_bytes(self.columns.numbers[i]))
        self.counts[self.file_count] = count
        self.file_count += 1

    def take(self):
        """The number of notes of each file, and an array per column; the batch is empty afterwards."""
        from numpy import frombuffer

        cdef size_t f, longest = 0, size = 1  # an empty buffer has no array
        cdef int i
        cdef _Memory memory
        for f in range(self.file_count):
            longest = max(longest, self.counts[f])
        for i in range(self.columns.count):
            size += aligned(self.file_count * longest * item_bytes(self.columns.numbers[i]))
        memory = _Memory(size)
        cdef uint8_t *array = memory.block.bytes
        cdef list arrays = [], counts = [self.counts[f] for f in range(self.file_count)]
        for i in range(self.columns.count):
            self.fill(array, i, longest)
            made = frombuffer(memory, self.types[i], self.file_count * longest, array - memory.block.bytes)
            arrays.append(made.reshape(self.file_count, longest))
            array += aligned(self.file_count * longest * item_bytes(self.columns.numbers[i]))
        self.filled = self.file_count = 0
        if self.capacity > MAX_IDLE_BYTES:
            free(self.kept)
            self.kept = NULL
            self.capacity = 0
        return counts, arrays

    cdef void fill(self, uint8_t *row, int number, size_t longest) noexcept:
        """Fill the rows of a column."""
        cdef size_t f, size, item = item_bytes(self.columns.numbers[number])
        cdef const uint8_t *kept = self.kept
        cdef int i
        for f in range(self.file_count):
            for i in range(self.columns.count):
                size = self.counts[f] * item_bytes(self.columns.numbers[i])
                if i == number:
                    if size:
                        memcpy(row, kept, size)
                    memset(row + size, 0, longest * item - size)
                kept += aligned(size)
            row += longest * item
