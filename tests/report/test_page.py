"""The page: whole in itself, small, and proof against what files are called and contain."""

from __future__ import annotations

import datetime as dt
import errno
import io
import os
import random
import re
import sys
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

import midiopt
from benchmarks.synthetic_library import batches
from docs.record_terminal import run_in_terminal
from midiopt.cli import progress_text
from midiopt.cli.main import main
from midiopt.library.report import library_report
from midiopt.library.search import parse_query
from midiopt.library.snapshot import open_snapshot
from midiopt.report.page import report_page
from midiopt.schema import BPM_SOURCES, ISSUE_BITS, ISSUES, KEYS, STATUSES
from midiopt.sinks import open_sink
from tests.helpers.batches import analysis_row, file_row, make_batch, write

SAMPLE = Path(__file__).parents[2] / "sample" / "midi"
NOW = dt.datetime(2026, 5, 4, 3, 2, tzinfo=dt.UTC)
VOID = {"meta", "link", "br", "img", "input", "hr", "wbr"}
# Markup, an entity, a script, quotes, escape sequences, overrides of direction, line separators.
HOSTILE = "</title><script>alert(1)</script><img src=http://x.example/> \"' &amp; \x1b[31m\x9b\x07\u202e\u2066\u2028\r\n"
FORBIDDEN = set("\x1b\x9b\x07\u202e\u2066\u2028\r")


class Page(HTMLParser):
    """The elements of a page and its text; fails where they are not nested."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page_of(url: str, query: str = "", database: str = "music.db") -> str:
    with open_snapshot(url) as library:
        return report_page(library_report(library, parse_query(query)), database, NOW)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The sample, of two runs."""
    url = str(tmp_path_factory.mktemp("page") / "sample.db")
    midiopt.run([SAMPLE], url, workers=1)
    midiopt.run([SAMPLE], url, workers=1)
    return url


@pytest.fixture(scope="module")
def text(database: str) -> str:
    return page_of(database)


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def test_nothing_is_loaded_and_nothing_runs(text: str, page: Page) -> None:
    assert {name for name, _ in page.elements}.isdisjoint(
        {"script", "link", "img", "iframe", "object", "embed", "base", "form", "image", "use"}
    )
    for _, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name in ("src", "srcset", "action", "xlink:href")]
        assert (attributes.get("href") or "#").startswith("#")
    assert not re.search(r"https?:|url\(|@import|data:", text)
    assert "default-src 'none'" in str(page.named("meta"))


def test_every_section_is_in_the_contents(page: Page) -> None:
    sections = [attributes["id"] for attributes in page.named("section")]
    assert sections == [
        *("status", "issues", "tempo", "lengths", "keys", "instruments", "patterns", "confidence", "duplicates", "near", "slowest", "runs")
    ]
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert [attributes["href"] for attributes in page.named("a")] == ["#figures", *(f"#{name}" for name in sections)]
    assert {name for attributes in page.named("section") for name in str(attributes["aria-labelledby"]).split()} <= set(ids)


def test_every_chart_has_a_title_a_description_and_its_numbers(page: Page) -> None:
    ids = {str(attributes.get("id")) for _, attributes in page.elements}
    charts, figures = page.named("svg"), page.named("figure")
    assert len(charts) == len(figures) == len(page.named("figcaption")) == len(page.named("details")) > 12
    for chart in charts:
        title, description = str(chart["aria-labelledby"]).split()
        assert chart["role"] == "img" and {title, description} <= ids
        assert str(chart["viewbox"]).startswith("0 0 360 ")


