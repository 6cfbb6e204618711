"""The sections of the page about the library: status, issues, confidence, copies, time and runs."""

from __future__ import annotations

import datetime as dt

from midiopt.display import svg
from midiopt.display.svg import Bar
from midiopt.library.queries import Run
from midiopt.library.report import MAX_NEAR, LibraryReport
from midiopt.report.distributions import percent, spoken, tenths
from midiopt.report.html import Markup, bar_figure, card, cut, figure, grid, items, note, path, section, table
from midiopt.schema import REPAIRS, STATUS_MEANINGS, UNUSUAL
from midiopt.wording import clock, counted, size_text

FIRSTS, MEANINGS = "The first file of each, and why", "What they mean, with an example"
LATEST, UNFINISHED = "The latest runs", "not finished"
LISTS_NEAR = "midiopt duplicates --near lists them all."
MAX_ISSUES, MAX_NEAR_FILES = 20, 6  # that are listed
LISTED_RUNS = 12
TRIALS = {  # what is compared: name of the counts, title, what the confidence claims, and what counts as right
    "bpm by name": ("Tempo and names", "bpm_confidence of files whose name has a tempo; right where bpm is within 4 % of it."),
    "onsets by declared tempo": (
        "Tempo from onsets",
        "bpm_onsets_confidence of files that declare one tempo; right where bpm_onsets is within 4 % of it. Half or twice of it is wrong.",
    ),
    "key by name": ("Key and names", "key_confidence of files whose name has a key; right where key is the same."),
    "meter by time signature": (
        "Meter and time signature",
        "meter_confidence of files that declare a meter which the estimate chooses from; right where meter_estimated is the same.",
    ),
}


def status(report: LibraryReport) -> str:
    """Files by status, with an example and its error."""
    bars = [Bar(line.status, line.files, f"{counted(line.files, 'file')}, {percent(line.files, report.files)}") for line in report.statuses]
    rows = [
        (line.status, line.files, percent(line.files, report.files), STATUS_MEANINGS[line.status].replace("`", ""))
        for line in report.statuses
    ]
    chart = svg.rows("status-chart", "Files by status", spoken(bars), bars, 92)
    parts = [figure("Files by status", chart, ("status", "files", "share", "meaning"), rows)]
    examples = [
        (line.status, Markup(path(line.example) + note(cut(line.error or "")))) for line in report.statuses if line.example is not None
    ]
    if examples:
        parts.append(card(FIRSTS, table(("status", "file"), examples, FIRSTS, "stacked paths"), is_wide=True))
    return section("status", "Status", grid(*parts))


def issues(report: LibraryReport) -> str:
    """The most frequent issues with an example each."""
    if not report.issues:
        return section("issues", "Issues", about="No file was repaired or is unusual.")
    meanings = REPAIRS | UNUSUAL
    shown, others = report.issues[:MAX_ISSUES], report.issues[MAX_ISSUES:]
    bars = [Bar(line.name, line.files, f"{counted(line.files, 'file')}, {percent(line.files, report.analysed)}") for line in shown]
    about = "Repairs, and what is unusual but valid. A file may have several."
    rows = [(Markup(svg.element("strong", line.name) + note(meanings[line.name])), path(line.example)) for line in shown]
    rest = note("Fewer: " + ", ".join(f"{line.name} {line.files:,}" for line in others)) if others else ""
    listed = table(("issue", "a file that has it"), rows, MEANINGS, "stacked")
    return section(
        "issues",
        "Issues",
        grid(
            bar_figure("issue-chart", "Files with an issue", bars, 170, "issue", about, report.analysed),
            card(MEANINGS, listed + rest, is_wide=True),
        ),
    )


def confidence(report: LibraryReport) -> str:
    """How often estimates are right by what their confidences say."""
    figures = [
        _trial_figure(f"confidence-chart-{i}", tenths(report.counts[name]), *texts) for i, (name, texts) in enumerate(TRIALS.items())
    ]
    about = (
        "What the estimates are worth in this library: upright the share that is right, sideways the confidence in tenths, the wider a bar"
        " the more files. On the line a confidence says the truth. Names and declarations are themselves not always right."
    )
    return section("confidence", "Confidence", grid(*figures), about=about)


def _trial_figure(name: str, found: list[tuple[int, int]], title: str, about: str) -> str:
    right, tried = (sum(numbers) for numbers in zip(*found, strict=True))
    if not tried:
        return card(title, note(f"{about} There is none."))
    rows = [(f"{k / 10:.1f} to {(k + 1) / 10:.1f}", n, r, percent(r, n)) for k, (r, n) in enumerate(found) if n]
    told = f"{right:,} of {tried:,} are right, {percent(right, tried)}."
    said = "; ".join(f"confidence {label}: {share} of {n:,} right" for label, n, _, share in rows)
    chart = svg.reliability(name, title, f"Share of estimates that are right by their confidence. {told} {said}", found)
    return figure(title, chart, ("confidence", "files", "right", "share"), rows, f"{about} {told}")


