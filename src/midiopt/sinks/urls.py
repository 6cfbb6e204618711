"""Database URLs: which database one names, and how to show it.

What only a URL needs is imported or compiled when there is one: it would take a command on an SQLite file 8 ms.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from midiopt.errors import SinkError

# The keywords of libpq (PostgreSQL manual, "Parameter Key Words"). It also takes "host=db user=me dbname=music", with quotes.
_WORD = (
    "host|hostaddr|port|dbname|user|password|passfile|service|servicefile|options|application_name|fallback_application_name"
    "|connect_timeout|client_encoding|channel_binding|require_auth|target_session_attrs|load_balance_hosts|replication|requirepeer"
    r"|tcp_user_timeout|keepalives\w*|ssl\w*|gss\w*|krbsrvname|min_protocol_version|max_protocol_version|oauth_\w+|scram_\w+"
)
_PARAMETER = rf"{_WORD}|schema"  # the last one is midiopt's own
_KEY_VALUES = rf"(?i)\s*(?:{_WORD})\s*="
_KEY_VALUE = r"(?s)(\w+)(\s*=\s*)('(?:[^'\\]|\\.)*(?:'|$)|(?:[^\s\\]|\\.)*)\s*"
_URI = (
    r"(?s)(?P<start>\w+://)(?:(?P<user>[^:@/?]*)(?::(?P<password>[^@/]*))?@)?"
    r"(?P<place>(?:\[[0-9A-Fa-f:.%]*\]|[^\[\]:@/?&,]*)(?::\d*)?(?:,(?:\[[0-9A-Fa-f:.%]*\]|[^\[\]:@/?&,]*)(?::\d*)?)*(?:/[^:@/?&]*)?)"
    r"(?:\?(?P<query>.*))?"
)
# Databases that there is no sink for. A file name may have a colon, too, so that not every word before one is a scheme.
_OTHERS = (
    "duckdb|mysql|mariadb|mongodb|redis|oracle|mssql|sqlserver|clickhouse|cockroachdb|bigquery|snowflake|redshift|db2|libsql|jdbc|odbc"
    "|sqlite3?|file"  # sqlite:/// is a URL
)
_IN_MEMORY = (":memory:", "sqlite:///:memory:", "sqlite://:memory:", "sqlite://")  # of SQLite and SQLAlchemy
_OTHER_DATABASE = rf"(?i)(?:{_OTHERS})(?:\+\w+)*:"
_MEANT_POSTGRES = "postgres(ql)?(:|//)"  # also without one of the signs, so that a password behind them is not shown as a file name
_SECRET = "(?i)password|secret|scram_"  # password, sslpassword, oauth_client_secret, scram_client_key ...
_HIDDEN = "***"


class _Parts(NamedTuple):
    """A well-formed URL without its secrets. Of a malformed one there are no parts: a secret may be anywhere in it."""

    shown: str
    secrets: list[str]


def is_postgres(url: str) -> bool:
    """Whether the URL names a PostgreSQL database; all others name an SQLite file."""
    return url.startswith(("postgresql://", "postgres://")) or ("=" in url and re.match(_KEY_VALUES, url) is not None)


def parquet_path(url: str) -> str | None:
    """The directory that ``parquet:DIR`` names; None for a URL of another kind. Raises SinkError if it is not UTF-8."""
    scheme, colon, path = url.partition(":")
    if not colon or scheme != "parquet":
        return None
    _require_utf8(path)
    return path


def sqlite_path(url: str) -> str:
    """The file that a path or an SQLite URL names. Raises SinkError for a URL of another database, or of one in memory."""
    if url in _IN_MEMORY:
        raise SinkError(f"a database in memory ({url}) would be lost with the run; name a file")
    scheme, colon, rest = url.partition("://")
    if colon and scheme == "sqlite" and rest[:1] == "/":
        return rest[1:]
    if colon or re.match(_MEANT_POSTGRES, url) or (":" in url and re.match(_OTHER_DATABASE, url)):
        raise SinkError(f"unknown database URL {_start(url)}...; use a path, sqlite:///path, postgresql://... or parquet:DIR")
    return url


def without_password(url: str) -> str:
    """The URL with any password removed or replaced by ***, however it is spelled; of a malformed one only the scheme."""
    parts = _split(url)
    return parts.shown if parts else _start(url) + _HIDDEN


def with_schema(url: str, name: str) -> str:
    """The URL with the name of a schema. Raises SinkError if it does not name a PostgreSQL database."""
    if not is_postgres(url):
        raise SinkError("only PostgreSQL has schemas, so --schema needs a database postgresql://...")
    if re.match(r"\w+://", url):
        from urllib.parse import quote

        return f"{url}{'&' if '?' in url else '?'}schema={quote(name, safe='')}"
    escaped = re.sub(r"([\\'])", r"\\\1", name)
    return f"{url} schema='{escaped}'"


def split_schema(url: str) -> tuple[str, str | None]:
    """The URL of a PostgreSQL database as libpq takes it, and the schema that it names in a parameter `schema`.

    Raises SinkError if it is not UTF-8.
    """
    _require_utf8(url)
    start, mark, query = url.partition("?")
    if re.match(r"\w+://", url):
        from urllib.parse import unquote

        parameters = query.split("&") if mark else []
        names = [parameter.partition("=")[2] for parameter in parameters if parameter.partition("=")[0] == "schema"]
        others = "&".join(parameter for parameter in parameters if parameter.partition("=")[0] != "schema")
        return (start + (mark if others else "") + others, unquote(names[-1])) if names else (url, None)
    kept, name, at = "", None, len(url) - len(url.lstrip())
    key_value = re.compile(_KEY_VALUE)
    while found := key_value.match(url, at):
        at = found.end()
        if found[1] == "schema":
            value = found[3][1:-1] if found[3][:1] == "'" else found[3]
            name = re.sub(r"\\(.)", r"\1", value)
        else:
            kept += found[0]
    return (kept + url[at:], name) if name is not None else (url, None)


def has_password(url: str, text: str) -> bool:
    """Whether the text may contain a piece of a password in `url`, also of one that libpq takes for something else and quotes."""
    from urllib.parse import unquote

    parts = _split(url)
    return parts is None or any(
        piece in text for secret in parts.secrets for piece in (*re.split(r"[@:/?#&=\[\]\s'\\]", secret), unquote(secret)) if piece
    )


def _require_utf8(text: str) -> None:
    """Arrow and libpq take nothing else; a file of SQLite may have any name."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise SinkError(f"the name of a PostgreSQL database or Parquet directory must be UTF-8: {without_password(text)}") from error


