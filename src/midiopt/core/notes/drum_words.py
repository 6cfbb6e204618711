"""What drums, and instruments with drums in their names that play melodies, are called in scripts other than Latin.

In Latin script drum_names.pyx has them.
"""

from __future__ import annotations

from midiopt.core.text.code_page_words import CHINESE, CYRILLIC, JAPANESE, KOREAN, in_code_pages

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
SAYS_DRUMS, SAYS_MELODIC = 1, 2

WORDS = [*in_code_pages(DRUMS, SAYS_DRUMS), *in_code_pages(MELODIC, SAYS_MELODIC)]
