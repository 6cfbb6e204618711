"""The architecture: imports run downward through the layers, and what the lower layers may not know."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from midiopt.core.inspection import row_layouts
from midiopt.rows.batch import ANALYSES_DTYPE, TRACKS_DTYPE
from tests.helpers import imports

SRC = Path(__file__).parents[2] / "src"
PACKAGE = SRC / "midiopt"
GRAPH = imports.graph(SRC, "midiopt")

# From the bottom to the top: a package, and what it may import besides BASE and its own modules. Every one it names stands above it.
BASE = ("wording", "errors", "limits", "kinds", "general_midi", "schema", "run_log")
LAYERS = {
    "core": (),
    "sources": ("core.memory",),
    "rows": ("core.analyzer", "sources"),
    "api": (
        *("core.analyzer", "core.harmony.harmony_view", "core.notes.note_view", "core.smf.arena", "core.smf.parser"),
        *("core.rhythm.beat_view", "core.structure.section_view", "core.timeline.timeline_view"),
        *("rows", "sources"),
    ),
    "display": ("api",),
    "sinks": ("rows",),
    "pipeline": ("core.analyzer", "core.build", "rows", "sources", "sinks"),
    "many": ("api", "rows", "sources", "pipeline"),
    "library": ("core.smf.arena", "api", "rows", "sources", "sinks", "pipeline"),
    "torch": ("core.notes.note_batch", "many", "library"),
    "browse": ("core.analyzer", "core.smf.parser", "api", "display", "rows", "sources", "sinks", "pipeline", "library"),
    "report": ("core.build", "api", "display", "sinks", "library"),
    "cli": ("core.build", "api", "display", "rows", "sources", "sinks", "pipeline", "library", "browse", "report"),
}
FRONT = ("", "__main__", "orchestrator")  # public names and commands: they may import everything, and nothing imports them

# The same inside core. The modules that lie in core itself are above its packages, but for COMMON.
COMMON = ("memory", "array_view", "facts", "doubles", "bits", "ascii", "build", "processor")
CORE_LAYERS = {
    "smf": (),
    "text": ("smf",),
    "timeline": ("smf",),
    "notes": ("smf", "text", "timeline"),
    "rhythm": ("smf", "timeline", "notes"),
    "harmony": ("smf", "text", "timeline", "notes", "rhythm"),
    "structure": ("smf", "text", "timeline", "notes", "rhythm"),
    "analysis": ("smf", "text", "timeline", "notes", "rhythm", "harmony", "structure"),
    "analyzer": ("smf", "notes", "rhythm", "harmony", "structure", "analysis"),
    "inspection": ("harmony", "timeline", "analyzer"),
}


def violations(prefix: str, layers: dict[str, tuple[str, ...]], base: tuple[str, ...]) -> set[tuple[str, str]]:
    """Imports between the parts of ``prefix`` that neither ``layers`` nor ``base`` allows."""

    def part(module: str) -> str:
        return module.removeprefix(prefix).lstrip(".").partition(".")[0]

    def allowed(importer: str, imported: str) -> bool:
        own, other = part(importer), part(imported)
        if own in base:
            return other in base and base.index(other) <= base.index(own)
        below = (*base, own, *layers[own])
        return other in below or any(f"{imported}.".startswith(f"{prefix}.{name}.") for name in below)

    inside = {module: found for module, found in GRAPH.items() if f"{module}.".startswith(f"{prefix}.") and part(module) not in FRONT}
    return {(m, i) for m, found in inside.items() for i in found if f"{i}.".startswith(f"{prefix}.") and not allowed(m, i)}


def test_the_layers_are_ranked():
    for layers in (LAYERS, CORE_LAYERS):
        rank = {name: i for i, name in enumerate(layers)}
        for name, below in layers.items():
            assert all(rank[other.partition(".")[0]] < rank[name] for other in below), name


def test_every_module_is_in_a_layer():
    parts = {module.split(".")[1] for module in GRAPH if "." in module}
    assert parts <= {*BASE, *LAYERS, *FRONT}
    assert {module.split(".")[2] for module in GRAPH if module.startswith("midiopt.core.")} == {*COMMON, *CORE_LAYERS}


def test_imports_run_downward():
    assert violations("midiopt", LAYERS, BASE) == set()


def test_imports_inside_core_run_downward():
    assert violations("midiopt.core", CORE_LAYERS, COMMON) == set()


def test_no_modules_import_each_other():
    assert imports.cycle(GRAPH) == []


def test_a_cycle_is_found():
    assert imports.cycle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert imports.cycle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_every_form_of_import_is_read(tmp_path):
    python, cython = tmp_path / "a.py", tmp_path / "a.pyx"
    python.write_text("import p.a, p.b as b\nif TYPE_CHECKING:\n    from p.c import d\ndef f():\n    from p import (\n        e,\n    )\n")
    cython.write_text("cimport p.a, p.b as b\nfrom p.c cimport d, e as f\nfrom p.g cimport (\n    h,\n    i,\n)\ncdef int x  # import y\n")
    assert set(imports.imports(python)) == {("p.a", ""), ("p.b", ""), ("p.c", "d"), ("p", "e")}
    assert set(imports.imports(cython)) == {("p.a", ""), ("p.b", ""), ("p.c", "d"), ("p.c", "e"), ("p.g", "h"), ("p.g", "i")}


def test_the_package_has_few_modules_of_its_own():
    assert len([path for path in PACKAGE.glob("*.py*") if path.suffix in (".py", ".pyx")]) <= 10


def test_core_imports_nothing_for_files_processes_or_databases():
    for module, paths in imports.modules(SRC, "midiopt").items():
        if module.startswith("midiopt.core.") and any(path.suffix == ".pyx" for path in paths):
            found = {name.partition(".")[0] for path in paths for name, _ in imports.imports(path)}
            assert found <= {"_thread", "cpython", "libc", "midiopt", "numpy", "xxhash"}, module


def test_a_worker_loads_neither_numpy_nor_a_database_driver():
    unwanted = {"midiopt.cli", "midiopt.sinks", "numpy", "psycopg", "rich", "sqlite3"}
    code = f"import sys, midiopt, midiopt.pipeline.worker, midiopt.pipeline.archive_worker; print({unwanted} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"


def test_the_parent_has_two_threads():
    """The main thread and the one that receives signals: the linear algebra of numpy would start one per core."""
    code = "from midiopt.cli.startup import prepare_process; prepare_process()"
    code += "; import os, midiopt.orchestrator; print(len(os.listdir('/proc/self/task')))"
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    assert subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True).stdout == "2\n"


def test_the_compiled_rows_are_the_schema():
    for (fields, size), dtype in zip(row_layouts(), (ANALYSES_DTYPE, TRACKS_DTYPE), strict=True):
        assert fields == [(name, dtype.fields[name][1]) for name in dtype.names]
        assert size == dtype.itemsize


def test_setup_py_stays_small():
    assert len((SRC.parent / "setup.py").read_text().splitlines()) <= 200
