"""The code page of a file's names: the one in which they are least surprising, in half bits.

In a page of single bytes, a letter costs what it costs after the one before it; in a page of double bytes, each character
has a cost. The weights are those of core/text/charset_costs.pyx. Bytes below 0x80 alone cost nothing.
"""

from __future__ import annotations

import re
from functools import cache

from midiopt.core.text import code_page_weights as weights

# Half bits that a file in this page costs before its first text: how rare it is among MIDI files.
PRIORS = {
    "cp932": 0,
    "cp1252": 0,
    "gbk": 4,
    "cp1251": 4,
    "cp949": 6,
    "cp950": 6,
    "koi8-r": 8,
    "cp1250": 7,
    "cp437": 9,
    "mac-roman": 10,
}
DOUBLE_BYTE = ("cp932", "gbk", "cp949", "cp950")
UNDEFINED, RARE, COMMON_SYMBOL, SYMBOL = 80, 36, 14, 28
BESIDE_LATIN = 6  # for each Latin letter next to a double-byte character
CAPITAL_AFTER_SMALL, SECOND_CAPITAL = 14, 6
BETWEEN_LETTERS, SYMBOL_AFTER_SYMBOL = 16, 8
BETWEEN_LATIN = 14  # besides, if both neighbours are
LONE_LETTER = 18  # above ASCII, without another letter beside it
WRONG_SIDE = 14  # of an opening quotation mark after a letter, or a closing one before
LONE_BESIDE_LATIN = 10  # a double-byte character without another one beside it
KANA_BESIDE_LATIN, KANA_ALONE = 10, 14
COMMON_SYMBOLS = "‘’“”„–—…©®°´«»№º"
OPENING, CLOSING = "‘“„«¿¡", "”»°º"
LETTER_CLASSES = {letter: i + 1 for i, letter in enumerate(weights.LETTERS)}
KANA_AFTER_OTHER = 8  # half-width katakana, after none of them
COMMON_JIS = {c.encode("cp932") for c in "　、。，．・：？！々ー―／～（）「」『』＋－×＝＆★☆♪"}
COMMON_PUNCTUATION = 14
PUNCTUATION = {  # leads of punctuation, full-width letters and digits, and the cost
    "cp932": (range(0x81, 0x83), 20),
    "gbk": (range(0xA1, 0xA4), 18),
    "cp949": (range(0xA1, 0xA4), 18),
    "cp950": (range(0xA1, 0xA4), 18),
}


def cost_of_digit(digit: str) -> int:
    """The value of a digit of base 36."""
    return int(digit, 36)


def letter_cost(before: int, after: int) -> int:
    """The cost of a class of letters after another."""
    return cost_of_digit(weights.PAIRS[before][after])


def single_byte_cost(data: bytes, page: str) -> int:
    """The cost of each letter above ASCII, and of the ASCII letter after it."""
    cost, before, before_is_high, capitals = 0, " ", False, 0
    for i, byte in enumerate(data + b" "):
        try:
            c = bytes([byte]).decode(page)
        except UnicodeDecodeError:
            c = "\x80"
        is_high = byte >= 0x80
        if is_high or before_is_high:
            a, b = LETTER_CLASSES.get(before.lower(), 0), LETTER_CLASSES.get(c.lower(), 0)
            if is_high and b and not a and not LETTER_CLASSES.get(data[i + 1 : i + 2].decode(page, "replace").lower(), 0):
                cost += LONE_LETTER
            elif before_is_high and a and not b and not LETTER_CLASSES.get(data[max(i - 2, 0) : i - 1].decode(page, "replace").lower(), 0):
                pass  # behind a lone letter
            elif a or b:
                cost += letter_cost(a, b)
            if a and b and c != c.lower():
                cost += CAPITAL_AFTER_SMALL if before == before.lower() else SECOND_CAPITAL if capitals == 1 else 0
        if is_high and not LETTER_CLASSES.get(c.lower(), 0):
            if c < "\xa0":
                cost += UNDEFINED
            elif c in COMMON_SYMBOLS:
                cost += COMMON_SYMBOL
            else:
                cost += RARE if c.isalpha() or "\u2500" <= c < "\u2600" else SYMBOL
            after_latin, before_latin = LATIN.match(data[max(i - 1, 0) : i]), LATIN.match(data[i + 1 : i + 2])
            if c != "’" and after_latin and before_latin:
                cost += BETWEEN_LETTERS
            elif (c in OPENING and after_latin) or (c in CLOSING and before_latin):
                cost += WRONG_SIDE
            if before_is_high and not LETTER_CLASSES.get(before.lower(), 0):
                cost += SYMBOL_AFTER_SYMBOL
        capitals = capitals + 1 if c != c.lower() else 0
        before, before_is_high = c, is_high
    return cost


