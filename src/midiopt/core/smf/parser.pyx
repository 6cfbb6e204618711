"""Bytes to events: one pass over a Standard MIDI File into an arena.

The byte loop never raises an exception and never allocates. It returns a status and an offset, from which raise_status()
makes the exception. Faults that leave something readable are repaired and recorded as issue bits; docs/policy.md has the
table. header.pyx reads the header, track.pyx the events of a track.
"""

from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memcmp

from midiopt import limits
from midiopt.errors import Malformed, NotMidi, TooLarge

from midiopt.core.memory cimport EVENT_BLOCK, set_room, trim
from midiopt.core.smf.arena cimport EventArena, Reading, arena_forget, arena_prepare, read_so_far, record_issue
from midiopt.core.smf.chunks cimport CHUNK_HEADER, find_chunk, find_song, is_chunk_header, is_plausible_chunk, is_track_behind, next_track
from midiopt.core.smf.early_end cimport mend_early_end
from midiopt.core.smf.faults cimport harmless, has_faults, not_whole, shifted, wrong_lengths
from midiopt.core.smf.header cimport find_header, read_header
from midiopt.core.smf.midi cimport (
    EMPTY, FORMAT_0_TRACKS, LOST_TRACK, MAX_LEADING_JUNK, MAX_TRACKS, META, META_TEXT, MISSING_TRACKS, NO_HEADER, NO_MEMORY,
    NO_TRACKS, OFFSET_BITS, SHORT_HEADER, TEXT_MODE, TICK_BITS, TICK_TOO_HIGH, TOO_MANY_BYTES, TOO_MANY_EVENTS, TOO_MANY_TRACKS,
    UNKNOWN_FORMAT, USABLE, UTF8_TEXT, ZERO_DIVISION, Event, Mark, issue_bit,
)
from midiopt.core.smf.recovery cimport mend_track
from midiopt.core.smf.track_chunk cimport TrackChunk, has_ended, read_track_chunk
from midiopt.core.smf.transfer cimport HEADER, HEADER_AND_LINE_FEEDS, LENGTHS, Evidence, Restored, count_line_ends, undo_transfer
from midiopt.core.smf.undeclared cimport pass_alien_chunk, read_what_follows

cdef enum:
    LAST_TEXT = 0x0F  # meta events 1 to 15 are texts


cdef int raise_status(Status status, size_t offset, size_t max_events) except -1:
    """Raise the exception of a parse status; no other place does."""
    if status == EMPTY:
        raise NotMidi("the file is empty", offset)
    if status == NO_HEADER:
        raise NotMidi(f"no MThd header in the first {MAX_LEADING_JUNK} bytes", offset)
    if status == SHORT_HEADER:
        raise Malformed("the header is shorter than 6 bytes", offset)
    if status == ZERO_DIVISION:
        raise Malformed("the division is 0, so ticks have no duration", offset)
    if status == NO_TRACKS:
        raise Malformed("no track chunk", offset)
    if status == TOO_MANY_EVENTS:
        raise TooLarge(f"more than {max_events:,} events", offset)
    if status == TOO_MANY_TRACKS:
        raise TooLarge(f"more than {MAX_TRACKS:,} tracks", offset)
    if status == TOO_MANY_BYTES:
        raise TooLarge(f"more than {(<int64_t>1 << OFFSET_BITS) - 1:,} bytes", offset)
    if status == TICK_TOO_HIGH:
        raise TooLarge(f"a tick above {(<int64_t>1 << TICK_BITS) - 1:,}", offset)
    if status == NO_MEMORY:
        raise MemoryError(f"out of memory for the events at byte {offset}")
    return 0


def parse(data, EventArena into=None):
    """Parse the bytes of a MIDI file (any bytes-like object) into an EventArena: a new one, or ``into``, whose events are replaced.

    Without ``into`` the lock of the interpreter is released meanwhile. Raises NotMidi, Malformed or TooLarge (``into`` is then
    empty), and BufferError while a view from ``into.events()`` lives.
    """
    cdef EventArena arena = EventArena() if into is None else into
    cdef size_t offset = 0
    cdef size_t max_events = limits.MAX_EVENTS
    cdef Status status
    cdef bytes file = data if type(data) is bytes else bytes(memoryview(data))  # marks point into bytes that never change
    cdef const uint8_t *bytes_of_file = file
    cdef size_t size = len(file)
    arena.check_no_views()
    arena_forget(&arena.arena)
    trim(&arena.scratch)
    arena._data = file
    if into is None:
        with nogil:
            status = parse_smf(bytes_of_file, size, &arena.arena, max_events, &offset)
    else:  # other threads know the arena
        status = parse_smf(bytes_of_file, size, &arena.arena, max_events, &offset)
    if status:
        arena_forget(&arena.arena)
        arena._data = None
        raise_status(status, offset, max_events)
    if arena.arena.data != bytes_of_file:  # a transfer was undone: the bytes are in memory that the next file overwrites
        arena._data = arena.arena.data[: arena.arena.size]
    return arena


