# Read-only arrays of numpy on memory that another object owns.

cdef enum:  # types of items
    BOOL, UINT8, UINT16, INT32, INT64, FLOAT64

cdef object array_view(int item_type, const void *items, Py_ssize_t count, object owner)
