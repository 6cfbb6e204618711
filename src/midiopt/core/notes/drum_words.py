"""What drums, and instruments with drums in their names that play melodies, are called in scripts other than Latin.

In Latin script drum_names.pyx has them. A word is searched as the bytes that it has in each of its code pages, since the code page
of a file is chosen only when all its texts are known.
"""

from __future__ import annotations

from typing import NamedTuple

JAPANESE = ("cp932", "utf-8")
CHINESE = ("gbk", "big5", "utf-8")
KOREAN = ("euc-kr", "utf-8")
CYRILLIC = ("cp1251", "koi8-r", "utf-8")

DRUMS = {
    JAPANESE: ("ドラム", "ﾄﾞﾗﾑ", "パーカッション", "ﾊﾟｰｶｯｼｮﾝ", "打楽器", "スネア", "ハイハット"),
    CHINESE: ("鼓", "打击乐", "打擊樂"),
    KOREAN: ("드럼", "타악기", "퍼커션"),
    CYRILLIC: ("ударн", "барабан", "перкус"),
}
MELODIC = {
    JAPANESE: ("スチール", "スティール", "シンセ", "太鼓", "オルガン"),
    CHINESE: ("钢鼓", "鋼鼓", "合成鼓", "太鼓"),
    KOREAN: ("스틸", "신스", "오르간"),
    CYRILLIC: ("стальн", "стил", "синт", "тайко", "орган"),
}


class Pattern(NamedTuple):
    """A word in a code page."""

    data: bytes
    is_melodic: bool
    has_pairs: bool
    """The code page has characters of two bytes, so that an even number of bytes above 127 must stand before the word."""


def patterns() -> list[Pattern]:
    """Every word in each of its code pages that has it, also in capitals, in ascending order and each once."""
    found = set()
    for words, is_melodic in ((DRUMS, False), (MELODIC, True)):
        for pages, names in words.items():
            for page in pages:
                for word in names:
                    for text in (word, word.capitalize(), word.upper()):
                        data = text.encode(page, "ignore")
                        if data.decode(page) == text:
                            found.add(Pattern(data, is_melodic, pages is not CYRILLIC and page != "utf-8"))
    return sorted(found)
