from libc.stdint cimport uint64_t

from midiopt.core.rhythm.meter_accents cimport MeterEstimate
from midiopt.core.notes.types cimport Notes


cdef bint meter_of_bars(const Notes *notes, double quarter, const uint64_t *weights, double drums, MeterEstimate *estimate) noexcept nogil
