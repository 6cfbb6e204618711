"""Tempo, key and meter in the names of files and folders."""
