"""Tracks that do not end where their length leads.

Nothing here runs for a good file. The first reading follows the lengths; where a track's events stop elsewhere, they tell
what is wrong: another reading of the same bytes is tried, and kept only if it finds no fault that the first one has not
found, and ends at End of Track or exactly where the next chunk begins. Otherwise the first reading stands.

Readings that are tried cost a multiple of the file's size at most: arena.repair_budget.
"""

from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.string cimport memcmp

from midiopt.core.smf.arena cimport read_so_far, return_to, spend
from midiopt.core.smf.chunks cimport is_chunk_header, is_plausible_chunk, is_song_header, is_whole_track, next_track
from midiopt.core.smf.midi cimport (
    ALL_REPAIRS, BAD_STATUS, BYTES_AFTER_END, CHUNK_OVERRUN, EARLY_END, EVENT_CUT, JOINED_TRACKS, LONG_VARINT,
    MAX_TRACKS, META_TRACK_NAME, NO_END_OF_TRACK, SYSEX, TICK_BITS, TICK_TOO_HIGH, TRACK_LENGTH, USABLE, Issue, Mark, Track,
    is_note, is_onset, issue_bit,
)

cdef enum:
    WALK_COST = 2  # of a chunk header that is looked at, in bytes of a reading
    ENOUGH_EVENTS = 4  # without a fault, behind the place where a length leads: other bytes are no events for so long


cdef Status mend_track(Arena *arena, const uint8_t *data, const uint8_t *end, const Reading *before, TrackChunk *track) noexcept nogil:
    """See what is wrong with the track that was just read: it has no End of Track, or its End of Track is not where its length leads.

    `before` is the arena as it was before the track.
    """
    cdef bint fits = load_be32(track.start + 4) == <size_t>(track.next - track.start - CHUNK_HEADER)
    cdef Status status
    fits = fits and (track.next == end or is_plausible_chunk(track.next, end))
    if has_ended(arena):
        return mend_early_end(arena, data, end, fits, before, track)
    if track.next == end or not fits:
        status = mend_length(arena, data, end, before, track)
        if status or not has_ended(arena) or track.stopped == end or is_plausible_chunk(track.stopped, end):
            return status
        return mend_early_end(arena, data, end, False, before, track)
    return USABLE


cdef Status mend_length(Arena *arena, const uint8_t *data, const uint8_t *end, const Reading *before, TrackChunk *track) noexcept nogil:
    """A track without End of Track: read it up to the next track, or to the end of the file, whatever its length says.

    If its length leads into the next track, that one proves where it ends. If it leads too little far, the events do. What looks like
    the next track may be the text of an event: then the track ends where the events from there on do.
    """
    cdef TrackChunk first = track[0]
    cdef const uint8_t *limit = next_track(track.start + CHUNK_HEADER, end)
    cdef uint64_t faults = arena.header.issues | issue_bit(TRACK_LENGTH)
    cdef bint proven = limit < first.next and (is_whole_track(limit, end) or is_song_header(limit, end))
    cdef size_t events = arena.event_count
    cdef Status status
    if limit == track.next or not spend(arena, 2 * (limit - track.start)):
        return USABLE
    status = read_up_to(arena, data, limit, before, track)
    if not status and has_ended(arena) and track.stopped == limit:
        proven = True  # whatever faults the events have
    if not status and not proven and arena.header.issues & ALL_REPAIRS & ~(faults | within_events()) == 0:
        proven = has_ended(arena) or (track.stopped == limit and (limit < first.next or has_status(first.next, limit)))
    if not status and not proven and (limit == end or is_song_header(limit, end)) and is_cut_only(arena, faults):
        proven = has_status(first.next, limit) and (first.next == first.start + CHUNK_HEADER or arena.event_count >= events + ENOUGH_EVENTS)
    if not proven and limit < end and <size_t>(end - track.start) <= arena.repair_budget:
        status = read_up_to(arena, data, end, before, track)
        spend(arena, track.stopped - track.start)
        proven = arena.header.issues & ALL_REPAIRS & ~(faults | harmless()) == 0 and has_ended(arena) and is_in_event(arena, limit - data)
        proven = proven and (track.stopped == end or is_plausible_chunk(track.stopped, end))
    if not status and proven:
        track.next = track.stopped if has_ended(arena) else limit
        return USABLE
    return_to(arena, before)
    track[0] = first
    return read_track_chunk(arena, data, end, track)


