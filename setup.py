"""Extensions and compiler flags; everything else about the package is in pyproject.toml.

MIDIOPT_BUILD selects the mode, MIDIOPT_MARCH the processor of release and of the profiled builds (default: native):

    portable      runs on every processor of its architecture: what a front end builds (pip install, python -m build).
                  On x86-64 it has core once per level of the architecture; core/__init__.py chooses one on import
    release       -O3 -march=native: what make builds, and an editable install
    baseline      -O2 without -march and without the vectoriser: the reference for the other modes
    debug         -O0 -g, bounds checks, annotated sources in build/cython-debug
    sanitize      address and undefined-behaviour sanitizers
    pgo-generate  release, instrumented to write a profile
    pgo-use       release, and the modules that win by it (pgo/modules.tsv) optimised with that profile; `make pgo` builds both modes
                  and trains in between. MIDIOPT_PGO_MODULES=all uses it for every module, to measure that
"""

import hashlib
import importlib
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

COMPILER = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")


def accepted(*flags: str) -> list[str]:
    """The flags that the compiler and its assembler take; none where there is no compiler."""
    command = [*COMPILER, "-x", "c", "-c", os.devnull, "-o", os.devnull]
    return [f for f in flags if shutil.which(COMPILER[0]) and not subprocess.run([*command, f], capture_output=True).returncode]


ROOT = Path(__file__).parent.resolve()
IN_PLACE = not {"--inplace", "editable_wheel"}.isdisjoint(sys.argv)
MODE = os.environ.get("MIDIOPT_BUILD", "release" if IN_PLACE else "portable")

# Equal bytes give equal rows: no mode contracts or reorders floating-point operations. No code reads errno or float exceptions.
COMMON = ["-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-fvisibility=hidden", "-fwrapv"]
X86 = sysconfig.get_platform().endswith("x86_64")
# Intel's processors from Skylake to Comet Lake (2015 to 2020) are slow at jumps that cross 32 bytes of code or end at their edge (erratum
# SKX102): padded, Cascade Lake has 1.08 (1.06 to 1.10) times the speed from bytes to events, 1.07 to facts; an EPYC without it 1.00.
# Vectors of 256 bits, as gcc prefers them for Intel's processors, not for AMD's: 1.05 (1.04 to 1.06) times the speed to facts on a Zen 4.
TUNED = accepted("-mprefer-vector-width=256", "-Wa,-mbranches-within-32B-boundaries", "-mbranches-within-32B-boundaries") if X86 else []
RELEASE = [*TUNED, "-O3", "-g1", f"-march={os.environ.get('MIDIOPT_MARCH', 'native')}"]
SOURCES = b"".join(path.read_bytes() for path in sorted(ROOT.glob("src/**/*.p?[xd]")))
PROFILE = ROOT / "pgo" / "profile" / hashlib.sha256(SOURCES).hexdigest()[:16]  # a profile of other sources is never used
PGO = [*RELEASE, f"-fprofile-prefix-path={ROOT}"]  # both phases need equal flags, or the profile does not match
# With a profile, gcc 12 optimises code that never ran for size (the whole parser, when no training file is damaged): not with
# -fprofile-partial-training. Nine sets of flags, for all modules, had 0.97 to 0.98 of release's speed on facts, 1.00 to 1.02 in events.
MODES = {
    "portable": [*TUNED, "-O3", "-g0"],
    "release": RELEASE,
    "baseline": ["-O2", "-fno-tree-vectorize"],
    "debug": ["-O0", "-g", "-UNDEBUG"],
    "sanitize": ["-O1", "-g", "-fsanitize=address,undefined,float-cast-overflow", "-fno-omit-frame-pointer", "-fno-sanitize-recover=all"],
    "pgo-generate": [*PGO, f"-fprofile-generate={PROFILE}", "-fprofile-update=single"],
    "pgo-use": [*PGO, f"-fprofile-use={PROFILE}", "-fprofile-partial-training", "-Werror=missing-profile", "-Werror=coverage-mismatch"],
}
if MODE not in MODES:
    raise SystemExit(f"MIDIOPT_BUILD={MODE} is not a build mode; choose one of {', '.join(MODES)}")
if MODE == "pgo-use" and not PROFILE.exists():
    raise SystemExit("there is no profile of these sources: run `make pgo`")
FLAGS = COMMON + MODES[MODE]
PROFILED = None  # every module
if MODE == "pgo-use" and os.environ.get("MIDIOPT_PGO_MODULES") != "all":
    sys.path.insert(0, str(ROOT))
    PROFILED = (table := importlib.import_module("pgo.table")).profiled_modules(table.processor())
DEBUG, PORTABLE = MODE == "debug", MODE == "portable"
C_SOURCES = "build/cython-debug" if DEBUG else "build/cython"  # bounds checks are in the C code

# The stable ABI (Py_LIMITED_API), one wheel for every Python, costs: a worker has 0.966 of the speed with it, the parser called from
# Python 0.89, and the encoders of rows, which make a Python object per value, 0.78.
LEVELS = ("x86-64-v2", "x86-64-v3", "x86-64-v4") if PORTABLE and X86 else ()
VERSION = tomllib.loads(Path("pyproject.toml").read_text())["project"]["version"]
NO_COMPILER = """
midiopt is compiled on this machine, because no wheel fits it or none was asked for, and that cannot be done: {problem}
Install gcc 11 or later (or clang 17) and the header files of Python, for example with one of

    apt install gcc libc6-dev python3-dev      (Debian, Ubuntu)
    dnf install gcc python3-devel              (Fedora, RHEL)
"""


