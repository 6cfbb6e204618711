"""A view of an older schema in PostgreSQL, `library` or `library_tracks`, while the tables under it are upgraded.

The type of a view's column is part of every view that reads it, so PostgreSQL neither changes it nor drops the view. Where a user's view
reads `library`, the old one gets another name, under which that view goes on reading it: the same columns in the same types, over the
new tables. Otherwise it is dropped. The new `library` has the grants and options of the old one. So it is with `library_tracks`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from psycopg.errors import DependentObjectsStillExist

from midiopt.schema import LIBRARY_COLUMNS, LIBRARY_TRACKS_COLUMNS, Column
from midiopt.sinks.postgres_session import Connection
from midiopt.sinks.sql import NARROW_ISSUES
from midiopt.sinks.view_sql import LIBRARY_ROWS, LIBRARY_TRACKS_ROWS, stored_track_value, stored_value

LARGEST = {"smallint": 2**15 - 1, "integer": 2**31 - 1}  # of types that columns once had which now are wider

# Of each view: its columns now, the value of one, and its rows.
VIEWS: dict[str, tuple[tuple[Column, ...], Callable[[Column], str], str]] = {
    "library": (LIBRARY_COLUMNS, stored_value, LIBRARY_ROWS),
    "library_tracks": (LIBRARY_TRACKS_COLUMNS, stored_track_value, LIBRARY_TRACKS_ROWS),
}
_IS_VIEW = "pg_class.oid = to_regclass(quote_ident(current_schema()) || '.{view}')"
_COLUMNS = (
    "SELECT attname::text, format_type(atttypid, atttypmod), quote_ident(nullif(collname, 'default'))"
    " FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 LEFT JOIN pg_collation ON pg_collation.oid = attcollation"
    f" WHERE {_IS_VIEW} ORDER BY attnum"
)
_GRANTS = (
    "SELECT columns, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END, privilege_type, is_grantable FROM"
    f" (SELECT '' AS columns, (aclexplode(relacl)).*, relowner FROM pg_class WHERE {_IS_VIEW} UNION ALL"
    " SELECT ' (' || quote_ident(attname) || ')', (aclexplode(attacl)).*, relowner"
    f" FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid WHERE {_IS_VIEW}) AS acl WHERE grantee <> relowner"
)
_OPTIONS = f"SELECT unnest(reloptions) FROM pg_class WHERE {_IS_VIEW}"


@dataclass
class OldView:
    """What there was: ``columns`` are names, types and collations; ``name`` is the new name, None if the view is dropped."""

    view: str
    columns: list[tuple[str, str, str | None]]
    grants: list[tuple[str, str, str, bool]]
    options: list[tuple[str]]
    name: str | None = None

    @classmethod
    def put_aside(cls, connection: Connection, name: str, version: int) -> OldView:
        """Drop a view of this schema version, or rename it."""

        def rows(query: str) -> list[Any]:
            return connection.execute(query.replace("{view}", name).encode()).fetchall()

        view = cls(name, rows(_COLUMNS), rows(_GRANTS), rows(_OPTIONS))
        try:
            with connection.transaction():
                connection.execute(f"DROP VIEW IF EXISTS {name}")
        except DependentObjectsStillExist:
            view.name = f"{name}_{version}"
            connection.execute(f"ALTER VIEW {name} RENAME TO {view.name}")
            view._define(connection, [f"NULL::{kind}" + (f" COLLATE {order}" if order else "") for _, kind, order in view.columns], "")
        return view

    def read_new_tables(self, connection: Connection) -> None:
        """Let a view that was renamed show the tables again; until then it shows nothing, so that they can change."""
        if self.name:
            columns, value, rows = VIEWS[self.view]
            now = {column.name: value(column) for column in columns}, {column.name: column.kind.postgres for column in columns}
            self._define(connection, [_in_type(name, kind, *now) for name, kind, _ in self.columns], rows)

    def _define(self, connection: Connection, values: list[str], rows: str) -> None:
        columns = ", ".join(f'{value} AS "{name}"' for value, (name, *_) in zip(values, self.columns, strict=True))
        connection.execute(f"CREATE OR REPLACE VIEW {self.name} AS SELECT {columns} {rows}")
        self._set_options(connection, str(self.name))

    def restore_grants(self, connection: Connection) -> None:
        """Grant on the new view what was granted on the old one, and set its options."""
        for columns, grantee, privilege, is_grantable in self.grants:
            connection.execute(f"GRANT {privilege}{columns} ON {self.view} TO {grantee}" + (" WITH GRANT OPTION" if is_grantable else ""))
        self._set_options(connection, self.view)

    def _set_options(self, connection: Connection, view: str) -> None:
        for (option,) in self.options:
            connection.execute(f"ALTER VIEW {view} SET ({option})")


def _in_type(name: str, kind: str, values: dict[str, str], kinds: dict[str, str]) -> str:
    """The value of a column of the old view in its type; null if there is no such column any more."""
    if name not in values:
        return f"NULL::{kind}"
    value = values[name]
    if kind == kinds[name]:
        return value
    if name == "issues":
        value = NARROW_ISSUES.format(value)
    return f"least({value}, {LARGEST[kind]})::{kind}" if kind in LARGEST else f"{value}::{kind}"
