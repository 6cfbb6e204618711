"""The beat rate from note onsets, in seconds: neither tempo events nor ticks per quarter are evidence.

Time is cut into frames of 20 ms. Each frame that holds an onset has three strengths, small whole
numbers: how loud (the velocities of its notes), how low (of notes well below the median pitch, of bass
and snare drums), how long. The autocorrelation of each (J. C. Brown, "Determination of the meter of
musical scores by autocorrelation", JASA 94, 1993) is added up from the frames with onsets only; beat.pyx
chooses among its peaks. tests/twin_tempo.py has the same in plain Python.
"""

from libc.math cimport log2
from libc.stdint cimport int64_t, uint32_t
from libc.stdlib cimport free
from libc.string cimport memset

from .accents cimport MeterEstimate, estimate_meter
from .beat cimport Beat, choose_beat
from .facts cimport NULL_INT32
from .grid cimport POSITIONS, grid_facts
from .memory cimport KEPT_BYTES, reserve
from .midi cimport MOST_EVENTS, NO_MEMORY, USABLE
from .note cimport TICKS, Pair
from .periodicity cimport onset_autocorrelation, smooth_lags
from .tempo cimport TempoSegment, seconds_at, segment_at

cdef extern from *:
    int trailing_zeros "__builtin_ctzll"(uint64_t x) noexcept nogil
    int ones "__builtin_popcountll"(uint64_t x) noexcept nogil

cdef enum:
    RATE = 50  # frames a second
    WORD = 64  # frames: the bits of a word, at which the stretch begins
    MOST_FRAMES = WORDS * WORD
    FEWEST_ONSETS = 6
    FIELD = 21  # bits: room for 32,768 of the longest notes in one frame
    LENGTHS = 32  # steps a second in which lengths count ...
    LONGEST = 64  # ... up to two seconds
    DRUM_LENGTH = 8
    BELOW = 7  # semitones under the median pitch from which a note is low

# Of a frame: what is added before cutting. No onset may lie on the edge between two frames, where rounding
# decides; with eleven decimals that would need ticks a quarter divisible by 5**7.
cdef double PHASE = 0.37123456789
cdef double HALF = 0.49876543211  # of a position in a quarter, for the same reason


