"""Splits for machine learning: no copy and no near-duplicate on two sides."""

from __future__ import annotations

import json
import random
from itertools import combinations
from pathlib import Path

import pytest

import midiopt
from midiopt.library.similar import NEAR_SCORE, score_of
from midiopt.library.split import parse_shares
from tests.helpers.processes import call
from tests.library.test_similar import content, melody, transposed

PARTS = ("train", "validation", "test")


@pytest.fixture
def songs(tmp_path) -> Path:
    """Thirty songs, half of them in up to four versions, some saved twice."""
    folder = tmp_path / "songs"
    folder.mkdir()
    chance = random.Random(4)
    for seed in range(30):
        notes = melody(seed, 90)
        for version in range(1 + seed % 2 * chance.randrange(1, 4)):
            at = chance.randrange(20)
            (folder / f"{seed:02}-{version}.mid").write_bytes(content(transposed(notes[at : at + 70], version), f"{seed} {version}"))
        (folder / f"{seed:02}-copy.mid").write_bytes((folder / f"{seed:02}-0.mid").read_bytes())
    (folder / "short.mid").write_bytes(content(melody(99, 5), "short"))
    (folder / "same notes.mid").write_bytes(content(melody(99, 5), "saved again"))
    (folder / "no.mid").write_bytes(b"no MIDI file")
    return folder


def test_no_near_duplicate_leaks(songs, url, tmp_path):
    midiopt.run([songs], url)
    done = call("export", "--split", "80:10:10", "--group", "near", "-o", tmp_path / "songs.jsonl", "--db", url)
    assert done.returncode == 0, done.stderr
    tables = {name: [json.loads(line) for line in (tmp_path / f"songs.{name}.jsonl").read_text().splitlines()] for name in PARTS}
    part = {file["path"]: name for name, files in tables.items() for file in files}
    assert {Path(path).name for path in part} == {path.name for path in songs.iterdir()}
    assert all(tables.values()) and 0.7 < len(tables["train"]) / len(part) < 0.9
    sketches = {path: midiopt.analyze(path).sketch for path in part if not path.endswith("no.mid")}
    leaks = near = 0
    for (a, one), (b, other) in combinations(sketches.items(), 2):
        if one and other and score_of(len({*one} & {*other}), len(one), len(other)) >= NEAR_SCORE:
            near += 1
            leaks += part[a] != part[b]
    assert near > 30 and leaks == 0
    assert part[str(songs / "short.mid")] == part[str(songs / "same notes.mid")]


def test_copies_stay_together_without_a_group(songs, tmp_path):
    db = tmp_path / "facts.db"
    midiopt.run([songs], db)
    done = call("export", "--split", "60:40", "--copy", tmp_path / "out", "--db", db)
    assert done.returncode == 0, done.stderr
    folders = {name: {path.name for path in (tmp_path / "out" / name).iterdir()} for name in ("train", "test")}
    assert all(folders.values())
    for seed in range(30):
        assert any({f"{seed:02}-0.mid", f"{seed:02}-copy.mid"} <= names for names in folders.values())


def test_shares():
    assert parse_shares("80:10:10") == {"train": 0.8, "validation": 0.1, "test": 0.1}
    assert parse_shares("3:1") == {"train": 0.75, "test": 0.25}
    for wrong in ("80", "80:20:0", "a:b", "1:2:3:4", "inf:1", "nan:1", "-1:2"):
        with pytest.raises(ValueError, match=r"."):
            parse_shares(wrong)
    done = call("export", "--group", "near", "-o", "x.csv")
    assert done.returncode != 0 and "--split" in done.stderr
