"""The import graph of Python and Cython sources, read without importing anything."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

CYTHON_IMPORT = re.compile(r"^\s*(?:from (?P<module>[\w.]+) c?import (?P<names>[^#\n]+)|c?import (?P<modules>[\w., ]+))", re.MULTILINE)


def modules(source_root: Path, package: str) -> dict[str, list[Path]]:
    """Every module of a package and its files: a .pyx and its .pxd are one module, a package is its __init__.py."""
    found: dict[str, list[Path]] = {}
    for path in sorted((source_root / package).rglob("*.p*")):
        if path.suffix in (".py", ".pyx", ".pxd"):
            parts = path.relative_to(source_root).with_suffix("").parts
            found.setdefault(".".join(parts[:-1] if parts[-1] == "__init__" else parts), []).append(path)
    return found


def imports(path: Path) -> Iterator[tuple[str, str]]:
    """(module, name) per imported name, the name empty for a plain import; cimports, nested and TYPE_CHECKING imports included."""
    return _python_imports(path) if path.suffix == ".py" else _cython_imports(path)


def _python_imports(path: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (("." * node.level + (node.module or ""), alias.name) for alias in node.names)


def _cython_imports(path: Path) -> Iterator[tuple[str, str]]:
    text = re.sub(r"\(\s*([^()]*?)\s*\)", lambda match: " ".join(match[1].split()), path.read_text())  # one line per import
    for match in CYTHON_IMPORT.finditer(text):
        for name in (match["names"] or match["modules"]).split(","):
            if name := name.strip().partition(" ")[0]:  # without "as ..."
                yield (match["module"], name) if match["module"] else (name, "")


def graph(source_root: Path, package: str) -> dict[str, set[str]]:
    """The modules of a package that each of its modules imports."""
    known = modules(source_root, package)
    return {
        module: {found for path in paths for found in (_resolve(*pair, known) for pair in imports(path)) if found in known} - {module}
        for module, paths in known.items()
    }


def _resolve(module: str, name: str, known: dict[str, list[Path]]) -> str:
    """``from package import module`` imports the module; any other name belongs to the module it is imported from."""
    return f"{module}.{name}" if f"{module}.{name}" in known else module


def cycle(edges: dict[str, set[str]]) -> list[str]:
    """Modules that import each other in a circle, or an empty list."""
    finished: set[str] = set()
    trail: list[str] = []

    def visit(module: str) -> list[str]:
        if module in trail:
            return [*trail[trail.index(module) :], module]
        if module in finished:
            return []
        trail.append(module)
        for imported in sorted(edges[module]):
            if found := visit(imported):
                return found
        finished.add(trail.pop())
        return []

    return next((found for module in sorted(edges) if (found := visit(module))), [])