@cache
def row_costs(page: str) -> dict[bytes, int]:
    """The costs of the pairs of bytes that the weights name."""
    tables = {
        "cp932": ((0x82, 0x40, weights.KANA_ROWS), (0x88, 0x40, weights.KANJI_ROWS)),
        "gbk": ((0xB0, 0xA1, weights.GBK_ROWS),),
        "cp950": ((0xA4, 0x40, weights.BIG5_ROWS),),
        "cp949": ((0xB0, 0xA1, weights.HANGUL_ROWS),),
    }[page]
    return {
        bytes([lead + i, trail + j]): cost_of_digit(digit)
        for lead, trail, rows in tables
        for i, row in enumerate(rows)
        for j, digit in enumerate(row)
    }


def pair_cost(pair: bytes, page: str) -> int:
    """The cost of a character of two bytes."""
    try:
        if len(pair.decode(page)) != 1:
            return UNDEFINED
    except UnicodeDecodeError:
        return UNDEFINED
    if page == "cp932" and pair in COMMON_JIS:
        return COMMON_PUNCTUATION
    leads, cost = PUNCTUATION[page]
    if pair[0] in leads and not (page == "cp932" and pair >= b"\x82\x9f"):
        return cost
    if page == "cp932" and pair >= b"\xf0":
        return UNDEFINED
    return row_costs(page).get(pair, RARE)


PAIR = {
    "cp932": re.compile(rb"[\x81-\x9f\xe0-\xfc][\x40-\x7e\x80-\xfc]"),
    "gbk": re.compile(rb"[\x81-\xfe][\x40-\x7e\x80-\xfe]"),
    "cp949": re.compile(rb"[\x81-\xfe][\x41-\x5a\x61-\x7a\x81-\xfe]"),
    "cp950": re.compile(rb"[\x81-\xfe][\x40-\x7e\xa1-\xfe]"),
}
LATIN = re.compile(rb"[A-Za-z]")


def double_byte_cost(data: bytes, page: str) -> int:
    """The cost of the characters of two bytes, and of what begins none."""
    cost, i, is_after_pair = 0, 0, False
    kana = 0  # class of the half-width katakana before, 0 for none
    while i < len(data):
        if data[i] < 0x80:
            i += 1
            kana, is_after_pair = 0, False
        elif PAIR[page].match(data, i):
            is_punctuation = page == "cp932" and data[i : i + 2] in COMMON_JIS
            cost += pair_cost(data[i : i + 2], page)
            beside = len(LATIN.findall(data[max(i - 1, 0) : i]) + LATIN.findall(data[i + 2 : i + 3]))
            cost += BESIDE_LATIN * beside + (BETWEEN_LATIN if beside == 2 and not is_punctuation else 0)
            if beside == 1 and not is_punctuation and not is_after_pair and (data[i + 2 : i + 3] or b" ") < b"\x80":
                cost += LONE_BESIDE_LATIN
            is_after_pair = True
            i += 2
            kana = 0
        else:
            after = data[i] - 0xA0 if page == "cp932" and 0xA1 <= data[i] <= 0xDF else 0
            if not after:
                cost += UNDEFINED
            else:
                cost += cost_of_digit(weights.KANA_PAIRS[kana][after]) + (0 if kana else KANA_AFTER_OTHER)
                cost += KANA_BESIDE_LATIN * len(LATIN.findall(data[max(i - 1, 0) : i]) + LATIN.findall(data[i + 1 : i + 2]))
                if not kana and not 0xA1 <= (data[i + 1 : i + 2] or b" ")[0] <= 0xDF:
                    cost += KANA_ALONE
            kana, is_after_pair = after, False
            i += 1
    return cost


def costs_of(data: bytes) -> dict[str, int]:
    """The cost of a text in each code page."""
    return {page: double_byte_cost(data, page) if page in DOUBLE_BYTE else single_byte_cost(data, page) for page in PRIORS}


def total_costs(texts: list[bytes]) -> dict[str, int]:
    """The cost of all texts in each code page."""
    return {page: prior + sum(costs_of(t)[page] for t in texts) for page, prior in PRIORS.items()}


def best_code_page(texts: list[bytes]) -> str:
    """The code page with the lowest cost; on a tie the first."""
    total = total_costs(texts)
    return min(total, key=total.__getitem__)
