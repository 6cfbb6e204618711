from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint32_t

from midiopt.core.notes.types cimport Notes
from midiopt.core.smf.midi cimport META, META_DEVICE_NAME, META_PORT, Mark


cdef uint32_t add_port(Notes *notes, const uint8_t *name, size_t length, uint8_t type) noexcept nogil
cdef uint32_t port_of(Notes *notes, const uint8_t *name, size_t length, uint8_t type) noexcept nogil


cdef inline bint names_port(const Mark *mark) noexcept nogil:
    """Whether an event names a port."""
    return mark.status == META and ((mark.type == META_PORT and mark.valid) or mark.type == META_DEVICE_NAME)