cdef Status parse_smf(const uint8_t *data, size_t size, Arena *arena, size_t max_events, size_t *offset) noexcept nogil:
    """Parse `size` bytes. If the result is not USABLE, `offset` is where in the bytes the reason is.

    `max_events` must be the same for all files of an arena. The marks point into `arena.data`.
    """
    cdef Restored restored
    cdef Status status
    offset[0] = 0
    if size >> OFFSET_BITS:
        return TOO_MANY_BYTES
    status = arena_prepare(arena, size, max_events)
    if status:
        return status
    if size == 0:
        return EMPTY
    status = parse_song(data, size, arena, offset)
    if status == USABLE and (not arena.header.issues & wrong_lengths() or has_line_ends_in_texts(arena)):
        return USABLE
    restored = undo_transfer(data, size, arena.scratch, LENGTHS)
    if restored.data != NULL:
        return parse_restored(&restored, arena, max_events, offset)
    return try_transfers(data, size, arena, max_events, offset, status)


cdef bint has_line_ends_in_texts(const Arena *arena) noexcept nogil:
    """Whether the events have no fault, and each 0D 0A is within a text, behind which a delta time of one byte and a status follow.

    A transfer would have made it longer than it says, so that its last characters would be there.
    """
    cdef size_t pairs, i, behind
    cdef const Mark *mark
    if has_faults(arena):
        return False
    pairs = count_line_ends(arena.data, arena.size)
    if pairs == 0:
        return False
    for i in range(arena.mark_count):
        mark = &arena.marks[i]
        behind = <size_t>mark.offset + mark.length
        if mark.status == META and META_TEXT <= mark.type <= LAST_TEXT and behind < arena.size and arena.data[behind] < 0x80:
            pairs -= count_line_ends(arena.data + mark.offset, mark.length)
    return pairs == 0


cdef Status try_transfers(
    const uint8_t *data, size_t size, Arena *arena, size_t max_events, size_t *offset, Status status
) noexcept nogil:
    """Undo a transfer of a file whose lengths are wrong besides, if the events had faults and then have none. `status` is what it had.

    Or if they then have only the faults of a file that is cut; or if the bytes were saved as UTF-8, which no event with a status is, or
    as UTF-16.
    A file may have had an unknown format, a harmless fault or filling before a track besides: it proves nothing, and may be left.
    """
    cdef Restored restored
    cdef Evidence evidence = HEADER_AND_LINE_FEEDS
    cdef uint64_t before = not_whole() if status else arena.header.issues & not_whole()
    cdef uint64_t other = issue_bit(UNKNOWN_FORMAT) | issue_bit(LOST_TRACK) | harmless()
    cdef uint64_t allowed = other if before & ~other else 0, left
    cdef bint is_read = True, is_cut = False
    cdef size_t tracks = arena.track_count
    if before == 0:
        return status
    while True:
        restored = undo_transfer(data, size, arena.scratch, evidence)
        if restored.data != NULL:
            status = parse_restored(&restored, arena, max_events, offset)
            is_read = False
            left = arena.header.issues & not_whole() & ~allowed
            if arena.track_count < tracks:
                left |= arena.header.issues & issue_bit(LOST_TRACK)
            if not status and left == 0:
                if evidence == HEADER or not (restored.text_mode and restored.unicode):
                    return status
                status = parse_utf8(data, size, arena, max_events, offset)
                if not status and not has_faults(arena):  # the line ends were there before
                    return status
                restored = undo_transfer(data, size, arena.scratch, HEADER_AND_LINE_FEEDS)
                return parse_restored(&restored, arena, max_events, offset)
            if not status and before & shifted() & ~arena.header.issues and left & shifted() == 0:
                is_cut = True
        if evidence == HEADER:
            break
        evidence = HEADER
    if not status and not is_read and (restored.unicode or (is_cut and arena.header.issues & shifted() & ~allowed == 0)):
        return status
    if is_cut:
        restored = undo_transfer(data, size, arena.scratch, HEADER_AND_LINE_FEEDS)
        return parse_restored(&restored, arena, max_events, offset)
    if is_read:
        return status
    offset[0] = 0
    status = arena_prepare(arena, size, max_events)
    return status if status else parse_song(data, size, arena, offset)


