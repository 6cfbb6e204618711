cdef enum:
    FEATURES = 56  # per candidate; the last is the constant 1; a multiple of four
    UNITS = 16  # in the hidden layer

cdef struct Layers:
    double features[FEATURES]  # input
    double hidden[UNITS]  # scratch memory


cdef double network_score(Layers *layers) noexcept nogil
cdef double no_beat_score() noexcept nogil


cdef inline double tanh_approx(double x) noexcept nogil:
    """The hyperbolic tangent without an exponential: its continued fraction (J. H. Lambert, 1768), clipped to -1 and 1."""
    cdef double square
    x = min(max(x, -3.0), 3.0)
    square = x * x
    return x * (27 + square) / (27 + 9 * square)
