"""The pages of midiopt browse: what they show, what they refuse, and that nothing of a file acts in them."""

from __future__ import annotations

import json
import re
import shutil
import struct
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest

import midiopt
from midiopt.browse.addresses import address
from midiopt.browse.search_page import PAGE, active_terms, with_term, without_term
from midiopt.browse.song import song_message
from midiopt.library.search import FACETS, count, facet, parse_query
from midiopt.library.search_facets import facets
from midiopt.library.snapshot import open_snapshot
from sample import smf
from tests.browse.conftest import HOST, HOSTILE, NEEDED, PORT, SAMPLE, client_of, tune
from tests.helpers.melodies import content, melody, transposed
from tests.helpers.songs import write_songs

pytestmark = NEEDED
PAGES = ("/", "/?q=key:Am", "/?q=kye:Am", "/?facets=1", "/facets", "/help", "/file?path=/nowhere", "/nowhere", "/static/style.css")


@pytest.fixture(scope="module")
def client(database: str):
    return client_of(database)


class Elements(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def links(self, page: str) -> list[str]:
        """The addresses of links to this page."""
        return [a["href"] for tag, a in self.found if tag == "a" and a["href"] and a["href"].partition("?")[0] == page]


def found(client, text: str) -> list[str]:
    """The paths of the first page of a search."""
    return [unquote(re.search("path=([^&]*)", link)[1]) for link in Elements(client.get("/", params={"q": text}).text).links("/file")]


def path_of(client, name: str) -> str:
    [path] = [path for path in found(client, f'"{name}"') if path.endswith(name)]
    return path


def decoded(message: bytes) -> tuple[dict, dict[str, np.ndarray]]:
    """The head and the columns of a message of notes."""
    (size,) = struct.unpack_from("<I", message)
    head, at, columns = json.loads(message[4 : 4 + size]), 4 + size, {}
    for column in head["columns"]:
        columns[column["name"]] = np.frombuffer(message, f"<{column['type']}", column["length"], at)
        at += -(-columns[column["name"]].nbytes // 8) * 8
    assert at == len(message)
    return head, columns


# Who gets an answer


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8364", "127.0.0.1", "127.0.0.1:80", "127.0.0.1:8364.evil.example", "[::1]:8364", ""]
)
def test_a_name_that_an_attacker_points_here_gets_nothing(client, host):
    answer = client.get("/", headers={"Host": host})
    assert answer.status_code == 421 and "midiopt" not in answer.text


@pytest.mark.parametrize("host", [HOST, f"localhost:{PORT}", f"LOCALHOST:{PORT}"])
def test_this_computer_gets_an_answer(client, host):
    assert client.get("/", headers={"Host": host}).status_code == 200


def test_other_sites_get_nothing_but_may_link_to_a_page(client):
    page = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    for site in ("cross-site", "same-site"):
        assert client.get("/", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}).status_code == 403
        assert (
            client.get("/", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}).status_code == 403
        )
        assert client.get("/", headers={"Sec-Fetch-Site": site} | page).status_code == 200
    for site in ("same-origin", "none"):
        assert client.get("/", headers={"Sec-Fetch-Site": site}).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_can_be_changed(client, method):
    assert client.request(method, "/").status_code == 405


@pytest.mark.parametrize("page", PAGES)
def test_the_policy_allows_our_own_scripts_only(client, page):
    answer = client.get(page)
    rules = dict(rule.split(" ", 1) for rule in answer.headers["content-security-policy"].split("; "))
    assert rules["default-src"] == "'none'" and rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    assert rules["frame-ancestors"] == rules["base-uri"] == "'none'"
    assert answer.headers["x-content-type-options"] == "nosniff" and answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cross-origin-resource-policy"] == answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert "access-control-allow-origin" not in answer.headers and "server" not in answer.headers


def test_no_page_has_a_script_or_a_style_in_itself(client):
    pages = [client.get(page).text for page in (*PAGES, address("/file", path=path_of(client, "slap happy.mid")))]
    for tag, attributes in (element for page in pages for element in Elements(page).found):
        assert tag != "style" and "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        assert tag != "script" or attributes["src"].startswith("/static/")
        for name in ("href", "src", "action"):
            assert (attributes.get(name) or "/").startswith(("/", "#")), attributes


