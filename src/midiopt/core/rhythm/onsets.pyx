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
from midiopt.core.rhythm.autocorrelation cimport onset_autocorrelation, smooth_lags
from midiopt.core.rhythm.beat cimport FIELD_BITS, MAX_FIELD, Beat, choose_beat
from midiopt.core.rhythm.bits cimport leading_zeros, popcount, trailing_zeros
from midiopt.core.rhythm.meter_accents cimport MeterEstimate, meter_from_accents
from midiopt.core.rhythm.meter_quantized cimport meter_from_slots
from midiopt.core.rhythm.quantization cimport POSITIONS, quantization_facts
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


cdef void onset_facts(Onsets *onsets, const Notes *notes, const TempoMap *map, Facts *facts) noexcept nogil:
    """Set the facts of a sequence that come from its onsets: beat, meter, quantisation. With too few onsets they stay as they
    are."""
    cdef uint32_t[STRENGTHS] totals
    cdef size_t last_word, n
    cdef const TempoSegment *first = map.segments
    cdef double drums
    cdef int s
    if notes.columns.count < MIN_ONSETS or onsets.sequence_count == MAX_SEQUENCES:
        return
    onsets.sequence_count += 1
    if seconds_at(map, &first, notes.counts.first_onset) * FRAME_RATE >= <double>(<int64_t>1 << EXACT_FRAME_BITS):
        return
    drums = note_weights(notes, onsets.weights)
    last_word = add_strengths(onsets, notes, map)
    quantize_strengths(onsets, last_word, totals)
    n = count_onset_frames(onsets, last_word)
    if n >= MIN_ONSETS:
        if facts.ticks_per_quarter != NULL_INT32:
            onsets.tempo_map_ignored = quantization_facts(&onsets.positions_in_quarter, facts)
        correlate_strengths(onsets, last_word, n, totals)
        beat_facts(onsets, notes, map, n, drums, facts)
    for s in range(STRENGTHS):
        memset(onsets.strengths[s], 0, (last_word + 1) * WORD * sizeof(uint16_t))
    memset(onsets.has_onset, 0, (last_word + 1) * sizeof(uint64_t))


