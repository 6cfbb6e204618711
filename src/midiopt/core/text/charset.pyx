"""The code page of a file's texts that are not Unicode.

Each code page decodes the bytes in its own way, and what it gives has a cost in half bits: how surprising it is in a name. A
letter costs what it costs after the letter before it, a character of two bytes what it costs alone. The code page with the lowest
cost of all texts of the file is chosen, since one program wrote them. This is the "most likely decoding" of S. Li and K. Momoi,
"A Composite Approach to Language/Encoding Detection", 2001, with one table for all languages of an alphabet.

python -m accuracy.names says how many names are read right: of 200 names that stand alone in their files, all in CP1252, GBK,
CP1251, KOI8-R and EUC-KR, 98 to 99 % in Shift-JIS and Big5, 96 % in CP1250 and Mac Roman, 85 % in CP437; with four others, all.
"""

from libc.string cimport memset

from midiopt.core.text.charset_costs cimport (
    APOSTROPHE, CAPITAL, CLOSING, COMMON_PUNCTUATION_COST, KANA_COSTS, LETTER_COSTS, NO_PAIR, OPENING, PAIR_COSTS, RARE_COST, SINGLE,
    UNDEFINED_COST, SingleBytes,
)
from midiopt.core.text.code_pages cimport (
    BIG5, CODE_PAGE_COUNT, CP1250, CP1251, CP1252, CP437, EUC_KR, FIRST_TRAIL, GBK, KOI8_R, MAC_ROMAN, SHIFT_JIS, has_double_bytes,
    pair_index,
)

cdef enum:  # half bits
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
    UTF8_LETTER_COST = 16  # of UTF-8: Latin, Greek, Cyrillic, Hebrew and Arabic letters
    UTF8_WIDE_COST = 24  # of UTF-8: the three bytes of punctuation, kana, hanzi and hangul
    UTF8_CUT_COST = 12  # that a text in UTF-8 is cut within a character

# Half bits that a code page costs before the first text: how rare it is in collections. CP1250 differs from CP1252 in few letters.
cdef uint8_t[CODE_PAGE_COUNT] PRIORS
PRIORS[SHIFT_JIS], PRIORS[CP1252], PRIORS[GBK], PRIORS[CP1251], PRIORS[EUC_KR] = 0, 0, 4, 4, 6
PRIORS[BIG5], PRIORS[KOI8_R], PRIORS[CP1250], PRIORS[CP437], PRIORS[MAC_ROMAN] = 6, 8, 7, 9, 10


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
