"""What a search finds: the grammar, and the answers of both databases beside those of a filter in plain Python over the same rows."""

from __future__ import annotations

import datetime as dt
import random
import re
import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from benchmarks import postgres_server
from midiopt.errors import QueryError
from midiopt.general_midi import FAMILIES, PROGRAMS
from midiopt.library import postgres_phrases, search_access, search_pages, search_query, search_rows, sqlite_phrases
from midiopt.library.search import FACETS, SORTS, count, facet, find, parse_query
from midiopt.library.search_terms import TERMS
from midiopt.library.snapshot import open_snapshot
from midiopt.schema import ISSUE_BITS, KEYS, METERS, ROLES, STATUSES
from midiopt.sinks import open_sink
from tests.helpers.batches import analysis_row, file_row, make_batch, write

FILES = 400
WORDS = ("Waltz", "moon", "Étude", "slap", "bass", "1987", "Größe", "ночь", "夜曲集", "Moonラ・カンパネラ")
CHORDS = (None, "Am F C G", "F C G Am", "Bm G D A", "C", "Dm G", "Am F C G Am", "C#m A E B", "Gsus4 C")


def rows() -> list[dict[str, Any]]:
    """Files with the facts of their contents; of those without an analysis, no facts. Some contents have several files."""
    chance = random.Random(14)
    contents, files = [], []
    for n in range(FILES):
        if n % 5 or not contents:
            contents.append(
                {
                    "content_hash": (n + 1).to_bytes(16),
                    "key": chance.choice([None, "Am", "C", "Em", "Dm", "Abm", "G#m", "F#"]),
                    "bpm": chance.choice([None, 60.0, 90.0, 119.5, 120.0, 121.0, 123.75, 240.0]),
                    "bpm_confidence": chance.choice([0.0, 0.5, 0.8, 1.0]),
                    "key_confidence": chance.choice([0.0, 0.5, 0.8, 1.0]),
                    "time_signature": chance.choice([None, "4/4", "3/4", "6/8"]),
                    "meter_estimated": chance.choice([None, *METERS]),
                    "programs": sorted(chance.sample([0, 32, 33, 36, 37, 127], chance.randrange(4))),
                    "role": chance.choice([None, *ROLES]),
                    "drum_note_count": chance.choice([0, 0, 9]),
                    "chord_progression": chance.choice(CHORDS),
                    "duration_s": chance.choice([0.5, 29.5, 30.0, 31.0, 150.0]),
                    "note_count": chance.choice([0, 1, 99, 100, 101, 2000]),
                    "polyphony_max": chance.choice([0, 1, 2, 8]),
                    "swing": chance.choice([None, 1.25, 1.5, 2.0]),
                    "is_loop": chance.choice([None, True, False]),
                    "loop_bars": chance.choice([None, 2, 4]),
                    "is_performance": chance.choice([None, True, False]),
                    "issues": chance.choice([0, 0, ISSUE_BITS["stuck_note"], ISSUE_BITS["stuck_note"] | ISSUE_BITS["long_varint"]]),
                    "title": chance.choice([None, " ".join(chance.sample(WORDS, 2))]),
                    "track_names": chance.choice([[], ["Slap", "Bass 2"], [f'"{chance.choice(WORDS)}"', "a\\b\n"]]),
                }
            )
        content: dict[str, Any] = chance.choice(contents) if n % 5 == 0 else contents[-1]
        status = chance.choice(["ok", "ok", "repaired", "rejected"])
        path = f"/music/{chance.choice(WORDS)}_{chance.choice(WORDS)}/{n:03}-{chance.choice(WORDS)}.mid"
        file = {"path": path, "status": status, "missing_since": n % 7 == 3, "analyzed_at": dt.datetime(2026, 1, 1 + n % 9, tzinfo=dt.UTC)}
        file |= {"content_hash": content["content_hash"], "size_bytes": n % 10}
        files.append({**file, "content": content if status != "rejected" else None})
    return files


ROWS = rows()


