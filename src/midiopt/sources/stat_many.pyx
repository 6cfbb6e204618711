"""The states of many files at once: stat overlaps where it makes the process wait, as over a network."""

from cpython.bytearray cimport PyByteArray_AS_STRING
from cpython.bytes cimport PyBytes_AS_STRING
from libc.errno cimport ENOENT, errno
from libc.stdint cimport int64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport strlen
from posix.stat cimport lstat, stat, struct_stat

from midiopt.sources.portable cimport mtime_ns_of
from midiopt.sources.thread_pool cimport Job, ThreadPool, finish, submit, wait_count

cdef enum:
    MAX_THREADS = 64
    FILES_ALONE = 16  # between two looks at whether stat has made this thread wait
    FIELDS = 3  # int64 numbers per file

cdef extern from *:
    """
    static inline Py_ssize_t midiopt_next(Py_ssize_t *counter) { return __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED); }
    """
    Py_ssize_t next_of "midiopt_next"(Py_ssize_t *counter) noexcept nogil

# What the threads share: each takes the next file until there are no more.
cdef struct Files:
    const char **names  # NULL if the path contains NUL
    int64_t *states
    Py_ssize_t count
    Py_ssize_t next
    bint follow_links


cdef void stat_one(const char *name, bint follow_links, int64_t *state) noexcept nogil:
    cdef struct_stat info
    state[0] = -1
    state[2] = 0
    if name == NULL:
        state[1] = ENOENT
    elif (stat(name, &info) if follow_links else lstat(name, &info)) != 0:
        state[1] = errno
    else:
        state[0] = info.st_size
        state[1] = mtime_ns_of(&info)
        state[2] = info.st_mode


cdef void stat_next(void *argument) noexcept nogil:
    """Stat files while there are any; the work of each thread."""
    cdef Files *files = <Files *>argument
    cdef Py_ssize_t i
    while True:
        i = next_of(&files.next)
        if i >= files.count:
            return
        stat_one(files.names[i], files.follow_links, &files.states[FIELDS * i])


cdef void stat_overlapped(ThreadPool threads, Files *files, Job *jobs, int count) noexcept nogil:
    """Stat the files that are left in `count` threads and this one."""
    cdef int i
    for i in range(count):
        jobs[i].work = stat_next
        jobs[i].argument = files
        submit(threads.pool, &jobs[i])
    stat_next(files)
    for i in range(count):
        finish(threads.pool, &jobs[i])


cdef class StatMany:
    """Called with a list of paths: size in bytes, mtime in ns and mode of each, three int64 in one bytearray.

    -1, errno and 0 if stat fails; no file has a path that contains NUL. Takes 1.9 us per file, os.stat 3.3. After a stat that had to
    wait, the others of this call overlap in MAX_THREADS threads, which stay for the next call.
    """

    cdef ThreadPool threads
    cdef bint follow_links

    def __init__(self, bint follow_links=True):
        self.follow_links = follow_links

    def __call__(self, list paths not None):
        cdef Py_ssize_t i, count = len(paths)
        cdef bytearray states = bytearray(FIELDS * sizeof(int64_t) * count)
        cdef Files files
        cdef Job *jobs
        cdef bint waited
        cdef long waits
        cdef bytes path
        files.names = <const char **>malloc(count * sizeof(char *) + 1)
        if files.names == NULL:
            raise MemoryError
        for i in range(count):
            path = paths[i]
            files.names[i] = PyBytes_AS_STRING(path)
            if <Py_ssize_t>strlen(files.names[i]) != len(path):
                files.names[i] = NULL
        files.states = <int64_t *>PyByteArray_AS_STRING(states)
        files.follow_links = self.follow_links
        files.next = 0
        waited = False
        with nogil:
            waits = wait_count()
            while files.next < count and not waited:
                files.count = min(files.next + FILES_ALONE, count)
                stat_next(&files)
                files.next = files.count
                waited = wait_count() != waits
            files.count = count
        if files.next < count:
            if self.threads is None:
                self.threads = ThreadPool(MAX_THREADS)
            jobs = <Job *>calloc(MAX_THREADS, sizeof(Job))
            with nogil:
                if jobs == NULL:
                    stat_next(&files)
                else:
                    stat_overlapped(self.threads, &files, jobs, min(<Py_ssize_t>MAX_THREADS, count - files.next))
            free(jobs)
        free(files.names)
        return states
