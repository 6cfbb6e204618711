"""What the header does not count: chunks of other kinds, and the tracks, songs and other bytes behind the declared tracks.

Of a good file, only chunks of other kinds come here.
"""

from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcmp

from midiopt.core.smf.arena cimport MAX_KEPT_CHUNKS, Reading, read_so_far, record_issue, return_to, spend
from midiopt.core.smf.chunks cimport (
    CHUNK_HEADER, is_chunk_header, is_plausible_chunk, is_song_header, is_track_behind, is_whole_track, next_track,
)
from midiopt.core.smf.cursor cimport load_be32
from midiopt.core.smf.early_end cimport has_note
from midiopt.core.smf.faults cimport within_events
from midiopt.core.smf.midi cimport (
    ALIEN_CHUNK, ALL_REPAIRS, BYTES_AFTER_END, CHUNK_OVERRUN, EVENT_CUT, JOINED_SONGS, JOINED_TRACKS, LOST_TRACK, META, META_LYRIC,
    NO_END_OF_TRACK, TRACK_LENGTH, TRAILING_BYTES, UNDECLARED_TRACKS, USABLE, issue_bit,
)
from midiopt.core.smf.recovery cimport mend_track
from midiopt.core.smf.track cimport parse_track
from midiopt.core.smf.track_chunk cimport TrackChunk, has_ended, read_track_chunk


cdef Status read_what_follows(Arena *arena, const uint8_t *data, const uint8_t *chunk, const uint8_t *end) noexcept nogil:
    """Look at what is left at `chunk`, behind the tracks that the header counts.

    Chunks of another kind are passed over. If no declared track has a note, the well-formed tracks that follow are read.
    """
    cdef Reading declared = read_so_far(arena)
    cdef TrackChunk track
    cdef const uint8_t *found
    cdef size_t count = arena.header.declared_tracks  # one chunk may have held more
    cdef bint music = has_note(arena, 0, arena.tracks[count].first_event if 0 < count < arena.track_count else arena.event_count)
    cdef Status status
    while chunk < end:
        if is_chunk_header(chunk, end, b"MThd"):
            record_issue(arena, JOINED_SONGS, chunk - data)
            break
        if not is_chunk_header(chunk, end, b"MTrk"):
            if not is_plausible_chunk(chunk, end) and not is_cut_chunk(chunk, end):
                found = end if music else next_track(chunk, end)
                if is_track_behind(found, chunk, end):
                    record_issue(arena, LOST_TRACK, chunk - data)
                    chunk = found
                    continue
                record_issue(arena, TRAILING_BYTES, chunk - data)
                break
            chunk = pass_alien_chunk(arena, data, chunk, end)
            continue
        if music:
            record_issue(arena, TRAILING_BYTES, chunk - data)
            break
        track.start = chunk
        status = read_undeclared(arena, data, end, &track)
        if status:
            return status
        if track.next == chunk:
            record_issue(arena, UNDECLARED_TRACKS, chunk - data)  # left out: the file must not pass as one without a fault
            record_issue(arena, TRAILING_BYTES, chunk - data)
            break
        chunk = track.next
    if not has_note(arena, 0, arena.event_count) and arena.track_count > declared.track_count:
        return_to(arena, &declared)
        record_issue(arena, TRAILING_BYTES, chunk - data)
    return USABLE


cdef Status read_undeclared(Arena *arena, const uint8_t *data, const uint8_t *end, TrackChunk *track) noexcept nogil:
    """Read a track that the header does not count. It ends with End of Track, where its length leads or where another track begins, or
    the file ends, without any other fault; else it is left out, and `track.next` is its start. End of Track may be left out where the
    length leads to another track, and at the end of the file, where the last event may be cut.
    """
    cdef Reading before = read_so_far(arena)
    cdef uint64_t allowed = issue_bit(TRACK_LENGTH) | issue_bit(JOINED_TRACKS) | within_events()
    cdef Reading counted
    cdef bint is_whole = is_whole_track(track.start, end)
    cdef Status status
    record_issue(arena, UNDECLARED_TRACKS, track.start - data)
    counted = read_so_far(arena)
    status = read_track_chunk(arena, data, end, track)
    if status or (is_whole and track.stopped == track.next):
        return status
    status = mend_track(arena, data, end, &counted, track)
    if is_whole or status:
        return status
    if track.next == end:
        allowed |= issue_bit(CHUNK_OVERRUN) | issue_bit(EVENT_CUT) | issue_bit(NO_END_OF_TRACK)
    elif track.stopped == track.next:
        allowed |= issue_bit(NO_END_OF_TRACK)
    if fits_to_byte(track, end):
        allowed |= issue_bit(BYTES_AFTER_END)
    if arena.header.issues & ALL_REPAIRS & ~(counted.header.issues | allowed) == 0:
        if track.next == end or is_chunk_header(track.next, end, b"MTrk") or is_song_header(track.next, end):
            return USABLE
    return_to(arena, &before)
    track.next = track.start
    return USABLE


