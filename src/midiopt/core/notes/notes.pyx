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
from midiopt.core.notes.types cimport TICKS, Pair, ProgramChange, Tally
from midiopt.core.notes.pairing cimport Pairing, count_programs, end_note, following, pair_events
from midiopt.core.timeline.tempo_map cimport TempoSegment, seconds_at

cdef enum:
    KEPT_NOTES = (64 << 20) // 48  # 48 bytes a note in all buffers: larger ones shrink after their file


cdef void notes_init(Notes *notes) noexcept nogil:
    memset(notes, 0, sizeof(Notes))


cdef void notes_begin(Notes *notes) noexcept nogil:
    """Start a file."""
    memset(&notes.tally, 0, sizeof(Tally))
    notes.tally.first_note_s = INFINITY
    notes.tally.last_note_s = -INFINITY


cdef Status read_notes(Notes *notes, const Arena *arena, const uint8_t *data, const TempoMap *map, size_t first, size_t last) noexcept nogil:
    """Pair and count the notes of one sequence, tracks `first` to `last` (exclusive)."""
    cdef size_t i, events = 0
    cdef Status status
    for i in range(first, last):
        events += arena.tracks[i].event_count
    notes.note_count = notes.step_count = notes.run_count = 0
    notes.tally.last_end = -1
    notes.tally.first_onset = INT64_MAX
    memset(notes.ticks, 0, sizeof(notes.ticks))
    if (
        reserve(<void **>&notes.notes, &notes.note_capacity, events, sizeof(Pair), MOST_EVENTS, False)
        or reserve(<void **>&notes.steps, &notes.step_capacity, 2 * events, sizeof(uint64_t), 2 * MOST_EVENTS, False)
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
                if reserve(<void **>&notes.changes, &notes.change_capacity, count + 1, sizeof(ProgramChange), MOST_EVENTS, True):
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
    cdef Pair *notes_before = notes.notes + notes.note_count
    cdef Pairing p
    cdef int channel
    p.notes = notes_before
    p.step = notes.steps + notes.step_count
    p.ended = 0
    p.last_end = -1
    begin_programs(notes)
    pair_events(notes, &p, first, first + track.event_count, track.first_event)
    for channel in range(16):
        count_programs(notes, channel)
    if p.ended < p.notes - notes_before:
        notes.tally.stuck = True
        p.last_end = track.end_tick
        end_all(notes, &p)
    if p.step > notes.steps + notes.step_count:
        notes.step_count = p.step - notes.steps
        notes.run_ends[notes.run_count] = notes.step_count
        notes.run_count += 1
    if p.notes > notes_before:
        notes.tally.first_onset = min(notes.tally.first_onset, <int64_t>(notes_before.key >> TICKS))
    notes.note_count = p.notes - notes.notes
    notes.tally.last_end = max(notes.tally.last_end, p.last_end)


cdef void end_all(Notes *notes, Pairing *p) noexcept nogil:
    """End every note that still sounds at `p.last_end`."""
    cdef Pair *note
    cdef Pair *next
    cdef int slot
    for slot in range(2048):
        note = notes.newest[slot]
        while note != NULL:
            next = following(note)
            end_note(notes, note, p.last_end)
            p.step[0] = p.last_end << 1
            p.step += slot >> 7 != DRUMS
            note = next if next != notes.newest[slot] else NULL
        notes.newest[slot] = NULL


cdef void begin_programs(Notes *notes) noexcept nogil:
    cdef int channel
    for channel in range(16):
        notes.struck[channel] = 0
        notes.program[channel] = 0
        notes.next_change[channel] = notes.changes + notes.change_start[channel]
        notes.next_tick[channel] = INT64_MAX
        if notes.change_start[channel] < notes.change_start[channel + 1]:
            notes.next_tick[channel] = notes.next_change[channel].tick


cdef void time_notes(Notes *notes, const TempoMap *map) noexcept nogil:
    """Ticks of a sequence's notes to seconds. Under one tempo, lengths were added up in ticks."""
    cdef Tally *tally = &notes.tally
    cdef const Pair *note = notes.notes
    cdef const Pair *end = note + notes.note_count
    cdef const TempoSegment *on = map.segments
    cdef const TempoSegment *off
    cdef int i
    cdef double seconds
    if notes.note_count == 0:
        return
    tally.first_note_s = min(tally.first_note_s, seconds_at(map, &on, tally.first_onset))
    tally.last_note_s = max(tally.last_note_s, seconds_at(map, &on, tally.last_end))
    if map.count == 1:
        for i in range(256):
            tally.sounding[i] += <double><int64_t>notes.ticks[i] * map.segments[0].per_tick
        return
    on = map.segments
    while note < end:
        if <int64_t>(note.key >> TICKS) < on.start:  # the next track
            on = map.segments
        seconds = seconds_at(map, &on, note.key >> TICKS)
        off = on
        tally.sounding[note.key & 0xFF] += seconds_at(map, &off, (note.key >> TICKS) + (note.value >> TICKS)) - seconds
        note += 1


cdef void note_facts(const Notes *notes, Facts *facts) noexcept nogil:
    """Everything that the tally says, but the key."""
    cdef const Tally *tally = &notes.tally
    cdef int i
    cdef int64_t all_notes = 0, pitched = 0, total = 0, squares = 0
    cdef uint32_t most = 0
    cdef double sounding = 0
    cdef double classes[12]
    cdef double mean
    facts.pitch_min = facts.pitch_max = facts.unique_pitches = NULL_INT16
    facts.velocity_min = facts.velocity_max = facts.unique_velocities = NULL_INT16
    facts.primary_program = NULL_INT16
    facts.velocity_mean = facts.velocity_std = facts.note_seconds_mean = NAN
    facts.first_note_s = facts.last_note_s = NAN
    facts.polyphony_mean = 0
    memset(facts.programs, 0, sizeof(facts.programs))
    memset(facts.channels, 0, sizeof(facts.channels))
    memset(classes, 0, sizeof(classes))

    for i in range(128):
        if tally.velocities[i]:
            all_notes += tally.velocities[i]
            total += <int64_t>i * tally.velocities[i]
            squares += <int64_t>i * i * tally.velocities[i]
            if facts.velocity_min == NULL_INT16:
                facts.velocity_min = i
                facts.unique_velocities = 0
            facts.velocity_max = i
            facts.unique_velocities += 1
        if tally.pitches[i << 1]:
            pitched += tally.pitches[i << 1]
            sounding += tally.sounding[i << 1]
            classes[i % 12] += tally.sounding[i << 1]
            if facts.pitch_min == NULL_INT16:
                facts.pitch_min = i
                facts.unique_pitches = 0
            facts.pitch_max = i
            facts.unique_pitches += 1
        if tally.programs[i]:
            facts.programs[i >> 3] |= 1 << (i & 7)
            if tally.programs[i] > most:
                most = tally.programs[i]
                facts.primary_program = i
    for i in range(16):
        if tally.channels[i]:
            facts.channels[i >> 3] |= 1 << (i & 7)
    for i in range(12):
        # Six decimals, so that text and float32 hold the same number.
        facts.pitch_classes[i] = <float>(rint(classes[i] / sounding * 1e6) / 1e6) if sounding > 0 else 0
    if all_notes:
        mean = <double>total / all_notes
        facts.velocity_mean = mean
        facts.velocity_std = sqrt(max(<double>squares / all_notes - mean * mean, 0))
        facts.first_note_s = tally.first_note_s
        facts.last_note_s = tally.last_note_s
    if pitched:
        facts.note_seconds_mean = sounding / pitched
    if tally.polyphonic > 0:
        facts.polyphony_mean = sounding / tally.polyphonic
    facts.polyphony_max = min(tally.polyphony_max, 32767)
    facts.note_count = all_notes
    facts.drum_note_count = tally.channels[DRUMS]
    facts.control_changes = tally.control_changes
    facts.sustain_pedals = tally.sustain_pedals
    facts.pitch_bends = tally.pitch_bends


cdef void notes_trim(Notes *notes) noexcept nogil:
    if notes.note_capacity > KEPT_NOTES:
        notes_free(notes)


cdef void notes_free(Notes *notes) noexcept nogil:
    free(notes.notes)
    free(notes.steps)
    free(notes.spare)
    free(notes.changes)
    notes_init(notes)
