"""Bytes to one row of facts: the parser and every kernel, over memory that is kept between files."""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_GET_SIZE, PyByteArray_Resize
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.math cimport NAN
from libc.stddef cimport size_t
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t
from libc.stdio cimport snprintf
from libc.stdlib cimport free
from libc.string cimport memchr, memcmp, memcpy, memset

from midiopt.limits import MAX_EVENTS

from midiopt.core.smf.arena cimport Arena, arena_free, arena_trim
from midiopt.core.timeline.bar_grid cimport SUBTICK_SHIFT, BarGrid, build_bar_grid
from midiopt.core.harmony.chords cimport Chords, name_chords, put_chord
from midiopt.core.harmony.chroma cimport Chroma, add_chroma
from midiopt.core.structure.drums cimport Drums, drum_facts
from midiopt.core.text.charset cimport CharsetCosts, is_utf8, best_charset, score_text
from midiopt.core.memory cimport allocate_zeroed
from midiopt.core.facts cimport FROM_NOTHING, FROM_ONSETS, NULL_ENUM, NULL_INT16, NULL_INT32, NULL_TEXT, Facts, Text
from midiopt.core.notes.notes_hash cimport add_notes_hash
from midiopt.core.structure.form cimport form_facts, role_of, struck_together
from midiopt.core.harmony.key cimport EVIDENCE, KeyEvidence, declared_key, weigh_key
from midiopt.core.timeline.time_signatures cimport TimeSignatures, time_signatures_free, time_signatures_trim, read_time_signatures
from midiopt.core.smf.midi cimport *
from midiopt.core.notes.types cimport Notes
from midiopt.core.notes.notes cimport note_facts, notes_begin, notes_free, notes_trim, read_notes
from midiopt.core.rhythm.onsets cimport Onsets, onset_facts
from midiopt.core.smf.parser cimport parse_smf, raise_status
from midiopt.core.notes.polyphony cimport measure_polyphony
from midiopt.core.harmony.progression cimport Progression, progression_facts
from midiopt.core.timeline.tempo_map cimport TempoMap, TempoSegment, read_tempo_map, seconds_at, tempo_facts, tempo_free, tempo_trim
from midiopt.core.text.text cimport TextHeap, heap_free, heap_trim, append_ascii, append_name

cdef enum:
    MAX_TRACK_NAMES = 1000  # kept of a file's track names
    MAX_TRACK_NAME_BYTES = 64 << 10  # no further name is kept after so many: a hostile file could send 4 MB of them


