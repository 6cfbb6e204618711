"""The charset of a file's texts that are not UTF-8: Shift-JIS, CP1252 or GBK.

Each charset decodes the bytes in its own way, and each character has a cost in bits: how surprising it is in a title or a
track name. The charset with the lowest cost of all texts of the file is chosen, since one program wrote them. This is the
"most likely decoding" of S. Li and K. Momoi, "A Composite Approach to Language/Encoding Detection", 2001, with classes of
characters instead of their frequencies.

With these costs, the names from real files in tests/core/test_encoding.py, whose language is not in doubt, and each word of
its lists of instruments and titles get the right charset.
"""

from midiopt.core.text.code_pages cimport CP1252, GBK, SHIFT_JIS

cdef enum:
    IMPOSSIBLE_COST = 40  # bits: not a character of the charset
    RARE_COST = 22
    LATIN_NEIGHBOUR_COST = 3  # for each Latin letter beside a kanji
    LETTER_COST = 8  # of UTF-8: Latin, Greek and Cyrillic letters
    WIDE_COST = 12  # of UTF-8: the three bytes of punctuation, kana, hanzi and hangul
    CUT_COST = 6  # that a text in UTF-8 is cut within a character


cdef void score_text(CodePageCosts *costs, const uint8_t *p, size_t length) noexcept nogil:
    """Add the costs of a text in each charset."""
    costs.bits[SHIFT_JIS] += shift_jis_cost(p, length)
    costs.bits[GBK] += gbk_cost(p, length)
    costs.bits[CP1252] += cp1252_cost(p, length)


cdef int best_code_page(const CodePageCosts *costs) noexcept nogil:
    """The code page with the lowest cost."""
    cdef int best = 0, i
    for i in range(1, CODE_PAGE_COUNT):
        if costs.bits[i] < costs.bits[best]:
            best = i
    return best


cdef inline uint64_t shift_jis_cost(const uint8_t *p, size_t length) noexcept nogil:
    cdef size_t i = 0
    cdef uint64_t bits = 0
    while i < length:
        if p[i] < 0x80:
            i += 1
        elif is_double_byte(p, i, length, 0x81, 0x9F, 0xE0, 0xFC, 0xFC):
            bits += shift_jis_pair_cost(p[i], p[i + 1]) + latin_neighbour_cost(p, i, length)
            i += 2
        else:
            bits += half_width_kana_cost(p, i, length)
            i += 1
    return bits


cdef inline uint64_t gbk_cost(const uint8_t *p, size_t length) noexcept nogil:
    cdef size_t i = 0
    cdef uint64_t bits = 0
    while i < length:
        if p[i] < 0x80:
            i += 1
        elif is_double_byte(p, i, length, 0x81, 0xFE, 0x81, 0xFE, 0xFE):
            bits += gbk_pair_cost(p[i], p[i + 1]) + latin_neighbour_cost(p, i, length)
            i += 2
        else:
            bits += IMPOSSIBLE_COST
            i += 1
    return bits


cdef inline uint64_t cp1252_cost(const uint8_t *p, size_t length) noexcept nogil:
    cdef size_t i
    cdef uint64_t bits = 0
    for i in range(length):
        if p[i] >= 0x80:
            bits += cp1252_byte_cost(p, i, length)
    return bits


cdef inline bint is_letter(const uint8_t *p, size_t i, size_t length) noexcept nogil:
    """Whether byte i exists (0 - 1 does not: size_t wraps) and is an ASCII letter."""
    return i < length and <uint8_t>((p[i] | 0x20) - <uint8_t>b"a") < 26


cdef inline bint is_double_byte(
    const uint8_t *p, size_t i, size_t length, uint8_t low, uint8_t high, uint8_t low2, uint8_t high2, uint8_t last_trail
) noexcept nogil:
    """Whether byte i is a lead byte, in either range, and the next one a trail byte: 0x40 to `last_trail`, but not 0x7F."""
    if not (low <= p[i] <= high or low2 <= p[i] <= high2) or i + 1 >= length:
        return False
    return 0x40 <= p[i + 1] <= last_trail and p[i + 1] != 0x7F


