from libc.stdint cimport uint8_t


# Domain: a chord as in Chords.chords; text of 12 bytes.
cdef int write_triad(char *text, uint8_t chord, int base) noexcept nogil
cdef const char *quality_name(uint8_t chord) noexcept nogil
cdef int write_symbol(char *text, uint8_t chord, uint8_t bass, int base) noexcept nogil