cdef Status read_up_to(Arena *arena, const uint8_t *data, const uint8_t *limit, const Reading *before, TrackChunk *track) noexcept nogil:
    """Read the track at `track.start` anew, up to `limit` or to End of Track."""
    cdef Status status
    return_to(arena, before)
    record_issue(arena, TRACK_LENGTH, track.start + 4 - data)
    track.stopped = track.start + CHUNK_HEADER
    status = parse_track(data, &track.stopped, limit, arena)
    withdraw(arena, before, BYTES_AFTER_END)
    return status


cdef bint is_in_event(const Arena *arena, size_t offset) noexcept nogil:
    """Whether the data of a meta or system-exclusive event of the last track have this place in the file."""
    cdef const Track *track = &arena.tracks[arena.track_count - 1]
    cdef const Mark *mark
    cdef size_t i
    for i in range(track.first_mark, track.first_mark + track.mark_count):
        mark = &arena.marks[i]
        if mark.status >= SYSEX and mark.offset <= offset < mark.offset + mark.length:
            return True
    return False


cdef Status mend_early_end(
    Arena *arena, const uint8_t *data, const uint8_t *end, bint fits, const Reading *before, TrackChunk *track
) noexcept nogil:
    """A track with bytes after its End of Track, up to where its length leads; `fits` if a chunk begins there, or nothing.

    If tracks are missing, the bytes may be the next tracks, with their headers or without. If none is missing, they may
    be more events of the same track. Or the length leads to the End of Track, and the next tracks without headers are behind it.
    """
    cdef const uint8_t *rest = track.stopped
    cdef const uint8_t *limit = track.next
    cdef Reading ended = read_so_far(arena)
    cdef size_t aliens = arena.header.alien_chunks  # before the track, then behind it, too: the header may count them or not
    cdef int64_t missing = <int64_t>arena.header.declared_tracks - <int64_t>(arena.track_count + aliens)
    cdef size_t pieces
    cdef uint64_t found = 0, faults, allowed
    cdef bint is_cut, is_filled, named, counted
    if not fits:
        limit = next_track(rest, end)
        if rest < track.next < limit and memcmp(track.next - 3, b"\xff\x2f\0", 3) == 0:
            limit = track.next  # bytes of no track follow
    if missing > 0:
        missing -= count_chunks(arena, limit, end, &aliens)
    if not fits and is_plausible_chunk(rest, end) or (
        is_chunk_header(rest, end, b"MTrk") and (
            missing + <int64_t>aliens > 0 or arena.header.declared_tracks == 0
            or (
                arena.track_count == arena.header.declared_tracks and is_whole_track(rest, end)
                and not has_note(arena, 0, arena.event_count)
            )
        )
    ):
        withdraw(arena, before, BYTES_AFTER_END)
        withdraw(arena, before, CHUNK_OVERRUN)
        record_issue(arena, TRACK_LENGTH, track.start + 4 - data)
        track.next = rest
        return USABLE
    if not spend(arena, limit - rest):
        return USABLE
    pieces = read_pieces(arena, data, rest, &limit, limit == end, MAX_TRACKS, &found)
    faults = found & ALL_REPAIRS & ~(issue_bit(BYTES_AFTER_END) | issue_bit(NO_END_OF_TRACK))
    if (pieces == 0 or faults) and missing > 0 and spend(arena, limit - rest):  # other bytes may follow
        return_to(arena, &ended)
        pieces = read_pieces(arena, data, rest, &limit, limit == end, missing, &found)
        faults = found & ALL_REPAIRS & ~issue_bit(BYTES_AFTER_END)
    is_cut = (faults & issue_bit(EVENT_CUT)) > 0
    is_filled = (found & issue_bit(BYTES_AFTER_END)) > 0
    named = pieces > 0 and have_names(arena, ended.track_count)
    counted = is_missing(pieces, missing, aliens)
    allowed = harmless() if named and counted else within_events()
    if is_cut:
        allowed |= issue_bit(EVENT_CUT) | issue_bit(NO_END_OF_TRACK)
    if pieces and faults & ~allowed == 0:
        if (has_ended(arena) or is_cut or is_balanced(arena, ended.event_count)) and (named or (counted and not (is_cut and pieces == 1))):
            withdraw(arena, before, BYTES_AFTER_END)
            withdraw(arena, before, CHUNK_OVERRUN)
            if not fits:
                record_issue(arena, TRACK_LENGTH, track.start + 4 - data)
            record_issue(arena, JOINED_TRACKS, rest - data)
            arena.header.issues |= found
            track.stopped = limit
            if not fits:
                track.next = limit
            elif limit < track.next:
                record_issue(arena, BYTES_AFTER_END, limit - data)
            return USABLE
        if faults == 0 and not is_filled and fits and missing <= 0 and has_note(arena, ended.event_count, arena.event_count):
            if has_ended(arena) or is_balanced(arena, ended.event_count):
                withdraw(arena, before, BYTES_AFTER_END)
                record_issue(arena, EARLY_END, rest - data)
                arena.header.issues |= found
                join_tracks(arena, ended.track_count - 1)
                track.stopped = limit
                return TICK_TOO_HIGH if arena.tracks[arena.track_count - 1].end_tick >> TICK_BITS else USABLE
    return_to(arena, &ended)
    return USABLE


