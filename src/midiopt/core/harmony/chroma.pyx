"""Notes to pitch classes in time: the input of the key estimate."""

from libc.stddef cimport size_t
from libc.stdint cimport INT64_MAX, int32_t, int64_t, uint8_t, uint64_t

from midiopt.core.notes.types cimport NoteColumns, boundary_of, tick_t

ctypedef fused sum_t:
    int64_t
    double

cdef enum:
    DRUM = 12 * SEGMENTS
    BLOCK = 32  # notes that are compared at a time

cdef uint8_t[256] CLASSES  # pitch class * SEGMENTS, of pitch << 1 | is drum
cdef int _pitch
for _pitch in range(128):
    CLASSES[_pitch << 1] = _pitch % 12 * SEGMENTS
    CLASSES[_pitch << 1 | 1] = DRUM


cdef void add_chroma(Chroma *chroma, const Notes *notes, double quarter) noexcept nogil:
    """Add the notes of a sequence, whose boundaries must still be in the order of read_notes; `quarter` is in ticks.

    A note counts, with its whole length, in the segment in which it begins.
    """
    cdef const NoteColumns *c = &notes.columns
    cdef int64_t first, last, opening_end
    cdef int i
    if not find_onsets(notes, &first, &last):
        return
    opening_end = first + <int64_t>(2 * quarter)
    for i in range(SEGMENTS + 1):  # each the first tick that is not in the segment before
        chroma.starts[i] = first + <int64_t>((<uint64_t>i * <uint64_t>(last - first + 1) + SEGMENTS - 1) // SEGMENTS)
    if c.wide:
        add_notes[double, int64_t](
            &chroma.wide_segments[0][0], chroma.starts, <const int64_t *>c.onset, <const int64_t *>c.length, c.sound, c.count
        )
        add_edges[int64_t](chroma, <const int64_t *>c.onset, <const int64_t *>c.length, c.sound, c.count, last, opening_end)
    else:
        add_notes[int64_t, int32_t](
            &chroma.segments[0][0], chroma.starts, <const int32_t *>c.onset, <const int32_t *>c.length, c.sound, c.count
        )
        add_edges[int32_t](chroma, <const int32_t *>c.onset, <const int32_t *>c.length, c.sound, c.count, last, opening_end)


cdef inline void add_notes(
    sum_t *sums, const int64_t *starts, const tick_t *onsets, const tick_t *lengths, const uint8_t *sounds, size_t n
) noexcept nogil:
    """Add `n` notes to `sums`, pitch class by pitch class; `starts` are those of the segments.

    The notes of a track are in time order, so the next is mostly in the same segment; if not, the segments are searched from the
    first.
    """
    cdef sum_t *of_segment = sums
    cdef int64_t tick, start = 0
    cdef uint64_t width = 0
    cdef int segment
    cdef size_t i, place
    for i in range(n):
        place = CLASSES[sounds[i]]
        if place == DRUM:
            continue
        tick = onsets[i]
        if <uint64_t>(tick - start) >= width:
            segment = 0
            while tick >= starts[segment + 1]:
                segment += 1
            start = starts[segment]
            width = starts[segment + 1] - start
            of_segment = sums + segment
        of_segment[place] += <sum_t>lengths[i]


cdef inline void add_edges(
    Chroma *chroma, const tick_t *onsets, const tick_t *lengths, const uint8_t *sounds, size_t n, int64_t last, int64_t opening_end
) noexcept nogil:
    """Add the notes that begin before `opening_end` or sound after `last`, the last onset. Most blocks have none, as vectors tell."""
    cdef tick_t opening = <tick_t>opening_end, closing = <tick_t>last, any_edge
    cdef size_t first = 0, i
    while first + BLOCK <= n:
        any_edge = 0
        for i in range(first, first + BLOCK):
            any_edge |= <tick_t>(onsets[i] < opening) | <tick_t>(onsets[i] + lengths[i] > closing)
        if any_edge:
            add_block(chroma, onsets, lengths, sounds, first, first + BLOCK, last, opening_end)
        first += BLOCK
    add_block(chroma, onsets, lengths, sounds, first, n, last, opening_end)


cdef void add_block(
    Chroma *chroma, const tick_t *onsets, const tick_t *lengths, const uint8_t *sounds, size_t first, size_t end,
    int64_t last, int64_t opening_end,
) noexcept nogil:
    """The same, note by note."""
    cdef int64_t tick, length
    cdef size_t i
    for i in range(first, end):
        tick = onsets[i]
        length = lengths[i]
        if sounds[i] & 1:  # a drum
            continue
        if tick < opening_end:
            chroma.opening[CLASSES[sounds[i]] // SEGMENTS] += <double>(min(tick + length, opening_end) - tick)
        if tick + length > last:
            chroma.closing[CLASSES[sounds[i]] // SEGMENTS] += <double>(tick + length - max(tick, last))


cdef bint find_onsets(const Notes *notes, int64_t *first, int64_t *last) noexcept nogil:
    """Find the first and the last onset of the pitched notes at the ends of each track's boundaries; False without any."""
    cdef size_t run, i, start = 0
    first[0] = INT64_MAX
    last[0] = -1
    for run in range(notes.run_count):
        first[0] = min(first[0], boundary_of(notes, start) >> 1)  # a track's first boundary is an onset
        i = notes.run_ends[run] - 1
        while not boundary_of(notes, i) & 1:
            i -= 1
        last[0] = max(last[0], boundary_of(notes, i) >> 1)
        start = notes.run_ends[run]
    return last[0] >= 0
