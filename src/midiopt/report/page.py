"""The page as a whole."""

from __future__ import annotations

import datetime as dt
from importlib.resources import files

from midiopt.core import build
from midiopt.display.svg import element, short_number, text_of
from midiopt.library.report import LibraryReport
from midiopt.report import library, music
from midiopt.report.distributions import percent
from midiopt.report.html import cut, note
from midiopt.wording import counted, size_text

GENERATOR = '<meta name="generator" content="midiopt report">'  # by which a report is told from other files
# Nothing is loaded and nothing runs: the page is made of text from files.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
CONTENTS = {
    "status": "Status",
    "issues": "Issues",
    "tempo": "Tempo",
    "lengths": "Lengths",
    "keys": "Keys",
    "instruments": "Instruments",
    "patterns": "Patterns",
    "confidence": "Confidence",
    "duplicates": "Duplicates",
    "near": "Near-duplicates",
    "slowest": "Slowest",
    "runs": "Runs",
}


def report_page(report: LibraryReport, database: str, now: dt.datetime) -> str:
    """The page, which needs no other file; `database` is named without its password."""
    style = files("midiopt.report").joinpath("style.css").read_text()
    title = f"midiopt report of {cut(database, end=True)}"
    parts = [library.status(report), library.issues(report)] if report.files else []
    if report.analysed:
        parts += [part(report) for part in (music.tempo, music.lengths, music.keys, music.instruments, music.patterns, library.confidence)]
        parts += [library.duplicates(report), library.near(report)]
    if report.files:
        parts += [library.slowest(report), library.runs(report)]
    main = "".join(parts) or element("p", "No file is found.", class_="empty")
    links = "".join(element("a", text, href=f"#{name}") for name, text in CONTENTS.items() if f'id="{name}"' in main)
    head = [
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
        GENERATOR,
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><meta name="color-scheme" content="light dark">',
        element("title", text_of(title)),
        element("style", style),
    ]
    body = [
        element("a", "To the figures", href="#figures", class_="skip"),
        _header(report, database),
        element("nav", links, aria_label="Contents") if links else "",
        element("main", main, id="figures"),
        element(
            "footer", note(f"Made by midiopt {build.version} on {now.astimezone(dt.UTC):%Y-%m-%d at %H:%M} UTC. All counts are of files.")
        ),
    ]
    return f'<!DOCTYPE html>\n<html lang="en"><head>{"".join(head)}</head>\n<body>{"".join(body)}</body></html>\n'


def _header(report: LibraryReport, database: str) -> str:
    code = element("code", text_of(cut(database, end=True)))
    asked = f"Files that {element('code', text_of(cut(report.query)))} finds, in {code}" if report.query.strip() else f"All files in {code}"
    copies, notes = report.duplicates.copies, sum(line.notes for line in report.statuses)
    seconds = sum(line.seconds for line in report.statuses)
    faults = sum(line.files for line in report.statuses if line.example is not None)
    tiles = [
        (f"{report.files:,}", "files", size_text(report.bytes)),
        (percent(report.analysed, report.files), "analysed", counted(report.analysed, "file")),
        (f"{report.analysed - copies:,}", "different contents", f"{copies:,} {'copy' if copies == 1 else 'copies'}"),
        (_duration(seconds), "of music", f"{seconds / max(report.analysed, 1) / 60:.1f} min a file"),
        (short_number(notes), "notes", f"{notes:,}"),
        (f"{faults:,}", "repaired or unusable", percent(faults, report.files)),
    ]
    shown = ""
    for number, label, more in tiles:
        values = element("dd", element("strong", text_of(number)) + element("span", text_of(more)))
        shown += element("div", element("dt", text_of(label)) + values)
    return element("header", element("h1", "MIDI library") + element("p", asked) + element("dl", shown, class_="tiles"))


def _duration(seconds: float) -> str:
    """In the largest unit that leaves a number of at least 1."""
    for unit, name in ((86400 * 365.25, "years"), (86400, "days"), (3600, "hours"), (60, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:,.1f} {name}"
    return f"{seconds:.0f} s"
