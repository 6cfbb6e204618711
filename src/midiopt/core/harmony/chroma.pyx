"""Notes to pitch classes in time, which is all that the key needs."""

from libc.stddef cimport size_t
from libc.stdint cimport INT64_MAX, int64_t, uint8_t, uint64_t

from midiopt.core.notes.types cimport TICK_SHIFT, PackedNote

cdef enum:
    DRUM = 12

cdef uint8_t[256] CLASS  # of pitch << 1 | drum


cdef void make_classes() noexcept nogil:
    cdef int pitch
    for pitch in range(128):
        CLASS[pitch << 1] = pitch % 12
        CLASS[pitch << 1 | 1] = DRUM


make_classes()


cdef void add_chroma(Chroma *chroma, const Notes *notes, double quarter) noexcept nogil:
    """Add the notes of a sequence, whose steps must still be as read_notes left them; `quarter` is in ticks.

    A note belongs to the stretch in which it begins, for as long as it lasts. The notes of a track are in order,
    so the next is mostly in the same stretch; else the stretches are looked through again.
    """
    cdef int64_t *starts = chroma.starts
    cdef int64_t first, last, opened, tick, length, low = 0, high = 0
    cdef int stretch = 0, i
    cdef const PackedNote *note = notes.notes
    cdef const PackedNote *end = note + notes.note_count
    cdef int pitch_class
    if not find_onsets(notes, &first, &last):
        return
    opened = first + <int64_t>(2 * quarter)
    for i in range(STRETCHES + 1):  # each the first tick that is not in the stretch before
        starts[i] = first + <int64_t>((<uint64_t>i * <uint64_t>(last - first + 1) + STRETCHES - 1) // STRETCHES)
    while note < end:
        tick = note.onset >> TICK_SHIFT
        length = note.length >> TICK_SHIFT
        pitch_class = CLASS[note.onset & 0xFF]
        note += 1
        if pitch_class == DRUM:
            continue
        if not low <= tick < high:
            stretch = 0
            while tick >= starts[stretch + 1]:
                stretch += 1
            low = starts[stretch]
            high = starts[stretch + 1]
        chroma.stretches[pitch_class][stretch] += <double>length
        if tick < opened:
            chroma.opening[pitch_class] += <double>(min(tick + length, opened) - tick)
        if tick + length > last:
            chroma.closing[pitch_class] += <double>(tick + length - max(tick, last))


cdef bint find_onsets(const Notes *notes, int64_t *first, int64_t *last) noexcept nogil:
    """The first and the last onset of the pitched notes, from the ends of each track's steps; False without any."""
    cdef size_t run, start = 0
    cdef const uint64_t *step
    first[0] = INT64_MAX
    last[0] = -1
    for run in range(notes.run_count):
        first[0] = min(first[0], <int64_t>(notes.boundaries[start] >> 1))  # a track's first step is an onset
        step = notes.boundaries + notes.run_ends[run] - 1
        while not step[0] & 1:
            step -= 1
        last[0] = max(last[0], <int64_t>(step[0] >> 1))
        start = notes.run_ends[run]
    return last[0] >= 0
