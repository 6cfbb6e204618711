"""Ports: a track names one by a meta event, with the number of FF 21 or the device name of FF 09.

Each number and name that is new is the next port; the first one of either kind is the port of the tracks that name none.
"""

from libc.string cimport memcmp

from midiopt.core.notes.types cimport MAX_PORTS, Port


cdef uint32_t add_port(Notes *notes, const uint8_t *name, size_t length, uint8_t type) noexcept nogil:
    """The port with this number or device name, which is added if it is new and there are fewer than MAX_PORTS of them."""
    cdef Port *port = find_port(notes, name, length, type)
    cdef Port *end = notes.ports + notes.port_count
    cdef const Port *other = notes.ports
    if port != NULL:
        return port.id
    if notes.port_count == MAX_PORTS:
        return notes.port_ids
    end.name = name
    end.length = length
    end.type = type
    end.id = 0
    while other < end and other.type != type:
        other += 1
    if other < end:
        notes.port_ids += 1
        end.id = notes.port_ids
    notes.port_count += 1
    return end.id


cdef Port *find_port(Notes *notes, const uint8_t *name, size_t length, uint8_t type) noexcept nogil:
    cdef Port *port = notes.ports
    while port < notes.ports + notes.port_count:
        if port.type == type and port.length == length and memcmp(port.name, name, length) == 0:
            return port
        port += 1
    return NULL


cdef uint32_t port_of(Notes *notes, const uint8_t *name, size_t length, uint8_t type) noexcept nogil:
    """The port that an event names which read_parts has seen."""
    cdef Port *port = find_port(notes, name, length, type)
    return port.id if port != NULL else notes.port_ids
