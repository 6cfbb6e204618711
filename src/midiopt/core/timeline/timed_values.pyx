"""Sorting of timed values."""

from libc.stdlib cimport qsort


cdef void sort_timed_values(TimedValues *values) noexcept nogil:
    """Sort by (tick, event), unless the values arrived in that order."""
    if not values.in_order:
        qsort(values.items, values.count, sizeof(TimedValue), compare_tick_and_event)
        values.in_order = True


cdef int compare_tick_and_event(const void *a, const void *b) noexcept nogil:
    cdef const TimedValue *x = <const TimedValue *>a
    cdef const TimedValue *y = <const TimedValue *>b
    if x.tick != y.tick:
        return -1 if x.tick < y.tick else 1
    return -1 if x.event < y.event else 1
