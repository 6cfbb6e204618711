from libc.stddef cimport size_t

from midiopt.core.facts cimport Facts
from midiopt.core.harmony.chords cimport Chords
from midiopt.core.harmony.chroma cimport Chroma
from midiopt.core.harmony.key cimport KeyEvidence
from midiopt.core.harmony.progression cimport Progression
from midiopt.core.memory cimport Scratch
from midiopt.core.notes.types cimport Notes
from midiopt.core.rhythm.onsets cimport Onsets
from midiopt.core.rhythm.performance_beats cimport PerformanceBeats
from midiopt.core.smf.arena cimport Arena
from midiopt.core.structure.drums cimport Drums
from midiopt.core.structure.sections cimport Sections
from midiopt.core.structure.sketch cimport Sketch
from midiopt.core.structure.track_facts cimport TrackTable
from midiopt.core.text.text cimport TextHeap
from midiopt.core.timeline.bar_grid cimport BarGrid
from midiopt.core.timeline.tempo_map cimport TempoMap
from midiopt.core.timeline.time_signatures cimport TimeSignatures

# Structs with arrays that vector loops write are pointers to aligned memory, see allocate_zeroed().
cdef class Analyzer:
    cdef Scratch scratch
    cdef Arena arena
    cdef TempoMap map
    cdef TimeSignatures signatures
    cdef Notes *notes
    cdef BarGrid bars
    cdef Chords *chords
    cdef Progression *progression
    cdef Drums *drums
    cdef Chroma *chroma
    cdef KeyEvidence *evidence
    cdef Onsets *onsets
    cdef Sketch *sketch
    cdef Sections *sections
    cdef PerformanceBeats *played
    cdef TextHeap heap
    cdef Facts facts
    cdef TrackTable *tracks  # NULL until they are asked for
    cdef bint has_tracks  # whether they are, for the current file
    cdef bint is_busy  # a thread is using it
    cdef size_t max_events
    cdef append_row(self, bytearray rows, bytearray heap)
    cdef append_tracks(self, bytearray tracks, Py_ssize_t base)
