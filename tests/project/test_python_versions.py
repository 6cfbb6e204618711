"""What a newer Python takes away, looked for in the sources: the suite runs on one version only."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("src", "reference", "training", "accuracy", "pgo", "benchmarks", "sample", "docs", "tests")


@pytest.mark.parametrize("folder", FOLDERS)
def test_sqlite_connect_takes_one_positional_argument(folder: str) -> None:
    """Python 3.15 raises TypeError for more; 3.12 to 3.14 warn."""
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "sqlite3.connect":
                assert len(node.args) == 1, f"{path}:{node.lineno}"


@pytest.mark.parametrize("folder", FOLDERS)
def test_connections_are_closed_by_closing(folder: str) -> None:
    """A with block of sqlite3.connect() ends a transaction, and leaves the connection open; Python 3.13 warns where it is freed."""
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.withitem) and isinstance(node.context_expr, ast.Call):
                assert ast.unparse(node.context_expr.func) != "sqlite3.connect", f"{path}:{node.context_expr.lineno}"
