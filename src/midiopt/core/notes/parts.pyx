"""Parts: the instruments that a sequence addresses, each by a port and a channel, with their programs and whether they are drums.

The tracks of a sequence share its parts. What sets the sound of a part is applied in (tick, track, position) order. docs/policy.md
has the rules. All but 14 of 16,828 real files have one port or none, and so 16 parts.
"""

from libc.string cimport memset

from midiopt.core.memory cimport PART_CHANGE_BLOCK, PART_EVENT_BLOCK, reserve_block
from midiopt.core.notes.drum_evidence cimport DrumEvidence, add_evidence, plays_like_drums, plays_like_kit, start_evidence
from midiopt.core.notes.drum_names cimport says_drums
from midiopt.core.notes.part_events cimport (
    MODE_DRUMS, MODE_MELODY, PROGRAM, PROGRAM_OF_DRUMS, PROGRAM_OF_MELODY, PROGRAM_OF_XG_DRUMS, PartEventKind, PartMode, find_bank,
    is_kit, kind_of_bank, read_part_mode,
)
from midiopt.core.notes.ports cimport add_port, names_port
from midiopt.core.notes.types cimport CHANNEL_SHIFT, PROGRAM_SHIFT
from midiopt.core.smf.midi cimport (
    DRUM_CHANNEL, MAX_EVENTS_CAP, META, META_INSTRUMENT_NAME, META_TRACK_NAME, NO_MEMORY, SYSEX, USABLE, Mark, Track, data1_of, is_note,
)
from midiopt.core.timeline.timed_values cimport add_timed_value, clear_timed_values, sort_timed_values

cdef enum:
    PART_SHIFT = 16  # of the part in the values of part events
    KIND_SHIFT = 8

cdef struct TrackReader:  # progress in a track
    Notes *notes
    const Arena *arena
    const uint8_t *data
    const Track *track
    uint32_t port
    bint names_port
    size_t first_part_event  # of the track
    uint32_t program_row[16]  # by channel: row of the last program change, or of the first event
    uint8_t program_kind[16]  # by channel: kind of the last program change


cdef Status read_parts(
    Notes *notes, const Arena *arena, const uint8_t *data, size_t first_track, size_t end_track, double quarter
) noexcept nogil:
    """Collect what sets the sounds of the parts, and the ports of the tracks, of one sequence; `quarter` is in ticks."""
    cdef size_t i
    clear_timed_values(&notes.part_events)
    notes.port_count = notes.port_ids = 0
    notes.has_xg = False
    for i in range(first_track, end_track):
        if read_track(notes, arena, data, i):
            return NO_MEMORY
    sort_timed_values(&notes.part_events)
    return distribute_changes(notes, arena, first_track, end_track, quarter)


cdef Status read_track(Notes *notes, const Arena *arena, const uint8_t *data, size_t index) noexcept nogil:
    cdef TrackReader r
    cdef const Mark *mark
    cdef const Mark *end
    cdef uint32_t channel
    cdef Status status = USABLE
    r.notes = notes
    r.arena = arena
    r.data = data
    r.track = &arena.tracks[index]
    r.port = 0
    r.names_port = False
    r.first_part_event = notes.part_events.count
    for channel in range(16):
        r.program_row[channel] = r.track.first_event
        r.program_kind[channel] = PROGRAM
    notes.tracks[index].says_drums = False
    notes.tracks[index].changes_port = False
    notes.tracks[index].port = 0
    mark = arena.marks + r.track.first_mark
    end = mark + r.track.mark_count
    while mark < end and not status:
        if mark.status < SYSEX:
            status = read_program_change(&r, mark)
        elif mark.status == META:
            if mark.type == META_TRACK_NAME or mark.type == META_INSTRUMENT_NAME:
                notes.tracks[index].says_drums |= says_drums(data + mark.offset, mark.length)
            elif names_port(mark):
                read_port(&r, mark, index)
        elif mark.status == SYSEX:
            status = read_sysex(&r, mark)
        mark += 1
    return status


cdef Status add_part_event(TrackReader *r, const Mark *mark, uint32_t channel, PartEventKind kind, uint32_t program) noexcept nogil:
    cdef uint32_t value = (r.port << 4 | channel) << PART_SHIFT | kind << KIND_SHIFT | program
    return add_timed_value(
        &r.notes.part_events, r.notes.scratch, PART_EVENT_BLOCK, r.arena.events[mark.event].tick, mark.event, value
    )