cdef inline bint is_cut_chunk(const uint8_t *chunk, const uint8_t *end) noexcept nogil:
    """Whether a chunk of the XF format begins here, as its last bytes may be missing in a file that is cut."""
    return is_chunk_header(chunk, end, b"XFIH") or is_chunk_header(chunk, end, b"XFKM")


cdef inline bint fits_to_byte(const TrackChunk *track, const uint8_t *end) noexcept nogil:
    """Whether the length of a track leads to a chunk, or to the end of the file."""
    cdef size_t length = load_be32(track.start + 4)
    return track.next == track.start + CHUNK_HEADER + length and (track.next == end or is_plausible_chunk(track.next, end))


cdef const uint8_t *pass_alien_chunk(Arena *arena, const uint8_t *data, const uint8_t *chunk, const uint8_t *end) noexcept nogil:
    """Note a chunk that is neither header nor track; returns its end. Of XFKM, which holds the lyrics of a song in XF format, they are
    counted. If its length leads nowhere, it ends with its End of Track.
    """
    cdef const uint8_t *at = chunk + CHUNK_HEADER
    cdef size_t length = load_be32(chunk + 4)
    cdef const uint8_t *behind = at + min(length, <size_t>(end - at))
    record_issue(arena, ALIEN_CHUNK, chunk - data)
    if length > <size_t>(end - at):
        record_issue(arena, CHUNK_OVERRUN, chunk + 4 - data)
    if memcmp(chunk, b"XFKM", 4) == 0:
        behind = read_lyrics(arena, data, at, length, end)
        if behind != at + min(length, <size_t>(end - at)):
            record_issue(arena, TRACK_LENGTH, chunk + 4 - data)
    if arena.header.alien_chunks < MAX_KEPT_CHUNKS:
        arena.alien_chunks_at[arena.header.alien_chunks] = chunk - data
        arena.alien_chunk_sizes[arena.header.alien_chunks] = behind - at
    arena.header.alien_chunks += 1
    return behind


cdef const uint8_t *read_lyrics(Arena *arena, const uint8_t *data, const uint8_t *at, size_t length, const uint8_t *end) noexcept nogil:
    """Count the lyrics of a chunk of this length, from `at` on; returns its end."""
    cdef const uint8_t *behind = at + min(length, <size_t>(end - at))
    cdef const uint8_t *ended = NULL
    cdef uint32_t lyrics = 0
    if length > <size_t>(end - at) or (behind < end and not is_plausible_chunk(behind, end)):
        lyrics = count_lyrics(arena, data, at, end, &ended)
    if ended == NULL:
        lyrics = count_lyrics(arena, data, at, behind, &ended)
        ended = behind
    arena.header.xf_lyrics += lyrics
    return ended


cdef uint32_t count_lyrics(Arena *arena, const uint8_t *data, const uint8_t *at, const uint8_t *end, const uint8_t **ended) noexcept nogil:
    """The number of lyrics among the events from `at` on; `ended` is set to the place behind their End of Track, if they have one."""
    cdef Reading before
    cdef uint32_t lyrics = 0
    cdef size_t i
    if not spend(arena, end - at):
        return 0
    before = read_so_far(arena)
    if not parse_track(data, &at, end, arena):
        for i in range(before.mark_count, arena.mark_count):
            lyrics += arena.marks[i].status == META and arena.marks[i].type == META_LYRIC
        if has_ended(arena):
            ended[0] = at
    return_to(arena, &before)
    return lyrics
