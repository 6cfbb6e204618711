"""Runs as a user starts them: real processes, real files."""

from __future__ import annotations

import ctypes.util
import json
import math
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import get_type_hints

import pytest

import midiopt
from midiopt.errors import MidioptError
from midiopt.pipeline.experiments import VARIABLES, Experiments
from midiopt.pipeline.options import RunOverrides
from midiopt.schema import STATUSES
from sample.smf import meta, note_off, note_on, smf, text, track
from tests.helpers.databases import wait_until
from tests.helpers.processes import children, command, file_rows, finish, stored_hash, tables, with_faults, write_faulty
from tests.helpers.songs import song, write_songs

SAMPLE = Path(__file__).parents[2] / "sample" / "midi"


def test_every_path_ends_as_one_row(tmp_path):
    db = tmp_path / "x.db"
    done = finish(SAMPLE, "--db", db, "--json", "--quiet")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    paths = sorted(str(p) for p in SAMPLE.rglob("*") if p.suffix.lower() in (".mid", ".midi", ".smf", ".kar", ".rmi"))
    files, analyses = tables(db)
    assert sorted(row[0] for row in files) == paths
    assert summary["files"] == len(paths) == sum(summary[s] for s in STATUSES)
    assert summary["rejected"] >= 1 and summary["repaired"] >= 1 and summary["crashed"] == 0
    assert summary["duplicates"] == summary["ok"] + summary["repaired"] - len(analyses) >= 1
    assert summary["bytes"] == sum(os.path.getsize(p) for p in paths)
    assert set(summary) == {
        *("files", "ok", "repaired", "rejected", "unreadable", "crashed", "opened", "skipped", "appledouble", "links", "gone"),
        *("unread_archives", "command", "version", "database", "missed", "moved", "returned", "deleted", "duplicates", "bytes", "seconds"),
        *("files_per_second", "problems", "refusals"),
    }
    assert summary["problems"] == []


def test_rows_hold_the_facts_of_their_files(tmp_path):
    """Size, time and hash of the file itself; facts as midiopt.analyze gives them."""
    db = tmp_path / "x.db"
    midiopt.run([SAMPLE], str(db), workers=2)
    with closing(sqlite3.connect(db)) as connection:
        connection.row_factory = sqlite3.Row
        for row in connection.execute("SELECT * FROM library WHERE status IN ('ok', 'repaired')"):
            info = os.stat(row["path"])
            facts = midiopt.analyze(row["path"])
            assert (row["size_bytes"], row["mtime_ns"]) == (info.st_size, info.st_mtime_ns)
            assert row["content_hash"] == stored_hash(db, Path(row["path"]).read_bytes()).hex()
            assert (row["status"], row["error"]) == (facts.status, facts.error)
            assert (row["key"], row["note_count"], row["time_signature"], row["title"]) == (
                *(facts.key, facts.note_count, facts.time_signature, facts.title),
            )
            assert row["bpm"] is facts.bpm is None or row["bpm"] == pytest.approx(facts.bpm, rel=1e-6)
            assert json.loads(row["programs"]) == facts.programs


def test_workers_do_not_change_the_tables(songs, expected, tmp_path):
    for workers in (2, 3):
        db = tmp_path / f"{workers}.db"
        midiopt.run([songs], str(db), workers=workers)
        assert tables(db) == expected


def test_the_reader_does_not_change_the_tables(songs, expected, tmp_path, monkeypatch):
    monkeypatch.setenv("MIDIOPT_READER", "mmap")
    (tmp_path / "empty.mid").write_bytes(b"")
    for workers in (1, 2):
        midiopt.run([songs, tmp_path / "empty.mid"], str(tmp_path / f"{workers}.db"), workers=workers)
        files, analyses = tables(tmp_path / f"{workers}.db")
        assert [row for row in files if "empty.mid" not in row[0]] == expected[0] and analyses == expected[1]
        assert [row[5] for row in files if "empty.mid" in row[0]] == ["the file is empty at byte 0"]


