"""Notes that still sound at the end of their track: 2 % of the files of the test corpus have any.

Each of these rules takes what the one before leaves over:

- Retrigger: where a pitch has fewer note-offs than note-ons, programs mean each note-off to end all notes of the pitch. This
  holds from the last time on at which the pitch was silent; the pairs before are complete.
- A note-off of the same channel and pitch in another track, or a controller that ends the notes of the channel, ends a note
  that began at an earlier tick.
- A note ends with its track.
"""

from libc.stdint cimport int64_t
from libc.string cimport memset

from midiopt.core.memory cimport RELEASE_BLOCK, STUCK_NOTE_BLOCK, reserve_block
from midiopt.core.notes.pairing cimport (
    end_all_notes, end_note, end_run, oldest_of, set_boundary, silence_channel, start_note, take_oldest,
)
from midiopt.core.notes.types cimport StuckNote, is_drum, onset_of
from midiopt.core.smf.midi cimport CONTROL_CHANGE, MAX_EVENTS_CAP, NO_MEMORY, USABLE, data1_of, is_note, is_onset, silences_channel
from midiopt.core.timeline.timed_values cimport TimedValue, add_timed_value, clear_timed_values, sort_timed_values

cdef enum:
    SILENCE = 1 << 16  # of TimedValue.value: ends all pitches of the channel


cdef inline bint is_silence(uint32_t message) noexcept nogil:
    return message & 0xF0 == CONTROL_CHANGE and silences_channel(message)


cdef inline uint32_t slot_of(uint32_t message) noexcept nogil:
    return (message & 0x0F) << 7 | data1_of(message)


cdef Status pair_again(
    Notes *notes, Pairing *pairing, size_t note, const Event *first, const Event *end, uint32_t track, bint alone
) noexcept nogil:
    """Pair the events of a track anew with retriggers; `note` is the row of its first note.

    What still sounds ends with a track that is `alone` in its sequence, and is added to the stuck notes otherwise.
    """
    cdef const Event *event
    cdef uint32_t slot, quiet = 0xFFFF  # set of the channels on which nothing sounds
    pairing.note = note
    pairing.boundary = notes.boundary_count
    pairing.ended = 0
    pairing.last_end = -1
    find_last_runs(notes, first, end)
    event = first
    while event < end:
        slot = slot_of(event.message)
        if is_silence(event.message):
            if not quiet >> (slot >> 7) & 1:
                silence_channel(notes, pairing, slot >> 7, event.tick)
            quiet |= 1 << (slot >> 7)
        elif is_onset(event.message):
            quiet &= ~(1 << (slot >> 7))
            start_note(notes, slot, pairing.note)
            set_boundary(notes, pairing.boundary, event.tick, True)
            pairing.boundary += not is_drum(&notes.columns, pairing.note)
            pairing.note += 1
        elif is_note(event.message) and notes.sounding[slot]:
            if notes.held[slot] and event - first >= notes.run_start[slot]:
                end_all_notes(notes, pairing, slot, event.tick)
            else:
                end_oldest_note(notes, pairing, slot, event.tick)
        event += 1
    if not alone:
        return add_stuck_notes(notes, note, first, end, track)
    end_with_track(notes, pairing, note, first, end)
    return USABLE


cdef void find_last_runs(Notes *notes, const Event *first, const Event *end) noexcept nogil:
    """Find the channels and pitches that still sound at the end (`held`), and the event since which they do (`run_start`)."""
    cdef const Event *event = first
    cdef uint32_t slot, quiet = 0xFFFF
    while event < end:  # only slots that the track uses: tracks may be many and short
        if is_note(event.message):
            slot = slot_of(event.message)
            notes.held[slot] = 0
            notes.sounding[slot] = 0
        event += 1
    event = first
    while event < end:
        slot = slot_of(event.message)
        if is_onset(event.message):
            if notes.held[slot] == 0:
                notes.run_start[slot] = event - first
            notes.held[slot] += 1
            quiet &= ~(1 << (slot >> 7))
        elif is_note(event.message):
            notes.held[slot] -= notes.held[slot] > 0
        elif is_silence(event.message):
            if not quiet >> (slot >> 7) & 1:
                memset(&notes.held[slot & ~0x7F], 0, 128 * sizeof(uint32_t))
            quiet |= 1 << (slot >> 7)
        event += 1