cdef inline bint is_missing(size_t pieces, int64_t missing, size_t aliens) noexcept nogil:
    """Whether so many tracks are missing, or more; the header may count any number of the alien chunks."""
    return <int64_t>pieces <= missing + <int64_t>aliens if missing > 0 else <int64_t>pieces == missing + <int64_t>aliens


cdef bint have_names(const Arena *arena, size_t first_track) noexcept nogil:
    """Whether each track from `first_track` on begins with its name: then it is another one, whatever the header counts."""
    cdef const Track *track
    cdef const Mark *mark
    cdef size_t i, k
    for i in range(first_track, arena.track_count):
        track = &arena.tracks[i]
        mark = NULL
        for k in range(track.first_mark, track.first_mark + track.mark_count):
            if arena.marks[k].type == META_TRACK_NAME and arena.events[arena.marks[k].event].tick == 0 and arena.marks[k].length:
                mark = &arena.marks[k]
                break
        if mark == NULL:
            return False
    return True


cdef size_t read_pieces(
    Arena *arena, const uint8_t *data, const uint8_t *at, const uint8_t **limit, bint may_be_cut, size_t most, uint64_t *found
) noexcept nogil:
    """Read bytes as tracks without headers, one after another, each up to its End of Track, the last one up to `limit`.

    Returns their number, 0 if that cannot be, and the issues in `found`; those of the arena do not change. After the last of `most`
    tracks, `limit` is set to its end. With `may_be_cut`, the last event may be. Zeros may fill up what is before a track.
    """
    cdef Reading before = read_so_far(arena)
    cdef size_t pieces = 0
    cdef const uint8_t *begin
    cdef bint is_filled = False
    arena.header.issues = 0
    while at < limit[0]:
        begin = skip_zeros(at, limit[0])
        is_filled = is_filled or begin > at
        at = begin
        if parse_track(data, &at, limit[0], arena) or (at < limit[0] and not has_ended(arena) and not may_be_cut):
            pieces = 0
            break
        pieces += 1
        if not has_ended(arena):
            break
        if pieces == most:
            limit[0] = at
    found[0] = arena.header.issues & ~issue_bit(BYTES_AFTER_END)
    if is_filled:
        found[0] |= issue_bit(BYTES_AFTER_END)
    arena.header = before.header
    return pieces


