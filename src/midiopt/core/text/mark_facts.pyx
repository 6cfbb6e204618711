"""Facts from the marks of a file: counts of rare events; names.pyx has the title and the track names."""

from libc.stddef cimport size_t
from libc.stdint cimport int32_t
from libc.string cimport memcmp

from midiopt.core.smf.midi cimport META, META_LYRIC, META_TEXT, META_TRACK_NAME, SYSEX, Mark, Track
from midiopt.core.text.names cimport Names, reset_names, take_name, take_title_line, write_names

cdef struct TextMarks:  # what a pass over the marks finds
    Names names
    int32_t texts, lyrics
    bint karaoke


cdef Status write_mark_facts(TextHeap *heap, const Arena *arena, const uint8_t *data, Facts *facts) noexcept nogil:
    """Count program changes, system-exclusive events and lyrics, and append the title and the track names to the heap."""
    cdef TextMarks found
    cdef size_t i
    found.texts = 0
    found.lyrics = arena.header.xf_lyrics
    found.karaoke = False
    reset_names(&found.names, arena, data)
    for i in range(arena.track_count):
        read_track_marks(arena, data, &arena.tracks[i], &found, facts)
    facts.lyric_count = found.lyrics if found.lyrics or not found.karaoke else found.texts
    return write_names(heap, arena, data, &found.names, facts)


cdef inline void read_track_marks(
    const Arena *arena, const uint8_t *data, const Track *track, TextMarks *found, Facts *facts
) noexcept nogil:
    """Count the marks of a track, and take its first name that is not blank."""
    cdef const Mark *mark = arena.marks + track.first_mark
    cdef const Mark *end = mark + track.mark_count
    cdef bint named = False
    while mark < end:
        if mark.status < SYSEX:
            facts.program_changes += 1
        elif mark.status != META:
            facts.sysex_count += 1
        elif mark.type == META_LYRIC:
            found.lyrics += 1
            if mark.length and data[mark.offset] == 0x7B:
                take_title_line(&found.names, data, mark)
        elif mark.type == META_TEXT:
            found.texts += 1
            found.karaoke |= mark.length >= 2 and memcmp(data + mark.offset, b"@K", 2) == 0
            if mark.length and (data[mark.offset] == 0x40 or data[mark.offset] == 0x7B):
                take_title_line(&found.names, data, mark)
        elif mark.type == META_TRACK_NAME:
            found.karaoke |= is_words(data + mark.offset, mark.length)
            if not named:
                named = take_name(&found.names, arena, data, track, mark)
        mark += 1


cdef inline bint is_words(const uint8_t *name, size_t length) noexcept nogil:
    """Whether a track has the name Words, as karaoke files call the one with the lyrics."""
    cdef const char *words = b"words"
    cdef int i
    while length and name[0] == 0x20:
        name += 1
        length -= 1
    while length and name[length - 1] == 0x20:
        length -= 1
    if length != 5:
        return False
    for i in range(5):
        if name[i] | 0x20 != <uint8_t>words[i]:
            return False
    return True
