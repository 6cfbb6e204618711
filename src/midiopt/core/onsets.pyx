"""The beat rate from note onsets, in seconds: neither tempo events nor ticks per quarter are evidence.

Time is cut into frames of 20 ms. Each frame that holds an onset has three strengths, small whole
numbers: how loud (the velocities of its notes), how low (of notes well below the median pitch, of bass
and snare drums), how long. The autocorrelation of each (J. C. Brown, "Determination of the meter of
musical scores by autocorrelation", JASA 94, 1993) is added up from the frames with onsets only, of a long
piece from those of every second, third ... stretch of 64 frames; beat.pyx chooses among its peaks.
tests/twin_tempo.py has the same in plain Python.
"""

from libc.math cimport log2
from libc.stdint cimport int64_t, uint32_t
from libc.stdlib cimport free
from libc.string cimport memset

from .accents cimport MeterEstimate, estimate_meter
from .barlines cimport meter_of_bars
from .beat cimport Beat, Echo, choose_beat
from .facts cimport NULL_INT32
from .grid cimport POSITIONS, grid_facts
from .memory cimport KEPT_BYTES, reserve
from .midi cimport MOST_EVENTS, NO_MEMORY, USABLE
from .note cimport TICKS, Pair
from .periodicity cimport onset_autocorrelation, smooth_lags
from .tempo cimport TempoSegment, seconds_at, segment_at

cdef extern from *:
    int trailing_zeros "__builtin_ctzll"(uint64_t x) noexcept nogil
    int leading_zeros "__builtin_clzll"(uint64_t x) noexcept nogil
    int ones "__builtin_popcountll"(uint64_t x) noexcept nogil

