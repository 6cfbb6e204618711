"""What a notebook shows of the facts of a file: a table, and a piano roll while the content can be read."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

import midiopt
from midiopt.display.notebook import COLUMNS, ROW
from sample.smf import note_off, note_on, smf, text, track
from tests.helpers.songs import song

# Ten seconds at 120 BPM and 96 ticks per quarter: C4 in the first half, E4 in the second in another track, and a drum at the end.
SONG = smf(
    [
        track([(0, text(3, "<b>&")), (0, note_on(0, 60, 80)), (960, note_off(0, 60)), (1920, text(1, ""))]),
        track([(960, note_on(1, 64, 80)), (1920, note_off(1, 64))]),
        track([(1824, note_on(9, 36, 80)), (1920, note_off(9, 36))]),
    ],
    division=96,
)


def paths_of(html: str) -> list[tuple[str, str]]:
    """(colour, lines) of each path."""
    return [(path.get("stroke", ""), path.get("d", "")) for path in ElementTree.fromstring(html).iter("path")]


def test_the_table_has_the_main_facts_and_the_picture_all_notes(tmp_path: Path) -> None:
    path = tmp_path / "a & b.mid"
    path.write_bytes(SONG)
    html = midiopt.analyze(path)._repr_html_()
    root = ElementTree.fromstring(html)
    assert root.findtext(".//caption") == str(path)
    rows = {row.findtext("th"): row.findtext("td/div") for row in root.iter("tr")}
    assert (rows["status"], rows["title"], rows["note_count"], rows["duration_s"]) == ("ok", "<b>&", "3", "10 s")
    (first, high), (second, low), (grey, drum) = sorted(paths_of(html), key=lambda path: path[1])
    assert len({first, second, grey}) == 3
    half, last = COLUMNS // 2, int(COLUMNS * 0.95)
    assert high == f"M0 {4.5 * ROW:g}h{half}", "C4, four half tones below E4"
    assert low == f"M{half} {0.5 * ROW:g}h{half}" and drum == f"M{last} {6.5 * ROW:g}h1"


def test_the_picture_is_of_the_content_that_was_analyzed(tmp_path: Path) -> None:
    path = tmp_path / "a.mid"
    path.write_bytes(song(1))
    facts = midiopt.analyze(path)
    assert paths_of(facts._repr_html_())
    path.write_bytes(song(2))
    assert not paths_of(facts._repr_html_()), "the file has changed"
    path.unlink()
    assert not paths_of(facts._repr_html_()) and "<table>" in facts._repr_html_()

    of_bytes = midiopt.analyze(song(1))
    assert paths_of(of_bytes._repr_html_())
    midiopt.analyze(song(2))
    assert not paths_of(of_bytes._repr_html_()), "contents are not kept"

    (tmp_path / "b.mid.gz").write_bytes(gzip.compress(song(3)))
    [compressed] = midiopt.analyze_many([tmp_path / "b.mid.gz"])
    assert paths_of(compressed._repr_html_())


def test_pictures_on_one_page_have_names_of_their_own() -> None:
    names = [re.search(r'<svg [^>]*aria-labelledby="([^"]+)"', midiopt.analyze(song(seed))._repr_html_()) for seed in (1, 2)]
    assert names[0] and names[1] and names[0][1] != names[1][1]


@pytest.mark.parametrize("events", [[(0, text(1, "no notes"))], [(0, note_on(9, 36, 1)), (9, note_off(9, 36))], [(0, note_on(0, 60, 1))]])
def test_every_song_has_a_text(events: list) -> None:
    ElementTree.fromstring(midiopt.analyze(smf([track(events)]))._repr_html_())


def test_the_size_of_the_picture_does_not_grow_with_the_notes() -> None:
    notes = [event for i in range(60_000) for event in ((3 * i, note_on(0, i % 128, 64)), (3 * i + 2, note_off(0, i % 128)))]
    assert len(midiopt.analyze(smf([track(notes)]))._repr_html_()) < 12 * 128 * COLUMNS
