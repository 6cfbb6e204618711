"""The weights of main_parts.pyx, written by training/main_parts.py, in the order of reference/main_parts.py."""

MELODY = (0.41, -2.58, -2.17, 1.09, -1.47, 2.35, 1.05, 0.86, 0.17, -0.75, 0.73, 0.99, -1.26, 0.73, -0.84)
BASS = (-2.40, -1.94, 0.15, -2.32, -0.23, -0.58, -0.62, 0.75, -0.17, 0.36, -0.48, -0.53, -0.60, -0.10, 3.95)
