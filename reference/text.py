"""The twin of text decoding: UTF-8, else the encoding in which the file's other texts surprise least.

Prices in bits, as core/text/charset.pyx states them, here over characters found by regular expressions.
"""

from __future__ import annotations

import re

IMPOSSIBLE, RARE = 40, 22
LATIN = re.compile(rb"[A-Za-z]")
SHIFT_JIS_PAIR = re.compile(rb"[\x81-\x9f\xe0-\xfc][\x40-\x7e\x80-\xfc]")
GBK_PAIR = re.compile(rb"[\x81-\xfe][\x40-\x7e\x80-\xfe]")
SHIFT_JIS = (  # the first that fits
    (rb"\x82[\x9f-\xf1]|\x83[\x40-\x96]", 6),
    (rb"\x81.|\x82[\x40-\x9a]", 8),
    (rb"\x88[\x9f-\xff]|[\x89-\x97].|\x98[\x00-\x72]", 11),
    (rb"\x98[\x9f-\xff]|[\x99-\x9f\xe0-\xe9].|\xea[\x00-\xa4]", 16),
    (rb"..", RARE),
)
GB = (
    (rb"[\xb0-\xd7][\xa1-\xfe]", 11),
    (rb"[\xd8-\xf7][\xa1-\xfe]", 16),
    (rb"[\xa1-\xa3][\xa1-\xfe]", 9),
    (rb"[\xa4-\xa9][\xa1-\xfe]", 14),
    (rb"..", RARE),
)
LETTERS = {0x8A, 0x8C, 0x8E, 0x9A, 0x9C, 0x9E, 0x9F, *range(0xC0, 0x100)}
OPEN = {0x81, 0x8D, 0x8F, 0x90, 0x9D}


def pairs(text: bytes, pair: re.Pattern, prices, single) -> int:
    """The price of all characters above ASCII; `single(i)` is that of a byte that begins no pair."""
    bits = i = 0
    while i < len(text):
        if text[i] < 0x80:
            i += 1
        elif pair.match(text, i):
            bits += next(price for pattern, price in prices if re.fullmatch(pattern, text[i : i + 2], re.S))
            bits += 3 * (len(LATIN.findall(text[max(i - 1, 0) : i])) + len(LATIN.findall(text[i + 2 : i + 3])))
            i += 2
        else:
            bits += single(i)
            i += 1
    return bits


def shift_jis(text: bytes) -> int:
    def kana(i: int) -> int:
        """Half-width."""
        before, after = text[i - 1 : i] if i else b"", text[i + 1 : i + 2]
        if not 0xA1 <= text[i] <= 0xDF:
            return IMPOSSIBLE
        if text[i] >= 0xDE:
            voiced = rb"[\xca-\xce]" if text[i] == 0xDF else rb"[\xb3\xb6-\xc4\xca-\xce]"
            return 2 if re.fullmatch(voiced, before) else 14
        if not re.search(rb"[\xa1-\xdf]", before + after):
            return 14
        return 4 if text[i] == 0xB0 else 6

    return pairs(text, SHIFT_JIS_PAIR, SHIFT_JIS, kana)


def cp1252(text: bytes) -> int:
    def price(i: int) -> int:
        c, before, after = text[i], text[i - 1 : i] if i else b"", text[i + 1 : i + 2]
        bits = 6 if LATIN.search(before + after) else 12
        if c in OPEN:
            return IMPOSSIBLE
        if c in LETTERS:
            capital = c < 0xE0 and c != 0xDF
            return bits + (2 if before >= b"\x80" else 0) + (6 if capital and before >= b"a" else 0)
        return 8 if chr(c) in "\x91\x92\x93\x94\x96\x97©®°´" else 13

    return sum(price(i) for i, c in enumerate(text) if c >= 0x80)


def gbk(text: bytes) -> int:
    return pairs(text, GBK_PAIR, GB, lambda i: IMPOSSIBLE)


def is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def encoding_of(texts: list[bytes]) -> str:
    """Of the texts of a file; the first on a tie."""
    others = [t for t in texts if not is_utf8(t)]
    prices = {"cp932": sum(map(shift_jis, others)), "cp1252": sum(map(cp1252, others)), "gbk": sum(map(gbk, others))}
    return min(prices, key=prices.__getitem__)


def decoded(text: bytes, otherwise: str) -> str:
    if is_utf8(text):
        return text.decode()
    if otherwise == "cp1252":  # the five bytes it leaves open are control characters
        return "".join(chr(c) if c in OPEN else bytes([c]).decode("cp1252") for c in text)
    return text.decode(otherwise, "replace")
