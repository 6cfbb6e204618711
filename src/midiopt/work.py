"""What a chunk is made of: paths, and what stands for more than a path.

A path is absolute, so it begins with a slash; an item that begins with anything else says by that
what is to be done.
"""

from __future__ import annotations

UNOPENED = b"-"  # before the path of a FIFO or device that was named: it gets its row and is not opened
