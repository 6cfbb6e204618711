"""Facts from the marks of a file: counts of rare events, the title and the track names."""

from libc.stddef cimport size_t
from libc.stdint cimport int32_t
from libc.string cimport memchr, memcmp, memset

from midiopt.core.facts cimport NULL_TEXT, Text
from midiopt.core.smf.midi cimport META, META_LYRIC, META_TEXT, META_TRACK_NAME, SYSEX, USABLE, Mark, Track
from midiopt.core.text.charset cimport CharsetCosts, best_charset, is_utf8, score_text
from midiopt.core.text.text cimport append_ascii, append_name

cdef enum:
    MAX_TRACK_NAMES = 1000  # per file
    MAX_TRACK_NAME_BYTES = 64 << 10  # beyond it, no further name is kept: 32,767 tracks could bring 4 MB of names

cdef struct TextMarks:  # what a pass over the marks finds
    const Mark *title  # NULL if there is none
    const Mark *names[MAX_TRACK_NAMES]  # the first name of each track
    size_t name_count
    CharsetCosts costs
    int32_t texts, lyrics
    bint karaoke


cdef Status write_mark_facts(TextHeap *heap, const Arena *arena, const uint8_t *data, Facts *facts) noexcept nogil:
    """Count program changes, system-exclusive events and lyrics, and append the title and the track names to the heap."""
    cdef TextMarks found
    cdef int charset
    cdef size_t i
    cdef Status status = USABLE
    found.title = NULL
    found.name_count = 0
    found.texts = found.lyrics = 0
    found.karaoke = False
    memset(&found.costs, 0, sizeof(CharsetCosts))
    for i in range(arena.track_count):
        read_track_marks(arena, data, &arena.tracks[i], &found, facts)
    charset = best_charset(&found.costs)
    facts.lyric_count = found.lyrics if found.lyrics or not found.karaoke else found.texts
    facts.title.length = NULL_TEXT
    if found.title != NULL:
        status = append_name(heap, data + found.title.offset, found.title.length, charset, &facts.title)
    if not status:
        status = append_track_names(heap, data, &found, charset, &facts.track_names)
    return status


cdef inline void read_track_marks(
    const Arena *arena, const uint8_t *data, const Track *track, TextMarks *found, Facts *facts
) noexcept nogil:
    """Count the marks of a track, and take its first name; that of the first track is the title."""
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
        elif mark.type == META_TEXT:
            found.texts += 1
            found.karaoke |= mark.length >= 2 and memcmp(data + mark.offset, b"@K", 2) == 0
        elif mark.type == META_TRACK_NAME:
            found.karaoke |= is_words(data + mark.offset, mark.length)
            if not named:
                named = True
                take_name(data, mark, track == arena.tracks, found)
        mark += 1


cdef inline void take_name(const uint8_t *data, const Mark *mark, bint is_title, TextMarks *found) noexcept nogil:
    if not is_utf8(data + mark.offset, mark.length):
        score_text(&found.costs, data + mark.offset, mark.length)
    if is_title:
        found.title = mark
    if found.name_count < MAX_TRACK_NAMES:
        found.names[found.name_count] = mark
        found.name_count += 1


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


cdef Status append_track_names(TextHeap *heap, const uint8_t *data, const TextMarks *found, int charset, Text *list) noexcept nogil:
    """Append the distinct names that are not blank, joined by NUL."""
    cdef Text name
    cdef size_t i
    cdef Status status
    list.offset = heap.size
    list.length = 0
    for i in range(found.name_count):
        if list.length:
            status = append_ascii(heap, b"\0", 1, &name)
            if status:
                return status
        status = append_name(heap, data + found.names[i].offset, found.names[i].length, charset, &name)
        if status:
            return status
        if name.length == NULL_TEXT or is_listed(heap, list, &name):
            heap.size = list.offset + list.length
        else:
            list.length = heap.size - list.offset
        if list.length > MAX_TRACK_NAME_BYTES:
            break
    return USABLE


cdef inline bint is_listed(const TextHeap *heap, const Text *list, const Text *name) noexcept nogil:
    """Whether one of the items of the list is this name."""
    cdef const uint8_t *item = heap.bytes + list.offset
    cdef const uint8_t *end = item + list.length
    cdef const uint8_t *stop
    while item < end:
        stop = <const uint8_t *>memchr(item, 0, end - item)
        if stop == NULL:
            stop = end
        if <size_t>(stop - item) == name.length and memcmp(item, heap.bytes + name.offset, name.length) == 0:
            return True
        item = stop + 1
    return False
