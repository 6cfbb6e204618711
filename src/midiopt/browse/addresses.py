"""Addresses of pages."""

from __future__ import annotations

from urllib.parse import quote, urlencode


def address(page: str, **parameters: object) -> str:
    """The address of a page with these parameters, those without a value left out."""
    given = {name: str(value) for name, value in parameters.items() if value not in (None, "")}
    return page + ("?" + urlencode(given, quote_via=quote, errors="surrogatepass") if given else "")
