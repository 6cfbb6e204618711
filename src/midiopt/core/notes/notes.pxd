from libc.stddef cimport size_t
from libc.stdint cimport uint8_t

from midiopt.core.facts cimport Facts
from midiopt.core.notes.types cimport NoteCounts, Notes
from midiopt.core.smf.arena cimport Arena
from midiopt.core.smf.midi cimport Status
from midiopt.core.timeline.tempo_map cimport TempoMap

# Domain: ticks below 2**TICK_BITS, up to MAX_EVENTS_CAP notes. Their lengths may add up to more than 2**64 ticks.
cdef void reset_note_counts(Notes *notes, const Arena *arena) noexcept nogil
cdef Status read_notes(
    Notes *notes, const Arena *arena, const uint8_t *data, const TempoMap *map, size_t first_track, size_t end_track
) noexcept nogil
cdef Status pair_notes(
    Notes *notes, const Arena *arena, const uint8_t *data, double quarter, size_t first_track, size_t end_track
) noexcept nogil
cdef void clear_counts(NoteCounts *counts) noexcept nogil
cdef void add_note_seconds(Notes *notes, const TempoMap *map) noexcept nogil
cdef void write_note_facts(Notes *notes, Facts *facts) noexcept nogil
