"""How much speaks for a candidate for the beat: one hidden layer over its features.

Each unit adds up the features times weights and is bent towards -1 and 1. training/beat.py has learnt the weights, one
set for all kinds of music, and written them to beat_weights.py.
"""

from libc.string cimport memset

from midiopt.core.rhythm import beat_weights

cdef double[FEATURES][UNITS] WEIGHTS
cdef double[UNITS] OUT
cdef double NOTHING = beat_weights.NOTHING
cdef int _i, _unit
for _unit in range(UNITS):
    OUT[_unit] = beat_weights.OUT[_unit]
    for _i in range(FEATURES):
        WEIGHTS[_i][_unit] = beat_weights.WEIGHTS[_i][_unit]


cdef double score_of_nothing() noexcept nogil:
    """That of none of the candidates being the beat."""
    return NOTHING


cdef double score(Layers *layers) noexcept nogil:
    """Four features are added up at a time: of one, gcc 12 unrolls the units, and mixes up features in vectors."""
    cdef const double *features = layers.features
    cdef double *units = layers.units
    cdef double total = 0
    cdef int i, unit
    memset(units, 0, sizeof(layers.units))
    for i in range(0, FEATURES, 4):
        for unit in range(UNITS):
            units[unit] += (features[i] * WEIGHTS[i][unit] + features[i + 1] * WEIGHTS[i + 1][unit]) + (
                features[i + 2] * WEIGHTS[i + 2][unit] + features[i + 3] * WEIGHTS[i + 3][unit]
            )
    for unit in range(UNITS):
        units[unit] = OUT[unit] * bent(units[unit])
    for unit in range(UNITS):
        total += units[unit]
    return total


cdef inline double bent(double x) noexcept nogil:
    """-1 to 1: nearly the hyperbolic tangent (its continued fraction, J. H. Lambert, 1768, cut where it reaches 1), without an
    exponential."""
    cdef double square
    x = min(max(x, -3.0), 3.0)
    square = x * x
    return x * (27 + square) / (27 + 9 * square)
