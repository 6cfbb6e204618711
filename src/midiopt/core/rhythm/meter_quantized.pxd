from libc.stdint cimport uint16_t, uint64_t

from midiopt.core.rhythm.meter_accents cimport MeterEstimate
from midiopt.core.notes.types cimport Notes

cdef enum:
    WORDS = 32
    MOST_SLOTS = WORDS * 64  # looked at, from the first onset on: 42 bars of 4/4
    SILENCE = 4  # words that follow: the longest lag and one
    FARTHEST = 216  # slots, the longest lag
    PERIOD_COUNT = 9
    LAG_COUNT = 16
    STEP_COUNT = 11
    QUANTIZED_FEATURES = 2 + STEP_COUNT + 2 * PERIOD_COUNT + 3 * LAG_COUNT
    QUANTIZED_METERS = 5

cdef struct SlotScratch:
    uint16_t here[MOST_SLOTS]
    uint16_t steps[MOST_SLOTS]
    uint64_t struck[WORDS]
    uint16_t tops[MOST_SLOTS + FARTHEST]  # of a slot: the highest pitch and the highest drum, plus 1
    uint64_t long_[WORDS + SILENCE]
    uint64_t low[WORDS + SILENCE]
    double features[QUANTIZED_FEATURES]
    double scores[QUANTIZED_METERS]


cdef bint meter_of_bars(SlotScratch *s, const Notes *notes, double quarter, const uint64_t *weights, double drums, MeterEstimate *estimate) noexcept nogil
