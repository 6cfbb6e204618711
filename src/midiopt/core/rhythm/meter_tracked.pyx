"""Estimates the meter of a performance from its tracked beats.

Its pulses are placed on the beats, as if these were quarters, and the weights of written music (meter_quantized.pyx) are applied: there
are too few performances to learn from. Bar lines are not known. reference/meter.py has the same in plain Python.
"""

from libc.math cimport floor
from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.string cimport memset

from midiopt.core.doubles cimport ROUNDING_OFFSET
from midiopt.core.rhythm.bass_notes cimport bass_factor
from midiopt.core.rhythm.meter_accents cimport softmax_argmax
from midiopt.core.rhythm.meter_quantized cimport MAX_SLOTS, QUANTIZED_METERS, SLOTS_PER_QUARTER, clear_slots, score_meters

cdef enum:
    FAR = 4  # beats before the first one and after the last one, to which pulses are placed

# What is shorter is an eighth: beats, and thirds of beats. Limits from 150 to 180 BPM give results that differ by 0.005.
cdef double MIN_QUARTER = 60 / 170.0  # seconds
# Scores are divided by it: beats are wrong more often than written quarters. The mean confidence is then the share of right answers.
cdef double TEMPERATURE = 2.0


cdef bint meter_from_beats(
    SlotScratch *s, const TimedNote *notes, size_t note_count, const TrackedBeat *beats, size_t beat_count, double distance,
    uint32_t first_middle_pitch, double drums, MeterEstimate *estimate
) noexcept nogil:
    """Set the most probable meter, the first on a tie; False when there are too few onsets. `distance` is that of beats in seconds."""
    cdef double slots_per_beat = SLOTS_PER_QUARTER
    cdef int m
    if has_thirds(s.phase_counts, notes, note_count, beats, beat_count):
        slots_per_beat = 3 * SLOTS_PER_QUARTER // (1 if distance > 3 * MIN_QUARTER else 2)  # three quarters, or three eighths
    elif distance < MIN_QUARTER:
        slots_per_beat = SLOTS_PER_QUARTER // 2
    clear_slots(s)
    mark_pulses(s, notes, note_count, beats, beat_count, slots_per_beat, first_middle_pitch)
    if not score_meters(s, note_count, drums, False, 0, 0):
        return False
    for m in range(QUANTIZED_METERS):
        s.scores[m] /= TEMPERATURE
    estimate[0] = softmax_argmax(s.scores, QUANTIZED_METERS)
    return True


cdef bint has_thirds(
    int *pulses, const TimedNote *notes, size_t note_count, const TrackedBeat *beats, size_t beat_count
) noexcept nogil:
    """Whether more pulses are at thirds of beats than at their halves and quarters. `pulses` is room for those at each twelfth."""
    cdef size_t at = 0, i
    cdef int k
    memset(pulses, 0, SLOTS_PER_QUARTER * sizeof(int))
    for i in range(note_count):
        if i == 0 or notes[i].seconds != notes[i - 1].seconds:
            k = <int>(slot_of_beat(beats, beat_count, &at, notes[i].seconds, SLOTS_PER_QUARTER) % SLOTS_PER_QUARTER)
            pulses[k + SLOTS_PER_QUARTER if k < 0 else k] += 1
    return pulses[4] + pulses[8] > pulses[3] + pulses[6] + pulses[9]


cdef void mark_pulses(
    SlotScratch *s, const TimedNote *notes, size_t note_count, const TrackedBeat *beats, size_t beat_count, double slots_per_beat,
    uint32_t first_middle_pitch
) noexcept nogil:
    """Set the onsets, low notes and top notes of the first MAX_SLOTS slots."""
    cdef uint8_t *highest = <uint8_t *>s.top_notes  # pitch and drum in turn
    cdef size_t at = 0, i
    cdef int64_t slot = 0, first = 0, place
    cdef uint64_t is_low
    for i in range(note_count):
        if i == 0 or notes[i].seconds != notes[i - 1].seconds:
            slot = slot_of_beat(beats, beat_count, &at, notes[i].seconds, slots_per_beat) - first
            if i == 0:
                first = slot
                slot = 0
            if slot >= MAX_SLOTS:
                break
        is_low = 1 if bass_factor(notes[i].sound, first_middle_pitch) else 0
        s.onsets[slot >> 6] |= <uint64_t>1 << (slot & 63)
        s.low_notes[slot >> 6] |= is_low << (slot & 63)
        place = 2 * slot + (notes[i].sound & 1)
        highest[place] = max(highest[place], <uint8_t>((notes[i].sound >> 1) + 1))


cdef inline int64_t slot_of_beat(
    const TrackedBeat *beats, size_t count, size_t *at, double seconds, double slots_per_beat
) noexcept nogil:
    """The slot nearest to a time, between the beats around it; `at` is the index of one before, and times may not go back."""
    cdef double position, apart
    while at[0] + 2 < count and beats[at[0] + 1].seconds <= seconds:
        at[0] += 1
    apart = beats[at[0] + 1].seconds - beats[at[0]].seconds
    position = at[0] + ((seconds - beats[at[0]].seconds) / apart if apart > 0 else 0)
    position = min(max(position, -<double>FAR), <double>(count + FAR))
    return <int64_t>floor(position * slots_per_beat + ROUNDING_OFFSET)
