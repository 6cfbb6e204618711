"""Decoding of names: UTF-8, UTF-16 with a mark, otherwise the charset in which the file's names are least surprising.

Each character costs bits, by how rare its class is in text of that charset; core/text/charset.pyx has the same costs.
Here the characters are found by regular expressions. Bytes below 0x80 cost nothing.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass

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
MAX_CHARACTERS = 1000
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


BEST: tuple[tuple[str, Callable[[bytes], int]], ...] = (("cp932", shift_jis_cost), ("cp1252", cp1252_cost), ("gbk", gbk_cost))


def costs_of(text: bytes) -> dict[str, int]:
    """The cost of a text in each charset, in the order in which they are chosen on a tie."""
    return {charset: cost(text) for charset, cost in BEST}


def best_charset(texts: list[bytes]) -> str:
    """The charset with the lowest cost for the texts; on a tie the first of BEST."""
    total = {charset: sum(costs_of(text)[charset] for text in texts) for charset, _ in BEST}
    return min(total, key=total.__getitem__)


def decode_code_page(text: bytes, charset: str) -> str:
    """Decode with a charset; what is no character of it becomes U+FFFD, and in a code page of Windows a control character."""
    if charset.startswith("cp125"):
        return "".join(chr(c) if not (t := bytes([c]).decode(charset, "ignore")) else t for c in text)
    return text.decode(charset, "replace")


# How the bytes of one text are encoded

MAX_BYTES = 4096  # of a text that are read
BLANK = b" \t\n\v\f\r\0"
BLANK_CHARACTERS = " \t\n\v\f\r\xa0\u3000"  # at the end of a decoded name
TAG = re.compile(r"\{[@#](?s:.*?)\}")
LANGUAGE_TAG = re.compile(rb"\{@([^}]*)\}")
LANGUAGES = {b"latin": "cp1252", b"jp": "cp932", b"utf-8": "utf-8", b"utf8": "utf-8", b"utf-16le": "utf-16-le", b"utf-16be": "utf-16-be"}
CUT_COST, UTF8_COSTS = 6, {2: 8, 3: 12}  # bits


@dataclass
class RawText:
    """A text without mark and trailing blanks. No charset: that of the file. `maybe_cut`: UTF-8 cut in a character, or a charset."""

    data: bytes
    charset: str | None
    maybe_cut: bool = False

    @property
    def is_open(self) -> bool:
        """Whether all texts of the file decide how this one is read."""
        return bool(self.data) and (self.charset is None or self.maybe_cut)


def utf8_state(data: bytes) -> str:
    """ "utf-8" if valid, "cut" if only its last character is incomplete and another has several bytes, otherwise "no"."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        is_cut = error.reason == "unexpected end of data" and not data[: error.start].isascii()
        return "cut" if is_cut else "no"
    return "utf-8"


def read_text(data: bytes) -> RawText:
    """The text of an event: a byte-order mark or language tag decides; otherwise it is ASCII, UTF-8 or in the charset of the file."""
    data = data[:MAX_BYTES]
    for mark, charset in ((codecs.BOM_UTF16_BE, "utf-16-be"), (codecs.BOM_UTF16_LE, "utf-16-le")):
        if data.startswith(mark):
            return RawText(data[2:], charset)
    marked = data.startswith(codecs.BOM_UTF8)
    while data.startswith(codecs.BOM_UTF8):
        data = data.removeprefix(codecs.BOM_UTF8)
    data = data.rstrip(BLANK)
    tag = LANGUAGE_TAG.search(data)
    language = LANGUAGES.get(tag[1].lower()) if tag else None
    if tag and language in ("utf-16-le", "utf-16-be"):
        return RawText(data[tag.end() :], language)
    state = utf8_state((codecs.BOM_UTF8 if marked or language == "utf-8" else b"") + data)
    if language in ("cp1252", "cp932"):
        return RawText(data, language)
    if state == "cut" and (marked or language == "utf-8"):
        return RawText(data, "utf-8")
    return RawText(data, None if state == "no" else "utf-8", state == "cut")


def decode_utf16(data: bytes, charset: str) -> str:
    """UTF-16; half of a surrogate pair becomes U+FFFD, and an odd byte after little-endian Latin-1 is a character."""
    units = [int.from_bytes(data[i : i + 2], "little" if charset == "utf-16-le" else "big") for i in range(0, len(data) - 1, 2)]
    if len(data) % 2 and charset == "utf-16-le" and all(unit < 0x100 for unit in units):
        units.append(data[-1])
    text = "".join(map(chr, units)).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return "".join("\N{REPLACEMENT CHARACTER}" if 0xD800 <= ord(c) < 0xE000 else c for c in text)


def utf8_cost(data: bytes) -> int:
    """The cost of a text that is cut within a character, as UTF-8."""
    bits = CUT_COST
    for c in data:
        if 0xC0 <= c < 0xE0:
            bits += UTF8_COSTS[2] if c <= 0xC5 or 0xCE <= c <= 0xD1 else RARE
        elif c >= 0xE0:
            bits += UTF8_COSTS[3] if 0xE2 <= c <= 0xED else RARE
    return bits


def decode(raw: RawText, charset: str) -> str | None:
    """A text without tags, NUL characters and trailing blanks, at most 1,000 characters; None if nothing is left."""
    if not raw.data:
        return None
    charset = raw.charset or charset
    is_cut = False
    if charset.startswith("utf-16"):
        text = decode_utf16(raw.data, charset)
    elif charset == "utf-8":
        text = raw.data.decode("utf-8", "ignore")  # all but the end is valid
        is_cut = utf8_state(codecs.BOM_UTF8 + raw.data) == "cut"
    else:
        text = decode_code_page(raw.data, charset)
    text = TAG.sub("", text).replace("\0", "")[:MAX_CHARACTERS]
    return (text if is_cut else text.rstrip(BLANK_CHARACTERS)) or None