def _start(url: str) -> str:
    """The scheme with what follows it; empty for keys and values."""
    found = re.match(r"\w+(:/*|//)", url)
    return found[0] if found else ""


def _split(url: str) -> _Parts | None:
    if re.match(rf"\w+://|{_MEANT_POSTGRES}", url):
        return _Parts(url, []) if url.startswith(("sqlite:", "parquet:")) else _split_uri(url)
    return _split_key_values(url) if is_postgres(url) else _Parts(url, [])


def _split_uri(url: str) -> _Parts | None:
    found = re.fullmatch(_URI, url)
    if not found:
        return None
    secrets = [found["password"] or ""]
    shown = found["start"] + (f"{found['user']}@" if found["user"] is not None else "") + found["place"]
    parameters = []
    for parameter in found["query"].split("&") if found["query"] else ():
        key, _, value = parameter.partition("=")
        if not re.fullmatch(_PARAMETER, _decoded(key), re.IGNORECASE):
            return None
        if re.search(_SECRET, _decoded(key)):
            secrets.append(value)
            value = _HIDDEN
        parameters.append(f"{key}={value}")
    return _Parts(shown + ("?" if parameters else "") + "&".join(parameters), secrets)


def _split_key_values(text: str) -> _Parts | None:
    shown, secrets, at = "", [], len(text) - len(text.lstrip())
    key_value = re.compile(_KEY_VALUE)
    while at < len(text):
        found = key_value.match(text, at)
        if not found or not re.fullmatch(_PARAMETER, found[1], re.IGNORECASE):
            return None
        is_secret = re.search(_SECRET, found[1]) is not None
        secrets += [found[3]] if is_secret else []
        shown += f" {found[1]}{found[2]}{_HIDDEN if is_secret else found[3]}"
        at = found.end()
    return _Parts(shown[1:], secrets)


def _decoded(text: str) -> str:
    """Percent-decoded as often as it can be."""
    from urllib.parse import unquote

    while (decoded := unquote(text)) != text:
        text = decoded
    return text
