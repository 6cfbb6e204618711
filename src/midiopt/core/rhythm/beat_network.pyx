"""Scores a beat candidate: a neural network with one hidden layer over the candidate's features.

training/beat.py fits one set of weights for all kinds of music and writes it to beat_weights.py.
"""

from libc.string cimport memset

from midiopt.core.rhythm import beat_weights

cdef double[FEATURES][UNITS] HIDDEN_WEIGHTS
cdef double[UNITS] OUTPUT_WEIGHTS
cdef double NO_BEAT_SCORE = beat_weights.NO_BEAT_SCORE
cdef int _i, _unit
for _unit in range(UNITS):
    OUTPUT_WEIGHTS[_unit] = beat_weights.OUTPUT_WEIGHTS[_unit]
    for _i in range(FEATURES):
        HIDDEN_WEIGHTS[_i][_unit] = beat_weights.HIDDEN_WEIGHTS[_i][_unit]


cdef double no_beat_score() noexcept nogil:
    """The score of the alternative that no candidate is the beat."""
    return NO_BEAT_SCORE


cdef double network_score(Layers *layers) noexcept nogil:
    """The score of a candidate.

    Features are accumulated four at a time; one at a time, gcc 12 unrolls over units and vectorises across features instead.
    """
    cdef double total = 0
    cdef int i, unit
    memset(layers.hidden, 0, sizeof(layers.hidden))
    for i in range(0, FEATURES, 4):
        for unit in range(UNITS):
            layers.hidden[unit] += (
                layers.features[i] * HIDDEN_WEIGHTS[i][unit] + layers.features[i + 1] * HIDDEN_WEIGHTS[i + 1][unit]
            ) + (layers.features[i + 2] * HIDDEN_WEIGHTS[i + 2][unit] + layers.features[i + 3] * HIDDEN_WEIGHTS[i + 3][unit])
    for unit in range(UNITS):
        layers.hidden[unit] = OUTPUT_WEIGHTS[unit] * tanh_approx(layers.hidden[unit])
    for unit in range(UNITS):
        total += layers.hidden[unit]
    return total
