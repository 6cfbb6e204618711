"""Read-only arrays of numpy on memory that another object owns.

They are made by functions of numpy's C interface: 0.05 us instead of 0.38 by numpy.frombuffer and a buffer of the owner. These
have fixed places in a table that numpy exports for extensions (numpy/_core/code_generators/numpy_api.py), which NumPy 1.26.1 has in the
same order, so that its header files are not needed to build midiopt. numpy is imported with the first array.
"""

from cpython.object cimport PyObject
from cpython.pycapsule cimport PyCapsule_GetPointer
from cpython.ref cimport Py_INCREF

cdef enum:  # places in the table
    ARRAY_TYPE = 2  # PyArray_Type
    NEW_ARRAY = 94  # PyArray_NewFromDescr
    SET_OWNER = 282  # PyArray_SetBaseObject
cdef enum:
    ALIGNED = 0x100  # NPY_ARRAY_ALIGNED, and not NPY_ARRAY_WRITEABLE

# Both take over a reference to their second argument.
ctypedef object (*NewArray)(void *, PyObject *, int, const Py_ssize_t *, const Py_ssize_t *, const void *, int, PyObject *)
ctypedef int (*SetOwner)(object, PyObject *) except -1

cdef void **table = NULL
cdef tuple dtypes = ()  # by type of items


cdef int load_table() except -1:
    global table, dtypes
    import numpy as np
    from numpy._core._multiarray_umath import _ARRAY_API

    dtypes = tuple(map(np.dtype, ("?", "u1", "u2", "i4", "i8", "f8")))
    table = <void **>PyCapsule_GetPointer(_ARRAY_API, NULL)
    return 0


cdef object array_view(int item_type, const void *items, Py_ssize_t count, object owner):
    """The array of `count` items, not NULL and aligned as their type needs it; the array keeps `owner` alive."""
    cdef object array, dtype
    if table == NULL:
        load_table()
    dtype = dtypes[item_type]
    Py_INCREF(dtype)
    array = (<NewArray>table[NEW_ARRAY])(table[ARRAY_TYPE], <PyObject *>dtype, 1, &count, NULL, items, ALIGNED, NULL)
    Py_INCREF(owner)
    (<SetOwner>table[SET_OWNER])(array, <PyObject *>owner)
    return array