cdef Status onset_facts(Onsets *onsets, const Notes *notes, const TempoMap *map, Facts *facts) noexcept nogil:
    """What the onsets of a sequence say of beat, meter and grid; what they are too few for is left as it was."""
    cdef uint16_t[MOST_ONSETS] used
    cdef uint16_t[LAGS] sums
    cdef uint32_t[STRENGTHS][LAGS] smooth
    cdef uint64_t[256] weights
    cdef size_t start, n
    cdef int s
    cdef size_t last
    cdef double density, drums
    cdef Beat beat
    cdef MeterEstimate meter
    if notes.note_count < FEWEST_ONSETS:
        return USABLE
    if reserve(<void **>&onsets.frames, &onsets.capacity, notes.note_count, sizeof(uint16_t), MOST_EVENTS, False):
        return NO_MEMORY
    last = find_frames(onsets, notes, map)
    start = find_stretch(onsets, last)
    n = list_onsets(onsets, start, used)
    if n >= FEWEST_ONSETS:
        drums = find_weights(notes, weights)
        add_strengths(onsets, notes, map, weights, <uint32_t>(start * WORD), used[n - 1])
        if facts.ticks_per_quarter != NULL_INT32:
            onsets.map_refuted = grid_facts(&onsets.grid, facts)
        cut_strengths(onsets, used, n)
        for s in range(STRENGTHS):
            onset_autocorrelation(onsets.strength[s], used, n, sums)
            smooth_lags(sums, smooth[s])
        clear_strengths(onsets, used, n)
        density = log2(<double>n / max(used[n - 1] - used[0], RATE // 2))
        beat = choose_beat(smooth[0], density, drums)
        if beat.period:
            facts.bpm_onsets = 60 * RATE / beat.period
            facts.bpm_onsets_confidence = beat.confidence
            meter = estimate_meter(smooth[0], beat.period, density, drums)
            facts.meter_estimated = meter.meter
            facts.meter_confidence = meter.confidence
    memset(onsets.seen, 0, (last + 1) * sizeof(uint64_t))
    onsets.seen[WORDS] = 0
    return USABLE


cdef size_t find_frames(Onsets *onsets, const Notes *notes, const TempoMap *map) noexcept nogil:
    """The frame of each note from the first onset on, at most MOST_FRAMES; returns the last word seen."""
    cdef const TempoSegment *segment = map.segments
    cdef const Pair *note = notes.notes
    cdef uint16_t *out = onsets.frames
    cdef int64_t first = <int64_t>(seconds_at(map, &segment, notes.tally.first_onset) * RATE + PHASE)
    cdef int64_t tick, frame, last = 0
    cdef size_t i, n = notes.note_count
    cdef double per_tick = map.segments[0].per_tick
    cdef bint steady = map.count == 1
    segment = map.segments
    for i in range(n):
        tick = note[i].key >> TICKS
        if steady:
            frame = <int64_t>(<double>tick * per_tick * RATE + PHASE) - first
        else:
            if tick < segment.start:  # the next track
                segment = map.segments
            frame = <int64_t>(seconds_at(map, &segment, tick) * RATE + PHASE) - first
        frame = min(frame, MOST_FRAMES)
        out[i] = <uint16_t>frame
        onsets.seen[frame >> 6] |= <uint64_t>1 << (frame & 63)
        last = max(last, frame)
    return min(last, MOST_FRAMES - 1) >> 6


cdef size_t find_stretch(const Onsets *onsets, size_t last) noexcept nogil:
    """The word at which the stretch with the most onset frames begins, the first of several."""
    cdef size_t word, best = 0
    cdef int count = 0, most
    if last < STRETCH // WORD:
        return 0
    for word in range(<size_t>(STRETCH // WORD)):
        count += ones(onsets.seen[word])
    most = count
    for word in range(<size_t>(STRETCH // WORD), last + 1):
        count += ones(onsets.seen[word]) - ones(onsets.seen[word - STRETCH // WORD])
        if count > most:
            most = count
            best = word - STRETCH // WORD + 1
    return best


cdef size_t list_onsets(const Onsets *onsets, size_t start, uint16_t *used) noexcept nogil:
    """The first frames of the stretch that hold onsets, counted from its start; returns how many."""
    cdef uint64_t bits
    cdef size_t word, n = 0
    for word in range(<size_t>(STRETCH // WORD)):
        if start + word == WORDS:
            break
        bits = onsets.seen[start + word]
        while bits:
            if n == MOST_ONSETS:
                return n
            used[n] = <uint16_t>(word * WORD + trailing_zeros(bits))
            n += 1
            bits &= bits - 1
    return n


cdef void add_strengths(Onsets *onsets, const Notes *notes, const TempoMap *map, const uint64_t *weights, uint32_t start, uint32_t last) noexcept nogil:
    """Add up the strengths of the frames from `start` on, up to `last` of the stretch, and where in a quarter their notes begin."""
    cdef const TempoSegment *segment = map.segments
    cdef const Pair *note = notes.notes
    cdef const uint16_t *frames = onsets.frames
    cdef uint64_t *sums = onsets.sums
    cdef uint64_t key, value, length
    cdef int64_t tick
    cdef uint32_t frame, count = 0
    cdef size_t i, n = notes.note_count
    cdef double per_tick = segment.per_tick * LENGTHS
    cdef double positions = POSITIONS / map.quarter
    cdef bint steady = map.count == 1
    memset(&onsets.grid, 0, sizeof(Grid))
    for i in range(n):
        frame = <uint32_t>frames[i] - start
        if frame > last:
            continue
        key = note[i].key
        value = note[i].value
        tick = key >> TICKS
        onsets.grid.notes[<uint64_t>(<double>tick * positions + HALF) % POSITIONS] += 1
        count += 1
        if not steady:
            if tick < segment.start:
                segment = map.segments
            if tick >= segment.end:
                segment = segment_at(map, segment, tick)
            per_tick = segment.per_tick * LENGTHS
        length = <uint64_t>min(<double><int64_t>(value >> TICKS) * per_tick + PHASE, <double>LONGEST)
        if key & 1:
            length = DRUM_LENGTH
        sums[frame] += ((value & 0x7F) + 7 >> 3) * weights[key & 0xFF] + (length << 2 * FIELD)
    onsets.grid.count = count


cdef double find_weights(const Notes *notes, uint64_t *weights) noexcept nogil:
    """How loudness counts, by pitch << 1 | drum: 1 for loud, and a field higher 1 for low notes, 2 for bass and
    snare drums, sticks and claps. Returns the share of drums among all notes."""
    cdef uint64_t low = <uint64_t>1 << FIELD
    cdef int64_t pitched = 0, drums = 0, below = 0
    cdef int i
    for i in range(128):
        weights[i << 1] = weights[i << 1 | 1] = 1
        pitched += notes.tally.pitches[i << 1]
        drums += notes.tally.pitches[i << 1 | 1]
    for i in range(128):  # up to the median: the lowest pitch with at least half of the notes at or below it
        weights[i << 1] += low
        below += notes.tally.pitches[i << 1]
        if 2 * below >= pitched:
            break
    for i in range(max(i - BELOW, 0), i + 1):
        weights[i << 1] = 1
    for i in range(35, 41):
        weights[i << 1 | 1] += 2 * low
    return <double>drums / (pitched + drums)


cdef void cut_strengths(Onsets *onsets, const uint16_t *used, size_t n) noexcept nogil:
    """Sums to small numbers, rounded up; clears the sums. 7 * 7 * MOST_ONSETS is the most an autocorrelation can be."""
    cdef uint64_t mask = (<uint64_t>1 << FIELD) - 1
    cdef uint64_t sums
    cdef size_t i, frame
    for i in range(n):
        frame = used[i]
        sums = onsets.sums[frame]
        onsets.sums[frame] = 0
        onsets.strength[0][frame] = <uint16_t>min(((sums & mask) + 7) >> 3, <uint64_t>4)
        onsets.strength[1][frame] = <uint16_t>min(((sums >> FIELD & mask) + 7) >> 3, <uint64_t>4)
        onsets.strength[2][frame] = <uint16_t>min(((sums >> 2 * FIELD) + 15) >> 4, <uint64_t>7)


cdef void clear_strengths(Onsets *onsets, const uint16_t *used, size_t n) noexcept nogil:
    cdef size_t i
    cdef int s
    for s in range(STRENGTHS):
        for i in range(n):
            onsets.strength[s][used[i]] = 0


cdef void onsets_trim(Onsets *onsets) noexcept nogil:
    if onsets.capacity * sizeof(uint16_t) > KEPT_BYTES:
        onsets_free(onsets)


cdef void onsets_free(Onsets *onsets) noexcept nogil:
    free(onsets.frames)
    onsets.frames = NULL
    onsets.capacity = 0