@pytest.mark.parametrize("allocator", ["jemalloc", "mimalloc"])
def test_an_allocator_is_preloaded_into_the_workers(tmp_path, allocator):
    if ctypes.util.find_library(allocator) is None:
        pytest.skip(f"{allocator} is not installed")
    hung = tmp_path / "hung"
    hung.touch()
    write_faulty(tmp_path / "x.mid", "hang")
    environment = with_faults(MIDIOPT_ALLOCATOR=allocator, MIDIOPT_FAULT_HANGS=str(hung))
    run = subprocess.Popen(command(tmp_path, "--db", tmp_path / "x.db", "--quiet", "--file-timeout", 600), env=environment)
    try:
        wait_until(lambda: hung.stat().st_size)
        [worker] = children(run.pid)
        assert allocator in Path(f"/proc/{worker}/maps").read_text()
        assert allocator not in Path(f"/proc/{run.pid}/maps").read_text()
    finally:
        run.kill()
        run.wait()


def test_an_allocator_that_is_not_installed(tmp_path, monkeypatch):
    monkeypatch.setattr("ctypes.util.find_library", lambda name: None)
    monkeypatch.setenv("MIDIOPT_ALLOCATOR", "jemalloc")
    with pytest.raises(MidioptError, match="jemalloc is not installed; on Debian: apt install libjemalloc2"):
        midiopt.run([SAMPLE], tmp_path / "x.db")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("name", "values"), VARIABLES.items())
def test_a_switch_takes_its_values_only(tmp_path, name, values):
    """The environment variables that exist to be measured; an empty one is not set."""
    installed = [value for value in values if value not in ("jemalloc", "mimalloc")]
    switches = {Experiments.from_environment({name: value}) for value in (*installed, "")}
    assert len(switches) == len(installed) and Experiments() in switches
    done = finish(SAMPLE, "--db", tmp_path / "x.db", env={**os.environ, name: "yes"})
    assert done.returncode == 1 and f"midiopt: {name} must be {' or '.join(values)}, not 'yes'" in done.stderr
    assert not list(tmp_path.iterdir())


def test_overrides_are_the_options():
    """run() takes every field of RunOptions as a keyword argument of the same type."""
    assert get_type_hints(RunOverrides) == get_type_hints(midiopt.RunOptions)
    assert midiopt.RunOptions(log=Path("x.log")).log == "x.log"


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("workers", 0, "must be a positive integer, not 0"),
        ("writers", -1, "must be a positive integer, not -1"),
        ("batch_size", 1.5, "must be a positive integer, not 1.5"),
        ("max_events", 10**8 + 1, "must be at most 100000000, not 100000001"),
        ("file_timeout", math.nan, "must be a positive number of seconds, not nan"),
        ("sink_timeout", math.inf, "must be a positive number of seconds, not inf"),
    ],
)
def test_an_option_outside_its_range(tmp_path, name, value, problem):
    with pytest.raises(ValueError, match=f"{name} {problem}"):
        midiopt.run([SAMPLE], tmp_path / "x.db", **{name: value})
    done = finish(SAMPLE, "--db", tmp_path / "x.db", f"--{name.replace('_', '-')}={value}")
    assert done.returncode == 2 and f"argument --{name.replace('_', '-')}: must be" in done.stderr
    assert not list(tmp_path.iterdir())


def test_arguments_of_another_kind(tmp_path):
    """Noticed at once: they are used late, and some only where a file is new."""
    for arguments, problem in (
        ({"progress": print}, "progress is True, False, or an object with a method update, not <built-in function print>"),
        ({"executor": 2}, "an executor is a name, or a concurrent.futures.Executor, not 2"),
        ({"options": {"workers": 1}}, "options are RunOptions, or given by their names, not dict"),
    ):
        with pytest.raises(TypeError, match=problem):
            midiopt.run([SAMPLE], tmp_path / "x.db", **arguments)
    assert not list(tmp_path.iterdir())


def test_batch_size_does_not_change_the_tables(songs, expected, tmp_path):
    db = tmp_path / "x.db"
    assert finish(songs, "--db", db, "--batch-size", 100, "--workers", 2, "--quiet").returncode == 0
    assert tables(db) == expected


