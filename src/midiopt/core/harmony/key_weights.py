"""The weights of key.pyx, from training/key.py: one per kind of evidence, in the order of key.pxd."""

WEIGHTS = (11.00, 4.69, 2.26, 1.39, -2.62, 3.04, 2.11, 0.66, 0.95, 1.95)
