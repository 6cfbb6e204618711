"""The chords and the keys of a file as tuples: what the analysis computes on the way to its facts."""

from libc.stddef cimport size_t
from libc.stdint cimport int64_t
from libc.stdlib cimport free

from midiopt import schema

from midiopt.core.facts cimport NULL_ENUM, Facts
from midiopt.core.harmony.chords cimport LANES, NO_CHORD, Chords, estimate_chords, quality_name, write_symbol
from midiopt.core.harmony.chroma cimport SEGMENTS, Chroma, add_chroma
from midiopt.core.harmony.key cimport KeyEvidence, declared_key, estimate_key, key_code
from midiopt.core.memory cimport Scratch, allocate_zeroed, release
from midiopt.core.notes.notes cimport read_notes, reset_note_counts
from midiopt.core.notes.polyphony cimport measure_polyphony
from midiopt.core.notes.types cimport Notes
from midiopt.core.rhythm.onsets cimport Onsets, onset_facts
from midiopt.core.smf.arena cimport EventArena
from midiopt.core.smf.midi cimport USABLE, Status
from midiopt.core.timeline.bar_grid cimport SUBTICK_SHIFT, BarGrid, build_bar_grid, phase_in_subticks
from midiopt.core.timeline.tempo_map cimport TempoMap, TempoSegment, read_tempo_map, seconds_at
from midiopt.core.timeline.time_signatures cimport TimeSignatures, read_time_signatures

# All that an estimate needs (1.7 MB), for one file.
cdef struct Estimate:
    Scratch scratch
    TempoMap map
    TimeSignatures signatures
    Notes notes
    BarGrid bars
    Chords chords
    Chroma chroma
    KeyEvidence evidence
    Onsets onsets
    Facts facts  # of these, those of the key
    bint has_chords


def read_harmony(EventArena events not None):
    """The harmony of a file; in format 2, of the first track that has notes.

    Returns (chords, keys, end): lists of tuples of where each begins, (tick, seconds, symbol, root, quality, bass) and (tick, seconds,
    name), and the tick and the seconds of the last note end.
    """
    cdef Estimate *e = <Estimate *>allocate_zeroed(sizeof(Estimate))
    cdef const TempoSegment *segment
    if e == NULL:
        raise MemoryError()
    e.map.scratch = e.signatures.scratch = e.notes.scratch = &e.scratch
    e.notes.counts_notes = True
    e.facts.key = NULL_ENUM
    try:
        if read_first_sequence(e, events) != USABLE:
            raise MemoryError()
        segment = e.map.segments
        return chord_list(e), key_list(e), (e.notes.counts.last_end, seconds_at(&e.map, &segment, e.notes.counts.last_end))
    finally:
        release(&e.scratch)
        free(e)


cdef Status read_first_sequence(Estimate *e, EventArena events) noexcept:
    """Estimate the chords and the keys of the first sequence that has notes."""
    cdef size_t first = 0, end, tracks = events.arena.track_count
    cdef Status status = USABLE
    while first < tracks and not status:
        end = first + 1 if events.arena.header.format == 2 else tracks
        reset_note_counts(&e.notes, &events.arena)
        status = read_tempo_map(&e.map, &events.arena, events.arena.data, first, end)
        if not status:
            status = read_notes(&e.notes, &events.arena, events.arena.data, &e.map, first, end)
        if not status and e.notes.columns.count:
            return estimate(e, events, first, end)
        first = end
    return status


cdef Status estimate(Estimate *e, EventArena events, size_t first, size_t end) noexcept:
    """As analysis.pyx does. Ticks of an SMPTE division have no bars, and so no chords."""
    cdef int64_t duration = 0, quarter = events.arena.header.division, phase
    cdef Status status
    cdef size_t i
    add_chroma(&e.chroma, &e.notes, e.map.ticks_per_quarter)
    e.facts.key_declared = declared_key(&events.arena, events.arena.data, first, end)
    if events.arena.header.division & 0x8000:
        estimate_key(&e.evidence, &e.chroma, e.notes.counts.pitches, NULL, &e.bars, &e.facts)
        return USABLE
    status = measure_polyphony(&e.notes, &e.map)  # estimate_chords asks for it
    for i in range(first, end):
        duration = max(duration, events.arena.tracks[i].end_tick)
    if not status:
        status = read_time_signatures(&e.signatures, &events.arena, events.arena.data, first, end, duration)
    if not status:
        e.facts.ticks_per_quarter = quarter
        onset_facts(&e.onsets, &e.notes, &e.map, &e.facts)
        phase = phase_in_subticks(e.onsets.phase, quarter)
        build_bar_grid(&e.bars, &e.signatures, quarter, phase, e.notes.counts.first_onset, e.notes.counts.last_end)
        e.has_chords = estimate_chords(&e.chords, &e.notes, &e.bars)
        estimate_key(&e.evidence, &e.chroma, e.notes.counts.pitches, &e.chords if e.has_chords else NULL, &e.bars, &e.facts)
    return status


cdef list chord_list(Estimate *e):
    """The beats in which another chord begins."""
    cdef const TempoSegment *segment = e.map.segments
    cdef const Chords *c = &e.chords
    cdef char[12] text
    cdef int64_t tick
    cdef int i, size
    found = []
    if not e.has_chords:
        return found
    for i in range(c.first, e.bars.beat_count):
        if i == c.first or c.chords[i] != c.chords[i - 1]:
            tick = max(e.bars.starts[i] >> SUBTICK_SHIFT, <int64_t>0)
            size = write_symbol(text, c.chords[i], c.basses[i], c.base)
            symbol = text[:size].decode()
            if c.chords[i] == NO_CHORD:
                found.append((tick, seconds_at(&e.map, &segment, tick), symbol, None, None, None))
                continue
            root, bass = (c.chords[i] % LANES + c.base) % 12, (c.basses[i] + c.base) % 12
            found.append((tick, seconds_at(&e.map, &segment, tick), symbol, root, quality_name(c.chords[i]).decode(), bass))
    return found


cdef list key_list(Estimate *e):
    """The segments in which another key begins; one that holds throughout is the key of the file, which the whole model chooses."""
    cdef const TempoSegment *segment = e.map.segments
    cdef double duration
    cdef int64_t key = -1
    cdef int s, i, sounding = 0
    found = []
    if e.facts.key == NULL_ENUM:
        return found
    if e.evidence.path_length == 0:  # not one note has a length
        return [(e.chroma.starts[0], seconds_at(&e.map, &segment, e.chroma.starts[0]), schema.KEYS[e.facts.key])]
    for s in range(SEGMENTS):
        duration = 0
        for i in range(12):
            duration += e.evidence.weights[i][s]
        if duration == 0:
            continue
        if e.evidence.path[sounding] != key:
            key = e.evidence.path[sounding]
            code = key_code(<int>key, e.evidence.lowest) if e.evidence.changes else e.facts.key
            found.append((e.chroma.starts[s], seconds_at(&e.map, &segment, e.chroma.starts[s]), schema.KEYS[code]))
        sounding += 1
    return found
