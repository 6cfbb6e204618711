from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint32_t

from midiopt.core.smf.midi cimport Event

cdef struct DrumEvidence:  # what the notes of a channel or track say about being drums
    uint32_t pitches[128]  # notes
    int64_t onsets[128]  # tick of the note that sounds, -1 without one
    int64_t quarter  # ticks
    uint32_t notes
    uint32_t ended, short_notes  # notes that are ended, and those of them that last at most a quarter
    uint32_t channels  # set of the channels that play


cdef void start_evidence(DrumEvidence *e, double quarter) noexcept nogil
cdef void add_evidence(DrumEvidence *e, const Event *event, const Event *end, uint32_t channels) noexcept nogil
cdef bint plays_like_drums(const DrumEvidence *e) noexcept nogil
cdef bint plays_like_kit(const DrumEvidence *e) noexcept nogil
