"""Facts from the marks of a file: counts of rare events; names.pyx has the title and the track names."""

from libc.stddef cimport size_t
from libc.stdint cimport int32_t

from midiopt.core.smf.midi cimport META, META_LYRIC, META_TEXT, META_TRACK_NAME, SYSEX, Mark, Track
from midiopt.core.text.names cimport Names, reset_names, take_name, take_title_line, write_names
from midiopt.core.text.syllables cimport (
    Syllables, add_text, count_syllables, end_syllables, is_tag, reset_syllables, says_lyrics, start_syllables,
)

cdef struct TextMarks:  # what a pass over the marks finds
    Names names
    Syllables syllables  # as text events
    int32_t lyrics  # as lyric events


cdef Status write_mark_facts(
    TextHeap *heap, const Arena *arena, const uint8_t *data, Facts *facts, TrackFacts *tracks
) noexcept nogil:
    """Count program changes, system-exclusive events and lyrics, and append the title and the names of tracks; see write_names()."""
    cdef TextMarks found
    cdef size_t i
    found.lyrics = arena.header.xf_lyrics
    reset_syllables(&found.syllables)
    reset_names(&found.names, arena, data)
    for i in range(arena.track_count):
        read_track_marks(arena, data, &arena.tracks[i], &found, facts)
    facts.lyric_count = max(found.lyrics, count_syllables(&found.syllables))
    return write_names(heap, arena, data, &found.names, facts, tracks)


cdef inline void read_track_marks(
    const Arena *arena, const uint8_t *data, const Track *track, TextMarks *found, Facts *facts
) noexcept nogil:
    """Count the marks of a track, and take its first name that is not blank."""
    cdef const Mark *mark = arena.marks + track.first_mark
    cdef const Mark *end = mark + track.mark_count
    cdef bint named = False
    start_syllables(&found.syllables)
    while mark < end:
        if mark.status < SYSEX:
            facts.program_changes += 1
        elif mark.status != META:
            facts.sysex_count += 1
        elif mark.type == META_LYRIC:
            found.lyrics += not is_tag(data, mark)
            if mark.length and data[mark.offset] == 0x7B:
                take_title_line(&found.names, data, mark)
        elif mark.type == META_TEXT:
            add_text(&found.syllables, arena, data, mark)
            if mark.length and (data[mark.offset] == 0x40 or data[mark.offset] == 0x7B):
                take_title_line(&found.names, data, mark)
        elif mark.type == META_TRACK_NAME:
            found.syllables.says_lyrics |= says_lyrics(data + mark.offset, mark.length)
            if not named:
                named = take_name(&found.names, arena, data, track, mark)
        mark += 1
    end_syllables(&found.syllables)
