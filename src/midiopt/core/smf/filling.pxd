# Blocks of a file that were lost, a hole of a download or a sector that could not be read, and that hold one byte again and again.
#
# Zeros are note-offs of the lowest pitch at one tick, in running status, and spaces are notes: only that there are so many shows it. In
# 16,894 real files at most 16 events follow each other whose bytes are all the same, and in three with other faults 40, 171 and 1,161.

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from midiopt.core.smf.midi cimport Event

cdef enum:
    MIN_FILLING = 64  # bytes
    MIN_FILLED_EVENTS = 20  # whole events of three bytes, the longest, in so many
    FILLING_STEP = 56  # bytes: in MIN_FILLING there are eight from one step on


cdef inline bint has_filling(const uint8_t *start, const uint8_t *end, const uint8_t **found) noexcept nogil:
    """Whether one data byte is repeated MIN_FILLING times or more; sets where."""
    cdef const uint8_t *p = start
    cdef const uint8_t *behind
    cdef uint64_t eight
    if end - start < MIN_FILLING:
        return False
    while end - p >= 8:
        memcpy(&eight, p, 8)
        if (eight ^ eight >> 8) << 8 == 0 and p[0] < 0x80:
            found[0] = behind = p
            while found[0] > start and (found[0] - 1)[0] == p[0]:
                found[0] -= 1
            while behind < end and behind[0] == p[0]:
                behind += 1
            if behind - found[0] >= MIN_FILLING:
                return True
        p += FILLING_STEP
    return False


cdef inline bint is_filled_event(const Event *event, int64_t last_tick) noexcept nogil:
    """Whether the delta time and the data of a channel message in running status are the same byte."""
    cdef uint32_t data = event.message >> 8 & 0xFF
    return event.tick - last_tick == data and (event.message >> 16 == data or event.message & 0xF0 == 0xD0)


cdef inline Event *drop_filled_events(Event *event, const Event *end, int64_t last_tick, int64_t *dropped_ticks) noexcept nogil:
    """Leave out the events that are filling, and their time; returns the new end. `last_tick` is that of the event before."""
    cdef Event *out = event
    cdef Event *run
    cdef int64_t first_tick
    dropped_ticks[0] = 0
    while event < end:
        run = event
        first_tick = last_tick
        while run < end and run.message == event.message and is_filled_event(run, last_tick):
            last_tick = run.tick
            run += 1
        if run - event >= MIN_FILLED_EVENTS:
            dropped_ticks[0] += last_tick - first_tick
            event = run
            continue
        if run == event:
            last_tick = run.tick
            run += 1
        while event < run:
            out[0] = event[0]
            out.tick -= dropped_ticks[0]
            out += 1
            event += 1
    return out
