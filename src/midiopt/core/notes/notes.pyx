"""Events to notes, and what can be counted about them.

Notes pair first in, first out per track, channel and pitch: a note-off ends the oldest sounding one,
one that matches nothing is ignored, a note never ended ends with its track. Channel state (the
program) is shared by the tracks of a sequence and applied in (tick, track, position) order.
"""

from libc.math cimport INFINITY, NAN, rint, sqrt
from libc.stddef cimport size_t
from libc.stdint cimport INT64_MAX, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, qsort
from libc.string cimport memset

from midiopt.core.facts cimport NULL_INT16
from midiopt.core.memory cimport reserve
from midiopt.core.smf.midi cimport *
from midiopt.core.notes.types cimport TICK_SHIFT, PackedNote, ProgramChange, NoteCounts
from midiopt.core.notes.pairing cimport Pairing, count_pending_notes, end_note, next_sounding, pair_events
from midiopt.core.timeline.tempo_map cimport TempoSegment, seconds_at

cdef enum:
    KEPT_NOTES = (64 << 20) // 48  # 48 bytes a note in all buffers: larger ones shrink after their file


cdef void notes_init(Notes *notes) noexcept nogil:
    memset(notes, 0, sizeof(Notes))


cdef void notes_begin(Notes *notes) noexcept nogil:
    """Start a file."""
    memset(&notes.counts, 0, sizeof(NoteCounts))
    notes.counts.first_note_s = INFINITY
    notes.counts.last_note_s = -INFINITY


cdef Status read_notes(Notes *notes, const Arena *arena, const uint8_t *data, const TempoMap *map, size_t first, size_t last) noexcept nogil:
    """Pair and count the notes of one sequence, tracks `first` to `last` (exclusive)."""
    cdef size_t i, events = 0
    cdef Status status
    for i in range(first, last):
        events += arena.tracks[i].event_count
    notes.note_count = notes.boundary_count = notes.run_count = 0
    notes.counts.last_end = -1
    notes.counts.first_onset = INT64_MAX
    memset(notes.length_ticks, 0, sizeof(notes.length_ticks))
    if (
        reserve(<void **>&notes.notes, &notes.note_capacity, events, sizeof(PackedNote), MAX_EVENTS_CAP, False)
        or reserve(<void **>&notes.boundaries, &notes.boundary_capacity, 2 * events, sizeof(uint64_t), 2 * MAX_EVENTS_CAP, False)
    ):
        return NO_MEMORY
    status = read_programs(notes, arena, data, first, last)
    if status:
        return status
    for i in range(first, last):
        pair_track(notes, arena, i)
    time_notes(notes, map)
    return USABLE


cdef Status read_programs(Notes *notes, const Arena *arena, const uint8_t *data, size_t first, size_t last) noexcept nogil:
    """Collect program changes by channel, each channel's in (tick, track, position) order."""
    cdef const Mark *mark
    cdef const Mark *end
    cdef ProgramChange *change
    cdef size_t i, count = 0
    cdef int channel
    for i in range(first, last):
        mark = arena.marks + arena.tracks[i].first_mark
        end = mark + arena.tracks[i].mark_count
        while mark < end:
            if mark.status < SYSEX:
                if reserve(<void **>&notes.changes, &notes.change_capacity, count + 1, sizeof(ProgramChange), MAX_EVENTS_CAP, True):
                    return NO_MEMORY
                change = &notes.changes[count]
                change.tick = arena.events[mark.event].tick
                change.event = mark.event
                change.channel = mark.status & 0x0F
                change.program = data1_of(arena.events[mark.event].message)
                count += 1
            mark += 1
    if count > 1:
        qsort(notes.changes, count, sizeof(ProgramChange), by_channel_and_time)
    i = 0
    for channel in range(17):
        while i < count and notes.changes[i].channel < channel:
            i += 1
        notes.change_start[channel] = i
    return USABLE


cdef int by_channel_and_time(const void *a, const void *b) noexcept nogil:
    cdef const ProgramChange *x = <const ProgramChange *>a
    cdef const ProgramChange *y = <const ProgramChange *>b
    if x.channel != y.channel:
        return -1 if x.channel < y.channel else 1
    if x.tick != y.tick:
        return -1 if x.tick < y.tick else 1
    return -1 if x.event < y.event else 1  # rows of the arena are in (track, position) order


cdef void pair_track(Notes *notes, const Arena *arena, size_t index) noexcept nogil:
    """Pair the notes of one track, and add its steps and counts."""
    cdef const Track *track = &arena.tracks[index]
    cdef const Event *first = arena.events + track.first_event
    cdef PackedNote *notes_before = notes.notes + notes.note_count
    cdef Pairing p
    cdef int channel
    p.notes = notes_before
    p.boundary = notes.boundaries + notes.boundary_count
    p.ended = 0
    p.last_end = -1
    begin_programs(notes)
    pair_events(notes, &p, first, first + track.event_count, track.first_event)
    for channel in range(16):
        count_pending_notes(notes, channel)
    if p.ended < p.notes - notes_before:
        notes.counts.has_stuck_note = True
        p.last_end = track.end_tick
        end_all(notes, &p)
    if p.boundary > notes.boundaries + notes.boundary_count:
        notes.boundary_count = p.boundary - notes.boundaries
        notes.run_ends[notes.run_count] = notes.boundary_count
        notes.run_count += 1
    if p.notes > notes_before:
        notes.counts.first_onset = min(notes.counts.first_onset, <int64_t>(notes_before.onset >> TICK_SHIFT))
    notes.note_count = p.notes - notes.notes
    notes.counts.last_end = max(notes.counts.last_end, p.last_end)