def make_extensions(level: str) -> list[Extension]:
    """The modules of core for a level of x86-64, and with the lowest level those beside core; without a level, all modules."""
    made = []
    for path in sorted(Path("src").rglob("*.pyx")):
        name, flags = ".".join(path.relative_to("src").with_suffix("").parts), FLAGS
        in_set = name.startswith("midiopt.core.") and name != "midiopt.core.processor"  # which tells processors below the lowest level
        if level and not in_set and level != LEVELS[0]:
            continue
        if level and name != "midiopt.core.processor":
            lower = level == "x86-64-v4" and name.startswith("midiopt.core.smf.")  # tuned for no processor, it had 0.84 of the speed
            flags = [*FLAGS, f"-march={'x86-64-v3' if lower else level}"]
        if PROFILED is not None and name not in PROFILED:
            flags = COMMON + RELEASE
        extension = Extension(name.replace(".core.", f".core.levels.{level}.", 1) if level and in_set else name, [str(path)])
        extension.extra_compile_args = flags
        extension.extra_link_args = ["-Wl,-s"] if PORTABLE else [f for f in flags if f.startswith(("-fsanitize", "-fprofile-generate"))]
        if name == "midiopt.core.build":
            texts = {"MODE": MODE, "LEVEL": level, "FLAGS": " ".join(flags), "VERSION": VERSION}
            extension.define_macros += [(f"MIDIOPT_{key}", f'"{text}"') for key, text in texts.items()]
        made.append(extension)
    return made


EXTENSIONS = {level: make_extensions(level) for level in LEVELS or [""]}


def check_compiler() -> None:
    """SystemExit with what to install, unless the compiler takes the flags and finds Python's header files."""
    include = [f"-I{sysconfig.get_path(name)}" for name in ("include", "platinclude")]
    command = [*COMPILER, *include, *shlex.split(os.environ.get("CFLAGS", "")), *FLAGS]
    command += [*(f"-march={level}" for level in LEVELS[-1:]), "-fsyntax-only", "-x", "c", "-"]
    try:
        done = subprocess.run(command, input="#include <Python.h>", capture_output=True, text=True)
    except OSError as problem:
        raise SystemExit(NO_COMPILER.format(problem=f"{problem.strerror}: {COMPILER[0]}")) from None
    if done.returncode:
        raise SystemExit(NO_COMPILER.format(problem=f"{shlex.join(command)} says\n{done.stderr.strip()}"))


def translate() -> None:
    """Translate the sources of all extensions to C."""
    from Cython.Build import cythonize

    unique = {str(path): ".".join(path.relative_to("src").with_suffix("").parts) for path in sorted(Path("src").rglob("*.pyx"))}
    cythonize(
        [Extension(name, [source]) for source, name in unique.items()],
        build_dir=C_SOURCES,
        annotate=DEBUG,
        include_path=["src"],
        compiler_directives={"language_level": 3, "boundscheck": DEBUG, "wraparound": False, "cdivision": True},
    )


def not_python(folder: str, names: list[str]) -> list[str]:
    """What a level needs no copy of: other files, and the levels themselves."""
    return [name for name in names if name in ("levels", "__pycache__") or (Path(folder, name).is_file() and not name.endswith(".py"))]


class Translate(build_ext):
    """Only translates to C: benchmarks/builds.py copies the result."""

    def run(self):
        """Compile nothing."""
        translate()


class ModeBuildExt(build_ext):
    """Compiles level after level, and everything again when the flags change."""

    def finalize_options(self):
        """All processors compile unless -j says otherwise."""
        super().finalize_options()
        self.parallel = self.parallel or len(os.sched_getaffinity(0))

    def run(self):
        """distutils compares the age of the sources only; this compares the flags and the version, too."""
        check_compiler()
        self.build_temp = "build/temp"  # a profile is named after the object file, which pip would put elsewhere each time
        settings = repr((MODE, FLAGS, PROFILED, LEVELS, VERSION))
        stamp = ROOT / "build" / "flags"
        if not IN_PLACE or not stamp.exists() or stamp.read_text() != settings:
            self.force = True
            stamp.unlink(missing_ok=True)  # an interrupted build leaves a mixture
        self.complete_levels(Path("src" if IN_PLACE else self.build_lib, "midiopt", "core", "levels"))
        super().run()
        if IN_PLACE:
            stamp.write_text(settings)

    def complete_levels(self, folder):
        """Give every level the Python modules of core: a level is a whole package. Levels of an earlier build in place are deleted."""
        if IN_PLACE and not LEVELS:
            shutil.rmtree(folder, ignore_errors=True)
        for level in LEVELS:
            shutil.copytree("src/midiopt/core", folder / level, ignore=not_python, dirs_exist_ok=True)

    def build_extensions(self):
        """The objects of each level have their own folder."""
        translate()
        for extension in self.extensions:
            extension.sources = [str(Path(C_SOURCES, source).with_suffix(".c")) for source in extension.sources]
        everything, temp = self.extensions, self.build_temp
        for level, self.extensions in EXTENSIONS.items():
            self.build_temp = os.path.join(temp, level)
            super().build_extensions()
        self.extensions, self.build_temp = everything, temp


setup(
    cmdclass={"build_ext": ModeBuildExt, "translate": Translate},
    ext_modules=[extension for made in EXTENSIONS.values() for extension in made],
)