# What is not in the database is not there


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "/etc/../etc/passwd", "", "-", ".", "%00", "x\0y", "/proc/self/environ", "\\x2fetc\\x2fpasswd"]
)
@pytest.mark.parametrize("page", ["/file", "/notes", "/download"])
def test_only_files_of_the_database_are_opened(client, page, path):
    answer = client.get(page, params={"path": path})
    assert answer.status_code == 404 and "root:" not in answer.text


def test_a_path_beside_a_row_is_not_opened(client, music):
    real = path_of(client, "slap happy.mid")
    for path in (f"{music}/band/../band/slap happy.mid", f"{music}//band/slap happy.mid", real + "/", real + "!/x.mid", f"{music}"):
        assert client.get("/download", params={"path": path}).status_code == 404
    assert (
        client.get("/download").status_code
        == client.get("/static/..%2fapp.py").status_code
        == client.get("/static/../app.py").status_code
        == 404
    )


def test_what_has_taken_the_place_of_a_file_is_not_shown(tmp_path):
    secret, song = tmp_path / "secret", tmp_path / "music" / "song.mid"
    song.parent.mkdir()
    secret.write_bytes(tune("Secret", 40))
    song.write_bytes(tune("Song", 41))
    midiopt.run([song.parent], tmp_path / "music.db")
    client = client_of(str(tmp_path / "music.db"))
    assert client.get("/download", params={"path": str(song)}).content == tune("Song", 41)
    song.unlink()
    assert client.get("/notes", params={"path": str(song)}).status_code == 410
    song.symlink_to(secret)
    for page in ("/download", "/notes"):
        answer = client.get(page, params={"path": str(song)})
        assert answer.status_code == 410 and "has changed since it was analysed" in answer.text
    assert "Song" in client.get("/file", params={"path": str(song)}).text


def test_browsing_changes_nothing_in_the_folder_of_the_database(tmp_path):
    db = tmp_path / "music.db"
    midiopt.run([SAMPLE], db)
    before = db.read_bytes()
    client = client_of(str(db))
    for page in (*PAGES, "/?q='; DROP TABLE files; --", '/?q="x" OR 1=1'):
        client.get(page)
    client.app.state.close()
    assert db.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["music.db"]


# Hostile names


def test_nothing_of_a_file_acts_in_a_page(client):
    [path] = [path for path in found(client, "alert") if "alert" in path]
    for page in (client.get("/", params={"q": "alert"}).text, client.get("/file", params={"path": path}).text):
        elements = Elements(page)
        assert "alert(1)" in elements.text and "\N{REPLACEMENT CHARACTER}gnp.exe" in elements.text
        assert not [c for c in page if c in "\x1b\u202e"]
        assert all(attributes.get("src") for tag, attributes in elements.found if tag == "script")
        assert not any(name.startswith("on") for _, attributes in elements.found for name in attributes)
    head, _ = decoded(client.get("/notes", params={"path": path}).content)
    assert "\u202e" not in head["parts"][0]["name"] and "alert(1)" in head["parts"][0]["name"]
    assert HOSTILE not in page


def test_a_query_comes_back_as_text(client):
    page = client.get("/", params={"q": '"><script>alert(2)</script>\x1b'}).text
    assert "<script>alert" not in page and "\x1b" not in page


# Files wherever they are


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("packed.zip!/a b/in zip.mid", tune("In a zip", 50)),
        ("packed.zip!/inner.zip!/deep.mid", tune("Deep", 51)),
        ("packed.mid.gz", tune("In gzip", 52)),
        ("caf\\xe9 \\x5c 100%.mid", tune("Bytes", 54)),
    ],
)
def test_archives_and_odd_names_are_opened(client, music, name, content):
    path = f"{music}/{name}"
    assert client.get("/file", params={"path": path}).status_code == 200
    head, columns = decoded(client.get("/notes", params={"path": path}).content)
    assert head["notes"] == len(columns["pitch"]) == 2
    answer = client.get("/download", params={"path": path})
    assert answer.content == content and answer.headers["content-type"] == "audio/midi"
    name = name.rpartition("/")[2].removesuffix(".gz")
    assert unquote(answer.headers["content-disposition"]) == f"attachment; filename*=UTF-8''{name}"


