from libc.stdint cimport uint32_t

from midiopt.core.facts cimport Facts
from midiopt.core.harmony.chords cimport Chords
from midiopt.core.harmony.chroma cimport Chroma
from midiopt.core.harmony.key_evidence cimport KeyEvidence
from midiopt.core.timeline.bar_grid cimport BarGrid


cdef void estimate_key(
    KeyEvidence *e, const Chroma *chroma, const uint32_t *pitches, const Chords *chords, const BarGrid *bars, Facts *facts
) noexcept nogil