def test_a_second_run_skips_what_is_unchanged(tmp_path):
    folder = write_songs(tmp_path / "songs", 400)
    db = tmp_path / "x.db"
    midiopt.run([folder], str(db))
    before = tables(db)
    again = midiopt.run([folder], str(db))
    assert (again.files, again.skipped, again.analysed) == (400, 400, 0)
    assert tables(db) == before

    changed, touched, new = folder / "000" / "00007.mid", folder / "001" / "00201.mid", folder / "001" / "00200x.mid"
    changed.write_bytes(song(9999))
    os.utime(touched, ns=(1, 1))
    new.write_bytes(song(10000))
    third = midiopt.run([folder], str(db))
    assert (third.files, third.skipped, third.ok) == (401, 398, 3)
    fresh = tmp_path / "fresh.db"
    midiopt.run([folder], str(fresh))
    assert tables(db)[0] == tables(fresh)[0]
    assert set(tables(fresh)[1]) <= set(tables(db)[1])


def stored(rows: Iterable[Sequence[object]]) -> list[list[object]]:
    """Rows of either database as the same Python objects: JSON is parsed, and binary values are bytes."""
    plain = []
    for row in rows:
        values = [bytes(v) if isinstance(v, memoryview) else v for v in row]
        plain.append([json.loads(v) if isinstance(v, str) and v.startswith("[") else v for v in values])
    return plain


def test_postgresql_holds_the_same(pg_url, tmp_path):
    """The sample, a file with NUL in its title and one with an odd name, into both databases, twice."""

    folder = tmp_path / "odd"
    folder.mkdir()
    title = smf([track([(0, meta(3, b"No\0th\0ing")), (0, note_on(0, 60, 1)), (9, note_off(0, 60))])])
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff\\.mid")).write_bytes(title)
    db = tmp_path / "x.db"
    for _ in range(2):
        one, other = midiopt.run([SAMPLE, folder], db, workers=2), midiopt.run([SAMPLE, folder], pg_url, workers=2)
        assert (one.files, one.ok, one.repaired, one.rejected, one.skipped, one.duplicates) == (
            *(other.files, other.ok, other.repaired, other.rejected, other.skipped, other.duplicates),
        )
    assert one.skipped == one.files > 30
    for in_sqlite, in_postgres in zip(tables(db), tables(pg_url), strict=True):
        assert stored(in_sqlite) == stored(in_postgres)
    with closing(sqlite3.connect(db)) as sqlite:
        assert ("Nothing",) in sqlite.execute("SELECT title FROM library WHERE path LIKE '%\\xff\\x5c.mid'").fetchall()


@pytest.mark.parametrize("writers", [1, 3])
def test_writers_do_not_change_the_tables(songs, expected, pg_url, tmp_path, writers):
    """A collection with every file twice, in small batches."""
    import psycopg

    shutil.copytree(songs, tmp_path / "again", copy_function=os.link)
    options = ("--db", pg_url, "--writers", writers, "--batch-size", 64, "--workers", 2, "--quiet", "--json")
    done = finish(songs, tmp_path / "again", *options)
    assert done.returncode == 0 and json.loads(done.stdout)["duplicates"] == 3000, done.stderr
    with psycopg.connect(pg_url) as connection:
        assert [row[1:] for row in stored(tables(pg_url)[1])] == [row[1:] for row in stored(expected[1])]
        assert connection.execute("SELECT count(*) FROM files WHERE status = 'ok'").fetchone() == (6000,)


def test_the_questions_of_make_run_have_answers(tmp_path):
    """What `make run` does after it has compiled."""
    db = tmp_path / "sample.db"
    assert finish(SAMPLE, "--db", db).returncode == 0
    asked = subprocess.run([sys.executable, SAMPLE.parent / "example_queries.py", db], capture_output=True, text=True)
    assert asked.returncode == 0, asked.stderr
    assert asked.stdout.count("└") == 3 and asked.stdout.count("│") > 30


def test_names_do_not_control_the_terminal(tmp_path):
    """Markup and escape sequences in titles and paths are shown as text."""
    path = tmp_path / "[bold]d[.mid"
    path.write_bytes(smf([track([(0, text(3, "[red]Song[/bold] \x1b]0;pwned\x07"))])]))
    shown = finish("show", path, module="midiopt")
    assert shown.returncode == 0 and "[red]Song[/bold]" in shown.stdout and "\x1b" not in shown.stdout
    done = finish(path, "--db", tmp_path / "[x].db")
    assert done.returncode == 0 and "[x].db" in done.stderr


