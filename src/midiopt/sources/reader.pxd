# Reading a whole file, by any thread, and the class that reads one file after another.

from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint8_t

# Why a file was not read, beside the positive numbers of errno.
cdef enum:
    NOT_A_FILE = -1
    CHANGED = -2
    OVER_LIMIT = -3
    HAS_NUL = -4  # the path
    POSTPONED = -5  # it does not fit into the budget
    HAS_MORE = -6  # it has no size, and bytes: of a file system that does not know the sizes

# Zeroed, it is empty; its bytes are reused for the next file.
cdef struct FileRead:
    uint8_t *bytes
    size_t capacity
    size_t filled
    int64_t size_bytes  # from fstat of the descriptor that was read; 0 if the file could not be opened
    int64_t mtime_ns
    int64_t charged  # taken from the budget

# Returns 0, errno or one of the reasons above. `length` is that of the path; the size of the file is taken from `budget`, if
# that is not NULL, and there is no other limit on how many threads may use one budget.
cdef int read_file(const char *path, Py_ssize_t length, int64_t max_bytes, int64_t *budget, FileRead *file) noexcept nogil
cdef void refund(int64_t *budget, FileRead *file) noexcept nogil


cdef class Reader:
    cdef FileRead file
    cdef int views
    cdef int64_t max_bytes
    cdef int load(self, bytes path) except? -100