cdef class Analyzer:
    """Analyses one file after another in the same memory; one a process is enough.

    A file of more than ``max_events`` events (at most midi.pxd's MAX_EVENTS_CAP) is refused.
    """

    cdef Arena arena
    cdef TempoMap map
    cdef TimeSignatures signatures
    cdef BarGrid bars
    # With arrays for vector loops, so each is aligned.
    cdef Notes *notes
    cdef Chords *chords
    cdef Progression *progression
    cdef Drums *drums
    cdef Chroma *chroma
    cdef KeyEvidence *evidence
    cdef Onsets *onsets
    cdef TextHeap heap
    cdef Facts facts
    cdef size_t max_events

    def __cinit__(self, size_t max_events=MAX_EVENTS):
        if max_events > MAX_EVENTS_CAP:
            raise ValueError(f"at most {MAX_EVENTS_CAP:,} events")
        self.max_events = max_events
        memset(&self.arena, 0, sizeof(Arena))
        memset(&self.map, 0, sizeof(TempoMap))
        memset(&self.signatures, 0, sizeof(TimeSignatures))
        memset(&self.heap, 0, sizeof(TextHeap))
        self.notes = <Notes *>allocate_zeroed(sizeof(Notes))
        self.chords = <Chords *>allocate_zeroed(sizeof(Chords))
        self.progression = <Progression *>allocate_zeroed(sizeof(Progression))
        self.drums = <Drums *>allocate_zeroed(sizeof(Drums))
        self.chroma = <Chroma *>allocate_zeroed(sizeof(Chroma))
        self.evidence = <KeyEvidence *>allocate_zeroed(sizeof(KeyEvidence))
        self.onsets = <Onsets *>allocate_zeroed(sizeof(Onsets))
        if not (self.notes and self.chords and self.progression and self.drums and self.chroma and self.evidence and self.onsets):
            raise MemoryError()

    def __dealloc__(self):
        arena_free(&self.arena)
        tempo_free(&self.map)
        time_signatures_free(&self.signatures)
        heap_free(&self.heap)
        if self.notes != NULL:
            notes_free(self.notes)
        free(self.notes)
        free(self.chords)
        free(self.progression)
        free(self.drums)
        free(self.chroma)
        free(self.evidence)
        free(self.onsets)

    def analyze(self, data, bytes content_hash not None, int version, bytearray rows not None, bytearray heap not None):
        """Analyse the bytes of a MIDI file (any buffer) and append its row to ``rows``, its text to ``heap``.

        Returns (issues, first repair, where): the issue bits, the bit of the fault found first that had
        to be repaired (0 for none) and its byte offset. Raises NotMidi, Malformed or TooLarge, and
        then appends nothing.
        """
        cdef Py_buffer view
        cdef Status status
        cdef size_t at = 0
        if PyBytes_GET_SIZE(content_hash) != 16:
            raise ValueError("a content hash has 16 bytes")
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        try:
            status = parse_smf(<const uint8_t *>view.buf, view.len, &self.arena, self.max_events, &at)
            if not status:
                status = analyze_events(self, <const uint8_t *>view.buf)
        finally:
            PyBuffer_Release(&view)
        first, offset = self.arena.header.first_repair, self.arena.header.first_repair_at
        # Whatever became of it, one giant file must not set the worker's size for good.
        arena_trim(&self.arena)
        notes_trim(self.notes)
        tempo_trim(&self.map)
        time_signatures_trim(&self.signatures)
        if status:
            heap_trim(&self.heap)
            raise_status(status, at, self.max_events)
        memcpy(self.facts.content_hash, PyBytes_AS_STRING(content_hash), 16)
        self.facts.analyzer_version = version
        self.append(rows, heap)
        heap_trim(&self.heap)
        return self.facts.issues, first, offset

    def key_evidence(self):
        """What speaks for each key of the file analysed last: 24 lists, C to B major, then minor, of the values that
        core/harmony/key.pyx weighs, in the order of its enum. training/key.py fits the weights."""
        cdef int k, i
        return [
            [self.evidence.values[i][k // 12 * 12 + (k + 12 - self.evidence.lowest) % 12] for i in range(EVIDENCE)]
            for k in range(24)
        ]

    def half_bars(self):
        """(tick, chord) of each half bar of the file analysed last, from the first that has a chord on; under 3/4, 2/4 and the
        like of each bar. accuracy/chords.py scores them."""
        cdef char[8] text
        cdef int f
        if self.facts.chord_progression.length == NULL_TEXT:
            return []
        return [
            (self.bars.starts[f] >> SUBTICK_SHIFT, text[:put_chord(text, self.chords.chords[f], self.chords.base)].decode())
            for f in range(self.chords.first, self.bars.half_bar_count)
        ]

    cdef append(self, bytearray rows, bytearray heap):
        cdef Py_ssize_t row = PyByteArray_GET_SIZE(rows)
        cdef Py_ssize_t base = PyByteArray_GET_SIZE(heap)
        self.facts.time_signature.offset += base
        self.facts.chord_progression.offset += base
        self.facts.title.offset += base
        self.facts.track_names.offset += base
        PyByteArray_Resize(heap, base + self.heap.size)
        if self.heap.size:
            memcpy(PyByteArray_AS_STRING(heap) + base, self.heap.bytes, self.heap.size)
        PyByteArray_Resize(rows, row + sizeof(Facts))
        memcpy(PyByteArray_AS_STRING(rows) + row, &self.facts, sizeof(Facts))


cdef Status analyze_events(Analyzer self, const uint8_t *data) noexcept nogil:
    """Arena to facts, sequence by sequence: all tracks together, or in format 2 each on its own."""
    cdef Arena *arena = &self.arena
    cdef Facts *facts = &self.facts
    cdef size_t first = 0, last, i
    cdef int64_t duration, horizon, together = 0
    cdef const TempoSegment *segment
    cdef bint tempo_found = False, meter_found = False, form_found = False
    cdef Status status
    memset(facts, 0, sizeof(Facts))
    facts.format = arena.header.format
    facts.track_count = arena.track_count
    facts.ticks_per_quarter = arena.header.division
    if arena.header.division & 0x8000:
        facts.ticks_per_quarter = NULL_INT32
    facts.event_count = arena.event_count
    facts.key_declared = NULL_ENUM
    facts.bpm_onsets = facts.bpm_onsets_confidence = facts.grid_deviation = facts.swing = NAN
    facts.is_performance = facts.meter_estimated = NULL_ENUM
    self.onsets.map_refuted = False
    facts.time_signature.length = NULL_TEXT
    reset_form(facts)
    self.heap.size = 0
    notes_begin(self.notes)
    memset(self.chroma, 0, sizeof(Chroma))
    while first < arena.track_count:
        last = first + 1 if arena.header.format == 2 else arena.track_count
        duration = 0
        for i in range(first, last):
            duration = max(duration, arena.tracks[i].end_tick)
        status = read_tempo_map(&self.map, arena, data, first, last)
        if not status:
            status = read_notes(self.notes, arena, data, &self.map, first, last)
        if not status:
            add_chroma(self.chroma, self.notes, self.map.ticks_per_quarter)
            status = add_notes_hash(self.notes, &self.map)
        if not status:
            status = measure_polyphony(self.notes, &self.map)
        if status:
            return status
        segment = self.map.segments
        facts.duration_ticks = max(facts.duration_ticks, duration)
        facts.duration_s = max(facts.duration_s, seconds_at(&self.map, &segment, duration))
        if first == 0 or (self.map.declared and not tempo_found):
            tempo_found = self.map.declared
            horizon = self.notes.counts.last_end if self.notes.note_count else duration
            status = tempo_facts(&self.map, horizon, facts)
            if status:
                return status
        if facts.bpm_onsets != facts.bpm_onsets:  # not yet found
            onset_facts(self.onsets, self.notes, &self.map, facts)
        if not (meter_found and form_found):
            status = read_time_signatures(&self.signatures, arena, data, first, last, duration)
            if not status and self.signatures.found and not meter_found:
                meter_found = True
                status = write_time_signature(self)
            if status:
                return status
        if not form_found and self.notes.note_count:
            form_found = True
            together = struck_together(self.notes, <int64_t>self.map.ticks_per_quarter >> 4)
            if facts.ticks_per_quarter != NULL_INT32:
                status = analyze_form(self, duration)
                if status:
                    return status
        if facts.key_declared == NULL_ENUM:
            facts.key_declared = declared_key(arena, data, first, last)
        first = last
    if (self.onsets.map_refuted or facts.bpm_source == FROM_NOTHING) and facts.bpm_onsets == facts.bpm_onsets:
        facts.bpm = facts.bpm_onsets
        facts.bpm_confidence = facts.bpm_onsets_confidence
        facts.bpm_source = FROM_ONSETS
    note_facts(self.notes, facts)
    facts.notes_per_second = facts.note_count / facts.duration_s if facts.duration_s > 0 else NAN
    for i in range(8):  # the high byte first, as XXH3-64 prints it
        facts.notes_hash[i] = <uint8_t>(self.notes.counts.notes_hash >> (56 - 8 * i))
    weigh_key(self.evidence, self.chroma, self.notes.counts.pitches, facts)
    facts.role = role_of(self.notes, together, facts)
    status = read_marks(self, data)
    if facts.note_count == 0:
        arena.header.issues |= NO_NOTES
    if self.notes.counts.has_stuck_note:
        arena.header.issues |= STUCK_NOTE
    facts.issues = arena.header.issues
    return status


cdef void reset_form(Facts *facts) noexcept nogil:
    """No answer yet, or ever under an SMPTE division, whose ticks know no bars."""
    facts.chord_progression.length = NULL_TEXT
    facts.chord_changes_per_bar = facts.harmonic_rhythm = facts.drum_density = NAN
    facts.drum_pattern = facts.is_loop = NULL_ENUM
    facts.loop_bars = NULL_INT16
    facts.bar_count = NULL_INT32


cdef Status analyze_form(Analyzer self, int64_t duration) noexcept nogil:
    """What stands on the grid of bars; in format 2, of the first sequence that has notes."""
    build_bar_grid(&self.bars, &self.signatures, self.facts.ticks_per_quarter, self.notes.counts.last_end)
    drum_facts(self.drums, self.notes, &self.bars, &self.facts)
    form_facts(self.notes, &self.bars, duration, &self.facts)
    if not name_chords(self.chords, self.notes, &self.bars):
        return USABLE
    return progression_facts(self.progression, self.chords, &self.bars, &self.heap, &self.facts)


cdef Status write_time_signature(Analyzer self) noexcept nogil:
    cdef char text[16]
    cdef int length = snprintf(text, sizeof(text), "%u/%u", self.signatures.main_code >> 3, 1 << (self.signatures.main_code & 7))
    self.facts.time_signature_changes = self.signatures.change_count
    return append_ascii(&self.heap, text, length, &self.facts.time_signature)


cdef Status read_marks(Analyzer self, const uint8_t *data) noexcept nogil:
    """Counts of rare events, the title and the track names."""
    cdef Facts *facts = &self.facts
    cdef const Mark *mark = self.arena.marks
    cdef const Mark *title = NULL
    cdef const Mark *names[MAX_TRACK_NAMES]
    cdef CharsetCosts costs
    cdef size_t t, m, count = 0
    cdef int32_t texts = 0, lyrics = 0
    cdef bint karaoke = False, named
    cdef Status status
    facts.title.length = NULL_TEXT
    memset(&costs, 0, sizeof(CharsetCosts))
    for t in range(self.arena.track_count):
        named = False
        for m in range(self.arena.tracks[t].mark_count):
            if mark.status < SYSEX:
                facts.program_changes += 1
            elif mark.status != META:
                facts.sysex_count += 1
            elif mark.type == META_LYRIC:
                lyrics += 1
            elif mark.type == META_TEXT:
                texts += 1
                karaoke |= mark.length >= 2 and memcmp(data + mark.offset, b"@K", 2) == 0
            elif mark.type == META_TRACK_NAME:
                karaoke |= is_words(data + mark.offset, mark.length)
                if not named:
                    named = True
                    if not is_utf8(data + mark.offset, mark.length):
                        score_text(&costs, data + mark.offset, mark.length)
                    if t == 0:
                        title = mark
                    if count < MAX_TRACK_NAMES:
                        names[count] = mark
                        count += 1
            mark += 1
    facts.lyric_count = lyrics if lyrics or not karaoke else texts
    if title != NULL:
        status = append_name(&self.heap, data + title.offset, title.length, best_charset(&costs), &facts.title)
        if status:
            return status
    return put_names(self, data, names, count, best_charset(&costs))


cdef inline bint is_words(const uint8_t *name, size_t length) noexcept nogil:
    """Whether a track is called Words, as karaoke files call the one with the text."""
    cdef const char *words = b"words"
    cdef int i
    while length and name[0] == 0x20:
        name += 1
        length -= 1
    while length and name[length - 1] == 0x20:
        length -= 1
    if length != 5:
        return False
    for i in range(5):
        if name[i] | 0x20 != <uint8_t>words[i]:
            return False
    return True


cdef Status put_names(Analyzer self, const uint8_t *data, const Mark **names, size_t count, int otherwise) noexcept nogil:
    """The distinct names that are not blank, joined by NUL."""
    cdef Text *list = &self.facts.track_names
    cdef Text name
    cdef size_t i
    cdef Status status
    list.offset = self.heap.size
    list.length = 0
    for i in range(count):
        if list.length:
            status = append_ascii(&self.heap, b"\0", 1, &name)
            if status:
                return status
        status = append_name(&self.heap, data + names[i].offset, names[i].length, otherwise, &name)
        if status:
            return status
        if name.length == NULL_TEXT or is_listed(&self.heap, list, &name):
            self.heap.size = list.offset + list.length
        else:
            list.length = self.heap.size - list.offset
        if list.length > MAX_TRACK_NAME_BYTES:
            break
    return USABLE


cdef inline bint is_listed(const TextHeap *heap, const Text *list, const Text *name) noexcept nogil:
    """Whether one of the items joined by NUL is this name."""
    cdef const uint8_t *item = heap.bytes + list.offset
    cdef const uint8_t *end = item + list.length
    cdef const uint8_t *stop
    while item < end:
        stop = <const uint8_t *>memchr(item, 0, end - item)
        if stop == NULL:
            stop = end
        if <size_t>(stop - item) == name.length and memcmp(item, heap.bytes + name.offset, name.length) == 0:
            return True
        item = stop + 1
    return False


def facts_layout():
    """(name, offset) of every field of the row and its size, as the C compiler laid them out."""
    cdef Facts[1] row
    cdef Facts[::1] view = row
    import numpy as np

    dtype = np.asarray(view).dtype
    return [(name, dtype.fields[name][1]) for name in dtype.names], dtype.itemsize
