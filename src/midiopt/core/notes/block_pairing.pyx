"""Pairing without counts and boundaries, for a view of the notes: block after block, and the same steps whatever an event is.

Whether an event begins a note, ends one or is none depends on the music: half of the time of a loop that asks was spent on mispredicted
branches. Here vectors turn the events of a block into slots and masks. Of an event that begins no note, the step that begins one
writes what the next event overwrites. This takes 0.78 of the time. With counts, which these steps would have to change for each event,
it took 1.16 of it (both without the parser, 700 real songs).
"""

from libc.stddef cimport size_t
from libc.stdint cimport INT64_MAX, int32_t, int64_t, uint64_t

from midiopt.core.notes.pairing cimport SEVERAL, end_note, has_onsets_since_silence, silence_channel, start_note, take_oldest
from midiopt.core.notes.parts cimport change_part
from midiopt.core.notes.types cimport NO_SLOT, PAIRING_BLOCK, SILENCE_SLOT, PairingBlock, note_traits, set_onset
from midiopt.core.smf.midi cimport ALL_NOTES_OFF, ALL_SOUND_OFF, CONTROL_CHANGE, NOTE_ON, data1_of, is_note, is_onset

cdef enum:
    SOUND_OFF = CONTROL_CHANGE | ALL_SOUND_OFF << 8
    NOTES_OFF = CONTROL_CHANGE | ALL_NOTES_OFF << 8


cdef void pair_in_blocks(Notes *notes, Pairing *pairing, const Event *event, const Event *end, uint32_t row) noexcept nogil:
    """Pair the events of a track, whose ticks have at most NARROW_TICK_BITS; `row` is the row of the first one in the arena."""
    cdef size_t count
    notes.sounding[SILENCE_SLOT] = SEVERAL
    while event < end:
        count = min(<size_t>(end - event), <size_t>PAIRING_BLOCK)
        pair_block(notes, pairing, event, count, row)
        event += count
        row += <uint32_t>count


cdef void pair_block(Notes *notes, Pairing *pairing, const Event *events, size_t count, uint32_t row) noexcept nogil:
    cdef uint32_t channels = prepare_block(&notes.block, events, count)
    cdef size_t i = 0, stop = 0, first_note
    while i < count:
        if i == stop:
            stop = change_parts(notes, channels, events, i, count, row)
        first_note = pairing.note
        i = pair_common_events(notes, pairing, i, stop)
        write_onsets(notes, channels, first_note, pairing.note - first_note)
        if i < stop:
            pair_uncommon_event(notes, pairing, &events[i])
            i += 1


cdef uint32_t prepare_block(PairingBlock *block, const Event *events, size_t count) noexcept nogil:
    """Set the slot, mask and start of each event; returns the channels that have notes, as bits."""
    cdef uint32_t *slots = block.slots
    cdef uint32_t *masks = block.masks
    cdef uint64_t *starts = block.starts
    cdef uint32_t message, silence, channels = 0, note
    cdef size_t i
    for i in range(count):
        message = events[i].message
        note = 0 - <uint32_t>is_note(message)
        silence = <uint32_t>(message & 0xFFF0 == SOUND_OFF) | <uint32_t>(message & 0xFFF0 == NOTES_OFF)
        slots[i] = ((message & 0x0F) << 7 | (message >> 8 & 0x7F)) & note | (NO_SLOT + silence) & ~note
        masks[i] = SEVERAL | (0 - (<uint32_t>(message & 0xF0 == NOTE_ON) & <uint32_t>(message & 0x7F0000 != 0)))
        channels |= <uint32_t>1 << (message & 0x0F) & note
    for i in range(count):
        starts[i] = <uint32_t>events[i].tick | <uint64_t>events[i].message << 32
    return channels


cdef size_t change_parts(
    Notes *notes, uint32_t channels, const Event *events, size_t i, size_t count, uint32_t row
) noexcept nogil:
    """Set what is in force at event `i` for these channels; returns up to which event it is, at least one."""
    cdef int64_t next_tick = INT64_MAX
    cdef uint32_t channel
    for channel in range(16):
        if channels >> channel & 1:
            if events[i].tick >= notes.next_tick[channel]:
                change_part(notes, channel, events[i].tick, row + <uint32_t>i)
            next_tick = min(next_tick, notes.next_tick[channel])
    if events[count - 1].tick < next_tick:
        return count
    i += 1
    while i < count and events[i].tick < next_tick:
        i += 1
    return i


cdef size_t pair_common_events(Notes *notes, Pairing *pairing, size_t i, size_t stop) noexcept nogil:
    """Pair the events from `i` to `stop` up to the first uncommon one, which is returned.

    Uncommon are a note on where one sounds, a note off where several do, and what silences a channel. `begun` has the starts of the
    events that begin a note; `lengths` the ends of notes, and of events without a note before its first item, where no onset is.
    """
    cdef PairingBlock *block = &notes.block
    cdef uint32_t *sounding = notes.sounding
    cdef int32_t *lengths = <int32_t *>notes.columns.length - 1
    cdef size_t first = i, count = 0, note = pairing.note
    cdef uint32_t slot, mask, sounds, begins, without = 0
    while i < stop:
        slot = block.slots[i]
        mask = block.masks[i]
        sounds = sounding[slot]
        if sounds & mask:
            break
        without += sounds == 0
        block.begun[count] = block.starts[i]
        count += mask & 1
        begins = <uint32_t>(note + count) & mask
        sounding[slot] = begins
        lengths[sounds + begins] = <int32_t><uint32_t>block.starts[i]
        i += 1
    pairing.note = note + count
    pairing.ended += i - first - without
    return i


cdef void write_onsets(Notes *notes, uint32_t channels, size_t note, size_t count) noexcept nogil:
    """Write the onsets and traits of the notes that were begun, from the row `note` on, which are on these channels."""
    cdef const uint64_t *begun = notes.block.begun
    cdef int32_t *onsets = <int32_t *>notes.columns.onset + note
    cdef uint32_t *traits = notes.columns.traits + note
    cdef uint32_t part_traits
    cdef size_t i
    for i in range(count):
        onsets[i] = <int32_t><uint32_t>begun[i]
    if count and channels & (channels - 1) == 0:  # one channel, as in most tracks
        part_traits = notes.part_traits[begun[0] >> 32 & 0x0F]
        for i in range(count):
            traits[i] = note_traits(part_traits, begun[i] >> 32)
    else:
        for i in range(count):
            traits[i] = note_traits(notes.part_traits[begun[i] >> 32 & 0x0F], begun[i] >> 32)


cdef void pair_uncommon_event(Notes *notes, Pairing *pairing, const Event *event) noexcept nogil:
    cdef uint32_t message = event.message, channel = message & 0x0F, slot = channel << 7 | data1_of(message)
    if is_onset(message):
        set_onset(&notes.columns, pairing.note, event.tick)
        notes.columns.traits[pairing.note] = note_traits(notes.part_traits[channel], message)
        start_note(notes, slot, pairing.note)
        pairing.note += 1
    elif is_note(message):
        end_note(notes, take_oldest(notes, slot), event.tick)
        pairing.ended += 1
    elif has_onsets_since_silence(notes, channel, pairing.note):
        silence_channel(notes, pairing, channel, event.tick)