def test_notes_are_those_of_the_library(client):
    for name in ("slap happy.mid", "film cue 25 fps.mid", "pattern bank.mid", "etude 5-4.mid"):
        path = path_of(client, name)
        head, columns = decoded(client.get("/notes", params={"path": path}).content)
        notes, harmony = midiopt.notes(path), midiopt.harmony(path)
        order = np.argsort(notes.onset_s, kind="stable")
        assert head["notes"] == len(notes) and sum(part["notes"] for part in head["parts"]) == len(notes)
        for column in ("pitch", "velocity", "program"):
            assert (columns[column] == getattr(notes, column)[order]).all()
        assert np.allclose(columns["onset"], notes.onset_s[order], atol=1e-3) and np.allclose(columns["end"], notes.end_s[order], atol=1e-3)
        drums = np.array([part["drums"] for part in head["parts"]])
        assert (drums[columns["part"]] == notes.is_drum[order]).all()
        assert [(chord["second"], chord["name"]) for chord in head["chords"]] == list(
            zip(harmony.chords.seconds, harmony.chords.name, strict=True)
        )
        assert [key["name"] for key in head["keys"]] == harmony.keys.name


def test_meters_and_tempos_are_named_where_they_change(client):
    head, _ = decoded(client.get("/notes", params={"path": path_of(client, "nineteen sharps.mid")}).content)
    assert len(head["tempos"]) == 1
    for name in ("nocturne.mid", "etude 5-4.mid"):
        path = path_of(client, name)
        head, _ = decoded(client.get("/notes", params={"path": path}).content)
        time = midiopt.tempo_map(path)
        assert [meter["name"] for meter in head["meters"]] == [f"{s.numerator}/{s.denominator}" for s in time.time_signatures]
        assert {tempo["name"] for tempo in head["tempos"]} == {f"{bpm:.0f}" for bpm in time.bpm}


def test_of_very_many_notes_the_first_are_sent(client, monkeypatch):
    path = path_of(client, "slap happy.mid")
    client.get("/notes", params={"path": path})
    monkeypatch.setattr("midiopt.browse.song.MAX_NOTES", 100)
    head, columns = decoded(client.get("/notes", params={"path": path}).content)
    assert head["notes"] == len(midiopt.notes(path)) and len(columns["onset"]) == 100
    assert (columns["onset"] == np.sort(midiopt.notes(path).onset_s)[:100].astype("f4")).all()


def test_a_file_with_very_many_parts_and_meters(monkeypatch):
    """Each part looks at all notes, so that those of thousands of tracks took minutes."""
    meters = [(i, b"\xff\x58\x04" + bytes([2 + i % 3, 2, 24, 8])) for i in range(9)]
    data = smf.smf([smf.track(meters)] + [smf.track([(0, smf.note_on(0, 60 + i, 90)), (9, smf.note_off(0, 60 + i))]) for i in range(20)])
    assert len(decoded(song_message(data))[0]["meters"]) == 9
    monkeypatch.setattr("midiopt.browse.song.MAX_PARTS", 5)
    monkeypatch.setattr("midiopt.browse.song.MAX_CHANGES", 5)
    names = iter(range(5))  # so many parts are looked at
    monkeypatch.setattr("midiopt.browse.song.printable_text", lambda text: f"{next(names)} {text}")
    head, columns = decoded(song_message(data))
    assert len(head["parts"]) == len(head["meters"]) == 5 and head["notes"] == 20
    assert columns["part"].tolist() == [0, 1, 2, 3] + 16 * [4]


def test_bars_follow_the_time_signature(client):
    path = path_of(client, "etude 5-4.mid")
    _, columns = decoded(client.get("/notes", params={"path": path}).content)
    facts = midiopt.analyze(path)
    assert facts.time_signature == "5/4" and len(columns["bars"]) == facts.bar_count
    assert np.allclose(np.diff(columns["bars"]), 5 * 60 / facts.bpm, rtol=1e-3)
    _, columns = decoded(client.get("/notes", params={"path": path_of(client, "film cue 25 fps.mid")}).content)
    assert len(columns["bars"]) == 0


def test_a_file_without_notes_to_show_says_why(client):
    path = path_of(client, "not found.mid")
    page = client.get("/file", params={"path": path}).text
    assert "it looks like HTML" in page and 'id="player"' not in page
    answer = client.get("/notes", params={"path": path})
    assert answer.status_code == 422 and answer.text.startswith("no MThd header")


