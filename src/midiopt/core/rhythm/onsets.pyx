"""Estimates the beat rate from note onsets in seconds: neither tempo events nor ticks per quarter are input.

Time is divided into frames of 20 ms. Each frame that holds an onset has three strengths, small integers: loudness (the velocities
of its notes), bass (those of notes well below the median pitch, of bass and snare drums) and length. The autocorrelation of each (J. C.
Brown, "Determination of the meter of musical scores by autocorrelation", JASA 94, 1993) is summed over the frames with onsets
only; in a long piece over those of every second, third ... word of 64 frames. beat.pyx chooses among its peaks.
reference/beat.py has the same in plain Python.
"""

from libc.math cimport floor, log2
from libc.stddef cimport size_t
from libc.stdint cimport int64_t, uint8_t, uint32_t
from libc.string cimport memset

from midiopt.core.doubles cimport ROUNDING_OFFSET, TRUNCATION_OFFSET, rounded
from midiopt.core.facts cimport NULL_INT32
from midiopt.core.notes.columns cimport length_ticks, onset_ticks
from midiopt.core.notes.types cimport onset_of
from midiopt.core.rhythm.autocorrelation cimport add_windows, smooth_lags
from midiopt.core.rhythm.bass_notes cimport bass_factor
from midiopt.core.rhythm.beat cimport Beat, choose_beat
from midiopt.core.bits cimport leading_zeros, popcount, trailing_zeros
from midiopt.core.rhythm.meter_accents cimport MeterEstimate, meter_from_accents
from midiopt.core.rhythm.meter_quantized cimport meter_from_slots
from midiopt.core.rhythm.phase cimport quarter_phase
from midiopt.core.rhythm.quantization cimport COUNT_BITS, LEFT_OUT, POSITIONS, quantization_facts
from midiopt.core.timeline.tempo_map cimport TempoSegment, seconds_at, segment_at

cdef enum:
    FRAME_RATE = 50  # frames per second
    WORD = 64  # frames: the bits of a word of has_onset
    EXACT_FRAME_BITS = 46  # a double holds frames of as many bits (44,000 years) to 1/64
    MIN_ONSETS = 6
    LENGTH_RATE = 32  # units of length per second ...
    MAX_LENGTH = 64  # ... up to two seconds
    DRUM_LENGTH = 8
    BASS_MARGIN = 7  # semitones below the median pitch from which a note is low

# The phase of the quarter is looked for where not more of the notes are drums: a groove plays late and ahead of the beat.
cdef double MAX_DRUM_SHARE = 0.5

# Packed strengths: a field of 10 bits for loudness, one of 10 bits for bass, and one of 12 bits for length.
cdef enum:
    BASS_SHIFT = 10
    LENGTH_SHIFT = 20
    FIELD_MASK = (1 << BASS_SHIFT) - 1

# Strengths of a frame.
cdef enum:
    LOUDNESS
    BASS
    LENGTH
cdef uint32_t[STRENGTHS] MAX_STRENGTHS = [4, 4, 7]

