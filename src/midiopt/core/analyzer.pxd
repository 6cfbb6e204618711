from midiopt.core.analysis cimport Workspace


cdef class Analyzer:
    cdef Workspace work
    cdef bint is_busy  # a thread is using it
    cdef append_row(self, bytearray rows, bytearray heap)
    cdef append_tracks(self, bytearray tracks, Py_ssize_t base)