def test_a_closed_pipe_is_not_a_crash(tmp_path):
    script = f"{sys.executable} -m midiopt show --json '{next(SAMPLE.rglob('*.kar'))}' | true"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
    assert "Traceback" not in done.stderr


def test_one_run_at_a_time(tmp_path):
    from midiopt.sinks import open_sink

    db = tmp_path / "x.db"
    with open_sink(str(db)):
        done = finish(SAMPLE, "--db", db)
    assert done.returncode == 1
    assert "another run" in done.stderr and "Traceback" not in done.stderr


def test_what_could_not_be_read_exits_with_3(tmp_path):
    """The other sources are analysed, and standard error says what is missing, with --quiet, too."""
    db = tmp_path / "x.db"
    done = finish(tmp_path / "nowhere", SAMPLE, f"@{tmp_path}/nowhere.txt", "--db", db, "--json", "--quiet")
    assert done.returncode == 3
    assert json.loads(done.stdout)["ok"] > 10
    assert done.stderr.splitlines() == [
        f"midiopt: not read: there is no file or folder '{tmp_path}/nowhere'",
        f"midiopt: not read: there is no list '{tmp_path}/nowhere.txt' (a SOURCE that begins with @ names a file of paths)",
    ]
    (tmp_path / "empty").mkdir()
    done = finish(tmp_path / "empty", "--db", db, "--quiet")
    assert (done.returncode, done.stderr) == (3, "midiopt: no MIDI files found (.mid .midi .smf .kar .rmi, and archives)\n")
    done = finish(tmp_path / "empty", "--db", db)
    assert done.returncode == 3 and "no MIDI files found" in done.stderr


def test_rows_that_are_not_pruned_exit_with_1(tmp_path):
    """--prune takes no source for its value; --prune=all deletes them."""
    music, db = write_songs(tmp_path / "music", 3), tmp_path / "x.db"
    assert finish(music, "--db", db).returncode == 0
    shutil.rmtree(music)
    music.mkdir()
    done = finish("--prune", music, "--db", db, "--quiet")
    assert done.returncode == 1
    assert done.stderr.startswith(f"midiopt: {music}/ is empty, as if its disk were not mounted; the rows of 3 missing files are kept")
    assert len(file_rows(db)) == 3
    assert finish("--prune=all", music, "--db", db).returncode == 3, "nothing is found"
    assert len(file_rows(db)) == 0
    assert "must be --prune or --prune=all, not 'al'" in finish("--prune=al", music, "--db", db).stderr


@pytest.mark.parametrize("url", ["duckdb:x", "mysql://me@host/music", "mysql+pymysql:x", "sqlite:x.db", "file:x.db?mode=ro"])
def test_other_databases_are_named_as_unknown(url, tmp_path):
    done = finish(SAMPLE, "--db", url, cwd=tmp_path)
    assert done.returncode == 1 and "use a path, sqlite:///path, postgresql://... or parquet:DIR" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("url", [":memory:", "sqlite:///:memory:", "sqlite://"])
def test_a_database_in_memory_is_refused(url, tmp_path):
    done = finish(SAMPLE, "--db", url, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, f"midiopt: a database in memory ({url}) would be lost with the run; name a file\n")
    assert not list(tmp_path.iterdir())


def test_links_that_are_passed_are_told(tmp_path):
    """With --quiet only where nothing else is found."""
    links, db = tmp_path / "links", tmp_path / "x.db"
    links.mkdir()
    for i in range(3):
        (links / f"{i}.mid").symlink_to(SAMPLE)
    told = "3 symbolic links were passed; --follow-links follows them"
    done = finish(links, "--db", db, "--quiet", "--json")
    assert (done.returncode, done.stderr.splitlines()[1]) == (3, f"midiopt: {told}") and json.loads(done.stdout)["links"] == 3
    done = finish(links, SAMPLE, "--db", db)
    assert done.returncode == 0 and done.stderr.splitlines()[-1] == told
    assert finish(links, SAMPLE, "--db", db, "--quiet").stderr == ""


