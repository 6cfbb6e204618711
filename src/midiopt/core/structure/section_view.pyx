"""The sections of a file as tuples, also where the column `sections` is null because they are not sure."""

from libc.stdint cimport int64_t
from libc.stdlib cimport free

from midiopt.core.memory cimport allocate_zeroed, release
from midiopt.core.rhythm.first_sequence cimport FirstSequence, has_bars, read_first_sequence, start_sequence
from midiopt.core.smf.arena cimport EventArena
from midiopt.core.smf.midi cimport USABLE
from midiopt.core.structure.sections cimport Section, Sections, find_sections, start_of_bar
from midiopt.core.timeline.bar_grid cimport SUBTICK_SHIFT
from midiopt.core.timeline.tempo_map cimport TempoSegment, seconds_at

cdef struct Reading:
    FirstSequence sequence
    Sections sections


def read_sections(EventArena events not None):
    """The sections of a file, as tuples (tick, seconds, label, first bar, bars); in format 2, of the first track that has notes."""
    cdef Reading *r = <Reading *>allocate_zeroed(sizeof(Reading))
    if r == NULL:
        raise MemoryError()
    start_sequence(&r.sequence)
    try:
        if read_first_sequence(&r.sequence, events) != USABLE:
            raise MemoryError()
        if has_bars(&r.sequence):
            find_sections(&r.sections, &r.sequence.notes, &r.sequence.bars)
        return section_list(r)
    finally:
        release(&r.sequence.scratch)
        free(r)


cdef list section_list(Reading *r):
    cdef const TempoSegment *segment = r.sequence.map.segments
    cdef const Section *section
    cdef int64_t tick
    cdef int i
    found = []
    for i in range(r.sections.count):
        section = &r.sections.items[i]
        tick = max(start_of_bar(&r.sequence.bars, section.start) >> SUBTICK_SHIFT, <int64_t>0)
        seconds = seconds_at(&r.sequence.map, &segment, tick)
        found.append((tick, seconds, label_text(section.label), section.start, section.end - section.start))
    return found


cdef str label_text(int label):
    """A to Z, then AA, AB and so on."""
    text = ""
    while True:
        text = chr(ord("A") + label % 26) + text
        label = label // 26 - 1
        if label < 0:
            return text
