"""Bytes to one row of facts: the parser and every kernel, in memory that is kept between files."""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_GET_SIZE, PyByteArray_Resize
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.math cimport NAN
from libc.stdint cimport int64_t, uint8_t, uint32_t
from libc.stdio cimport snprintf
from libc.stdlib cimport free
from libc.string cimport memcpy, memset

from midiopt import limits

from midiopt.core.facts cimport FROM_NOTHING, FROM_ONSETS, NULL_ENUM, NULL_INT16, NULL_INT32, NULL_TEXT, TrackFacts
from midiopt.core.harmony.chords cimport estimate_chords
from midiopt.core.harmony.chroma cimport add_chroma
from midiopt.core.harmony.key cimport declared_key, estimate_key
from midiopt.core.harmony.progression cimport progression_facts
from midiopt.core.memory cimport allocate_zeroed, release, trim
from midiopt.core.notes.notes cimport read_notes, reset_note_counts, write_note_facts
from midiopt.core.notes.notes_hash cimport add_notes_hash, put_notes_hash
from midiopt.core.notes.polyphony cimport measure_polyphony
from midiopt.core.rhythm.onsets cimport onset_facts
from midiopt.core.rhythm.performance_beats cimport PerformanceBeats, is_tracked, performance_facts, track_beats
from midiopt.core.smf.arena cimport record_issue
from midiopt.core.smf.midi cimport DRUMS_BY_NAME, MAX_EVENTS_CAP, NO_MEMORY, NO_NOTES, STUCK_NOTE, USABLE, Status
from midiopt.core.smf.parser cimport parse_smf, raise_status
from midiopt.core.structure.drums cimport drum_facts
from midiopt.core.structure.form cimport count_simultaneous, form_facts, role_of
from midiopt.core.structure.sections cimport append_form, find_sections
from midiopt.core.structure.sketch cimport add_sketch, reset_sketch, write_sketch
from midiopt.core.structure.track_facts cimport add_tracks, start_tracks
from midiopt.core.text.mark_facts cimport write_mark_facts
from midiopt.core.text.text cimport append_ascii
from midiopt.core.timeline.bar_grid cimport build_bar_grid, phase_in_subticks
from midiopt.core.timeline.tempo_map cimport TempoSegment, read_tempo_map, seconds_at, write_tempo_facts
from midiopt.core.timeline.time_signatures cimport denominator_power_of, numerator_of, read_time_signatures

# Tracks that play together: all of a file, or in format 2 each track on its own.
cdef struct Sequence:
    size_t first_track, end_track
    int64_t duration  # ticks

# What the sequences before have given, of facts that are taken from one sequence.
cdef struct Merged:
    bint has_tempo, has_time_signature, has_form
    int64_t simultaneous  # of the sequence that has the form: see role_of()