def test_archives_that_are_not_read_are_told(tmp_path):
    """Packs in RAR and 7z were passed without a word."""
    music, db = tmp_path / "music", tmp_path / "x.db"
    music.mkdir()
    for name in ("Drums.RAR", "bass.7z", "._bass.7z", "notes.txt"):
        (music / name).write_bytes(b"x")
    told = "2 archives were passed, as their formats are not read (.rar, .7z, .lzh and others); unpack before the run"
    done = finish(music, "--db", db, "--quiet", "--json")
    assert (done.returncode, done.stderr.splitlines()[1]) == (3, f"midiopt: {told}") and json.loads(done.stdout)["unread_archives"] == 2
    done = finish(music, SAMPLE, "--db", db)
    assert done.returncode == 0 and done.stderr.splitlines()[-1] == told
    assert finish(music, SAMPLE, "--db", db, "--dry-run").stderr == f"midiopt: {told}\n"


def test_wrong_usage_exits_with_2(tmp_path):
    for arguments in ((tmp_path / "nowhere",), (f"@{tmp_path}/nowhere.txt",), (), (SAMPLE, "--workers", "0")):
        done = finish(*arguments, cwd=tmp_path)
        assert done.returncode == 2, arguments
        assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir()), "wrong usage creates no database"


def test_a_database_that_cannot_be_opened_exits_with_1(tmp_path):
    done = finish(SAMPLE, "--db", tmp_path / "no" / "such" / "folder" / "x.db")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr and done.stderr.startswith("midiopt: ")


def test_sources(tmp_path):
    """Suffixes in any case, lists, and single files of any name; links are not followed."""
    music = tmp_path / "music"
    music.mkdir()
    for i, name in enumerate(("a.mid", "b.MID", "c.midi", "d.smf", "e.kar", "f.Rmi", "no.txt")):
        (music / name).write_bytes(song(i))
    (music / "link.mid").symlink_to(music / "a.mid")
    (music / "folder.mid").mkdir()
    (music / "folder.mid" / "g.mid").write_bytes(song(8))
    (tmp_path / "linked").symlink_to(music, target_is_directory=True)
    (music / "up").symlink_to(tmp_path, target_is_directory=True)
    os.mkfifo(music / "pipe.mid")
    other = tmp_path / "plain"
    other.write_bytes(song(7))
    (tmp_path / "list.txt").write_bytes(os.fsencode(other) + b"\n\n" + os.fsencode(tmp_path / "gone.mid") + b"\r\n")

    summary = midiopt.run([music, f"@{tmp_path}/list.txt"], str(tmp_path / "x.db"), workers=1)
    rows = {Path(row[0]).relative_to(tmp_path).as_posix(): (row[4], row[5]) for row in tables(tmp_path / "x.db")[0]}
    found = ["music/" + name for name in ("a.mid", "b.MID", "c.midi", "d.smf", "e.kar", "f.Rmi", "folder.mid/g.mid")]
    assert rows == {**{name: ("ok", None) for name in (*found, "plain")}, "gone.mid": ("unreadable", "No such file or directory")}
    assert (summary.files, summary.ok, summary.unreadable) == (9, 8, 1)


def test_a_database_without_its_option_is_no_source(tmp_path):
    """Who forgets --db is told; an SQLite file gets no row."""
    music, db = write_songs(tmp_path / "music", 2), tmp_path / "music.db"
    done = finish(music, "--db", db)
    assert done.returncode == 0
    done = finish(music, db, "--db", tmp_path / "x.db", "--quiet")
    message = f"{str(db)!r} is an SQLite database, and no source; to write into it, name it with --db"
    assert (done.returncode, done.stderr) == (3, f"midiopt: not read: {message}\n") and len(tables(tmp_path / "x.db")[0]) == 2
    done = finish(db)
    assert (done.returncode, done.stderr) == (2, f"midiopt: {message}\n")


def test_a_folder_inside_another_is_walked_once(tmp_path):
    folder = write_songs(tmp_path / "songs", 250)
    summary = midiopt.run([folder / "001", folder, folder / "000" / "00001.mid"], str(tmp_path / "x.db"), workers=1)
    assert summary.files == 250


