"""The addresses of the pages and what answers them. Everything is read, nothing is written."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from midiopt.browse import file_page, search_page
from midiopt.browse.content import NoContent, NotStored, find_file, read_stored
from midiopt.browse.guard import Guard
from midiopt.browse.libraries import Libraries
from midiopt.browse.templates import base_name, make_environment
from midiopt.errors import MidiError, SinkError
from midiopt.library.search_terms import TERMS
from midiopt.sinks.urls import without_password
from midiopt.sources.filetypes import without_compression
from midiopt.wording import printable_text

STATIC_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
ERRORS: dict[type[Exception], int] = {NotStored: 404, NoContent: 410, MidiError: 422, SinkError: 503}


def make_app(url: str, port: int) -> Starlette:
    """The pages of the database at ``url``, for a server on this port."""
    pages = _Pages(url)
    routes = [
        Route("/", pages.search),
        Route("/facets", pages.facets),
        Route("/file", pages.file),
        Route("/similar", pages.similar),
        Route("/notes", pages.notes),
        Route("/download", pages.download),
        Route("/help", pages.help),
        Route("/static/{name}", pages.static),
    ]
    handlers: dict[Any, Any] = {HTTPException: pages.http_error, **dict.fromkeys(ERRORS, pages.error)}
    app = Starlette(routes=routes, middleware=[Middleware(Guard, port=port)], exception_handlers=handlers)
    app.state.close = pages.close
    return app


class _Pages:
    """One method per address; each runs in a thread of its own."""

    def __init__(self, url: str) -> None:
        self._libraries = Libraries(url)
        self._static = {item.name: item.read_bytes() for item in files("midiopt.browse").joinpath("static").iterdir()}
        self._templates = make_environment()
        self._templates.globals |= {
            "database": without_password(url),
            "version": hashlib.sha256(b"".join(data for _, data in sorted(self._static.items()))).hexdigest()[:12],
        }

    def close(self) -> None:
        """Close the databases that nobody uses at the moment."""
        self._libraries.close_older_than(0)

    def search(self, request: Request) -> Response:
        """The files that a query finds."""
        given = {name: request.query_params.get(name, "") for name in ("q", "sort", "after")}
        with self._libraries.open() as library:
            values = search_page.context(library, given["q"], given["sort"], given["after"])
            if request.query_params.get("facets"):
                values |= search_page.facets(library, given["q"])
        return self._page("search.html", values, 400 if values["problem"] else 200)

    def facets(self, request: Request) -> Response:
        """How many files there are of each kind: a part of the page, which its script asks for."""
        text = request.query_params.get("q", "")
        with self._libraries.open() as library:
            values = search_page.facets(library, text)
        return self._page("facets_page.html", values | {"query": text, "sort": request.query_params.get("sort", "")})

    def file(self, request: Request) -> Response:
        """The page of one file."""
        with self._libraries.open() as library:
            file = find_file(library, _path(request))
            values = file_page.context(library, file)
            if request.query_params.get("similar"):
                values["similar"] = file_page.similar_groups(library, file)
        return self._page("file.html", values | {"query": request.query_params.get("q", "")})

    def similar(self, request: Request) -> Response:
        """Near-duplicates and similar files: a part of a file's page, which its script asks for."""
        with self._libraries.open() as library:
            groups = file_page.similar_groups(library, find_file(library, _path(request)))
        return self._page("groups_page.html", {"groups": groups, "query": request.query_params.get("q", "")})

    def notes(self, request: Request) -> Response:
        """The notes of a file: see song.py."""
        from midiopt.browse.song import song_message  # and numpy: 0.2 s, which no other page needs

        with self._libraries.open() as library:
            data = read_stored(library, find_file(library, _path(request)))
        return Response(song_message(data), media_type="application/octet-stream")

    def download(self, request: Request) -> Response:
        """The bytes of a file that was analysed: of a compressed one decompressed."""
        with self._libraries.open() as library:
            file = find_file(library, _path(request))
            data = bytes(memoryview(read_stored(library, file)))
        name = without_compression(base_name(file.path))
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}"}
        return Response(data, media_type="audio/midi", headers=headers)

    def help(self, request: Request) -> Response:
        """The keys and the terms of a query."""
        return self._page("help.html", {"query": "", "terms": TERMS.values()})

    def static(self, request: Request) -> Response:
        """A style sheet, a script or the icon."""
        name = request.path_params["name"]
        if name not in self._static:
            raise HTTPException(404)
        media_type = STATIC_TYPES[name[name.rindex(".") :]]
        return Response(self._static[name], media_type=media_type)

    def error(self, request: Request, problem: Exception) -> Response:
        """What midiopt itself says is wrong."""
        status = next(status for kind, status in ERRORS.items() if isinstance(problem, kind))
        if request.url.path == "/notes":
            return PlainTextResponse(printable_text(str(problem)), status)
        return self._page("error.html", {"query": "", "message": str(problem), "status": status}, status)

    def http_error(self, request: Request, problem: Exception) -> Response:
        """An address that there is not."""
        assert isinstance(problem, HTTPException)
        return self._page("error.html", {"query": "", "message": problem.detail, "status": problem.status_code}, problem.status_code)

    def _page(self, template: str, values: dict[str, Any], status: int = 200) -> Response:
        return HTMLResponse(self._templates.get_template(template).render(values), status)


def _path(request: Request) -> str:
    path = request.query_params.get("path")
    if path is None:
        raise NotStored
    return path
