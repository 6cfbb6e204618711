"""The code page of a file's texts that are not Unicode.

Each code page decodes the bytes in its own way, and what it gives has a cost in half bits: how surprising it is in a name. A
letter costs what it costs after the letter before it, a character of two bytes what it costs alone. The code page with the lowest
cost of all texts of the file is chosen, since one program wrote them. This is the "most likely decoding" of S. Li and K. Momoi,
"A Composite Approach to Language/Encoding Detection", 2001, with one table for all languages of an alphabet.

python -m accuracy.names says how many names are read right: of 200 names that stand alone in their files, all in CP1252, GBK,
CP1251, KOI8-R and EUC-KR, 98 to 99 % in Shift-JIS and Big5, 96 % in CP1250 and Mac Roman, 85 % in CP437; with four others, all.
"""

from libc.string cimport memset

from midiopt.core.text import code_page_weights
from midiopt.core.text.code_pages import FILLING

from midiopt.core.smf.midi cimport NO_MEMORY, USABLE
from midiopt.core.text.code_pages cimport (
    BIG5, CODE_PAGE_COUNT, CP1250, CP1251, CP1252, CP437, EUC_KR, FIRST_LEAD, FIRST_TRAIL, GBK, KOI8_R, MAC_ROMAN, SHIFT_JIS, TRAILS,
    has_double_bytes, is_pair, load_code_page, pair_index,
)
from midiopt.core.text.once cimport is_done, set_done

cdef enum:  # half bits
    UNDEFINED_COST = 80  # no character of the code page
    RARE_COST = 36
    SYMBOL_COST = 28
    COMMON_SYMBOL_COST = 14
    BETWEEN_LETTERS_COST = 16  # of a symbol
    SYMBOL_AFTER_SYMBOL_COST = 8
    LONE_LETTER_COST = 18  # above ASCII, without another letter beside it
    WRONG_SIDE_COST = 14  # of an opening quotation mark after a letter, or a closing one before one
    CAPITAL_AFTER_SMALL_COST = 14
    SECOND_CAPITAL_COST = 6  # of a word: all others are capitals then
    BESIDE_LATIN_COST = 6  # for each Latin letter beside a double-byte character
    BETWEEN_LATIN_COST = 14  # besides, if both are
    LONE_BESIDE_LATIN_COST = 10  # beside one Latin letter, and beside no other double-byte character
    KANA_AFTER_OTHER_COST = 8  # of half-width katakana
    KANA_BESIDE_LATIN_COST = 10
    KANA_ALONE_COST = 14
    PUNCTUATION_COST = 18  # of double bytes: punctuation, full-width letters and digits
    PUNCTUATION_COST_JIS = 20
    COMMON_PUNCTUATION_COST = 14  # in Shift-JIS; Latin letters may stand beside it
    UTF8_LETTER_COST = 16  # of UTF-8: Latin, Greek, Cyrillic, Hebrew and Arabic letters
    UTF8_WIDE_COST = 24  # of UTF-8: the three bytes of punctuation, kana, hanzi and hangul
    UTF8_CUT_COST = 12  # that a text in UTF-8 is cut within a character
    NO_PAIR = 255
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

cdef uint8_t[MAX_CLASSES][MAX_CLASSES] LETTER_COSTS  # of a class after a class
cdef uint8_t[KANA_CLASSES][KANA_CLASSES] KANA_COSTS
cdef SingleBytes[CODE_PAGE_COUNT] SINGLE  # of the code pages of single bytes
cdef uint8_t[CODE_PAGE_COUNT][0x80 * TRAILS] PAIR_COSTS  # of those of double bytes
cdef int IS_LOADED = False

# Half bits that a code page costs before the first text: how rare it is in collections. CP1250 differs from CP1252 in few letters.
cdef uint8_t[CODE_PAGE_COUNT] PRIORS
PRIORS[SHIFT_JIS], PRIORS[CP1252], PRIORS[GBK], PRIORS[CP1251], PRIORS[EUC_KR] = 0, 0, 4, 4, 6
PRIORS[BIG5], PRIORS[KOI8_R], PRIORS[CP1250], PRIORS[CP437], PRIORS[MAC_ROMAN] = 6, 8, 7, 9, 10

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


cdef void reset_costs(CodePageCosts *costs) noexcept nogil:
    """Start a file."""
    cdef int page
    memset(costs, 0, sizeof(CodePageCosts))
    for page in range(CODE_PAGE_COUNT):
        costs.half_bits[page] = PRIORS[page]


cdef void score_text(CodePageCosts *costs, const uint8_t *p, size_t length) noexcept nogil:
    """Add the costs of a text in each code page. The tables must be loaded."""
    cdef int page
    for page in range(CODE_PAGE_COUNT):
        costs.half_bits[page] += double_byte_cost(page, p, length) if has_double_bytes(page) else single_byte_cost(&SINGLE[page], p, length)


cdef int best_code_page(const CodePageCosts *costs) noexcept nogil:
    """The code page with the lowest cost."""
    cdef int best = 0, i
    for i in range(1, CODE_PAGE_COUNT):
        if costs.half_bits[i] < costs.half_bits[best]:
            best = i
    return best


cdef inline bint is_latin(const uint8_t *p, size_t i, size_t length) noexcept nogil:
    """Whether byte i exists (0 - 1 does not: size_t wraps) and is an ASCII letter."""
    return i < length and <uint8_t>((p[i] | 0x20) - <uint8_t>b"a") < 26


