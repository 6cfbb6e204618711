"""The title and the track names of a file.

The title is the first of these that is not blank: the name of track 0, the name in the INFO list of an RMID container, the
first title among the texts (a line @T of karaoke, or {#Title=...} of RP-026), the name of the first track with nothing but meta events.
"""

from libc.stdint cimport uint16_t, uint32_t
from libc.string cimport memcmp, memset

from midiopt.core.facts cimport NULL_TEXT, Text, TrackFacts
from midiopt.core.smf.arena cimport MarkRange, marks_of
from midiopt.core.smf.midi cimport META, META_COPYRIGHT, META_INSTRUMENT_NAME, META_LYRIC, META_TEXT, META_TRACK_NAME, USABLE
from midiopt.core.text.charset cimport CodePageCosts, best_code_page, reset_costs, score_text, utf8_cost
from midiopt.core.text.charset_costs cimport load_costs
from midiopt.core.text.encoding cimport CODE_PAGE, NO_CODE_PAGE, UTF8, UTF8_CUT, equals_ignoring_case, find_tag, read_text
from midiopt.core.text.text cimport append_ascii, append_text

cdef enum:
    MAX_TRACK_NAME_BYTES = 64 << 10  # beyond it, no further name is kept: 1,000 names could bring 4 MB
    SLOTS = 2048  # of the hash table of names
    MAX_EVIDENCE_BYTES = 1024  # of the texts of a file that are tried in each code page: 0.1 ms
    FEW_NAMES = 16  # up to which comparing with each name is faster than the table

cdef struct NameList:  # the distinct names so far
    Text names[MAX_TRACK_NAMES]
    uint32_t hashes[MAX_TRACK_NAMES]
    size_t count
    uint16_t slots[SLOTS]  # index of a name plus 1, 0 for a free slot

cdef struct Evidence:  # for the code page of a file
    CodePageCosts costs
    size_t room  # bytes that may still be tried
    bint has_utf8  # whether a name is UTF-8 with a character of several bytes


cdef void reset_names(Names *names, const Arena *arena, const uint8_t *data) noexcept nogil:
    """Start a file, with the title in its container."""
    names.count = names.line.length = 0
    names.has_first_track = False
    names.conductor = NO_NAME
    names.riff = read_text(data + arena.header.riff_title_at, arena.header.riff_title_length)


cdef bint take_name(Names *names, const Arena *arena, const uint8_t *data, const Track *track, const Mark *mark) noexcept nogil:
    """Take a name of a track; False if it is blank, so that a later one counts."""
    cdef RawText text = read_text(data + mark.offset, mark.length)
    if text.length == 0:
        return False
    if names.count == MAX_TRACK_NAMES:
        return True
    if track == arena.tracks:
        names.has_first_track = True
    elif names.conductor == NO_NAME and is_title(&text) and has_only_metas(arena, track):
        names.conductor = names.count
    names.tracks[names.count] = text
    names.track_of[names.count] = <uint16_t>(track - arena.tracks)
    names.count += 1
    return True


cdef inline bint has_only_metas(const Arena *arena, const Track *track) noexcept nogil:
    """Whether a track has neither channel messages nor system-exclusive events: one that resets the synthesizer is often called so."""
    cdef const Mark *mark = arena.marks + track.first_mark
    cdef const Mark *end = mark + track.mark_count
    if track.event_count != track.mark_count:
        return False
    while mark < end:
        if mark.status != META:
            return False
        mark += 1
    return True


cdef inline bint is_title(const RawText *name) noexcept nogil:
    """Whether a name has a letter or digit (many files draw lines of text tracks), and is none of a track with lyrics."""
    cdef size_t i
    for i in range(name.length):
        if name.bytes[i] >= 0x80 or 0x30 <= name.bytes[i] <= 0x39 or 0x41 <= (name.bytes[i] & 0xDF) <= 0x5A:
            return not (
                equals_ignoring_case(name.bytes, name.length, b"soft karaoke")
                or equals_ignoring_case(name.bytes, name.length, b"karaoke")
                or equals_ignoring_case(name.bytes, name.length, b"lyrics")
                or equals_ignoring_case(name.bytes, name.length, b"words")
            )
    return False


