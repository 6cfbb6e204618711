"""midiopt export: tables, playlists, copies and links, with archives and odd names; never overwriting, never outside the folder."""

from __future__ import annotations

import csv
import fcntl
import gzip
import io
import json
import os
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import midiopt
from midiopt.cli.main import main
from midiopt.library import target_folder
from midiopt.library.part_files import open_part, part_name, remove_left_parts
from midiopt.library.search import FACTS, Found
from midiopt.library.target_folder import TargetFolder
from midiopt.library.target_names import MAX_BYTES, numbered, target_name
from midiopt.schema import ISSUE_BITS
from sample.smf import TRACK_NAME, note_off, note_on, smf, text, track
from tests.helpers.archives import TIME, tar_of, zip_of
from tests.helpers.disks import mounted
from tests.helpers.processes import command, finish

EVIL = "../../..//etc/\x1b[31m con"


def titled(title: str, pitch: int = 60) -> bytes:
    return smf([track([(0, text(TRACK_NAME, title)), *((i * 240, note_on(0, pitch, 64)) for i in range(4)), (9999, note_off(0, pitch))])])


@pytest.fixture
def music(tmp_path) -> Path:
    """Files, compressed ones, archives in archives, and names of all kinds; each with another content but for one copy."""
    folder = tmp_path / "music"
    (folder / "sub").mkdir(parents=True)
    (folder / "plain.mid").write_bytes(titled("plain"))
    (folder / "sub" / "plain.mid").write_bytes(titled("other"))
    (folder / "sub" / "copy.mid").write_bytes(titled("plain"))
    (folder / "small.MID.gz").write_bytes(gzip.compress(titled("compressed")))
    (folder / os.fsdecode(b"odd \xff\n name.kar")).write_bytes(titled(EVIL))
    inner = tar_of({"d.mid": titled("d")}, "w:gz")
    (folder / "pack.zip").write_bytes(zip_of({"in/a.mid": titled("a"), "b.mid": titled("b"), "c.tar.gz": inner}))
    members = {"plain.mid": titled("third"), "../up.mid": titled("up"), "/root.mid.gz": gzip.compress(titled("r"))}
    (folder / "more.tar").write_bytes(tar_of(members))
    midiopt.run([folder], str(tmp_path / "music.db"))
    return tmp_path


def export(music: Path, *arguments: str) -> int:
    return main(["export", *arguments, "--db", str(music / "music.db")])


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def titles(folder: Path) -> list[str]:
    return sorted(midiopt.analyze(data).title for data in contents(folder).values())


ALL = sorted(["plain", "other", "plain", "compressed", midiopt.analyze(titled(EVIL)).title, "a", "b", "d", "third", "up", "r"])


def test_an_archive_with_more_members_than_one_pass_looks_for(music, monkeypatch):
    monkeypatch.setattr("midiopt.library.found_content.MAX_MEMBERS", 2)
    assert export(music, "status:ok", "--copy", str(music / "out")) == 0
    assert titles(music / "out") == ALL


@pytest.mark.parametrize("query", [["status:ok"], []])
def test_copies_are_the_content_of_every_file(music, capsys, query):
    """Of archives, that of their members."""
    out = music / "out"
    assert export(music, *query, "--copy", str(out)) == 0
    assert titles(out) == ALL and "11 files copied" in capsys.readouterr().out
    found = contents(out)
    assert {"plain.mid", "plain (2).mid", "plain (3).mid", "copy.mid", "small.MID", "a.mid", "b.mid", "d.mid", "up.mid"} <= {*found}
    assert any(name.endswith(".kar") for name in found) and "root.mid" in found
    assert (out / "small.MID").stat().st_mtime_ns == (music / "music" / "small.MID.gz").stat().st_mtime_ns
    assert (out / "a.mid").stat().st_mtime == TIME


def test_a_second_run_copies_nothing_twice(music, capsys):
    out = music / "out"
    assert export(music, "status:ok", "--copy", str(out)) == 0
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    (out / "b.mid").unlink()
    capsys.readouterr()
    assert export(music, "status:ok", "--copy", str(out)) == 0
    assert capsys.readouterr().out == "1 file copied, 10 there already\n"
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")}.keys() == before.keys() and titles(out) == ALL


def test_two_programs_copy_the_same_files_at_once(tmp_path):
    """In two containers, where both have the same process number, into one volume."""

    def copy(order: int) -> int:
        with closing(TargetFolder(str(tmp_path))) as folder:
            return sum(folder.write((str(n), ".mid"), b"%d" % n)[1] for n in range(300)[::order])

    with ThreadPoolExecutor(2) as threads:
        assert sum(threads.map(copy, (1, -1))) == 300
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(f"{n}.mid" for n in range(300))


