from libc.stddef cimport size_t
from libc.stdint cimport uint32_t

from midiopt.core.facts cimport Facts
from midiopt.core.memory cimport Scratch
from midiopt.core.notes.types cimport NoteColumns, Notes
from midiopt.core.rhythm.beat_bars cimport TrackedBeat
from midiopt.core.rhythm.beat_tracker cimport Tracker
from midiopt.core.rhythm.meter_quantized cimport SlotScratch
from midiopt.core.rhythm.pulse_scores cimport PulseNetwork
from midiopt.core.rhythm.pulses cimport Pulses
from midiopt.core.smf.midi cimport Status

cdef enum:
    MAX_BEATS = 100_000  # fourteen hours at 120 BPM
    MAX_TRACKED = 32768  # notes of a performance of which facts are tracked: up to three hours, or 8 ms of work
    MAX_UNENDED = 128  # of them that have no event but their own: a key each
    MAX_DISTANCE = 4096  # milliseconds between beats

# The tracked beats of a performance, and the scratch memory for them, all zero at first.
cdef struct PerformanceBeats:
    Pulses pulses
    PulseNetwork network
    Tracker tracker
    TrackedBeat *beats
    size_t count  # of beats
    uint32_t distances[MAX_DISTANCE]  # beats by the milliseconds from the one before


cdef inline bint is_tracked(size_t notes, size_t events) noexcept nogil:
    """Whether facts are tracked of a performance with so many notes, in a file with so many events.

    Tracking takes 200 ns a note: of a file that consists of onsets, three bytes each, 6.4 times what a song takes per byte.
    """
    return notes <= MAX_TRACKED and 2 * notes <= events + MAX_UNENDED


# Domain: at least one note, with times that are finite, and a period in seconds above 0.
cdef Status track_beats(PerformanceBeats *p, Scratch *scratch, const NoteColumns *notes, double period) noexcept nogil
cdef void performance_facts(PerformanceBeats *p, SlotScratch *slots, const Notes *notes, bint has_bars, Facts *facts) noexcept nogil
