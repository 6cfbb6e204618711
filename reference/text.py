"""Decoding of track names: UTF-8, otherwise the charset in which the file's names are least surprising.

Each character costs bits, by how rare its class is in text of that charset; core/text/charset.pyx has the same costs.
Here the characters are found by regular expressions. Bytes below 0x80 cost nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable

Costs = tuple[tuple[bytes, int], ...]  # (pattern of two bytes, bits)

UNDEFINED, RARE = 40, 22  # bits
BESIDE_LATIN = 3  # bits for each Latin letter next to a double-byte character
LATIN_LETTER = re.compile(rb"[A-Za-z]")
SHIFT_JIS_PAIR = re.compile(rb"[\x81-\x9f\xe0-\xfc][\x40-\x7e\x80-\xfc]")
GBK_PAIR = re.compile(rb"[\x81-\xfe][\x40-\x7e\x80-\xfe]")
SHIFT_JIS_COSTS: Costs = (  # the first that matches
    (rb"\x82[\x9f-\xf1]|\x83[\x40-\x96]", 6),  # hiragana and katakana
    (rb"\x81.|\x82[\x40-\x9a]", 8),  # punctuation, full-width letters and digits
    (rb"\x88[\x9f-\xff]|[\x89-\x97].|\x98[\x00-\x72]", 11),  # level 1 kanji
    (rb"\x98[\x9f-\xff]|[\x99-\x9f\xe0-\xe9].|\xea[\x00-\xa4]", 16),  # level 2 kanji
    (rb"..", RARE),
)
GBK_COSTS: Costs = (
    (rb"[\xb0-\xd7][\xa1-\xfe]", 11),  # level 1 hanzi
    (rb"[\xd8-\xf7][\xa1-\xfe]", 16),  # level 2 hanzi
    (rb"[\xa1-\xa3][\xa1-\xfe]", 9),  # punctuation, full-width letters and digits
    (rb"[\xa4-\xa9][\xa1-\xfe]", 14),  # kana, Greek, Cyrillic, pinyin, box drawing
    (rb"..", RARE),
)
CP1252_LETTERS = {0x8A, 0x8C, 0x8E, 0x9A, 0x9C, 0x9E, 0x9F, *range(0xC0, 0x100)}
CP1252_UNDEFINED = {0x81, 0x8D, 0x8F, 0x90, 0x9D}


def double_byte_cost(text: bytes, pair: re.Pattern[bytes], costs: Costs, single: Callable[[int], int]) -> int:
    """The cost of a text in a double-byte charset; `single(i)` is that of a byte i that begins no pair."""
    bits = i = 0
    while i < len(text):
        if text[i] < 0x80:
            i += 1
        elif pair.match(text, i):
            bits += next(cost for pattern, cost in costs if re.fullmatch(pattern, text[i : i + 2], re.S))
            beside = LATIN_LETTER.findall(text[max(i - 1, 0) : i]) + LATIN_LETTER.findall(text[i + 2 : i + 3])
            bits += BESIDE_LATIN * len(beside)
            i += 2
        else:
            bits += single(i)
            i += 1
    return bits


def shift_jis_cost(text: bytes) -> int:
    """Shift-JIS (CP932); its single bytes are half-width katakana."""

    def half_width_kana(i: int) -> int:
        before, after = text[i - 1 : i] if i else b"", text[i + 1 : i + 2]
        if not 0xA1 <= text[i] <= 0xDF:
            return UNDEFINED
        if text[i] >= 0xDE:  # a voicing mark belongs to the kana before it
            voiced = rb"[\xca-\xce]" if text[i] == 0xDF else rb"[\xb3\xb6-\xc4\xca-\xce]"
            return 2 if re.fullmatch(voiced, before) else 14
        if not re.search(rb"[\xa1-\xdf]", before + after):
            return 14
        return 4 if text[i] == 0xB0 else 6  # 0xB0 prolongs a vowel

    return double_byte_cost(text, SHIFT_JIS_PAIR, SHIFT_JIS_COSTS, half_width_kana)


def cp1252_cost(text: bytes) -> int:
    """CP1252: accented letters are likely beside Latin letters, capitals unlikely after small letters."""

    def cost(i: int) -> int:
        c, before, after = text[i], text[i - 1 : i] if i else b"", text[i + 1 : i + 2]
        bits = 6 if LATIN_LETTER.search(before + after) else 12
        if c in CP1252_UNDEFINED:
            return UNDEFINED
        if c in CP1252_LETTERS:
            capital = c < 0xE0 and c != 0xDF
            return bits + (2 if before >= b"\x80" else 0) + (6 if capital and before >= b"a" else 0)
        return 8 if chr(c) in "\x91\x92\x93\x94\x96\x97©®°´" else 13

    return sum(cost(i) for i, c in enumerate(text) if c >= 0x80)


def gbk_cost(text: bytes) -> int:
    """GBK, which has no single bytes above ASCII."""
    return double_byte_cost(text, GBK_PAIR, GBK_COSTS, lambda i: UNDEFINED)


def is_utf8(text: bytes) -> bool:
    """Whether all bytes are valid UTF-8."""
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def best_charset(texts: list[bytes]) -> str:
    """The charset with the lowest cost for the texts that are not UTF-8; on a tie cp932, then cp1252, then gbk."""
    others = [t for t in texts if not is_utf8(t)]
    costs = {"cp932": sum(map(shift_jis_cost, others)), "cp1252": sum(map(cp1252_cost, others)), "gbk": sum(map(gbk_cost, others))}
    return min(costs, key=costs.__getitem__)


def decode(text: bytes, charset: str) -> str:
    """Decode as UTF-8 if valid, otherwise with the charset; invalid bytes become U+FFFD."""
    if is_utf8(text):
        return text.decode()
    if charset == "cp1252":  # its five undefined bytes become control characters
        return "".join(chr(c) if c in CP1252_UNDEFINED else bytes([c]).decode("cp1252") for c in text)
    return text.decode(charset, "replace")
