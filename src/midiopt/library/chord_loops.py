"""Chord loops in whatever key they stand and with whatever chord they begin."""

from __future__ import annotations

from functools import lru_cache

from midiopt.library.search_values import SUFFIXES, tonic
from midiopt.schema import MAJOR_TONICS, MINOR_TONICS

ChordLoop = tuple[tuple[int, str], ...]
"""Half tones above the first root, and suffix, of each chord: the least of all rotations."""

# How well a chord fits C major or A minor: those of the scale, and the dominant of A minor.
FITS = dict.fromkeys([(0, ""), (2, "m"), (4, "m"), (5, ""), (7, ""), (9, "m"), (11, "dim")], 1.0) | {(4, ""): 0.5}
TONICS = ((0, ""), (9, "m"))
FIRSTS = (*TONICS, (2, "m"), (5, ""))  # with which such a loop is written to begin, if it has one


@lru_cache(1 << 16)
def chord_loop(text: str) -> ChordLoop | None:
    """The loop of a `chord_progression`; None for a single chord, and for text that is none.

    A last chord that equals the first goes on as that.
    """
    chords = [found for found in map(tonic, text.split()) if found and found[1] in SUFFIXES]
    if len(chords) > 1 and chords[0] == chords[-1]:
        chords.pop()
    if len(chords) < 2 or len(chords) < len(text.split()) - 1:
        return None
    rotations = (chords[i:] + chords[:i] for i in range(len(chords)))
    return min(tuple(((root - loop[0][0]) % 12, suffix) for root, suffix in loop) for loop in rotations)


def loop_text(loop: ChordLoop) -> str:
    """The loop in C major or A minor, whichever transposition fits: `C G Am F`."""
    transposed = [[((root + step) % 12, suffix) for root, suffix in loop] for step in range(12)]
    chords = max(transposed, key=lambda chords: (sum(FITS.get(chord, 0.0) for chord in chords), any(c in TONICS for c in chords)))
    first = next((chords.index(chord) for chord in FIRSTS if chord in chords), 0)
    return " ".join(_name(root, suffix) for root, suffix in chords[first:] + chords[:first])


def _name(root: int, suffix: str) -> str:
    return (MINOR_TONICS if suffix in ("m", "dim") else MAJOR_TONICS)[root] + suffix
