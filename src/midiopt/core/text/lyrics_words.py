"""What tracks with lyrics are called in letters beyond ASCII; syllables.pyx has the other names."""

from __future__ import annotations

from midiopt.core.text.code_page_words import CENTRAL_EUROPEAN, CHINESE, CYRILLIC, JAPANESE, KOREAN, WESTERN, in_code_pages

LYRICS = {
    JAPANESE: ("歌詞", "カラオケ", "ｶﾗｵｹ"),
    CHINESE: ("歌词", "歌詞", "卡拉ok"),
    KOREAN: ("가사", "노랫말", "노래방"),
    CYRILLIC: ("караоке", "слова песни", "текст песни"),
    CENTRAL_EUROPEAN: ("dalszöveg",),
    WESTERN: ("sångtext",),
}
# Titles have these, too.
WHOLE_NAMES = {
    CYRILLIC: ("слова", "текст", "лирика"),
    CENTRAL_EUROPEAN: ("słowa", "szöveg"),
    WESTERN: ("sözler",),
}

WORDS = [*in_code_pages(LYRICS, 1), *in_code_pages(WHOLE_NAMES, 1, is_whole=True)]
