"""Tables that programs put into pages written by hand, between two comments."""

from __future__ import annotations

import re
from pathlib import Path


def fill(page: Path, name: str, text: str) -> None:
    """Put `text` between <!-- begin NAME --> and <!-- end NAME -->; SystemExit when the page has no such place."""
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    old = page.read_text()
    if old.count(begin) != 1 or old.count(end) != 1:
        raise SystemExit(f"{page} has no place for {name}: {begin} and {end}, each on a line of its own")
    page.write_text(re.sub(f"{begin}.*?{end}", lambda _: f"{begin}\n{text}\n{end}", old, flags=re.DOTALL))
