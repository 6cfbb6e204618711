"""Rows into a table of SQLite by its C interface, without a Python object per value: 0.57 of the time of executemany().

The functions are those of the library that Python's sqlite3 module uses, whatever that is linked with, found at run time. A second
copy of SQLite in one process would be dangerous: closing a file drops the locks that the other one has on it. `sqlite3_auto_extension`
gives the connection: a function that is registered with it is called for each new connection. Where the functions are not
found (an interpreter with SQLite inside that does not export them) connect() returns no handle, and sqlite_rows.pyx does the work.

A value stays bound until another one is: what equals the value of the row before is not bound again, and no text is copied.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.pycapsule cimport PyCapsule_New
from libc.math cimport isnan
from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_FromStringAndSize
from libc.stdint cimport UINT32_MAX, int64_t, uint32_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcmp

from midiopt.rows.layout cimport (
    ENUM, FLOAT32, FLOAT64, HASH8, HASH16, INT16, INT32, INT64, MAX_FIELDS, SET, SHARES, SKETCH, TEXT, TEXTS, TIME, Field,
    TextSlice, is_zero, load_double, load_float, load_int16, load_int32, load_int64, read_fields,
)
from midiopt.sinks.sqlite_library cimport (
    SQLITE_DONE, Database, Statement, bind_blob, bind_double, bind_int64, bind_null, bind_text, database_of, db_mutex, finalize,
    find_functions, last_insert_rowid, mutex_enter, mutex_leave, prepared, raise_error, reset, step,
)
from midiopt.sinks.sqlite_text cimport (
    MEMBER_BYTES, SHARE_BYTES, SKETCH_BYTES, TIME_BYTES, max_texts_bytes, put_members, put_shares, put_sketch, put_texts, put_time,
    shortest_decimal,
)

import sqlite3

cdef extern from *:
    """
    static _Thread_local sqlite3 *opened; /* by this thread, last */
    static int note_opened(sqlite3 *connection, const char **message, const void *functions) {
        opened = connection;
        return 0;
    }
    static int register_note(void) {
        opened = NULL;
        return library.auto_extension((void (*)(void))note_opened);
    }
    #define cancel_note() library.cancel_auto_extension((void (*)(void))note_opened)
    """
    int register_note() noexcept
    int cancel_note() noexcept
    Database *opened

cdef bint is_found = False  # whether the library's functions are known


def connect(path, **options):
    """``sqlite3.connect(path, **options)``, and the handle of the connection for RowStatement; None if there is none."""
    global is_found
    if not is_found:
        is_found = find_functions()
        if not is_found:
            return sqlite3.connect(path, **options), None
    register_note()
    try:
        connection = sqlite3.connect(path, **options)
    finally:
        cancel_note()
    return connection, None if opened == NULL else PyCapsule_New(opened, "sqlite3", NULL)


cdef enum:  # what write_rows() returns beside the codes of SQLite, which are positive
    DONE = 0
    NO_NAME = -1
    NO_SHARE = -2
    NO_TIME = -3
    OUTSIDE_HEAP = -4
    NO_MEMORY = -5

cdef struct Name:  # of an enumeration
    const char *text
    int length

cdef struct Parameter:
    Field field
    Name *names  # of an enumeration, field.high + 1
    char *text   # where the text of a list, a set or a time is written
    Py_ssize_t size  # of that place, in bytes


cdef class RowStatement:
    """A prepared statement with a parameter per column of a row, and one more for a number that is no part of a row if write()
    gets such numbers. `fields` are those of its RowLayout, `handle` is from connect().

    Close it before the connection, which stays open otherwise.
    """

    cdef Database *database
    cdef Statement *statement
    cdef Parameter[MAX_FIELDS] parameters
    cdef int count
    cdef list names  # whose bytes the parameters point to

    def __cinit__(self, handle, str sql not None, list fields not None):
        cdef Field[MAX_FIELDS] layout
        cdef Parameter *parameter
        cdef bytes text
        cdef int i, n
        self.count = 0
        self.database = database_of(handle)
        n = read_fields(fields, layout)
        self.names = [[name.encode() for name in field.names] for field in fields]
        for i in range(n):
            parameter = &self.parameters[i]
            parameter.field = layout[i]
            parameter.text = NULL
            parameter.size = 0
            parameter.names = <Name *>malloc(max(1, len(self.names[i])) * sizeof(Name))
            self.count += 1
            if parameter.names == NULL:
                raise MemoryError
            for j, text in enumerate(self.names[i]):
                parameter.names[j] = Name(PyBytes_AS_STRING(text), <int>PyBytes_GET_SIZE(text))
        self.statement = prepared(self.database, sql)

    def __dealloc__(self):
        cdef int i
        self.close()
        for i in range(self.count):
            free(self.parameters[i].names)
            free(self.parameters[i].text)

    def close(self):
        """Finish with the statement; closing it twice does nothing."""
        if self.statement != NULL:
            finalize(self.statement)
            self.statement = NULL

    def write(self, rows, bytes heap not None, const int64_t[::1] numbers=None):
        """Execute the statement for each row (of a contiguous structured array), in the transaction of the connection.

        `numbers` has a value for each row, 0 for null. Returns 64-bit integers: the rowid with which each row was inserted, 0 for
        one that was not.

        Raises sqlite3.OperationalError, and ValueError for a heap that is not UTF-8, a text outside of it, an enumeration value
        without a name, a share outside 0..1 and a time outside the years 1 to 9999.
        """
        cdef const unsigned char[::1] data = rows.view("u1")
        cdef Py_ssize_t count = len(rows), width = rows.dtype.itemsize, heap_size = len(heap)
        cdef const char *text = heap
        cdef int status = DONE
        cdef bytearray inserted = PyByteArray_FromStringAndSize(NULL, count * <Py_ssize_t>sizeof(int64_t))
        cdef int64_t *ids = <int64_t *>PyByteArray_AS_STRING(inserted)
        cdef const int64_t *more = NULL
        if self.statement == NULL:
            raise ValueError("the statement is closed")
        if numbers is not None and len(numbers) != count:
            raise ValueError("there must be a number for each row")
        if numbers is not None and count:
            more = &numbers[0]
        heap.decode()  # SQLite would take any bytes for a text
        if count:
            with nogil:
                # Each function takes the mutex of the connection, about 70 times per row. By a thread that has it already this takes
                # no atomic operation: 10.0 instead of 11.0 us per file.
                mutex_enter(db_mutex(self.database))
                status = write_rows(
                    self.database, self.statement, self.parameters, self.count, <const char *>&data[0], count, width, text, heap_size,
                    more, ids,
                )
                mutex_leave(db_mutex(self.database))
        if status > 0:
            raise_error(self.database)
        if status == NO_MEMORY:
            raise MemoryError
        if status:
            raise ValueError({
                NO_NAME: "an enumeration value has no name", NO_SHARE: "a share is not in 0..1",
                NO_TIME: "a time is outside the years 1 to 9999", OUTSIDE_HEAP: "a text is outside the heap",
            }[status])
        return inserted


cdef int write_rows(
    Database *database, Statement *statement, Parameter *parameters, int columns,
    const char *rows, Py_ssize_t count, Py_ssize_t width, const char *heap, Py_ssize_t heap_size,
    const int64_t *numbers, int64_t *ids,
) noexcept nogil:
    """Write the rows. A rowid that SQLite chooses is greater than all others, so the last one changes with each row inserted."""
    cdef int64_t before, last = last_insert_rowid(database)
    cdef const char *p
    cdef Py_ssize_t i
    cdef int c, status, code
    for i in range(count):
        for c in range(columns):
            p = rows + i * width + parameters[c].field.offset
            if i and is_same(&parameters[c].field, p, p - width):
                continue
            status = bind(statement, c + 1, &parameters[c], p, heap, heap_size)
            if status != DONE:
                return status
        if numbers != NULL:
            code = bind_int64(statement, columns + 1, numbers[i]) if numbers[i] else bind_null(statement, columns + 1)
            if code != DONE:
                return code
        code = step(statement)
        if code != SQLITE_DONE:
            reset(statement)  # leaves the error and its text to be asked for
            return code
        reset(statement)
        before = last
        last = last_insert_rowid(database)
        ids[i] = last if last != before else 0
    return DONE


cdef inline bint is_same(const Field *field, const char *p, const char *before) noexcept nogil:
    """Whether a value equals that of the row before, for which it was bound. Texts may differ behind equal places, unless they are null."""
    if field.kind == TEXT or field.kind == TEXTS:
        return <uint32_t>load_int32(p + 4) == UINT32_MAX and <uint32_t>load_int32(before + 4) == UINT32_MAX
    if field.size == 4:
        return load_int32(p) == load_int32(before)
    if field.size == 8:
        return load_int64(p) == load_int64(before)
    return memcmp(p, before, field.size) == 0


cdef int bind(
    Statement *statement, int n, Parameter *parameter, const char *p, const char *heap, Py_ssize_t heap_size
) noexcept nogil:
    """Bind the value at `p` to the n-th parameter. What it points to stays where it is until the row has been written."""
    cdef const Field *field = &parameter.field
    cdef int kind = field.kind
    cdef int64_t x
    cdef double real
    cdef TextSlice text
    if kind == FLOAT32:
        real = load_float(p)
        return bind_null(statement, n) if isnan(real) else bind_double(statement, n, shortest_decimal(<float>real))
    if kind == FLOAT64:
        real = load_double(p)
        return bind_null(statement, n) if isnan(real) else bind_double(statement, n, real)
    if kind == HASH16 or kind == HASH8:
        return bind_null(statement, n) if is_zero(p, field.size) else bind_blob(statement, n, p, <int>field.size, NULL)
    if kind == TEXT or kind == TEXTS:
        text = TextSlice(heap + <uint32_t>load_int32(p), <uint32_t>load_int32(p + 4))
        if text.length == UINT32_MAX:
            text.length = -1
        elif text.start + text.length > heap + heap_size:
            return OUTSIDE_HEAP
        if kind == TEXTS:
            return bind_written(statement, n, parameter, p, text)
        return bind_null(statement, n) if text.length < 0 else bind_text(statement, n, text.start, <int>text.length, NULL)
    if kind == SKETCH and is_zero(p, field.size):
        return bind_null(statement, n)
    if kind == SHARES or kind == SET or kind == TIME or kind == SKETCH:
        return bind_written(statement, n, parameter, p, TextSlice(NULL, -1))
    if kind == INT32:
        x = load_int32(p)
    elif kind == INT16:
        x = load_int16(p)
    elif kind == INT64:
        x = load_int64(p)
    else:
        x = (<const unsigned char *>p)[0]
    if x == field.null:
        return bind_null(statement, n)
    if kind == ENUM:
        if x > field.high:
            return NO_NAME
        return bind_text(statement, n, parameter.names[x].text, parameter.names[x].length, NULL)
    return bind_int64(statement, n, x)


cdef int bind_written(Statement *statement, int n, Parameter *parameter, const char *p, TextSlice text) noexcept nogil:
    """Bind a list, a set or a time: its text is written into the parameter's own place."""
    cdef int kind = parameter.field.kind
    cdef Py_ssize_t size = (
        max_texts_bytes(text) if kind == TEXTS
        else <Py_ssize_t>(parameter.field.size // sizeof(float) * SHARE_BYTES + 1) if kind == SHARES
        else 8 * parameter.field.size * MEMBER_BYTES + 2 if kind == SET
        else parameter.field.size // 4 * SKETCH_BYTES + 2 if kind == SKETCH
        else TIME_BYTES
    )
    cdef char *end
    cdef char *place
    if parameter.size < size:
        place = <char *>realloc(parameter.text, 2 * size)
        if place == NULL:
            return NO_MEMORY
        parameter.text = place
        parameter.size = 2 * size
    if kind == TEXTS:
        end = put_texts(parameter.text, text)
    elif kind == SHARES:
        end = put_shares(parameter.text, p, parameter.field.size // sizeof(float))
    elif kind == SET:
        end = put_members(parameter.text, p, &parameter.field)
    elif kind == SKETCH:
        end = put_sketch(parameter.text, p, parameter.field.size // 4)
    else:
        end = put_time(parameter.text, load_int64(p))
    if end == NULL:
        return NO_SHARE if kind == SHARES else NO_TIME
    return bind_text(statement, n, parameter.text, <int>(end - parameter.text), NULL)
