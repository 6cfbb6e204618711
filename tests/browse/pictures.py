"""Take the pictures of docs/browse.md: python -m tests.browse.pictures FOLDER

The sample is copied into FOLDER, which must not exist and is deleted at the end: its name stands in the pictures.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import midiopt
from midiopt.browse.addresses import address
from tests.browse.conftest import SAMPLE, serving
from tests.helpers.chromium import Chromium, Page, chromium

DOCS = Path(__file__).parents[2] / "docs"
SONG = "band/slap happy.mid"
PAUSE = "new Promise(done => setTimeout(done, 600))"


def take(page: Page, name: str) -> None:
    """Write what is in the window."""
    page.evaluate(PAUSE)
    (DOCS / f"browse-{name}.png").write_bytes(page.picture())


def take_all(browser: Chromium, site: str, folder: Path) -> None:
    """A search, a file that plays in the dark, and both on a phone."""
    song = site + address("/file", path=str(folder / SONG))
    page = browser.page(1200, 760)
    page.open(site + address("/", q="has:drums"))
    page.wait("document.querySelector('.facet')")
    page.press("j", "j", "j")
    take(page, "search")
    page = browser.page(1200, 900, dark=True)
    page.open(song)
    page.wait("document.querySelector('#play:enabled')")
    page.press("ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight", " ")
    page.wait("document.querySelector('#seek').value > 9")
    take(page, "file")
    page.close()
    page = browser.page(390, 800)
    page.open(song)
    page.wait("document.querySelector('#play:enabled')")
    page.evaluate("scrollTo(0, 230)")
    take(page, "phone")


def main() -> int:
    """Take them all."""
    folder = Path(sys.argv[1])
    shutil.copytree(SAMPLE, folder)
    try:
        with tempfile.TemporaryDirectory() as temporary:
            midiopt.run([folder], f"{temporary}/music.db")
            profile = Path(temporary, "profile")
            profile.mkdir()
            with serving(Path(temporary, "music.db")) as (_, url), chromium(profile) as browser:
                take_all(browser, url.rstrip("/"), folder)
    finally:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
