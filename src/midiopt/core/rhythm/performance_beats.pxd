from libc.stddef cimport size_t
from libc.stdint cimport uint32_t

from midiopt.core.facts cimport Facts
from midiopt.core.memory cimport Scratch
from midiopt.core.notes.types cimport NoteColumns
from midiopt.core.rhythm.beat_bars cimport BarScores, TrackedBeat
from midiopt.core.rhythm.beat_tracker cimport Tracker
from midiopt.core.rhythm.pulse_scores cimport PulseNetwork
from midiopt.core.rhythm.pulses cimport Pulses
from midiopt.core.smf.midi cimport Status

cdef enum:
    MAX_BEATS = 100_000  # fourteen hours at 120 BPM
    MAX_TRACKED = 32768  # notes of a performance of which facts are tracked: up to three hours, or 30 ms of work
    MAX_DISTANCE = 4096  # milliseconds between beats

# The tracked beats of a performance, and the scratch memory for them, all zero at first.
cdef struct PerformanceBeats:
    Pulses pulses
    PulseNetwork network
    Tracker tracker
    BarScores bar_scores
    TrackedBeat *beats
    size_t count  # of beats
    uint32_t distances[MAX_DISTANCE]  # beats by the milliseconds from the one before


# Domain: at least one note, with times that are finite, and a period in seconds above 0.
cdef Status track_beats(PerformanceBeats *p, Scratch *scratch, const NoteColumns *notes, double period) noexcept nogil
cdef void performance_facts(PerformanceBeats *p, bint has_bars, Facts *facts) noexcept nogil