cdef void end_all(Notes *notes, Pairing *p) noexcept nogil:
    """End every note that still sounds at `p.last_end`."""
    cdef PackedNote *note
    cdef PackedNote *next
    cdef int slot
    for slot in range(2048):
        note = notes.sounding[slot]
        while note != NULL:
            next = next_sounding(note)
            end_note(notes, note, p.last_end)
            p.boundary[0] = p.last_end << 1
            p.boundary += slot >> 7 != DRUM_CHANNEL
            note = next if next != notes.sounding[slot] else NULL
        notes.sounding[slot] = NULL


cdef void begin_programs(Notes *notes) noexcept nogil:
    cdef int channel
    for channel in range(16):
        notes.pending_notes[channel] = 0
        notes.program[channel] = 0
        notes.next_change[channel] = notes.changes + notes.change_start[channel]
        notes.next_tick[channel] = INT64_MAX
        if notes.change_start[channel] < notes.change_start[channel + 1]:
            notes.next_tick[channel] = notes.next_change[channel].tick


cdef void time_notes(Notes *notes, const TempoMap *map) noexcept nogil:
    """Ticks of a sequence's notes to seconds. Under one tempo, lengths were added up in ticks."""
    cdef NoteCounts *counts = &notes.counts
    cdef const PackedNote *note = notes.notes
    cdef const PackedNote *end = note + notes.note_count
    cdef const TempoSegment *on = map.segments
    cdef const TempoSegment *off
    cdef int i
    cdef double seconds
    if notes.note_count == 0:
        return
    counts.first_note_s = min(counts.first_note_s, seconds_at(map, &on, counts.first_onset))
    counts.last_note_s = max(counts.last_note_s, seconds_at(map, &on, counts.last_end))
    if map.count == 1:
        for i in range(256):
            counts.note_seconds[i] += <double><int64_t>notes.length_ticks[i] * map.segments[0].seconds_per_tick
        return
    on = map.segments
    while note < end:
        if <int64_t>(note.onset >> TICK_SHIFT) < on.start:  # the next track
            on = map.segments
        seconds = seconds_at(map, &on, note.onset >> TICK_SHIFT)
        off = on
        counts.note_seconds[note.onset & 0xFF] += seconds_at(map, &off, (note.onset >> TICK_SHIFT) + (note.length >> TICK_SHIFT)) - seconds
        note += 1


cdef void note_facts(Notes *notes, Facts *facts) noexcept nogil:
    """Everything that the counts says, but the key."""
    cdef const NoteCounts *counts = &notes.counts
    cdef int i
    cdef int64_t all_notes = 0, pitched = 0, total = 0, squares = 0
    cdef uint32_t most = 0
    cdef double sounding = 0
    cdef double mean
    facts.pitch_min = facts.pitch_max = facts.unique_pitches = NULL_INT16
    facts.velocity_min = facts.velocity_max = facts.unique_velocities = NULL_INT16
    facts.primary_program = NULL_INT16
    facts.velocity_mean = facts.velocity_std = facts.note_seconds_mean = NAN
    facts.first_note_s = facts.last_note_s = NAN
    facts.polyphony_mean = 0
    memset(facts.programs, 0, sizeof(facts.programs))
    memset(facts.channels, 0, sizeof(facts.channels))
    memset(notes.classes, 0, sizeof(notes.classes))

    for i in range(128):
        if counts.velocities[i]:
            all_notes += counts.velocities[i]
            total += <int64_t>i * counts.velocities[i]
            squares += <int64_t>i * i * counts.velocities[i]
            if facts.velocity_min == NULL_INT16:
                facts.velocity_min = i
                facts.unique_velocities = 0
            facts.velocity_max = i
            facts.unique_velocities += 1
        if counts.pitches[i << 1]:
            pitched += counts.pitches[i << 1]
            sounding += counts.note_seconds[i << 1]
            notes.classes[i % 12] += counts.note_seconds[i << 1]
            if facts.pitch_min == NULL_INT16:
                facts.pitch_min = i
                facts.unique_pitches = 0
            facts.pitch_max = i
            facts.unique_pitches += 1
        if counts.programs[i]:
            facts.programs[i >> 3] |= 1 << (i & 7)
            if counts.programs[i] > most:
                most = counts.programs[i]
                facts.primary_program = i
    for i in range(16):
        if counts.channels[i]:
            facts.channels[i >> 3] |= 1 << (i & 7)
    for i in range(12):
        # Six decimals, so that text and float32 hold the same number.
        facts.pitch_classes[i] = <float>(rint(notes.classes[i] / sounding * 1e6) / 1e6) if sounding > 0 else 0
    if all_notes:
        mean = <double>total / all_notes
        facts.velocity_mean = mean
        facts.velocity_std = sqrt(max(<double>squares / all_notes - mean * mean, 0))
        facts.first_note_s = counts.first_note_s
        facts.last_note_s = counts.last_note_s
    if pitched:
        facts.note_seconds_mean = sounding / pitched
    if counts.sounding_seconds > 0:
        facts.polyphony_mean = sounding / counts.sounding_seconds
    facts.polyphony_max = min(counts.polyphony_max, 32767)
    facts.note_count = all_notes
    facts.drum_note_count = counts.channels[DRUM_CHANNEL]
    facts.control_changes = counts.control_changes
    facts.sustain_pedals = counts.sustain_pedals
    facts.pitch_bends = counts.pitch_bends


cdef void notes_trim(Notes *notes) noexcept nogil:
    if notes.note_capacity > KEPT_NOTES:
        notes_free(notes)


cdef void notes_free(Notes *notes) noexcept nogil:
    free(notes.notes)
    free(notes.boundaries)
    free(notes.spare)
    free(notes.changes)
    notes_init(notes)