cdef inline const uint8_t *skip_zeros(const uint8_t *p, const uint8_t *end) noexcept nogil:
    """Behind zeros that fill up what is before other bytes: one is the delta time of the first event of a track, two are not."""
    cdef const uint8_t *at = p
    while end - at > 1 and at[0] == 0 and at[1] == 0:
        at += 1
    return at if end - at > 1 else p


cdef void join_tracks(Arena *arena, size_t into) noexcept nogil:
    """Make the tracks after `into`, which go on where it ends, a part of it."""
    cdef Track *track = &arena.tracks[into]
    cdef const Track *more
    cdef size_t i, event
    for i in range(into + 1, arena.track_count):
        more = &arena.tracks[i]
        for event in range(more.first_event, more.first_event + more.event_count):
            arena.events[event].tick += track.end_tick
        track.event_count += more.event_count
        track.mark_count += more.mark_count
        track.end_tick += more.end_tick
    arena.track_count = into + 1


cdef bint has_status(const uint8_t *p, const uint8_t *end) noexcept nogil:
    """Whether any byte is above 7F: zeros and other filling, which may look like notes under running status, have none."""
    while p < end:
        if p[0] >= 0x80:
            return True
        p += 1
    return False


cdef inline uint64_t harmless() noexcept nogil:
    """The faults after which reading goes on where the next event begins."""
    return within_events() | issue_bit(LONG_VARINT) | issue_bit(BAD_STATUS)


cdef inline bint is_cut_only(const Arena *arena, uint64_t faults) noexcept nogil:
    """Whether no fault is found beside these and a cut in the last event."""
    return arena.header.issues & ALL_REPAIRS & ~(faults | within_events() | issue_bit(EVENT_CUT)) == 0


cdef size_t count_chunks(Arena *arena, const uint8_t *chunk, const uint8_t *end, size_t *aliens) noexcept nogil:
    """Number of chunks that the lengths lead to from `chunk` on, up to another song, and of those that are no tracks."""
    cdef size_t count = 0
    while is_plausible_chunk(chunk, end) and memcmp(chunk, b"MThd", 4) != 0 and spend(arena, WALK_COST):
        count += 1
        aliens[0] += memcmp(chunk, b"MTrk", 4) != 0
        if load_be32(chunk + 4) > <size_t>(end - chunk - CHUNK_HEADER):
            break
        chunk += CHUNK_HEADER + load_be32(chunk + 4)
    return count


cdef bint has_note(const Arena *arena, size_t first_event, size_t end_event) noexcept nogil:
    """Whether any event from `first_event` to `end_event` (exclusive) is the start of a note."""
    cdef size_t i
    for i in range(first_event, end_event):
        if is_onset(arena.events[i].message):
            return True
    return False


cdef bint is_balanced(const Arena *arena, size_t first_event) noexcept nogil:
    """Whether the events begin with a note and end each one. The remains of an earlier recording, which some programs leave
    behind End of Track, begin in the middle of it.
    """
    cdef int64_t sounding = 0
    cdef uint32_t message
    cdef size_t i
    for i in range(first_event, arena.event_count):
        message = arena.events[i].message
        if is_onset(message):
            sounding += 1
        elif is_note(message):
            if sounding == 0:
                return False
            sounding -= 1
    return sounding == 0


cdef void withdraw(Arena *arena, const Reading *before, Issue issue) noexcept nogil:
    """Take back an issue that was not recorded before the reading."""
    cdef uint64_t bit = issue_bit(issue)
    if before.header.issues & bit == 0:
        arena.header.issues &= ~bit
        if arena.header.first_repair == bit:
            arena.header.first_repair = 0
