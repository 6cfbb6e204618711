cdef enum:
    FEATURES = 60  # of a candidate for the beat, the last of them 1; a multiple of four
    UNITS = 16


cdef double score(const double *features) noexcept nogil
cdef double score_of_nothing() noexcept nogil
