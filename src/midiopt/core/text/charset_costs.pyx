"""What a character costs in each code page, in half bits: the tables that charset.pyx adds up, from code_page_weights.py."""

from midiopt.core.text import code_page_weights
from midiopt.core.text.code_pages import FILLING

from midiopt.core.smf.midi cimport NO_MEMORY, USABLE
from midiopt.core.text.code_pages cimport (
    BIG5, CP1250, CP1251, CP1252, CP437, EUC_KR, FIRST_LEAD, FIRST_TRAIL, GBK, KOI8_R, MAC_ROMAN, SHIFT_JIS, is_pair, load_code_page,
    pair_index,
)
from midiopt.core.text.once cimport is_done, set_done

cdef enum:
    SYMBOL_COST = 28
    COMMON_SYMBOL_COST = 14
    PUNCTUATION_COST = 18  # of double bytes: punctuation, full-width letters and digits
    PUNCTUATION_COST_JIS = 20

cdef int IS_LOADED = False

_SINGLE_BYTE = {CP1252: "cp1252", CP1251: "cp1251", KOI8_R: "koi8-r", CP1250: "cp1250", CP437: "cp437", MAC_ROMAN: "mac-roman"}
_COMMON_SYMBOLS = "‘’“”„–—…©®°´«»№º"
_COMMON_PUNCTUATION = "　、。，．・：？！々ー―／～（）「」『』＋－×＝＆★☆♪"
_OPENING, _CLOSING = "‘“„«¿¡", "”»°º"


cdef Status load_costs() noexcept nogil:
    """Fill the tables, once per process, when the first text that is not Unicode occurs: 20 ms."""
    return USABLE if is_done(&IS_LOADED) else fill_tables()


cdef Status fill_tables() noexcept with gil:
    try:
        with FILLING:
            if not IS_LOADED:
                fill_costs()
                set_done(&IS_LOADED)
    except MemoryError:
        return NO_MEMORY
    return USABLE


cdef int fill_costs() except -1:
    cdef int page
    fill_square(&LETTER_COSTS[0][0], MAX_CLASSES, code_page_weights.PAIRS)
    fill_square(&KANA_COSTS[0][0], KANA_CLASSES, code_page_weights.KANA_PAIRS)
    for page, codec in _SINGLE_BYTE.items():
        fill_single_bytes(page, codec)
    for page in (SHIFT_JIS, GBK, EUC_KR, BIG5):
        if load_code_page(page):
            raise MemoryError()
        fill_pairs(page)
    for character in _COMMON_PUNCTUATION:
        lead, trail = character.encode("cp932")
        PAIR_COSTS[SHIFT_JIS][pair_index(lead, trail)] = COMMON_PUNCTUATION_COST
    fill_rows(SHIFT_JIS, 0x82, 0x40, code_page_weights.KANA_ROWS)
    fill_rows(SHIFT_JIS, 0x88, 0x40, code_page_weights.KANJI_ROWS)
    fill_rows(GBK, 0xB0, 0xA1, code_page_weights.GBK_ROWS)
    fill_rows(EUC_KR, 0xB0, 0xA1, code_page_weights.HANGUL_ROWS)
    fill_rows(BIG5, 0xA4, 0x40, code_page_weights.BIG5_ROWS)
    return 0


cdef inline uint8_t value_of(char digit) noexcept nogil:
    """The value of a digit of base 36."""
    return <uint8_t>(digit - 0x30 if digit <= 0x39 else digit - 0x61 + 10)


cdef int fill_square(uint8_t *costs, int size, tuple lines) except -1:
    cdef int i, j
    cdef bytes line
    for i, text in enumerate(lines):
        line = text.encode()
        for j in range(len(line)):
            costs[i * size + j] = value_of(line[j])
    return 0


cdef int fill_single_bytes(int page, str codec) except -1:
    cdef SingleBytes *single = &SINGLE[page]
    cdef int i
    for i in range(256):
        c = bytes([i]).decode(codec, "replace")
        if c == "\N{REPLACEMENT CHARACTER}":
            c = "\x80"
        single.classes[i] = code_page_weights.LETTERS.find(c.lower()) + 1
        single.flags[i] = CAPITAL * (c != c.lower()) | OPENING * (c in _OPENING) | CLOSING * (c in _CLOSING) | APOSTROPHE * (c == "’")
        if i < 0x80 or single.classes[i]:
            single.symbols[i] = 0
        elif c < "\xa0":
            single.symbols[i] = UNDEFINED_COST
        elif c in _COMMON_SYMBOLS:
            single.symbols[i] = COMMON_SYMBOL_COST
        else:
            single.symbols[i] = RARE_COST if c.isalpha() or "\u2500" <= c < "\u2600" else SYMBOL_COST
    return 0


cdef void fill_pairs(int page) noexcept nogil:
    """The costs of a page of double bytes whose characters are all rare."""
    cdef int lead, trail
    cdef uint8_t *cost
    for lead in range(FIRST_LEAD, 0x100):
        for trail in range(FIRST_TRAIL, 0x100):
            cost = &PAIR_COSTS[page][pair_index(lead, trail)]
            if not is_in_range(page, lead, trail):
                cost[0] = NO_PAIR
            elif not is_pair(page, lead, trail) or (page == SHIFT_JIS and lead >= 0xF0):
                cost[0] = UNDEFINED_COST
            elif page == SHIFT_JIS and (lead == 0x81 or (lead == 0x82 and trail < 0x9F)):
                cost[0] = PUNCTUATION_COST_JIS
            elif page != SHIFT_JIS and 0xA1 <= lead <= 0xA3:
                cost[0] = PUNCTUATION_COST
            else:
                cost[0] = RARE_COST


cdef bint is_in_range(int page, int lead, int trail) noexcept nogil:
    """Whether two bytes are lead and trail of a code page, be their character defined or not."""
    if page == SHIFT_JIS:
        return (0x81 <= lead <= 0x9F or 0xE0 <= lead <= 0xFC) and 0x40 <= trail <= 0xFC and trail != 0x7F
    if not 0x81 <= lead <= 0xFE or trail == 0xFF:
        return False
    if page == GBK:
        return 0x40 <= trail and trail != 0x7F
    if page == BIG5:
        return 0x40 <= trail <= 0x7E or 0xA1 <= trail
    return 0x41 <= trail <= 0x5A or 0x61 <= trail <= 0x7A or 0x81 <= trail


cdef int fill_rows(int page, int first_lead, int first_trail, tuple rows) except -1:
    """The costs of the characters that the weights name, where PAIR_COSTS has RARE_COST."""
    cdef int i, j
    cdef uint8_t *cost
    cdef bytes row
    for i, text in enumerate(rows):
        row = text.encode()
        for j in range(len(row)):
            cost = &PAIR_COSTS[page][pair_index(first_lead + i, first_trail + j)]
            if cost[0] == RARE_COST:
                cost[0] = value_of(row[j])
    return 0
