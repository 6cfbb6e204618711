"""The loop that pairs note-ons with note-offs.

It is a module of its own, with nothing before or after the loop: inside a larger function, gcc 12 keeps half of its
variables on the stack, and the loop takes 20 instead of 14 microseconds per file. It also counts notes: in a loop of their
own, runs of one velocity made each increment wait for the one before.
"""

from midiopt.core.notes.parts cimport change_part
from midiopt.core.notes.types cimport note_traits
from midiopt.core.smf.midi cimport CONTROL_CHANGE, NOTE_OFF, PITCH_BEND, SUSTAIN_PEDAL, data1_of, data2_of, silences_channel


cdef void pair_events(Notes *notes, Pairing *pairing, const Event *event, const Event *end, uint32_t row) noexcept nogil:
    """Pair the events of a track; `row` is the row of the first one in the arena."""
    if notes.columns.wide:
        pair_ticks[int64_t](notes, pairing, event, end, row, <int64_t *>notes.columns.onset)
    else:
        pair_ticks[int32_t](notes, pairing, event, end, row, <int32_t *>notes.columns.onset)


cdef inline void pair_ticks(
    Notes *notes, Pairing *pairing, const Event *event, const Event *end, uint32_t row, tick_t *onsets
) noexcept nogil:
    """The same; `onsets` is the column of onsets with its type."""
    cdef const Event *first = event
    cdef tick_t *lengths = <tick_t *>notes.columns.length
    cdef tick_t *boundary = <tick_t *>notes.boundaries + pairing.boundary
    cdef uint32_t *all_traits = notes.columns.traits
    cdef size_t note = pairing.note, oldest
    cdef uint32_t message, slot, channel, traits, sounding
    cdef size_t ended = pairing.ended
    cdef int64_t last_end = pairing.last_end
    cdef tick_t now
    while event < end:
        message = event.message
        if message & 0xE0 == NOTE_OFF:  # note off or note on, which differ in the next bit
            channel = message & 0x0F
            slot = channel << 7 | data1_of(message)
            now = <tick_t>event.tick
            sounding = notes.sounding[slot]
            if message & 0x10 and message & 0x7F0000:
                if event.tick >= notes.next_tick[channel]:
                    change_part(notes, channel, now, row + <uint32_t>(event - first))
                traits = note_traits(notes.part_traits[channel], message)
                notes.counts.pitches[traits & 0xFF] += 1
                notes.counts.velocities[data2_of(message)] += 1
                notes.pending_notes[channel] += 1
                boundary[0] = now << 1 | 1
                boundary += traits & 1 ^ 1
                onsets[note] = now
                all_traits[note] = traits
                if sounding == 0:
                    notes.sounding[slot] = <uint32_t>(note + 1)
                else:
                    start_note(notes, slot, note)
                note += 1
            elif sounding:
                oldest = sounding - 1
                if sounding & SEVERAL:
                    oldest = take_oldest(notes, slot)
                else:
                    notes.sounding[slot] = 0
                lengths[oldest] = now
                last_end = now
                ended += 1
                boundary[0] = now << 1
                boundary += all_traits[oldest] & 1 ^ 1
        elif message & 0xF0 == CONTROL_CHANGE:
            notes.counts.control_changes += 1
            notes.counts.sustain_pedals += data1_of(message) == SUSTAIN_PEDAL
            if silences_channel(message) and has_onsets_since_silence(notes, message & 0x0F, note):
                pairing.boundary = boundary - <tick_t *>notes.boundaries
                pairing.ended = ended
                pairing.last_end = last_end
                silence_channel(notes, pairing, message & 0x0F, event.tick)
                boundary = <tick_t *>notes.boundaries + pairing.boundary
                ended = pairing.ended
                last_end = pairing.last_end
        elif message & 0xF0 == PITCH_BEND:
            notes.counts.pitch_bends += 1
        event += 1
    pairing.boundary = boundary - <tick_t *>notes.boundaries
    pairing.note = note
    pairing.ended = ended
    pairing.last_end = last_end


cdef bint has_onsets_since_silence(Notes *notes, uint32_t channel, size_t note) noexcept nogil:
    """Whether a note has begun since this was last asked of a channel: some programs repeat these controllers."""
    cdef bint any_new = notes.notes_at_silence[channel] != note
    notes.notes_at_silence[channel] = note
    return any_new


cdef void silence_channel(Notes *notes, Pairing *pairing, uint32_t channel, int64_t tick) noexcept nogil:
    """End all notes of a channel that sound in the current track."""
    cdef const uint32_t *sounding = &notes.sounding[channel << 7]
    cdef uint32_t block, pitch, any_sounds
    for block in range(0, 128, 16):  # nearly all slots are empty: sixteen at once
        any_sounds = 0
        for pitch in range(block, block + 16):
            any_sounds |= sounding[pitch]
        if any_sounds:
            for pitch in range(block, block + 16):
                if sounding[pitch]:
                    end_all_notes(notes, pairing, channel << 7 | pitch, tick)


cdef void end_all_notes(Notes *notes, Pairing *pairing, uint32_t slot, int64_t tick) noexcept nogil:
    """End all notes of a channel and pitch that sound in the current track, at least one."""
    cdef size_t note
    while notes.sounding[slot]:
        note = take_oldest(notes, slot)
        end_note(notes, note, tick)
        pairing.ended += 1
        set_boundary(notes, pairing.boundary, tick, False)
        pairing.boundary += not is_drum(&notes.columns, note)
    pairing.last_end = tick
