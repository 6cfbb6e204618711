from libc.stddef cimport size_t
from libc.stdint cimport int32_t, int64_t

from midiopt.core.memory cimport Scratch
from midiopt.core.rhythm.pulses cimport Pulse
from midiopt.core.smf.midi cimport Status

cdef enum:
    TRACKS = 8  # at different periods, each in a lane of its own
    RING = 128  # pulses whose scores are at hand; a power of two

# How each of the best tracks that end with a pulse came there.
cdef struct Link:
    int32_t away[TRACKS]  # pulses back to the beat before; 0 where the track begins
    float steps[TRACKS]  # beats from that one to this: those between have no onset; 0 where the music began anew

cdef struct Best:
    float score[TRACKS]
    int32_t away[TRACKS]  # pulses back to the beat before

# Scratch memory of choose_track. Arrays are fields of one struct, so that the loops need no check for overlap.
cdef struct Tracker:
    float scores[RING][TRACKS]  # of the best tracks that end with each pulse
    float rates[RING][TRACKS]  # and their beats per second
    float period[TRACKS]  # seconds per beat at the beginning
    float first_rate[TRACKS]
    float lowest[TRACKS]  # rates
    float highest[TRACKS]
    Best best  # of the present pulse
    Best longer  # the same with one pulse more
    float rate[TRACKS]  # of the beat before
    float distance[TRACKS]  # to it, in seconds
    float steps[TRACKS]  # beats to it
    Link *links  # of each pulse

cdef struct Track:
    int lane
    int64_t last  # index of the pulse that is the last beat


# Domain: at least one pulse, in time order, with scores, and a period above 0.
cdef Status choose_track(Tracker *tracker, Scratch *scratch, const Pulse *pulses, size_t n, double period, Track *chosen) noexcept nogil
cdef size_t keep_likely(Pulse *pulses, size_t n) noexcept nogil
