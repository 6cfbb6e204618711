from libc.stdint cimport uint32_t

cdef enum:
    STRENGTHS = 3  # loud, low, long

cdef struct Beat:
    double period  # frames; 0 when there is none
    double confidence


cdef Beat choose_beat(const uint32_t *sums, double density, double drums) noexcept nogil
