"""Events to notes, and the counts and facts of notes.

Notes pair first in, first out per track, channel and pitch: a note-off ends the oldest sounding note; one that matches
none is ignored; controllers 120 and 123 end all notes of a channel. What then still sounds is ended by stuck_notes.pyx.
docs/policy.md has the rules. parts.pyx has the programs, and which channels are drums.
"""

from libc.math cimport INFINITY, NAN, rint, sqrt
from libc.stddef cimport size_t
from libc.stdint cimport INT64_MAX, int32_t, int64_t, uint32_t, uint64_t
from libc.string cimport memset

from midiopt.core.facts cimport NULL_INT16
from midiopt.core.notes.block_pairing cimport pair_in_blocks
from midiopt.core.notes.columns cimport ends_to_lengths, fill_track, reserve_columns, reserve_seconds, split_traits, time_notes
from midiopt.core.notes.pairing cimport Pairing, end_run, pair_events
from midiopt.core.notes.parts cimport count_pending_notes, read_parts, start_port, start_track_parts
from midiopt.core.notes.ports cimport names_port, port_of
from midiopt.core.notes.stuck_notes cimport end_stuck_notes, pair_again
from midiopt.core.notes.types cimport NARROW_TICK_BITS, NoteColumns, NoteCounts, length_of, onset_of
from midiopt.core.smf.midi cimport NO_MEMORY, USABLE, Event, Mark, Track
from midiopt.core.timeline.tempo_map cimport TempoSegment, seconds_at


cdef void reset_note_counts(Notes *notes, const Arena *arena) noexcept nogil:
    """Start a file, and choose the width of its columns."""
    cdef int64_t last_tick = 0
    cdef size_t i
    clear_counts(&notes.counts)
    for i in range(arena.track_count):
        last_tick = max(last_tick, arena.tracks[i].end_tick)
    notes.columns.wide = last_tick >> NARROW_TICK_BITS != 0


cdef void clear_counts(NoteCounts *counts) noexcept nogil:
    memset(counts, 0, sizeof(NoteCounts))
    counts.first_note_s = INFINITY
    counts.last_note_s = -INFINITY


cdef Status read_notes(
    Notes *notes, const Arena *arena, const uint8_t *data, const TempoMap *map, size_t first_track, size_t end_track
) noexcept nogil:
    """Pair and count the notes of one sequence, the tracks from `first_track` to `end_track` (exclusive)."""
    if reserve_columns(notes, arena, first_track, end_track):
        return NO_MEMORY
    if pair_notes(notes, arena, data, map.ticks_per_quarter, first_track, end_track):
        return NO_MEMORY
    split_traits(&notes.columns)
    if reserve_seconds(notes, notes.columns.count):
        return NO_MEMORY
    time_notes(&notes.columns, map, 0)
    add_note_seconds(notes, map)
    return USABLE


cdef Status pair_notes(
    Notes *notes, const Arena *arena, const uint8_t *data, double quarter, size_t first_track, size_t end_track
) noexcept nogil:
    """Pair the notes of one sequence and append them to the columns, which must have room for them; `quarter` is in ticks."""
    cdef size_t i, first_note = notes.columns.count
    notes.boundary_count = notes.run_count = notes.stuck_count = 0
    memset(notes.notes_at_silence, 0, sizeof(notes.notes_at_silence))
    notes.counts.last_end = -1
    notes.counts.first_onset = INT64_MAX
    if read_parts(notes, arena, data, first_track, end_track, quarter):
        return NO_MEMORY
    for i in range(first_track, end_track):
        if pair_track(notes, arena, data, i, quarter, end_track - first_track == 1):
            return NO_MEMORY
    if notes.stuck_count and end_stuck_notes(notes, arena, first_track, end_track):
        return NO_MEMORY
    ends_to_lengths(&notes.columns, first_note)
    return USABLE


