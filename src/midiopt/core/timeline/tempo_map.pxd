from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint8_t, uint32_t

from midiopt.core.smf.arena cimport Arena
from midiopt.core.facts cimport Facts
from midiopt.core.smf.midi cimport Status

cdef struct TempoSegment:  # 40 bytes
    int64_t start  # tick where this tempo comes into force
    int64_t end  # tick where the next one does; the last ends never
    double seconds  # at start
    double seconds_per_tick  # seconds a tick
    uint32_t tempo  # microseconds a quarter

cdef struct TempoShare:
    double bpm
    int64_t ticks

cdef struct TempoMap:
    TempoSegment *segments
    size_t count, capacity
    TempoShare *shares  # scratch of the weighted median
    size_t share_capacity
    bint declared  # at least one valid tempo event
    double ticks_per_quarter  # ticks a quarter; under SMPTE, ticks in the half second of a quarter at 120


cdef Status read_tempo_map(TempoMap *map, const Arena *arena, const uint8_t *data, size_t first, size_t last) noexcept nogil
cdef const TempoSegment *segment_at(const TempoMap *map, const TempoSegment *start, int64_t tick) noexcept nogil
cdef Status tempo_facts(TempoMap *map, int64_t horizon, Facts *facts) noexcept nogil
cdef void tempo_trim(TempoMap *map) noexcept nogil
cdef void tempo_free(TempoMap *map) noexcept nogil


cdef inline double seconds_at(const TempoMap *map, const TempoSegment **at, int64_t tick) noexcept nogil:
    """The time of a tick, in seconds. `at` is where the last look-up ended; ticks may not go back."""
    if tick >= at[0].end:
        at[0] = segment_at(map, at[0], tick)
    return at[0].seconds + <double>(tick - at[0].start) * at[0].seconds_per_tick
