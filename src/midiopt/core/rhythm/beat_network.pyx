"""Scores a beat candidate twice, by neural networks with one hidden layer over the candidate's features.

What a collection teaches about octaves costs others, what it teaches about everything else does not. So one network, which learns all
levels of the beat as nearly right, never sees all of a file's features and learns from no performances, says which level it is. The
weighted mean of two others, of which one learns only the choice among the candidates of the right level, says which octave.
training/beat.py fits them for all kinds of music and writes them to beat_weights.py.
"""

from libc.string cimport memset

from midiopt.core.rhythm import beat_weights

cdef double[FEATURES][UNITS] HIDDEN_WEIGHTS
cdef double[UNITS] OUTPUT_WEIGHTS
cdef double NO_BEAT_SCORE = beat_weights.NO_BEAT_SCORE
cdef int _i, _unit
for _unit in range(UNITS):
    OUTPUT_WEIGHTS[_unit] = (beat_weights.LEVEL_OUTPUT_WEIGHTS + beat_weights.OCTAVE_OUTPUT_WEIGHTS)[_unit]
    for _i in range(FEATURES):
        HIDDEN_WEIGHTS[_i][_unit] = (beat_weights.LEVEL_HIDDEN_WEIGHTS[_i] + beat_weights.OCTAVE_HIDDEN_WEIGHTS[_i])[_unit]


cdef double no_beat_score() noexcept nogil:
    """The score of the alternative that no candidate is the beat, beside those of levels."""
    return NO_BEAT_SCORE


cdef void rate_candidate(Layers *layers) noexcept nogil:
    """Set both scores of a candidate.

    Features are accumulated four at a time; one at a time, gcc 12 unrolls over units and vectorises across features instead.
    """
    cdef int i, unit
    memset(layers.hidden, 0, sizeof(layers.hidden))
    for i in range(0, FEATURES, 4):
        for unit in range(UNITS):
            layers.hidden[unit] += (
                layers.features[i] * HIDDEN_WEIGHTS[i][unit] + layers.features[i + 1] * HIDDEN_WEIGHTS[i + 1][unit]
            ) + (layers.features[i + 2] * HIDDEN_WEIGHTS[i + 2][unit] + layers.features[i + 3] * HIDDEN_WEIGHTS[i + 3][unit])
    for unit in range(UNITS):
        layers.hidden[unit] = OUTPUT_WEIGHTS[unit] * tanh_approx(layers.hidden[unit])
    layers.level = layers.octave = 0
    for unit in range(LEVEL_UNITS):
        layers.level += layers.hidden[unit]
    for unit in range(LEVEL_UNITS, UNITS):
        layers.octave += layers.hidden[unit]