def fill(url: str) -> None:
    """Write the rows, and mark the missing ones."""
    with open_sink(url) as sink:
        of_files = [file_row(**{k: v for k, v in row.items() if k not in ("content", "missing_since")}) for row in ROWS]
        contents = {row["content_hash"]: analysis_row(**row["content"]) for row in ROWS if row["content"]}
        write(sink, make_batch(of_files, list(contents.values())))
        sink.mark_missing([row["path"] for row in ROWS if row["missing_since"]], dt.datetime(2026, 2, 1, tzinfo=dt.UTC))
        sink.finalize()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def library(request, tmp_path_factory):
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('search')}/facts.db"
        fill(url)
        with open_snapshot(url) as library:
            yield library
        return
    with postgres_server.database(request.getfixturevalue("pg_dsn")) as url:
        fill(url)
        postgres_server.execute(url, "ANALYZE")  # which words are common is known from its statistics
        with open_snapshot(url) as library:
            yield library


# --- a second opinion ------------------------------------------------------------------------------

Test = Callable[[dict[str, Any]], bool]


def of_content(test: Test) -> Test:
    """A test of the facts of a file, which one without facts does not meet."""
    return lambda row: row["content"] is not None and bool(test(row["content"]))


def plain_words(text: str) -> str:
    """The words, each character of Chinese and Japanese is one, with a space before and after each."""
    text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).lower()
    text = "".join(f" {c} " if unicodedata.name(c, "").startswith(("CJK UNIFIED", "KATAKANA LETTER")) else c for c in text)
    return " " + "".join(f"{word} " for word in re.findall(r"[^\W_]+", text))


def has_words(text: str) -> Test:
    wanted = f" {plain_words(text).strip()}" + ("" if text.endswith("*") else " ")

    def test(row: dict[str, Any]) -> bool:
        content = row["content"]
        named = plain_words(f"{content['title'] or ''} {' '.join(content['track_names'])}") if content else ""
        return wanted in plain_words(row["path"]) or wanted in named

    return test


def within(name: str, low: float, high: float) -> Test:
    return of_content(lambda content: content[name] is not None and low <= content[name] <= high)


def same(name: str, *values: object) -> Test:
    return of_content(lambda content: content[name] is not None and content[name] in values)


def transposed(progression: str | None, loop: str) -> bool:
    """Whether the roots and kinds of a progression are those of a loop, rotated and transposed; it may end as it begins."""
    names = ["C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B"]

    def chords(text: str) -> list[tuple[int, str]]:
        found = [re.fullmatch("([A-G][#b]?)(.*)", name) for name in text.split()]
        spelled = {"Db": "C#", "Ab": "G#"}
        return [(names.index(spelled.get(match[1], match[1])), match[2]) for match in found if match]

    if progression is None:
        return False
    there, wanted = chords(progression), chords(loop)
    there = there[:-1] if len(there) > 1 and there[0] == there[-1] else there
    turned = [there[i:] + there[:i] for i in range(len(there))]
    return any([((root + step) % 12, kind) for root, kind in loop] == wanted for loop in turned for step in range(12))


AM_LOOPS = ("Am F C G", "F C G Am", "Am F C G Am")
ATOMS: list[tuple[str, Test]] = [
    ("key:Am", same("key", "Am")),
    ("key:abm", same("key", "Abm", "G#m")),
    ("KEY:~Am", same("key", "Am", "C", "Em", "Dm")),
    ("key:minor", of_content(lambda content: (content["key"] or "").endswith("m"))),
    ("key:Am|F#", same("key", "Am", "F#")),
    ("bpm:119.5..121", within("bpm", 119.5, 121)),
    ("bpm:120", of_content(lambda content: content["bpm"] is not None and 119.5 <= content["bpm"] < 120.5)),
    ("bpm:90..", within("bpm", 90, 1e9)),
    ("bpm:~120", of_content(lambda content: content["bpm"] in (60, 119.5, 120, 121, 123.75, 240))),
    ("bpm:~118..121", of_content(lambda content: content["bpm"] in (60, 119.5, 120, 121, 240))),
    ("meter:3/4", of_content(lambda content: (content["time_signature"] or content["meter_estimated"]) == "3/4")),
    ('program:"slap bass"|0', of_content(lambda content: bool({0, 36, 37} & {*content["programs"]}))),
    ("program:36", of_content(lambda content: 36 in content["programs"])),
    ("family:bass", of_content(lambda content: any(32 <= number < 40 for number in content["programs"]))),
    ("has:drums", within("drum_note_count", 1, 1e9)),
    ("has:title", of_content(lambda content: content["title"] is not None)),
    ("role:melody", same("role", "melody")),
    ('chords:"C G Am F"', same("chord_progression", *AM_LOOPS)),
    ('chords:"~C G Am F"', of_content(lambda content: transposed(content["chord_progression"], "C G Am F"))),
    ("chords:~C", same("chord_progression", "C")),
    ("duration:..30s", within("duration_s", 0, 30)),
    ("duration:0:30..2.5m", within("duration_s", 30, 150)),
    ("notes:100..", within("note_count", 100, 1e9)),
    ("notes:100", same("note_count", 100)),
    ("notes:1k..", within("note_count", 1000, 1e9)),
    ("polyphony:1", same("polyphony_max", 1)),
    ("swing:1.5..", within("swing", 1.5, 9)),
    ("loop:4", same("loop_bars", 4)),
    ("loop:no", same("is_loop", False)),
    ("performance:yes", same("is_performance", True)),
    ("confidence:.8..", of_content(lambda content: min(content["bpm_confidence"], content["key_confidence"]) >= 0.8)),
    ("confidence:...5", of_content(lambda content: min(content["bpm_confidence"], content["key_confidence"]) <= 0.5)),
    ("status:rejected", lambda row: row["status"] == "rejected"),
    ("issue:stuck_note", of_content(lambda content: content["issues"] & ISSUE_BITS["stuck_note"])),
    ("issue:long_varint", of_content(lambda content: content["issues"] & ISSUE_BITS["long_varint"])),
    *((word, has_words(word)) for word in (*WORDS, "etude", "GROSSE", "mid", "music", "bas*", "a-b")),
    *((word, has_words(word)) for word in ("夜", "曲集", "集夜", "夜*", "夜曲*", "集/夜", "カンパ", "ﾊﾟﾈﾗ", "ラカン", "moonラ")),
    ('"slap bass"', has_words("slap bass")),
    ('"Waltz Moon"', has_words("waltz moon")),
    ("moon|1987", lambda row: has_words("moon")(row) or has_words("1987")(row)),
]


