"""Whether the tables of a database are midiopt's, and of which schema."""

from __future__ import annotations

from midiopt.errors import NoDatabase, SinkError
from midiopt.schema import PRODUCT, SCHEMA_VERSION

TABLE_NAMES = ("meta", "files", "analyses", "library", "runs", "tracks", "library_tracks")  # that midiopt uses in a database
MIN_VERSIONS = {"runs": 2, "tracks": 7, "library_tracks": 7}  # the first schema version with a table that came later


def check_version(found: set[str], meta: dict[str, str]) -> int | None:
    """The schema version of the database; None if it has none of midiopt's tables.

    `found` has those of TABLE_NAMES that exist, `meta` the content of that table (empty if it is not midiopt's). Raises
    SinkError if another program made the tables, or a newer midiopt did.
    """
    if not found:
        return None
    version = meta.get("schema_version", "")
    if meta.get("product") != PRODUCT or not version.isdecimal():
        names = " and ".join(name for name in TABLE_NAMES if name in found)
        raise SinkError(
            f"the database already has {names}, not made by {PRODUCT}; choose another database, or a schema of PostgreSQL (--schema)"
        )
    if int(version) > SCHEMA_VERSION:
        raise SinkError(f"the database was made by a newer {PRODUCT} (schema {version}, not {SCHEMA_VERSION}); upgrade {PRODUCT}")
    for name, first in MIN_VERSIONS.items():
        if int(version) < first and name in found:
            raise SinkError(f"the database already has {name}, not made by {PRODUCT}; rename that table or choose another database")
    return int(version)


def require_current_schema(version: int | None) -> None:
    """Raise SinkError unless the tables have this schema: a reader does not upgrade them."""
    if version is None:
        raise NoDatabase(f"the database was not made by {PRODUCT}: it has none of its tables")
    if version < SCHEMA_VERSION:
        raise SinkError(f"the database was made by an older {PRODUCT} (schema {version}, not {SCHEMA_VERSION}); analyze upgrades it")
