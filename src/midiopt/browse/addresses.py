"""Addresses of pages."""

from __future__ import annotations

from urllib.parse import quote

READABLE = "/:,!()~"  # stand for themselves in a query (RFC 3986), and in paths and searches they are frequent


def address(page: str, **parameters: object) -> str:
    """The address of a page with these parameters, those without a value left out."""
    given = [
        f"{name}={quote(str(value), READABLE, errors='surrogatepass')}" for name, value in parameters.items() if value not in (None, "")
    ]
    return page + ("?" + "&".join(given) if given else "")
