from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint8_t, uint32_t

from midiopt.core.facts cimport Facts
from midiopt.core.memory cimport Scratch
from midiopt.core.smf.arena cimport Arena
from midiopt.core.smf.midi cimport Status
from midiopt.core.timeline.timed_values cimport TimedValues

cdef struct TempoSegment:  # 40 bytes: ticks under one tempo
    int64_t start  # tick
    int64_t end  # tick where the next segment starts, INT64_MAX in the last
    double seconds  # at start
    double seconds_per_tick
    uint32_t tempo  # microseconds per quarter

cdef struct TempoShare:  # of the weighted median
    double bpm
    int64_t ticks

cdef struct TempoMap:
    Scratch *scratch  # owns the arrays
    TimedValues events  # tempo events of the current sequence
    TempoSegment *segments
    size_t count  # segments
    TempoShare *shares  # of the current sequence, by bpm
    bint declared  # there is a valid tempo event
    double ticks_per_quarter  # under SMPTE: ticks per half second, a quarter at 120 BPM


# Domain: ticks below 2**TICK_BITS, any valid tempo, 0.5 to 32,767 ticks per quarter: up to 2**57 seconds. seconds_at never goes back.
cdef Status read_tempo_map(TempoMap *map, const Arena *arena, const uint8_t *data, size_t first_track, size_t end_track) noexcept nogil
cdef const TempoSegment *segment_at(const TempoMap *map, const TempoSegment *start, int64_t tick) noexcept nogil
cdef Status write_tempo_facts(TempoMap *map, int64_t horizon, Facts *facts) noexcept nogil


cdef inline double seconds_at(const TempoMap *map, const TempoSegment **at, int64_t tick) noexcept nogil:
    """The time of a tick in seconds. `at` is the result of the last look-up; ticks may not go back."""
    if tick >= at[0].end:
        at[0] = segment_at(map, at[0], tick)
    return at[0].seconds + <double>(tick - at[0].start) * at[0].seconds_per_tick
