"""The chords that are told apart: how they are written, and of which notes they consist."""

from __future__ import annotations

QUALITIES = (
    ("", (0, 4, 7)),
    ("m", (0, 3, 7)),
    ("dim", (0, 3, 6)),
    ("aug", (0, 4, 8)),
    ("sus4", (0, 5, 7)),
    ("sus2", (0, 2, 7)),
    ("7", (0, 4, 7, 10)),
    ("maj7", (0, 4, 7, 11)),
    ("m7", (0, 3, 7, 10)),
    ("m7b5", (0, 3, 6, 10)),
    ("dim7", (0, 3, 6, 9)),
)
"""Suffix, and half tones above the root: root, third, fifth and, of a seventh chord, seventh."""

SIXTHS = {8: "6", 9: "m6"}
"""Suffixes over the third in the bass, which then is the root: the notes of Am7 over C are C6. Their qualities follow in this order."""

FLAT_FIFTH = "(b5)"
"""Suffix over the flat fifth of m7b5 in the bass, where its third is missing: C E Gb. Its quality is the last one."""

TRIADS = (0, 1, 2, 3, 4, 5, 0, 0, 1, 2, 2, 0, 1, 0)
"""The quality without its seventh or sixth, and with a perfect fifth instead of a flat one, by quality."""

BASSES = (
    ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"),
    ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B"),
)
"""How basses are spelled: with sharps, and with flats."""

FLAT_ROOTS = ((0, 1, 3, 5, 8, 10), (0, 2, 3, 5, 7, 10), (0, 2, 3, 4, 5, 7, 9, 10))
"""Pitch classes of the roots whose basses are spelled with flats: of chords with a major third or none, with a minor third, and with a flat
fifth beside it, which is a flat itself over E and A."""

THIRDS = tuple(2 if tones[1:3] == (3, 6) else int(tones[1] == 3) for tones in (QUALITIES[triad][1] for triad in TRIADS))
"""Which of these a chord has, by quality."""
