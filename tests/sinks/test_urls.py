"""Which database a URL names, and that no spelling of a password is ever shown."""

from __future__ import annotations

import subprocess
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict

from midiopt.cli.main import main
from midiopt.errors import SinkError
from midiopt.sinks import open_sink
from midiopt.sinks.postgres_session import connect
from midiopt.sinks.urls import is_postgres, sqlite_path, without_password
from tests.helpers.databases import open_transaction
from tests.helpers.processes import command

TOKEN = "XsecretX"  # in every password below; whatever is shown must not contain it
NOISE = st.text("ab9:@/?#&=%+' \\[]", max_size=6)
KEYS = st.sampled_from(["password", "sslpassword", "PASSWORD", "oauth_client_secret", "scram_client_key", "scram_server_key"])


def percent_encoded(text: str, chosen: list[bool]) -> str:
    """Some of the characters of a key as %XX."""
    return "".join(f"%{ord(c):02x}" if chosen[i % len(chosen)] else c for i, c in enumerate(text))


PASSWORDS = st.builds(lambda before, after: f"{before}{TOKEN}{after}", NOISE, NOISE)
ENCODED = st.builds(lambda before, after: quote(f"{before}{TOKEN}{after}", safe=""), NOISE, NOISE)
SPELLED_KEYS = st.builds(percent_encoded, KEYS, st.lists(st.booleans(), min_size=1))
SCHEMES = st.sampled_from(["postgresql://", "postgres://", "mysql://", "POSTGRESQL://", "postgresql:/", "postgres:"])
HOSTS = st.sampled_from(["", "h", "h:5432", "[::1]:5432", "h1:1,h2:2", "/", "h/db", "h/d@b", "h?a=b@c"])


@given(SCHEMES, PASSWORDS, HOSTS)
def test_a_password_of_the_user_is_not_shown(scheme, password, host):
    """Also one that should have been percent-encoded, so that libpq takes parts of it for host, port or database."""
    assert TOKEN not in without_password(f"{scheme}me:{password}@{host}")


@given(SCHEMES, st.lists(st.tuples(SPELLED_KEYS, PASSWORDS | ENCODED), min_size=1, max_size=3), HOSTS)
def test_a_password_in_the_query_is_not_shown(scheme, parameters, host):
    query = "&".join(f"{key}={value}" for key, value in parameters)
    shown = without_password(f"{scheme}{host}{'&' if '?' in host else '?'}{query}&application_name=visible")
    assert TOKEN not in shown


@given(KEYS, PASSWORDS, st.sampled_from([" = ", "=", "= "]))
def test_a_password_in_keys_and_values_is_not_shown(key, password, equals):
    quoted = "'" + password.replace("\\", r"\\").replace("'", r"\'") + "'"
    escaped = "".join(f"\\{c}" if c in "\\' " else c for c in password)
    for value in (quoted, escaped, quoted[:-1]):  # the last one lacks its quote
        text = f"host=h {key}{equals}{value}"
        assert is_postgres(text) and TOKEN not in without_password(text)
    assert without_password(f"host=h {key}{equals}{quoted} port=5") == f"host=h {key}{equals}*** port=5"


@given(ENCODED, st.sampled_from(["password", "sslpassword"]), st.lists(st.booleans(), min_size=1))
def test_what_libpq_takes_for_a_password_is_hidden(password, key, chosen):
    """The definition of a password is libpq's own: it decodes the same URL."""
    url = f"postgresql://h/db?{percent_encoded(key, chosen)}={password}"
    assert TOKEN in conninfo_to_dict(url)[key] and TOKEN not in without_password(url)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me@h:5432/db?application_name=a@b", "postgresql://h1:1,h2:2/db", "postgresql:///db?host=/run&port=5", "x.db",
        "postgresql://h:5432/db?application_name=a@b:/?c", "postgresql://[::1]:5432/db?sslmode=require", "sqlite:////a:b@c/x.db",
        "sqlite:///password=x", "host=h user=me dbname='a b'", "a=b.db",
    ],
)  # fmt: skip
def test_a_url_without_a_password_is_shown_as_it_is(url):
    assert without_password(url) == url