cdef enum:
    RATE = 50  # frames a second
    WORD = 64  # frames: the bits of a word
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
    cdef uint64_t[256] weights
    cdef uint32_t[STRENGTHS] totals
    cdef size_t last, n, i
    cdef int s
    cdef uint32_t heard
    cdef double density, drums
    cdef Echo echo
    cdef Beat beat
    cdef MeterEstimate meter
    cdef bint keeps_to_map
    if notes.note_count < FEWEST_ONSETS:
        return USABLE
    if reserve(<void **>&onsets.frames, &onsets.capacity, notes.note_count, sizeof(uint16_t), MOST_EVENTS, False):
        return NO_MEMORY
    last = find_frames(onsets, notes, map)
    n = count_onsets(onsets, last)
    if n >= FEWEST_ONSETS:
        drums = find_weights(notes, weights)
        add_strengths(onsets, notes, map, weights)
        if facts.ticks_per_quarter != NULL_INT32:
            onsets.map_refuted = grid_facts(&onsets.grid, facts)
        cut_strengths(onsets, last, totals)
        echo.frames = last * WORD + WORD - leading_zeros(onsets.seen[last])
        density = log2(<double>n / max(echo.frames - 1, <size_t>(RATE // 2)))
        n = list_onsets(onsets, last, 1 + (n - 1) // MOST_ONSETS, used)
        for s in range(STRENGTHS):
            onset_autocorrelation(onsets.strength[s], used, n, sums)
            smooth_lags(sums, echo.sums[s])
            heard = 0
            for i in range(n):
                heard += onsets.strength[s][used[i]]
            echo.chance[s] = 16.0 * heard * totals[s] / echo.frames
            memset(onsets.strength[s], 0, (last + 1) * WORD * sizeof(uint16_t))
        beat = choose_beat(&echo, density, drums)
        if beat.period:
            facts.bpm_onsets = 60 * RATE / beat.period
            facts.bpm_onsets_confidence = beat.confidence
            keeps_to_map = facts.ticks_per_quarter != NULL_INT32 and not onsets.map_refuted
            if not keeps_to_map or not meter_of_bars(notes, map.quarter, weights, drums, &meter):
                meter = estimate_meter(echo.sums[0], beat.period, density, drums)
            facts.meter_estimated = meter.meter
            facts.meter_confidence = meter.confidence
    memset(onsets.seen, 0, (last + 1) * sizeof(uint64_t))
    onsets.seen[WORDS] = 0
    return USABLE


cdef size_t find_frames(Onsets *onsets, const Notes *notes, const TempoMap *map) noexcept nogil:
    """The frame of each note from the first onset on, FRAMES if it is later; returns the last word with an onset."""
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
        frame = min(frame, FRAMES)
        out[i] = <uint16_t>frame
        onsets.seen[frame >> 6] |= <uint64_t>1 << (frame & 63)
        last = max(last, frame)
    last = min(last, FRAMES - 1) >> 6
    while onsets.seen[last] == 0:
        last -= 1
    return last


cdef size_t count_onsets(const Onsets *onsets, size_t last) noexcept nogil:
    cdef size_t word, n = 0
    for word in range(last + 1):
        n += ones(onsets.seen[word])
    return n


cdef size_t list_onsets(const Onsets *onsets, size_t last, size_t step, uint16_t *used) noexcept nogil:
    """The frames of every step-th word that hold onsets, at most MOST_ONSETS; returns how many."""
    cdef uint64_t bits
    cdef size_t word = 0, n = 0
    while word <= last:
        bits = onsets.seen[word]
        while bits:
            if n == MOST_ONSETS:
                return n
            used[n] = <uint16_t>(word * WORD + trailing_zeros(bits))
            n += 1
            bits &= bits - 1
        word += step
    return n


cdef void add_strengths(Onsets *onsets, const Notes *notes, const TempoMap *map, const uint64_t *weights) noexcept nogil:
    """Add up the strengths of each frame, and where in a quarter its notes begin."""
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
        frame = frames[i]
        if frame == FRAMES:
            continue
        key = note[i].key
        value = note[i].value
        tick = key >> TICKS
        onsets.grid.notes[<uint64_t><int64_t>(<double>tick * positions + HALF) % POSITIONS] += 1
        count += 1
        if not steady:
            if tick < segment.start:
                segment = map.segments
            if tick >= segment.end:
                segment = segment_at(map, segment, tick)
            per_tick = segment.per_tick * LENGTHS
        length = <int64_t>min(<double><int64_t>(value >> TICKS) * per_tick + PHASE, <double>LONGEST)
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


cdef void cut_strengths(Onsets *onsets, size_t last, uint32_t *totals) noexcept nogil:
    """Sums to small numbers, rounded up, and the totals of these; clears the sums. 7 * 7 * MOST_ONSETS is the most an
    autocorrelation can be."""
    cdef uint64_t mask = (<uint64_t>1 << FIELD) - 1
    cdef uint64_t sums, bits
    cdef size_t word, frame
    cdef uint32_t loud, low, long_
    totals[0] = totals[1] = totals[2] = 0
    for word in range(last + 1):
        bits = onsets.seen[word]
        while bits:
            frame = word * WORD + trailing_zeros(bits)
            bits &= bits - 1
            sums = onsets.sums[frame]
            onsets.sums[frame] = 0
            loud = <uint32_t>min(((sums & mask) + 7) >> 3, <uint64_t>4)
            low = <uint32_t>min(((sums >> FIELD & mask) + 7) >> 3, <uint64_t>4)
            long_ = <uint32_t>min(((sums >> 2 * FIELD) + 15) >> 4, <uint64_t>7)
            onsets.strength[0][frame] = <uint16_t>loud
            onsets.strength[1][frame] = <uint16_t>low
            onsets.strength[2][frame] = <uint16_t>long_
            totals[0] += loud
            totals[1] += low
            totals[2] += long_


cdef void onsets_trim(Onsets *onsets) noexcept nogil:
    if onsets.capacity * sizeof(uint16_t) > KEPT_BYTES:
        onsets_free(onsets)


cdef void onsets_free(Onsets *onsets) noexcept nogil:
    free(onsets.frames)
    onsets.frames = NULL
    onsets.capacity = 0
