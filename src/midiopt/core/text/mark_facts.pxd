from libc.stdint cimport uint8_t

from midiopt.core.facts cimport Facts, TrackFacts
from midiopt.core.smf.arena cimport Arena
from midiopt.core.smf.midi cimport Status
from midiopt.core.text.text cimport TextHeap

cdef Status write_mark_facts(
    TextHeap *heap, const Arena *arena, const uint8_t *data, Facts *facts, TrackFacts *tracks
) noexcept nogil
