"""How many names are read in the right encoding: python -m accuracy.names

200 names per encoding, made of the words in name_words.py: instruments, titles and persons, as sequencers and collectors
write them. A name is right if it is read as it was written, alone in its file or with four others of its language.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import midiopt
from accuracy import markdown
from accuracy.name_words import WORDS
from sample.smf import TRACK_NAME, meta, smf, track

NAMES = 200  # per encoding
TOGETHER = 5  # names of a file
WESTERN = ("de", "fr", "es", "pt", "it", "sv", "da")
ENCODINGS = {  # Python's codec, and the languages that are written in it
    "utf-8": tuple(WORDS),
    "cp1252": WESTERN,
    "cp932": ("ja",),
    "gbk": ("zh",),
    "cp1251": ("ru",),
    "koi8-r": ("ru",),
    "cp1250": ("pl", "cs", "hu"),
    "cp949": ("ko",),
    "cp950": ("zh-tw",),
    "cp437": WESTERN,
    "mac-roman": WESTERN,
}
Reader = Callable[[list[bytes]], list[str]]  # the names of a file to what they are read as


def make_name(language: str, rng: random.Random) -> str:
    """A name as files have it: a part, a title, a person, or several of them."""
    part, song, person = (rng.choice(words.split(",")) for words in WORDS[language])
    name = rng.choice([part, part, song, song, person, f"{person} - {song}", f"{part} {rng.randrange(1, 5)}", f"{song} ({part})"])
    return name.upper() if rng.random() < 0.1 else name


def names_in(encoding: str, count: int = NAMES) -> list[str]:
    """Different names that are not ASCII and can be written in the encoding, language by language; the same in every call."""
    rng = random.Random(f"names in {encoding}")
    languages = ENCODINGS[encoding]
    names: dict[str, str] = {}
    while len(names) < count:
        language = rng.choice(languages)
        name = make_name(language, rng)
        if not name.isascii() and name.encode(encoding, "ignore").decode(encoding) == name:
            names[name] = language
    return sorted(names, key=names.__getitem__)


def read(names: list[bytes]) -> list[str]:
    """The names of a file with a track per name."""
    return midiopt.analyze(smf([track([(0, meta(TRACK_NAME, name))]) for name in names])).track_names


def share_right(encoding: str, together: int = 1, reader: Reader = read) -> float:
    """The share of the names that are right, with this number of names per file."""
    names = names_in(encoding)
    right = 0
    for i, name in enumerate(names):
        others = [names[(i + k) % len(names)] for k in range(1, together)]
        right += reader([text.encode(encoding) for text in [name, *others]])[0] == name
    return right / len(names)


def report() -> str:
    """A row per encoding."""
    rows = [[encoding, share_right(encoding), share_right(encoding, TOGETHER)] for encoding in ENCODINGS]
    return markdown.table(["encoding", "alone in a file", f"with {TOGETHER - 1} others"], rows)


if __name__ == "__main__":
    print(report())
