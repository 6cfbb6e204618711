from libc.stdint cimport uint8_t, uint32_t

from midiopt.core.rhythm.autocorrelation cimport LAGS
from midiopt.core.rhythm.beat cimport STRENGTHS

cdef enum:
    ACCENT_METERS = 4  # the first of schema.METERS
    BEAT_MULTIPLE_COUNT = 9
    PULSE_MULTIPLE_COUNT = 8
    ACCENT_FEATURES = 5 + STRENGTHS * (BEAT_MULTIPLE_COUNT + PULSE_MULTIPLE_COUNT)

# Scratch memory of meter_from_accents.
cdef struct AccentScratch:
    double features[ACCENT_FEATURES]
    double scores[ACCENT_METERS]

cdef struct MeterEstimate:
    uint8_t meter  # index in schema.METERS
    double confidence


cdef MeterEstimate meter_from_accents(
    AccentScratch *a, const uint32_t (*values)[LAGS], double period, double density, double drums
) noexcept nogil
cdef MeterEstimate softmax_argmax(const double *scores, int count) noexcept nogil
