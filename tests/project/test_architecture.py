"""The architecture, as tests: which way imports run, and that the documentation names every option."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from midiopt.core.analysis import facts_layout
from midiopt.rows.batch import ANALYSES_DTYPE

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "midiopt"

# What each module may import of its own package; "core" and "sinks" stand for all that is in them.
MAY_IMPORT = {
    "errors": set(),
    "limits": set(),
    "lots": set(),
    "names": {"schema"},
    "schema": set(),
    "signals": set(),
    "program": {"signals"},
    "paths": set(),
    "allocator": {"errors"},
    "console": set(),
    "wire": {"schema"},
    "rows": {"schema", "wire"},
    "known": {"paths", "reader"},
    "contents": set(),
    "told": {"contents", "errors"},
    "gone": {"errors", "events", "known", "paths", "rows", "schema", "sinks", "suffixes"},
    "events": {"errors"},
    "looks": {"errors"},
    "work": set(),
    "word": set(),
    "suffixes": set(),
    "tar": {"errors"},
    "streams": {"errors"},
    "zip": {"errors", "streams"},
    "archives": {"errors", "looks", "seen", "streams", "suffixes", "tar", "zip"},
    "unpack": {"archives", "errors", "schema", "streams", "suffixes", "work"},
    "unpacking": {"schema", "work"},
    "seen": set(),
    "source": {"errors", "seen", "suffixes", "work"},
    "reader": {"core", "errors", "limits"},
    "core": {"core", "errors", "limits"},
    "sinks": {"sinks", "errors", "events", "rows", "schema"},
    "worker": {
        *("contents", "core", "errors", "limits", "looks", "lots", "names", "paths", "reader", "schema", "signals"),
        *("streams", "suffixes", "unpack", "wire", "word", "work"),
    },
    "pool": {"contents", "allocator", "errors", "events", "limits", "lots", "signals", "unpacking", "wire", "word", "work", "worker"},
    "progress": {"console", "schema"},
    "api": {"core", "errors", "looks", "reader", "rows", "schema"},
    "orchestrator": {
        *("allocator", "console", "errors", "events", "gone", "known", "limits", "paths", "pool", "program", "progress"),
        *("options", "rows", "schema", "signals", "sinks", "source", "told", "wire", "work"),
    },
    "options": {"allocator", "limits", "reader", "sinks"},
    "status": {"console", "progress", "schema", "sinks"},
    "verify": {"console", "lots", "orchestrator", "paths", "pool", "rows", "schema", "sinks", "suffixes", "told", "wire", "work"},
    "duplicates": {"console", "schema", "sinks"},
    "cli": {"api", "console", "duplicates", "errors", "options", "orchestrator", "schema", "status", "verify"},
}

# Inside core: a module may cimport those before it, never those after it.
CORE_ORDER = (
    *("memory", "vectors", "midi", "facts", "cursor", "arena", "parser", "tempo", "meter"),
    *("note", "pairing", "notes", "chroma", "key", "fingerprint", "polyphony", "periodicity", "network", "beat", "accents", "barlines"),
    *("grid", "onsets", "encoding", "text", "bars", "chords", "progression", "drums", "form", "analysis"),
)


def imported(path: Path) -> set[str]:
    """Names of the package's own modules (or "core", "sinks") that a Python or Cython file imports."""
    inside = path.parent.name if path.parent != PACKAGE else None
    found = set()
    for line in path.read_text().splitlines():
        m = re.match(r"\s*(?:from|cimport|import)\s+(\.\.|\.|midiopt\.)([\w.]*)\s*(?:c?import\s+(.+))?", line)
        if not m:
            continue
        dots, module, names = m.groups()
        if dots == "." and inside:
            found.add(inside)
        elif module:
            found.add(module.split(".")[0])
        else:
            found.update(name.strip().split(" ")[0] for name in (names or "").split(",") if name.strip() in MAY_IMPORT)
    return found


@pytest.mark.parametrize("module", MAY_IMPORT)
def test_imports_run_one_way(module):
    files = [p for p in PACKAGE.rglob("*.p*") if p.suffix in (".py", ".pyx", ".pxd") and (p.stem == module or p.parent.name == module)]
    files = [p for p in files if p.parent in (PACKAGE, PACKAGE / module)]
    assert files
    for path in files:
        assert imported(path) <= MAY_IMPORT[module], path


def test_every_module_has_its_rule():
    found = {p.stem for p in PACKAGE.glob("*.py*") if p.suffix in (".py", ".pyx")} - {"__init__", "__main__"}
    assert found | {"core", "sinks"} == set(MAY_IMPORT)


def test_core_imports_run_one_way():
    rank = {name: i for i, name in enumerate(CORE_ORDER)}
    for path in (PACKAGE / "core").glob("*.p?[xd]"):
        if path.stem in ("build",):
            continue
        for name in re.findall(r"^from \.(\w+) cimport", path.read_text(), re.M):
            allowed = rank[name] < rank[path.stem]
            assert allowed, f"{path.name} cimports {name}"


def test_core_knows_no_file_process_or_database():
    for path in (PACKAGE / "core").glob("*.pyx"):
        modules = set(re.findall(r"^\s*(?:from|c?import) ([a-z_]\w*)(?:[\w.]* c?import .*| as \w+)?$", path.read_text(), re.M))
        assert modules <= {"cpython", "libc", "midiopt", "numpy", "xxhash"}, path


def test_the_package_does_not_load_the_orchestrator_nor_numpy():
    code = "import sys, midiopt, midiopt.pipeline.worker; sys.exit(bool({'midiopt.orchestrator', 'numpy', 'rich'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_program_has_no_threads_but_its_own():
    """It and the one that hears signals: numpy's libraries would start one a core."""
    code = "from midiopt.cli.startup import begin; begin(); import os, midiopt.orchestrator; print(len(os.listdir('/proc/self/task')))"
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    assert subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True).stdout == "2\n"


def test_the_compiled_row_is_the_schema():
    fields, size = facts_layout()
    dtype = ANALYSES_DTYPE
    assert fields == [(name, dtype.fields[name][1]) for name in dtype.names]
    assert size == dtype.itemsize


def test_setup_py_stays_small():
    assert len((ROOT / "setup.py").read_text().splitlines()) <= 80


def test_no_bare_nogil():
    """Every nogil function says how it can fail: noexcept, except, or by the status it returns."""
    for path in (PACKAGE / "core").glob("*.p?[xd]"):
        for line in path.read_text().splitlines():
            if line.startswith("cdef") and "nogil" in line and "(" in line:
                assert "noexcept nogil" in line or "except -1 nogil" in line, f"{path.name}: {line}"


def test_public_functions_have_docstrings():
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Module) and path.name != "__init__.py":
                assert ast.get_docstring(node), path


@pytest.mark.parametrize(
    "program", sorted([*ROOT.glob("benchmarks/*.py"), *ROOT.glob("accuracy/*.py"), *ROOT.glob("pgo/*.py")]), ids=lambda p: p.name
)
def test_programs_import_what_the_package_has(program):
    """Their own dependencies are not all installed here, so they are not run."""
    for node in ast.walk(ast.parse(program.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "midiopt":
            module = importlib.import_module(node.module)
            for alias in node.names:
                inside = hasattr(module, "__path__") and importlib.util.find_spec(f"{node.module}.{alias.name}")
                assert inside or hasattr(module, alias.name), f"{node.module} has no {alias.name}"