def duplicates(report: LibraryReport) -> str:
    """The contents with the most copies."""
    found = report.duplicates
    if not found.contents:
        return section("duplicates", "Duplicates", about="No two files have the same bytes.")
    about = (
        f"{found.contents:,} {'content is' if found.contents == 1 else 'contents are'} there more than once. Beyond the first file of each"
        f" there {'is' if found.copies == 1 else 'are'} {found.copies:,}, {percent(found.copies, report.analysed)} of the files:"
        f" {size_text(found.bytes)}."
    )
    rows = [
        (group.files, size_text(group.size_bytes), items(map(path, group.paths), group.files - len(group.paths))) for group in found.largest
    ]
    listed = card("Most copies", table(("copies", "size", "files"), rows, "Most copies", "stacked paths"))
    return section("duplicates", "Duplicates", listed, about=about)


def near(report: LibraryReport) -> str:
    """The largest groups of contents that are nearly the same music, and what differs."""
    found = report.near
    if found is None:
        return section("near", "Near-duplicates", about=f"Not looked for among more than {MAX_NEAR:,} contents: {LISTS_NEAR}")
    if not found.groups:
        return section("near", "Near-duplicates", about="No two contents are nearly the same music.")
    about = (
        f"{found.contents:,} contents are in {counted(found.groups, 'group')} of nearly the same music:"
        f" retitled, transposed, faster, with a track fewer. {LISTS_NEAR}"
    )
    rows = []
    for contents, group in found.largest:
        listed = [
            Markup(path(file.path) + (note(", ".join(file.differs)) if file.differs else "")) for file in group.files[:MAX_NEAR_FILES]
        ]
        rows.append((contents, items(listed, contents - group.contents, "contents")))
    heads = ("contents", "files, and what differs from the first")
    shown = card("Largest groups", table(heads, rows, "Largest groups", "stacked paths"))
    return section("near", "Near-duplicates", shown, about=about)


def slowest(report: LibraryReport) -> str:
    """The files whose analysis took longest."""
    if not report.slowest:
        return ""
    rows = [(f"{file.seconds * 1000:,.1f} ms", path(file.path)) for file in report.slowest]
    title = "Time of reading and analysis"
    return section("slowest", "Slowest files", card(title, table(("time", "file"), rows, title, "paths")))


def runs(report: LibraryReport) -> str:
    """The latest runs over time, of the whole library."""
    if not report.runs:
        return ""
    bars = [_run_bar(run) for run in report.runs]
    places = {0, len(bars) // 2, len(bars) - 1} if len(bars) > 6 else range(len(bars))
    marks = {place + 0.5: bars[place].label for place in places}
    first, last = when(report.runs[0].started), when(report.runs[-1].started)
    which = f"The latest {len(bars)} runs, from {first} to {last}" if len(bars) > 1 else f"The only run, of {first}"
    about = f"{which} (UTC). The other colour is what could not be used."
    title = "Files analysed by each run"
    chart = svg.columns("run-chart", title, f"{about} {sum(bar.value for bar in bars):,.0f} files in all.", bars, marks)
    numbers = [(run.id, int(bar.value), int(bar.other)) for run, bar in zip(report.runs, bars, strict=True)]
    heads = ("run", "started (UTC)", "outcome", "found", "analysed", "unchanged", "time", "files/s", "version")
    latest = list(zip(report.runs, bars, strict=True))[: -LISTED_RUNS - 1 : -1]
    listed = table(heads, [_run_row(run, int(bar.value)) for run, bar in latest], LATEST)
    return section(
        "runs", "Runs", grid(figure(title, chart, ("run", "files", "unusable"), numbers, about), card(LATEST, listed, is_wide=True))
    )


def _run_bar(run: Run) -> Bar:
    unusable = (run.rejected or 0) + (run.unreadable or 0) + (run.crashed or 0)
    done = (run.ok or 0) + (run.repaired or 0) + unusable
    about = (
        f"run {run.id}, {when(run.started)}: {counted(done, 'file')} analysed, {unusable:,} of them unusable, {run.outcome or UNFINISHED}"
    )
    return Bar(f"{run.started:%d %b}", done, about, other=unusable)


def _run_row(run: Run, analysed: int) -> tuple[object, ...]:
    rate = f"{analysed / run.seconds:,.0f}" if run.seconds else ""
    time = clock(run.seconds) if run.seconds is not None else ""
    return (
        run.id,
        when(run.started),
        run.outcome or UNFINISHED,
        run.files or 0,
        analysed,
        run.skipped or 0,
        time,
        rate,
        cut(run.version),
    )


def when(time: dt.datetime) -> str:
    """A time in UTC, to the minute."""
    return f"{time.astimezone(dt.UTC):%Y-%m-%d %H:%M}"