cdef class Analyzer:
    """Analyses one file after another in the same memory; one per thread is enough.

    The lock of the interpreter is released meanwhile, unless the bytes may change: those of a buffer that can be written. A file of
    more than ``max_events`` events (at most MAX_EVENTS_CAP of limits.py) is refused.
    """

    def __cinit__(self, size_t max_events=limits.MAX_EVENTS):
        if max_events > MAX_EVENTS_CAP:
            raise ValueError(f"max_events is at most {MAX_EVENTS_CAP:,}")
        self.max_events = max_events
        memset(&self.scratch, 0, sizeof(self.scratch))
        memset(&self.arena, 0, sizeof(self.arena))
        memset(&self.map, 0, sizeof(self.map))
        memset(&self.signatures, 0, sizeof(self.signatures))
        memset(&self.heap, 0, sizeof(self.heap))
        self.notes = <Notes *>allocate_zeroed(sizeof(Notes))
        self.chords = <Chords *>allocate_zeroed(sizeof(Chords))
        self.progression = <Progression *>allocate_zeroed(sizeof(Progression))
        self.drums = <Drums *>allocate_zeroed(sizeof(Drums))
        self.chroma = <Chroma *>allocate_zeroed(sizeof(Chroma))
        self.evidence = <KeyEvidence *>allocate_zeroed(sizeof(KeyEvidence))
        self.onsets = <Onsets *>allocate_zeroed(sizeof(Onsets))
        self.sketch = <Sketch *>allocate_zeroed(sizeof(Sketch))
        self.sections = <Sections *>allocate_zeroed(sizeof(Sections))
        self.played = <PerformanceBeats *>allocate_zeroed(sizeof(PerformanceBeats))
        kernels = self.notes and self.chords and self.progression and self.drums and self.chroma and self.evidence and self.onsets
        if not (kernels and self.sketch and self.sections and self.played):
            raise MemoryError()
        self.arena.scratch = &self.scratch
        self.map.scratch = &self.scratch
        self.signatures.scratch = &self.scratch
        self.notes.scratch = &self.scratch
        self.notes.counts_notes = True
        self.heap.scratch = &self.scratch

    def __dealloc__(self):
        release(&self.scratch)
        free(self.notes)
        free(self.chords)
        free(self.progression)
        free(self.drums)
        free(self.chroma)
        free(self.evidence)
        free(self.onsets)
        free(self.sketch)
        free(self.sections)
        free(self.played)
        free(self.tracks)

    def analyze(
        self, data, bytes content_hash not None, int version, bytearray rows not None, bytearray heap not None, bytearray tracks=None
    ):
        """Analyse the bytes of a MIDI file (any buffer), and append its row to ``rows``, those of its tracks to ``tracks``, if
        given, and its text to ``heap``.

        Returns (issues, first repair, offset): the issue bits, the issue bit of the first fault that was repaired (0 for
        none) and its byte offset. Raises NotMidi, Malformed or TooLarge, and then appends nothing; RuntimeError while another
        thread uses the analyzer.
        """
        cdef Py_buffer view
        cdef Status status
        cdef size_t reason_at = 0
        if PyBytes_GET_SIZE(content_hash) != 16:
            raise ValueError("a content hash has 16 bytes")
        if self.is_busy:
            raise RuntimeError("another thread is using this analyzer: each needs one of its own")
        self.has_tracks = tracks is not None
        if self.has_tracks and self.tracks == NULL:
            self.tracks = <TrackTable *>allocate_zeroed(sizeof(TrackTable))
            if self.tracks == NULL:
                raise MemoryError()
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        self.is_busy = True
        try:
            if view.readonly:
                with nogil:
                    status = analyze_file(self, <const uint8_t *>view.buf, view.len, &reason_at)
            else:
                status = analyze_file(self, <const uint8_t *>view.buf, view.len, &reason_at)
        finally:
            self.is_busy = False
            PyBuffer_Release(&view)
        first_repair, offset = self.arena.header.first_repair, self.arena.header.first_repair_at
        if status:
            trim(&self.scratch)
            raise_status(status, reason_at, self.max_events)
        memcpy(self.facts.content_hash, PyBytes_AS_STRING(content_hash), 16)
        self.facts.analyzer_version = version
        if self.has_tracks:
            self.append_tracks(tracks, PyByteArray_GET_SIZE(heap))
        self.append_row(rows, heap)
        trim(&self.scratch)
        return self.facts.issues, first_repair, offset

    cdef append_row(self, bytearray rows, bytearray heap):
        """Append the row and its text; offsets of texts count from the start of ``heap``."""
        cdef Py_ssize_t row = PyByteArray_GET_SIZE(rows)
        cdef Py_ssize_t base = PyByteArray_GET_SIZE(heap)
        self.facts.time_signature.offset += base
        self.facts.chord_progression.offset += base
        self.facts.chord_symbols.offset += base
        self.facts.title.offset += base
        self.facts.track_names.offset += base
        self.facts.sections.offset += base
        PyByteArray_Resize(heap, base + self.heap.size)
        if self.heap.size:
            memcpy(PyByteArray_AS_STRING(heap) + base, self.heap.bytes, self.heap.size)
        PyByteArray_Resize(rows, row + sizeof(self.facts))
        memcpy(PyByteArray_AS_STRING(rows) + row, &self.facts, sizeof(self.facts))

    cdef append_tracks(self, bytearray tracks, Py_ssize_t base):
        """Append the rows of the tracks; their names are in the text of the file, which will begin at ``base``."""
        cdef Py_ssize_t end = PyByteArray_GET_SIZE(tracks), size = self.tracks.count * sizeof(TrackFacts)
        cdef TrackFacts *row
        cdef size_t i
        for i in range(self.tracks.count):
            row = &self.tracks.rows[i]
            memcpy(row.content_hash, self.facts.content_hash, sizeof(row.content_hash))
            row.analyzer_version = self.facts.analyzer_version
            row.name.offset += base
        PyByteArray_Resize(tracks, end + size)
        memcpy(PyByteArray_AS_STRING(tracks) + end, self.tracks.rows, size)


