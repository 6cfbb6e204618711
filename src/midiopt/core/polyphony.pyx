"""Notes in time order: how many sound at once, and the records that notes_hash is taken of."""

from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.stdlib cimport qsort
from libc.string cimport memcpy, memset

from .memory cimport reserve
from .midi cimport MOST_EVENTS, NO_MEMORY, USABLE
from .notes cimport Note, Record
from .tempo cimport TempoSegment, seconds_at

cdef enum:
    DIGIT = 10  # most bits sorted in one pass: 4 KB of counters stay in the first-level cache


cdef Status measure_polyphony(Notes *notes, const TempoMap *map) noexcept nogil:
    """Write the sequence's records in order, and add its polyphony to the tally.

    Half-open intervals of ticks, [on, off), drums and zero-length notes left out: with onsets and ends
    each in order, the number sounding at an onset is the onsets so far minus the ends so far.
    """
    cdef size_t n = notes.note_count
    cdef size_t i, j, sounding = 0, ended = 0
    cdef Note *note
    cdef Record *record
    cdef uint64_t *ons
    cdef uint64_t *offs
    cdef const TempoSegment *segment = map.segments
    cdef double began = 0
    if n == 0:
        return USABLE
    # Sorting needs two arrays of keys, and one of positions twice as long.
    if (
        reserve(<void **>&notes.keys, &notes.key_capacity, n, sizeof(uint64_t), MOST_EVENTS, False)
        or reserve(<void **>&notes.keys_spare, &notes.spare_capacity, n, sizeof(uint64_t), MOST_EVENTS, False)
        or reserve(<void **>&notes.order, &notes.order_capacity, 2 * n, sizeof(uint32_t), 2 * MOST_EVENTS, False)
        or reserve(<void **>&notes.records, &notes.record_capacity, notes.tally.record_count + n, sizeof(Record), MOST_EVENTS, True)
    ):
        return NO_MEMORY
    for i in range(n):
        note = &notes.notes[i]
        notes.keys[i] = <uint64_t>note.on << 8 | note.pitch << 1 | note.drum
        notes.order[i] = i
    radix_sort(notes.keys, notes.keys_spare, notes.order, notes.order + n, n)

    # Records in order; onsets of sounding pitched notes move to the front of `keys`, their ends to the spare.
    ons = notes.keys
    offs = notes.keys_spare
    record = notes.records + notes.tally.record_count
    for i in range(n):
        note = &notes.notes[notes.order[i]]
        record[i].onset = <double>note.on / map.quarter
        record[i].length = <float>(<double>(note.off - note.on) / map.quarter)
        record[i].pitch = note.pitch
        record[i].velocity = note.velocity
        record[i].drum = note.drum
        record[i].zero = 0
        if note.off > note.on and not note.drum:
            ons[sounding] = note.on
            offs[sounding] = note.off
            sounding += 1
    i = 0
    while i + 1 < n:
        j = i + 1
        while j < n and record[j].onset == record[i].onset and record[j].pitch == record[i].pitch and record[j].drum == record[i].drum:
            j += 1
        if j - i > 1:
            qsort(record + i, j - i, sizeof(Record), by_length_and_velocity)
        i = j
    notes.tally.record_count += n

    radix_sort(offs, <uint64_t *>notes.order, NULL, NULL, sounding)
    for i in range(sounding):
        while offs[ended] <= ons[i]:
            ended += 1
        if ended == i:  # silence until here
            if i:
                notes.tally.polyphonic += seconds_at(map, &segment, offs[i - 1]) - began
            began = seconds_at(map, &segment, ons[i])
        if <int64_t>(i + 1 - ended) > notes.tally.polyphony_max:
            notes.tally.polyphony_max = i + 1 - ended
    if sounding:
        notes.tally.polyphonic += seconds_at(map, &segment, offs[sounding - 1]) - began
    return USABLE


cdef int by_length_and_velocity(const void *a, const void *b) noexcept nogil:
    cdef const Record *x = <const Record *>a
    cdef const Record *y = <const Record *>b
    if x.length != y.length:
        return -1 if x.length < y.length else 1
    return <int>x.velocity - <int>y.velocity


cdef inline int bits_in(uint64_t x) noexcept nogil:
    cdef int bits = 0
    while x:
        bits += 1
        x >>= 1
    return bits


cdef inline bint is_sorted(const uint64_t *keys, size_t n) noexcept nogil:
    cdef size_t i
    for i in range(1, n):
        if keys[i] < keys[i - 1]:
            return False
    return True


cdef inline void radix_sort(uint64_t *keys, uint64_t *keys_spare, uint32_t *order, uint32_t *order_spare, size_t n) noexcept nogil:
    """Sort keys, and the positions that go with them unless `order` is NULL: a stable radix sort, the
    least significant digit first (H. H. Seward, 1954)."""
    cdef uint32_t starts[1 << DIGIT]
    cdef uint64_t *from_keys = keys
    cdef uint64_t *to_keys = keys_spare
    cdef uint32_t *from_order = order
    cdef uint32_t *to_order = order_spare
    cdef uint64_t all_bits = 0
    cdef size_t i
    cdef int bits, passes, digit, shift, p
    cdef uint32_t mask, slot
    if is_sorted(keys, n):
        return
    for i in range(n):
        all_bits |= keys[i]
    bits = bits_in(all_bits)
    passes = (bits + DIGIT - 1) // DIGIT
    digit = (bits + passes - 1) // passes
    mask = (1 << digit) - 1
    for p in range(passes):
        shift = p * digit
        count_digits(from_keys, n, shift, mask, starts)
        for i in range(n):
            slot = starts[from_keys[i] >> shift & mask]
            starts[from_keys[i] >> shift & mask] = slot + 1
            to_keys[slot] = from_keys[i]
            if order != NULL:
                to_order[slot] = from_order[i]
        from_keys, to_keys = to_keys, from_keys
        from_order, to_order = to_order, from_order
    if from_keys != keys:
        memcpy(keys, from_keys, n * sizeof(uint64_t))
        if order != NULL:
            memcpy(order, from_order, n * sizeof(uint32_t))


cdef inline void count_digits(const uint64_t *keys, size_t n, int shift, uint32_t mask, uint32_t *starts) noexcept nogil:
    """Where the keys of each digit begin."""
    cdef size_t i
    cdef uint32_t sum = 0, here
    memset(starts, 0, (mask + 1) * sizeof(uint32_t))
    for i in range(n):
        starts[keys[i] >> shift & mask] += 1
    for i in range(mask + 1):
        here = starts[i]
        starts[i] = sum
        sum += here