def joined(queries: list[tuple[str, Test]], how: str) -> tuple[str, Test]:
    texts, tests = zip(*queries, strict=True)
    combine = any if how == " or " else all
    return f"({how.join(texts)})", lambda row: combine(test(row) for test in tests)


def negated(query: tuple[str, Test]) -> tuple[str, Test]:
    return f"-{query[0]}", lambda row: not query[1](row)


QUERIES = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: st.one_of(inner.map(negated), st.builds(joined, st.lists(inner, min_size=2, max_size=3), st.sampled_from([" ", " or "]))),
    max_leaves=5,
)


def paths(library: Any, text: str, **options: Any) -> list[str]:
    return [found.path for found in find(library, parse_query(text), limit=FILES, **options)]


def test_every_term_finds_what_a_filter_finds(library):
    for text, test in ATOMS:
        wanted = {row["path"] for row in ROWS if test(row) and not row["missing_since"]}
        assert {*paths(library, text)} == wanted, text
        assert count(library, parse_query(text)) == len(wanted), text
    untested = {"missing", "like"}  # like: is tested in test_similar.py
    assert {*TERMS} - {text.lower().partition(":")[0] for text, _ in ATOMS} == untested


@settings(max_examples=100)
@given(QUERIES)
def test_queries_of_any_shape_find_what_a_filter_finds(library, query):
    text, test = query
    wanted = {row["path"] for row in ROWS if test(row) and not row["missing_since"]}
    assert sorted(paths(library, text)) == sorted(wanted)


@settings(max_examples=60)
@given(QUERIES, st.sampled_from(["", "", "path", "-size", "added", "bpm", "-swing"]), st.sampled_from([0, 10_000]))
def test_queries_find_the_same_in_every_way(library, query, sort, gathered_us):
    """Lists are so short, and what is looked at first so little, that files are found by parts of the index of words, parts of lists,
    parts of all contents and scans."""
    text, test = query
    wanted = {row["path"] for row in ROWS if test(row) and not row["missing_since"]}
    with pytest.MonkeyPatch.context() as patch:
        for module, name, value in (
            (search_access, "MAX_IDS", {"sqlite": 20, "postgres": 20}), (search_access, "FEW_IDS", 3), (search_access, "RARE_IDS", 2),
            (sqlite_phrases, "FIRST_CHUNK", 4), (postgres_phrases, "FIRST_RANGE", 5), (search_pages, "FIRST_CHUNK", 4),
            (search_pages, "MAX_LOOKED_AT", {"sqlite": 40, "postgres": 40}), (search_pages, "FEW_IDS", 3),
            (search_pages, "PART", 12), (search_rows, "PART", 12), (search_pages, "MAX_PARTS", 15),
            (search_pages, "WINDOWS", (2, 9)), (postgres_phrases, "GATHERED_US", gathered_us),
        ):  # fmt: skip
            patch.setattr(module, name, value)
        pages, after = [], None
        while page := find(library, parse_query(text), sort, limit=9, after=after):
            pages += page
            after = page[-1]
        assert sorted(found.path for found in pages) == sorted(wanted)
        assert count(library, parse_query(text)) == len(wanted)


