"""What people type: groups of options and examples in the help, errors of one line, close spellings, units, the database's three ways."""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path

import pytest

from midiopt.cli import quantities
from midiopt.cli.arguments import RARE
from midiopt.cli.main import COMMANDS, main, make_parser
from midiopt.library.search_terms import TERMS
from tests.helpers.processes import finish
from tests.helpers.songs import write_songs


def parsed(*arguments: str) -> argparse.Namespace:
    return make_parser().parse_args(arguments)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line on standard error, without the end that is the same for all."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    captured = capsys.readouterr()
    [line] = captured.err.splitlines()
    assert captured.out == "" and line.endswith(" --help explains the arguments")
    return re.sub(r"[;]? ?midiopt[a-z -]* --help explains the arguments$", "", line)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command(command, capsys, monkeypatch):
    """Three examples, a meaning for every argument, titled groups, and no line is wider than a terminal."""
    for width in (60, 80):
        monkeypatch.setenv("COLUMNS", str(width))
        assert main(["help", command]) == 0
        shown = capsys.readouterr().out
        assert max(map(len, shown.splitlines())) <= width
    parser = make_parser([command])._subparsers._group_actions[0].choices[command]
    assert len(parser.examples) == 3 and all(f"midiopt {command}" in example or command == "help" for example, _ in parser.examples)
    assert all(action.help for action in parser._actions)
    assert "\noptions:" not in shown and "positional" not in shown, "every group says what its options are for"
    with pytest.raises(SystemExit):
        main([command, "--help"])
    assert capsys.readouterr().out == shown


def test_the_help_of_analyze_begins_with_what_people_need(capsys):
    main(["help", "analyze"])
    titles = re.findall(r"^([a-z ]+):$", capsys.readouterr().out, re.M)
    assert titles == ["examples", "what to analyse", "where to", "what to print", "how careful", "how fast", RARE]


def test_the_help_of_search_lists_the_terms(capsys):
    """An installed midiopt has no documentation beside it."""
    main(["help", "search"])
    shown = capsys.readouterr().out
    assert all(f"\n  {' '.join(term.examples)}\n      {term.meaning[:20].replace('`', '')}" in shown for term in TERMS.values())


