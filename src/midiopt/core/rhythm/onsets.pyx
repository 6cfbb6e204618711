"""The beat rate from note onsets, in seconds: neither tempo events nor ticks per quarter are evidence.

Time is cut into frames of 20 ms. Each frame that holds an onset has three strengths, small whole
numbers: how loud (the velocities of its notes), how low (of notes well below the median pitch, of bass
and snare drums), how long. The autocorrelation of each (J. C. Brown, "Determination of the meter of
musical scores by autocorrelation", JASA 94, 1993) is added up from the frames with onsets only, of a long
piece from those of every second, third ... stretch of 64 frames; beat.pyx chooses among its peaks.
reference/beat.py has the same in plain Python.
"""

from libc.math cimport floor, log2
from libc.stdint cimport int32_t, int64_t, uint32_t
from libc.string cimport memset

from midiopt.core.rhythm.meter_accents cimport MeterEstimate, estimate_meter
from midiopt.core.rhythm.meter_quantized cimport meter_of_bars
from midiopt.core.rhythm.beat cimport Beat, choose_beat
from midiopt.core.facts cimport NULL_INT32
from midiopt.core.rhythm.quantization cimport POSITIONS, grid_facts
from midiopt.core.notes.types cimport TICK_SHIFT, PackedNote
from midiopt.core.rhythm.autocorrelation cimport onset_autocorrelation, smooth_lags
from midiopt.core.timeline.tempo_map cimport TempoSegment, seconds_at
from midiopt.core.doubles cimport as_double, rounded

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