cdef void take_title_line(Names *names, const uint8_t *data, const Mark *mark) noexcept nogil:
    """Take the title in a text that begins with "@" or "{", if it has one and is the first."""
    cdef RawText text
    cdef const uint8_t *end
    cdef const uint8_t *tag
    cdef const uint8_t *tag_end = NULL
    if names.line.length:
        return
    text = read_text(data + mark.offset, mark.length)
    end = text.bytes + text.length
    if text.length >= 2 and memcmp(text.bytes, b"@T", 2) == 0:
        text.bytes += 2
    elif data[mark.offset] == 0x7B:
        tag = find_tag(text.bytes, end, 0x23, &tag_end)
        while tag != NULL and not (tag_end - tag > 9 and equals_ignoring_case(tag, 8, b"{#title=")):
            tag = find_tag(tag_end, end, 0x23, &tag_end)
        if tag == NULL:
            return
        text.bytes = tag + 8
        end = tag_end - 1
    else:
        return
    while text.bytes < end and text.bytes[0] == 0x20:
        text.bytes += 1
    text.length = end - text.bytes
    names.line = text


cdef Status write_names(
    TextHeap *heap, const Arena *arena, const uint8_t *data, Names *names, Facts *facts, TrackFacts *tracks
) noexcept nogil:
    """Append the title and the track names to the heap; `tracks`, unless NULL, are the rows of all tracks, which get their names."""
    cdef const RawText *titles[4]
    cdef int i, code_page = NO_CODE_PAGE
    cdef Status status = USABLE
    titles[0] = &names.tracks[0] if names.has_first_track else NULL
    titles[1], titles[2] = &names.riff, &names.line
    titles[3] = &names.tracks[names.conductor] if names.conductor != NO_NAME else NULL
    if has_open_encoding(names):
        status = load_costs()
        if status:
            return status
        code_page = code_page_of(names, arena, data)
    facts.title.length = NULL_TEXT
    for i in range(4):
        if not status and facts.title.length == NULL_TEXT and titles[i] != NULL:
            status = append_text(heap, titles[i], code_page, &facts.title)
    if not status:
        status = append_track_names(heap, names, code_page, &facts.track_names, tracks)
    return status


cdef bint has_open_encoding(const Names *names) noexcept nogil:
    """Whether the encoding of a text is to be decided by all texts of the file."""
    cdef size_t i
    cdef bint is_open = is_open_text(&names.riff) or is_open_text(&names.line)
    for i in range(names.count):
        is_open |= is_open_text(&names.tracks[i])
    return is_open


cdef inline bint is_open_text(const RawText *text) noexcept nogil:
    return text.length != 0 and (text.encoding == UTF8_CUT or (text.encoding == CODE_PAGE and text.code_page == NO_CODE_PAGE))


cdef int code_page_of(Names *names, const Arena *arena, const uint8_t *data) noexcept nogil:
    """The code page of the file: that of its first language tag, or the most likely one of its names and other texts.

    Names that may be UTF-8, cut within a character, are decided first, one by one.
    """
    cdef Evidence evidence
    cdef size_t i
    cdef int code_page = first_language(arena, data)
    evidence.has_utf8 = False
    evidence.room = MAX_EVIDENCE_BYTES
    for i in range(names.count):
        evidence.has_utf8 |= names.tracks[i].encoding == UTF8
    for i in range(names.count):
        decide_cut(&evidence, &names.tracks[i])
    decide_cut(&evidence, &names.riff)
    decide_cut(&evidence, &names.line)
    if code_page != NO_CODE_PAGE:
        return code_page
    reset_costs(&evidence.costs)
    evidence.room = MAX_EVIDENCE_BYTES
    for i in range(names.count):
        add_evidence(&evidence, &names.tracks[i])
    add_evidence(&evidence, &names.riff)
    add_evidence(&evidence, &names.line)
    add_other_texts(&evidence, arena, data)
    return best_code_page(&evidence.costs)


cdef void decide_cut(Evidence *evidence, RawText *text) noexcept nogil:
    """Decide whether a text whose end may cut a character of UTF-8 is that, or in the code page of the file.

    It is UTF-8 if another one is. Without room for evidence, it is in the code page.
    """
    if text.length == 0 or text.encoding != UTF8_CUT:
        return
    if not evidence.has_utf8 and text.length <= evidence.room:
        evidence.room -= text.length
        reset_costs(&evidence.costs)
        score_text(&evidence.costs, text.bytes, text.length)
        evidence.has_utf8 = utf8_cost(text.bytes, text.length) < evidence.costs.half_bits[best_code_page(&evidence.costs)]
    text.encoding = UTF8 if evidence.has_utf8 else CODE_PAGE


