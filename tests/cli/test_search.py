"""midiopt search, as a user starts it."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import midiopt
from docs.record_terminal import run_in_terminal
from midiopt.cli.fit import cell_len
from midiopt.cli.main import main
from midiopt.cli.query_arguments import query_text
from midiopt.library.search import FACTS
from tests.cli.test_arguments import parsed
from tests.helpers.processes import call, command

SAMPLE = Path(__file__).parents[2] / "sample" / "midi"
ODD = b"odd \xff name.mid"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The sample, and a file with an odd name."""
    folder = tmp_path_factory.mktemp("music")
    for path in SAMPLE.rglob("*.*"):
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / os.fsdecode(ODD)).write_bytes((SAMPLE / next(SAMPLE.rglob("*.mid")).relative_to(SAMPLE)).read_bytes())
    return folder


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def url(request, folder, tmp_path_factory) -> str:
    if request.param == "sqlite":
        found = f"{tmp_path_factory.mktemp('database')}/facts.db"
        midiopt.run([folder], found)
        yield found
        return
    from benchmarks import postgres_server

    with postgres_server.database(request.getfixturevalue("pg_dsn")) as found:
        midiopt.run([folder], found)
        yield found


def printed(url: str, *arguments: str) -> str:
    done = call("search", "--db", url, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_form_has_the_same_files(url, folder):
    """As JSON, JSON Lines, CSV, paths and a count, and by Python."""
    with midiopt.Library(url) as library:
        found = list(library.search("has:drums -role:drums", sort="path"))
        assert library.count("has:drums -role:drums") == len(found) > 2
    wanted = [file.path for file in found]
    arguments = ("has:drums", "-role:drums", "--sort", "path")
    whole = json.loads(printed(url, *arguments, "--json"))
    assert whole["command"] == "search" and whole["files"] == len(wanted) and [item["path"] for item in whole["items"]] == wanted
    items = [json.loads(line) for line in printed(url, *arguments, "--jsonl").splitlines()]
    assert items == whole["items"] and tuple(items[0]) == FACTS
    assert [item["bpm"] for item in items] == [file.bpm for file in found]
    rows = list(csv.DictReader(printed(url, *arguments, "--csv").splitlines()))
    assert [row["path"] for row in rows] == wanted and rows[0]["programs"] == " ".join(map(str, found[0].programs))
    assert printed(url, *arguments, "--paths").splitlines() == wanted
    assert printed(url, *arguments, "--paths0").split("\0") == [*wanted, ""]
    assert printed(url, *arguments, "--count") == f"{len(wanted)}\n"
    assert printed(url, *arguments, "--count", "--limit", "2") == "2\n"
    assert printed(url, *arguments, "--paths", "--limit", "2").splitlines() == wanted[:2]


def test_odd_names_are_printed_as_the_system_has_them(url, folder):
    done = subprocess.run(command("search", "odd", "--db", url, "--paths0", module="midiopt"), capture_output=True)
    assert done.stdout == os.fsencode(folder) + b"/" + ODD + b"\0"
    assert "\\xff" in printed(url, "odd", "--paths")


def test_nothing_found_is_no_failure(url):
    done = call("search", "--db", url, "notes:..0")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "no file meets the search\n")
    assert json.loads(printed(url, "notes:..0", "--json"))["items"] == []


def test_an_error_is_one_line():
    done = call("search", "kye:Am")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "midiopt: there is no term kye; did you mean key?\n")
    done = call("search", "--sort", "-tempo")
    assert done.returncode == 1 and done.stderr.startswith("midiopt: there is no sort '-tempo', only path, title, bpm")


@pytest.mark.parametrize(
    ("arguments", "query", "sort", "limit"),
    [
        (["-key:Am"], ["-key:Am"], "", None),
        (["waltz", "-has:drums", "--sort", "-bpm", "-role:bass"], ["waltz", "-has:drums", "-role:bass"], "-bpm", None),
        (["--sort=-bpm", "--limit", "3", "a", "--", "--b", "-c"], ["a", "--b", "-c"], "-bpm", 3),
        (["--lim", "3", "-hello", "b"], ["-hello", "b"], "", 3),
        ([], [], "", None),
    ],
)
def test_words_may_begin_with_a_minus_sign(arguments, query, sort, limit):
    options = parsed("search", *arguments)
    assert (options.query, options.sort, options.limit) == (query, sort, limit)


def test_a_misspelled_option_is_no_word(capsys):
    with pytest.raises(SystemExit):
        main(["search", "--srt", "bpm"])
    assert "there is no option --srt; did you mean --sort?" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["search", "-h"])
    assert "usage: midiopt search" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["key:Am", "bass"], "key:Am bass"),
        (["program:slap bass"], 'program:"slap bass"'),
        (["-program:slap bass"], '-program:"slap bass"'),
        (["chords:~Am F C G", "x"], 'chords:"~Am F C G" x'),
        (["key:Am bass"], "key:Am bass"),
        (["program:slap bass key:Am"], "program:slap bass key:Am"),
        (['program:"slap bass" key:Am'], 'program:"slap bass" key:Am'),
        (["slap bass"], "slap bass"),
        (["meter:3/4 or meter:6/8", "role:melody"], "(meter:3/4 or meter:6/8) role:melody"),
        (["key:Am", "or", "key:C"], "key:Am or key:C"),
        (["(waltz or", "menuet)"], "(waltz or menuet)"),
    ],
)
def test_the_shell_takes_quotes_away(arguments, text):
    assert query_text(arguments) == text


@pytest.mark.parametrize("command", ["search", "report", "export -o facts.csv"])
def test_a_database_is_no_word_of_a_search(tmp_path, monkeypatch, capsys, command):
    """`status` and others take it as an argument; a report of "music.db" was one of 0 files, with exit code 0."""
    monkeypatch.chdir(tmp_path)
    midiopt.run([SAMPLE], "midiopt.db")
    for database, shown in [("midiopt.db", "midiopt.db"), ("postgresql://me:secret@host/x", "postgresql://me@host/x")]:
        assert main([*command.split(), "key:Am", database]) == 1
        assert capsys.readouterr().err == f"midiopt: {shown} is a database, no word of a search: put --db before it\n"
    (tmp_path / "waltz").write_bytes(b"")
    assert query_text(["waltz"]) == "waltz"
    assert set(os.listdir(tmp_path)) == {"midiopt.db", "waltz"}


@pytest.mark.parametrize("columns", [40, 60, 80, 120, 200])
def test_the_table_fits_the_terminal(folder, tmp_path, columns):
    url = f"{tmp_path}/facts.db"
    midiopt.run([folder], url)
    shown = run_in_terminal([sys.executable, "-m", "midiopt", "search", "--db", url, "--limit", "8", "--sort", "-notes"], columns, 24)
    lines = [line for line in shown.replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines() if line]
    assert len(lines) == 10 and all(cell_len(line) <= columns for line in lines)
    assert lines[0].split()[0] == "bpm" and lines[0].endswith("path") and ("program" in lines[0]) == (columns >= 120)
    assert lines[-1] == f"8 of {len(list(folder.iterdir()))} files; --limit lists more"


def test_a_table_in_a_pipe_is_whole(url, folder):
    shown = printed(url, "--sort", "path")
    paths = printed(url, "--sort", "path", "--paths").splitlines()
    assert [line.split("  ")[-1].strip() for line in shown.splitlines()] == ["path", *paths]