cdef void correlate_strengths(Onsets *onsets, size_t last_word, size_t n, const uint32_t *totals) noexcept nogil:
    """Set the autocorrelations of `n` frames with onsets; `totals` are the sums of their strengths."""
    cdef Autocorrelations *a = &onsets.autocorrelations
    cdef size_t correlated = list_onset_frames(onsets, last_word, 1 + (n - 1) // MAX_CORRELATED)
    cdef size_t i, n_strong
    cdef uint32_t total
    cdef uint16_t strength
    cdef int s
    a.frames = last_word * WORD + WORD - leading_zeros(onsets.has_onset[last_word])
    for s in range(STRENGTHS):
        total = n_strong = 0
        for i in range(correlated):
            strength = onsets.strengths[s][onsets.correlated[i]]
            onsets.strong[n_strong] = onsets.correlated[i]
            n_strong += strength != 0
            total += strength
        onsets.strong[n_strong] = MAX_FRAMES
        onset_autocorrelation(onsets.strengths[s], onsets.strong, onsets.sums)
        smooth_lags(onsets.sums, a.values[s])
        a.expected[s] = 16.0 * total * totals[s] / a.frames


cdef void beat_facts(Onsets *onsets, const Notes *notes, const TempoMap *map, size_t n, double drums, Facts *facts) noexcept nogil:
    """Set bpm_onsets, meter_estimated and their confidences, if there is a beat."""
    cdef Autocorrelations *a = &onsets.autocorrelations
    cdef double density = log2(<double>n / max(a.frames - 1, <size_t>(FRAME_RATE // 2)))
    cdef Beat beat = choose_beat(a, &onsets.beat, density, drums)
    cdef bint follows_map = facts.ticks_per_quarter != NULL_INT32 and not onsets.tempo_map_ignored
    cdef MeterEstimate meter
    if beat.period == 0:
        return
    facts.bpm_onsets = 60 * FRAME_RATE / beat.period
    facts.bpm_onsets_confidence = beat.confidence
    if not follows_map or not meter_from_slots(&onsets.slots, notes, map.ticks_per_quarter, onsets.weights, drums, &meter):
        meter = meter_from_accents(&onsets.accents, a.values, beat.period, density, drums)
    facts.meter_estimated = meter.meter
    facts.meter_confidence = meter.confidence


cdef size_t add_strengths(Onsets *onsets, const Notes *notes, const TempoMap *map) noexcept nogil:
    """Add the notes to the packed strengths of their frames and to their positions in the quarter; returns the last word of
    has_onset that is not 0. Notes after MAX_FRAMES are left out.

    Work that vectors can do is done for blocks of notes: 78.7 us per file instead of 81.2. The quarter of an SMPTE file, which
    need not be an integer, is rounded: its positions are not used.
    """
    cdef const TempoSegment *at = map.segments
    cdef const NoteColumns *c = &notes.columns
    cdef size_t row = 0, uncapped = 0, n
    cdef double first_frame = floor(seconds_at(map, &at, notes.counts.first_onset) * FRAME_RATE + TRUNCATION_OFFSET)
    cdef double quarter = floor(map.ticks_per_quarter + 0.5)
    cdef double first_quarter = floor(notes.counts.first_onset / quarter) * quarter  # its tick
    cdef uint32_t last = 0
    memset(&onsets.positions_in_quarter, 0, sizeof(QuarterPositions))
    while row < c.count:
        n = min(c.count - row, <size_t>ONSET_BLOCK)
        find_tempo(onsets, c, row, n, map, &at)
        place_onsets(onsets, c, row, n, first_frame, first_quarter, quarter)
        uncapped += n
        if uncapped > MAX_UNCAPPED_ONSETS:
            cap_strengths(onsets, last // WORD)
            uncapped = n
        last = max(last, add_onsets(onsets, c, row, n))
        row += n
    return last // WORD


cdef inline void find_tempo(
    Onsets *onsets, const NoteColumns *notes, size_t row, size_t n, const TempoMap *map, const TempoSegment **at
) noexcept nogil:
    """Set the tempo at the onsets of a block of notes."""
    cdef size_t i
    if map.count == 1:
        for i in range(n):
            onsets.seconds_per_tick[i] = map.segments.seconds_per_tick
        return
    for i in range(n):
        if onset_of(notes, row + i) < at[0].start:  # the next track
            at[0] = map.segments
        if onset_of(notes, row + i) >= at[0].end:
            at[0] = segment_at(map, at[0], onset_of(notes, row + i))
        onsets.seconds_per_tick[i] = at[0].seconds_per_tick


cdef void place_onsets(
    Onsets *onsets, const NoteColumns *notes, size_t row, size_t n, double first_frame, double first_quarter, double quarter
) noexcept nogil:
    """Set frame, length and position in the quarter of a block of notes, in vectors."""
    cdef double quarters_per_tick = 1 / quarter, positions_per_tick = POSITIONS / quarter
    cdef const double *seconds = notes.onset_s + row
    cdef const uint8_t *sounds = notes.sound + row
    cdef double tick
    cdef int32_t length
    cdef size_t i
    onset_ticks(notes, row, n, onsets.ticks)
    length_ticks(notes, row, n, onsets.lengths_in_ticks)
    for i in range(n):
        onsets.frames[i] = <int32_t>min(seconds[i] * FRAME_RATE + TRUNCATION_OFFSET - first_frame, <double>MAX_FRAMES)
    for i in range(n):
        length = <int32_t>min(
            onsets.lengths_in_ticks[i] * (onsets.seconds_per_tick[i] * LENGTH_RATE) + TRUNCATION_OFFSET, <double>MAX_LENGTH
        )
        onsets.lengths[i] = DRUM_LENGTH if sounds[i] & 1 else length
    for i in range(n):
        tick = onsets.ticks[i] - first_quarter
        tick -= rounded((tick + 0.5) * quarters_per_tick - 0.5) * quarter
        onsets.positions[i] = <int32_t>min(tick * positions_per_tick + ROUNDING_OFFSET, <double>POSITIONS)


cdef inline uint32_t add_onsets(Onsets *onsets, const NoteColumns *notes, size_t row, size_t n) noexcept nogil:
    """Add a block of notes to their frames and positions; returns the last frame."""
    cdef QuarterPositions *positions = &onsets.positions_in_quarter
    cdef uint32_t frame, last = 0
    cdef uint64_t velocity
    cdef size_t i
    for i in range(n):
        frame = onsets.frames[i]
        if frame == MAX_FRAMES:
            continue
        onsets.has_onset[frame // WORD] |= <uint64_t>1 << (frame % WORD)
        last = max(last, frame)
        positions.notes[onsets.positions[i] if onsets.positions[i] < POSITIONS else 0] += 1
        positions.count += 1
        velocity = (notes.velocity[row + i] + 7) >> 3
        onsets.packed[frame] += velocity * onsets.weights[notes.sound[row + i]] + (<uint64_t>onsets.lengths[i] << 2 * FIELD_BITS)
    return last


cdef void cap_strengths(Onsets *onsets, size_t last_word) noexcept nogil:
    """Cap all packed strengths at MAX_FIELD, so that the next MAX_UNCAPPED_ONSETS notes carry into no other field."""
    cdef uint64_t mask = (<uint64_t>1 << FIELD_BITS) - 1
    cdef uint64_t bits, packed
    cdef size_t word, frame
    for word in range(last_word + 1):
        bits = onsets.has_onset[word]
        while bits:
            frame = word * WORD + trailing_zeros(bits)
            bits &= bits - 1
            packed = onsets.packed[frame]
            onsets.packed[frame] = (
                min(packed & mask, <uint64_t>MAX_FIELD)
                | min(packed >> FIELD_BITS & mask, <uint64_t>MAX_FIELD) << FIELD_BITS
                | min(packed >> 2 * FIELD_BITS, <uint64_t>MAX_FIELD) << 2 * FIELD_BITS
            )


cdef size_t count_onset_frames(const Onsets *onsets, size_t last_word) noexcept nogil:
    """The number of frames with onsets."""
    cdef size_t word, n = 0
    for word in range(last_word + 1):
        n += popcount(onsets.has_onset[word])
    return n


cdef size_t list_onset_frames(Onsets *onsets, size_t last_word, size_t step) noexcept nogil:
    """Write the frames with onsets of every step-th word to `correlated`, at most MAX_CORRELATED; returns how many."""
    cdef uint64_t bits
    cdef size_t word = 0, n = 0
    while word <= last_word:
        bits = onsets.has_onset[word]
        while bits:
            if n == MAX_CORRELATED:
                return n
            onsets.correlated[n] = <uint16_t>(word * WORD + trailing_zeros(bits))
            n += 1
            bits &= bits - 1
        word += step
    return n


cdef double note_weights(const Notes *notes, uint64_t *weights) noexcept nogil:
    """Set the factors of velocity in packed strengths, by pitch << 1 | is drum; returns the share of drums among all notes.

    The factor of loudness is 1; that of bass, one field higher, is 1 for low notes and 2 for bass drums, snares, sticks and claps.
    """
    cdef uint64_t bass = <uint64_t>1 << FIELD_BITS
    cdef int64_t pitched = 0, drums = 0, below = 0
    cdef int i
    for i in range(128):
        weights[i << 1] = weights[i << 1 | 1] = 1
        pitched += notes.counts.pitches[i << 1]
        drums += notes.counts.pitches[i << 1 | 1]
    for i in range(128):  # up to the median: the lowest pitch with at least half of the notes at or below it
        weights[i << 1] += bass
        below += notes.counts.pitches[i << 1]
        if 2 * below >= pitched:
            break
    for i in range(max(i - BASS_MARGIN, 0), i + 1):
        weights[i << 1] = 1
    for i in range(35, 41):
        weights[i << 1 | 1] += 2 * bass
    return <double>drums / (pitched + drums)


cdef void quantize_strengths(Onsets *onsets, size_t last_word, uint32_t *totals) noexcept nogil:
    """Quantise the packed strengths to small integers, rounding up, and clear them; sets the totals.

    No autocorrelation then exceeds 7 * 7 * MAX_CORRELATED, which fits into 16 bits.
    """
    cdef uint64_t mask = (<uint64_t>1 << FIELD_BITS) - 1
    cdef uint64_t packed, bits
    cdef size_t word, frame
    cdef uint32_t loudness, bass, length
    totals[0] = totals[1] = totals[2] = 0
    for word in range(last_word + 1):
        bits = onsets.has_onset[word]
        while bits:
            frame = word * WORD + trailing_zeros(bits)
            bits &= bits - 1
            packed = onsets.packed[frame]
            onsets.packed[frame] = 0
            loudness = <uint32_t>min(((packed & mask) + 7) >> 3, <uint64_t>4)
            bass = <uint32_t>min(((packed >> FIELD_BITS & mask) + 7) >> 3, <uint64_t>4)
            length = <uint32_t>min(((packed >> 2 * FIELD_BITS) + 15) >> 4, <uint64_t>7)
            onsets.strengths[0][frame] = <uint16_t>loudness
            onsets.strengths[1][frame] = <uint16_t>bass
            onsets.strengths[2][frame] = <uint16_t>length
            totals[0] += loudness
            totals[1] += bass
            totals[2] += length
