"""Which parts play single notes: their notes say less about the chord than those of an accompaniment.

A part is a channel of a track. It is thin if fewer than one in five of its notes begin within 1/12 quarter of the one before. If all
parts are thin, none is: then chords are what the parts make together.
"""

from libc.string cimport memset

from midiopt.core.notes.types cimport tick_t

cdef enum:
    THIN_SHIFT = 2  # notes of thin parts count a quarter,
    BASS_SHIFT = 1  # and of the bass half: it has the root, but walks


cdef void find_thin_parts(ThinParts *thin, const Notes *notes, int64_t quarter) noexcept nogil:
    """Set the shifts of the parts of a sequence; `quarter` is in ticks."""
    cdef int count = count_notes(thin, &notes.columns, quarter // 12), i, lowest = -1
    cdef bint any_thick = False
    cdef Part *part
    thin.any = False
    for i in range(count):
        part = &thin.parts[i]
        thin.shift[i] = 0
        if part.notes == 0:
            continue
        if lowest < 0 or part.pitches * thin.parts[lowest].notes < thin.parts[lowest].pitches * part.notes:
            lowest = i
        if part.notes < 2 or 5 * part.together < part.notes - 1:
            thin.shift[i] = THIN_SHIFT
            thin.any = True
        else:
            any_thick = True
    if thin.any:
        part = &thin.parts[lowest]
        for i in range(count):  # all that are equally low: the order of tracks chooses none of them
            if thin.shift[i] == THIN_SHIFT and thin.parts[i].pitches * part.notes == part.pitches * thin.parts[i].notes:
                thin.shift[i] = BASS_SHIFT
    thin.none = any_thick and not thin.any
    thin.any &= any_thick


cdef int count_notes(ThinParts *thin, const NoteColumns *columns, int64_t tolerance) noexcept nogil:
    """Count the notes of each part; returns the number of parts."""
    cdef int count = 16 * min(columns.track[columns.count - 1] + 1, PART_TRACKS)
    cdef size_t first = 0, end
    memset(thin.parts, 0, count * sizeof(Part))
    while first < columns.count:
        end = end_of_part(columns, first)
        if not columns.traits[first] & 1:  # a drum
            if columns.wide:
                add_notes(&thin.parts[part_of(columns, first)], columns, <const int64_t *>columns.onset, first, end, tolerance)
            else:
                add_notes(&thin.parts[part_of(columns, first)], columns, <const int32_t *>columns.onset, first, end, tolerance)
        first = end
    return count


cdef size_t end_of_part(const NoteColumns *columns, size_t first) noexcept nogil:
    """The first note from `first` on that is of another part, or a drum where that is none, or the other way round."""
    cdef uint32_t mask = 0x0F << CHANNEL_SHIFT | 1
    cdef uint32_t differences = 0
    cdef size_t end = first + 1, i
    while end + BLOCK <= columns.count:  # in vectors
        differences = 0
        for i in range(end, end + BLOCK):
            differences |= (columns.traits[i] ^ columns.traits[first]) & mask | (columns.track[i] ^ columns.track[first])
        if differences:
            break
        end += BLOCK
    while end < columns.count and not (
        (columns.traits[end] ^ columns.traits[first]) & mask or columns.track[end] != columns.track[first]
    ):
        end += 1
    return end


cdef void add_notes(
    Part *part, const NoteColumns *columns, const tick_t *onsets, size_t first, size_t end, int64_t tolerance
) noexcept nogil:
    """Add the notes from `first` to `end` (exclusive), in vectors."""
    cdef uint32_t together = 0, pitches = 0
    cdef tick_t reach = <tick_t>tolerance
    cdef size_t i
    if part.notes:
        together += 0 <= onsets[first] - part.last <= tolerance
    for i in range(first + 1, end):
        together += onsets[i] - onsets[i - 1] <= reach
    for i in range(first, end):
        pitches += columns.traits[i] >> 1 & 127
    part.together += together
    part.pitches += pitches
    part.notes += end - first
    part.last = onsets[end - 1]
