from libc.stdint cimport uint8_t, uint32_t

from midiopt.core.rhythm.beat cimport STRENGTHS

cdef struct MeterEstimate:
    uint8_t meter  # schema.METERS
    double confidence

cdef enum:
    ACCENT_METERS = 4
    MULTIPLE_COUNT = 9
    PULSE_COUNT = 8
    ACCENT_FEATURES = 5 + STRENGTHS * (MULTIPLE_COUNT + PULSE_COUNT)

cdef struct AccentScratch:
    double features[ACCENT_FEATURES]
    double scores[ACCENT_METERS]


cdef MeterEstimate estimate_meter(AccentScratch *a, const uint32_t *sums, double period, double density, double drums) noexcept nogil
cdef MeterEstimate likeliest(const double *scores, int count) noexcept nogil