cdef Status read_program_change(TrackReader *r, const Mark *mark) noexcept nogil:
    """Add a program change under the bank that is selected since the one before, or under that one's."""
    cdef uint32_t channel = mark.status & 0x0F
    cdef const Event *event = &r.arena.events[mark.event]
    cdef int bank = find_bank(event, &r.arena.events[r.program_row[channel]], channel)
    if bank >= 0:
        r.program_kind[channel] = kind_of_bank(bank)
    r.program_row[channel] = mark.event
    return add_part_event(r, mark, channel, <PartEventKind>r.program_kind[channel], data1_of(event.message))


cdef Status read_sysex(TrackReader *r, const Mark *mark) noexcept nogil:
    cdef PartMode mode = read_part_mode(r.data + mark.offset, mark.length)
    r.notes.has_xg |= mode.is_xg
    return add_part_event(r, mark, mode.channel, MODE_DRUMS if mode.drums else MODE_MELODY, 0) if mode.found else USABLE


# Ports


cdef void read_port(TrackReader *r, const Mark *mark, size_t index) noexcept nogil:
    """Take the port that a track names; the first one holds from the beginning of the track."""
    cdef Notes *notes = r.notes
    cdef size_t i
    cdef uint32_t port = add_port(notes, r.data + mark.offset, mark.length, mark.type)
    if not r.names_port:
        r.names_port = True
        notes.tracks[index].port = port
        for i in range(r.first_part_event, notes.part_events.count):
            notes.part_events.items[i].value |= port << 4 << PART_SHIFT
    elif port != r.port:
        notes.tracks[index].changes_port = True
    r.port = port


# What is in force, part after part


cdef Status distribute_changes(
    Notes *notes, const Arena *arena, size_t first_track, size_t end_track, double quarter
) noexcept nogil:
    """Write what each event leaves in force, part after part, in the order of the events."""
    cdef const TimedValue *events = notes.part_events.items
    cdef size_t i, part, count = notes.part_events.count, parts = 16 * (notes.port_ids + 1)
    cdef TimedValue *change
    memset(notes.change_start, 0, (parts + 2) * sizeof(size_t))
    notes.changes = <TimedValue *>reserve_block(notes.scratch, PART_CHANGE_BLOCK, count, sizeof(TimedValue), MAX_EVENTS_CAP, False)
    if notes.changes == NULL:
        return NO_MEMORY
    for i in range(count):
        notes.change_start[(events[i].value >> PART_SHIFT) + 2] += 1
    for part in range(2, parts + 1):
        notes.change_start[part] += notes.change_start[part - 1]
    for i in range(count):  # change_start[part + 1] is where the part's next change goes, and in the end the next part's start
        part = events[i].value >> PART_SHIFT
        change = &notes.changes[notes.change_start[part + 1]]
        change[0] = events[i]
        notes.change_start[part + 1] += 1
    for part in range(parts):
        set_part_states(notes, arena, part, first_track, end_track, quarter)
    return USABLE


cdef void set_part_states(
    Notes *notes, const Arena *arena, size_t part, size_t first_track, size_t end_track, double quarter
) noexcept nogil:
    """Turn the events of a part into what they leave in force: the program, and whether the part is drums.

    Bank 126 or 127 makes drums if a message of XG is in the file. Without one, most files mean the MT-32 sounds of GS: of 54
    such parts in real files, not one is drums. There the program must be that of a kit, and be played like one.
    """
    cdef TimedValue *change = notes.changes + notes.change_start[part]
    cdef TimedValue *end = notes.changes + notes.change_start[part + 1]
    cdef bint by_mode = part % 16 == DRUM_CHANNEL
    cdef bint drums = by_mode, is_kit_known = False, is_played = False
    cdef uint32_t program = 0, kind
    while change < end:
        kind = change.value >> KIND_SHIFT & 0xFF
        if kind >= MODE_MELODY:
            drums = by_mode = kind == MODE_DRUMS
        else:
            program = change.value & 0xFF
            drums = by_mode
            if kind == PROGRAM_OF_MELODY:
                drums = False
            elif kind == PROGRAM_OF_DRUMS:
                drums = True
            elif kind == PROGRAM_OF_XG_DRUMS and notes.has_xg:
                drums = True
            elif kind == PROGRAM_OF_XG_DRUMS and is_kit(program):
                if not is_kit_known:
                    is_kit_known = True
                    is_played = is_played_like_kit(notes, arena, part, first_track, end_track, quarter)
                drums |= is_played
        change.value = program | (DRUMS_BIT if drums else 0)
        change += 1