cdef Status analyze_file(Analyzer self, const uint8_t *data, size_t size, size_t *reason_at) noexcept nogil:
    """Bytes to facts. If the result is not USABLE, `reason_at` is where in the bytes the reason is."""
    cdef Status status = parse_smf(data, size, &self.arena, self.max_events, reason_at)
    return status if status else analyze_events(self, self.arena.data)


cdef Status analyze_events(Analyzer self, const uint8_t *data) noexcept nogil:
    """The events in the arena to facts, sequence by sequence."""
    cdef Sequence sequence
    cdef Merged merged
    cdef Status status
    cdef size_t i, tracks = self.arena.track_count
    reset(self)
    if self.has_tracks and start_tracks(self.tracks, &self.arena):
        return NO_MEMORY
    memset(&merged, 0, sizeof(Merged))
    sequence.end_track = 0
    while sequence.end_track < tracks:
        sequence.first_track = sequence.end_track
        sequence.end_track = sequence.first_track + 1 if self.arena.header.format == 2 else tracks
        sequence.duration = 0
        for i in range(sequence.first_track, sequence.end_track):
            sequence.duration = max(sequence.duration, self.arena.tracks[i].end_tick)
        status = analyze_sequence(self, data, &sequence)
        if not status:
            status = merge_sequence(self, data, &sequence, &merged)
        if status:
            return status
    return finish(self, data, &merged)


cdef void reset(Analyzer self) noexcept nogil:
    """Start a file: no fact is known but those of the header."""
    cdef Facts *facts = &self.facts
    memset(facts, 0, sizeof(Facts))
    facts.format = self.arena.header.format
    facts.track_count = self.arena.track_count
    facts.ticks_per_quarter = self.arena.header.division
    if self.arena.header.division & 0x8000:
        facts.ticks_per_quarter = NULL_INT32
    facts.event_count = self.arena.event_count
    facts.key_declared = NULL_ENUM
    facts.bpm_onsets = facts.bpm_onsets_confidence = facts.grid_deviation = facts.swing = NAN
    facts.is_performance = facts.meter_estimated = NULL_ENUM
    facts.time_signature.length = NULL_TEXT
    reset_form(facts)
    self.onsets.tempo_map_ignored = False
    self.onsets.sequence_count = 0
    self.heap.size = 0
    reset_note_counts(self.notes, &self.arena)
    memset(self.chroma, 0, sizeof(Chroma))
    reset_sketch(self.sketch)


cdef void reset_form(Facts *facts) noexcept nogil:
    """The facts that need bars: null so far, and always under an SMPTE division, whose ticks have no bars."""
    facts.chord_progression.length = facts.chord_symbols.length = facts.sections.length = NULL_TEXT
    facts.chord_changes_per_bar = facts.harmonic_rhythm = facts.drum_density = NAN
    facts.drum_pattern = facts.is_loop = NULL_ENUM
    facts.loop_bars = NULL_INT16
    facts.bar_count = NULL_INT32


cdef Status analyze_sequence(Analyzer self, const uint8_t *data, const Sequence *sequence) noexcept nogil:
    """The notes of a sequence, and what is added up over all sequences: counts, chroma, notes hash and polyphony."""
    cdef Status status = read_tempo_map(&self.map, &self.arena, data, sequence.first_track, sequence.end_track)
    if not status:
        status = read_notes(self.notes, &self.arena, data, &self.map, sequence.first_track, sequence.end_track)
    if not status and self.has_tracks:
        status = add_tracks(self.tracks, self.notes, &self.map)
    if not status:
        add_chroma(self.chroma, self.notes, self.map.ticks_per_quarter)
        add_notes_hash(self.notes, &self.map)
        add_sketch(self.sketch, self.notes, &self.map)
        status = measure_polyphony(self.notes, &self.map)
    return status