def test_missing_files_are_found_only_if_asked_for(library):
    gone = {row["path"] for row in ROWS if row["missing_since"]}
    assert {*paths(library, "missing:yes")} == gone
    assert {*paths(library, "missing:no")} == {*paths(library, "")} == {row["path"] for row in ROWS} - gone
    assert {*paths(library, "missing:yes or missing:no")} == {row["path"] for row in ROWS}
    assert all(found.missing_since for found in find(library, parse_query("missing:yes")))
    assert paths(library, '"missing:yes"') == []  # quoted, it is words


@pytest.mark.parametrize("sort", ["", *SORTS, *(f"-{name}" for name in SORTS)])
def test_pages_follow_each_other_in_order(library, sort):
    query = parse_query("-status:repaired")
    pages, after = [], None
    while page := find(library, query, sort, 23, after):
        pages += page
        after = page[-1]
    assert [found.path for found in pages] == paths(library, "-status:repaired", sort=sort)
    assert len({found.path for found in pages}) == count(library, query) == len(pages)
    if sort:
        values = [getattr(found, SORTS[sort.removeprefix("-")].attribute) for found in pages]
        present = [value for value in values if value is not None]
        assert values == [*present, *[None] * (len(values) - len(present))]
        if sort.removeprefix("-") not in ("title", "key"):  # whose order PostgreSQL's locale decides
            assert present == sorted(present, reverse=sort.startswith("-"))


def test_a_found_file_has_typed_facts(library):
    [row] = [row for row in ROWS if row["path"] == paths(library, "status:ok program:36 key:Am -missing:yes")[0]]
    [found] = [found for found in find(library, parse_query("status:ok"), limit=FILES) if found.path == row["path"]]
    for name, value in row["content"].items():
        assert getattr(found, name) == value, name
    assert found.analyzed_at == row["analyzed_at"] and found.missing_since is None and isinstance(found.analysis_id, int)
    [bare, *_] = find(library, parse_query("status:rejected"))
    assert bare.analysis_id is bare.title is bare.programs is bare.meter is None and bare.issue_names == []


def test_a_count_may_be_bounded(library):
    assert count(library, parse_query(""), at_most=10) == 10
    assert count(library, parse_query("status:rejected"), at_most=FILES) == count(library, parse_query("status:rejected"))


@pytest.mark.parametrize("column", FACETS)
def test_facets_count_what_their_terms_find(library, column):
    query = parse_query("has:drums or status:rejected")
    found = facet(library, query, column)
    assert found and [value.files for value in found] == sorted((value.files for value in found), reverse=True)
    if column not in ("key", "bpm"):  # of which the term of one value finds others, too
        for value in found:
            assert value.files == count(library, parse_query(f"(has:drums or status:rejected) {value.term}")), value
    assert sum(value.files for value in facet(library, query, column, at_most=5)) <= 5 * (3 if column == "program" else 1)


VALUES = st.builds(lambda name, value: f'{name}:"{value}"', st.sampled_from([*TERMS]), st.text(max_size=8))


# --- the grammar -----------------------------------------------------------------------------------


@settings(max_examples=200)
@given(st.text(alphabet=st.sampled_from('ab:-()"|~. or1/kKey\0\ud800é') | st.characters(), max_size=40) | st.text(max_size=40))
@example("(" * 2000)
@example("-" * 2000 + "a")
@example("a " * 2000)
@example("bpm:" + "9" * 400)
@example("or or or")
@example("notes:1..1e309")
def test_reading_a_query_raises_nothing_but_its_own_error(text):
    try:
        query = parse_query(text)
    except QueryError as problem:
        assert str(problem)
    else:
        assert query.text == text


@settings(max_examples=100)
@given(
    st.lists(
        st.sampled_from([*TERMS]).flatmap(lambda name: st.text(max_size=8).map(lambda value: f'{name}:"{value}"')) | st.text(max_size=8),
        max_size=4,
    ).map(" ".join)
)
def test_whatever_is_read_can_be_asked(library, text):
    try:
        query = parse_query(text)
    except QueryError:
        return
    if any(item.name == "like" for item in search_query.items(query.root)):
        with pytest.raises(QueryError, match="not a path in the library"):
            count(library, query)
    else:
        assert count(library, query) >= len(find(library, query, limit=3))


