from libc.stddef cimport size_t
from libc.stdint cimport uint32_t

from midiopt.core.rhythm.beat_bars cimport TrackedBeat
from midiopt.core.rhythm.meter_accents cimport MeterEstimate
from midiopt.core.rhythm.meter_quantized cimport SlotScratch
from midiopt.core.rhythm.pulses cimport TimedNote


# Domain: at least one note, in time order, with the times of their pulses, and two beats. Times of beats do not go back.
cdef bint meter_from_beats(
    SlotScratch *s, const TimedNote *notes, size_t note_count, const TrackedBeat *beats, size_t beat_count, double distance,
    uint32_t first_middle_pitch, double drums, MeterEstimate *estimate
) noexcept nogil