def test_one_heading_of_each_level_above_the_next(page: Page) -> None:
    levels = [int(name[1]) for name, _ in page.elements if re.fullmatch("h[1-6]", name)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(below <= above + 1 for above, below in pairwise(levels))


def test_what_the_page_says(text: str, page: Page) -> None:
    words = " ".join(page.texts)
    for said in (
        "All files in",
        "music.db",
        "Half of the files",
        "C G Am F",
        "0 Acoustic Grand Piano",
        "rock backbeat",
        "not found.mid",
        "2026-05-04",
    ):
        assert said in words, said
    assert text.count("<h1>") == 1


def test_one_run_is_not_several(tmp_path: Path) -> None:
    for said in ("The only run, of 20", "The latest 2 runs, from 20"):
        midiopt.run([SAMPLE / "piano"], tmp_path / "music.db")
        assert said in page_of(str(tmp_path / "music.db"))


def test_a_query_is_named(database: str) -> None:
    words = " ".join(Page(page_of(database, "key:Am or <b>")).texts)
    assert "Files that" in words and "key:Am or <b>" in words


def test_a_report_about_nothing(database: str, tmp_path: Path) -> None:
    assert "No file is found." in page_of(database, "no_such_word")
    Page(page_of(database, "status:rejected"))
    midiopt.run([tmp_path], str(tmp_path / "empty.db"), workers=1)
    Page(page_of(str(tmp_path / "empty.db")))


def hostile_rows() -> tuple[list[dict], list[dict]]:
    """Files of every status and issue with long names that mean harm, many copies of each."""
    chance = random.Random(5)
    files, contents = [], []
    for n in range(600):
        name = f"/{n:04}/{HOSTILE}" + chance.choice("&<>\"'\x1b") * 1500 + f"{HOSTILE}.mid"
        key = (n % 200 + 1).to_bytes(16)
        status = STATUSES[n % 5] if n >= 200 else "ok"
        files.append(file_row(path=name, status=status, error=None if status == "ok" else HOSTILE * 9, content_hash=key, analysis_us=n))
        if n < 200:
            contents.append(
                analysis_row(
                    content_hash=key,
                    issues=sum(ISSUE_BITS[issue] for issue in ISSUES) if n == 7 else ISSUE_BITS[ISSUES[n % len(ISSUES)]],
                    time_signature=f"{n + 1}/{2 ** (n % 8)}",
                    chord_progression=HOSTILE[:40] if n % 2 else "Am F C G",
                    bpm=1e7,
                    bpm_source=BPM_SOURCES[0],
                    key=KEYS[n % 30],
                    duration_s=1e18,
                    note_count=2**31 - 1,
                    programs=list(range(128)),
                )
            )
    return files, contents


def test_hostile_names_are_text_and_make_no_large_page(url: str) -> None:
    files, contents = hostile_rows()
    with open_sink(url) as sink:
        write(sink, make_batch(files, contents))
        sink.finalize()
    text = page_of(url, database=f"/tmp/{HOSTILE}.db")
    page = Page(text)
    assert {name for name, _ in page.elements}.isdisjoint({"script", "img"})
    assert not FORBIDDEN.intersection(text)
    assert "alert(1)" in " ".join(page.texts)
    assert len(text.encode()) < 300_000
    assert not [piece for piece in page.texts if len(piece) > 12_000]  # the style is the longest


def test_a_large_library_makes_no_large_page(tmp_path: Path) -> None:
    """Every list is bounded; those of the sample are nearly full already."""
    url = str(tmp_path / "large.db")
    with open_sink(url) as sink:
        for batch in batches(6000):
            write(sink, batch)
        sink.finalize()
    assert len(page_of(url).encode()) < 200_000


def test_near_duplicates_of_many_contents_are_not_looked_for(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "WALTZ.RMI" in page_of(database).partition('id="near"')[2].partition("</section>")[0]
    monkeypatch.setattr("midiopt.library.report.MAX_NEAR", 28)
    assert "Not looked for among more than" in page_of(database)


def test_the_command(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["report", "--db", database]) == 0
    first = Path("report.html").read_text()
    assert re.fullmatch(rb"report\.html: \d+ files, \d+ KB\n", capsysbinary.readouterr().out)
    Path("report.html.0123456789abcdef.part").touch()  # left by a killed one
    assert main(["report", "role:drums", "key:Am", "--db", database]) == 0  # a report is replaced
    assert Path("report.html").read_text() != first
    assert main(["report", "--db", database, "-o", "-"]) == 0
    Page(capsysbinary.readouterr().out.split(b"\n", 1)[1].decode())
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert Path("report.html").stat().st_mode & 0o777 == 0o666 & ~_umask()


def test_a_report_is_replaced_by_a_whole_one_only(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A disk in a network may take what is written, and say later that it is full."""
    assert main(["report", "--db", database, "-o", str(tmp_path / "a.html")]) == 0
    before = (tmp_path / "a.html").read_bytes()
    capsys.readouterr()

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    assert main(["report", "key:Am", "--db", database, "-o", str(tmp_path / "a.html")]) == 1
    assert capsys.readouterr().err == f"midiopt: {tmp_path}/a.html: No space left on device\n"
    assert (tmp_path / "a.html").read_bytes() == before and os.listdir(tmp_path) == ["a.html"]


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_no_other_file_is_replaced(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.html").write_text("<html>")
    Path("folder").mkdir()
    Path("empty.html").touch()
    Path("link.html").symlink_to("real.html")
    for name, problem in {
        "mine.html": "mine.html is there and no report of midiopt; name another file with -o",
        "folder": "folder is a folder; name a file with -o",
        "absent/": "absent/ is a folder; name a file with -o",
        "absent/x.html": "there is no folder absent",
        "/dev/null": "/dev/null is there and no report of midiopt; name another file with -o",
    }.items():
        assert main(["report", "--db", database, "-o", name]) == 1
        assert capsys.readouterr().err == f"midiopt: {problem}\n"
    assert Path("mine.html").read_text() == "<html>"
    assert main(["report", "--db", database, "-o", "empty.html"]) == 0
    assert main(["report", "--db", database, "-o", "link.html"]) == 0
    assert Path("link.html").is_symlink() and Path("real.html").stat().st_size > 10_000


def test_a_search_that_cannot_be_read(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "keey:Am", "--db", database]) == 1
    assert "did you mean key" in capsys.readouterr().err


def test_a_report_leaves_one_line_on_the_terminal(database: str, tmp_path: Path) -> None:
    shown = run_in_terminal([sys.executable, "-m", "midiopt", "report", "--db", database, "-o", str(tmp_path / "x.html")], 80, 24)
    assert re.fullmatch(r"(.*\r {60}\r)?\S+x\.html: \d+ files, \d+ KB\r\n", shown)  # after progress that is erased, if it took a second


def test_progress_is_one_line_that_is_erased(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(progress_text, "DELAY", 0.0)
    monkeypatch.setattr(progress_text, "INTERVAL", 100.0)
    with progress_text.ProgressText() as progress:
        progress.show("reading facts, 3 %")
        progress.show("reading facts, 4 %")  # too soon
    assert terminal.getvalue() == f"\r{'reading facts, 3 %':60}\r{'':60}\r"
    monkeypatch.setattr(progress_text, "DELAY", 100.0)
    with progress_text.ProgressText() as progress:
        progress.show("nothing at the beginning")
    assert "nothing" not in terminal.getvalue()
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with progress_text.ProgressText() as progress:
        progress.show("nothing in a pipe")
    assert sys.stderr.getvalue() == ""  # type: ignore[attr-defined]
