cdef enum:
    FEATURES = 60  # of a candidate for the beat, the last of them 1; a multiple of four
    UNITS = 16

cdef struct Layers:
    double features[FEATURES]  # input
    double units[UNITS]  # scratch


cdef double score(Layers *layers) noexcept nogil
cdef double score_of_nothing() noexcept nogil
