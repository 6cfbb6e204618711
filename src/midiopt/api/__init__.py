"""One file at a time, from Python. The names that the package exports are public."""
