from libc.stdint cimport uint8_t, uint32_t

cdef struct MeterEstimate:
    uint8_t meter  # schema.METERS
    double confidence


cdef MeterEstimate estimate_meter(const uint32_t *sums, double period, double density, double drums) noexcept nogil
cdef MeterEstimate likeliest(const double *scores, int count) noexcept nogil