def test_help_lists_the_commands(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    assert all(re.search(rf"^  {name} +{summary}$", shown, re.M) for name, summary in COMMANDS.items())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["anlyze", "x"], "midiopt: there is no command 'anlyze'; did you mean analyze?"),
        (["stat"], "midiopt: there is no command 'stat'; did you mean status?"),
        (["--versoin"], "midiopt: there is no option --versoin before the command; did you mean --version?"),
        (["--db", "x.db", "status"], "midiopt: there is no option --db before the command"),
        (["verify", "--sample", "0"], "midiopt verify: argument --sample: must be a positive integer, such as 500 or 10k, not '0'"),
        ([], "midiopt: COMMAND is missing"),
        (["analyze"], "midiopt analyze: SOURCE is missing"),
        (["analyze", "--qiuet"], "midiopt analyze: there is no option --qiuet; did you mean --quiet?"),
        (["analyze", "x", "--workrs=3"], "midiopt analyze: there is no option --workrs; did you mean --workers?"),
        (["analyze", "x", "-z"], "midiopt analyze: there is no option -z"),
        (
            ["analyze", "x", "--workers", "aut"],
            "midiopt analyze: argument --workers: must be a number or auto, not 'aut'; did you mean auto?",
        ),
        (["analyze", "x", "--prune=al"], "midiopt analyze: argument --prune: must be --prune or --prune=all, not 'al'; did you mean all?"),
        (["help", "verfy"], "midiopt help: there is no command 'verfy'; did you mean verify?"),
        (["analyze", "x", "--prune", "all"], "midiopt analyze: too many arguments: all; did you mean --prune=all?"),
        (["status", "a.db", "b.db"], "midiopt status: too many arguments: b.db"),
        (["status", "a.db", "--db", "b.db"], "midiopt status: name the database once: as an argument or by --db"),
        (["show"], "midiopt show: FILE is missing"),
        (["split"], "midiopt split: FILE, -o/--output are missing"),
        (["export"], "midiopt export: one of -o/--output, --copy, --link is missing"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_usage_errors_are_one_line(arguments, message, capsys):
    assert refused(capsys, *arguments) == message


@pytest.mark.parametrize("option", ["--prune", "--prun", "--pr"])
def test_an_abbreviated_option_has_its_value(option):
    assert parsed("analyze", "x", option).prune is True and parsed("analyze", "x", option + "=all").prune == "all"


def test_a_folder_in_place_of_a_command(capsys, tmp_path):
    assert refused(capsys, str(tmp_path)).endswith(f"; did you mean midiopt analyze {tmp_path}?")


def test_no_word_is_like_nothing(capsys):
    assert refused(capsys, "qqq") == f"midiopt: there is no command 'qqq'; there are {', '.join(COMMANDS)}"


def test_names_that_look_like_options():
    assert parsed("analyze", "--", "-x", "--y").sources == ["-x", "--y"]
    assert parsed("analyze", "-", "-1").sources == ["-", "-1"]
    assert parsed("show", "- my song.mid").files == ["- my song.mid"]


@pytest.mark.parametrize(
    ("text", "value"),
    [("64M", 64 << 20), ("64m", 64 << 20), ("64MB", 64 << 20), ("64MiB", 64 << 20), ("1.5k", 1536), ("1g", 1 << 30), ("7", 7), ("7b", 7)],
)
def test_sizes(text, value):
    assert parsed("analyze", "x", "--max-file-bytes", text).max_file_bytes == value


@pytest.mark.parametrize(("text", "value"), [("30s", 30), ("5m", 300), ("5min", 300), ("1h", 3600), ("500ms", 0.5), ("0.7", 0.7)])
def test_times(text, value):
    options = parsed("analyze", "x", "--file-timeout", text, "--sink-timeout", text)
    assert options.file_timeout == options.sink_timeout == value


@pytest.mark.parametrize(("text", "value"), [("8M", 8_000_000), ("2.5k", 2500), ("2_000", 2000), ("12", 12)])
def test_counts(text, value):
    assert parsed("analyze", "x", "--max-events", text).max_events == value


def test_workers_and_samples():
    assert parsed("verify", "--sample", "10k").sample == 10_000
    assert parsed("analyze", "x").workers is None and parsed("analyze", "x", "--workers", "auto").workers is None
    assert parsed("analyze", "x", "--workers", "3").workers == 3


@pytest.mark.parametrize(
    ("option", "text", "message"),
    [
        ("--max-file-bytes", "64X", "must be bytes, such as 64M, not '64X'"),
        ("--max-file-bytes", "1.5", "must be bytes, such as 64M, not '1.5'"),
        ("--max-file-bytes", "3G", "must be at most 2147483648, not 3221225472"),
        ("--max-file-bytes", "0", "must be a positive integer, not 0"),
        ("--file-timeout", "5y", "must be a time, such as 30s or 5m, not '5y'"),
        ("--file-timeout", "inf", "must be a positive number of seconds, not inf"),
        ("--file-timeout", "-1s", "must be a positive number of seconds, not -1.0"),
        ("--max-events", "1G", "must be a number, such as 2000 or 8M, not '1G'"),
        ("--workers", "", "must be a number or auto, not ''"),
    ],
)
def test_what_is_no_quantity(option, text, message, capsys):
    assert refused(capsys, "analyze", "x", f"{option}={text}") == f"midiopt analyze: argument {option}: {message}"


def test_quantities_are_written_in_the_largest_unit():
    assert [quantities.bytes_text(size) for size in (1, 1023, 64 << 20, 2 << 30)] == ["1", "1023", "64M", "2G"]
    assert [quantities.seconds_text(time) for time in (1.0, 30.0, 300.0, 7200.0)] == ["1s", "30s", "5m", "2h"]
    assert [quantities.count_text(count) for count in (2048, 8_000_000)] == ["2048", "8M"]


def test_the_database_can_be_named_in_three_ways(monkeypatch):
    monkeypatch.delenv("MIDIOPT_DB", raising=False)
    assert parsed("status").db == parsed("analyze", "x").db == "midiopt.db"
    monkeypatch.setenv("MIDIOPT_DB", "")
    assert parsed("status").db == "midiopt.db"
    monkeypatch.setenv("MIDIOPT_DB", "env.db")
    assert parsed("status").db == parsed("analyze", "x").db == "env.db"
    for command in ("status", "duplicates", "verify"):
        assert parsed(command, "music.db").db == parsed(command, "--db", "music.db").db == "music.db"
    assert parsed("analyze", "x", "--db", "music.db").db == "music.db"


def test_the_password_in_the_variable_is_not_shown(monkeypatch, capsys):
    monkeypatch.setenv("MIDIOPT_DB", "postgresql://me:s3cret@127.0.0.1:1/nothing")
    for command in ("analyze", "status"):
        main(["help", command])
    assert main(["status"]) == 1
    captured = capsys.readouterr()
    assert "s3cret" not in captured.out + captured.err


def test_a_run_and_its_status_by_the_variable(tmp_path: Path):
    songs = write_songs(tmp_path / "songs", 3)
    environment = os.environ | {"MIDIOPT_DB": str(tmp_path / "x.db")}
    assert finish("analyze", songs, "--quiet", module="midiopt", env=environment).returncode == 0
    assert '"contents": 3' in finish("status", "--json", module="midiopt", env=environment).stdout
    assert '"contents": 3' in finish("status", tmp_path / "x.db", "--json", module="midiopt").stdout