def test_walk_order_is_the_order_of_paths(tmp_path):
    from midiopt.sources.walk import iter_paths

    for name in ("b/x.mid", "b.mid", "b-c.mid", "a/z/q.mid", "a/z.mid", "b/x/y.mid", "a z.mid"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    paths = list(iter_paths([tmp_path]))
    assert paths == sorted(paths) and len(paths) == 7


def test_names_in_any_bytes(tmp_path):
    folder = os.fsencode(tmp_path / "songs")
    os.mkdir(folder)
    names = [b"latin1-\xe9.mid", "utf8-é.mid".encode(), b"back\\slash.mid", b"new\nline.mid", b"x" * 240 + b".mid"]
    for i, name in enumerate(names):
        Path(os.fsdecode(folder + b"/" + name)).write_bytes(song(i))
    from midiopt.sources.paths import path_bytes

    for workers in (1, 2):
        db = tmp_path / f"{workers}.db"
        assert midiopt.run([os.fsdecode(folder)], str(db), workers=workers).ok == len(names)
        assert sorted(path_bytes(row[0]) for row in tables(db)[0]) == sorted(folder + b"/" + name for name in names)


def test_very_long_paths_are_truncated_but_differ(tmp_path):
    folder = os.fsencode(tmp_path)
    deep = b"/".join([b"d" * 250] * 9)
    fd = os.open(folder, os.O_RDONLY)
    for part in deep.split(b"/"):
        os.mkdir(part, dir_fd=fd)
        inner = os.open(part, os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = inner
    for name in (b"a.mid", b"b.mid"):
        with open(os.open(name, os.O_WRONLY | os.O_CREAT, dir_fd=fd), "wb") as f:
            f.write(song(1))
    os.close(fd)
    db = tmp_path / "x.db"
    assert midiopt.run([tmp_path], str(db), workers=1).ok == 2
    texts = [row[0] for row in tables(db)[0]]
    assert len(set(texts)) == 2 and all(len(t.encode()) < 2000 and "…" in t for t in texts)


def test_a_line_of_a_list_that_cannot_be_a_path(tmp_path):
    """A line of 100,000 characters gets a row, and the run goes on."""
    good = tmp_path / "a.mid"
    good.write_bytes(song(1))
    (tmp_path / "list").write_text("/" + "x" * 100_000 + f"\n{good}\n" + "/" + "y" * 300_000 + "\n")
    summary = midiopt.run([f"@{tmp_path}/list"], str(tmp_path / "x.db"), workers=2)
    assert (summary.files, summary.ok, summary.unreadable) == (3, 1, 2)


def test_analyze_is_the_same_command(tmp_path):
    done = finish("analyze", SAMPLE, "--db", tmp_path / "x.db", "--json", "--quiet", module="midiopt")
    assert done.returncode == 0 and json.loads(done.stdout)["ok"] > 10


def test_progress_and_summary_without_a_terminal(tmp_path):
    done = finish(SAMPLE, "--db", tmp_path / "x.db")
    assert done.returncode == 0 and done.stdout == ""
    assert "files found" in done.stderr and "files/s" in done.stderr
    assert "\x1b[" not in done.stderr
    assert finish(SAMPLE, "--db", tmp_path / "y.db", "--quiet").stderr == ""


def test_passwords_are_not_shown(tmp_path):
    done = finish(SAMPLE, "--db", "postgresql://someone:s3cret@127.0.0.1:1/nothing")
    assert done.returncode == 1
    assert "s3cret" not in done.stderr + done.stdout


def test_show(tmp_path):
    path = next(SAMPLE.rglob("*.kar"))
    done = finish("show", path, module="midiopt")
    assert done.returncode == 0 and "notes_per_second" in done.stdout
    facts = json.loads(finish("show", path, "--jsonl", module="midiopt").stdout)
    assert facts["status"] == "ok" and facts["lyric_count"] > 0 and isinstance(facts["issues"], list)
    missing = finish("show", tmp_path / "none.mid", module="midiopt")
    assert missing.returncode == 1 and "No such file" in missing.stderr


def test_run_from_a_script_without_a_main_guard(tmp_path):
    """Workers do not import the caller's script again."""
    script = tmp_path / "script.py"
    script.write_text(f"import midiopt\nprint(midiopt.run([{str(SAMPLE)!r}], {str(tmp_path / 'x.db')!r}, workers=2).ok)\n")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and int(done.stdout) > 10
