"""Bytes behind the End of Track of a track: the next tracks, with their headers or without, or more events of the same track.

Nothing here runs for a good file. As in recovery.pyx, a reading of the bytes is kept only if what it finds shows that it is right.
"""

from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.string cimport memcmp

from midiopt.core.smf.arena cimport read_so_far, record_issue, return_to, spend
from midiopt.core.smf.chunks cimport CHUNK_HEADER, is_chunk_header, is_plausible_chunk, is_whole_track, next_track
from midiopt.core.smf.cursor cimport load_be32
from midiopt.core.smf.faults cimport harmless, within_events
from midiopt.core.smf.midi cimport (
    ALL_REPAIRS, BYTES_AFTER_END, CHUNK_OVERRUN, EARLY_END, EVENT_CUT, JOINED_TRACKS, MAX_TRACKS, META_TRACK_NAME, NO_END_OF_TRACK,
    TICK_BITS, TICK_TOO_HIGH, TRACK_LENGTH, USABLE, Mark, Track, is_note, is_onset, issue_bit,
)
from midiopt.core.smf.track cimport parse_track
from midiopt.core.smf.track_chunk cimport has_ended, withdraw

cdef enum:
    WALK_COST = 2  # of a chunk header that is looked at, in bytes of a reading


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
    cdef bint is_cut, is_filled, named, counted, ends
    if not fits:
        limit = next_track(rest, end)
        if rest < track.next < limit and memcmp(track.next - 3, b"\xff\x2f\0", 3) == 0:
            limit = track.next  # bytes of no track follow
    if missing > 0:
        missing -= count_chunks(arena, limit, end, &aliens)
    if (not fits and is_plausible_chunk(rest, end)) or is_next_track(arena, rest, end, missing + <int64_t>aliens):
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
        ends = has_ended(arena) or is_balanced(arena, ended.event_count)
        if (ends or is_cut) and (named or (counted and not (is_cut and pieces == 1))):
            keep_as_tracks(arena, data, limit, fits, found, before, track)
            return USABLE
        if ends and faults == 0 and not is_filled and fits and missing <= 0 and has_note(arena, ended.event_count, arena.event_count):
            return keep_as_events(arena, data, limit, ended.track_count - 1, found, before, track)
    return_to(arena, &ended)
    return USABLE


cdef bint is_next_track(const Arena *arena, const uint8_t *p, const uint8_t *end, int64_t missing) noexcept nogil:
    """Whether the header of the next track is at `p`, where `missing` may be; one too many is whole, and those before have no note."""
    if not is_chunk_header(p, end, b"MTrk"):
        return False
    if missing > 0 or arena.header.declared_tracks == 0:
        return True
    return arena.track_count == arena.header.declared_tracks and is_whole_track(p, end) and not has_note(arena, 0, arena.event_count)


cdef void keep_as_tracks(
    Arena *arena, const uint8_t *data, const uint8_t *limit, bint fits, uint64_t found, const Reading *before, TrackChunk *track
) noexcept nogil:
    """Take what was read from the End of Track to `limit` for the next tracks."""
    withdraw(arena, before, BYTES_AFTER_END)
    withdraw(arena, before, CHUNK_OVERRUN)
    if not fits:
        record_issue(arena, TRACK_LENGTH, track.start + 4 - data)
    record_issue(arena, JOINED_TRACKS, track.stopped - data)
    arena.header.issues |= found
    track.stopped = limit
    if not fits:
        track.next = limit
    elif limit < track.next:
        record_issue(arena, BYTES_AFTER_END, limit - data)


cdef Status keep_as_events(
    Arena *arena, const uint8_t *data, const uint8_t *limit, size_t into, uint64_t found, const Reading *before, TrackChunk *track
) noexcept nogil:
    """Take what was read from the End of Track to `limit` for more events of that track, `into`."""
    withdraw(arena, before, BYTES_AFTER_END)
    record_issue(arena, EARLY_END, track.stopped - data)
    arena.header.issues |= found
    join_tracks(arena, into)
    track.stopped = limit
    return TICK_TOO_HIGH if arena.tracks[into].end_tick >> TICK_BITS else USABLE


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
