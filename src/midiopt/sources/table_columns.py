"""Which column of an Arrow schema has the contents of files, and which their names."""

from __future__ import annotations

from typing import Any

CONTENTS = ("bytes", "content", "midi", "data")  # names of columns and of fields, the first one that there is
PATHS = ("path", "name", "file_name", "filename", "file", "__key__")


def column_kind(pa: Any, type_: Any) -> str:
    """What a column of this type may have: `path`, `bytes`, or both as a `struct`; `null` if it is always null, empty for another one."""
    types = pa.types
    if types.is_null(type_):
        return "null"
    if types.is_struct(type_):
        return "struct" if field_of(pa, type_, CONTENTS, "bytes") else ""
    if types.is_dictionary(type_):
        return column_kind(pa, type_.value_type)
    if types.is_string(type_) or types.is_large_string(type_) or type_ == "string_view":
        return "path"
    is_bytes = types.is_binary(type_) or types.is_large_binary(type_) or type_ == "binary_view"
    return "bytes" if is_bytes else ""


def field_of(pa: Any, type_: Any, usual: tuple[str, ...], *kinds: str) -> str | None:
    """The first usual name of a field of a struct that is of one of these kinds."""
    fields = type_.value_type if pa.types.is_dictionary(type_) else type_
    return first_of(usual, [field.name for field in fields if column_kind(pa, field.type) in kinds])


def first_of(usual: tuple[str, ...], names: list[str]) -> str | None:
    """The first usual name that is among these."""
    return next((name for name in usual if name in names), None)