@pytest.mark.parametrize("replaces", [False, True])
def test_each_file_of_many_of_one_name_is_looked_at_once(tmp_path, monkeypatch, replaces):
    """Copies and links take turns, and so do files that were there, a folder and a link that leads nowhere."""
    (tmp_path / "x (3).mid").mkdir()
    (tmp_path / "x (5).mid").symlink_to("nowhere")
    (tmp_path / "x (7).mid").write_bytes(b"other")
    opened = []
    real_open = os.open
    monkeypatch.setattr(os, "open", lambda *given, **more: opened.append(given[0]) or real_open(*given, **more))
    contents = [b"%d" % i for i in range(40)]
    for expected in ([True] * 60, [False] * 60):
        opened.clear()
        with closing(TargetFolder(str(tmp_path), replaces and expected[0])) as folder:
            made = []
            for i, content in enumerate(contents):
                made.append(folder.write(("x", ".mid"), content)[1])
                made += [folder.link(("x", ".mid"), b"/%d" % i)] * (i % 2)
        assert made == expected and len(opened) < 260  # of all before, each time, 1,700
    files = [path for path in tmp_path.iterdir() if path.is_file() and not path.is_symlink()]
    assert sorted(path.read_bytes() for path in files) == sorted(contents + [b"other"] * (not replaces))
    assert (tmp_path / "x (3).mid").is_dir() and os.readlink(tmp_path / "x (5).mid") == "nowhere"


def test_a_file_that_is_there_already_is_not_replaced_by_the_next_one_of_its_name(tmp_path):
    """As by `repair a/x.mid b/x.mid --force`, twice."""
    for is_new in (True, False):
        with closing(TargetFolder(str(tmp_path), replaces=True)) as folder:
            assert [folder.write(("x", ".mid"), content)[1] for content in (b"1", b"2")] == [is_new, is_new]
    assert [(tmp_path / name).read_bytes() for name in ("x.mid", "x (2).mid")] == [b"1", b"2"]


def test_names_that_differ_only_in_case_do_not_replace_each_other(tmp_path):
    """On a file system where they are one file, as on most USB sticks; here they are links to one."""
    (tmp_path / "x.mid").write_bytes(b"1")
    (tmp_path / "X.mid").hardlink_to(tmp_path / "x.mid")
    with closing(TargetFolder(str(tmp_path), replaces=True)) as folder:
        assert [folder.write((name, ".mid"), content)[1] for name, content in (("x", b"1"), ("X", b"2"))] == [False, True]
    assert [(tmp_path / name).read_bytes() for name in ("x.mid", "X.mid", "X (2).mid")] == [b"1", b"1", b"2"]


def test_a_name_that_the_file_system_refuses_is_an_error(tmp_path):
    """Some take 143 bytes, as those that encrypt names do; no number makes the name shorter."""
    with closing(TargetFolder(str(tmp_path))) as folder:
        for make in (lambda: folder.write(("x" * 300, ".mid"), b"1"), lambda: folder.link(("x" * 300, ".mid"), b"/1")):
            with pytest.raises(OSError, match="File name too long"):
                make()


def test_a_file_larger_than_any_copy_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(target_folder, "MAX_FILE_BYTES", 3)
    (tmp_path / "x.mid").write_bytes(b"large")
    with closing(TargetFolder(str(tmp_path))) as folder:
        assert [folder.write(("x", ".mid"), content)[1] for content in (b"1", b"1", b"large", b"larger")] == [True, False, True, True]
    assert sorted(path.read_bytes() for path in tmp_path.iterdir()) == [b"1", b"large", b"large", b"larger"]


def test_nothing_is_overwritten(music):
    out = music / "out"
    out.mkdir()
    (out / "plain.mid").write_text("mine")
    (out / "b.mid").symlink_to(music / "elsewhere")
    assert export(music, "plain or b", "--copy", str(out)) == 0
    assert (out / "plain.mid").read_text() == "mine" and (out / "b.mid").is_symlink() and not (music / "elsewhere").exists()
    assert (out / "plain (2).mid").exists() and (out / "b (2).mid").exists()


def test_nothing_is_written_outside_of_the_folder(music, capsys):
    """Neither by a title with dots and slashes, nor through a link in the folder."""
    out, outside = music / "out", music / "outside"
    outside.mkdir()
    out.mkdir()
    (out / "unknown").symlink_to(outside)
    assert export(music, "status:ok", "--copy", str(out), "--name", "{drum_pattern}/{title}") == 3
    assert list(outside.iterdir()) == [] and "is a link or no folder" in capsys.readouterr().err
    assert export(music, "status:ok", "--copy", str(out), "--name", "../x/{title}/{folder}") == 0
    assert {path.name for path in music.iterdir()} == {"music", "music.db", "out", "outside"}
    assert titles(out) == ALL


