"""Bytes to facts: the parser and every kernel, one after another."""

from libc.math cimport NAN
from libc.stdint cimport int64_t, uint8_t, uint32_t
from libc.stdio cimport snprintf
from libc.string cimport memset

from midiopt.core.facts cimport FROM_NOTHING, FROM_ONSETS, NULL_ENUM, NULL_INT16, NULL_INT32, NULL_TEXT
from midiopt.core.harmony.chords cimport estimate_chords
from midiopt.core.harmony.chroma cimport add_chroma
from midiopt.core.harmony.key cimport estimate_key
from midiopt.core.harmony.key_evidence cimport declared_key
from midiopt.core.harmony.progression cimport progression_facts
from midiopt.core.notes.notes cimport read_notes, reset_note_counts, write_note_facts
from midiopt.core.notes.notes_hash cimport add_notes_hash, put_notes_hash
from midiopt.core.notes.polyphony cimport measure_polyphony
from midiopt.core.rhythm.onsets cimport onset_facts
from midiopt.core.rhythm.performance_beats cimport is_tracked, performance_facts, track_beats
from midiopt.core.smf.arena cimport record_issue
from midiopt.core.smf.midi cimport DRUMS_BY_NAME, NO_MEMORY, NO_NOTES, STUCK_NOTE, USABLE
from midiopt.core.smf.parser cimport parse_smf
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


cdef Status analyze_file(Workspace *w, const uint8_t *data, size_t size, size_t *reason_at) noexcept nogil:
    """Bytes to facts. If the result is not USABLE, `reason_at` is where in the bytes the reason is."""
    cdef Status status = parse_smf(data, size, &w.arena, w.max_events, reason_at)
    return status if status else analyze_events(w, w.arena.data)


cdef Status analyze_events(Workspace *w, const uint8_t *data) noexcept nogil:
    """The events in the arena to facts, sequence by sequence."""
    cdef Sequence sequence
    cdef Merged merged
    cdef Status status
    cdef size_t i, tracks = w.arena.track_count
    reset(w)
    if w.has_tracks and start_tracks(w.tracks, &w.arena):
        return NO_MEMORY
    memset(&merged, 0, sizeof(Merged))
    sequence.end_track = 0
    while sequence.end_track < tracks:
        sequence.first_track = sequence.end_track
        sequence.end_track = sequence.first_track + 1 if w.arena.header.format == 2 else tracks
        sequence.duration = 0
        for i in range(sequence.first_track, sequence.end_track):
            sequence.duration = max(sequence.duration, w.arena.tracks[i].end_tick)
        status = analyze_sequence(w, data, &sequence)
        if not status:
            status = merge_sequence(w, data, &sequence, &merged)
        if status:
            return status
    return finish(w, data, &merged)


cdef void reset(Workspace *w) noexcept nogil:
    """Start a file: no fact is known but those of the header."""
    cdef Facts *facts = &w.facts
    memset(facts, 0, sizeof(Facts))
    facts.format = w.arena.header.format
    facts.track_count = w.arena.track_count
    facts.ticks_per_quarter = w.arena.header.division
    if w.arena.header.division & 0x8000:
        facts.ticks_per_quarter = NULL_INT32
    facts.event_count = w.arena.event_count
    facts.key_declared = NULL_ENUM
    facts.bpm_onsets = facts.bpm_onsets_confidence = facts.grid_deviation = facts.swing = NAN
    facts.is_performance = facts.meter_estimated = NULL_ENUM
    facts.time_signature.length = NULL_TEXT
    reset_form(facts)
    w.onsets.tempo_map_ignored = False
    w.onsets.sequence_count = 0
    w.heap.size = 0
    reset_note_counts(w.notes, &w.arena)
    memset(w.chroma, 0, sizeof(Chroma))
    reset_sketch(w.sketch)


cdef void reset_form(Facts *facts) noexcept nogil:
    """The facts that need bars: null so far, and always under an SMPTE division, whose ticks have no bars."""
    facts.chord_progression.length = facts.chord_symbols.length = facts.sections.length = NULL_TEXT
    facts.chord_changes_per_bar = facts.harmonic_rhythm = facts.drum_density = NAN
    facts.drum_pattern = facts.is_loop = NULL_ENUM
    facts.loop_bars = NULL_INT16
    facts.bar_count = NULL_INT32


cdef Status analyze_sequence(Workspace *w, const uint8_t *data, const Sequence *sequence) noexcept nogil:
    """The notes of a sequence, and what is added up over all sequences: counts, chroma, notes hash and polyphony."""
    cdef Status status = read_tempo_map(&w.map, &w.arena, data, sequence.first_track, sequence.end_track)
    if not status:
        status = read_notes(w.notes, &w.arena, data, &w.map, sequence.first_track, sequence.end_track)
    if not status and w.has_tracks:
        status = add_tracks(w.tracks, w.notes, &w.map)
    if not status:
        add_chroma(w.chroma, w.notes, w.map.ticks_per_quarter)
        add_notes_hash(w.notes, &w.map)
        add_sketch(w.sketch, w.notes, &w.map)
        status = measure_polyphony(w.notes, &w.map)
    return status