cdef bint is_played_like_kit(
    Notes *notes, const Arena *arena, size_t part, size_t first_track, size_t end_track, double quarter
) noexcept nogil:
    cdef DrumEvidence evidence
    cdef const Track *track
    cdef const Event *first
    cdef size_t i
    start_evidence(&evidence, quarter)
    for i in range(first_track, end_track):
        track = &arena.tracks[i]
        first = arena.events + track.first_event
        if notes.tracks[i].port == part >> 4:
            add_evidence(&evidence, first, first + track.event_count, 1 << (part & 0x0F))
    return plays_like_kit(&evidence)


# The parts of a track


cdef void start_track_parts(Notes *notes, const Arena *arena, size_t track, double quarter) noexcept nogil:
    """Start a track: its port, and whether all of it is drums, by its name and its notes, which are on one channel."""
    cdef const Event *first = arena.events + arena.tracks[track].first_event
    cdef const Event *end = first + arena.tracks[track].event_count
    notes.track_is_drums = False
    if notes.tracks[track].says_drums:
        notes.track_is_drums = is_played_like_drums(notes, notes.tracks[track].port << 4, first, end, quarter)
        notes.counts.has_drums_by_name |= notes.track_is_drums
    start_port(notes, notes.tracks[track].port)


cdef bint is_played_like_drums(
    const Notes *notes, uint32_t first_part, const Event *first, const Event *end, double quarter
) noexcept nogil:
    """Whether the notes of a track are on one channel, whose part does not itself say that it is drums, and are played like drums."""
    cdef DrumEvidence evidence
    cdef const Event *event = first
    cdef uint32_t channel
    cdef const size_t *start
    while event < end and not is_note(event.message):
        event += 1
    if event == end:
        return False
    channel = event.message & 0x0F
    start = notes.change_start + (first_part | channel)
    if channel == DRUM_CHANNEL or (start[0] < start[1] and notes.changes[start[1] - 1].value & DRUMS_BIT):
        return False
    start_evidence(&evidence, quarter)
    add_evidence(&evidence, event, end, 0xFFFF)
    return evidence.channels == <uint32_t>1 << channel and plays_like_drums(&evidence)


cdef inline uint32_t traits_of(uint32_t channel, uint32_t program, bint is_drum) noexcept nogil:
    return is_drum | channel << CHANNEL_SHIFT | program << PROGRAM_SHIFT


cdef void start_port(Notes *notes, uint32_t port) noexcept nogil:
    """Address the parts of a port: nothing is in force yet."""
    cdef uint32_t channel
    notes.starts = notes.change_start + 16 * port
    for channel in range(16):
        notes.pending_notes[channel] = 0
        notes.part_traits[channel] = traits_of(channel, 0, channel == DRUM_CHANNEL or notes.track_is_drums)
        notes.next_change[channel] = notes.changes + notes.starts[channel]
        notes.next_tick[channel] = INT64_MAX
        if notes.starts[channel] < notes.starts[channel + 1]:
            notes.next_tick[channel] = notes.next_change[channel].tick


cdef inline bint is_before(const TimedValue *change, int64_t tick, uint32_t event) noexcept nogil:
    return change.tick < tick or (change.tick == tick and change.event < event)


cdef const TimedValue *find_change(const TimedValue *low, const TimedValue *end, int64_t tick, uint32_t event) noexcept nogil:
    """The first change that is not before (tick, event), by binary search: each of many tracks starts at tick 0 again."""
    cdef const TimedValue *high = end
    cdef const TimedValue *middle
    while low < high:
        middle = low + (high - low) // 2
        if is_before(middle, tick, event):
            low = middle + 1
        else:
            high = middle
    return low


cdef void change_part(Notes *notes, uint32_t channel, int64_t tick, uint32_t event) noexcept nogil:
    """Count the pending notes of a channel, and advance what is in force to (tick, event)."""
    cdef const TimedValue *end = notes.changes + notes.starts[channel + 1]
    cdef const TimedValue *change = find_change(notes.next_change[channel], end, tick, event)
    count_pending_notes(notes, channel)
    notes.next_change[channel] = change
    notes.next_tick[channel] = change.tick if change < end else INT64_MAX
    if change > notes.changes + notes.starts[channel]:
        notes.part_traits[channel] = traits_of(
            channel, (change - 1).value & 0xFF, (change - 1).value & DRUMS_BIT != 0 or notes.track_is_drums
        )
