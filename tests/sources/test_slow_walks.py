"""The walk of a slow disk lists and looks up several things at once: what it finds, and its order, stay the same."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from midiopt.sources.stat_many import StatMany

WALK = """
import json, os, sys
from midiopt.sources import walk
from midiopt.sources.roots import find_roots
walk.MAX_SORTED_ENTRIES = int(sys.argv[1])
stats = walk.WalkStats()
pages = walk.walk(find_roots(sys.argv[3:]), stats, follow_links=sys.argv[2] == "follow")
found, threads = [], 0
for page in pages:
    found += map(os.fsdecode, page.paths)
    threads = max(threads, len(os.listdir("/proc/self/task")) - 1)
print(json.dumps([found, stats.problems, stats.appledouble, threads]))
"""


def walk(*arguments: object, environment: dict[str, str] | None = None) -> list:
    command = [sys.executable, "-c", WALK, *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    """Folders in folders, some deep, some large, with links in all directions and names that are not wanted."""
    root = tmp_path_factory.mktemp("tree") / "root"
    for i in range(40):
        album = root / f"{i % 7}" / f"album {i}" / "disc"
        album.mkdir(parents=True)
        for j in range(i % 5 * 10):
            (album / f"{j}.mid").touch()
        (album / "._1.mid").touch()
        (album / "cover.JPG").touch()
        (album.parent / "A.MID").touch()
        (album / "up").symlink_to(root / f"{(i + 1) % 7}")
        (album / "gone.mid").symlink_to(root / "nothing")
    deep = root / "deep"
    for i in range(30):
        deep = deep / f"{i}"
    deep.mkdir(parents=True)
    (deep / "x.mid").touch()
    (root / "large").mkdir()
    for i in range(9000):
        (root / "large" / f"{i} a name that is long enough to be too much ahead.mid").touch()
    (root / "__MACOSX").mkdir()
    (root / "__MACOSX" / "y.mid").touch()
    (root / "loop").symlink_to(root / "loop")
    return root


@pytest.mark.parametrize("links", ["follow", "leave"])
@pytest.mark.parametrize("entries", [100_000, 50])
def test_a_slow_disk_is_walked_in_the_same_order(links, entries, tree, slow_disk):
    *expected, _ = walk(entries, links, tree)
    *found, slow_threads = walk(entries, links, tree, environment=slow_disk(tree, 0.5))
    assert found == expected and len(expected[0]) > 9000
    assert slow_threads > 0


def test_the_paths_of_a_list_are_looked_up_together(tree, tmp_path, slow_disk):
    names = [*sorted(map(str, (tree / "large").iterdir())), f"{tree}/0", f"{tree}/missing", f"{tree}/loop", "/dev/null"]
    (tmp_path / "list").write_text("\n".join(names))
    *expected, _ = walk(100_000, "leave", f"@{tmp_path}/list")
    *found, threads = walk(100_000, "leave", f"@{tmp_path}/list", environment=slow_disk(tree, 0.2))
    assert found == expected and {*names} - {f"{tree}/0"} < {*found[0]} and threads > 1


STATES = """
import sys
from midiopt.sources.stat_many import StatMany
stat_many = StatMany()
paths = sys.stdin.buffer.read().split(b"|")
for part in (paths[:600], paths[600:600], paths[600:]):
    sys.stdout.buffer.write(stat_many(part))
"""


def test_states_from_a_slow_disk_are_those_from_a_fast_one(tree, slow_disk):
    paths = [*sorted(os.fsencode(path) for path in (tree / "large").iterdir()), b"/missing", os.fsencode(tree)]
    states = []
    for path in paths:
        info = os.stat(path) if os.path.exists(path) else None
        states += [info.st_size, info.st_mtime_ns, info.st_mode] if info else [-1, errno.ENOENT, 0]
    assert memoryview(StatMany()(paths)).cast("q").tolist() == states
    command = [sys.executable, "-c", STATES]
    done = subprocess.run(command, input=b"|".join(paths), env=slow_disk(tree, 0.1), capture_output=True, check=True)
    assert memoryview(done.stdout).cast("q").tolist() == states
