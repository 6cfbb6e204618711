from libc.stdint cimport uint64_t

from .accents cimport MeterEstimate
from .note cimport Notes


cdef bint meter_of_bars(const Notes *notes, double quarter, const uint64_t *weights, double drums, MeterEstimate *estimate) noexcept nogil
