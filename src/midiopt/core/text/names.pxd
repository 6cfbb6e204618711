from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint16_t

from midiopt.core.facts cimport Facts, TrackFacts
from midiopt.core.smf.arena cimport Arena
from midiopt.core.smf.midi cimport Mark, Status, Track
from midiopt.core.text.encoding cimport RawText
from midiopt.core.text.text cimport TextHeap

cdef enum:
    MAX_TRACK_NAMES = 1000  # per file
    NO_NAME = MAX_TRACK_NAMES

# What a pass over the marks finds. A text of length 0 is absent.
cdef struct Names:
    RawText tracks[MAX_TRACK_NAMES]  # the first name of each track that is not blank
    uint16_t track_of[MAX_TRACK_NAMES]  # the index of that track in the file
    size_t count
    bint has_first_track  # whether the first of them is that of track 0
    RawText riff  # the title in an RMID container
    RawText line  # the first title among the texts: a line @T of karaoke, or song information {#Title=...}
    size_t conductor  # which of them is the first, of a track with nothing but meta events, that could be a title; NO_NAME without


cdef void reset_names(Names *names, const Arena *arena, const uint8_t *data) noexcept nogil
cdef bint take_name(Names *names, const Arena *arena, const uint8_t *data, const Track *track, const Mark *mark) noexcept nogil
cdef void take_title_line(Names *names, const uint8_t *data, const Mark *mark) noexcept nogil
cdef Status write_names(
    TextHeap *heap, const Arena *arena, const uint8_t *data, Names *names, Facts *facts, TrackFacts *tracks
) noexcept nogil
