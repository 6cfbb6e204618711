"""Similar files: found through the index of either database, whatever has become of it, and grouped."""

from __future__ import annotations

import json
import random
from functools import partial
from itertools import combinations

import numpy as np
import pytest

import midiopt
from midiopt.errors import QueryError, SourceError
from midiopt.library.near import grouped
from midiopt.library.similar import decoded, match_of, score_of
from midiopt.library.snapshot import open_snapshot
from tests.helpers.batches import query
from tests.helpers.melodies import content, melody, transposed
from tests.helpers.processes import call


@pytest.fixture
def music(tmp_path):
    folder = tmp_path / "music"
    folder.mkdir()
    for seed in range(8):
        (folder / f"{seed}.mid").write_bytes(content(melody(seed)))
    (folder / "up.mid").write_bytes(content(transposed(melody(0), 2)))
    (folder / "half.mid").write_bytes(content(melody(0)[:60], "first half"))
    (folder / "short.mid").write_bytes(content(melody(9, 5)))
    return folder


def names(found) -> list[str]:
    return [file.path.rpartition("/")[2] for file in found]


def test_similar_files_are_found_by_path_and_by_file(music, url, tmp_path):
    midiopt.run([music], url)
    elsewhere = tmp_path / "elsewhere.mid"
    elsewhere.write_bytes(content(transposed(melody(0), -3)))
    with midiopt.Library(url) as library:
        found = library.similar(str(music / "0.mid"))
        assert names(found) == ["up.mid", "half.mid"]
        assert found[0].score == 1 and found[0].differs == ("transposed by +2",)
        assert 0.3 < found[1].score < 0.8 and {"retitled", "60 notes fewer"} <= {*found[1].differs}
        assert names(library.similar(elsewhere)) == ["0.mid", "up.mid", "half.mid"]
        assert names(library.similar(elsewhere, limit=1)) == ["0.mid"]
        assert names(library.similar(elsewhere, min_score=0.9)) == ["0.mid", "up.mid"]
        elsewhere.write_bytes((music / "0.mid").read_bytes())
        assert library.similar(elsewhere)[0].differs == ("same bytes",), "a copy that no run has read"
        elsewhere.write_bytes(content(transposed(melody(0), -3)))
        assert library.similar(str(music / "5.mid")) == []
        for lost in (music / "short.mid", tmp_path / "absent.mid"):
            with pytest.raises(SourceError):
                library.similar(lost)
        for none in (content(melody(0)), None, 3):
            with pytest.raises(TypeError, match=f"a file is given as its path, not as {type(none).__name__}"):
                library.similar(none)
        for read in (library.search, library.count, library.table):
            with pytest.raises(TypeError, match="a search is a text"):
                read(None)
        for read in (library.search, partial(library.similar, elsewhere)):
            with pytest.raises(TypeError, match=r"the limit of a search is a whole number, or None for all files, not 2\.5"):
                read(limit=2.5)
            with pytest.raises(ValueError, match="the limit of a search is at least 0, not -1"):
                read(limit=-1)
            assert len(list(read(limit=np.int64(1)))) == 1
        for read in (library.near_duplicates, partial(library.similar, elsewhere)):
            with pytest.raises(ValueError, match=r"a score is a number above 0 and at most 1, not 2"):
                read(min_score=2)
            with pytest.raises(TypeError, match=r"a score is a number, not 'high'"):
                read(min_score="high")
            assert len(list(read(min_score=np.float32(0.5)))) == len(list(read(min_score=0.5)))
        with pytest.raises(TypeError, match="a sort is a text, such as 'bpm' or '-notes', not NoneType"):
            library.search(sort=None)
        assert {*names(library.search(f'like:"{elsewhere}"'))} == {"0.mid", "up.mid", "half.mid"}
        assert {*names(library.search(f"like:{music / 'half.mid'} -like:{music / '5.mid'}"))} == {"0.mid", "up.mid", "half.mid"}
    done = call("similar", music / "0.mid", "--db", url, "--json")
    items = json.loads(done.stdout)["items"]
    assert (items[0]["path"], items[0]["score"]) == (str(music / "up.mid"), 1)
    assert "transposed by +2" in call("similar", music / "0.mid", "--db", url).stdout


def test_like_names_what_it_cannot_compare_with(music, url, tmp_path):
    """A typing error is no answer: it found no file, as where nothing is similar."""
    (music / "broken.mid").write_bytes(b"nothing of music")
    midiopt.run([music], url)
    (music / "5.mid").unlink()
    with midiopt.Library(url) as library:
        assert names(library.search(f"like:{music / '5.mid'}")) == ["5.mid"]  # of the library: the file has gone
        with pytest.raises(QueryError, match="the name cannot be encoded"):
            library.count("like:\ud800")
        with pytest.raises(QueryError, match=r"^like: /dev/null: not a regular file$"):
            library.count("like:/dev/null")
        for text in ("like:absent.mid", "waltz or -like:absent.mid"):
            for ask in (library.count, library.table, lambda text: [*library.search(text)]):
                with pytest.raises(QueryError, match=r"^like: absent\.mid is neither a file nor a path in the library$"):
                    ask(text)
        for name in ("short.mid", "broken.mid"):
            (music / name).unlink()
            with pytest.raises(QueryError, match=f"{name} has no analysis, or too few notes"):
                library.count(f"like:{music / name}")
    for command, *more in (["search"], ["search", "--count"], ["report", "-o", tmp_path / "r.html"], ["export", "-o", tmp_path / "f.csv"]):
        done = call(command, "like:absent.mid", *more, "--db", url)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == "midiopt: like: absent.mid is neither a file nor a path in the library\n"