cdef Status pair_track(
    Notes *notes, const Arena *arena, const uint8_t *data, size_t index, double quarter, bint alone
) noexcept nogil:
    """Pair the notes of one track, and add its boundaries and counts; `alone` if its sequence has no other track."""
    cdef const Track *track = &arena.tracks[index]
    cdef const Event *first = arena.events + track.first_event
    cdef size_t before = notes.columns.count
    cdef Pairing p
    p.note = before
    p.boundary = notes.boundary_count
    p.ended = 0
    p.last_end = -1
    start_track_parts(notes, arena, index, quarter)
    if notes.tracks[index].changes_port:
        pair_by_port(notes, arena, data, index, &p)
    else:
        pair_port(notes, arena, &p, track.first_event, track.first_event + track.event_count)
    if p.ended < p.note - before and pair_again(notes, &p, before, first, first + track.event_count, index, alone):
        return NO_MEMORY
    end_run(notes, p.boundary)
    if p.note > before:
        notes.counts.first_onset = min(notes.counts.first_onset, onset_of(&notes.columns, before))
    fill_track(&notes.columns, p.note, index)
    notes.counts.last_end = max(notes.counts.last_end, p.last_end)
    return USABLE


cdef void pair_port(Notes *notes, const Arena *arena, Pairing *p, size_t first, size_t end) noexcept nogil:
    """Pair the events in the rows from `first` to `end` (exclusive), all of one port."""
    cdef int channel
    if notes.counts_notes or notes.columns.wide:
        pair_events(notes, p, arena.events + first, arena.events + end, first)
    else:
        pair_in_blocks(notes, p, arena.events + first, arena.events + end, first)
    for channel in range(16):
        count_pending_notes(notes, channel)


cdef void pair_by_port(Notes *notes, const Arena *arena, const uint8_t *data, size_t index, Pairing *p) noexcept nogil:
    """Pair the events of a track that changes its port; notes of one channel and pitch pair across its ports."""
    cdef const Track *track = &arena.tracks[index]
    cdef const Mark *mark = arena.marks + track.first_mark
    cdef const Mark *end = mark + track.mark_count
    cdef size_t row = track.first_event
    while mark < end:
        if names_port(mark):
            pair_port(notes, arena, p, row, mark.event)
            row = mark.event
            start_port(notes, port_of(notes, data + mark.offset, mark.length, mark.type))
        mark += 1
    pair_port(notes, arena, p, row, track.first_event + track.event_count)


cdef void add_note_seconds(Notes *notes, const TempoMap *map) noexcept nogil:
    """Add the lengths of a sequence's notes in seconds. Under one tempo they are first added up in ticks."""
    cdef NoteCounts *counts = &notes.counts
    cdef const NoteColumns *c = &notes.columns
    cdef const TempoSegment *at = map.segments
    cdef size_t i
    if c.count == 0:
        return
    counts.first_note_s = min(counts.first_note_s, seconds_at(map, &at, counts.first_onset))
    counts.last_note_s = max(counts.last_note_s, seconds_at(map, &at, counts.last_end))
    if map.count == 1 and <uint64_t>c.count <= <uint64_t>INT64_MAX // (<uint64_t>counts.last_end + 1):
        add_length_ticks(c, notes.length_ticks)
        for i in range(256):
            counts.note_seconds[i] += <double><int64_t>notes.length_ticks[i] * map.segments[0].seconds_per_tick
    elif map.count == 1:  # the sums of ticks may be more than 64 bits hold
        for i in range(c.count):
            counts.note_seconds[c.sound[i]] += <double>length_of(c, i) * map.segments[0].seconds_per_tick
    else:
        for i in range(c.count):
            counts.note_seconds[c.sound[i]] += c.end_s[i] - c.onset_s[i]


cdef void add_length_ticks(const NoteColumns *notes, uint64_t *ticks) noexcept nogil:
    """Add up the lengths of notes in ticks by pitch << 1 | is drum."""
    cdef const uint8_t *sounds = notes.sound
    cdef const int32_t *narrow = <const int32_t *>notes.length
    cdef const int64_t *wide = <const int64_t *>notes.length
    cdef size_t i
    memset(ticks, 0, 256 * sizeof(uint64_t))
    if notes.wide:
        for i in range(notes.count):
            ticks[sounds[i]] += wide[i]
    else:
        for i in range(notes.count):
            ticks[sounds[i]] += narrow[i]