def test_the_template_makes_folders_of_facts(music):
    out = music / "out"
    assert export(music, "plain", "--copy", str(out), "--name", "{role}/{note_count} {bpm:.0f} {key} {title}") == 0
    assert all(name.startswith("melody/4 ") or "/4 " in name for name in contents(out)) and len(contents(out)) >= 2
    assert any("unknown" in name for name in contents(out)), "a fact that is not known has a word"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{tempo}", "there is no fact {tempo} for a name"),
        ("{tittle}", "there is no fact {tittle} for a name; did you mean title?"),
        ("{bpm", "cannot be filled"),
        ("{title.__class__}", "there is no fact"),
        ("{bpm:.0q}", "cannot be filled"),
        ("{title:.0f}", "cannot be filled"),
    ],
)
def test_templates_that_cannot_be_filled(music, capsys, template, message):
    assert export(music, "plain", "--copy", str(music / "out"), "--name", template) == 1
    assert message in capsys.readouterr().err and contents(music / "out") == {}


def test_what_cannot_be_copied_is_reported(music, capsys):
    """Files that have changed, are gone, or are no longer in their archive; the others are copied."""
    (music / "music" / "plain.mid").write_bytes(titled("changed"))
    (music / "music" / "sub" / "copy.mid").unlink()
    (music / "music" / "pack.zip").write_bytes(zip_of({"b.mid": titled("b2"), "c.tar.gz": b"no archive"}))
    (music / "music" / "more.tar").unlink()
    assert export(music, "status:ok", "--copy", str(music / "out")) == 3
    captured = capsys.readouterr()
    assert captured.out == "3 files copied, 8 could not be\n"
    reasons = dict(line.removeprefix("midiopt: ").rsplit(": ", 1) for line in captured.err.splitlines())
    folder = f"{music}/music"
    assert len(reasons) == 8 and reasons[f"{folder}/plain.mid"].startswith("it has changed since it was analysed")
    assert reasons[f"{folder}/pack.zip!/b.mid"].startswith("it has changed")
    assert reasons[f"{folder}/pack.zip!/in/a.mid"] == "it is no longer in the archive"
    assert reasons[f"{folder}/pack.zip!/c.tar.gz!/d.mid"] == "it looks like text, not a supported archive"
    assert reasons[f"{folder}/sub/copy.mid"] == reasons[f"{folder}/more.tar!/plain.mid"] == "No such file or directory"


def test_links_and_what_cannot_be_linked(music, capsys):
    out = music / "out"
    assert export(music, "status:ok", "--link", str(out)) == 0
    assert capsys.readouterr().out == "7 files copied, 4 linked\n" and titles(out) == ALL
    linked = {path.resolve() for path in out.iterdir() if path.is_symlink()}
    assert linked == {path for path in (music / "music").rglob("*") if path.suffix in (".mid", ".kar")}
    assert export(music, "status:ok", "--link", str(out)) == 0
    assert capsys.readouterr().out == "0 files copied, 11 there already\n"
    os.utime(music / "music" / "plain.mid")
    (music / "music" / "plain.mid").write_bytes(b"changed")
    assert export(music, "plain", "--link", str(music / "again")) == 3


def test_what_a_web_client_has_left_compressed_is_copied(music, capsys):
    """A link to it would be a link to no song."""
    (music / "packed.mid").write_bytes(gzip.compress(titled("packed")))
    (music / "sound.mid").write_bytes(titled("sound"))
    midiopt.run([music / "packed.mid", music / "sound.mid"], str(music / "two.db"), workers=1)
    assert main(["export", "--link", str(music / "out"), "--db", str(music / "two.db")]) == 0
    assert capsys.readouterr().out == "1 file copied, 1 linked\n" and titles(music / "out") == ["packed", "sound"]
    assert contents(music / "out")["packed.mid"] == titled("packed")


def test_a_limit_takes_the_first_in_the_order(music):
    assert export(music, "status:ok", "--sort", "-path", "--limit", "2", "--copy", str(music / "out")) == 0
    assert len(contents(music / "out")) == 2 and "copy.mid" in contents(music / "out")