cdef inline int latin_neighbour_cost(const uint8_t *p, size_t i, size_t length) noexcept nogil:
    """The cost of Latin letters beside the double byte at i."""
    return LATIN_NEIGHBOUR_COST * (is_letter(p, i - 1, length) + is_letter(p, i + 2, length))


cdef int shift_jis_pair_cost(uint8_t lead, uint8_t trail) noexcept nogil:
    """The cost of a double byte: a character of JIS X 0208."""
    if (lead == 0x82 and 0x9F <= trail <= 0xF1) or (lead == 0x83 and trail <= 0x96):
        return 6  # hiragana, katakana
    if lead == 0x81 or (lead == 0x82 and trail <= 0x9A):
        return 8  # punctuation, full-width letters and digits
    if 0x889F <= (lead << 8 | trail) <= 0x9872:
        return 11  # kanji of level 1
    if 0x989F <= (lead << 8 | trail) <= 0xEAA4:
        return 16  # kanji of level 2
    return RARE_COST


cdef inline bint is_half_width_kana(const uint8_t *p, size_t i, size_t length) noexcept nogil:
    return i < length and 0xA1 <= p[i] <= 0xDF


cdef int half_width_kana_cost(const uint8_t *p, size_t i, size_t length) noexcept nogil:
    """The cost of a single byte: half-width katakana, which is rarely alone, and voicing marks only after what can be voiced."""
    cdef uint8_t before
    if not is_half_width_kana(p, i, length):
        return IMPOSSIBLE_COST
    if p[i] >= 0xDE:
        before = p[i - 1] if i else 0
        if 0xCA <= before <= 0xCE or (p[i] == 0xDE and (0xB6 <= before <= 0xC4 or before == 0xB3)):
            return 2
        return 14
    if not is_half_width_kana(p, i - 1, length) and not is_half_width_kana(p, i + 1, length):
        return 14
    return 4 if p[i] == 0xB0 else 6  # the long vowel mark, in every other loan word


cdef int gbk_pair_cost(uint8_t lead, uint8_t trail) noexcept nogil:
    """The cost of a double byte: a character of GB 2312, or one of the extensions of GBK."""
    if trail >= 0xA1:
        if 0xB0 <= lead <= 0xD7:
            return 11  # hanzi of level 1
        if 0xD8 <= lead <= 0xF7:
            return 16  # hanzi of level 2
        if 0xA1 <= lead <= 0xA3:
            return 9  # punctuation, full-width letters and digits
        if 0xA4 <= lead <= 0xA9:
            return 14  # kana, Greek, Cyrillic, boxes
    return RARE_COST


cdef int cp1252_byte_cost(const uint8_t *p, size_t i, size_t length) noexcept nogil:
    """The cost of a byte above ASCII: accented letters are beside ASCII letters, rarely beside one another."""
    cdef uint8_t c = p[i]
    cdef int near = is_letter(p, i - 1, length) + is_letter(p, i + 1, length)
    cdef int bits = 6 if near else 12
    if c in (0x81, 0x8D, 0x8F, 0x90, 0x9D):
        return IMPOSSIBLE_COST
    if c in (0x8A, 0x8C, 0x8E, 0x9A, 0x9C, 0x9E, 0x9F) or c >= 0xC0:
        if i and p[i - 1] >= 0x80:
            bits += 2
        if c < 0xE0 and i and p[i - 1] >= <uint8_t>b"a" and c != 0xDF:
            bits += 6  # a capital after a small letter
        return bits
    if c in (0x91, 0x92, 0x93, 0x94, 0x96, 0x97, 0xA9, 0xAE, 0xB0, 0xB4):
        return 8  # quotes, dashes, copyright, number
    return 13


cdef uint64_t utf8_cost(const uint8_t *p, size_t length) noexcept nogil:
    """The cost of a text whose last character is cut, as UTF-8: letters of the scripts that names are written in, or others."""
    cdef size_t i = 0
    cdef uint64_t bits = CUT_COST
    while i < length:
        if p[i] < 0xC0:
            i += 1
        elif p[i] < 0xE0:
            bits += LETTER_COST if p[i] <= 0xC5 or 0xCE <= p[i] <= 0xD1 else RARE_COST
            i += 2
        else:
            bits += WIDE_COST if 0xE2 <= p[i] <= 0xED else RARE_COST
            i += 3 if p[i] < 0xF0 else 4
    return bits