cdef void end_oldest_note(Notes *notes, Pairing *pairing, uint32_t slot, int64_t tick) noexcept nogil:
    """End the oldest note of a channel and pitch that sounds, at least one."""
    cdef size_t note = take_oldest(notes, slot)
    end_note(notes, note, tick)
    pairing.ended += 1
    pairing.last_end = tick
    set_boundary(notes, pairing.boundary, tick, False)
    pairing.boundary += not is_drum(&notes.columns, note)


cdef inline bint is_oldest(const Notes *notes, uint32_t slot, size_t note) noexcept nogil:
    """Whether a note is the oldest of those that sound."""
    return notes.sounding[slot] and oldest_of(notes, slot) == note


cdef void end_with_track(Notes *notes, Pairing *pairing, size_t note, const Event *first, const Event *end) noexcept nogil:
    """End the notes of a track that still sound at the tick of its last event."""
    cdef const Event *event = first
    while event < end:
        if is_onset(event.message):
            if is_oldest(notes, slot_of(event.message), note):
                notes.counts.has_stuck_note = True
                end_oldest_note(notes, pairing, slot_of(event.message), (end - 1).tick)
            note += 1
        event += 1


cdef Status add_stuck_notes(Notes *notes, size_t note, const Event *first, const Event *end, uint32_t track) noexcept nogil:
    """Add the notes of a track that still sound to the stuck notes, in the order of their onsets."""
    cdef const Event *event = first
    cdef StuckNote *stuck
    cdef uint32_t slot
    while event < end:
        if is_onset(event.message):
            slot = slot_of(event.message)
            if is_oldest(notes, slot, note):
                take_oldest(notes, slot)
                notes.stuck = <StuckNote *>reserve_block(
                    notes.scratch, STUCK_NOTE_BLOCK, notes.stuck_count + 1, sizeof(StuckNote), MAX_EVENTS_CAP, True
                )
                if notes.stuck == NULL:
                    memset(notes.sounding, 0, sizeof(notes.sounding))
                    return NO_MEMORY
                stuck = &notes.stuck[notes.stuck_count]
                stuck.note = note
                stuck.ended = False
                stuck.slot = slot
                stuck.track = track
                notes.stuck_count += 1
            note += 1
        event += 1
    return USABLE


cdef Status end_stuck_notes(Notes *notes, const Arena *arena, size_t first_track, size_t end_track) noexcept nogil:
    """End all stuck notes of a sequence."""
    cdef uint32_t port
    for port in range(notes.port_ids + 1):
        if collect_releases(notes, arena, first_track, end_track, port):
            return NO_MEMORY
        if notes.releases.count:
            end_in_other_tracks(notes)
    end_with_tracks(notes, arena)
    return USABLE


cdef Status collect_releases(Notes *notes, const Arena *arena, size_t first_track, size_t end_track, uint32_t port) noexcept nogil:
    """Collect the stuck notes of a port and all that may end them, in time order; nothing if there is nothing to end them.

    The time is twice the tick, plus one for a stuck note, since nothing at the same tick ends it. The value is the index of a
    stuck note; otherwise the slot, and SILENCE.
    """
    cdef const Event *event
    cdef const Event *end
    cdef size_t i
    cdef uint32_t slot, row = 0
    memset(notes.held, 0, sizeof(notes.held))
    clear_timed_values(&notes.releases)
    for i in range(notes.stuck_count):
        if notes.tracks[notes.stuck[i].track].port != port:
            continue
        notes.held[notes.stuck[i].slot] = 1
    for i in range(first_track, end_track):
        if notes.tracks[i].port != port:
            continue
        event = arena.events + arena.tracks[i].first_event
        end = event + arena.tracks[i].event_count
        while event < end:
            slot = slot_of(event.message)
            if is_silence(event.message):
                if add_release(notes, event.tick << 1, row, SILENCE | (slot & ~0x7F)):
                    return NO_MEMORY
                row += 1
            elif is_note(event.message) and not is_onset(event.message) and notes.held[slot]:
                if add_release(notes, event.tick << 1, row, slot):
                    return NO_MEMORY
                row += 1
            event += 1
    if row == 0:
        return USABLE
    for i in range(notes.stuck_count):
        if notes.tracks[notes.stuck[i].track].port != port:
            continue
        if add_release(notes, onset_of(&notes.columns, notes.stuck[i].note) << 1 | 1, row, i):
            return NO_MEMORY
        row += 1
    sort_timed_values(&notes.releases)
    return USABLE


