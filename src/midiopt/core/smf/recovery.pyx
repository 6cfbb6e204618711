"""Tracks that do not end where their length leads.

Nothing here runs for a good file. The first reading follows the lengths; where a track's events stop elsewhere, they tell
what is wrong: another reading of the same bytes is tried, and kept only if it finds no fault that the first one has not
found, and ends at End of Track or exactly where the next chunk begins. Otherwise the first reading stands.

Readings that are tried cost a multiple of the file's size at most: arena.repair_budget.
"""

from libc.stdint cimport uint64_t

from midiopt.core.smf.arena cimport record_issue, return_to, spend
from midiopt.core.smf.chunks cimport CHUNK_HEADER, is_filling, is_plausible_chunk, is_song_header, is_whole_track, next_track
from midiopt.core.smf.cursor cimport load_be32
from midiopt.core.smf.early_end cimport mend_early_end
from midiopt.core.smf.faults cimport harmless, within_events
from midiopt.core.smf.midi cimport ALL_REPAIRS, BYTES_AFTER_END, EVENT_CUT, SYSEX, TRACK_LENGTH, USABLE, Mark, Track, issue_bit
from midiopt.core.smf.track cimport parse_track
from midiopt.core.smf.track_chunk cimport has_ended, read_track_chunk, withdraw

cdef enum:
    ENOUGH_EVENTS = 4  # without a fault, behind the place where a length leads: other bytes are no events for so long
    FILLED_END = 4  # equal bytes before the next track or the end of the file


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
    cdef uint64_t faults = arena.header.issues | issue_bit(TRACK_LENGTH), allowed
    cdef bint proven = limit < first.next and (is_whole_track(limit, end) or is_song_header(limit, end))
    cdef bint is_cut = first.stopped < first.next
    cdef size_t events = arena.event_count
    cdef Status status
    if limit == track.next or not spend(arena, 2 * (limit - track.start)):
        return USABLE
    status = read_up_to(arena, data, limit, before, track)
    if not status and has_ended(arena) and is_filling(track.stopped, limit):
        proven = True  # whatever faults the events have
    allowed = faults | (harmless() if has_ended(arena) else within_events())
    if not status and not proven and arena.header.issues & ALL_REPAIRS & ~allowed == 0:
        proven = has_ended(arena) or (track.stopped == limit and limit < first.next)
        if not proven and track.stopped == limit:  # one event more is the rest of the one that the length cuts
            proven = is_data(first.next, limit) or (is_cut and arena.event_count == events + 1)
    if not status and not proven and (limit == end or is_song_header(limit, end)) and is_cut_only(arena, faults):
        proven = is_data(first.next, limit) and (first.next == first.start + CHUNK_HEADER or arena.event_count >= events + ENOUGH_EVENTS)
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


cdef bint is_data(const uint8_t *p, const uint8_t *end) noexcept nogil:
    """Whether any byte is above 7F, or zeros stand among others, as under running status: text has none, and filling ends in one byte."""
    cdef size_t zeros = 0, others = 0
    cdef bint is_filled = end - p > FILLED_END and is_filling(end - FILLED_END, end)
    while p < end:
        if p[0] >= 0x80:
            return True
        if p[0]:
            others += 1
        else:
            zeros += 1
        p += 1
    return zeros > 0 and others > 1 and not is_filled


cdef inline bint is_cut_only(const Arena *arena, uint64_t faults) noexcept nogil:
    """Whether no fault is found beside these and a cut in the last event."""
    return arena.header.issues & ALL_REPAIRS & ~(faults | within_events() | issue_bit(EVENT_CUT)) == 0
