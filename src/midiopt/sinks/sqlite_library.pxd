"""The functions of the library that Python's sqlite3 module uses; sqlite_statement.pyx says why those.

Each extension has its own pointers to them: find_functions() comes before anything else.
"""

from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.stdint cimport int64_t

cdef extern from *:
    """
    #include <dlfcn.h>
    #include <stdint.h>

    typedef struct sqlite3 sqlite3;
    typedef struct sqlite3_stmt sqlite3_stmt;
    static struct {
        int (*auto_extension)(void (*)(void));
        int (*cancel_auto_extension)(void (*)(void));
        int (*prepare_v2)(sqlite3 *, const char *, int, sqlite3_stmt **, const char **);
        int (*bind_null)(sqlite3_stmt *, int);
        int (*bind_int64)(sqlite3_stmt *, int, int64_t);
        int (*bind_double)(sqlite3_stmt *, int, double);
        int (*bind_text)(sqlite3_stmt *, int, const char *, int, void (*)(void *));
        int (*bind_blob)(sqlite3_stmt *, int, const void *, int, void (*)(void *));
        int (*step)(sqlite3_stmt *);
        int (*reset)(sqlite3_stmt *);
        int (*finalize)(sqlite3_stmt *);
        int64_t (*last_insert_rowid)(sqlite3 *);
        int64_t (*column_int64)(sqlite3_stmt *, int);
        const unsigned char *(*column_text)(sqlite3_stmt *, int);
        int (*column_bytes)(sqlite3_stmt *, int);
        void *(*db_mutex)(sqlite3 *);
        void (*mutex_enter)(void *);
        void (*mutex_leave)(void *);
        int (*extended_errcode)(sqlite3 *);
        const char *(*errmsg)(sqlite3 *);
    } library;

    /* Whether all functions were found. `file` is that of Python's module, empty if that is part of the interpreter. */
    static int find_library(const char *file) {
        void *handle = dlopen(*file ? file : NULL, RTLD_NOW | RTLD_LOCAL);
        int found = handle != NULL;
        #define FIND(name) found = found && (*(void **)&library.name = dlsym(handle, "sqlite3_" #name)) != NULL
        FIND(auto_extension); FIND(cancel_auto_extension); FIND(prepare_v2); FIND(bind_null); FIND(bind_int64); FIND(bind_double);
        FIND(bind_text); FIND(bind_blob); FIND(step); FIND(reset); FIND(finalize); FIND(last_insert_rowid); FIND(extended_errcode);
        FIND(column_int64); FIND(column_text); FIND(column_bytes); FIND(errmsg); FIND(db_mutex); FIND(mutex_enter); FIND(mutex_leave);
        #undef FIND
        return found;
    }
    #define SQLITE_ROW 100
    #define SQLITE_DONE 101
    """
    ctypedef struct Database "sqlite3":
        pass
    ctypedef struct Statement "sqlite3_stmt":
        pass
    int find_library(const char *file) noexcept
    int SQLITE_ROW
    int SQLITE_DONE
    int prepare "library.prepare_v2"(Database *, const char *, int, Statement **, const char **) noexcept nogil
    int bind_null "library.bind_null"(Statement *, int) noexcept nogil
    int bind_int64 "library.bind_int64"(Statement *, int, int64_t) noexcept nogil
    int bind_double "library.bind_double"(Statement *, int, double) noexcept nogil
    int bind_text "library.bind_text"(Statement *, int, const char *, int, void *) noexcept nogil
    int bind_blob "library.bind_blob"(Statement *, int, const void *, int, void *) noexcept nogil
    int step "library.step"(Statement *) noexcept nogil
    int reset "library.reset"(Statement *) noexcept nogil
    int finalize "library.finalize"(Statement *) noexcept nogil
    int64_t last_insert_rowid "library.last_insert_rowid"(Database *) noexcept nogil
    int64_t column_int64 "library.column_int64"(Statement *, int) noexcept nogil
    const unsigned char *column_text "library.column_text"(Statement *, int) noexcept nogil
    int column_bytes "library.column_bytes"(Statement *, int) noexcept nogil
    void *db_mutex "library.db_mutex"(Database *) noexcept nogil
    void mutex_enter "library.mutex_enter"(void *) noexcept nogil
    void mutex_leave "library.mutex_leave"(void *) noexcept nogil
    int extended_errcode "library.extended_errcode"(Database *) noexcept nogil
    const char *errmsg "library.errmsg"(Database *) noexcept nogil


cdef inline bint find_functions() except -1:
    """Whether all functions were found."""
    import _sqlite3

    return find_library(<bytes>getattr(_sqlite3, "__file__", "").encode())


cdef inline Database *database_of(handle) except NULL:
    """The connection of a handle from sqlite_statement.connect()."""
    return <Database *>PyCapsule_GetPointer(handle, "sqlite3")


cdef inline Statement *prepared(Database *database, str sql) except NULL:
    """A new statement."""
    cdef Statement *statement
    cdef bytes text = sql.encode()
    if prepare(database, text, -1, &statement, NULL):
        raise_error(database)
    return statement


cdef inline int raise_error(Database *database) except -1:
    """Raise the last error of a connection."""
    import sqlite3

    error = sqlite3.OperationalError(errmsg(database).decode("utf-8", "replace"))
    error.sqlite_errorcode = extended_errcode(database)
    raise error
