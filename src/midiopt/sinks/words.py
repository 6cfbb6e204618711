"""Words of texts: how a text is divided into words, in Python and in both databases, which answer alike.

A text is decomposed (NFKD), loses its accents, and is in lower case; what separates words is a fixed set of characters, so that no locale
of a database changes an answer. Chinese and Japanese have no spaces between words: each of their characters is a word of its own. A text
has a phrase if it has its words one after the other.
"""

from __future__ import annotations

import itertools
import json
import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

# ASCII but digits and letters, Latin-1 punctuation, general punctuation to symbols, CJK punctuation, surrogates, private use and
# specials, emoji; of Katakana a hyphen and the dot between words. The same ranges are the class of a regular expression in PostgreSQL,
# which has no surrogates.
_RANGES = (
    *((0x00, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0xBF), (0xD7, 0xD7), (0xF7, 0xF7), (0x2000, 0x2BFF), (0x2E00, 0x2E7F)),
    *((0x3000, 0x303F), (0x30A0, 0x30A0), (0x30FB, 0x30FB), (0xD800, 0xF8FF), (0xFFF0, 0xFFFF), (0x1F000, 0x1FAFF)),
)
_SEPARATORS = "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in _RANGES)
_POSTGRES_SEPARATORS = "".join(f"\\U{max(first, 1):08x}-\\U{last:08x}" for first, last in _RANGES if first != 0xD800) + "\\uE000-\\uF8FF"
_ACCENTS = "[\u0300-\u036f]+"
# Kana and ideographs, each a word, with its sound marks.
_KANA_OR_IDEOGRAPH = r"\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
_UNSPACED = f"[{_KANA_OR_IDEOGRAPH}][\\u3099\\u309a]*"
_WORD = f"[^{_SEPARATORS}]+"  # compiled when the first text is searched: that takes 1 ms
DIVISION = 2  # raised whenever texts are divided in another way: indexes of words are then made anew
MAX_LETTERS = 100  # of a word that is compared: PostgreSQL cannot index words of more than 2,046 bytes


def folded(text: str) -> str:
    """The text as it is compared: without accents, in lower case, and a space before and after each character that is a word."""
    if text.isascii():
        return text.lower()
    plain = re.sub(_ACCENTS, "", unicodedata.normalize("NFKD", text)).lower()
    return " ".join(re.findall(f"{_UNSPACED}|[^{_KANA_OR_IDEOGRAPH}]+", plain))


def words_of(text: str) -> list[str]:
    """The words of a text as they are compared."""
    return [word[:MAX_LETTERS] for word in re.findall(_WORD, folded(text))]


@lru_cache(maxsize=256)
def _phrase(text: str) -> tuple[str, Callable[[str], re.Match[str] | None]]:
    """The first word of a phrase, and what finds the phrase, its words separated by spaces, in a folded text; a star after the last word
    stands for any letters."""
    words = [re.escape(word) + (f"[^{_SEPARATORS}]*" if len(word) == MAX_LETTERS else "") for word in text.removesuffix("*").split(" ")]
    end = "" if text.endswith("*") else f"(?![^{_SEPARATORS}])"
    first = text.partition(" ")[0].removesuffix("*")
    return first, re.compile(f"(?<![^{_SEPARATORS}]){f'[{_SEPARATORS}]+'.join(words)}{end}").search


def has_phrase(phrase: str, path: str, title: str | None, track_names: str | None) -> bool:
    """Whether a file has the phrase in its path, or in its title or its track names (a JSON list). A function of SQLite's connections."""
    first, find = _phrase(phrase)
    text = folded(path)
    if first in text and find(text):  # `in` takes a tenth of the time of the expression
        return True
    names = track_names or ""
    if "\\" in names:
        names = " ".join(json.loads(names))
    text = folded(f"{title or ''} {names}")
    return first in text and find(text) is not None


def indexed_text(paths: str, title: str | None, track_names: str | None) -> str:
    """What SQLite's full-text index has of a content: what its tokenizer divides into the same words."""
    names = track_names or ""
    if "\\" in names:
        names = " ".join(json.loads(names))
    text = f"{paths} {title or ''} {names}"
    return text if text.isascii() else " ".join(words_of(text))


def match_of(phrases: list[str]) -> str | None:
    """A search in that index for what may have all of the phrases; None if a word has no letter or digit that the index knows."""
    parts = []
    for phrase in phrases:
        words = phrase.removesuffix("*").split(" ")
        for i, word in enumerate(words):
            is_begun = (phrase.endswith("*") and i == len(words) - 1) or len(word) == MAX_LETTERS
            parts.append(f'"{word}"' + (" *" if is_begun else ""))
            if not any(map(str.isalnum, word)):
                return None
    return " AND ".join(parts)


