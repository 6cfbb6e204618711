"""midiopt status, as a user starts it, over both databases."""

from __future__ import annotations

import datetime as dt
import json
import signal
import subprocess
from pathlib import Path

import pytest

import midiopt
from midiopt.errors import SinkError
from midiopt.library import queries
from midiopt.library import status as status_module
from midiopt.library.queries import Run
from midiopt.library.snapshot import open_snapshot
from midiopt.library.status import LibraryStatus, library_status
from midiopt.pipeline.new_files import NewFiles
from midiopt.schema import RUNS, STATUSES
from midiopt.sinks import open_sink
from tests.helpers.batches import query
from tests.helpers.databases import wait_until
from tests.helpers.processes import call, command, with_faults, write_faulty, written
from tests.helpers.songs import song, write_songs

SAMPLE = Path(__file__).parents[2] / "sample" / "midi"


def status(url: str) -> dict:
    """The object that the command prints."""
    done = call("status", "--db", url, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_status_counts_the_files_of_the_database(url):
    summary = midiopt.run([SAMPLE], url)
    facts = status(url)
    assert {name: about["files"] for name, about in facts["files"].items()} == {name: getattr(summary, name) for name in STATUSES}
    assert facts["bytes"] == summary.bytes == sum(about["bytes"] for about in facts["files"].values())
    assert facts["database_bytes"] > 10_000
    assert facts["duplicates"] == summary.duplicates >= 1
    assert facts["contents"] == summary.ok + summary.repaired - summary.duplicates
    path, error = facts["files"]["rejected"]["example"], facts["files"]["rejected"]["error"]
    with pytest.raises(midiopt.MidiError) as caught:
        midiopt.analyze(path)
    assert str(caught.value) == error

    counted: dict[str, int] = {}
    for p in SAMPLE.rglob("*.*"):
        try:
            names = midiopt.analyze(p).issue_names
        except midiopt.MidiError:
            continue
        for name in names:
            counted[name] = counted.get(name, 0) + 1
    assert {name: about["files"] for name, about in facts["issues"].items()} == counted
    for name, about in facts["issues"].items():
        assert name in midiopt.analyze(about["example"]).issue_names

    sizes = sorted((p.stat().st_size for p in SAMPLE.rglob("*") if p.is_file()), reverse=True)
    assert [file["bytes"] for file in facts["largest"]] == sizes[:5]
    seconds = [file["seconds"] for file in facts["slowest"]]
    assert seconds == sorted(seconds, reverse=True) and len(seconds) == 5 and 0 < seconds[0] < summary.seconds

    run = facts["last_run"]
    assert (run["outcome"], run["error"], run["files"], run["ok"]) == ("finished", None, summary.files, summary.ok)
    assert run["sources"] == [str(SAMPLE)] and run["options"]["batch_size"] == 2048 and run["version"] == midiopt.__version__
    assert run["build"] == midiopt.build_info()["mode"] and run["started"] < run["ended"]


def test_status_prints_lines_of_any_length(url):
    midiopt.run([SAMPLE], url, workers=1, follow_links=True)
    done = call("status", "--db", url)
    assert done.returncode == 0, done.stderr
    for word in ("rejected", "1 duplicate", "issues", "slowest", "largest", "last run", "finished just now"):
        assert word in done.stdout
    assert f"from {SAMPLE} with --workers 1 --follow-links; midiopt {midiopt.__version__}" in done.stdout, "options other than the default"
    assert "…" not in done.stdout and f"{SAMPLE}/odd/half a download.mid: chunk length past the end of the file at byte 4715" in done.stdout


def test_a_run_has_every_column_of_its_table():
    assert list(Run._fields) == [column.name for column in RUNS]


def counted(monkeypatch) -> list[str]:
    """The queries that scan a table, as they are made."""
    made: list[str] = []
    for name in ("status_counts", "content_counts", "issue_sets", "slowest_files", "largest_files"):
        whole = getattr(queries, name)
        monkeypatch.setattr(queries, name, lambda *values, name=name, whole=whole: (made.append(name), whole(*values))[1])
    return made


def shown(url) -> LibraryStatus:
    with open_snapshot(url) as library:
        return library_status(library)


def test_a_run_keeps_what_status_shows(url, tmp_path, monkeypatch):
    """Nothing is counted again, until another run changes something; one that changes nothing keeps what the one before has kept."""
    songs = write_songs(tmp_path / "songs", 5)
    midiopt.run([songs], url, workers=1)
    made = counted(monkeypatch)
    first = shown(url)
    assert made == [] and first.file_count == 5 and first.last_run.id == 1
    midiopt.run([songs], url, workers=1)
    assert made == [] and shown(url)._replace(last_run=None) == first._replace(last_run=None) and made == []
    (songs / "new.mid").write_bytes(song(99))
    midiopt.run([songs], url, workers=1)
    assert len(made) == 5
    assert shown(url).file_count == 6 and shown(url).last_run.id == 3 and len(made) == 5


@pytest.mark.parametrize("value", ["", "[]", "{}", '{"run": 1}', '{"run": 1, "files": 3}', '{"run": 7}'])
def test_what_was_kept_by_another_version_is_counted_again(url, tmp_path, value):
    midiopt.run([write_songs(tmp_path / "songs", 5)], url, workers=1)
    expected = shown(url)
    query(url, f"UPDATE meta SET value = '{value}' WHERE key = 'status'")
    assert shown(url) == expected


def test_what_was_kept_ends_with_the_next_run(url, tmp_path):
    """Whether it has ended or not."""
    midiopt.run([write_songs(tmp_path / "songs", 5)], url, workers=1)
    query(url, "UPDATE files SET status = 'crashed'")
    assert shown(url).files["ok"].files == 5
    with open_sink(str(url)) as database:
        database.start_run({"started": dt.datetime.now(dt.UTC), "version": "1", "build": "", "sources": [], "options": "{}"})
    assert shown(url).files["ok"].files == 0 and shown(url).files["crashed"].files == 5


def test_a_database_that_cannot_be_written_is_counted(url, tmp_path, monkeypatch):
    def write(url: str, text: str) -> None:
        raise SinkError("no")

    monkeypatch.setattr(status_module, "write_status", write)
    assert midiopt.run([write_songs(tmp_path / "songs", 5)], url, workers=1).ok == 5
    assert shown(url).file_count == 5


def last_outcome(url: str) -> str:
    return status(url)["last_run"]["outcome"]


def test_status_tells_how_a_run_ended(tmp_path, url):
    """One run that is active, then killed, and one that is interrupted: a file that hangs its worker keeps both from ending."""
    songs = write_songs(tmp_path / "songs", 2000)
    write_faulty(songs / "hang.mid", "hang")
    arguments = command("analyze", songs, "--db", url, "--batch-size", "64", "--quiet", module="midiopt")

    with subprocess.Popen(arguments, env=with_faults()) as run:
        wait_until(lambda: written(url) > 0)
        assert last_outcome(url) == "running"
        run.kill()
    wait_until(lambda: last_outcome(url) != "running")  # the server may notice with a delay
    last = status(url)["last_run"]
    assert last["outcome"] == "killed" and last["ended"] is None
    assert "terminated abnormally" in call("status", "--db", url).stdout

    with subprocess.Popen(arguments, env=with_faults()) as run:
        wait_until(lambda: query(url, "SELECT count(*) FROM runs") == [(2,)])  # from now on the run handles signals
        run.send_signal(signal.SIGINT)
    assert run.returncode == 130
    assert last_outcome(url) == "interrupted"
    assert query(url, "SELECT outcome FROM runs WHERE id = 1") == [("killed",)]


def test_a_run_that_fails_says_why(url, monkeypatch):
    """The walk fails after its first task. The time stood at 0.0 seconds, and status said "failed just now after 0.0 s"."""
    found = NewFiles.tasks

    def tasks(self):
        yield next(found(self))
        raise ZeroDivisionError("the walk failed")

    monkeypatch.setattr(NewFiles, "tasks", tasks)
    with pytest.raises(ZeroDivisionError):
        midiopt.run([SAMPLE], url, workers=1)
    last = status(url)["last_run"]
    assert (last["outcome"], last["error"]) == ("failed", "the walk failed") and last["seconds"] > 0


def test_status_leaves_out_missing_files_and_tells_where_moved_ones_are(tmp_path, url):
    music = tmp_path / "music"
    music.mkdir()
    for i, name in enumerate(("a", "b", "c")):
        (music / f"{name}.mid").write_bytes(song(i))
        (music / f"{name}2.mid").write_bytes(song(i))
    midiopt.run([music], url)
    (music / "a.mid").unlink()
    (music / "b.mid").unlink()
    (music / "b2.mid").rename(music / "new.mid")
    (music / "c.mid").unlink()
    (music / "c2.mid").unlink()
    summary = midiopt.run([music], url)
    assert (summary.gone, summary.moved, summary.duplicates) == (5, 1, 0)
    done = call("status", "--db", url, "--json")
    facts = json.loads(done.stdout)
    assert (facts["files"]["ok"]["files"], facts["contents"], facts["duplicates"]) == (2, 2, 0)
    assert (facts["last_run"]["gone"], facts["last_run"]["moved"], facts["last_run"]["deleted"]) == (5, 1, 0)
    assert facts["missing"] == {
        "files": 5,
        "found_elsewhere": 3,
        "example": f"{music}/a.mid",
        "moved_example": f"{music}/a.mid",
        "moved_to": f"{music}/a2.mid",
    }
    shown = call("status", "--db", url).stdout
    assert f"{music}/a.mid: now {music}/a2.mid" in shown
    midiopt.run([music], url, prune="all")
    assert query(url, "SELECT gone, moved, deleted FROM runs ORDER BY id") == [(0, 0, 0), (5, 1, 0), (5, 0, 5)]
