"""Decoding of names: UTF-8, UTF-16 with a mark, otherwise the code page of the file (code_pages.py)."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from dataclasses import dataclass

from midiopt.core.text.code_page_words import Word
from reference.code_pages import DOUBLE_BYTE

MAX_CHARACTERS = 1000
RARE = 36  # half bits


def decode_code_page(text: bytes, charset: str) -> str:
    """Decode with a charset; what is no character of it becomes U+FFFD, and in a code page of single bytes a control character."""
    if charset in DOUBLE_BYTE:
        return text.decode(charset, "replace")
    return "".join(bytes([c]).decode(charset, "ignore") or chr(c) for c in text)


# How the bytes of one text are encoded

MAX_BYTES = 4096  # of a text that are read
BLANK = b" \t\n\v\f\r\0"
BLANK_CHARACTERS = " \t\n\v\f\r\xa0\u3000"  # at the end of a decoded name
TAG = re.compile(r"\{[@#](?s:.*?)\}")
LANGUAGE_TAG = re.compile(rb"\{@([^}]*)\}")
LANGUAGES = {b"latin": "cp1252", b"jp": "cp932", b"utf-8": "utf-8", b"utf8": "utf-8", b"utf-16le": "utf-16-le", b"utf-16be": "utf-16-be"}
MAX_UTF16_BYTES = 512  # of a name that is searched for words
PAIRS = {True: rb"(?<![\x80-\xff])(?:[\x80-\xff]{2})*", False: b""}  # before a word, where characters may have two bytes
CUT_COST, UTF8_COSTS = 12, {2: 16, 3: 24}  # half bits


@dataclass
class RawText:
    """A text without mark and trailing blanks. No charset: that of the file. `maybe_cut`: UTF-8 cut in a character, or a charset."""

    data: bytes
    charset: str | None
    maybe_cut: bool = False


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
    """UTF-16; half of a surrogate pair becomes U+FFFD, and an odd byte after little-endian Latin-1 is a character, if it is no control."""
    units = [int.from_bytes(data[i : i + 2], "little" if charset == "utf-16-le" else "big") for i in range(0, len(data) - 1, 2)]
    if len(data) % 2 and charset == "utf-16-le" and all(unit < 0x100 for unit in units) and data[-1] >= 0x20:
        units.append(data[-1])
    text = "".join(map(chr, units)).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return "".join("\N{REPLACEMENT CHARACTER}" if 0xD800 <= ord(c) < 0xE000 else c for c in text)


def name_bytes(name: bytes) -> bytes:
    """A name as it is searched for words: its own bytes without a mark, or those of its UTF-16 in UTF-8."""
    text = read_text(name)
    if name[:1] in (b"\xfe", b"\xff", b"{") and text.charset in ("utf-16-le", "utf-16-be"):
        return decode_utf16(text.data[:MAX_UTF16_BYTES], text.charset).replace("\0", "").encode()
    return name[:MAX_BYTES].removeprefix(codecs.BOM_UTF8)


def words_in(name: bytes, words: Iterable[Word]) -> set[int]:
    """The kinds of the words that are in a name."""
    return {
        word.kind
        for word in words
        if (name == word.data if word.is_whole else re.search(PAIRS[word.has_pairs] + re.escape(word.data), name))
    }


def utf8_cost(data: bytes) -> int:
    """The cost of a text that is cut within a character, as UTF-8."""
    bits = CUT_COST
    for c in data:
        if 0xC0 <= c < 0xE0:
            bits += UTF8_COSTS[2] if c <= 0xC5 or 0xCE <= c <= 0xD1 or 0xD6 <= c <= 0xDB else RARE
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
