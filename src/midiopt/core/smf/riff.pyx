"""The INFO list of a RIFF RMID container (Microsoft and IBM, "Multimedia Programming Interface and Data Specifications", 1991)."""

from libc.stdint cimport uint32_t
from libc.string cimport memcmp

from midiopt.core.smf.cursor cimport load_le32


cdef void read_riff_title(const uint8_t *data, size_t at, size_t size, Header *header) noexcept nogil:
    """Set the place of the first INAM chunk in the LIST chunks of type INFO, from the chunk of a RIFF container at `at`."""
    cdef size_t name, end
    at = find_riff_chunk(data, at, size, b"LIST")
    while at < size:
        end = at + 8 + riff_length(data, at, size)
        if end - at >= 12 and memcmp(data + at + 8, b"INFO", 4) == 0:
            name = find_riff_chunk(data, at + 12, end, b"INAM")
            if name < end:
                header.riff_title_at = <uint32_t>(name + 8)
                header.riff_title_length = riff_length(data, name, end)
                return
        at = find_riff_chunk(data, end + (end & 1), size, b"LIST")


cdef inline uint32_t riff_length(const uint8_t *data, size_t at, size_t end) noexcept nogil:
    """The length that a chunk header states, at most up to `end`."""
    return <uint32_t>min(<size_t>load_le32(data + at + 4), end - at - 8)


cdef size_t find_riff_chunk(const uint8_t *data, size_t at, size_t end, const char *name) noexcept nogil:
    """Where the first chunk with this name begins, from the chunk at `at`; `end` if there is none."""
    while at < end and end - at >= 8:
        if memcmp(data + at, name, 4) == 0:
            return at
        at += 8 + <size_t>load_le32(data + at + 4)
        at += at & 1
    return end
