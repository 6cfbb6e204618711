from libc.stddef cimport size_t

from midiopt.core.facts cimport Facts
from midiopt.core.memory cimport Scratch
from midiopt.core.notes.types cimport Notes
from midiopt.core.rhythm.onsets cimport Onsets
from midiopt.core.smf.arena cimport EventArena
from midiopt.core.smf.midi cimport Status
from midiopt.core.timeline.bar_grid cimport BarGrid
from midiopt.core.timeline.tempo_map cimport TempoMap
from midiopt.core.timeline.time_signatures cimport TimeSignatures

# What views of a file start from (0.6 MB): its first sequence that has notes.
cdef struct FirstSequence:
    Scratch scratch
    TempoMap map
    TimeSignatures signatures
    Notes notes
    BarGrid bars  # not under an SMPTE division, whose ticks have none
    Onsets onsets
    Facts facts  # of these, ticks_per_quarter and what onset_facts sets
    size_t first_track, end_track


cdef void start_sequence(FirstSequence *s) noexcept
cdef Status read_first_sequence(FirstSequence *s, EventArena events) noexcept
cdef bint has_bars(const FirstSequence *s) noexcept
