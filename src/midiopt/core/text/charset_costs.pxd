from libc.stdint cimport uint8_t

from midiopt.core.smf.midi cimport Status
from midiopt.core.text.code_pages cimport CODE_PAGE_COUNT, TRAILS

cdef enum:  # half bits
    UNDEFINED_COST = 80  # no character of the code page
    RARE_COST = 36
    COMMON_PUNCTUATION_COST = 14  # in Shift-JIS; Latin letters may stand beside it
    NO_PAIR = 255

cdef enum:
    MAX_CLASSES = 128  # of letters; the first is all that is no letter
    KANA_CLASSES = 64  # from A1 to DF; the first is all else

# What a byte is in a code page of single bytes.
cdef enum:
    CAPITAL = 1
    OPENING = 2  # a quotation mark
    CLOSING = 4
    APOSTROPHE = 8

cdef struct SingleBytes:
    uint8_t classes[256]
    uint8_t flags[256]
    uint8_t symbols[256]  # the cost of what is no letter

# Filled by load_costs().
cdef uint8_t[MAX_CLASSES][MAX_CLASSES] LETTER_COSTS  # of a class after a class
cdef uint8_t[KANA_CLASSES][KANA_CLASSES] KANA_COSTS
cdef SingleBytes[CODE_PAGE_COUNT] SINGLE  # of the code pages of single bytes
cdef uint8_t[CODE_PAGE_COUNT][0x80 * TRAILS] PAIR_COSTS  # of those of double bytes


cdef Status load_costs() noexcept nogil
