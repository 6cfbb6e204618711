"""The sections of a file as tuples, also where the column `sections` is null because they are not sure."""

from libc.stddef cimport size_t
from libc.stdint cimport int64_t
from libc.stdlib cimport free

from midiopt.core.facts cimport Facts
from midiopt.core.memory cimport Scratch, allocate_zeroed, release
from midiopt.core.notes.notes cimport read_notes, reset_note_counts
from midiopt.core.notes.types cimport Notes
from midiopt.core.rhythm.onsets cimport Onsets, onset_facts
from midiopt.core.smf.arena cimport EventArena
from midiopt.core.smf.midi cimport USABLE, Status
from midiopt.core.structure.sections cimport Section, Sections, find_sections, start_of_bar
from midiopt.core.timeline.bar_grid cimport SUBTICK_SHIFT, BarGrid, build_bar_grid, phase_in_subticks
from midiopt.core.timeline.tempo_map cimport TempoMap, TempoSegment, read_tempo_map, seconds_at
from midiopt.core.timeline.time_signatures cimport TimeSignatures, read_time_signatures

# All that reading the sections needs (1.5 MB), for one file.
cdef struct Reading:
    Scratch scratch
    TempoMap map
    TimeSignatures signatures
    Notes notes
    BarGrid bars
    Sections sections
    Onsets onsets  # of these, the phase of the beats
    Facts facts


def read_sections(EventArena events not None):
    """The sections of a file, as tuples (tick, seconds, label, first bar, bars); in format 2, of the first track that has notes."""
    cdef Reading *r = <Reading *>allocate_zeroed(sizeof(Reading))
    if r == NULL:
        raise MemoryError()
    r.map.scratch = r.signatures.scratch = r.notes.scratch = &r.scratch
    r.notes.counts_notes = True
    try:
        if not events.arena.header.division & 0x8000 and read_first_sequence(r, events) != USABLE:
            raise MemoryError()
        return section_list(r)
    finally:
        release(&r.scratch)
        free(r)


cdef Status read_first_sequence(Reading *r, EventArena events) noexcept:
    """Find the sections of the first sequence that has notes; ticks of an SMPTE division have no bars."""
    cdef size_t first = 0, end, i, tracks = events.arena.track_count
    cdef int64_t duration = 0, quarter = events.arena.header.division, phase
    cdef Status status = USABLE
    while first < tracks and not status:
        end = first + 1 if events.arena.header.format == 2 else tracks
        reset_note_counts(&r.notes, &events.arena)
        status = read_tempo_map(&r.map, &events.arena, events.arena.data, first, end)
        if not status:
            status = read_notes(&r.notes, &events.arena, events.arena.data, &r.map, first, end)
        if not status and r.notes.columns.count:
            for i in range(first, end):
                duration = max(duration, events.arena.tracks[i].end_tick)
            status = read_time_signatures(&r.signatures, &events.arena, events.arena.data, first, end, duration)
            if not status:
                r.facts.ticks_per_quarter = quarter
                onset_facts(&r.onsets, &r.notes, &r.map, &r.facts)
                phase = phase_in_subticks(r.onsets.phase, quarter)
                build_bar_grid(&r.bars, &r.signatures, quarter, phase, r.notes.counts.first_onset, r.notes.counts.last_end)
                find_sections(&r.sections, &r.notes, &r.bars)
            return status
        first = end
    return status


cdef list section_list(Reading *r):
    cdef const TempoSegment *segment = r.map.segments
    cdef const Section *section
    cdef int64_t tick
    cdef int i
    found = []
    for i in range(r.sections.count):
        section = &r.sections.items[i]
        tick = max(start_of_bar(&r.bars, section.start) >> SUBTICK_SHIFT, <int64_t>0)
        found.append((tick, seconds_at(&r.map, &segment, tick), label_text(section.label), section.start, section.end - section.start))
    return found


cdef str label_text(int label):
    """A to Z, then AA, AB and so on."""
    text = ""
    while True:
        text = chr(ord("A") + label % 26) + text
        label = label // 26 - 1
        if label < 0:
            return text