def test_the_page_of_a_file_has_facts_repairs_and_copies(client):
    page = Elements(client.get("/file", params={"path": path_of(client, "half a download.mid")}).text).text
    assert "chunk length past the end of the file at byte 4715" in page and "track without End of Track" in page
    page = Elements(client.get("/file", params={"path": path_of(client, "slap happy.mid")}).text)
    assert "best tempo estimate; bpm_source says whether it is declared or estimated" in page.text
    assert "Copies" in page.text and any("slap_happy_final_v2.MID" in unquote(link) for link in page.links("/file"))
    page = Elements(client.get("/file", params={"path": path_of(client, "waltz of the paper lanterns.mid")}).text)
    assert "Same notes" in page.text and any("WALTZ.RMI" in unquote(link) for link in page.links("/file"))


def test_copies_are_listed_with_those_that_are_missing(tmp_path):
    for name in ("a.mid", "b.mid", "c.mid"):
        (tmp_path / name).write_bytes(tune("Copy"))
    midiopt.run([tmp_path], tmp_path / "music.db")
    (tmp_path / "b.mid").unlink()
    midiopt.run([tmp_path], tmp_path / "music.db")
    page = client_of(str(tmp_path / "music.db")).get("/file", params={"path": str(tmp_path / "a.mid")}).text
    copies = Elements(page[page.index("Copies <small>") :].partition("<noscript>")[0]).links("/file")
    assert [unquote(link)[-5:] for link in copies] == ["c.mid", "b.mid"] and page.count(">missing<") == 1


def test_similar_files_are_listed_with_what_differs(tmp_path):
    for name, notes in (("one", melody(1)), ("up", transposed(melody(1), 2)), ("half", melody(1)[:60]), ("other", melody(2))):
        (tmp_path / f"{name}.mid").write_bytes(content(notes))
    midiopt.run([tmp_path], tmp_path / "music.db")
    client = client_of(str(tmp_path / "music.db"))
    page = client.get("/similar", params={"path": str(tmp_path / "one.mid")}).text
    assert "transposed by +2" in client.get("/file", params={"path": str(tmp_path / "one.mid"), "similar": 1}).text
    near = page[page.index("Near-duplicates <small>") :]
    assert "up.mid" in near and "100% alike, transposed by +2" in near and "half.mid" in near and "other.mid" not in near
    link = next(link for link in Elements(near).links("/") if "like:" in link)
    assert any("up.mid" in other for other in Elements(client.get(link).text).links("/file"))


def test_like_names_a_file_of_the_database_and_no_other(client):
    """The collection has a copy of the file, and a reworked one, which reading it would find."""
    assert found(client, f'like:"{path_of(client, "nocturne.mid")}"')
    query = {"q": f'like:"{SAMPLE / "piano" / "nocturne.mid"}"'}
    page = client.get("/", params=query)
    assert page.status_code == 400 and "nocturne.mid is not a path in the library" in page.text
    assert client.get("/facets", params=query).status_code == 200


# Searching


def test_a_search_finds_what_the_query_finds(client, database):
    for text in ("key:Am", "slap bass", "bpm:118..124 program:36", "meter:3/4 or meter:5/4", "status:rejected", ""):
        with open_snapshot(database) as library:
            number = count(library, parse_query(text))
        assert len(found(client, text)) == number > 0
        page = Elements(client.get("/", params={"q": text}).text).text
        assert re.search(rf"\b{number} file", page)


def test_pages_go_on_where_the_last_one_ended(tmp_path):
    write_songs(tmp_path / "songs", PAGE * 2 + 7)
    midiopt.run([tmp_path / "songs"], tmp_path / "songs.db")
    client = client_of(str(tmp_path / "songs.db"))
    for sort in ("", "title", "-bpm"):
        links, paths = [address("/", sort=sort)], []
        while links:
            page = Elements(client.get(links[0]).text)
            paths += [unquote(link) for link in page.links("/file")]
            links = [link for link in page.links("/") if "after=" in link]
        assert len(paths) == len(set(paths)) == PAGE * 2 + 7


def test_a_mistake_is_explained(client):
    answer = client.get("/", params={"q": "kye:Am"})
    assert answer.status_code == 400 and "did you mean key?" in answer.text
    assert client.get("/", params={"sort": "bmp"}).status_code == 400
    for nowhere in ("/nowhere", "\0"):
        assert client.get("/", params={"after": nowhere}).status_code == 200


