from libc.stddef cimport size_t
from libc.stdint cimport INT64_MAX, int64_t, uint8_t, uint32_t

from midiopt.core.notes.types cimport PROGRAM_SHIFT, Notes
from midiopt.core.smf.arena cimport Arena
from midiopt.core.smf.midi cimport Event, Status
from midiopt.core.timeline.timed_values cimport TimedValue

cdef enum:
    DRUMS_BIT = 1 << 8  # of Notes.changes: the part is drums; the lower bits are the program


cdef Status read_parts(
    Notes *notes, const Arena *arena, const uint8_t *data, size_t first_track, size_t end_track, double quarter
) noexcept nogil
cdef void start_track_parts(Notes *notes, const Arena *arena, size_t track, double quarter) noexcept nogil
cdef void start_port(Notes *notes, uint32_t port) noexcept nogil
cdef void change_part(Notes *notes, uint32_t channel, int64_t tick, uint32_t event) noexcept nogil


cdef inline void count_pending_notes(Notes *notes, uint32_t channel) noexcept nogil:
    """Count the pending notes of a channel under what is in force."""
    notes.counts.channels[channel] += notes.pending_notes[channel]
    if notes.part_traits[channel] & 1:
        notes.counts.drums += notes.pending_notes[channel]
    else:
        notes.counts.programs[notes.part_traits[channel] >> PROGRAM_SHIFT] += notes.pending_notes[channel]
    notes.pending_notes[channel] = 0
