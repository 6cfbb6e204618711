from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint8_t

from midiopt.core.facts cimport Facts, TrackFacts
from midiopt.core.memory cimport Scratch
from midiopt.core.notes.types cimport Notes
from midiopt.core.smf.arena cimport Arena
from midiopt.core.smf.midi cimport Status
from midiopt.core.structure.main_parts cimport PartShape
from midiopt.core.timeline.tempo_map cimport TempoMap

# The rows of one file, and what the kernels need that see a track as a file of its own (0.6 MB).
cdef struct TrackTable:
    Notes notes  # those of a track, in the columns of its sequence
    Facts facts  # of these
    TrackFacts *rows  # of all tracks
    size_t count
    PartShape *shapes  # of the tracks with pitched notes of a sequence
    size_t shape_count


cdef Status start_tracks(TrackTable *table, const Arena *arena) noexcept nogil
cdef Status add_tracks(TrackTable *table, const Notes *notes, const TempoMap *map) noexcept nogil