cdef Status merge_sequence(Analyzer self, const uint8_t *data, const Sequence *sequence, Merged *merged) noexcept nogil:
    """The facts of a sequence that one sequence gives: the longest duration, and of the rest the first that there is."""
    cdef Facts *facts = &self.facts
    cdef const TempoSegment *segment = self.map.segments
    cdef bint is_played, has_beat = facts.bpm_onsets == facts.bpm_onsets  # not NaN
    cdef bint gives_form = not merged.has_form and self.notes.columns.count > 0
    cdef Status status = USABLE
    facts.duration_ticks = max(facts.duration_ticks, sequence.duration)
    facts.duration_s = max(facts.duration_s, seconds_at(&self.map, &segment, sequence.duration))
    if sequence.first_track == 0 or (self.map.declared and not merged.has_tempo):
        merged.has_tempo = self.map.declared
        status = write_tempo_facts(&self.map, self.notes.counts.last_end if self.notes.columns.count else sequence.duration, facts)
    if not has_beat:
        onset_facts(self.onsets, self.notes, &self.map, facts)
    if not status and not (merged.has_time_signature and merged.has_form):
        status = read_time_signatures(
            &self.signatures, &self.arena, data, sequence.first_track, sequence.end_track, sequence.duration
        )
        if not status and self.signatures.found and not merged.has_time_signature:
            merged.has_time_signature = True
            status = write_time_signature(self)
    if not status and gives_form:
        merged.has_form = True
        merged.simultaneous = count_simultaneous(self.notes, <int64_t>self.map.ticks_per_quarter >> 4)
        if facts.ticks_per_quarter != NULL_INT32:
            status = analyze_form(self, sequence.duration)
    is_played = not has_beat and self.onsets.tempo_map_ignored and facts.bpm_onsets == facts.bpm_onsets
    if not status and is_played and is_tracked(self.notes.columns.count, self.arena.event_count):
        status = track_beats(self.played, &self.scratch, &self.notes.columns, 60 / facts.bpm_onsets)
        if not status:
            performance_facts(self.played, &self.onsets.slots, self.notes, gives_form, facts)
    if facts.key_declared == NULL_ENUM:
        facts.key_declared = declared_key(&self.arena, data, sequence.first_track, sequence.end_track)
    return status


cdef Status write_time_signature(Analyzer self) noexcept nogil:
    cdef char[16] text
    cdef uint32_t code = self.signatures.main_code
    cdef int length = snprintf(text, sizeof(text), "%u/%u", numerator_of(code), <uint32_t>1 << denominator_power_of(code))
    self.facts.time_signature_changes = self.signatures.change_count
    return append_ascii(&self.heap, text, length, &self.facts.time_signature)


cdef Status analyze_form(Analyzer self, int64_t duration) noexcept nogil:
    """The facts that need bars; in format 2, of the first sequence that has notes."""
    cdef int64_t quarter = self.facts.ticks_per_quarter, phase = phase_in_subticks(self.onsets.phase, quarter)
    build_bar_grid(&self.bars, &self.signatures, quarter, phase, self.notes.counts.first_onset, self.notes.counts.last_end)
    drum_facts(self.drums, self.notes, &self.bars, &self.facts)
    form_facts(self.notes, &self.bars, duration, &self.facts)
    find_sections(self.sections, self.notes, &self.bars)
    if append_form(self.sections, &self.heap, &self.facts):
        return NO_MEMORY
    if not estimate_chords(self.chords, self.notes, &self.bars):
        return USABLE
    return progression_facts(self.progression, self.chords, &self.bars, &self.heap, &self.facts)


cdef Status finish(Analyzer self, const uint8_t *data, const Merged *merged) noexcept nogil:
    """The facts that need all sequences, and the issues that only notes show."""
    cdef Facts *facts = &self.facts
    cdef bint has_chords
    cdef Status status
    if (self.onsets.tempo_map_ignored or facts.bpm_source == FROM_NOTHING) and facts.bpm_onsets == facts.bpm_onsets:
        facts.bpm = facts.bpm_onsets
        facts.bpm_confidence = facts.bpm_onsets_confidence
        facts.bpm_source = FROM_ONSETS
    write_note_facts(self.notes, facts)
    facts.notes_per_second = NAN
    if facts.last_note_s > facts.first_note_s:  # neither is NaN
        facts.notes_per_second = facts.note_count / (facts.last_note_s - facts.first_note_s)
    put_notes_hash(facts.notes_hash, self.notes.counts.notes_hash)
    write_sketch(self.sketch, facts)
    has_chords = facts.chord_progression.length != NULL_TEXT
    estimate_key(
        self.evidence, self.chroma, self.notes.counts.pitches, self.chords if has_chords else NULL, &self.bars, facts
    )
    facts.role = role_of(self.notes, merged.simultaneous, facts)
    status = write_mark_facts(&self.heap, &self.arena, data, facts, self.tracks.rows if self.has_tracks else NULL)
    if facts.note_count == 0:
        record_issue(&self.arena, NO_NOTES, 0)
    if self.notes.counts.has_stuck_note:
        record_issue(&self.arena, STUCK_NOTE, 0)
    if self.notes.counts.has_drums_by_name:
        record_issue(&self.arena, DRUMS_BY_NAME, 0)
    facts.issues = self.arena.header.issues
    return status
