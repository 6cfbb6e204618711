"""The scores of chords.pyx, from training/chords.py, in 1/1024 of the score of a pitch class that sounds throughout a beat."""

BIAS = (288, 233, 90, 45, 0, 0, -200, -222, -262, -431, -408)
"""Of each quality, in the order of QUALITIES in chord_symbols.py. Those of suspended chords are searched, as are
SILENCE and CHANGE."""

BASS = (156, -19, -12, 213, 32)
"""Of a beat whose lowest note is the root, the third, the fifth, the seventh, or no note of the chord."""

NO_CHORD = 566
NO_CHORD_WEIGHT = 376
"""Of no chord, and of what sounds meanwhile in 1/1024 of its weight."""

SILENCE = 150
"""Of no chord in a beat without notes, where no chord scores anything: rests keep the chord."""

CHANGE = 450
"""What another chord costs."""
