"""Notes to pitch classes in time: the input of the key estimate."""

from libc.stddef cimport size_t
from libc.stdint cimport INT64_MAX, int64_t, uint8_t, uint64_t

from midiopt.core.notes.types cimport NoteColumns, boundary_of, length_of, onset_of

cdef enum:
    DRUM = 12

cdef uint8_t[256] CLASSES  # of pitch << 1 | is drum
cdef int _pitch
for _pitch in range(128):
    CLASSES[_pitch << 1] = _pitch % 12
    CLASSES[_pitch << 1 | 1] = DRUM


cdef void add_chroma(Chroma *chroma, const Notes *notes, double quarter) noexcept nogil:
    """Add the notes of a sequence, whose boundaries must still be in the order of read_notes; `quarter` is in ticks.

    A note counts, with its whole length, in the segment in which it begins. The notes of a track are in time order, so the
    next is mostly in the same segment; if not, the segments are searched from the first.
    """
    cdef int64_t *starts = chroma.starts
    cdef int64_t first, last, opening_end, tick, length, low = 0, high = 0
    cdef int segment = 0, i
    cdef NoteColumns c = notes.columns  # a copy: no store can change it
    cdef int pitch_class
    cdef size_t n
    if not find_onsets(notes, &first, &last):
        return
    opening_end = first + <int64_t>(2 * quarter)
    for i in range(SEGMENTS + 1):  # each the first tick that is not in the segment before
        starts[i] = first + <int64_t>((<uint64_t>i * <uint64_t>(last - first + 1) + SEGMENTS - 1) // SEGMENTS)
    for n in range(c.count):
        tick = onset_of(&c, n)
        length = length_of(&c, n)
        pitch_class = CLASSES[c.sound[n]]
        if pitch_class == DRUM:
            continue
        if not low <= tick < high:
            segment = 0
            while tick >= starts[segment + 1]:
                segment += 1
            low = starts[segment]
            high = starts[segment + 1]
        chroma.segments[pitch_class][segment] += <double>length
        if tick < opening_end:
            chroma.opening[pitch_class] += <double>(min(tick + length, opening_end) - tick)
        if tick + length > last:
            chroma.closing[pitch_class] += <double>(tick + length - max(tick, last))


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
