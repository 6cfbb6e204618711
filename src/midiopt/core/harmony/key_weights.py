"""The weights of key.pyx, from training/key.py: one per kind of evidence, in the order of key_evidence.pxd."""

WEIGHTS = (11.00, 4.69, 2.26, 1.39, -2.62, 3.04, 2.11, 0.66, 0.95, 1.95)

LOOP_WEIGHTS = (11.03, 1.47, 0.52, -1.30, 9.25, 1.06)
"""Of chord loops."""

DIATONIC_CHORDS = (
    ((0, 0), (2, 1), (4, 1), (5, 0), (7, 0), (9, 1), (11, 2)),
    ((0, 1), (2, 2), (3, 0), (5, 1), (7, 1), (7, 0), (8, 0), (10, 0)),
)
"""The chords of a major and a minor key: half tones from the tonic to the root, and the quality in chord_symbols.py."""
