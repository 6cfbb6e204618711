from libc.stddef cimport size_t
from libc.stdint cimport int64_t

from midiopt.core.facts cimport TrackFacts
from midiopt.core.notes.types cimport Notes

# What says of a track with pitched notes whether it is the melody or the bass; drums are left out.
cdef struct PartShape:
    TrackFacts *row
    int64_t notes
    double pitch  # mean
    double seconds  # in which at least one note sounds
    # From the highest note of each onset to that of the next:
    double steps  # share of one or two half tones
    double repeats  # share of none
    double leap  # mean, half tones


# Domain: a track with at least one pitched note, whose row has been set.
cdef void describe_part(PartShape *shape, const Notes *notes, TrackFacts *row) noexcept nogil
# Domain: the tracks with pitched notes of one sequence; main_part is null in their rows.
cdef void name_main_parts(const PartShape *shapes, size_t count) noexcept nogil
