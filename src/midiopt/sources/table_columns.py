"""Which column of an Arrow schema has the contents of files, and which their names."""

from __future__ import annotations

from typing import Any

CONTENTS = ("bytes", "content", "midi", "data")  # names of columns and of fields, the first one that there is
PATHS = ("path", "name", "file_name", "filename", "file", "__key__")


def column_kind(pa: Any, type_: Any) -> str:
    """What a column of this type may have: `path`, `bytes`, or both as a `struct`; empty for another one."""
    types = pa.types
    if types.is_struct(type_):
        return "struct" if set(CONTENTS) & set(field_names(type_)) else ""
    if types.is_dictionary(type_):
        return column_kind(pa, type_.value_type)
    if types.is_string(type_) or types.is_large_string(type_) or type_ == "string_view":
        return "path"
    is_bytes = types.is_binary(type_) or types.is_large_binary(type_) or type_ == "binary_view"
    return "bytes" if is_bytes else ""


def field_names(type_: Any) -> list[str]:
    """The names of the fields of a struct."""
    return [field.name for field in type_]


def first_of(usual: tuple[str, ...], names: list[str]) -> str | None:
    """The first usual name that is among these."""
    return next((name for name in usual if name in names), None)