cdef uint64_t single_byte_cost(const SingleBytes *single, const uint8_t *p, size_t length) noexcept nogil:
    """The cost of the letters above ASCII, and of the ASCII letters after them."""
    cdef uint64_t cost = 0
    cdef size_t i
    cdef uint8_t c, before = 0x20, before_that = 0x20
    for i in range(length + 1):
        c = p[i] if i < length else 0x20
        if (c | before) >= 0x80:
            if c >= 0x80 and single.classes[c] and not single.classes[before] and is_lone_letter(single, p, i, length):
                cost += LONE_LETTER_COST
            elif is_behind_lone_letter(single, before_that, before, c):
                pass
            elif single.classes[before] | single.classes[c]:
                cost += LETTER_COSTS[single.classes[before]][single.classes[c]]
            if single.classes[before] and single.classes[c] and single.flags[c] & CAPITAL:
                if not single.flags[before] & CAPITAL:
                    cost += CAPITAL_AFTER_SMALL_COST
                elif not single.flags[before_that] & CAPITAL:
                    cost += SECOND_CAPITAL_COST
            if c >= 0x80 and not single.classes[c]:
                cost += symbol_cost(single, p, i, length)
        before_that = before
        before = c
    return cost


cdef inline bint is_lone_letter(const SingleBytes *single, const uint8_t *p, size_t i, size_t length) noexcept nogil:
    """Whether no letter follows byte i."""
    return i + 1 >= length or not single.classes[p[i + 1]]


cdef inline bint is_behind_lone_letter(const SingleBytes *single, uint8_t before_that, uint8_t before, uint8_t c) noexcept nogil:
    return before >= 0x80 and single.classes[before] and not single.classes[c] and not single.classes[before_that]


cdef inline uint64_t symbol_cost(const SingleBytes *single, const uint8_t *p, size_t i, size_t length) noexcept nogil:
    """The cost of a byte above ASCII that is no letter."""
    cdef bint after_latin = is_latin(p, i - 1, length), before_latin = is_latin(p, i + 1, length)
    cdef uint8_t flags = single.flags[p[i]]
    cdef uint64_t cost = single.symbols[p[i]]
    if after_latin and before_latin and not flags & APOSTROPHE:
        cost += BETWEEN_LETTERS_COST
    elif (flags & OPENING and after_latin) or (flags & CLOSING and before_latin):
        cost += WRONG_SIDE_COST
    if i and p[i - 1] >= 0x80 and not single.classes[p[i - 1]]:
        cost += SYMBOL_AFTER_SYMBOL_COST
    return cost


cdef uint64_t double_byte_cost(int page, const uint8_t *p, size_t length) noexcept nogil:
    """The cost of the characters of two bytes, and of what begins none: half-width katakana in Shift-JIS, else undefined."""
    cdef size_t i = 0
    cdef uint64_t cost = 0
    cdef uint8_t pair, kana = 0, after
    cdef bint is_after_pair = False
    cdef int beside
    while i < length:
        if p[i] < 0x80:
            kana = 0
            is_after_pair = False
            i += 1
            continue
        pair = NO_PAIR
        if i + 1 < length and p[i + 1] >= FIRST_TRAIL:
            pair = PAIR_COSTS[page][pair_index(p[i], p[i + 1])]
        if pair != NO_PAIR:
            beside = is_latin(p, i - 1, length) + is_latin(p, i + 2, length)
            cost += pair + BESIDE_LATIN_COST * beside
            if pair == COMMON_PUNCTUATION_COST and p[i] == 0x81 and page == SHIFT_JIS:
                pass
            elif beside == 2:
                cost += BETWEEN_LATIN_COST
            elif beside == 1 and not is_after_pair and (i + 2 >= length or p[i + 2] < 0x80):
                cost += LONE_BESIDE_LATIN_COST
            is_after_pair = True
            kana = 0
            i += 2
            continue
        after = p[i] - 0xA0 if page == SHIFT_JIS and 0xA1 <= p[i] <= 0xDF else 0
        cost += half_width_kana_cost(p, i, length, kana, after) if after else UNDEFINED_COST
        kana = after
        is_after_pair = False
        i += 1
    return cost


cdef inline uint64_t half_width_kana_cost(const uint8_t *p, size_t i, size_t length, uint8_t before, uint8_t kana) noexcept nogil:
    cdef uint64_t cost = KANA_COSTS[before][kana] + KANA_BESIDE_LATIN_COST * (is_latin(p, i - 1, length) + is_latin(p, i + 1, length))
    if not before:
        cost += KANA_AFTER_OTHER_COST
        if i + 1 >= length or not 0xA1 <= p[i + 1] <= 0xDF:
            cost += KANA_ALONE_COST
    return cost


cdef uint64_t utf8_cost(const uint8_t *p, size_t length) noexcept nogil:
    """The cost of a text whose last character is cut, as UTF-8: letters of the scripts that names are written in, or others."""
    cdef size_t i = 0
    cdef uint64_t cost = UTF8_CUT_COST
    while i < length:
        if p[i] < 0xC0:
            i += 1
        elif p[i] < 0xE0:
            cost += UTF8_LETTER_COST if p[i] <= 0xC5 or 0xCE <= p[i] <= 0xD1 or 0xD6 <= p[i] <= 0xDB else RARE_COST
            i += 2
        else:
            cost += UTF8_WIDE_COST if 0xE2 <= p[i] <= 0xED else RARE_COST
            i += 3 if p[i] < 0xF0 else 4
    return cost
