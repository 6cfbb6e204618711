"""Events to notes, and what can be counted about them.

Notes pair first in, first out per track, channel and pitch: a note-off ends the oldest sounding one,
one that matches nothing is ignored, a note never ended ends with its track. Channel state (the
program) is shared by the tracks of a sequence and applied in (tick, track, position) order.
"""

from libc.math cimport INFINITY, NAN, rint, sqrt
from libc.stdint cimport INT64_MAX
from libc.stdlib cimport free, qsort
from libc.string cimport memset

from .facts cimport NULL_INT16
from .memory cimport reserve
from .midi cimport *
from .tempo cimport TempoSegment, seconds_at

cdef enum:
    SILENT = 0xFFFFFFFF
    KEPT_NOTES = (64 << 20) // 72  # 72 bytes a note in all buffers: larger ones shrink after their file


cdef void notes_init(Notes *notes) noexcept nogil:
    memset(notes, 0, sizeof(Notes))
    memset(notes.oldest, 0xFF, sizeof(notes.oldest))


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
    notes.note_count = 0
    notes.tally.last_end = -1
    if reserve(<void **>&notes.notes, &notes.note_capacity, events, sizeof(Note), MOST_EVENTS, False):
        return NO_MEMORY
    status = read_programs(notes, arena, data, first, last)
    if status:
        return status
    for i in range(first, last):
        pair_track(notes, arena, map, i)
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
    notes.change_count = count
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


cdef inline bint is_before(const ProgramChange *change, int64_t tick, uint32_t event) noexcept nogil:
    return change.tick < tick or (change.tick == tick and change.event < event)


cdef const ProgramChange *last_change(const ProgramChange *low, const ProgramChange *end, int64_t tick, uint32_t event) noexcept nogil:
    """The first change that is not before (tick, event): a binary search, since with many tracks each
    one starts again from the beginning of time."""
    cdef const ProgramChange *high = end
    cdef const ProgramChange *middle
    while low < high:
        middle = low + (high - low) // 2
        if is_before(middle, tick, event):
            low = middle + 1
        else:
            high = middle
    return low


cdef void pair_track(Notes *notes, const Arena *arena, const TempoMap *map, size_t index) noexcept nogil:
    """One pass over a track: pair its notes, count its messages."""
    cdef const Track *track = &arena.tracks[index]
    cdef const Event *event = arena.events + track.first_event
    cdef const Event *end = event + track.event_count
    cdef const TempoSegment *segment = map.segments
    cdef Tally *tally = &notes.tally
    cdef Note *note
    cdef size_t count = notes.note_count
    cdef size_t first_note = count
    cdef size_t sounding = 0
    cdef uint32_t message, slot, pitch, velocity, channel
    cdef double seconds
    cdef int64_t last_end = -1
    cdef uint8_t program[16]
    cdef int64_t next_tick[16]  # of the next program change of a channel
    cdef const ProgramChange *next_change[16]
    cdef const ProgramChange *change
    for channel in range(16):
        program[channel] = 0
        next_change[channel] = notes.changes + notes.change_start[channel]
        next_tick[channel] = INT64_MAX
        if notes.change_start[channel] < notes.change_start[channel + 1]:
            next_tick[channel] = next_change[channel].tick

    while event < end:
        message = event.message
        if message & 0xE0 == 0x80:  # note on or off
            channel = message & 0x0F
            pitch = data1_of(message)
            velocity = data2_of(message)
            slot = channel << 7 | pitch
            if message & 0x10 and velocity:
                if event.tick >= next_tick[channel]:
                    change = notes.changes + notes.change_start[channel + 1]
                    next_change[channel] = last_change(next_change[channel], change, event.tick, event - arena.events)
                    next_tick[channel] = next_change[channel].tick if next_change[channel] < change else INT64_MAX
                    if next_change[channel] > notes.changes + notes.change_start[channel]:
                        program[channel] = (next_change[channel] - 1).program
                note = &notes.notes[count]
                note.on = event.tick
                note.off = -1
                note.seconds = seconds_at(map, &segment, event.tick)
                note.next = SILENT
                note.pitch = pitch
                note.velocity = velocity
                note.drum = channel == DRUMS
                note.channel = channel
                if notes.oldest[slot] == SILENT:
                    notes.oldest[slot] = count
                else:
                    notes.notes[notes.newest[slot]].next = count
                notes.newest[slot] = count
                tally.velocities[velocity] += 1
                tally.channels[channel] += 1
                if channel != DRUMS:
                    tally.pitches[pitch] += 1
                    tally.programs[program[channel]] += 1
                count += 1
                sounding += 1
            elif notes.oldest[slot] != SILENT:
                note = &notes.notes[notes.oldest[slot]]
                notes.oldest[slot] = note.next
                sounding -= 1
                note.off = last_end = event.tick
                if channel != DRUMS:
                    seconds = seconds_at(map, &segment, event.tick)
                    tally.sounding[pitch] += seconds - note.seconds
        elif message & 0xF0 == CONTROL_CHANGE:
            tally.control_changes += 1
            tally.sustain_pedals += data1_of(message) == SUSTAIN
        elif message & 0xF0 == PITCH_BEND:
            tally.pitch_bends += 1
        event += 1

    if sounding:
        tally.stuck = True
        last_end = track.end_tick
        seconds = seconds_at(map, &segment, last_end)
        for slot in range(first_note, count):
            note = &notes.notes[slot]
            if note.off < 0:
                note.off = last_end
                notes.oldest[<uint32_t>note.channel << 7 | note.pitch] = SILENT
                if not note.drum:
                    tally.sounding[note.pitch] += seconds - note.seconds
    if count > first_note:
        segment = map.segments
        tally.first_note_s = min(tally.first_note_s, notes.notes[first_note].seconds)
        tally.last_note_s = max(tally.last_note_s, seconds_at(map, &segment, last_end))
        tally.last_end = max(tally.last_end, last_end)
    notes.note_count = count


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
        if tally.pitches[i]:
            pitched += tally.pitches[i]
            sounding += tally.sounding[i]
            classes[i % 12] += tally.sounding[i]
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
    if notes.note_capacity > KEPT_NOTES or notes.record_capacity > KEPT_NOTES:
        notes_free(notes)


cdef void notes_free(Notes *notes) noexcept nogil:
    free(notes.notes)
    free(notes.changes)
    free(notes.keys)
    free(notes.keys_spare)
    free(notes.order)
    free(notes.records)
    notes_init(notes)
