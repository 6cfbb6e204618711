from libc.stdint cimport int32_t, int64_t


# Domain: two runs in ascending order, neither empty; `out` has room for both.
cdef void merge_narrow(const int32_t *a, const int32_t *middle, const int32_t *end, int32_t *out) noexcept nogil
cdef void merge_wide(const int64_t *a, const int64_t *middle, const int64_t *end, int64_t *out) noexcept nogil