cdef Status merge_sequence(Workspace *w, const uint8_t *data, const Sequence *sequence, Merged *merged) noexcept nogil:
    """The facts of a sequence that one sequence gives: the longest duration, and of the rest the first that there is."""
    cdef Facts *facts = &w.facts
    cdef const TempoSegment *segment = w.map.segments
    cdef bint is_played, has_beat = facts.bpm_onsets == facts.bpm_onsets  # not NaN
    cdef bint gives_form = not merged.has_form and w.notes.columns.count > 0
    cdef Status status = USABLE
    facts.duration_ticks = max(facts.duration_ticks, sequence.duration)
    facts.duration_s = max(facts.duration_s, seconds_at(&w.map, &segment, sequence.duration))
    if sequence.first_track == 0 or (w.map.declared and not merged.has_tempo):
        merged.has_tempo = w.map.declared
        status = write_tempo_facts(&w.map, w.notes.counts.last_end if w.notes.columns.count else sequence.duration, facts)
    if not has_beat:
        onset_facts(w.onsets, w.notes, &w.map, facts)
    if not status and not (merged.has_time_signature and merged.has_form):
        status = read_time_signatures(
            &w.signatures, &w.arena, data, sequence.first_track, sequence.end_track, sequence.duration
        )
        if not status and w.signatures.found and not merged.has_time_signature:
            merged.has_time_signature = True
            status = write_time_signature(w)
    if not status and gives_form:
        merged.has_form = True
        merged.simultaneous = count_simultaneous(w.notes, <int64_t>w.map.ticks_per_quarter >> 4)
        if facts.ticks_per_quarter != NULL_INT32:
            status = analyze_form(w, sequence.duration)
    is_played = not has_beat and w.onsets.tempo_map_ignored and facts.bpm_onsets == facts.bpm_onsets
    if not status and is_played and is_tracked(w.notes.columns.count, w.arena.event_count):
        status = track_beats(w.played, &w.scratch, &w.notes.columns, 60 / facts.bpm_onsets)
        if not status:
            performance_facts(w.played, &w.onsets.slots, w.notes, gives_form, facts)
    if facts.key_declared == NULL_ENUM:
        facts.key_declared = declared_key(&w.arena, data, sequence.first_track, sequence.end_track)
    return status


cdef Status write_time_signature(Workspace *w) noexcept nogil:
    cdef char[16] text
    cdef uint32_t code = w.signatures.main_code
    cdef int length = snprintf(text, sizeof(text), "%u/%u", numerator_of(code), <uint32_t>1 << denominator_power_of(code))
    w.facts.time_signature_changes = w.signatures.change_count
    return append_ascii(&w.heap, text, length, &w.facts.time_signature)


cdef Status analyze_form(Workspace *w, int64_t duration) noexcept nogil:
    """The facts that need bars; in format 2, of the first sequence that has notes."""
    cdef int64_t quarter = w.facts.ticks_per_quarter, phase = phase_in_subticks(w.onsets.phase, quarter)
    build_bar_grid(&w.bars, &w.signatures, quarter, phase, w.notes.counts.first_onset, w.notes.counts.last_end)
    drum_facts(w.drums, w.notes, &w.bars, &w.facts)
    form_facts(w.notes, &w.bars, duration, &w.facts)
    find_sections(w.sections, w.notes, &w.bars)
    if append_form(w.sections, &w.heap, &w.facts):
        return NO_MEMORY
    if estimate_chords(w.chords, w.notes, &w.bars):
        return NO_MEMORY
    if not w.chords.found:
        return USABLE
    return progression_facts(w.progression, w.chords, &w.bars, &w.heap, &w.facts)


cdef Status finish(Workspace *w, const uint8_t *data, const Merged *merged) noexcept nogil:
    """The facts that need all sequences, and the issues that only notes show."""
    cdef Facts *facts = &w.facts
    cdef bint has_chords
    cdef Status status
    if (w.onsets.tempo_map_ignored or facts.bpm_source == FROM_NOTHING) and facts.bpm_onsets == facts.bpm_onsets:
        facts.bpm = facts.bpm_onsets
        facts.bpm_confidence = facts.bpm_onsets_confidence
        facts.bpm_source = FROM_ONSETS
    write_note_facts(w.notes, facts)
    facts.notes_per_second = NAN
    if facts.last_note_s > facts.first_note_s:  # neither is NaN
        facts.notes_per_second = facts.note_count / (facts.last_note_s - facts.first_note_s)
    put_notes_hash(facts.notes_hash, w.notes.counts.notes_hash)
    write_sketch(w.sketch, facts)
    has_chords = facts.chord_progression.length != NULL_TEXT
    estimate_key(
        w.evidence, w.chroma, w.notes.counts.pitches, w.chords if has_chords else NULL, &w.bars, facts
    )
    facts.role = role_of(w.notes, merged.simultaneous, facts)
    status = write_mark_facts(&w.heap, &w.arena, data, facts, w.tracks.rows if w.has_tracks else NULL)
    if facts.note_count == 0:
        record_issue(&w.arena, NO_NOTES, 0)
    if w.notes.counts.has_stuck_note:
        record_issue(&w.arena, STUCK_NOTE, 0)
    if w.notes.counts.has_drums_by_name:
        record_issue(&w.arena, DRUMS_BY_NAME, 0)
    facts.issues = w.arena.header.issues
    return status
