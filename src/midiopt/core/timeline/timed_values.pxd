# Values of one kind of event (tempo, time signature, program change), in the order in which they come into force.

from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint32_t

from midiopt.core.memory cimport Scratch, reserve_block
from midiopt.core.smf.midi cimport MAX_EVENTS_CAP, NO_MEMORY, USABLE, Status

cdef struct TimedValue:  # 16 bytes
    int64_t tick
    uint32_t event  # row in the arena: the order of arrival, that is of (track, position)
    uint32_t value

cdef struct TimedValues:
    TimedValue *items
    size_t count
    bint in_order  # by (tick, event)


cdef void sort_timed_values(TimedValues *values) noexcept nogil


cdef inline void clear_timed_values(TimedValues *values) noexcept nogil:
    values.count = 0
    values.in_order = True


cdef inline Status add_timed_value(
    TimedValues *values, Scratch *scratch, int block, int64_t tick, uint32_t event, uint32_t value
) noexcept nogil:
    """Append a value to the list in `block`. Events must arrive in the order of their rows."""
    cdef TimedValue *item
    values.items = <TimedValue *>reserve_block(scratch, block, values.count + 1, sizeof(TimedValue), MAX_EVENTS_CAP, True)
    if values.items == NULL:
        return NO_MEMORY
    item = &values.items[values.count]
    item.tick = tick
    item.event = event
    item.value = value
    values.in_order &= values.count == 0 or (item - 1).tick <= tick
    values.count += 1
    return USABLE