cdef void add_evidence(Evidence *evidence, const RawText *text) noexcept nogil:
    """Add the costs of a text in a code page, as long as there is room."""
    cdef size_t length = min(text.length, evidence.room)
    if text.encoding == CODE_PAGE and text.code_page == NO_CODE_PAGE and length:
        score_text(&evidence.costs, text.bytes, length)
        evidence.room -= length


cdef void add_other_texts(Evidence *evidence, const Arena *arena, const uint8_t *data) noexcept nogil:
    """Add the texts, copyright notices, instruments and lyrics, as long as there is room."""
    cdef MarkRange marks = marks_of(arena, 0, arena.track_count)
    cdef const Mark *mark
    cdef RawText text
    while marks.next < marks.end and evidence.room:
        mark = marks.next
        marks.next += 1
        if mark.status == META and mark.type in (META_TEXT, META_COPYRIGHT, META_INSTRUMENT_NAME, META_LYRIC):
            text = read_text(data + mark.offset, mark.length)
            add_evidence(evidence, &text)


cdef int first_language(const Arena *arena, const uint8_t *data) noexcept nogil:
    """The code page of the first language tag in a text, lyric or name of the file."""
    cdef MarkRange marks = marks_of(arena, 0, arena.track_count)
    cdef RawText text
    while marks.next < marks.end:
        if marks.next.status == META and marks.next.type in (META_TEXT, META_TRACK_NAME, META_LYRIC) and marks.next.length >= 4:
            if data[marks.next.offset] == 0x7B:
                text = read_text(data + marks.next.offset, marks.next.length)
                if text.code_page != NO_CODE_PAGE:
                    return text.code_page
        marks.next += 1
    return NO_CODE_PAGE


cdef Status append_track_names(TextHeap *heap, const Names *names, int code_page, Text *list, TrackFacts *tracks) noexcept nogil:
    """Append the distinct names, joined by NUL; equal names of tracks are one text in the heap."""
    cdef NameList found
    cdef Text name
    cdef size_t i, at, before
    cdef Status status
    cdef bint is_hashed = names.count > FEW_NAMES
    list.offset = heap.size
    list.length = 0
    found.count = 0
    if is_hashed:
        memset(found.slots, 0, sizeof(found.slots))
    for i in range(names.count):
        if list.length:
            status = append_ascii(heap, b"\0", 1, &name)
            if status:
                return status
        status = append_text(heap, &names.tracks[i], code_page, &name)
        if status:
            return status
        before = found.count
        if name.length != NULL_TEXT:
            at = add_hashed(&found, heap, &name) if is_hashed else add_compared(&found, heap, &name)
            if tracks != NULL:
                tracks[names.track_of[i]].name = found.names[at]
        if found.count == before:
            heap.size = list.offset + list.length
        else:
            list.length = heap.size - list.offset
        if list.length > MAX_TRACK_NAME_BYTES:
            break
    return USABLE


cdef inline bint is_same(const TextHeap *heap, const Text *a, const Text *b) noexcept nogil:
    return a.length == b.length and memcmp(heap.bytes + a.offset, heap.bytes + b.offset, a.length) == 0


cdef inline size_t add_compared(NameList *found, const TextHeap *heap, const Text *name) noexcept nogil:
    """The index of a name, which is added unless it is there."""
    cdef size_t i
    for i in range(found.count):
        if is_same(heap, &found.names[i], name):
            return i
    found.names[found.count] = name[0]
    found.count += 1
    return found.count - 1


cdef inline size_t add_hashed(NameList *found, const TextHeap *heap, const Text *name) noexcept nogil:
    """The same with a hash table: with 1,000 names, comparing with each takes four times as long as the rest of the file."""
    cdef uint32_t hashed = 2166136261
    cdef size_t i, slot
    for i in range(name.length):
        hashed = (hashed ^ heap.bytes[name.offset + i]) * 16777619  # FNV-1a
    slot = hashed % SLOTS
    while found.slots[slot]:
        i = found.slots[slot] - 1
        if found.hashes[i] == hashed and is_same(heap, &found.names[i], name):
            return i
        slot = (slot + 1) % SLOTS
    found.slots[slot] = <uint16_t>(found.count + 1)
    found.hashes[found.count] = hashed
    found.names[found.count] = name[0]
    found.count += 1
    return found.count - 1