cdef void onset_facts(Onsets *onsets, const Notes *notes, const TempoMap *map, Facts *facts) noexcept nogil:
    """What the onsets of a sequence say of beat, meter and grid; what they are too few for is left as it was."""
    cdef uint32_t[STRENGTHS] totals
    cdef size_t last, n
    cdef int s
    cdef uint32_t heard
    cdef double density, drums
    cdef Echo *echo = &onsets.echo
    cdef Beat beat
    cdef MeterEstimate meter
    cdef bint keeps_to_map
    if notes.note_count < FEWEST_ONSETS:
        return
    drums = find_weights(notes, onsets.weights)
    last = add_strengths(onsets, notes, map)
    cut_strengths(onsets, last, totals)
    n = count_onsets(onsets, last)
    if n >= FEWEST_ONSETS:
        if facts.ticks_per_quarter != NULL_INT32:
            onsets.map_refuted = grid_facts(&onsets.grid, facts)
        echo.frames = last * WORD + WORD - leading_zeros(onsets.seen[last])
        density = log2(<double>n / max(echo.frames - 1, <size_t>(RATE // 2)))
        n = list_onsets(onsets, last, 1 + (n - 1) // MOST_ONSETS)
        for s in range(STRENGTHS):
            heard = onset_autocorrelation(onsets.strength[s], onsets.used, n, onsets.autocorrelation)
            smooth_lags(onsets.autocorrelation, echo.sums[s])
            echo.chance[s] = 16.0 * heard * totals[s] / echo.frames
        beat = choose_beat(echo, &onsets.beat, density, drums)
        if beat.period:
            facts.bpm_onsets = 60 * RATE / beat.period
            facts.bpm_onsets_confidence = beat.confidence
            keeps_to_map = facts.ticks_per_quarter != NULL_INT32 and not onsets.map_refuted
            if not keeps_to_map or not meter_of_bars(&onsets.slots, notes, map.ticks_per_quarter, onsets.weights, drums, &meter):
                meter = estimate_meter(&onsets.accents, echo.sums[0], beat.period, density, drums)
            facts.meter_estimated = meter.meter
            facts.meter_confidence = meter.confidence
    for s in range(STRENGTHS):
        memset(onsets.strength[s], 0, (last + 1) * WORD * sizeof(uint16_t))
    memset(onsets.seen, 0, (last + 1) * sizeof(uint64_t))


cdef size_t add_strengths(Onsets *onsets, const Notes *notes, const TempoMap *map) noexcept nogil:
    """Add up the strengths of each frame from the first onset on, and where in a quarter its notes begin; returns the last
    word with an onset. Notes later than all frames are left out.

    What can be found in vectors is, for some notes at a time: 78.7 us a file instead of 81.2. A quarter of an SMPTE file,
    which need not be whole, is rounded: its positions say nothing.
    """
    cdef const TempoSegment *segment = map.segments
    cdef const TempoSegment *at = segment
    cdef const PackedNote *note = notes.notes
    cdef size_t remaining = notes.note_count, n, i
    cdef double first = floor(seconds_at(map, &at, notes.counts.first_onset) * RATE + PHASE)
    cdef double quarter = floor(map.ticks_per_quarter + 0.5), per_quarter = 1 / quarter, per_position = POSITIONS / quarter
    cdef double start = floor(notes.counts.first_onset / quarter) * quarter  # of the quarter with the first onset
    cdef double tick
    cdef uint64_t key
    cdef int32_t length
    cdef uint32_t frame, last = 0
    memset(&onsets.grid, 0, sizeof(Grid))
    while remaining:
        n = min(remaining, <size_t>SOME)
        if map.count == 1:
            for i in range(n):
                onsets.seconds[i] = as_double(note[i].onset >> TICK_SHIFT) * segment.seconds_per_tick
                onsets.rates[i] = segment.seconds_per_tick
        else:
            for i in range(n):
                if <int64_t>(note[i].onset >> TICK_SHIFT) < at.start:  # the next track
                    at = segment
                onsets.seconds[i] = seconds_at(map, &at, note[i].onset >> TICK_SHIFT)
                onsets.rates[i] = at.seconds_per_tick
        for i in range(n):
            onsets.frames[i] = <int32_t>min(onsets.seconds[i] * RATE + PHASE - first, <double>FRAMES)
        for i in range(n):
            length = <int32_t>min(as_double(note[i].length >> TICK_SHIFT) * (onsets.rates[i] * LENGTHS) + PHASE, <double>LONGEST)
            onsets.lengths[i] = DRUM_LENGTH if note[i].onset & 1 else length
        for i in range(n):
            tick = as_double(note[i].onset >> TICK_SHIFT) - start
            tick -= rounded((tick + 0.5) * per_quarter - 0.5) * quarter
            onsets.positions[i] = <int32_t>min(tick * per_position + HALF, <double>POSITIONS)
        for i in range(n):
            frame = onsets.frames[i]
            if frame == FRAMES:
                continue
            key = note[i].onset
            onsets.seen[frame >> 6] |= <uint64_t>1 << (frame & 63)
            last = max(last, frame)
            onsets.grid.notes[onsets.positions[i] if onsets.positions[i] < POSITIONS else 0] += 1
            onsets.grid.count += 1
            onsets.sums[frame] += ((note[i].length & 0x7F) + 7 >> 3) * onsets.weights[key & 0xFF] + (<uint64_t>onsets.lengths[i] << 2 * FIELD)
        note += n
        remaining -= n
    return last >> 6


cdef size_t count_onsets(const Onsets *onsets, size_t last) noexcept nogil:
    cdef size_t word, n = 0
    for word in range(last + 1):
        n += ones(onsets.seen[word])
    return n


cdef size_t list_onsets(Onsets *onsets, size_t last, size_t step) noexcept nogil:
    """The frames of every step-th word that hold onsets, at most MOST_ONSETS; returns how many."""
    cdef uint64_t bits
    cdef size_t word = 0, n = 0
    while word <= last:
        bits = onsets.seen[word]
        while bits:
            if n == MOST_ONSETS:
                return n
            onsets.used[n] = <uint16_t>(word * WORD + trailing_zeros(bits))
            n += 1
            bits &= bits - 1
        word += step
    return n


cdef double find_weights(const Notes *notes, uint64_t *weights) noexcept nogil:
    """How loudness counts, by pitch << 1 | drum: 1 for loud, and a field higher 1 for low notes, 2 for bass and
    snare drums, sticks and claps. Returns the share of drums among all notes."""
    cdef uint64_t low = <uint64_t>1 << FIELD
    cdef int64_t pitched = 0, drums = 0, below = 0
    cdef int i
    for i in range(128):
        weights[i << 1] = weights[i << 1 | 1] = 1
        pitched += notes.counts.pitches[i << 1]
        drums += notes.counts.pitches[i << 1 | 1]
    for i in range(128):  # up to the median: the lowest pitch with at least half of the notes at or below it
        weights[i << 1] += low
        below += notes.counts.pitches[i << 1]
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
