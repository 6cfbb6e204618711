"""The weights of phase.pyx, written by training/phase.py, in the order of reference/phase.py."""

NOTE_WEIGHTS = (0.35, 3.30, -2.08, 0.70)
LENGTH_WEIGHTS = (2.52, -2.81, 1.38, -0.80)
ON_QUARTER = 4.91
ON_EIGHTH = -2.33
ON_SIXTEENTH = -1.12
ON_THIRTY_SECOND = -2.04
