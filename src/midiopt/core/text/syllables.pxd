from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t

from midiopt.core.smf.arena cimport Arena
from midiopt.core.smf.midi cimport Mark

cdef struct Syllables:  # text events of a file that may be lyrics
    bint is_karaoke  # whether a text begins with @K
    int32_t in_lyrics_tracks  # of the tracks whose name says lyrics
    int32_t in_longest_track  # of the track that has the most
    # Of the current track:
    bint says_lyrics
    int32_t texts
    int32_t ticks  # different ones
    int64_t last_tick


cdef void reset_syllables(Syllables *s) noexcept nogil
cdef void start_syllables(Syllables *s) noexcept nogil
cdef void add_text(Syllables *s, const Arena *arena, const uint8_t *data, const Mark *mark) noexcept nogil
cdef bint says_lyrics(const uint8_t *name, uint32_t length) noexcept nogil
cdef void end_syllables(Syllables *s) noexcept nogil
cdef int32_t count_syllables(const Syllables *s) noexcept nogil


cdef inline bint is_tag(const uint8_t *data, const Mark *mark) noexcept nogil:
    """Whether a text or lyric is a tag of a karaoke file (@K, @L, @T, @V ...), not a syllable."""
    return mark.length > 0 and data[mark.offset] == 0x40
