"""Lyrics that are written as text events (FF 01), as karaoke files do: a syllable each, at the tick at which it is sung.

Other texts are comments, all at the beginning, or names of chords. A file is karaoke if a text begins with @K (Soft Karaoke);
then the lyrics are in the track that has the most syllables. Otherwise, and besides, a track has lyrics if its name says so.
"""

from midiopt.core.ascii cimport begins_with_any
from midiopt.core.text import lyrics_words
from midiopt.core.text.encoding cimport equals_ignoring_case
from midiopt.core.text.name_words cimport Name, NameWords, fill_words, find_words, read_name

cdef enum:
    MIN_TICKS = 4  # with syllables, in a track of lyrics
    LYRICS_WORDS = 11
    WHOLE_NAMES = 7

# Names of tracks with lyrics.
cdef const char **LYRICS = [
    "lyric", "letra", "karaoke", "paroles", "liedtext", "songtext", "testo", "songtekst", "liedtekst", "sangtekst", "dalszoveg",
]  # fmt: skip
# Titles have these, too ("Words & Music by"), so they must be all of a name.
cdef const char **WHOLE = ["words", "tekst", "parole", "slowa", "slova", "sanat", "versuri"]
cdef NameWords WORDS  # with other letters

fill_words(&WORDS, lyrics_words.WORDS)


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
    cdef Name text
    cdef int word
    read_name(&text, name, length)
    while text.length and is_blank(text.bytes[0]):
        text.bytes += 1
        text.length -= 1
    while text.length and is_blank(text.bytes[text.length - 1]):
        text.length -= 1
    for word in range(WHOLE_NAMES):
        if equals_ignoring_case(text.bytes, text.length, WHOLE[word]):
            return True
    return has_lyrics_word(text.bytes, text.length) or find_words(&WORDS, text.bytes, text.length)


cdef inline bint is_blank(uint8_t byte) noexcept nogil:
    return byte == 0x20 or byte == 0


cdef inline bint has_lyrics_word(const uint8_t *name, size_t length) noexcept nogil:
    cdef size_t i
    for i in range(length):
        if name[i] | 0x20 in (0x64, 0x6B, 0x6C, 0x70, 0x73, 0x74):  # d, k, l, p, s, t
            if begins_with_any(name + i, length - i, LYRICS, LYRICS_WORDS):
                return True
    return False
