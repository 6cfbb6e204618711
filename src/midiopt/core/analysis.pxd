from libc.stddef cimport size_t
from libc.stdint cimport uint8_t

from midiopt.core.facts cimport Facts
from midiopt.core.harmony.chords cimport Chords
from midiopt.core.harmony.chroma cimport Chroma
from midiopt.core.harmony.key_evidence cimport KeyEvidence
from midiopt.core.harmony.progression cimport Progression
from midiopt.core.memory cimport Scratch
from midiopt.core.notes.types cimport Notes
from midiopt.core.rhythm.onsets cimport Onsets
from midiopt.core.rhythm.performance_beats cimport PerformanceBeats
from midiopt.core.smf.arena cimport Arena
from midiopt.core.smf.midi cimport Status
from midiopt.core.structure.drums cimport Drums
from midiopt.core.structure.sections cimport Sections
from midiopt.core.structure.sketch cimport Sketch
from midiopt.core.structure.track_facts cimport TrackTable
from midiopt.core.text.text cimport TextHeap
from midiopt.core.timeline.bar_grid cimport BarGrid
from midiopt.core.timeline.tempo_map cimport TempoMap
from midiopt.core.timeline.time_signatures cimport TimeSignatures

# The memory of the parser and of every kernel. Structs with arrays that vector loops write are pointers to aligned memory, see
# allocate_zeroed().
cdef struct Workspace:
    Scratch scratch
    Arena arena
    TempoMap map
    TimeSignatures signatures
    Notes *notes
    BarGrid bars
    Chords *chords
    Progression *progression
    Drums *drums
    Chroma *chroma
    KeyEvidence *evidence
    Onsets *onsets
    Sketch *sketch
    Sections *sections
    PerformanceBeats *played
    TextHeap heap
    Facts facts
    TrackTable *tracks  # NULL until they are asked for
    bint has_tracks  # whether they are, for the current file
    size_t max_events


cdef Status analyze_file(Workspace *w, const uint8_t *data, size_t size, size_t *reason_at) noexcept nogil
