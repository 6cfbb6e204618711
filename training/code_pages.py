"""Fit the weights of core/text/code_page_weights.py: python -m training.code_pages > src/midiopt/core/text/code_page_weights.py

From the word frequencies of the package wordfreq, and OpenCC for traditional characters (pip install wordfreq
opencc-python-reimplemented; neither is needed otherwise). accuracy/names.py, whose words are others, says how good they are.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise

from accuracy.name_words import WORDS

MOST_FREQUENT = 20_000  # words per language
MUSICAL = 0.05  # weight of the instruments and parts of name_words.py, which texts rarely mention
POWER = 0.6  # of a frequency: names have fewer function words than texts
# Of alphabetic scripts, with their shares in collections of MIDI files.
LANGUAGES = dict(
    en=4, de=2, fr=2, es=2, pt=1.5, it=2.5, nl=0.7, sv=0.7, da=0.5, nb=0.5, fi=0.5, ru=2, uk=0.2, pl=1, cs=0.6, hu=0.8, sk=0.2,
    sl=0.2, sh=0.2, ro=0.3,
)  # fmt: skip
VIETNAMESE = 0.5  # its share, as CP1258 is read in CP1252
LATIN = "abcdefghijklmnopqrstuvwxyz"
WESTERN = "àáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿœß"
CENTRAL = "ąćčďđęěĺľłńňőŕřśşšťţůűźżžă"
CYRILLIC = "абвгдежзийклмнопрстуфхцчшщъыьэюяёіїєґ"
LETTERS = LATIN + WESTERN + CENTRAL + CYRILLIC
KANA = "｡｢｣､･ｦｧｨｩｪｫｬｭｮｯｰｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜﾝﾞﾟ"  # A1 to DF
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"  # a cost in half bits, at most 17.5 bits
UNSEEN = 0.02  # count that every pair has, of a total of 1 per 1,000 words
# The leads and trails of the characters that have costs of their own; all others are rarer.
ROWS = {
    "KANA_ROWS": ("cp932", range(0x82, 0x84), range(0x40, 0xFD)),
    "KANJI_ROWS": ("cp932", range(0x88, 0x99), range(0x40, 0xFD)),
    "GBK_ROWS": ("gbk", range(0xB0, 0xF8), range(0xA1, 0xFF)),
    "BIG5_ROWS": ("cp950", range(0xA4, 0xC7), range(0x40, 0xFF)),
    "HANGUL_ROWS": ("cp949", range(0xB0, 0xC9), range(0xA1, 0xFF)),
}


def words_of(language: str) -> dict[str, float]:
    """The most frequent words, and the parts of name_words.py, with weights whose sum is 1."""
    from wordfreq import get_frequency_dict  # type: ignore[import-not-found]

    frequencies: dict[str, float] = get_frequency_dict(language, wordlist="best")
    words = {word: f**POWER for word, f in list(frequencies.items())[:MOST_FREQUENT] if not any(c.isdigit() for c in word)}
    parts = WORDS[language].parts.split(",") if language in WORDS else []
    share = (1 - MUSICAL if parts else 1) / sum(words.values())
    weights: dict[str, float] = {word: weight * share for word, weight in words.items()}
    for part in parts:
        weights[part] = weights.get(part, 0) + MUSICAL / len(parts)
    return weights


def digit(probability: float) -> str:
    """The cost of a probability, in half bits."""
    return DIGITS[min(round(-2 * math.log2(probability)), len(DIGITS) - 1)] if probability > 0 else DIGITS[-1]


def pair_costs(texts: Iterable[tuple[str, float]], letters: str) -> list[str]:
    """A line per class, 0 for what is no letter: the cost of each class after it."""
    counts: defaultdict[int, defaultdict[int, float]] = defaultdict(lambda: defaultdict(float))
    for text, weight in texts:
        classes = [letters.find(c) + 1 for c in f" {text} "]
        for before, after in pairwise(classes):
            counts[before][after] += weight * 1000
    size = len(letters) + 1
    lines = []
    for before in range(size):
        total = sum(counts[before].values()) + UNSEEN * size
        lines.append("".join(digit((counts[before][after] + UNSEEN) / total) for after in range(size)))
    return lines


def row_costs(characters: defaultdict[str, float], codec: str, leads: range, trails: range) -> list[str]:
    """A line per lead byte: the cost of the character of each trail byte."""
    total = sum(characters.values())

    def cost(pair: bytes) -> str:
        return digit(characters[pair.decode(codec, "ignore")] / total)

    return ["".join(cost(bytes([lead, trail])) for trail in trails) for lead in leads]


def character_counts(words: dict[str, float]) -> defaultdict[str, float]:
    """The weight of each character."""
    counts: defaultdict[str, float] = defaultdict(float)
    for word, weight in words.items():
        for c in word:
            counts[c] += weight
    return counts


def as_western(word: str) -> str:
    """A Vietnamese word in CP1258, with its tones as characters of their own, read as CP1252: midiopt does not tell them apart."""
    tones = "\u0300\u0301\u0303\u0309\u0323"
    decomposed = unicodedata.normalize("NFD", word)
    marks = [
        (unicodedata.normalize("NFC", "".join(c for c in part if c not in tones)), part)
        for part in re.findall(r"\w[\u0300-\u036f]*", decomposed)
    ]
    return (
        "".join(base + "".join(c for c in part if c in tones) for base, part in marks)
        .encode("cp1258", "ignore")
        .decode("cp1252", "ignore")
        .lower()
    )


def half_width(word: str) -> str:
    """Katakana as half-width katakana: voicing marks are characters of their own."""
    return "".join(HALF_WIDTH.get(c, "") for c in unicodedata.normalize("NFD", word))


HALF_WIDTH = {unicodedata.normalize("NFKC", c): c for c in KANA} | {"\u3099": "ﾞ", "\u309a": "ﾟ"}


def main() -> None:
    """Print the module of weights."""
    from opencc import OpenCC  # type: ignore[import-not-found]

    alphabetic = [(word, weight * share) for language, share in LANGUAGES.items() for word, weight in words_of(language).items()]
    alphabetic += [(as_western(word), weight * VIETNAMESE) for word, weight in words_of("vi").items()]
    japanese, chinese, korean = words_of("ja"), words_of("zh"), words_of("ko")
    to_traditional = OpenCC("s2t").convert
    katakana = [
        (half_width(w), weight) for w, weight in japanese.items() if all(unicodedata.normalize("NFD", c)[0] in HALF_WIDTH for c in w)
    ]
    total = sum(weight for _, weight in katakana)
    tables = {"PAIRS": pair_costs(alphabetic, LETTERS), "KANA_PAIRS": pair_costs([(w, f / total) for w, f in katakana], KANA)}
    counts = {
        "cp932": character_counts(japanese),
        "gbk": character_counts(chinese),
        "cp950": character_counts({to_traditional(w): weight for w, weight in chinese.items()}),
        "cp949": character_counts(korean),
    }
    for name, (codec, leads, trails) in ROWS.items():
        tables[name] = row_costs(counts[codec], codec, leads, trails)
    print('"""The weights of charset_costs.pyx, written by training/code_pages.py: costs in half bits, as digits of base 36."""\n')
    print("# fmt: off")
    print("# Of letters after one another; the first class is whatever is no letter.")
    print(f'LETTERS = "{LETTERS}"')
    for name, lines in tables.items():
        print(f"{name} = (  # {len(lines)} lines of {len(lines[0])}")
        for line in lines:
            print(f'    "{line}",')
        print(")")
    print("# fmt: on")


if __name__ == "__main__":
    main()