FUNCTION = "midiopt_has_phrase"  # the name of has_phrase in SQLite


def postgres_words(text: str) -> str:
    """An expression of PostgreSQL: the words of a text, with a space before and after each."""
    return f"(' ' || {_shortened(_separated(text))} || ' ')"


def postgres_index_keys(phrase: str) -> tuple[list[str], str]:
    """What the index of PostgreSQL has of a phrase, and the beginning of its last word if it ends with a star: each two words one after
    the other, and words that are in no pair."""
    words = phrase.removesuffix("*").split(" ")
    begun = words.pop() if phrase.endswith("*") else ""
    are_paired = [not re.search("[0-9]", first + second) for first, second in itertools.pairwise(words)]
    pairs = [f"{words[i]} {words[i + 1]}" for i, is_pair in enumerate(are_paired) if is_pair]
    alone = [word for word, before, after in zip(words, [False, *are_paired], [*are_paired, False], strict=False) if not before | after]
    return pairs + alone, begun


def postgres_words_array(text: str) -> str:
    """A query of PostgreSQL for an array of the words of a text, and of each two that stand one after the other without a digit.

    Without the pairs, 27,560 contents with two frequent words were gathered for a phrase of both. Pairs with numbers are nearly all
    different: with them the index of a million paths took 206 MB instead of 63.

    The text and its words are computed once, and words that are short are not looked at again, so it takes 0.65 of the time of the
    expression: 42 us for a title and its track names. OFFSET 0 keeps PostgreSQL from writing them out where they are used.
    """
    once = f"SELECT {_separated('t')} AS words FROM (SELECT {text} AS t OFFSET 0) AS texts OFFSET 0"
    words = f"CASE WHEN length(words) > {MAX_LETTERS} THEN {_shortened('words')} ELSE words END"
    each = f"SELECT array_remove(string_to_array({words}, ' '), '') AS w FROM ({once}) AS texts OFFSET 0"
    pairs = "SELECT w[i] || ' ' || w[i + 1] FROM generate_series(1, cardinality(w) - 1) AS i WHERE w[i] || w[i + 1] !~ '[0-9]'"
    return f"SELECT w || ARRAY({pairs}) FROM ({each}) AS words"


def _separated(text: str) -> str:
    """The text in lower case and without accents, a space for whatever separates words."""
    plain = f"regexp_replace(lower({text}), '[^0-9a-z]+', ' ', 'g')"
    decomposed = f"lower(regexp_replace(normalize({text}, NFKD), '[\\u0300-\\u036f]+', '', 'g'))"
    spaced = f"regexp_replace({decomposed}, '{_UNSPACED}', ' \\& ', 'g')"
    others = f"regexp_replace({spaced}, '[{_POSTGRES_SEPARATORS}]+', ' ', 'g')"
    return f"CASE WHEN octet_length({text}) = length({text}) THEN {plain} ELSE {others} END"


def _shortened(words: str) -> str:
    """The words, each cut at MAX_LETTERS."""
    return f"regexp_replace({words}, '([^ ]{{{MAX_LETTERS}}})[^ ]+', '\\1', 'g')"


def postgres_has(text: str) -> str:
    """A condition of PostgreSQL: whether a text has a phrase, with postgres_patterns() as its values.

    An ASCII text is searched as it is: that takes a tenth of the time of its words.
    """
    ascii_text = f'lower(({text}) COLLATE "C")'
    in_ascii = f"{ascii_text} LIKE ? AND {ascii_text} ~ ?"
    return f"(CASE WHEN octet_length({text}) = length({text}) THEN {in_ascii} ELSE {postgres_words(text)} LIKE ? END)"


def postgres_patterns(phrase: str) -> list[str]:
    """A LIKE pattern of the words and a regular expression for an ASCII text, a LIKE pattern for the words of others; see has_phrase().

    LIKE takes a tenth of the time of the expression.
    """
    words = phrase.removesuffix("*").split(" ")
    is_begun = phrase.endswith("*")
    letters = [word + "[0-9a-z]*" * (len(word) == MAX_LETTERS) for word in words]
    expression = f"(^|[^0-9a-z]){'[^0-9a-z]+'.join(letters)}{'' if is_begun else '($|[^0-9a-z])'}"
    return [f"%{'%'.join(words)}%", expression, f"% {' '.join(words)}" + ("%" if is_begun else " %")]