cdef void write_note_facts(Notes *notes, Facts *facts) noexcept nogil:
    """Write the facts that follow from the counts, without the key."""
    cdef const NoteCounts *counts = &notes.counts
    write_velocity_facts(counts, facts)
    write_program_facts(counts, facts)
    write_pitch_facts(notes, facts)
    facts.first_note_s = counts.first_note_s if facts.note_count else NAN
    facts.last_note_s = counts.last_note_s if facts.note_count else NAN
    facts.polyphony_max = <int32_t>counts.polyphony_max
    facts.drum_note_count = counts.drums
    facts.control_changes = counts.control_changes
    facts.sustain_pedals = counts.sustain_pedals
    facts.pitch_bends = counts.pitch_bends


cdef inline void write_velocity_facts(const NoteCounts *counts, Facts *facts) noexcept nogil:
    """The velocities of all notes, and the number of notes."""
    cdef int i
    cdef int64_t notes = 0, total = 0, squares = 0
    cdef double mean
    facts.velocity_min = facts.velocity_max = facts.unique_velocities = NULL_INT16
    facts.velocity_mean = facts.velocity_std = NAN
    for i in range(128):
        if counts.velocities[i]:
            notes += counts.velocities[i]
            total += <int64_t>i * counts.velocities[i]
            squares += <int64_t>i * i * counts.velocities[i]
            if facts.velocity_min == NULL_INT16:
                facts.velocity_min = i
                facts.unique_velocities = 0
            facts.velocity_max = i
            facts.unique_velocities += 1
    facts.note_count = notes
    if notes:
        mean = <double>total / notes
        facts.velocity_mean = mean
        facts.velocity_std = sqrt(max(<double>squares / notes - mean * mean, 0))


cdef inline void write_program_facts(const NoteCounts *counts, Facts *facts) noexcept nogil:
    """The programs and channels as bit sets, and the program with the most notes."""
    cdef int i
    cdef uint32_t most = 0
    facts.primary_program = NULL_INT16
    memset(facts.programs, 0, sizeof(facts.programs))
    memset(facts.channels, 0, sizeof(facts.channels))
    for i in range(128):
        if counts.programs[i]:
            facts.programs[i >> 3] |= 1 << (i & 7)
            if counts.programs[i] > most:
                most = counts.programs[i]
                facts.primary_program = i
    for i in range(16):
        if counts.channels[i]:
            facts.channels[i >> 3] |= 1 << (i & 7)


cdef inline void write_pitch_facts(Notes *notes, Facts *facts) noexcept nogil:
    """The pitches of pitched notes, and how long these sound."""
    cdef const NoteCounts *counts = &notes.counts
    cdef int i
    cdef int64_t pitched = 0
    cdef double seconds = 0
    memset(notes.classes, 0, sizeof(notes.classes))
    facts.pitch_min = facts.pitch_max = facts.unique_pitches = NULL_INT16
    for i in range(128):
        if counts.pitches[i << 1]:
            pitched += counts.pitches[i << 1]
            seconds += counts.note_seconds[i << 1]
            notes.classes[i % 12] += counts.note_seconds[i << 1]
            if facts.pitch_min == NULL_INT16:
                facts.pitch_min = i
                facts.unique_pitches = 0
            facts.pitch_max = i
            facts.unique_pitches += 1
    for i in range(12):
        # Six decimals, so that text and float32 hold the same number.
        facts.pitch_classes[i] = <float>(rint(notes.classes[i] / seconds * 1e6) / 1e6) if seconds > 0 else 0
    facts.note_seconds_mean = seconds / pitched if pitched else NAN
    facts.polyphony_mean = seconds / counts.sounding_seconds if counts.sounding_seconds > 0 else 0
