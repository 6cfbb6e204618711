"""The usual spelling of each pitch class, from C up."""

from __future__ import annotations

MAJOR_TONICS = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
MINOR_TONICS = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B")
KEY_NAMES = (*MAJOR_TONICS, *(f"{tonic}m" for tonic in MINOR_TONICS))  # majors, then minors