def test_what_names_postgresql():
    yes = ("postgresql://h/db", "postgres://h", "dbname=music", "user=me password=x dbname=a", " host = h", "sslmode=require dbname=a")
    no = ("x.db", "sqlite:///x.db", "mysql://h", "my host=1.db", "name=x.db", "postgresql.db", "postgresql:/h")
    assert [url for url in (*yes, *no) if is_postgres(url)] == list(yes)


@pytest.mark.parametrize(
    "url",
    ["mysql://me:XsecretX@h/db", "postgresql:/me:XsecretX@h/a", "postgres:me:XsecretX@h", "postgresql//me:XsecretX@h/a", "sqlite://x.db"],
)
def test_an_unknown_url_is_refused_without_its_password(url):
    with pytest.raises(SinkError, match="unknown database URL") as caught:
        sqlite_path(url)
    assert TOKEN not in str(caught.value) and TOKEN not in without_password(url)


MALFORMED = [
    f"postgresql://me:a/{TOKEN}@127.0.0.1:1/db",
    f"postgresql://me:a@{TOKEN}@127.0.0.1:1/db",
    f"postgresql://me:{TOKEN}:5@127.0.0.1:1/db",
    f"postgresql://me:5?{TOKEN}@127.0.0.1:1/db",
    f"postgresql://me:[{TOKEN}@127.0.0.1:1/db",
    f"postgresql://127.0.0.1:1/db?password=a&{TOKEN}",
    f"postgresql://127.0.0.1:1/db?password=a={TOKEN}",
    f"postgresql://127.0.0.1:1/db?pass%77ord=%zz{TOKEN}",
    f"postgresql://127.0.0.1:1/db?sslpassword={TOKEN}&nonsense=1",
    f"host=127.0.0.1 port=1 password='{TOKEN}",
    f"host=127.0.0.1 port=1 password=a {TOKEN}",
]


@pytest.mark.parametrize("url", MALFORMED)
def test_errors_of_the_driver_do_not_show_a_password(url):
    """Those of libpq quote what they cannot parse."""
    with pytest.raises(SinkError) as caught:
        connect(url)
    assert TOKEN not in str(caught.value) and not isinstance(caught.value.__cause__, psycopg.Error)


@pytest.mark.parametrize("option", [("--db", "{}"), ("--db={}",)])
def test_the_arguments_of_the_process_show_no_password(pg_url, tmp_path, option):
    """`ps` shows them to every user. The run waits for a lock, so that it can be looked at."""
    open_sink(pg_url).close()
    with open_transaction(pg_url, "LOCK TABLE meta IN ACCESS EXCLUSIVE MODE"):
        url = f"{pg_url}&password={TOKEN}"
        arguments = [part.format(url) for part in option]
        run = subprocess.Popen(command("analyze", tmp_path, *arguments, module="midiopt"), stderr=subprocess.PIPE, text=True)
        assert "has locked" in run.stderr.readline()
        shown = Path(f"/proc/{run.pid}/cmdline").read_text()
        run.kill()
        run.wait()
        run.stderr.close()
    assert TOKEN not in shown and "password=***" in shown and str(tmp_path) in shown


def test_no_command_shows_a_password(tmp_path, monkeypatch, capfd):
    """Four spellings, through commands with --db; nothing listens on port 1."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.mid").write_bytes(b"")
    for url in (MALFORMED[0], MALFORMED[5], f"postgresql://me:{TOKEN}@127.0.0.1:1/db", f"host=127.0.0.1 port=1 password={TOKEN}"):
        for arguments in (["analyze", str(tmp_path), "--log", str(tmp_path / "log")], ["status"], ["duplicates", "--json"], ["verify"]):
            assert main([*arguments, "--db", url]) == 1
            shown = capfd.readouterr()
            assert shown.err.startswith("midiopt: ") and TOKEN not in shown.out + shown.err
    assert TOKEN not in (tmp_path / "log").read_text()
    assert {path.name for path in tmp_path.iterdir()} == {"x.mid", "log"}, "a URL is no name of a file"