def test_facets_count_and_lead_to_their_files(client, database):
    page = Elements(client.get("/facets", params={"q": "has:drums"}).text)
    with open_snapshot(database) as library:
        for column in FACETS:
            for item in facet(library, parse_query("has:drums"), column)[:3]:
                assert address("/", q=f"has:drums {item.term}") in page.links("/")
    assert set(page.links("/")) < set(Elements(client.get("/", params={"q": "has:drums", "facets": 1}).text).links("/"))
    link = next(link for link in page.links("/") if "key" in link)
    assert 'aria-current="true"' in client.get(link.replace("/?", "/facets?")).text


@pytest.mark.parametrize("text", ["", "has:drums", "status:rejected", "key:Am or bpm:120", "nothing at all"])
def test_facets_in_one_pass_are_those_of_each(database, text):
    with open_snapshot(database) as library:
        counted, files = facets(library, parse_query(text), 1000)
        assert files == count(library, parse_query(text))
        assert counted == {column: facet(library, parse_query(text), column) for column in FACETS}
        assert facets(library, parse_query(text), 1)[1] == min(files, 1)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("key:Am slap bass", ["key:Am", "slap", "bass"]),
        ('program:"slap bass" -has:drums', ['program:"slap bass"', "-has:drums"]),
        ("-(key:Am or key:C) loop:4", ["-(key:Am or key:C)", "loop:4"]),
        ("key:Am or key:C", []),
        ("", []),
    ],
)
def test_terms_can_be_taken_away(text, terms):
    active = active_terms(text)
    assert [term.text for term in active] == terms
    for term in active:
        rest = without_term(text, term.text)
        assert rest == term.rest and term.text not in [other.text for other in active_terms(rest)]
    assert with_term(text, "role:bass").endswith("role:bass")
    parse_query(with_term(text, "role:bass"))


def test_a_term_is_added_to_all_alternatives(client, database):
    with open_snapshot(database) as library:
        one, other = (count(library, parse_query(f"{term} has:drums")) for term in ("key:Am", "key:C"))
        assert count(library, parse_query(with_term("key:Am or key:C", "has:drums"))) == one + other


def test_rows_written_after_the_start_are_shown(tmp_path):
    shutil.copy(SAMPLE / "band" / "slap happy.mid", tmp_path)
    midiopt.run([tmp_path], tmp_path / "music.db")
    client = client_of(str(tmp_path / "music.db"))
    assert len(found(client, "")) == 1
    shutil.copy(SAMPLE / "piano" / "nocturne.mid", tmp_path)
    midiopt.run([tmp_path], tmp_path / "music.db")
    client.app.state.close()
    assert len(found(client, "")) == 2


def test_an_archive_leads_to_its_files(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "a b.zip", "w") as archive:
        archive.write(SAMPLE / "piano" / "nocturne.mid", "x/nocturne.mid")
    shutil.copy(SAMPLE / "piano" / "prelude.midi", tmp_path)
    midiopt.run([tmp_path], tmp_path / "music.db")
    client = client_of(str(tmp_path / "music.db"))
    page = Elements(client.get("/file", params={"path": f"{tmp_path}/a b.zip"}).text)
    [link] = [link for link in page.links("/") if "zip" in link]
    assert f"{tmp_path}/a b.zip!/x/nocturne.mid" in [unquote(path) for path in re.findall('path=([^&"]*)', client.get(link).text)]
    assert "prelude" not in client.get(link).text


def test_a_database_that_goes_away_is_said(tmp_path):
    midiopt.run([SAMPLE / "piano"], tmp_path / "music.db")
    client = client_of(str(tmp_path / "music.db"))
    (tmp_path / "music.db").unlink()
    answer = client.get("/")
    assert answer.status_code == 503 and "there is no database" in answer.text


def test_missing_files_are_shown_as_such(tmp_path: Path):
    shutil.copytree(SAMPLE / "piano", tmp_path / "piano")
    midiopt.run([tmp_path / "piano"], tmp_path / "music.db")
    (tmp_path / "piano" / "nocturne.mid").unlink()
    midiopt.run([tmp_path / "piano"], tmp_path / "music.db")
    client = client_of(str(tmp_path / "music.db"))
    assert not found(client, "nocturne")
    [path] = found(client, "nocturne missing:yes")
    page = client.get("/file", params={"path": path}).text
    assert "not found by the last run" in page and "/download" not in page
