cdef enum:
    FEATURES = 56  # per candidate; the last is the constant 1; a multiple of four
    LEVEL_UNITS = 16  # in the hidden layer of the network of levels ...
    OCTAVE_UNITS = 32  # ... and of those of octaves, which are two networks added up
    UNITS = LEVEL_UNITS + OCTAVE_UNITS

cdef struct Layers:
    double features[FEATURES]  # input
    double hidden[UNITS]  # scratch memory
    double level  # output: the score among all candidates, of which only the level counts
    double octave  # output: the score among those of the same level


cdef void rate_candidate(Layers *layers) noexcept nogil
cdef double no_beat_score() noexcept nogil


cdef inline double tanh_approx(double x) noexcept nogil:
    """The hyperbolic tangent without an exponential: its continued fraction (J. H. Lambert, 1768), clipped to -1 and 1."""
    cdef double square
    x = min(max(x, -3.0), 3.0)
    square = x * x
    return x * (27 + square) / (27 + 9 * square)
