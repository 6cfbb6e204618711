"""Templates that show nothing of a file as it is: every value is made printable, then escaped."""

from __future__ import annotations

import jinja2
from markupsafe import Markup, escape

from midiopt.browse.addresses import address
from midiopt.wording import clock, printable_text


def make_environment() -> jinja2.Environment:
    """The environment of all templates."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("midiopt.browse"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {"clock": clock, "base_name": base_name, "breakable": breakable, "number": number}
    environment.globals |= {"address": address}
    return environment


def base_name(path: str) -> str:
    """The last component of a path."""
    return path.rpartition("/")[2]


def breakable(path: str) -> Markup:
    """The path, with places where a line may end after each component."""
    return escape(printable_text(path)).replace("/", Markup("/<wbr>"))


def number(value: float) -> str:
    """Up to one decimal."""
    return f"{value:,.1f}".removesuffix(".0")


def _shown(value: object) -> object:
    return printable_text(value) if isinstance(value, str) and not isinstance(value, Markup) else value