def test_tables_have_the_facts_of_a_search(music, capsys):
    targets = {suffix: music / f"table{suffix}" for suffix in (".csv", ".jsonl", ".m3u8")}
    assert main(["search", "status:ok", "--jsonl", "--sort", "path", "--db", str(music / "music.db")]) == 0
    wanted = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for suffix, target in targets.items():
        assert export(music, "status:ok", "--sort", "path", "-o", str(target)) == (3 if suffix == ".m3u8" else 0)
    assert [json.loads(line) for line in targets[".jsonl"].read_text().splitlines()] == wanted
    rows = list(csv.DictReader(io.StringIO(targets[".csv"].read_bytes().decode(), newline="")))
    assert [row["path"] for row in rows] == [item["path"] for item in wanted] and tuple(rows[0]) == FACTS
    lines = targets[".m3u8"].read_text().splitlines()
    assert lines[0] == "#EXTM3U" and [Path(line).exists() for line in lines[2::2]] == [True] * 4 == [
        line[:8] == "#EXTINF:" for line in lines[1::2]
    ]
    assert capsys.readouterr().err.count("a playlist cannot") == 7
    assert export(music, "status:opened", "-o", str(music / "archives.m3u8")) == 0
    assert (music / "archives.m3u8").read_text() == "#EXTM3U\n"  # which no player opens
    (music / "archives.m3u8").unlink()
    before = targets[".csv"].read_bytes()
    assert export(music, "status:ok", "-o", str(targets[".csv"])) == 1 and targets[".csv"].read_bytes() == before
    assert export(music, "", "-o", str(music / "table.xls")) == 1
    assert {path.name for path in music.iterdir()} == {"music", "music.db", *(target.name for target in targets.values())}


def test_parquet_has_types(music):
    parquet = pytest.importorskip("pyarrow.parquet")
    assert export(music, "status:ok", "-o", str(music / "t.parquet")) == 0
    assert export(music, "bpm:299", "-o", str(music / "none.parquet")) == 0
    table = parquet.read_table(music / "t.parquet")
    assert table.num_rows == 11 and table.column_names == list(FACTS) and parquet.read_table(music / "none.parquet").schema == table.schema
    kinds = {name: str(table.schema.field(name).type) for name in ("analyzed_at", "programs", "is_loop", "issues", "notes_hash")}
    assert kinds == {
        "analyzed_at": "timestamp[us, tz=UTC]", "programs": "list<element: int16>", "is_loop": "bool",
        "issues": "list<element: string>", "notes_hash": "string",
    }  # fmt: skip


def test_an_interrupted_export_keeps_what_is_done(tmp_path):
    folder, out = tmp_path / "music", tmp_path / "out"
    folder.mkdir()
    for n in range(3000):
        (folder / f"{n}.mid").write_bytes(titled(str(n), n % 100))
    db = str(tmp_path / "music.db")
    midiopt.run([folder], db)
    process = subprocess.Popen(command("export", "--copy", out, "--db", db, module="midiopt"), stdout=subprocess.PIPE, text=True)
    while process.poll() is None and (not out.exists() or len(os.listdir(out)) < 20):
        time.sleep(0.001)
    process.send_signal(signal.SIGINT)
    shown, _ = process.communicate(timeout=60)
    if process.returncode != 0:  # it was not faster than the signal
        assert process.returncode == 130 and shown.endswith("; interrupted, the same command continues\n")
    assert not [name for name in os.listdir(out) if name.endswith(".part")]
    done = finish("export", "--copy", out, "--db", db, module="midiopt")
    assert done.returncode == 0 and len(os.listdir(out)) == 3000 and "there already" in done.stdout


@pytest.mark.parametrize("template", ["{name}", "{key}/{name}"])
def test_a_full_disk_is_told_once(music, template, capsys):
    """Files that are there stay; with more room the same command copies the others."""
    for n in range(40):
        (music / "music" / f"long {n}.mid").write_bytes(titled(str(n) * 900, n))
    midiopt.run([music / "music"], str(music / "music.db"))
    with mounted(music / "disk", "size=64k") as disk:
        out = disk / "out"
        assert export(music, "--copy", str(out), "--name", template) == 1
        shown = capsys.readouterr()
        assert shown.err == f"midiopt: {out}: No space left on device; make room and run the same command again\n"
        assert 0 < len(contents(out)) < 51 and shown.out == f"{len(contents(out))} files copied\n"
        subprocess.run(["mount", "-o", "remount,size=9m", disk], check=True)
        assert export(music, "--copy", str(out), "--name", template) == 0
        assert len(contents(out)) == 51


def test_a_disk_that_is_full_of_links_is_told_once(music, capsys):
    with mounted(music / "disk", "nr_inodes=5") as disk:
        assert export(music, "--link", str(disk / "out")) == 1
        told = f"midiopt: {disk}/out: No space left on device; make room and run the same command again\n"
        assert capsys.readouterr().err == told


