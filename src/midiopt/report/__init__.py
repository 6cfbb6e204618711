"""The report of a library: one HTML page that needs nothing else, from the facts of library/report.py."""
