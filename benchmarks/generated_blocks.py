"""Generated text in hand-written pages, between <!-- begin NAME --> and <!-- end NAME -->, and the results it is made of."""

from __future__ import annotations

import json
import re
from pathlib import Path


def store(path: Path, results: object) -> None:
    """Write results as JSON."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results, indent=1) + "\n")


def fill(page: Path, name: str, text: str) -> None:
    """Replace the block; SystemExit if the page does not have it exactly once."""
    read(page, name)
    begin, end = _markers(name)
    page.write_text(re.sub(f"{begin}.*?{end}", lambda _: f"{begin}\n{text}\n{end}", page.read_text(), flags=re.DOTALL))


def read(page: Path, name: str) -> str:
    """The text of the block; SystemExit if the page does not have it exactly once."""
    begin, end = _markers(name)
    blocks = re.findall(f"{begin}\n(.*?)\n?{end}", page.read_text(), flags=re.DOTALL)
    if len(blocks) != 1:
        raise SystemExit(f"{page} has no place for {name}: {begin} and {end}, each on its own line")
    return str(blocks[0])


def _markers(name: str) -> tuple[str, str]:
    return f"<!-- begin {name} -->", f"<!-- end {name} -->"
