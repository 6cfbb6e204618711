"""Words that names are searched for, as the bytes that they have in each of their code pages.

The code page of a file is chosen only when all its texts are known.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

JAPANESE = ("cp932", "utf-8")
CHINESE = ("gbk", "big5", "utf-8")
KOREAN = ("euc-kr", "utf-8")
CYRILLIC = ("cp1251", "koi8-r", "utf-8")
CENTRAL_EUROPEAN = ("cp1250", "utf-8")
WESTERN = ("cp1252", "utf-8")

Words = dict[tuple[str, ...], tuple[str, ...]]
"""Words by their code pages."""


class Word(NamedTuple):
    """A word in a code page."""

    data: bytes
    kind: int
    """A bit: what the word says."""
    has_pairs: bool
    """The code page has characters of two bytes, so that an even number of bytes above 127 must stand before the word."""
    is_whole: bool
    """Nothing else may be in the name."""


def in_code_pages(words: Words, kind: int, is_whole: bool = False) -> Iterable[Word]:
    """Every word in each of its code pages that has it, also in capitals."""
    for pages, names in words.items():
        for page in pages:
            for word in names:
                for text in (word, word.capitalize(), word.upper()):
                    data = text.encode(page, "ignore")
                    if data.decode(page) == text:
                        yield Word(data, kind, pages in (JAPANESE, CHINESE, KOREAN) and page != "utf-8", is_whole)