cdef Status parse_utf8(const uint8_t *data, size_t size, Arena *arena, size_t max_events, size_t *offset) noexcept nogil:
    """Parse the bytes from before they were saved as UTF-8, with the line ends that they have then."""
    cdef Restored restored = undo_transfer(data, size, arena.scratch, HEADER)
    return NO_HEADER if restored.data == NULL or restored.text_mode else parse_restored(&restored, arena, max_events, offset)


cdef Status parse_restored(const Restored *restored, Arena *arena, size_t max_events, size_t *offset) noexcept nogil:
    """Parse the bytes from before a transfer."""
    cdef Status status = arena_prepare(arena, restored.size, max_events)
    if status:
        return status
    if restored.text_mode:
        record_issue(arena, TEXT_MODE, restored.first_change)
    if restored.unicode:
        record_issue(arena, UTF8_TEXT, restored.first_change)
    return parse_song(restored.data, restored.size, arena, offset)


cdef Status parse_song(const uint8_t *data, size_t size, Arena *arena, size_t *offset) noexcept nogil:
    """Parse the song in `size` bytes into the empty arena."""
    cdef const uint8_t *end = data + size
    cdef const uint8_t *chunk = NULL
    cdef const uint8_t *header
    cdef Status status
    arena.data = data
    arena.size = size
    header = find_header(data, &end, arena)
    if header == NULL:
        return NO_HEADER
    status = read_header(data, header, end, arena, &chunk, offset)
    if not status:
        status = parse_chunks(data, chunk, end, arena, offset)
    if status:
        return status
    if arena.track_count == 0:
        return NO_TRACKS
    if arena.header.format == 0 and arena.track_count > 1:
        record_issue(arena, FORMAT_0_TRACKS, header + 8 - data)
    set_room(arena.events, &arena.scratch.rooms[EVENT_BLOCK], arena.event_count * sizeof(Event))
    return USABLE


cdef Status parse_chunks(const uint8_t *data, const uint8_t *chunk, const uint8_t *end, Arena *arena, size_t *offset) noexcept nogil:
    """Parse the declared number of tracks; if 0 are declared, all tracks that follow one another.

    While tracks are missing and a length does not lead to a chunk header, the next MTrk is searched for from the end of
    the last track's events: that saves most of a file with one wrong length.
    """
    cdef size_t declared = arena.header.declared_tracks
    cdef TrackChunk track
    cdef const uint8_t *searched = chunk  # up to there, by the search for the next MTrk
    cdef const uint8_t *found
    cdef const uint8_t *song
    cdef Reading before
    cdef Status status
    track.next = NULL
    while declared == 0 or arena.track_count < declared:
        offset[0] = chunk - data
        if is_plausible_chunk(chunk, end):
            if memcmp(chunk, b"MTrk", 4) == 0:
                before = read_so_far(arena)
                track.start = chunk
                status = read_track_chunk(arena, data, end, &track)
                if not status and (track.stopped != track.next or not has_ended(arena)):
                    status = mend_track(arena, data, end, &before, &track)
                if status:
                    offset[0] = track.stopped - data
                    return status
                searched = track.stopped
                chunk = track.next
                continue
            if memcmp(chunk, b"MThd", 4) == 0 and arena.track_count:
                break
            searched = chunk + CHUNK_HEADER
            chunk = pass_alien_chunk(arena, data, chunk, end)
            track.next = track.stopped = chunk
            continue
        if track.next == chunk and track.stopped == chunk and chunk < end and arena.track_count and has_ended(arena):
            status = mend_early_end(arena, data, end, False, &before, &track)  # the next tracks, without headers
            if status:
                offset[0] = track.stopped - data
                return status
            if track.next != chunk:
                searched = chunk = track.next
                continue
        if declared == 0 and arena.track_count and not is_track_behind(next_track(searched, end), chunk, end):
            break
        found = find_chunk(searched, end, b"MTrk")
        song = find_song(searched, end if found == NULL else found)
        if song != NULL:
            chunk = song
        if song != NULL or found == NULL:
            break
        record_issue(arena, LOST_TRACK, chunk - data)
        chunk = found
    if arena.track_count + arena.header.alien_chunks < declared:
        record_issue(arena, MISSING_TRACKS, end - data)
        if not is_chunk_header(chunk, end, b"MThd"):
            return USABLE
    return read_what_follows(arena, data, chunk, end) if chunk < end else USABLE