def test_a_report_is_about_files_like_one_on_disk(music, url, tmp_path):
    midiopt.run([music], url)
    (tmp_path / "elsewhere.mid").write_bytes(content(transposed(melody(0), -3)))
    done = call("report", f"like:{tmp_path / 'elsewhere.mid'}", "-o", tmp_path / "report.html", "--db", url)
    assert ": 3 files," in done.stdout


def test_the_index_follows_the_contents(music, url):
    """After a later run, after files are pruned, and when contents are analysed again."""
    midiopt.run([music], url)
    (music / "down.mid").write_bytes(content(transposed(melody(0), -1)))
    midiopt.run([music], url)
    assert_index_is_complete(url)
    (music / "up.mid").unlink()
    midiopt.run([music], url, prune=True)
    assert_index_is_complete(url)
    with midiopt.Library(url) as library:
        assert names(library.similar(str(music / "0.mid"))) == ["down.mid", "half.mid"]
    empty = "NULL" if url.startswith("sqlite") else "NULL::integer[]"
    query(url, f"UPDATE analyses SET sketch = {empty}, analyzer_version = 1")
    query(url, "UPDATE files SET analyzer_version = 1")
    midiopt.run([music], url)
    assert_index_is_complete(url)
    with midiopt.Library(url) as library:
        assert names(library.similar(str(music / "0.mid"))) == ["down.mid", "half.mid"]


def assert_index_is_complete(url: str) -> None:
    if url.startswith("sqlite"):
        rows = query(url, "SELECT id, sketch FROM analyses WHERE sketch IS NOT NULL")
        wanted = sorted((hash_, number) for number, sketch in rows for hash_ in decoded(sketch))
        assert query(url, "SELECT hash, analysis_id FROM sketch_hashes ORDER BY 1, 2") == wanted
        assert len({number for _, number in wanted}) == len(rows) > 0
    else:
        assert query(url, "SELECT count(*) FROM pg_indexes WHERE indexname = 'analyses_sketch'") == [(1,)]


def test_contents_that_no_finished_run_has_entered_are_found(music, tmp_path):
    """As after a killed run, which has made no index."""
    url = f"sqlite:///{tmp_path}/facts.db"
    midiopt.run([music], url)
    query(url, "DELETE FROM sketch_hashes WHERE analysis_id > 3")
    query(url, "UPDATE meta SET value = '3' WHERE key = 'sketched_id'")
    with midiopt.Library(url) as library:
        assert names(library.similar(str(music / "0.mid"))) == ["up.mid", "half.mid"]
    midiopt.run([music], url)
    assert_index_is_complete(url)


def test_near_duplicates_are_grouped_with_what_differs(music, url):
    (music / "again.mid").write_bytes(content(melody(0), "another title"))
    midiopt.run([music], url)
    with midiopt.Library(url) as library:
        [group] = library.near_duplicates(min_score=0.7)
    assert {file.path.rpartition("/")[2]: file.differs for file in group.files} == {
        "0.mid": (),
        "again.mid": ("same notes", "retitled"),
        "up.mid": ("transposed by +2",),
    }
    done = call("duplicates", "--near", "--db", url, "--jsonl")
    assert {"path": str(music / "up.mid"), "differs": ["transposed by +2"]} in json.loads(done.stdout)["files"]
    assert "same notes, retitled" in call("duplicates", "--near", "--db", url).stdout


def test_near_duplicates_are_listed_with_the_one_that_has_most_of_them(tmp_path):
    """Three parts of one melody, of which only the middle one is like both others."""
    folder = tmp_path / "music"
    folder.mkdir()
    for at, name in enumerate("abc"):
        (folder / f"{name}.mid").write_bytes(content(melody(0, 90)[at * 10 : at * 10 + 60]))
    midiopt.run([folder], tmp_path / "facts.db")
    with midiopt.Library(tmp_path / "facts.db") as library:
        assert names(library.similar(folder / "a.mid", min_score=0.6)) == ["b.mid"]
        [group] = library.near_duplicates(min_score=0.6)
    assert names(group.files) == ["b.mid", "a.mid", "c.mid"]


def test_short_files_are_near_with_six_hashes_or_all():
    """Of chord loops that share half of a few hashes, four of five have other progressions."""
    assert match_of(5, 8, 10) == (0.5, False)
    assert match_of(6, 8, 10) == (0.6, True)
    assert match_of(4, 4, 4) == (1, True)
    assert match_of(16, 32, 32) == (0.5, True)
    assert match_of(15, 32, 32) == (15 / 32, False)


def test_each_pair_with_the_score_is_in_one_group(tmp_path):
    """Compared with all pairs: what a group leaves out would leak from a training set into a test set."""
    folder = tmp_path / "music"
    folder.mkdir()
    chance = random.Random(3)
    for seed in range(12):
        notes = melody(seed)
        for version in range(5):
            at = chance.randrange(60)
            (folder / f"{seed}-{version}.mid").write_bytes(content(transposed(notes[at : at + 60], version)))
    url = f"sqlite:///{tmp_path}/facts.db"
    midiopt.run([folder], url)
    with open_snapshot(url) as library:
        sketches = {number: decoded(text) for number, text in library.rows("SELECT id, sketch FROM analyses")}
        roots = grouped(library, 0.3)
    pairs = 0
    for (a, one), (b, other) in combinations(sketches.items(), 2):
        if score_of(len({*one} & {*other}), len(one), len(other)) >= 0.3:
            assert roots[a] == roots[b]
            pairs += 1
    assert pairs > 20 and len({*roots.values()}) > 8
