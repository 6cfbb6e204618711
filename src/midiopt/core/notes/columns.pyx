"""The columns of notes: their memory, and what is computed from them in vectors.

Columns of ticks have 32 bits, so that eight lie in a vector of AVX2, or 64 in a file with a tick from 2**NARROW_TICK_BITS on.
Kernels that compute with ticks take blocks of them as doubles, which hold both exactly.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t

from midiopt.core.doubles cimport as_double
from midiopt.core.memory cimport BOUNDARY_BLOCK, NOTE_BLOCK, SECONDS_BLOCK, reserve_block
from midiopt.core.notes.types cimport CHANNEL_SHIFT, PROGRAM_SHIFT, VELOCITY_SHIFT, length_of, onset_of, tick_t
from midiopt.core.smf.midi cimport MAX_EVENTS_CAP, NO_MEMORY, USABLE
from midiopt.core.timeline.tempo_map cimport TempoSegment, seconds_at, segment_at

cdef enum:
    ALIGNED = 64  # notes: each column begins with a cache line if the block does


cdef Status reserve_columns(Notes *notes, const Arena *arena, size_t first_track, size_t end_track) noexcept nogil:
    """Empty the columns and make room for all notes and boundaries of the tracks from `first_track` to `end_track` (exclusive)."""
    cdef NoteColumns *c = &notes.columns
    cdef size_t i, room = 0, tick_bytes = 8 if c.wide else 4
    cdef uint8_t *block
    for i in range(first_track, end_track):
        room += arena.tracks[i].event_count
    room = (room + ALIGNED - 1) // ALIGNED * ALIGNED
    block = <uint8_t *>reserve_block(notes.scratch, NOTE_BLOCK, room, NOTE_BYTES, MAX_EVENTS_CAP + ALIGNED, False)
    notes.boundaries = reserve_block(notes.scratch, BOUNDARY_BLOCK, 2 * room, sizeof(int64_t), 2 * (MAX_EVENTS_CAP + ALIGNED), False)
    if block == NULL or notes.boundaries == NULL:
        return NO_MEMORY
    c.count = 0
    c.onset = block
    c.length = block + tick_bytes * room
    c.traits = <uint32_t *>(block + 2 * tick_bytes * room)
    c.track = <uint16_t *>(c.traits + room)
    c.sound = <uint8_t *>(c.track + room)
    c.velocity = c.sound + room
    c.channel = c.velocity + room
    c.program = c.channel + room
    c.pitch = c.program + room
    return USABLE


cdef void fill_track(NoteColumns *notes, size_t end, size_t track) noexcept nogil:
    """The notes up to `end` (exclusive) that have no track yet are of this one."""
    cdef size_t i
    for i in range(notes.count, end):
        notes.track[i] = <uint16_t>track
    notes.count = end


cdef NoteColumns columns_of(const NoteColumns *notes, size_t first, size_t count) noexcept nogil:
    """The columns of `count` notes from `first` on, in the same memory."""
    cdef NoteColumns part = notes[0]
    cdef size_t tick_bytes = 8 if part.wide else 4
    part.count = count
    part.onset = <uint8_t *>part.onset + first * tick_bytes
    part.length = <uint8_t *>part.length + first * tick_bytes
    part.traits += first
    part.sound += first
    part.velocity += first
    part.channel += first
    part.program += first
    part.pitch += first
    part.track += first
    part.onset_s += first
    part.end_s += first
    return part


cdef Status reserve_seconds(Notes *notes, size_t room) noexcept nogil:
    """Make room for the seconds of `room` notes."""
    cdef double *seconds = <double *>reserve_block(notes.scratch, SECONDS_BLOCK, room, SECONDS_BYTES, MAX_EVENTS_CAP, False)
    if seconds == NULL:
        return NO_MEMORY
    notes.columns.onset_s = seconds
    notes.columns.end_s = seconds + room
    return USABLE


cdef void time_notes(NoteColumns *notes, const TempoMap *map, size_t first) noexcept nogil:
    """Set the seconds of the notes from the row `first` on, which are of one sequence."""
    if map.count > 1:
        time_by_segments(notes, map, first)
    else:
        time_evenly(notes, map.segments.seconds_per_tick, first)


cdef void time_evenly(NoteColumns *notes, double seconds_per_tick, size_t first) noexcept nogil:
    """The same under one tempo."""
    cdef double *onsets = notes.onset_s + first
    cdef double *ends = notes.end_s + first
    cdef size_t i, n = notes.count - first
    onset_ticks(notes, first, n, onsets)
    length_ticks(notes, first, n, ends)
    for i in range(n):
        ends[i] = (onsets[i] + ends[i]) * seconds_per_tick
        onsets[i] *= seconds_per_tick


cdef void time_by_segments(NoteColumns *notes, const TempoMap *map, size_t first) noexcept nogil:
    """The same with a tempo map of several segments: most notes begin and end in that of the note before."""
    cdef NoteColumns c = notes[0]  # a copy: no store can change it
    cdef const TempoSegment *on = map.segments
    cdef const TempoSegment *off
    cdef TempoSegment at = on[0]
    cdef int64_t onset, end
    cdef size_t i
    for i in range(first, c.count):
        onset = onset_of(&c, i)
        end = onset + length_of(&c, i)
        if not at.start <= onset < at.end:
            on = segment_at(map, <const TempoSegment *>map.segments if onset < at.start else on, onset)  # the next track starts over
            at = on[0]
        c.onset_s[i] = at.seconds + <double>(onset - at.start) * at.seconds_per_tick
        off = on
        c.end_s[i] = at.seconds + <double>(end - at.start) * at.seconds_per_tick if end < at.end else seconds_at(map, &off, end)


cdef void ends_to_lengths(NoteColumns *notes, size_t first) noexcept nogil:
    """Make lengths of the ends of notes, which pairing leaves in their column, from the row `first` on.

    Pairing need not load the onsets again: reading notes becomes 1.01 times as fast.
    """
    if notes.wide:
        subtract[int64_t](<int64_t *>notes.length + first, <const int64_t *>notes.onset + first, notes.count - first)
    else:
        subtract[int32_t](<int32_t *>notes.length + first, <const int32_t *>notes.onset + first, notes.count - first)


cdef inline void subtract(tick_t *ends, const tick_t *onsets, size_t n) noexcept nogil:
    cdef size_t i
    for i in range(n):
        ends[i] -= onsets[i]


cdef void split_traits(NoteColumns *notes) noexcept nogil:
    """Fill the columns of sounds and velocities."""
    take_bytes(notes.traits, 0, notes.count, notes.sound)
    take_bytes(notes.traits, VELOCITY_SHIFT, notes.count, notes.velocity)


cdef void split_for_view(NoteColumns *notes) noexcept nogil:
    """Fill the columns that only a view of the notes shows; that of sounds then has 1 for drums."""
    cdef uint8_t *sounds = notes.sound
    cdef uint8_t *pitches = notes.pitch
    cdef size_t i
    split_traits(notes)
    take_bytes(notes.traits, CHANNEL_SHIFT, notes.count, notes.channel)
    take_bytes(notes.traits, PROGRAM_SHIFT, notes.count, notes.program)
    for i in range(notes.count):
        pitches[i] = sounds[i] >> 1
        sounds[i] &= 1


cdef inline void take_bytes(const uint32_t *traits, uint32_t shift, size_t n, uint8_t *column) noexcept nogil:
    """One of the traits of `n` notes. The column is a local pointer: stores of bytes may change what is read through another."""
    cdef size_t i
    for i in range(n):
        column[i] = <uint8_t>(traits[i] >> shift)


cdef void onset_ticks(const NoteColumns *notes, size_t first, size_t n, double *ticks) noexcept nogil:
    """The onsets of `n` notes from `first` on in ticks."""
    as_doubles(notes.onset, notes.wide, first, n, ticks)


cdef void length_ticks(const NoteColumns *notes, size_t first, size_t n, double *ticks) noexcept nogil:
    """The lengths of `n` notes from `first` on in ticks."""
    as_doubles(notes.length, notes.wide, first, n, ticks)


cdef inline void as_doubles(const void *column, bint wide, size_t first, size_t n, double *ticks) noexcept nogil:
    cdef const int32_t *narrow_ticks = <const int32_t *>column + first
    cdef const int64_t *wide_ticks = <const int64_t *>column + first
    cdef size_t i
    if wide:
        for i in range(n):
            ticks[i] = as_double(wide_ticks[i])
    else:
        for i in range(n):
            ticks[i] = narrow_ticks[i]
