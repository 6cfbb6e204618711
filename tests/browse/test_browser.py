"""The pages in a real browser: what a person does with the mouse, with the keyboard alone, on a phone, in the dark, and hears.

Chromium is driven without a window (tests/helpers/chromium.py). `make browser-tests` also fetches axe-core, which looks for barriers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import midiopt
from midiopt.browse.addresses import address
from sample.smf import note_off, note_on, program_change, smf, text, track
from tests.browse.conftest import NEEDED, SAMPLE, serving
from tests.helpers import chromium
from tests.helpers.chromium import Chromium, Page

pytestmark = [NEEDED, pytest.mark.skipif(chromium.find() is None, reason="there is no Chromium")]

AXE = Path(__file__).parents[2] / "build" / "axe" / "node_modules" / "axe-core" / "axe.min.js"
SECOND = 960  # ticks at 120 BPM and 480 per quarter
RECORD_CONTEXTS = """
window.contexts = [];
window.AudioContext = class extends AudioContext { constructor(...options) { super(...options); window.contexts.push(this); } };
"""
IS_READY = (
    "document.querySelector('#play') && !document.querySelector('#play').disabled && document.querySelectorAll('#parts label').length"
)
# Of the canvas: for each colour, the rectangle around the pixels that have it, and their number.
RECTANGLES = """
(colours => {
  const canvas = document.querySelector("#roll canvas"), paint = canvas.getContext("2d");
  const { data, width } = paint.getImageData(0, 0, canvas.width, canvas.height);
  const found = colours.map(() => ({ left: 1e9, right: -1, top: 1e9, bottom: -1, pixels: 0 }));
  const wanted = colours.map(c => [1, 3, 5].map(i => parseInt(c.slice(i, i + 2), 16)));
  for (let i = 0; i < data.length; i += 4) for (let k = 0; k < wanted.length; k++) {
    if (data[i] !== wanted[k][0] || data[i + 1] !== wanted[k][1] || data[i + 2] !== wanted[k][2]) continue;
    const x = i / 4 % width, y = Math.floor(i / 4 / width), r = found[k];
    r.left = Math.min(r.left, x); r.right = Math.max(r.right, x); r.top = Math.min(r.top, y); r.bottom = Math.max(r.bottom, y); r.pixels++;
  }
  return found;
})(getComputedStyle(document.documentElement).getPropertyValue("--colours").trim().split(/\\s+/))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three tracks with one loud note each: C3 in the 1st second, C5 in the 3rd, a bass drum at the 4th; and a note of two minutes."""
    folder = tmp_path_factory.mktemp("songs")
    parts = [(0, 48, 0), (1, 72, 2 * SECOND), (9, 36, 3 * SECOND)]
    tracks = [
        [(0, text(3, f"Part {c}")), (0, program_change(c, 0)), (t, note_on(c, p, 127)), (t + SECOND, note_off(c, p))] for c, p, t in parts
    ]
    organ = [(0, program_change(0, 16)), (0, note_on(0, 60, 100)), (120 * SECOND, note_off(0, 60))]
    (folder / "long.mid").write_bytes(smf([track(organ)]))
    (folder / "three.mid").write_bytes(smf([track(events) for events in tracks]))
    (folder / f"{'x' * 200}.mid").write_bytes(smf([track([(0, text(3, "y" * 150)), *tracks[0][1:]])]))
    return folder


@pytest.fixture(scope="module")
def site(folder: Path) -> Iterator[str]:
    """The address of a server of these files, without the slash at its end."""
    midiopt.run([folder, SAMPLE], folder / "music.db")
    with serving(folder / "music.db") as (_, url):
        yield url.rstrip("/")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with chromium.chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def page(browser: Chromium, site: str) -> Iterator[Page]:
    """A page in which nothing may go wrong, and which may load nothing from elsewhere."""
    page = browser.page()
    page.send("Page.addScriptToEvaluateOnNewDocument", source=RECORD_CONTEXTS)
    yield page
    page.evaluate("0")  # takes the events that have come meanwhile
    assert [problem for problem in page.problems if "getImageData" not in problem] == []  # it is this test that reads the canvas often
    assert all(url.startswith((site, "about:")) for url in page.requests)
    page.close()


def file_address(site: str, path: Path) -> str:
    return site + address("/file", path=path)


def open_song(page: Page, site: str, path: Path = SAMPLE / "band" / "slap happy.mid") -> None:
    page.open(file_address(site, path))
    page.wait(IS_READY)
    page.wait("document.querySelector('#roll canvas').style.width")
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def arrive(page: Page, condition: str) -> None:
    """Wait for another page."""
    page.wait(f"document.readyState === 'complete' && {condition}")


def text_of(page: Page, selector: str) -> Any:
    return page.evaluate(f"document.querySelector({json.dumps(selector)}).innerText.trim()")


def titles(page: Page) -> list[str]:
    found: list[str] = page.evaluate("[...document.querySelectorAll('.files tbody .title-cell a')].map(a => a.innerText)")
    return found


# Search


def test_search_narrow_open_and_back(page: Page, site: str) -> None:
    page.open(site)
    page.click("#q")
    page.type("has:drums")
    page.press("Enter")
    arrive(page, "decodeURIComponent(location.search) === '?q=has:drums' && document.querySelector('.facet a')")
    before = titles(page)
    page.click(".facet a[href*='key:Am']")
    arrive(page, "decodeURIComponent(location.search).includes('key:Am') && document.querySelector('.facet a.active')")
    assert 0 < len(titles(page)) < len(before) and "Slap Happy" in titles(page)
    assert text_of(page, "h1").endswith(f"{len(titles(page))} files")
    page.click(".files tbody .title-cell a[href*='slap%20happy.mid']")
    page.wait(IS_READY)
    assert text_of(page, "h1") == "Slap Happy"
    page.evaluate("history.back()")
    arrive(page, "document.querySelector('.files')")
    page.click(".terms a[href='/?q=has:drums']")
    arrive(page, "decodeURIComponent(location.search) === '?q=has:drums'")
    assert titles(page) == before


def test_a_mistake_is_shown(page: Page, site: str) -> None:
    page.open(site + address("/", q="kye:Am"))
    assert "did you mean key?" in text_of(page, "[role=alert]")
    assert page.problems.pop().startswith("Failed to load resource: the server responded with a status of 400")


def test_everything_by_keys_alone(page: Page, site: str) -> None:
    page.open(site)
    page.press("/")
    page.type("key:Am")
    page.press("Enter")
    arrive(page, "decodeURIComponent(location.search) === '?q=key:Am'")
    rows = titles(page)
    page.press("j", "j", "ArrowDown", "k")
    selected = "document.querySelector('tr.selected .title-cell a')"
    assert page.evaluate(f"{selected}.innerText") == rows[1] and page.evaluate(f"document.activeElement === {selected}")
    page.press(" ")
    page.wait("document.querySelector('tr.selected .play.playing') && document.querySelector('#now-seek').value > 0.2")
    page.press("Escape")
    page.wait("!document.querySelector('.play.small.playing:not(#now-stop)') && document.querySelector('#now').hidden")
    page.press("Enter")
    page.wait(IS_READY)
    page.press(" ")
    page.wait("document.querySelector('#play.playing') && document.querySelector('#seek').value > 0.2")
    page.press(" ")
    page.wait("!document.querySelector('#play.playing')")
    page.press("Home", "ArrowRight", "ArrowRight")
    two_bars = page.evaluate("Number(document.querySelector('#seek').value)")
    page.press("ArrowLeft")
    assert 0 < page.evaluate("Number(document.querySelector('#seek').value)") < two_bars
    page.press("?")
    page.wait("document.querySelector('dialog').open")
    page.press("Escape")
    page.wait("!document.querySelector('dialog').open")
    page.press("Escape")
    arrive(page, "location.pathname === '/'")
    assert page.evaluate("decodeURIComponent(location.search)") == "?q=key:Am" and titles(page) == rows


# The roll


def test_the_roll_shows_each_note_in_its_place_and_colour(page: Page, site: str, folder: Path) -> None:
    open_song(page, site, folder / "three.mid")
    low, high, drum = page.evaluate(RECTANGLES)[:3]
    assert min(low["pixels"], high["pixels"], drum["pixels"]) > 20
    second = (high["left"] - low["left"]) / 2
    for note in (low, high):
        assert note["right"] - note["left"] == pytest.approx(second, abs=3)
    assert drum["left"] - low["left"] == pytest.approx(3 * second, abs=2)
    row = (low["top"] - high["top"]) / 24
    assert low["bottom"] - low["top"] + 1 == pytest.approx(row, abs=2)
    assert high["top"] < low["top"] and low["bottom"] + row < drum["top"]


def test_the_roll_zooms_and_scrolls(page: Page, site: str) -> None:
    open_song(page, site)
    width = "document.querySelector('.roll-space').offsetWidth"
    picture = "document.querySelector('#roll canvas').toDataURL()"
    before, whole = page.evaluate(width), page.evaluate(picture)
    page.press("+", "+", "+")
    assert page.evaluate(width) > 2.5 * before
    page.evaluate("document.querySelector('#roll').scrollLeft = 1e9")
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.evaluate(picture) != whole
    page.press("0")
    assert page.evaluate(width) <= page.evaluate("document.querySelector('#roll').clientWidth")


def test_a_track_that_is_switched_off_fades(page: Page, site: str, folder: Path) -> None:
    open_song(page, site, folder / "three.mid")
    page.click("#parts label:nth-of-type(2)")
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    low, high, _ = page.evaluate(RECTANGLES)[:3]
    assert low["pixels"] > 20 and high["pixels"] < 20


def test_a_note_is_named_under_the_mouse(page: Page, site: str, folder: Path) -> None:
    open_song(page, site, folder / "three.mid")
    low = page.evaluate(RECTANGLES)[0]
    x, y = page.evaluate("(r => [r.x, r.y])(document.querySelector('#roll canvas').getBoundingClientRect())")
    page.send("Input.dispatchMouseEvent", type="mouseMoved", x=x + low["left"] + 8, y=y + (low["top"] + low["bottom"]) / 2)
    page.wait("document.querySelector('#under').innerText.includes('velocity')")
    assert text_of(page, "#under").startswith("C3 · Part 0 · 0:00 · 1.00 s · velocity 127")


# Sound


def test_playing_is_heard_and_the_cursor_moves(page: Page, site: str) -> None:
    open_song(page, site)
    place = "document.querySelector('.cursor').style.transform"
    level = "Number(document.querySelector('.meter-level').getAttribute('width'))"
    start = page.evaluate(place)
    assert page.evaluate(level) == 0 and page.evaluate("contexts.length") == 0
    page.click("#play")
    page.wait(f"{level} > 5 && {place} !== {json.dumps(start)}")
    assert page.evaluate("contexts.map(c => c.state)") == ["running"]
    first = page.evaluate("Number(document.querySelector('#seek').value)")
    page.wait(f"document.querySelector('#seek').value > {first} + 0.4")
    page.click("#play")
    page.wait(f"!document.querySelector('#play.playing') && {level} === 0")
    stopped = page.evaluate(place)
    page.evaluate("new Promise(done => setTimeout(done, 100))")
    assert page.evaluate(place) == stopped != start


def test_a_click_goes_to_a_place(page: Page, site: str) -> None:
    open_song(page, site)
    page.press("0")
    x, y, width = page.evaluate("(r => [r.x, r.y, r.width])(document.querySelector('#roll canvas').getBoundingClientRect())")
    page.click_at(x + width / 2, y + 60)
    half = page.evaluate("Number(document.querySelector('#seek').value / document.querySelector('#seek').max)")
    assert 0.4 < half < 0.5
    page.click("#play")
    page.wait("document.querySelector('#seek').value / document.querySelector('#seek').max > " + str(half + 0.003))


def test_tracks_that_are_switched_off_are_not_heard(page: Page, site: str, folder: Path) -> None:
    open_song(page, site, folder / "long.mid")
    level = "Number(document.querySelector('.meter-level').getAttribute('width'))"
    page.click("#parts label")
    page.click("#play")
    page.wait("document.querySelector('#seek').value > 0.5")
    assert page.evaluate(level) == 0
    page.click("#parts label")
    page.wait(f"{level} > 0")
    page.click("#parts label")
    page.wait(f"{level} === 0")


TIMERS = """
const running = new Set(), { setInterval: begin, clearInterval: end } = globalThis;
globalThis.setInterval = (...given) => { const timer = begin(...given); running.add(timer); return timer; };
globalThis.clearInterval = (timer) => { running.delete(timer); end(timer); };
globalThis.running = running;
"""


def test_what_is_asked_for_while_the_sound_begins_is_played_once(page: Page, site: str, folder: Path) -> None:
    """By one timer, which ends: those of the other calls gave notes for ever, also after a pause."""
    page.open(f"{site}?q=long")
    page.evaluate(TIMERS)
    player = f"""(async () => {{
      const {{ Player }} = await import("/static/player.js"), {{ loadSong }} = await import("/static/song.js");
      const player = new Player(await loadSong({json.dumps(address("/notes", path=folder / "long.mid"))}));
      player.play(); player.seek(1); await player.seek(2);
      await new Promise(done => setTimeout(done, 50));
      const playing = running.size;
      player.pause();
      return [playing, running.size];
    }})()"""
    assert page.evaluate(player) == [1, 0]
    page.evaluate("(button => { button.click(); button.click(); })(document.querySelector('td .play'))")
    page.wait("running.size > 0")
    page.evaluate("new Promise(done => setTimeout(done, 300))")
    assert page.evaluate("running.size") == 1


def test_a_part_that_cannot_be_loaded_is_said(page: Page, site: str) -> None:
    page.open(site)
    page.send("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0, uploadThroughput=0)
    load = "loadPart('/facets', document.body, () => said('it failed'))"
    said = page.evaluate(f"import('/static/part.js').then(({{ loadPart }}) => new Promise(said => {load}))")
    assert said == "it failed"
    page.evaluate("0")  # takes what the browser says of it
    page.problems.clear()


def test_every_program_and_every_drum_sounds(page: Page, site: str) -> None:
    """Rendered without a loudspeaker: from 40 to 100 % of the loudest sample is no noise, and nothing is silent."""
    page.open(site)
    render = """(async () => {
      const { Synth } = await import("/static/synth.js");
      const peaks = [];
      for (let i = 0; i < 128 + 47; i++) {
        const context = new OfflineAudioContext(1, 22050, 44100), synth = new Synth(context);
        synth.begin(1);
        if (i < 128) synth.note(0, 0.01, 0.4, 57, 110, i); else synth.drum(0, 0.01, 35 + i - 128, 110);
        const samples = (await context.startRendering()).getChannelData(0);
        peaks.push(samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0));
      }
      return peaks;
    })()"""
    peaks = page.evaluate(render)
    assert len(peaks) == 175
    for sound, peak in enumerate(peaks):
        assert 0.01 < peak <= 1.2, (sound, peak)


def test_many_notes_at_once_stay_bounded(page: Page, site: str) -> None:
    page.open(site)
    voices = """(async () => {
      const { Synth } = await import("/static/synth.js");
      const synth = new Synth(new OfflineAudioContext(1, 44100, 44100));
      synth.begin(1);
      for (let i = 0; i < 1000; i++) synth.note(0, 0.1, 1, 40 + i % 60, 90, i % 128);
      return synth.voices.length;
    })()"""
    assert page.evaluate(voices) == 64


# Where and how it is shown


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_phone_is_wide_enough(browser: Chromium, page: Page, site: str, dark: bool) -> None:
    page.resize(360, 740)
    page.prefer(dark)
    song = file_address(site, SAMPLE / "band" / "slap happy.mid")
    for url in (site, site + address("/", q="key:Am has:drums", facets=1), song, site + "/help"):
        page.open(url)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, url
    page.open(song)
    page.wait(IS_READY)
    assert page.evaluate("document.querySelector('#play').getBoundingClientRect().width") >= 44


@pytest.mark.parametrize("width", [360, 820, 1280])
def test_a_long_name_without_a_space_does_not_widen_a_page(page: Page, site: str, folder: Path, width: int) -> None:
    """It pushed all columns but the title out of the window."""
    page.resize(width, 740)
    for url in (site + address("/", q="x" * 200), file_address(site, folder / f"{'x' * 200}.mid")):
        page.open(url)
        assert "x" * 200 in page.html()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, url
    page.open(site)
    shown = page.evaluate("[...document.querySelectorAll('.files bdi')].map(name => name.textContent)")
    assert "y" * 119 + "…" in shown


def test_the_names_of_pitches_are_whole(page: Page, site: str, folder: Path) -> None:
    """Of a song without drums, the C of C3 was left of the canvas."""
    page.open(file_address(site, folder / "long.mid"))
    page.evaluate("""
        window.starts = [];
        const whole = CanvasRenderingContext2D.prototype.fillText;
        CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
            if (this.textAlign === "right" && text.trim()) window.starts.push([text, x - this.measureText(text).width]);
            whole.call(this, text, x, y);
        };""")
    page.wait(IS_READY)
    page.press("+")
    page.wait("window.starts.some(([text]) => text === 'C4')")
    assert min(start for _, start in page.evaluate("window.starts")) >= 0


def test_the_dark_scheme_is_dark_and_the_roll_follows(page: Page, site: str, folder: Path) -> None:
    open_song(page, site, folder / "three.mid")
    ground = "getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).map(Number).reduce((a, b) => a + b)"
    corner = "document.querySelector('#roll canvas').getContext('2d').getImageData(2, 100, 1, 1).data[0]"
    assert page.evaluate(ground) > 600 and page.evaluate(corner) > 200
    page.prefer(dark=True)
    page.wait(f"{corner} < 60")
    assert page.evaluate(ground) < 120
    assert page.evaluate(RECTANGLES)[0]["pixels"] > 20


def test_without_scripts_all_but_roll_and_sound_works(page: Page, site: str) -> None:
    page.send("Emulation.setScriptExecutionDisabled", value=True)
    page.open_plain(site + address("/", q="has:drums"))
    assert "Count keys, tempos" in page.html() and "Slap Happy" in page.html()
    page.open_plain(site + address("/", q="has:drums", facets=1))
    assert 'class="facet"' in page.html()
    page.open_plain(file_address(site, SAMPLE / "band" / "slap happy.mid"))
    assert "The piano roll and the sound need JavaScript" in page.html() and "chord_progression" in page.html()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_is_a_barrier(page: Page, site: str, width: int, dark: bool) -> None:
    """By the rules of axe-core (WCAG 2, A and AA, and best practices): nothing serious or critical."""
    if not AXE.exists():
        pytest.skip("axe-core is not there (make browser-tests)")
    page.resize(width, 800)
    page.prefer(dark, still=True)
    song = file_address(site, SAMPLE / "band" / "slap happy.mid")
    broken = file_address(site, SAMPLE / "odd" / "half a download.mid")
    lists = (site + address("/", q=query, facets=1) for query in ("", "key:Am has:drums", "nothing at all"))
    for url in (*lists, song, broken, site + "/help"):
        page.open(url)
        if url == song:
            page.wait(IS_READY)
        page.evaluate(AXE.read_text() + "; 0")
        found = page.evaluate("axe.run().then(r => r.violations.map(v => [v.impact, v.id, v.nodes.map(n => n.html)]))")
        assert [violation for violation in found if violation[0] in ("serious", "critical")] == [], url
    page.press("?")
    page.wait("document.querySelector('dialog').open")
    found = page.evaluate("axe.run().then(r => r.violations.map(v => [v.impact, v.id, v.nodes.map(n => n.html)]))")
    assert [violation for violation in found if violation[0] in ("serious", "critical")] == []
