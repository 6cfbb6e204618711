"""The picture that midiopt show draws on a terminal: notes, drums, chords, key, meter and tempo over time."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from rich.text import Text

from docs.record_terminal import run_in_terminal
from midiopt.cli.main import main
from midiopt.cli.piano_roll import COLOURS, GUTTER
from midiopt.cli.time_picture import picture
from sample import smf

SAMPLE = Path(__file__).parents[2] / "sample" / "midi"
SONG = SAMPLE / "band" / "neon avenue.mid"
QUARTER = 480  # half a second

Note = tuple[float, float, int]  # start and length in quarters, pitch


def part(notes: list[Note], channel: int = 0, events: list[smf.Event] | None = None) -> bytes:
    found = list(events or [])
    for start, length, pitch in notes:
        found.append((int(start * QUARTER), smf.note_on(channel, pitch, 90)))
        found.append((int((start + length) * QUARTER), smf.note_off(channel, pitch)))
    return smf.track(sorted(found, key=lambda event: event[0]))


def drawn(*tracks: bytes, width: int = GUTTER + 40, is_coloured: bool = False, format: int = 1) -> list[Text]:
    return list(picture(memoryview(smf.smf(list(tracks), format=format)), width, is_coloured))


def rows(*tracks: bytes, **settings: int) -> dict[str, str]:
    """The lines by what stands before them; a line below with nothing before it belongs to the last."""
    found: dict[str, str] = {}
    for line in drawn(*tracks, **settings):
        name = line.plain[:GUTTER].strip()
        found[name] = found.get(name, "") + line.plain[GUTTER:]
    return found


def test_two_half_tones_to_a_line() -> None:
    """Four notes of ten columns each, of C4 to D sharp."""
    lines = [line.plain for line in drawn(part([(i, 1, 60 + i) for i in range(4)]))]
    assert lines[0] == " " * GUTTER + " " * 20 + "▄" * 10 + "▀" * 10
    assert lines[1] == f"{'C4':>6} " + "▄" * 10 + "▀" * 10 + "┈" * 20


def test_a_line_with_both_half_tones() -> None:
    assert drawn(part([(0, 4, 60), (0, 4, 61)]))[0].plain == f"{'C4':>6} " + "█" * 40
    [first, *_] = drawn(part([(0, 4, 60)]), part([(0, 4, 61)]), is_coloured=True)
    assert first.plain[GUTTER:] == "▀" * 40
    assert {span.style for span in first.spans} == {"dim", f"color({COLOURS[1]}) on color({COLOURS[0]})"}


def test_the_track_with_more_notes_gives_a_cell_its_colour() -> None:
    busy = part([(0, 2, 60)])
    [line, *_] = drawn(busy, part([(k / 8, 1 / 8, 60) for k in range(16)]), width=GUTTER + 2, is_coloured=True) or [Text()]
    assert line.plain == ""  # too narrow for a picture
    [line, *_] = drawn(busy, part([(k / 64, 1 / 64, 60) for k in range(128)]), is_coloured=True)
    assert {str(span.style) for span in line.spans[1:]} == {f"color({COLOURS[1]})"}


def test_a_wide_range_has_several_half_tones_to_a_line() -> None:
    lines = drawn(part([(0, 1, pitch) for pitch in range(128)]))
    assert sum("█" in line.plain for line in lines) == 16  # of 8 half tones each
    labels = [line.plain[:GUTTER].strip() for line in lines[:16]]
    assert [label for label in labels if label] == [f"C{octave}" for octave in range(9, -2, -1)]


def test_drums_stand_apart() -> None:
    """The height of a bar is the number of strokes, up to the most of any drum in a column."""
    kit = part([(0, 0.1, 36), (2, 0.1, 38), (2.02, 0.1, 38), (3, 0.9, 75)], channel=9)
    found = rows(part([(0, 4, 60)]), kit)
    assert found["C4"] == "▄" * 40
    assert {name: found[name].rstrip() for name in ("kick", "snare", "perc.")} == {
        "kick": "▄",
        "snare": " " * 20 + "█",
        "perc.": " " * 30 + "▄",
    }
    assert "tom" not in found


def test_chords_key_meter_and_tempo_begin_where_they_hold() -> None:
    """Eight bars of 4/4, which are 16 s at 120 BPM: one every five columns; then the tempo halves."""
    chords = [(48, 52, 55), (45, 48, 52), (41, 45, 48), (43, 47, 50)] * 2
    notes = [(bar * 4.0, 4.0, pitch) for bar, chord in enumerate(chords) for pitch in chord]
    events = [(0, smf.time_signature(4, 4)), (0, smf.tempo(120)), (24 * QUARTER, smf.tempo(60))]
    found = rows(part(notes, events=events))
    assert found["chords"] == "C   Am  F   G   C   Am  F       G"  # the last two bars take twice as long
    assert (found["key"], found["meter"]) == ("C", "4/4")
    assert found["bpm"] == "120" + " " * 21 + "60"


def test_labels_that_touch_stand_on_further_lines() -> None:
    chords = [(48, 52, 55), (45, 48, 52), (41, 45, 48), (43, 47, 50)] * 12
    notes = [(2.0 * i, 2.0, pitch) for i, chord in enumerate(chords) for pitch in chord]
    lines = [line.plain for line in drawn(part(notes))]
    at = next(i for i, line in enumerate(lines) if line.startswith("chords"))
    assert lines[at][GUTTER:].startswith("C G Am")
    assert lines[at + 1][GUTTER:].startswith("Am")
    assert "of 48 chords have room" in lines[at + 3]


def test_many_tempos_are_bars() -> None:
    events = [(i * QUARTER, smf.tempo(60 + i)) for i in range(60)]
    found = rows(part([(0, 60, 60)], events=events))
    assert re.match(r"▁.*█▁ \d\d to █ 11\d quarters per minute", found["bpm"] + found[""])
    assert len(found["bpm"]) == 40


def test_the_clock() -> None:
    assert drawn(part([(0, 120, 60)]))[-1].plain[GUTTER:].split() == ["0:00", "0:15", "0:30", "0:45"]
    assert drawn(part([(0, 10 * 7200, 60)]))[-1].plain[GUTTER:].split() == ["0:00", "5:00:00"]


@pytest.mark.parametrize("width", [30, 60, 80, 200])
def test_every_line_fits(width: int) -> None:
    """Whatever a file has: one note, one without a length, no pitched note, a hundred tracks, format 2, a time without end."""
    step = 0x0FFFFFFF
    files = [
        [part([(0, 1, 60)])],
        [part([(0, 0, 60)])],
        [part([(i, 0.1, i) for i in range(128)], channel=9)],
        [part([(i % 7, 2, pitch) for i, pitch in enumerate(range(20, 110, 5))], channel=k % 9) for k in range(100)],
        [smf.track([(0, smf.note_on(0, 60, 99)), *((k * step, smf.text(1, "")) for k in range(500)), (500 * step, smf.note_off(0, 60))])],
    ]
    for tracks in files:
        for is_coloured in (False, True):
            lines = drawn(*tracks, width=width, is_coloured=is_coloured)
            assert lines and max(line.cell_len for line in lines) <= width
            assert is_coloured or all(style in ("", "dim", "color(244)") for line in lines for style in {str(s.style) for s in line.spans})
    assert drawn(part([(0, 1, 60)]), part([(0, 40, 72)]), width=width, format=2)


def test_a_terminal_shows_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    command = [sys.executable, "-m", "midiopt", "show", str(SONG)]
    shown = run_in_terminal(command, 80, 40)
    assert "over time" in shown and f"\x1b[38;5;{COLOURS[0]}m" in shown
    monkeypatch.setenv("NO_COLOR", "1")
    shown = run_in_terminal(command, 80, 40)
    assert "█" in shown and not re.search(r"\x1b\[[0-9;]*[34][0-9]", shown)
    monkeypatch.setenv("PYTHONIOENCODING", "latin-1")
    assert "over time" not in run_in_terminal(command, 80, 40)


def test_a_pipe_gets_no_picture(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(SONG)]) == 0
    assert "over time" not in capsys.readouterr().out
