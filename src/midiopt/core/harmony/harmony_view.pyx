"""The chords and the keys of a file as tuples: what the analysis computes on the way to its facts."""

from libc.stdint cimport int64_t
from libc.stdlib cimport free

from midiopt import schema

from midiopt.core.facts cimport NULL_ENUM
from midiopt.core.harmony.chord_names cimport quality_name, write_symbol
from midiopt.core.harmony.chords cimport LANES, NO_CHORD, Chords, estimate_chords
from midiopt.core.harmony.chroma cimport SEGMENTS, Chroma, add_chroma
from midiopt.core.harmony.key cimport estimate_key
from midiopt.core.harmony.key_evidence cimport KeyEvidence, declared_key, key_code
from midiopt.core.memory cimport allocate_zeroed, release
from midiopt.core.notes.polyphony cimport measure_polyphony
from midiopt.core.rhythm.first_sequence cimport FirstSequence, has_bars, read_first_sequence, start_sequence
from midiopt.core.smf.arena cimport EventArena
from midiopt.core.smf.midi cimport USABLE, Status
from midiopt.core.timeline.bar_grid cimport SUBTICK_SHIFT
from midiopt.core.timeline.tempo_map cimport TempoSegment, seconds_at

# All that an estimate needs (1.7 MB), for one file.
cdef struct Estimate:
    FirstSequence sequence  # of its facts, also those of the key
    Chords chords
    Chroma chroma
    KeyEvidence evidence


def read_harmony(EventArena events not None):
    """The harmony of a file; in format 2, of the first track that has notes.

    Returns (chords, keys, end): lists of tuples of where each begins, (tick, seconds, symbol, root, quality, bass) and (tick, seconds,
    name), and the tick and the seconds of the last note end.
    """
    cdef Estimate *e = <Estimate *>allocate_zeroed(sizeof(Estimate))
    cdef const TempoSegment *segment
    cdef int64_t end
    if e == NULL:
        raise MemoryError()
    start_sequence(&e.sequence)
    try:
        if read_first_sequence(&e.sequence, events) != USABLE or estimate(e, events) != USABLE:
            raise MemoryError()
        segment = e.sequence.map.segments
        end = e.sequence.notes.counts.last_end
        return chord_list(e), key_list(e), (end, seconds_at(&e.sequence.map, &segment, end))
    finally:
        release(&e.sequence.scratch)
        free(e)


cdef Status estimate(Estimate *e, EventArena events) noexcept:
    """The chords and the keys, as analysis.pyx estimates them. Ticks without bars have no chords."""
    cdef FirstSequence *s = &e.sequence
    cdef Status status
    if s.notes.columns.count == 0:
        return USABLE
    add_chroma(&e.chroma, &s.notes, s.map.ticks_per_quarter)
    s.facts.key_declared = declared_key(&events.arena, events.arena.data, s.first_track, s.end_track)
    if has_bars(s):
        status = measure_polyphony(&s.notes, &s.map)  # estimate_chords asks for it
        if not status:
            status = estimate_chords(&e.chords, &s.notes, &s.bars)
        if status:
            return status
    estimate_key(&e.evidence, &e.chroma, s.notes.counts.pitches, &e.chords if e.chords.found else NULL, &s.bars, &s.facts)
    return USABLE


cdef list chord_list(Estimate *e):
    """The beats in which another chord begins."""
    cdef const TempoSegment *segment = e.sequence.map.segments
    cdef const Chords *c = &e.chords
    cdef char[12] text
    cdef int64_t tick
    cdef int i, size
    found = []
    if not e.chords.found:
        return found
    for i in range(c.first, e.sequence.bars.beat_count):
        if i == c.first or c.chords[i] != c.chords[i - 1]:
            tick = max(e.sequence.bars.starts[i] >> SUBTICK_SHIFT, <int64_t>0)
            size = write_symbol(text, c.chords[i], c.basses[i], c.base)
            symbol = text[:size].decode()
            if c.chords[i] == NO_CHORD:
                found.append((tick, seconds_at(&e.sequence.map, &segment, tick), symbol, None, None, None))
                continue
            root, bass = (c.chords[i] % LANES + c.base) % 12, (c.basses[i] + c.base) % 12
            found.append((tick, seconds_at(&e.sequence.map, &segment, tick), symbol, root, quality_name(c.chords[i]).decode(), bass))
    return found


cdef list key_list(Estimate *e):
    """The segments in which another key begins; one that holds throughout is the key of the file, which the whole model chooses."""
    cdef const TempoSegment *segment = e.sequence.map.segments
    cdef double duration
    cdef int64_t key = -1
    cdef int s, i, sounding = 0
    found = []
    if e.sequence.facts.key == NULL_ENUM:
        return found
    if e.evidence.path_length == 0:  # not one note has a length
        return [(e.chroma.starts[0], seconds_at(&e.sequence.map, &segment, e.chroma.starts[0]), schema.KEYS[e.sequence.facts.key])]
    for s in range(SEGMENTS):
        duration = 0
        for i in range(12):
            duration += e.evidence.weights[i][s]
        if duration == 0:
            continue
        if e.evidence.path[sounding] != key:
            key = e.evidence.path[sounding]
            code = key_code(<int>key, e.evidence.lowest) if e.evidence.changes else e.sequence.facts.key
            found.append((e.chroma.starts[s], seconds_at(&e.sequence.map, &segment, e.chroma.starts[s]), schema.KEYS[code]))
        sounding += 1
    return found
