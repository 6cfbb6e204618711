"""Whether the name of a track, or of its instrument, says drums or percussion."""

from libc.stdint cimport uint32_t
from libc.string cimport memcmp, memcpy

from midiopt.core.ascii cimport begins_with
from midiopt.core.notes import drum_words
from midiopt.core.text.encoding cimport MAX_TEXT_BYTES, UTF16_BE, UTF16_LE, RawText, read_text
from midiopt.core.text.text cimport decode_utf16

cdef enum:
    DRUM_WORDS = 14
    MELODIC_WORDS = 7
    MAX_PATTERNS = 160
    PATTERN_BYTES = 24
    MAX_UTF16_BYTES = 512  # of a name
    MAX_UTF8_BYTES = 768  # that they become

# Drums and percussion in the languages of names; "perc" only at the beginning of a word, the others anywhere ("bdrum1").
cdef const char **DRUMS = [
    "drum", "snare", "kick", "hihat", "hi-hat", "hi hat", "schlagz", "tromme", "trumm", "rummut", "bater", "batteri", "slagwerk", "perkus",
]  # fmt: skip
# Instruments that play melodies, most of them General MIDI programs: steel drums, synth drum, taiko drum, percussive organ.
cdef const char **MELODIC = ["steel", "syn", "taiko", "organ", "piano", "melod", "reverse"]
# By the first letter of a drum word (A is 0), the set of second letters: few pairs of letters of a name are in it.
cdef uint32_t[26] SECOND_LETTERS

cdef struct Pattern:  # see drum_words.py
    uint8_t bytes[PATTERN_BYTES]
    uint8_t length
    uint8_t is_melodic
    uint8_t has_pairs

cdef struct DecodedName:
    uint8_t bytes[MAX_UTF8_BYTES]

cdef Pattern[MAX_PATTERNS] PATTERNS  # in ascending order
cdef uint8_t[257] FIRST_PATTERN  # by first byte, and the number of all


def fill_tables():
    """Fill the tables of this module."""
    cdef int i, byte
    cdef const uint8_t *data
    for i in range(DRUM_WORDS):
        SECOND_LETTERS[DRUMS[i][0] - 0x61] |= 1 << (DRUMS[i][1] - 0x61)
    words = drum_words.patterns()
    if len(words) > MAX_PATTERNS or max(len(word.data) for word in words) > PATTERN_BYTES:
        raise ValueError("the words of drum_words.py need larger tables")
    for i, word in enumerate(words):
        data = word.data
        memcpy(PATTERNS[i].bytes, data, len(word.data))
        PATTERNS[i].length, PATTERNS[i].is_melodic, PATTERNS[i].has_pairs = len(word.data), word.is_melodic, word.has_pairs
    i = 0
    for byte in range(257):
        while i < len(words) and words[i].data[0] < byte:
            i += 1
        FIRST_PATTERN[byte] = i


fill_tables()


cdef bint says_drums(const uint8_t *name, size_t length) noexcept nogil:
    """Whether a name says drums or percussion, and no instrument that plays melodies."""
    cdef DecodedName decoded
    cdef RawText text
    if length >= 2 and (name[0] >= 0xFE or name[0] == 0x7B):
        text = read_text(name, length)
        if text.encoding == UTF16_LE or text.encoding == UTF16_BE:
            text.length = min(text.length, <size_t>MAX_UTF16_BYTES)
            return has_drums(decoded.bytes, decode_utf16(&text, decoded.bytes))
    return has_drums(name, min(length, <size_t>MAX_TEXT_BYTES))


cdef bint has_drums(const uint8_t *name, size_t length) noexcept nogil:
    cdef size_t i
    cdef uint8_t first, second
    cdef bint drums = False, melodic = False
    for i in range(1, length):
        first = (name[i - 1] | 0x20) - 0x61
        second = (name[i] | 0x20) - 0x61
        if first < 26 and second < 26 and SECOND_LETTERS[first] >> second & 1:
            drums |= begins_with_any(name + i - 1, length - i + 1, DRUMS, DRUM_WORDS)
            drums |= begins_with(name + i - 1, length - i + 1, "perc") and not (i > 1 and is_letter(name[i - 2]))
    find_patterns(name, length, &drums, &melodic)
    if not drums or melodic:
        return False
    for i in range(length):
        if begins_with_any(name + i, length - i, MELODIC, MELODIC_WORDS):
            return False
    return True


cdef void find_patterns(const uint8_t *name, size_t length, bint *drums, bint *melodic) noexcept nogil:
    """Set what words in other scripts say; no bytes of these are ASCII at their beginning."""
    cdef size_t i, run = 0  # bytes above 127 before this one
    cdef int k
    cdef uint8_t high = 0
    for i in range(length):
        high |= name[i]
    if high < 0x80:
        return
    for i in range(length):
        for k in range(FIRST_PATTERN[name[i]], FIRST_PATTERN[name[i] + 1]):
            if (
                PATTERNS[k].length <= length - i  # two bytes at least
                and PATTERNS[k].bytes[1] == name[i + 1]
                and memcmp(PATTERNS[k].bytes, name + i, PATTERNS[k].length) == 0
                and not (PATTERNS[k].has_pairs and run & 1)
            ):
                if PATTERNS[k].is_melodic:
                    melodic[0] = True
                else:
                    drums[0] = True
        run = run + 1 if name[i] >= 0x80 else 0


cdef inline bint is_letter(uint8_t byte) noexcept nogil:
    return 0x61 <= byte | 0x20 <= 0x7A


cdef bint begins_with_any(const uint8_t *text, size_t length, const char **words, int count) noexcept nogil:
    cdef int i
    for i in range(count):
        if begins_with(text, length, words[i]):
            return True
    return False
