from libc.stddef cimport size_t
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from midiopt.core.notes.types cimport NoteColumns, Notes
from midiopt.core.rhythm.meter_accents cimport MeterEstimate

cdef enum:
    SLOTS_PER_QUARTER = 12
    SLOT_WORDS = 32
    MAX_SLOTS = SLOT_WORDS * 64  # from the first onset on: 42 bars of 4/4
    PADDING_WORDS = 4  # room for the longest lag and one more word
    MAX_LAG = 216  # slots
    SLOT_BLOCK = 64  # notes that are processed at a time: few enough that many blocks are left out as a whole
    MAX_INTERVAL = 48  # slots
    INTERVAL_COUNT = 11
    BAR_LENGTH_COUNT = 9
    LAG_COUNT = 20
    QUANTIZED_FEATURES = 3 + INTERVAL_COUNT + 2 * BAR_LENGTH_COUNT + 3 * LAG_COUNT
    QUANTIZED_METERS = 8  # all of schema.METERS

# Scratch memory of meter_from_slots.
cdef struct SlotScratch:
    # Of a block of notes.
    double ticks[SLOT_BLOCK]  # onset
    int32_t slots[SLOT_BLOCK]  # MAX_SLOTS for notes that are left out
    int32_t top_places[SLOT_BLOCK]  # index of a byte of top_notes
    uint8_t pitches[SLOT_BLOCK]  # pitch + 1
    uint8_t is_low[SLOT_BLOCK]
    # A bit or an item per slot.
    uint16_t comparable[MAX_SLOTS]  # top_notes, with silence made unlike any other slot
    uint8_t intervals[MAX_SLOTS]  # slots from one onset to the next
    uint16_t interval_counts[2][MAX_INTERVAL + 1]
    int phase_counts[SLOTS_PER_QUARTER]  # slots with notes, by their place in the quarter
    uint64_t onsets[SLOT_WORDS]
    uint16_t top_notes[MAX_SLOTS + MAX_LAG]  # highest pitch + 1 in the low byte, highest drum + 1 in the high byte; 0 for none
    uint64_t long_notes[SLOT_WORDS + PADDING_WORDS]
    uint64_t low_notes[SLOT_WORDS + PADDING_WORDS]
    double features[QUANTIZED_FEATURES]
    double scores[QUANTIZED_METERS]


# Domain: ticks below 2**TICK_BITS, and a last note end before slot 2**50: beyond, the result is False. Slots from MAX_SLOTS on
# are left out.
cdef bint meter_from_slots(
    SlotScratch *s, const Notes *notes, double quarter, uint32_t first_middle_pitch, double drums, MeterEstimate *estimate
) noexcept nogil
cdef void clear_slots(SlotScratch *s) noexcept nogil
cdef bint score_meters(
    SlotScratch *s, size_t note_count, double drums, bint has_bar_lines, int64_t first, int64_t end
) noexcept nogil