cdef inline Status add_release(Notes *notes, int64_t time, uint32_t row, uint32_t value) noexcept nogil:
    return add_timed_value(&notes.releases, notes.scratch, RELEASE_BLOCK, time, row, value)


cdef void end_in_other_tracks(Notes *notes) noexcept nogil:
    """End stuck notes with the first release after their onset. Their ends form a run of boundaries."""
    cdef size_t boundary = notes.boundary_count
    cdef const TimedValue *item
    cdef StuckNote *stuck
    cdef size_t i
    cdef uint32_t slot, channel
    memset(notes.waiting_notes, 0, sizeof(notes.waiting_notes))
    for i in range(notes.releases.count):
        item = &notes.releases.items[i]
        if item.tick & 1:
            stuck = &notes.stuck[item.value]
            stuck.next = notes.waiting[stuck.slot]
            notes.waiting[stuck.slot] = stuck
            notes.waiting_notes[stuck.slot >> 7] += 1
        elif item.value & SILENCE:
            slot = item.value & ~SILENCE
            channel = slot >> 7
            while notes.waiting_notes[channel]:
                boundary = release(notes, slot, item.tick >> 1, boundary)
                slot += 1
        else:
            boundary = release(notes, item.value, item.tick >> 1, boundary)
    end_run(notes, boundary)
    for i in range(notes.stuck_count):
        notes.waiting[notes.stuck[i].slot] = NULL


cdef size_t release(Notes *notes, uint32_t slot, int64_t tick, size_t boundary) noexcept nogil:
    """End the stuck notes of a slot that wait; returns the place of the next boundary."""
    cdef StuckNote *stuck = notes.waiting[slot]
    notes.waiting[slot] = NULL
    while stuck != NULL:
        boundary = end_stuck_note(notes, stuck, tick, boundary)
        notes.waiting_notes[slot >> 7] -= 1
        stuck = stuck.next
    return boundary


cdef inline size_t end_stuck_note(Notes *notes, StuckNote *stuck, int64_t tick, size_t boundary) noexcept nogil:
    """End a stuck note; returns the place of the next boundary."""
    end_note(notes, stuck.note, tick)
    notes.counts.last_end = max(notes.counts.last_end, tick)
    stuck.ended = True
    set_boundary(notes, boundary, tick, False)
    return boundary + (not is_drum(&notes.columns, stuck.note))


cdef void end_with_tracks(Notes *notes, const Arena *arena) noexcept nogil:
    """End the stuck notes that are left with their tracks, which is an issue. A run of boundaries ends where time goes back."""
    cdef size_t boundary = notes.boundary_count
    cdef StuckNote *stuck
    cdef size_t i
    cdef int64_t tick, last_tick = 0
    for i in range(notes.stuck_count):
        stuck = &notes.stuck[i]
        if not stuck.ended:
            tick = arena.tracks[stuck.track].end_tick
            if tick < last_tick:
                end_run(notes, boundary)
            last_tick = tick
            notes.counts.has_stuck_note = True
            boundary = end_stuck_note(notes, stuck, tick, boundary)
    end_run(notes, boundary)
