"""The names of chords as text: roots and basses are spelled after the third of the chord."""

from libc.string cimport strcpy

from midiopt.core.harmony import chord_symbols
from midiopt.core.harmony.chords cimport FLAT_FIFTH, LANES, NAMED_QUALITIES, NO_CHORD, SIXTH
from midiopt.schema import MAJOR_TONICS, MINOR_TONICS

cdef char[2][12][4] ROOT_NAMES  # under a chord with a major third or none, and with a minor third
cdef char[3][12][12][4] BASS_NAMES  # under the thirds of chord_symbols, by root
cdef char[NAMED_QUALITIES][8] SUFFIXES
cdef uint8_t[NAMED_QUALITIES] MINOR_THIRD, THIRDS


def fill_tables():
    """Fill the tables of this module."""
    cdef int bass, minor, quality, root, sixth, third
    for root in range(12):
        for minor, tonics in enumerate((MAJOR_TONICS, MINOR_TONICS)):
            strcpy(ROOT_NAMES[minor][root], tonics[root].encode())
        for third, flat_roots in enumerate(chord_symbols.FLAT_ROOTS):
            for bass in range(12):
                strcpy(BASS_NAMES[third][root][bass], chord_symbols.BASSES[root in flat_roots][bass].encode())
    for quality, third in enumerate(chord_symbols.THIRDS):
        THIRDS[quality] = third
        MINOR_THIRD[quality] = third > 0
    for quality, (suffix, _tones) in enumerate(chord_symbols.QUALITIES):
        strcpy(SUFFIXES[quality], suffix.encode())
    for sixth, suffix in enumerate(chord_symbols.SIXTHS.values()):
        strcpy(SUFFIXES[SIXTH + sixth], suffix.encode())
    strcpy(SUFFIXES[FLAT_FIFTH], chord_symbols.FLAT_FIFTH.encode())


fill_tables()


cdef inline int copy_text(char *text, const char *part) noexcept nogil:
    """Copy a part without its NUL; returns its length."""
    cdef int size = 0
    while part[size]:
        text[size] = part[size]
        size += 1
    return size


cdef const char *quality_name(uint8_t chord) noexcept nogil:
    """What is written after the root of a chord."""
    return SUFFIXES[chord // LANES]


cdef int write_triad(char *text, uint8_t chord, int base) noexcept nogil:
    """Write a chord over its root, which is counted from `base` and spelled after the third; returns the length, at most 7."""
    cdef int quality = chord // LANES
    cdef int size = copy_text(text, ROOT_NAMES[MINOR_THIRD[quality]][(chord % LANES + base) % 12])
    return size + copy_text(&text[size], SUFFIXES[quality])


cdef int write_symbol(char *text, uint8_t chord, uint8_t bass, int base) noexcept nogil:
    """Write the symbol of a chord over a bass, or N for none; returns its length, at most 10."""
    cdef int size
    if chord == NO_CHORD:
        return copy_text(text, b"N")
    size = write_triad(text, chord, base)
    if bass != chord % LANES:
        size += copy_text(&text[size], b"/")
        size += copy_text(&text[size], BASS_NAMES[THIRDS[chord // LANES]][(chord % LANES + base) % 12][(bass + base) % 12])
    return size
