from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint64_t

from midiopt.core.text.code_pages cimport CODE_PAGE_COUNT

cdef struct CodePageCosts:  # of the texts of a file that are in a code page
    uint64_t half_bits[CODE_PAGE_COUNT]


cdef void reset_costs(CodePageCosts *costs) noexcept nogil
cdef void score_text(CodePageCosts *costs, const uint8_t *p, size_t length) noexcept nogil
cdef int best_code_page(const CodePageCosts *costs) noexcept nogil
cdef uint64_t utf8_cost(const uint8_t *p, size_t length) noexcept nogil
