"""Reading files ahead of their analysis, while they come from a slow disk.

A cold file costs a worker as much as its analysis or many times that, nearly all of it waiting: for the inode, then for the
data. Threads read the files that the worker expects next, each of them whole, so that opening and the first block overlap, too.

From the page cache, handing a file from one thread to another costs as much as reading it. The reader therefore starts as a
plain one, and notices when a read is slow and one of the next WATCHED_READS really waits: a process that merely lost its core
during a read starts nothing. From then on a credit tells whether reading ahead pays: it grows by a typical wait for each file that
made a thread wait, and shrinks by COST_NS per file. When it is used up, the reader is plain again. The number of files ahead
doubles with each wait: a few cold files among warm ones start little.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF, Py_XDECREF
from libc.stdint cimport int64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset
from posix.time cimport CLOCK_MONOTONIC, clock_gettime, timespec

from midiopt import limits

from midiopt.sources.reader cimport POSTPONED, FileRead, Reader, read_file, refund
from midiopt.sources.thread_pool cimport Job, Pool, close_pool, finish, new_pool, submit, wait_count

cdef enum:
    MAX_THREADS = 64  # see docs/performance.md
    MAX_FILES_AHEAD = 128
    MAX_BYTES_AHEAD = 16 << 20  # a file that exceeds this is read when its turn comes
    KEPT_BYTES = 32 << 10  # per file ahead: a larger buffer is freed after its file
    SLOW_NS = 30_000  # and 1 ns per byte: several times what a read from the page cache takes
    WATCHED_READS = 8
    COST_NS = 5_000  # processor time of reading a file ahead, beyond that of reading it
    FIRST_CREDIT_NS = 16 * COST_NS
    MAX_CREDIT_NS = 256 * COST_NS
    FIRST_FILES_AHEAD = 16
    RECENT_WAITS = 8  # the shortest of them is typical: on a busy machine others include waiting for a core

# A file that is read ahead.
cdef struct Slot:
    Job job
    FileRead file
    PyObject *path  # owned while the file is ahead
    const char *name  # its bytes
    Py_ssize_t length
    int64_t max_bytes
    int64_t *budget
    int error  # as of read_file()
    int64_t waited_ns  # 0 if it did not


cdef int64_t monotonic_ns() noexcept nogil:
    cdef timespec now
    clock_gettime(CLOCK_MONOTONIC, &now)
    return now.tv_sec * 1000000000 + now.tv_nsec


cdef void read_slot(void *argument) noexcept nogil:
    cdef Slot *slot = <Slot *>argument
    cdef int64_t start = monotonic_ns()
    cdef long waits = wait_count()
    slot.error = read_file(slot.name, slot.length, slot.max_bytes, slot.budget, &slot.file)
    slot.waited_ns = monotonic_ns() - start if wait_count() != waits else 0


@cython.final
cdef class ReadAhead(Reader):
    """A Reader that reads expected files ahead when they come slowly; with ``always``, whether they do or not.

    At most MAX_FILES_AHEAD files of MAX_BYTES_AHEAD bytes in total are open, or read and not yet asked for. What read() does
    and raises for a file is the same as without reading ahead, and the file was opened after expect() named it.
    """

    cdef Pool *pool  # NULL until the first slow file
    cdef Slot *slots  # a ring of MAX_FILES_AHEAD
    cdef int64_t budget
    cdef list expected  # paths; the file at index i of it has the slot (first_slot + i) % MAX_FILES_AHEAD
    cdef Py_ssize_t first_slot
    cdef Py_ssize_t next_path  # index of the path that read() should ask for
    cdef Py_ssize_t ahead_end  # index behind the last one that is read ahead, at least next_path
    cdef int watched  # number of reads that still are
    cdef int64_t credit_ns  # 0: read plainly
    cdef int64_t waits_ns[RECENT_WAITS]
    cdef int wait_index
    cdef Py_ssize_t max_ahead
    cdef bint always

    def __cinit__(self, *arguments, **keywords):
        self.expected = []
        self.budget = MAX_BYTES_AHEAD

    def __init__(self, int64_t max_bytes=limits.MAX_FILE_BYTES, bint always=False):
        Reader.__init__(self, max_bytes)
        self.always = always
        if always:
            self.start()

    def __dealloc__(self):
        cdef int i
        close_pool(self.pool)
        if self.slots:
            for i in range(MAX_FILES_AHEAD):
                free(self.slots[i].file.bytes)
                Py_XDECREF(self.slots[i].path)
            free(self.slots)

    @property
    def files_ahead(self):
        """Number of files that are being read ahead, or are read and not yet asked for."""
        return self.ahead_end - self.next_path

    @property
    def bytes_ahead(self):
        """Their size, as far as they have been opened."""
        return MAX_BYTES_AHEAD - self.budget

    def expect(self, list paths not None):
        """Announce files that will be read after those announced before, in this order."""
        del self.expected[: self.next_path]
        self.first_slot = (self.first_slot + self.next_path) % MAX_FILES_AHEAD
        self.ahead_end -= self.next_path
        self.next_path = 0
        self.expected += paths

    cdef int load(self, bytes path) except? -100:
        cdef Py_ssize_t index = self.next_path
        cdef bytes expected
        if index == len(self.expected):
            return Reader.load(self, path)
        expected = self.expected[index]
        if expected is not path and expected != path:
            return Reader.load(self, path)
        if self.credit_ns:
            self.read_ahead()
        self.next_path += 1
        if index < self.ahead_end:
            return self.take(path, &self.slots[(self.first_slot + index) % MAX_FILES_AHEAD])
        self.ahead_end = self.next_path
        return self.load_watchfully(path)

    cdef int load_watchfully(self, bytes path) except? -100:
        """Read plainly, and start reading ahead if that is slow."""
        cdef int64_t start = monotonic_ns()
        cdef long waits = wait_count() if self.watched else 0
        cdef int error = Reader.load(self, path)
        if self.watched:
            self.watched -= 1
            if wait_count() != waits:
                self.watched = 0
                self.start()
        elif monotonic_ns() - start > SLOW_NS + <int64_t>self.file.filled:
            self.watched = WATCHED_READS
        return error

    cdef void start(self):
        """Read ahead from now on, if there is memory for it."""
        cdef int i
        if self.pool == NULL:
            self.pool = new_pool(MAX_THREADS)
        if self.slots == NULL:
            self.slots = <Slot *>calloc(MAX_FILES_AHEAD, sizeof(Slot))
        self.credit_ns = FIRST_CREDIT_NS if self.pool and self.slots else 0
        self.max_ahead = MAX_FILES_AHEAD if self.always else FIRST_FILES_AHEAD
        for i in range(RECENT_WAITS):
            self.waits_ns[i] = MAX_CREDIT_NS

    cdef void read_ahead(self):
        """Submit files when less than half of the allowed number is ahead: threads then wake up for several, and not for each."""
        cdef Py_ssize_t end = min(self.next_path + self.max_ahead, <Py_ssize_t>len(self.expected))
        cdef Slot *slot
        cdef bytes path
        if self.ahead_end - self.next_path > self.max_ahead // 2:
            return
        while self.ahead_end < end:
            path = self.expected[self.ahead_end]
            slot = &self.slots[(self.first_slot + self.ahead_end) % MAX_FILES_AHEAD]
            Py_INCREF(path)
            slot.path = <PyObject *>path
            slot.name = PyBytes_AS_STRING(path)
            slot.length = len(path)
            slot.max_bytes = self.max_bytes
            slot.budget = &self.budget
            slot.job.work = read_slot
            slot.job.argument = slot
            submit(self.pool, &slot.job)
            self.ahead_end += 1

    cdef int take(self, bytes path, Slot *slot) except? -100:
        """Wait for a file that is read ahead, and make it the last one that was read."""
        cdef FileRead before
        with nogil:
            finish(self.pool, &slot.job)
        Py_XDECREF(slot.path)
        slot.path = NULL
        refund(&self.budget, &slot.file)
        if self.credit_ns and not self.always:
            self.weigh(slot.waited_ns)
        if slot.error == POSTPONED:
            return Reader.load(self, path)
        before = self.file
        self.file = slot.file
        slot.file = before
        if slot.file.capacity > KEPT_BYTES:
            free(slot.file.bytes)
            memset(&slot.file, 0, sizeof(FileRead))
        return slot.error

    cdef void weigh(self, int64_t waited_ns):
        """Update the credit after a file that was read ahead."""
        cdef int64_t typical = MAX_CREDIT_NS
        cdef int i
        if waited_ns:
            self.max_ahead = min(2 * self.max_ahead, <Py_ssize_t>MAX_FILES_AHEAD)
            self.waits_ns[self.wait_index] = waited_ns
            self.wait_index = (self.wait_index + 1) % RECENT_WAITS
            for i in range(RECENT_WAITS):
                typical = min(typical, self.waits_ns[i])
            self.credit_ns = min(self.credit_ns + typical, <int64_t>MAX_CREDIT_NS)
        self.credit_ns = max(self.credit_ns - COST_NS, 0)
