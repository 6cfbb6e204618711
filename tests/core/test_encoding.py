"""Texts from real files and words in each charset: they are decoded as what they are."""

from __future__ import annotations

import pytest

import midiopt
from reference.code_pages import best_code_page
from sample.smf import TRACK_NAME, meta, smf, track

# Names from real files, by their charset.
FOUND = {
    "cp932": [
        "FINAL FANTASY VII  -旅の途中で-  for [XG]  By N.Tsukui",
        "カントリー・ロード  劇中版   『耳をすませば』より", "月島  雫 （ボーカル）",
        "天沢聖司 （ヴァイオリン）", "西  司朗 （ﾊﾞｽ･ｳﾞｨｵｰﾙ）", "南  さん （コルネット）", "北  さん （リュート）", "西･北･南 （はもり）",
        "天沢航司 （ｳﾞｧｲｵﾘﾝ･ｻﾌﾞ）", "雫の足音、南のﾀﾝﾊﾞﾘﾝ など",
        "打込み:いろは坂(BXN05635)", "京王８０００系 特急新宿行", "ひだまりの詩",
        "Heroes Of The Lost Valley～Eternal Glory/Rhapsody", "RPG2000 BGM J戦闘終了4",
    ],
    "cp1252": [
        "Copyright © 2001 by Dario Galimberti", "Spår 1", "Pédalier", "Copyright © 2004 by Bernd Krüger", "Ténor", "1 main droite mélodie",
        "Kleine Flöte", "2 große Flöten", "Violão", "Introdução", "Estampes: 2. La soirée dans Granade", "Percussão", "lót", "hoa âm",
        "Prélude VI - I Livre - (... Des pas sur la neige)", "Suite Bergamasque: 1.Prélude", "CHO TÔI CHUìT NÃìNG",
    ],
    "gbk": [
        "102 亲亲我的宝贝 - 周华健 fix3", "108 人生若只如初见 - 望海高歌 fix2",
        "106 亲爱的路人 - 刘若英 fix4", "091 为你我受冷风吹 - 林忆莲fix 5",
    ],
}  # fmt: skip
WORDS = {
    "cp932": "ピアノ ギター ベース ドラム ストリングス メロディ コーラス オルガン フルート パーカッション ブラス "
    "主旋律 伴奏 和音 荒城の月 さくらさくら "
    "ﾋﾟｱﾉ ｷﾞﾀｰ ﾍﾞｰｽ ﾄﾞﾗﾑ ｽﾄﾘﾝｸﾞｽ ﾒﾛﾃﾞｨ ｺｰﾗｽ ｵﾙｶﾞﾝ ﾌﾙｰﾄ ﾊﾟｰｶｯｼｮﾝ ﾌﾞﾗｽ",
    "cp1252": "Flöte Für Elise Guitarra Eléctrica Piano à queue Noël naïve Señorita Mañana Götterdämmerung Trompète Façade coração Ståle "
    "Björk Garçon El cóndor pasa Dvořák’s Größe Ångström Élégie ÉTUDE “Air” Mädchen Straße où Ça",
    "gbk": "钢琴 吉他 贝司 弦乐 主旋律 合唱 小提琴 长笛 二胡 古筝 月亮代表我的心 茉莉花 伴奏 甜蜜蜜 上海滩 朋友 东方红",
}


def named(*names: bytes) -> midiopt.Analysis:
    return midiopt.analyze(smf([track([(0, meta(TRACK_NAME, name))]) for name in names]))


@pytest.mark.parametrize(("encoding", "text"), [(encoding, text) for encoding, texts in FOUND.items() for text in texts])
def test_names_found_in_files(encoding, text):
    assert named(text.encode(encoding)).title == text


@pytest.mark.parametrize(("encoding", "word"), [(e, w) for e, words in WORDS.items() for w in words.split() if not w.isascii()])
def test_words(encoding, word):
    raw = word.encode(encoding, "ignore")
    facts = named(raw)
    assert facts.title == raw.decode(encoding)
    assert best_code_page([raw]) == encoding or raw.isascii()


def test_names_of_a_file_share_a_charset():
    """Two hanzi alone could be four half-width katakana, but not in a file with a longer name."""
    names = ["ソロ", "ｱﾙﾄ", "ピアノ（右手）"]
    facts = named(*(name.encode("cp932") for name in names))
    assert facts.track_names == names


def test_utf8_and_another_charset_in_one_file():
    assert named("Прелюдия".encode(), "Flöte".encode("cp1252")).track_names == ["Прелюдия", "Flöte"]


def test_every_byte_is_decoded():
    for first in range(0x80, 0x100):
        title = named(bytes([first])).title
        assert title is None or len(title) == 1
    assert named(b"\x81\x8d\x8f\x90\x9d \x80").title is not None
    assert named("あ".encode("cp932") * 2000).title == "あ" * 1000
    assert named("é".encode("cp1252") + b"x" * 2000).title == "é" + "x" * 999
