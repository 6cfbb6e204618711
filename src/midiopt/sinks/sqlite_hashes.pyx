"""Hashes of sketches out of SQLite and into it, a hash and the id of its analysis in one number of 64 bits.

Sorted outside of SQL and inserted by statements with many rows, 0.43 us a row, 1.4 with one row each. A plain table with such numbers as
its rowids has the same size and takes 0.5 us: SQLite looks for each rowid before it appends it.
"""

from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_FromStringAndSize, PyByteArray_Resize
from libc.stdint cimport int64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from midiopt.sinks.sqlite_library cimport (
    SQLITE_DONE, SQLITE_ROW, Database, Statement, bind_int64, column_bytes, column_int64, column_text, database_of, db_mutex, finalize,
    find_functions, mutex_enter, mutex_leave, prepared, raise_error, reset, step,
)

cdef enum:
    HASH_BITS = 24
    ID_BITS = 39
    MAX_HASHES = 32  # of a sketch
    ROWS = 64  # of a statement; 16 and 256 take as long
    DIGIT_BITS = 12  # half of a hash: 0.010 us a number, 0.068 with numpy.sort() on a Zen 4
    DIGITS = 1 << DIGIT_BITS

MAX_ID = (<int64_t>1 << ID_BITS) - 1  # of an analysis


cdef class HashReader:
    """Reads the rows (id, sketch) of a query, which has one parameter. Close it before the connection."""

    cdef Database *database
    cdef Statement *statement

    def __cinit__(self, handle, str sql not None, int64_t parameter):
        find_functions()
        self.database = database_of(handle)
        self.statement = prepared(self.database, sql)
        bind_int64(self.statement, 1, parameter)

    def __dealloc__(self):
        self.close()

    def close(self):
        """Finish with the query; closing it twice does nothing."""
        if self.statement != NULL:
            finalize(self.statement)
            self.statement = NULL

    def read(self, Py_ssize_t rows):
        """The numbers of at most so many rows that have any; none after the last. Ids must be at most MAX_ID.

        Raises sqlite3.OperationalError.
        """
        cdef bytearray result = PyByteArray_FromStringAndSize(NULL, rows * MAX_HASHES * <Py_ssize_t>sizeof(int64_t))
        cdef int64_t *numbers = <int64_t *>PyByteArray_AS_STRING(result)
        cdef int64_t *end = numbers
        cdef int64_t *before
        cdef int code = SQLITE_DONE
        if self.statement == NULL:
            return bytearray()
        with nogil:
            mutex_enter(db_mutex(self.database))
            while rows:
                code = step(self.statement)
                if code != SQLITE_ROW:
                    break
                before = end
                end = put_numbers(
                    end, <const char *>column_text(self.statement, 1), column_bytes(self.statement, 1), column_int64(self.statement, 0)
                )
                rows -= end > before
            mutex_leave(db_mutex(self.database))
        if code != SQLITE_ROW and code != SQLITE_DONE:
            raise_error(self.database)
        if code == SQLITE_DONE:
            self.close()
        PyByteArray_Resize(result, <char *>end - <char *>numbers)
        return result


cdef int64_t *put_numbers(int64_t *end, const char *text, int size, int64_t analysis) noexcept nogil:
    """Write the numbers of a sketch, which is a list as JSON; what is not from midiopt is left out."""
    cdef int i, count = 0
    cdef int64_t hash_ = 0
    for i in range(size):
        if 48 <= text[i] < 58:
            hash_ = min(10 * hash_ + text[i] - 48, 1 << HASH_BITS)
        elif hash_:
            if hash_ < 1 << HASH_BITS and count < MAX_HASHES:
                end[0] = hash_ << ID_BITS | analysis
                end += 1
                count += 1
            hash_ = 0
    return end


def sort_by_hash(int64_t[::1] numbers not None):
    """Sort numbers in place that are in the order of their ids: by hash, then by id, which is the order of the numbers themselves.

    A radix sort (Knuth, The Art of Computer Programming 3, 1973, 5.2.5) of two digits. Raises MemoryError.
    """
    cdef Py_ssize_t count = len(numbers)
    cdef Py_ssize_t *places
    cdef int64_t *other
    if not count:
        return
    other = <int64_t *>malloc(count * sizeof(int64_t))
    places = <Py_ssize_t *>malloc(DIGITS * sizeof(Py_ssize_t))
    if other == NULL or places == NULL:
        free(other)
        free(places)
        raise MemoryError
    with nogil:
        distribute(&numbers[0], other, count, ID_BITS, places)
        distribute(other, &numbers[0], count, ID_BITS + DIGIT_BITS, places)
        free(other)
        free(places)


cdef void distribute(const int64_t *numbers, int64_t *result, Py_ssize_t count, int shift, Py_ssize_t *places) noexcept nogil:
    """Sort by one digit; numbers with the same one keep their order."""
    cdef Py_ssize_t i, start = 0, size
    cdef int digit
    memset(places, 0, DIGITS * sizeof(Py_ssize_t))
    for i in range(count):
        places[numbers[i] >> shift & DIGITS - 1] += 1
    for digit in range(DIGITS):
        size = places[digit]
        places[digit] = start
        start += size
    for i in range(count):
        digit = numbers[i] >> shift & DIGITS - 1
        result[places[digit]] = numbers[i]
        places[digit] += 1


def insert_hashes(handle, str sql not None, const int64_t[::1] numbers):
    """Insert (hash, id) for each number, by a statement that ends with VALUES. Raises sqlite3.OperationalError."""
    cdef Database *database = database_of(handle)
    cdef Statement *many
    cdef Statement *one = NULL
    cdef Py_ssize_t count = len(numbers), whole = count - count % ROWS
    cdef int code = SQLITE_DONE
    find_functions()
    if not count:
        return
    many = prepared(database, sql + ", ".join(["(?, ?)"] * ROWS))
    try:
        one = prepared(database, sql + "(?, ?)")
        with nogil:
            mutex_enter(db_mutex(database))
            code = insert(many, &numbers[0], whole, ROWS)
            if code == SQLITE_DONE and whole < count:
                code = insert(one, &numbers[whole], count - whole, 1)
            mutex_leave(db_mutex(database))
        if code != SQLITE_DONE:
            raise_error(database)
    finally:
        finalize(one)  # NULL if it was not prepared, which does nothing
        finalize(many)


cdef int insert(Statement *statement, const int64_t *numbers, Py_ssize_t count, int rows) noexcept nogil:
    """Insert so many rows at a time. Returns the code of SQLite."""
    cdef const int64_t *end = numbers + count
    cdef int i, code
    while numbers < end:
        for i in range(rows):
            bind_int64(statement, 2 * i + 1, numbers[i] >> ID_BITS)
            bind_int64(statement, 2 * i + 2, numbers[i] & ((<int64_t>1 << ID_BITS) - 1))
        numbers += rows
        code = step(statement)
        reset(statement)
        if code != SQLITE_DONE:
            return code
    return SQLITE_DONE
