"""Extensions and compiler flags; everything else about the package is in pyproject.toml.

MIDIOPT_BUILD selects the mode, MIDIOPT_MARCH the processor (default: native):

    release       -O3 -march=native (the default)
    baseline      -O2 without -march and without the vectoriser: the reference for the other modes
    debug         -O0 -g, bounds checks, annotated sources in build/cython-debug
    sanitize      address and undefined-behaviour sanitizers
    pgo-generate  release, instrumented to write a profile
    pgo-use       release, optimised with that profile; `make pgo` builds both modes and trains in between
"""

import hashlib
import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).parent.resolve()
MODE = os.environ.get("MIDIOPT_BUILD", "release")

# Equal bytes give equal rows: no mode contracts or reorders floating-point operations. No code reads errno or float exceptions.
COMMON = ["-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-fvisibility=hidden", "-fwrapv"]
RELEASE = ["-O3", "-g1", f"-march={os.environ.get('MIDIOPT_MARCH', 'native')}"]
SOURCES = b"".join(path.read_bytes() for path in sorted(ROOT.glob("src/**/*.p?[xd]")))
PROFILE = ROOT / "pgo" / "profile" / hashlib.sha256(SOURCES).hexdigest()[:16]  # a profile of other sources is never used
PGO = [*RELEASE, f"-fprofile-prefix-path={ROOT}"]  # both phases need equal flags, or the profile does not match
# With a profile, gcc 12 optimises code that never ran for size (the whole parser, when no training file is damaged), and
# unrolls loops and fuses stores until registers spill: 50.1 us per file, as in release. With these flags: 47.6 us.
PGO_TUNING = ["-fprofile-partial-training", "-fno-unroll-loops", "-fno-tree-slp-vectorize"]
MODES = {
    "release": RELEASE,
    "baseline": ["-O2", "-fno-tree-vectorize"],
    "debug": ["-O0", "-g", "-UNDEBUG"],
    "sanitize": ["-O1", "-g", "-fsanitize=address,undefined,float-cast-overflow", "-fno-omit-frame-pointer", "-fno-sanitize-recover=all"],
    "pgo-generate": [*PGO, f"-fprofile-generate={PROFILE}", "-fprofile-update=single"],
    "pgo-use": [*PGO, f"-fprofile-use={PROFILE}", *PGO_TUNING, "-Werror=missing-profile", "-Werror=coverage-mismatch"],
}
if MODE not in MODES:
    raise SystemExit(f"MIDIOPT_BUILD={MODE} is not a build mode; choose one of {', '.join(MODES)}")
if MODE == "pgo-use" and not PROFILE.exists():
    raise SystemExit("there is no profile of these sources: run `make pgo`")
FLAGS = COMMON + MODES[MODE]
DEBUG = MODE == "debug"


class ModeBuildExt(build_ext):
    """Adds the flags of the mode, and compiles everything again when they change."""

    def run(self):
        """distutils compares the age of the sources only; this compares the flags and the version, too."""
        self.build_temp = "build/temp"  # a profile is named after the object file, which pip would put elsewhere each time
        self.macros = {"MODE": MODE, "FLAGS": " ".join(FLAGS), "VERSION": self.distribution.get_version()}
        stamp = ROOT / "build" / "flags"
        if not stamp.exists() or stamp.read_text() != repr(self.macros):
            self.force = True
            stamp.unlink(missing_ok=True)  # an interrupted build leaves a mixture
        super().run()
        stamp.write_text(repr(self.macros))

    def build_extension(self, ext):
        ext.extra_compile_args += FLAGS
        ext.extra_link_args += [flag for flag in FLAGS if flag.startswith(("-fsanitize", "-fprofile-generate"))]
        if ext.name == "midiopt.core.build":
            ext.define_macros += [(f"MIDIOPT_{name}", f'"{value}"') for name, value in self.macros.items()]
        super().build_extension(ext)


setup(
    cmdclass={"build_ext": ModeBuildExt},
    ext_modules=cythonize(
        [Extension(".".join(p.relative_to("src").with_suffix("").parts), [str(p)]) for p in sorted(Path("src").rglob("*.pyx"))],
        build_dir="build/cython-debug" if DEBUG else "build/cython",  # bounds checks are in the C code
        annotate=DEBUG,
        include_path=["src"],
        compiler_directives={"language_level": 3, "boundscheck": DEBUG, "wraparound": False, "cdivision": True},
    ),
)