@pytest.mark.parametrize("term", [term for term in TERMS.values() if term.name != "like"], ids=lambda term: term.name)
def test_the_examples_of_the_table_can_be_asked(library, term):
    for text in term.examples:
        assert text.startswith(f"{term.name}:")
        count(library, parse_query(text))


@pytest.mark.parametrize("word", [f"{term.name}:{word}" for term in TERMS.values() for word in term.words])
def test_every_word_of_the_table_is_a_value(word):
    parse_query(word)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kye:Am", "there is no term kye; did you mean key?"),
        ("Title:moon", "there is no term Title; words without a term are sought in titles, track names and paths"),
        ("tempo:120", "there is no term tempo; did you mean bpm?"),
        ("mood:sad", "there is no term mood, only key,"),
        ("bmp:120", "there is no term bmp; did you mean bpm?"),
        ("zzz:120", "there is no term zzz, only key, bpm"),
        ("key:H", "there is no key 'H'"),
        ("role:melodie", "there is no role 'melodie'; did you mean melody?"),
        ("status:bad", "there is no status 'bad', only ok, repaired"),
        ("issue:stuck", "there is no issue 'stuck'; did you mean stuck_note?"),
        ("program:slapbass", "there is no program 'slapbass'; did you mean Slap Bass 1?"),
        ("program:128", "there is no program 128; they are numbered from 0 to 127"),
        ("family:basses", "there is no family 'basses'; did you mean Bass?"),
        ("meter:3", "there is no meter '3'; did you mean 3/4?"),
        ("chords:Xm", "there is no chord 'Xm'"),
        ("bpm:fast", "bpm: it must be a number or a range, such as bpm:118..124, not 'fast'"),
        ("bpm:124..118", "bpm: the range 124..118 begins above its end; write 118..124"),
        ("bpm:..", "bpm: a range needs a number"),
        ("bpm:~120..", "bpm: half and double count of a range with both ends"),
        ("duration:3days", "duration: it must be a number or a range"),
        ("duration:5:99..", "duration: it must be a number or a range"),
        ("duration:1:60:00", "duration: it must be a number or a range"),
        (f"duration:{'9' * 400}:00", "duration: it must be a number or a range"),
        ("key:", "key: needs a key, such as key:Am"),
        ("like:\ud800", "like: the name of the file cannot be encoded"),
        ("missing:maybe", "missing: it must be yes or no, not 'maybe'"),
        ('"open', 'a quote " has no other one after it'),
        ("(a", "a ( has no ) after it"),
        ("a)", "a ) closes no parenthesis"),
        ("a or", "or stands between two searches"),
    ],
)
def test_errors_name_what_there_is(text, message):
    with pytest.raises(QueryError) as caught:
        parse_query(text)
    assert str(caught.value).startswith(message)


def test_names_of_general_midi_can_be_asked_for():
    for name in PROGRAMS:
        parse_query(f'program:"{name}"')
    for name in FAMILIES:
        parse_query(f'family:"{name}"')
    for key in KEYS:
        parse_query(f"key:{key}")
    for status in STATUSES:
        parse_query(f"status:{status}")


def test_sorts_and_facets_that_there_are_not(library):
    with pytest.raises(QueryError, match="there is no sort 'tempo'"):
        find(library, parse_query(""), "tempo")
    with pytest.raises(QueryError, match="there is no facet 'colour'"):
        facet(library, parse_query(""), "colour")


@pytest.mark.parametrize("text", ["waltz -waltz", '"slap waltz" -waltz', "key:Am -key:Am", "-(a or b) (a or b)"])
def test_a_contradiction_finds_nothing(text, library):
    assert parse_query(text).root.parts[0] == search_query.Any(())
    assert find(library, parse_query(text)) == [] and count(library, parse_query(text)) == 0
    assert parse_query(f"({text}) or waltz").root.parts[0] != search_query.Any(())


@pytest.mark.parametrize("text", ["waltz -waltzes", "waltz -wa*", '-"slap waltz" waltz', "a -b", "-a -a"])
def test_what_only_looks_like_a_contradiction(text):
    assert search_query.Any(()) not in parse_query(text).root.parts