def test_parts_that_a_killed_export_has_left(music):
    """They are deleted by the next one, but not those of one that is at work, nor any other file."""
    ended, at_work, other = ("0" * 16, "1" * 16, "2" * 15)
    out = music / "out"
    for folder, name in ((out, ".midiopt"), (out / "Am", ".midiopt"), (music, "a.csv")):
        folder.mkdir(exist_ok=True)
        for key in (ended, at_work, other):
            (folder / f"{name}.{key}.part").write_bytes(b"half")
    with (out / f".midiopt.{at_work}.part").open() as a, (music / f"a.csv.{at_work}.part").open() as b:
        fcntl.flock(a, fcntl.LOCK_EX)
        fcntl.flock(b, fcntl.LOCK_EX)
        assert export(music, "--copy", str(out), "--name", "Am/{name}") == 0
        assert export(music, "--copy", str(out)) == 0
        assert export(music, "-o", str(music / "a.csv")) == 0
        assert sorted(path.name for path in out.glob(".midiopt.*")) == [f".midiopt.{at_work}.part", f".midiopt.{other}.part"]
        assert [path.name for path in (out / "Am").glob(".midiopt.*")] == [f".midiopt.{other}.part"]
        assert sorted(path.name for path in music.glob("a.csv.*")) == [f"a.csv.{at_work}.part", f"a.csv.{other}.part"]


def test_a_part_that_another_export_deletes_before_it_is_locked(tmp_path, monkeypatch):
    """It is made again: what is written is always a file that has a name."""
    lock = fcntl.flock

    def late(descriptor: int, how: int) -> None:
        monkeypatch.setattr(fcntl, "flock", lock)
        remove_left_parts(str(tmp_path), "x")
        lock(descriptor, how)

    name = str(tmp_path / part_name("x"))
    monkeypatch.setattr(fcntl, "flock", late)
    with open(open_part(name), "wb") as file:
        assert os.path.samestat(os.fstat(file.fileno()), os.stat(name))


def test_a_part_that_is_whole_and_has_no_name_yet(music, monkeypatch):
    """Another export into the same folder does not delete it."""
    out, link = music / "out", os.link

    def late(part: str, *names: str, **folders: Any) -> None:
        for folder, name in ((out, ".midiopt"), (music, "a.csv")):
            remove_left_parts(str(folder), name)
        link(part, *names, **folders)

    monkeypatch.setattr(os, "link", late)
    assert export(music, "--copy", str(out)) == 0
    assert export(music, "-o", str(music / "a.csv")) == 0


@settings(max_examples=200)
@given(st.text(max_size=300), st.text(max_size=300))
def test_names_are_safe_whatever_the_facts_are(title, path):
    """One component per part of the template, without what a file system or a terminal takes for something else."""
    found = Found(**dict.fromkeys(FACTS) | {"path": f"/{path}", "title": title, "key": "Am", "bpm": 120.4})
    *folders, name, suffix = target_name("{key}/{bpm:.0f} {title}/{name}", found)
    assert folders[0] == "Am" and len(folders) <= 2
    for part in (*folders, numbered(name, suffix, 1), numbered(name, suffix, 99)):
        assert part not in ("", ".", "..") and not part.startswith(".")
        assert not set(part) & set('/\0<>:"\\|?*\n\r\x1b') and len(part.encode()) <= MAX_BYTES + 60


def test_issues_have_their_names():
    found = Found(**dict.fromkeys(FACTS) | {"path": "/a.mid", "issues": ISSUE_BITS["bad_meta"] | ISSUE_BITS["stuck_note"]})
    assert target_name("{issues}/{name}", found) == ["bad_meta stuck_note", "a", ".mid"]


def test_the_name_of_a_copy_is_refused_for_a_table(music, capsys):
    """It would be ignored."""
    assert export(music, "status:ok", "-o", str(music / "x.csv"), "--name", "{title}") == 1
    assert capsys.readouterr().err == "midiopt: --name is for copies and links; a table has the name that follows -o\n"
    assert not (music / "x.csv").exists()


@pytest.mark.parametrize("name", ["con", "NUL.x", "com1", "..", ".", " ", "...", "a" * 500, "é" * 300])
def test_reserved_and_long_names(name):
    found = Found(**dict.fromkeys(FACTS) | {"path": "/a.mid", "title": name})
    *_, made, suffix = target_name("{title}", found)
    assert suffix == ".mid" and made.lower() not in ("con", "nul.x", "com1") and 0 < len(made.encode()) <= MAX_BYTES
