"""The page in a real browser: from the disk, wide and narrow, light and dark, on paper."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

import midiopt
from midiopt.cli.main import main
from tests.helpers import chromium
from tests.helpers.chromium import Page

ROOT = Path(__file__).parents[2]
AXE = ROOT / "build" / "axe" / "node_modules" / "axe-core" / "axe.min.js"
pytestmark = pytest.mark.skipif(chromium.find() is None, reason="no Chromium is installed (apt-get install chromium)")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a report about the sample."""
    folder = tmp_path_factory.mktemp("report")
    midiopt.run([ROOT / "sample" / "midi"], str(folder / "sample.db"), workers=1)
    assert main(["report", "--db", str(folder / "sample.db"), "-o", str(folder / "report.html")]) == 0
    return (folder / "report.html").as_uri()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[chromium.Chromium]:
    with chromium.chromium(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture(params=[(360, False), (360, True), (1280, False), (1280, True)], ids=lambda p: f"{p[0]}-{'dark' if p[1] else 'light'}")
def page(request: pytest.FixtureRequest, browser: chromium.Chromium, url: str) -> Iterator[Page]:
    """The report, opened."""
    width, dark = request.param
    found = browser.page(width, 800, dark)
    found.open(url)
    yield found
    found.close()


def test_it_fits_needs_nothing_and_is_no_barrier(page: Page, url: str) -> None:
    """Only the page itself is asked for, nothing is wider than the window, and the letters of charts are legible."""
    assert page.requests == [url]
    assert page.problems == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    sizes = page.evaluate("[...document.querySelectorAll('svg')].map(s => s.getBoundingClientRect().width)")
    assert min(sizes) > 270  # of 360 units: letters of 11 units are 8 pixels high or more
    inside = "[...document.querySelectorAll('svg text')].filter(t => t.getBBox().x < -8 || t.getBBox().x + t.getBBox().width > 366)"
    assert page.evaluate(f"{inside}.map(t => t.textContent)") == []
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if not AXE.exists():
        pytest.skip("axe-core is not there (make browser-tests)")
    page.evaluate(AXE.read_text() + "; 0")
    found = page.evaluate("axe.run().then(r => r.violations.map(v => [v.impact, v.id, v.nodes.map(n => n.html)]))")
    assert [violation for violation in found if violation[0] in ("serious", "critical")] == []


def test_the_schemes_differ(browser: chromium.Chromium, url: str) -> None:
    colours = []
    for dark in (False, True):
        page = browser.page(800, 600, dark)
        page.open(url)
        colours.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        page.close()
    assert colours[0] != colours[1]


def test_it_prints(browser: chromium.Chromium, url: str) -> None:
    page = browser.page(dark=True)
    page.open(url)
    paper = base64.b64decode(page.send("Page.printToPDF")["data"])
    page.send("Emulation.setEmulatedMedia", media="print")
    page.resize(700, 900)  # pixels of A4 between its margins
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert paper.startswith(b"%PDF") and 3 < paper.count(b"/Type /Page\n") < 20
    page.close()