# Sums of velocities and of lengths to quantised strengths.
cdef uint8_t[FIELD_MASK + 1] EIGHTHS
cdef uint8_t[4 * (FIELD_MASK + 1)] SIXTEENTHS
cdef int _i
for _i in range(FIELD_MASK + 1):
    EIGHTHS[_i] = min((_i + 7) // 8, 4)
for _i in range(4 * (FIELD_MASK + 1)):
    SIXTEENTHS[_i] = min((_i + 15) // 16, 7)


cdef void onset_facts(Onsets *onsets, const Notes *notes, const TempoMap *map, Facts *facts) noexcept nogil:
    """Set the facts of a sequence that come from its onsets: beat, meter, quantisation. With too few onsets they stay as they
    are."""
    cdef size_t last_word, n
    cdef const TempoSegment *first = map.segments
    cdef uint32_t first_middle_pitch
    cdef double drums
    cdef int s
    onsets.phase = 0
    if notes.columns.count < MIN_ONSETS or onsets.sequence_count == MAX_SEQUENCES:
        return
    onsets.sequence_count += 1
    if seconds_at(map, &first, notes.counts.first_onset) * FRAME_RATE >= <double>(<int64_t>1 << EXACT_FRAME_BITS):
        return
    first_middle_pitch = find_bass(notes, &drums)
    last_word = add_strengths(onsets, notes, map, first_middle_pitch)
    n = count_onset_frames(onsets, last_word)
    onsets.autocorrelations.frames = last_word * WORD + WORD - leading_zeros(onsets.has_onset[last_word])
    quantize_strengths(onsets, last_word, 1 + (n - 1) // MAX_CORRELATED)
    if n >= MIN_ONSETS:
        if facts.ticks_per_quarter != NULL_INT32:
            onsets.tempo_map_ignored = quantization_facts(&onsets.positions_in_quarter, facts)
            if facts.is_performance == 0 and drums <= MAX_DRUM_SHARE:
                onsets.phase = quarter_phase(&onsets.positions_in_quarter, &onsets.phase_scratch)
        correlate_strengths(onsets)
        beat_facts(onsets, notes, map, n, first_middle_pitch, drums, facts)
    for s in range(STRENGTHS):
        memset(onsets.strengths[s], 0, (last_word + 1) * WORD)


cdef void correlate_strengths(Onsets *onsets) noexcept nogil:
    """Set the autocorrelations of the strengths."""
    cdef Autocorrelations *a = &onsets.autocorrelations
    cdef uint16_t *frames
    cdef size_t n
    cdef uint32_t total, weight
    cdef int s
    for s in range(STRENGTHS):
        total = 0
        memset(onsets.sums, 0, sizeof(onsets.sums))
        for weight in range(1, MAX_STRENGTHS[s] + 1):
            frames = onsets.correlated[s][weight]
            n = onsets.ends[s][weight] - frames
            total += weight * <uint32_t>n
            add_windows(onsets.strengths[s], frames, n, weight, 255 // MAX_STRENGTHS[s], onsets.sums, onsets.bytes)
        smooth_lags(onsets.sums, a.values[s])
        a.expected[s] = 16.0 * total * onsets.totals[s] / a.frames


cdef void beat_facts(
    Onsets *onsets, const Notes *notes, const TempoMap *map, size_t n, uint32_t first_middle_pitch, double drums, Facts *facts
) noexcept nogil:
    """Set bpm_onsets, meter_estimated and their confidences, if there is a beat."""
    cdef Autocorrelations *a = &onsets.autocorrelations
    cdef double density = log2(<double>n / max(a.frames - 1, <size_t>(FRAME_RATE // 2)))
    cdef Beat beat = choose_beat(a, &onsets.beat, density)
    cdef bint follows_map = facts.ticks_per_quarter != NULL_INT32 and not onsets.tempo_map_ignored
    cdef MeterEstimate meter
    if beat.period == 0:
        return
    facts.bpm_onsets = 60 * FRAME_RATE / beat.period
    facts.bpm_onsets_confidence = beat.confidence
    if not follows_map or not meter_from_slots(&onsets.slots, notes, map.ticks_per_quarter, first_middle_pitch, drums, &meter):
        meter = meter_from_accents(&onsets.accents, a.values, beat.period, density, drums)
    facts.meter_estimated = meter.meter
    facts.meter_confidence = meter.confidence


cdef size_t add_strengths(Onsets *onsets, const Notes *notes, const TempoMap *map, uint32_t first_middle_pitch) noexcept nogil:
    """Add the notes to the packed strengths of their frames and to their positions in the quarter; returns the last word of
    has_onset that is not 0. Notes after MAX_FRAMES are left out.

    Work that vectors can do is done for blocks of notes: 78.7 us per file instead of 81.2. The quarter of an SMPTE file, which
    need not be an integer, is rounded: its positions are not used.
    """
    cdef const TempoSegment *at = map.segments
    cdef const NoteColumns *c = &notes.columns
    cdef size_t row = 0, n
    cdef double first_frame = floor(seconds_at(map, &at, notes.counts.first_onset) * FRAME_RATE + TRUNCATION_OFFSET)
    cdef double quarter = floor(map.ticks_per_quarter + 0.5)
    cdef double first_quarter = floor(notes.counts.first_onset / quarter) * quarter  # its tick
    cdef uint32_t last = 0
    memset(onsets.positions_in_quarter.packed, 0, sizeof(onsets.positions_in_quarter.packed))
    while row < c.count:
        n = min(c.count - row, <size_t>ONSET_BLOCK)
        find_tempo(onsets, c, row, n, map, &at)
        last = max(last, place_onsets(onsets, c, row, n, first_frame, first_quarter, quarter))
        pack_strengths(onsets, c.sound + row, c.velocity + row, n, first_middle_pitch)
        add_onsets(onsets, n)
        row += n
    unpack_positions(&onsets.positions_in_quarter)
    onsets.positions_in_quarter.count = <uint32_t>c.count - onsets.positions_in_quarter.notes[LEFT_OUT]
    onsets.packed[MAX_FRAMES] = onsets.has_onset[FRAME_WORDS] = 0
    return last // WORD


cdef inline void find_tempo(
    Onsets *onsets, const NoteColumns *notes, size_t row, size_t n, const TempoMap *map, const TempoSegment **at
) noexcept nogil:
    """Set the tempo at the onsets of a block of notes."""
    cdef int64_t start = at[0].start, end = at[0].end, tick
    cdef double seconds_per_tick = at[0].seconds_per_tick
    cdef size_t i
    if map.count == 1:
        for i in range(n):
            onsets.seconds_per_tick[i] = seconds_per_tick
        return
    for i in range(n):
        tick = onset_of(notes, row + i)
        if not start <= tick < end:
            at[0] = segment_at(map, <const TempoSegment *>map.segments if tick < start else at[0], tick)  # the next track starts over
            start = at[0].start
            end = at[0].end
            seconds_per_tick = at[0].seconds_per_tick
        onsets.seconds_per_tick[i] = seconds_per_tick


cdef uint32_t place_onsets(
    Onsets *onsets, const NoteColumns *notes, size_t row, size_t n, double first_frame, double first_quarter, double quarter
) noexcept nogil:
    """Set frame, length and position in the quarter of a block of notes, in vectors; returns the last frame."""
    cdef double quarters_per_tick = 1 / quarter, positions_per_tick = POSITIONS / quarter
    cdef const double *seconds = notes.onset_s + row
    cdef double tick
    cdef int32_t position, last = 0
    cdef size_t i
    onset_ticks(notes, row, n, onsets.ticks)
    length_ticks(notes, row, n, onsets.lengths_in_ticks)
    for i in range(n):
        onsets.frames[i] = <int32_t>min(seconds[i] * FRAME_RATE + TRUNCATION_OFFSET - first_frame, <double>MAX_FRAMES)
    for i in range(n):
        onsets.lengths[i] = <int32_t>min(
            onsets.lengths_in_ticks[i] * (onsets.seconds_per_tick[i] * LENGTH_RATE) + TRUNCATION_OFFSET, <double>MAX_LENGTH
        )
    for i in range(n):
        tick = onsets.ticks[i] - first_quarter
        tick -= rounded((tick + 0.5) * quarters_per_tick - 0.5) * quarter
        onsets.positions[i] = <int32_t>min(tick * positions_per_tick + ROUNDING_OFFSET, <double>POSITIONS)
    for i in range(n):
        position = onsets.positions[i] if onsets.positions[i] < POSITIONS else 0
        onsets.positions[i] = position if onsets.frames[i] < MAX_FRAMES else LEFT_OUT
    for i in range(n):
        last = max(last, onsets.frames[i] & (MAX_FRAMES - 1))  # a power of two: notes that are left out count as 0
    return last


cdef inline void pack_strengths(
    Onsets *onsets, const uint8_t *sounds, const uint8_t *velocities, size_t n, uint32_t first_middle_pitch
) noexcept nogil:
    """Set the packed strengths of a block of notes, in vectors."""
    cdef uint32_t loudness, length
    cdef size_t i
    for i in range(n):
        loudness = (velocities[i] + 7) >> 3
        length = DRUM_LENGTH if sounds[i] & 1 else <uint32_t>onsets.lengths[i]
        onsets.packed_notes[i] = (
            loudness + (loudness * bass_factor(sounds[i], first_middle_pitch) << BASS_SHIFT) + (length << LENGTH_SHIFT)
        )


cdef inline void add_onsets(Onsets *onsets, size_t n) noexcept nogil:
    """Add a block of notes to their frames and positions.

    A field of which the highest bit gets set is cut to a value that is still above the highest quantised strength: it takes
    32 notes of the same 20 ms.
    """
    cdef QuarterPositions *positions = &onsets.positions_in_quarter
    cdef uint32_t frame, packed, over
    cdef size_t i
    for i in range(n):
        frame = onsets.frames[i]
        packed = onsets.packed[frame] + onsets.packed_notes[i]
        over = packed & (1 << BASS_SHIFT - 1 | 1 << LENGTH_SHIFT - 1 | <uint32_t>1 << 31)
        if over:
            packed = packed ^ over | over >> 2
        onsets.packed[frame] = packed
        onsets.has_onset[frame // WORD] |= <uint64_t>1 << (frame % WORD)
        positions.packed[onsets.positions[i]] += <uint64_t>(onsets.packed_notes[i] >> LENGTH_SHIFT) << COUNT_BITS | 1


cdef void unpack_positions(QuarterPositions *positions) noexcept nogil:
    """Set the notes and the lengths by position. Packed, they cost one addition per note."""
    cdef int i
    for i in range(POSITIONS + 1):
        positions.notes[i] = <uint32_t>(positions.packed[i] & (1 << COUNT_BITS) - 1)
    for i in range(POSITIONS):
        positions.lengths[i] = positions.packed[i] >> COUNT_BITS


cdef size_t count_onset_frames(const Onsets *onsets, size_t last_word) noexcept nogil:
    """The number of frames with onsets."""
    cdef size_t word, n = 0
    for word in range(last_word + 1):
        n += popcount(onsets.has_onset[word])
    return n


cdef uint32_t find_bass(const Notes *notes, double *drum_share) noexcept nogil:
    """The lowest pitch that is not low: BASS_MARGIN below the median, which is the lowest pitch with at least half of the pitched
    notes at or below it. Sets the share of drums among all notes."""
    cdef int64_t pitched = 0, drums = 0, below = 0
    cdef int i
    for i in range(128):
        pitched += notes.counts.pitches[i << 1]
        drums += notes.counts.pitches[i << 1 | 1]
    drum_share[0] = <double>drums / (pitched + drums)
    for i in range(128):
        below += notes.counts.pitches[i << 1]
        if 2 * below >= pitched:
            break
    return max(i - BASS_MARGIN, 0)


cdef void quantize_strengths(Onsets *onsets, size_t last_word, size_t step) noexcept nogil:
    """Quantise the packed strengths to small integers, rounding up, and clear them and has_onset. Sets the totals.

    Lists the frames of every step-th word, at most MAX_CORRELATED, by each strength. No autocorrelation then exceeds
    7 * 7 * MAX_CORRELATED, which fits into 16 bits.
    """
    cdef uint64_t bits
    cdef uint32_t packed, loudness, bass, length, total_loudness = 0, total_bass = 0, total_length = 0
    cdef size_t word, frame, next_word = 0, room = MAX_CORRELATED
    cdef int s, i
    for s in range(STRENGTHS):
        for i in range(MAX_STRENGTH + 1):
            onsets.ends[s][i] = onsets.correlated[s][i]
    for word in range(last_word + 1):
        bits = onsets.has_onset[word]
        onsets.has_onset[word] = 0
        while bits:
            frame = word * WORD + trailing_zeros(bits)
            bits &= bits - 1
            packed = onsets.packed[frame]
            onsets.packed[frame] = 0
            loudness = EIGHTHS[packed & FIELD_MASK]
            bass = EIGHTHS[packed >> BASS_SHIFT & FIELD_MASK]
            length = SIXTEENTHS[packed >> LENGTH_SHIFT]
            onsets.strengths[LOUDNESS][frame] = <uint8_t>loudness
            onsets.strengths[BASS][frame] = <uint8_t>bass
            onsets.strengths[LENGTH][frame] = <uint8_t>length
            total_loudness += loudness
            total_bass += bass
            total_length += length
            if word == next_word and room:
                room -= 1
                list_frame(&onsets.ends[LOUDNESS][loudness], frame)
                list_frame(&onsets.ends[BASS][bass], frame)
                list_frame(&onsets.ends[LENGTH][length], frame)
        if word == next_word:
            next_word += step
    onsets.totals[LOUDNESS] = total_loudness
    onsets.totals[BASS] = total_bass
    onsets.totals[LENGTH] = total_length


cdef inline void list_frame(uint16_t **end, size_t frame) noexcept nogil:
    """Append a frame to a list."""
    end[0][0] = <uint16_t>frame
    end[0] += 1
