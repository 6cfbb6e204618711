"""Lyrics that are written as text events (FF 01), as karaoke files do: a syllable each, at the tick at which it is sung.

Other texts are comments, all at the beginning, or names of chords. A file is karaoke if a text begins with @K (Soft Karaoke);
then the lyrics are in the track that has the most syllables. Otherwise, and besides, a track has lyrics if its name says so.
"""

from midiopt.core.ascii cimport begins_with

cdef enum:
    MIN_TICKS = 4  # with syllables, in a track of lyrics
    WORDS = 7

# Names of tracks with lyrics; "words" must be all of a name, since titles have it, too ("Words & Music by").
cdef const char **LYRICS = ["lyric", "letra", "karaoke", "paroles", "liedtext", "songtext", "testo"]


cdef void reset_syllables(Syllables *s) noexcept nogil:
    """Start a file."""
    s.is_karaoke = False
    s.in_lyrics_tracks = s.in_longest_track = 0


cdef void start_syllables(Syllables *s) noexcept nogil:
    """Start a track."""
    s.says_lyrics = False
    s.texts = s.ticks = 0
    s.last_tick = -1


cdef void add_text(Syllables *s, const Arena *arena, const uint8_t *data, const Mark *mark) noexcept nogil:
    """Add a text event of the current track."""
    cdef int64_t tick
    if is_tag(data, mark):
        s.is_karaoke |= mark.length >= 2 and data[mark.offset + 1] == <uint8_t>b"K"
    elif mark.length:
        tick = arena.events[mark.event].tick
        s.texts += 1
        s.ticks += tick != s.last_tick
        s.last_tick = tick


cdef void end_syllables(Syllables *s) noexcept nogil:
    """End a track: its texts are syllables if most have a tick of their own."""
    if s.ticks >= MIN_TICKS and 2 * <int64_t>s.ticks >= s.texts:
        s.in_longest_track = max(s.in_longest_track, s.texts)
        if s.says_lyrics:
            s.in_lyrics_tracks += s.texts


cdef int32_t count_syllables(const Syllables *s) noexcept nogil:
    """The number of syllables that are text events."""
    return max(s.in_lyrics_tracks, s.in_longest_track if s.is_karaoke else 0)


cdef bint says_lyrics(const uint8_t *name, uint32_t length) noexcept nogil:
    """Whether the name of a track says that it has the lyrics."""
    cdef uint32_t i
    cdef int word
    while length and (name[0] == 0x20 or name[0] == 0):
        name += 1
        length -= 1
    while length and (name[length - 1] == 0x20 or name[length - 1] == 0):
        length -= 1
    if length == 5 and begins_with(name, length, "words"):
        return True
    for i in range(length):
        if name[i] | 0x20 in (0x6B, 0x6C, 0x70, 0x73, 0x74):  # k, l, p, s, t
            for word in range(WORDS):
                if begins_with(name + i, length - i, LYRICS[word]):
                    return True
    return False
