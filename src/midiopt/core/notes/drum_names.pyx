"""Whether the name of a track, or of its instrument, says drums or percussion."""

from libc.stdint cimport uint32_t

from midiopt.core.ascii cimport begins_with, begins_with_any
from midiopt.core.notes import drum_words
from midiopt.core.text.name_words cimport Name, NameWords, fill_words, find_words, read_name

cdef enum:
    DRUM_WORDS = 14
    MELODIC_WORDS = 7

# Drums and percussion in the languages of names; "perc" only at the beginning of a word, the others anywhere ("bdrum1").
cdef const char **DRUMS = [
    "drum", "snare", "kick", "hihat", "hi-hat", "hi hat", "schlagz", "tromme", "trumm", "rummut", "bater", "batteri", "slagwerk", "perkus",
]  # fmt: skip
# Instruments that play melodies, most of them General MIDI programs: steel drums, synth drum, taiko drum, percussive organ.
cdef const char **MELODIC = ["steel", "syn", "taiko", "organ", "piano", "melod", "reverse"]
# By the first letter of a drum word (A is 0), the set of second letters: few pairs of letters of a name are in it.
cdef uint32_t[26] SECOND_LETTERS

cdef NameWords WORDS  # in other scripts
cdef uint32_t SAYS_DRUMS = drum_words.SAYS_DRUMS, SAYS_MELODIC = drum_words.SAYS_MELODIC


def fill_tables():
    """Fill the tables of this module."""
    cdef int i
    for i in range(DRUM_WORDS):
        SECOND_LETTERS[DRUMS[i][0] - 0x61] |= 1 << (DRUMS[i][1] - 0x61)
    fill_words(&WORDS, drum_words.WORDS)


fill_tables()


cdef bint says_drums(const uint8_t *name, size_t length) noexcept nogil:
    """Whether a name says drums or percussion, and no instrument that plays melodies."""
    cdef Name text
    read_name(&text, name, length)
    return has_drums(text.bytes, text.length)


cdef bint has_drums(const uint8_t *name, size_t length) noexcept nogil:
    cdef size_t i
    cdef uint8_t first, second
    cdef bint drums
    cdef uint32_t others = find_words(&WORDS, name, length)
    if others & SAYS_MELODIC:
        return False
    drums = others & SAYS_DRUMS
    for i in range(1, length):
        first = (name[i - 1] | 0x20) - 0x61
        second = (name[i] | 0x20) - 0x61
        if first < 26 and second < 26 and SECOND_LETTERS[first] >> second & 1:
            drums |= begins_with_any(name + i - 1, length - i + 1, DRUMS, DRUM_WORDS)
            drums |= begins_with(name + i - 1, length - i + 1, "perc") and not (i > 1 and is_letter(name[i - 2]))
    if not drums:
        return False
    for i in range(length):
        if begins_with_any(name + i, length - i, MELODIC, MELODIC_WORDS):
            return False
    return True


cdef inline bint is_letter(uint8_t byte) noexcept nogil:
    return 0x61 <= byte | 0x20 <= 0x7A
