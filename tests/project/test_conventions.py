"""House rules that a program can check: error forms in Cython, docstrings, and which way programs may import."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from midiopt.errors import MissingExtra
from tests.helpers import imports

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "midiopt"
CYTHON = sorted(path for path in PACKAGE.rglob("*.p*") if path.suffix in (".pyx", ".pxd"))
FOLDERS = ("accuracy", "benchmarks", "docs", "pgo", "reference", "sample", "training", "wheels")
PROGRAMS = sorted(path for folder in FOLDERS for path in (ROOT / folder).glob("*.py"))
SOURCES = [*sorted(PACKAGE.rglob("*.py")), *PROGRAMS]


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def signatures(text: str) -> Iterator[str]:
    """What follows the parameters of every function declared in Cython source: ``noexcept nogil``, ``except -1 nogil:``, ..."""
    text = re.sub(r"#[^\n]*|\"\"\".*?\"\"\"|\"[^\"\n]*\"|'[^'\n]*'", "", text, flags=re.DOTALL)
    while (joined := re.sub(r"\([^()]*\)", "<>", text)) != text:  # parameters, on however many lines
        text = joined
    yield from (match[1].strip() for match in re.finditer(r"<>([^\n<>]*\bnogil\b[^\n]*)", text))


def test_signatures_are_found_in_every_form():
    source = """
cdef int one(int a) noexcept nogil:
    with nogil:
        two(f(a))
    cdef int method(
        self,
        int (*compare)(int, int) noexcept nogil,
    ) except -1 nogil
cdef inline int three(): return 1
cdef int (*four)(int) nogil  # a pointer
"""
    assert list(signatures(source)) == ["noexcept nogil:", "except -1 nogil", "nogil"]


@pytest.mark.parametrize("path", CYTHON, ids=relative)
def test_no_bare_nogil(path):
    """Every nogil function states how it can fail: ``noexcept``, ``except``, or the status that it returns (then ``noexcept``)."""
    for end in signatures(path.read_text()):
        assert re.match(r"(noexcept|except\s*\??\s*\S+)\s+nogil\b", end), end


def test_every_compiled_function_has_a_caller():
    """No linter for Cython looks for functions that nobody calls."""
    text = "\n".join(path.read_text() for path in CYTHON)
    words = Counter(re.findall(r"\w+", text))
    declared = Counter(re.findall(r"^[ \t]*(?:cdef|cpdef)(?! class)[^\n=]*?\b(\w+)\s*\(", text, re.MULTILINE))
    assert [name for name, times in declared.items() if words[name] <= times] == []


@pytest.mark.parametrize("path", CYTHON, ids=relative)
def test_no_star_imports(path):
    assert not [module for module, name in imports.imports(path) if name == "*"]


def undocumented(node: ast.Module | ast.ClassDef, prefix: str) -> Iterator[str]:
    """Public functions, classes and methods without a docstring; the module itself, too, unless it is empty."""
    if isinstance(node, ast.Module) and node.body and not ast.get_docstring(node):
        yield prefix
    for child in node.body:
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not child.name.startswith("_"):
            name = f"{prefix}.{child.name}"
            overloads = [d for d in child.decorator_list if ast.unparse(d) == "overload"]  # their meaning stands once, after them
            if not ast.get_docstring(child) and not overloads:
                yield name
            if isinstance(child, ast.ClassDef):
                yield from undocumented(child, name)


def undocumented_cython(text: str) -> Iterator[str]:
    """Public ``def`` functions and classes of Cython source without a docstring."""
    if not re.match(r'(#[^\n]*\n)*"""', text):
        yield "the module"
    for match in re.finditer(r"^ *(?:cdef class|class|def|cpdef [\w ]+?) (?!_)(\w+)(?:\([^()]*\))?[^\n:]*:\n\s*(\S+)", text, re.MULTILINE):
        if not match[2].startswith('"""'):
            yield match[1]


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=relative)
def test_public_functions_classes_and_methods_have_docstrings(path):
    assert list(undocumented(ast.parse(path.read_text()), path.stem)) == []


@pytest.mark.parametrize("path", [path for path in CYTHON if path.suffix == ".pyx"], ids=relative)
def test_compiled_functions_and_classes_have_docstrings(path):
    assert list(undocumented_cython(path.read_text())) == []


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_nothing_outside_tests_imports_from_tests(path):
    assert not [module for module, _ in imports.imports(path) if module.partition(".")[0] == "tests"]


@pytest.mark.parametrize("path", [*SOURCES, *sorted(ROOT.glob("tests/**/*.py"))], ids=relative)
def test_nothing_edits_the_search_path(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            assert not ast.unparse(node.func).startswith("sys.path."), ast.unparse(node)
        if isinstance(node, ast.Assign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            assert not any(ast.unparse(target).startswith("sys.path") for target in targets), ast.unparse(node)


@pytest.mark.parametrize("path", [*PROGRAMS, ROOT / "tests" / "soak.py"], ids=relative)
def test_programs_import_names_that_exist(path):
    """Not every program is run by a test; their other dependencies are not all installed here."""
    for module, name in imports.imports(path):
        if module.partition(".")[0] == "midiopt":
            try:
                found = importlib.import_module(module)
            except MissingExtra as missing:
                pytest.skip(str(missing))
            inside = name and hasattr(found, "__path__") and importlib.util.find_spec(f"{module}.{name}")
            assert not name or inside or hasattr(found, name), f"{module} has no {name}"
