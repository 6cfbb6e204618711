"""midiopt duplicates, as a user starts it, over both databases."""

from __future__ import annotations

import json

import midiopt
from tests.helpers.processes import finish
from tests.helpers.songs import song


def test_duplicates_are_listed_largest_first(tmp_path, url):
    folder = tmp_path / "songs"
    for copies, seed in ((4, 1), (2, 2), (3, 3), (1, 4), (3, 5)):
        for copy in range(copies):
            path = folder / str(copy) / f"{seed}.mid"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(song(seed, notes=60 + seed))
    for copy in "ab":
        (folder / f"{copy}.mid").write_bytes(b"not MIDI")
    summary = midiopt.run([folder], url)
    done = finish("duplicates", "--db", url, "--json", module="midiopt")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    groups = found["items"]
    assert found["groups"] == 4 and found["duplicates"] == summary.duplicates
    assert [group["files"] for group in groups] == [4, 3, 3, 2]
    assert groups[1]["size_bytes"] > groups[2]["size_bytes"]
    assert groups[0]["paths"] == [str(folder / str(copy) / "1.mid") for copy in range(4)]
    assert sum(group["files"] - 1 for group in groups) == summary.duplicates
    shown = finish("duplicates", "--db", url, module="midiopt").stdout
    assert all(path in shown for group in groups for path in group["paths"])
