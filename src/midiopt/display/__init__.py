"""How values are written for people, on a terminal and on a page."""
