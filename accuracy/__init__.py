"""Scores the facts, and other ways to find them, against annotations: python -m accuracy.evaluate prints docs/accuracy.md's tables."""
