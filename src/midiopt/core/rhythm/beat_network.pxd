cdef enum:
    FEATURES = 56  # per candidate; the last is the constant 1; a multiple of four
    UNITS = 16  # in the hidden layer

cdef struct Layers:
    double features[FEATURES]  # input
    double hidden[UNITS]  # scratch memory


cdef double network_score(Layers *layers) noexcept nogil
cdef double no_beat_score() noexcept nogil
