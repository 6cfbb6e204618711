"""The scores of chords.pyx, from training/chords.py, in 1/1024 of the score of a pitch class that sounds throughout a beat."""

BIAS = (257, 198, 45, 40, 115, 119, -191, -212, -256, -390, -321)
"""Of each quality, in the order of QUALITIES in chord_symbols.py."""

BASS = (122, -31, -16, 180, 1)
"""Of a beat whose lowest note is the root, the third, the fifth, the seventh, or no note of the chord."""

NO_CHORD = 596
NO_CHORD_WEIGHT = 365
"""Of no chord, and of what sounds meanwhile in 1/1024 of its weight."""

CHANGE = 351
"""What another chord costs."""
