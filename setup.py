"""Extensions and flags only; everything else about the package is in pyproject.toml.

MIDIOPT_BUILD chooses the mode, MIDIOPT_MARCH the processor (native unless said otherwise):

    release       -O3 -march=native (the default)
    baseline      -O2, no -march, no vectoriser: what one gets without trying
    debug         -O0 -g, bounds checks, annotated sources in build/cython-debug
    sanitize      address and undefined-behaviour sanitizers
    pgo-generate  release, writing a profile
    pgo-use       release, led by that profile; `make pgo` builds both, and trains between them
"""

import hashlib
import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).parent.resolve()
MODE = os.environ.get("MIDIOPT_BUILD", "release")
MARCH = os.environ.get("MIDIOPT_MARCH", "native")

# No mode contracts or reorders floats: the same bytes, the same row. Nobody reads errno or float traps, which vectors do not keep.
BASE = ["-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-fvisibility=hidden", "-fwrapv"]
RELEASE = ["-O3", "-g1", f"-march={MARCH}"]
SOURCES = b"".join(path.read_bytes() for path in sorted(ROOT.glob("src/**/*.p?[xd]")))
PROFILE = ROOT / "pgo" / "profile" / hashlib.sha256(SOURCES).hexdigest()[:16]  # so a profile of other sources is never found
PROFILED = [*RELEASE, f"-fprofile-prefix-path={ROOT}"]  # identical in both phases, or the profile does not match
# A profile makes gcc 12 keep small what never ran (after files that are all sound, the whole parser), and unroll
# loops and fuse stores until registers spill: 50.1 us a file, as in release. Without all three, 47.6.
LED = ["-fprofile-partial-training", "-fno-unroll-loops", "-fno-tree-slp-vectorize", "-Werror=missing-profile"]
MODES = {
    "release": RELEASE,
    "baseline": ["-O2", "-fno-tree-vectorize"],
    "debug": ["-O0", "-g", "-UNDEBUG"],
    "sanitize": ["-O1", "-g", "-fsanitize=address,undefined", "-fno-omit-frame-pointer", "-fno-sanitize-recover=undefined"],
    "pgo-generate": [*PROFILED, f"-fprofile-generate={PROFILE}", "-fprofile-update=single"],
    "pgo-use": [*PROFILED, f"-fprofile-use={PROFILE}", *LED, "-Werror=coverage-mismatch"],
}
if MODE not in MODES:
    raise SystemExit(f"MIDIOPT_BUILD={MODE} is not a build mode; choose one of {', '.join(MODES)}")
if MODE == "pgo-use" and not PROFILE.exists():
    raise SystemExit("there is no profile of these sources: run `make pgo`")
FLAGS = BASE + MODES[MODE]
LINK = [f for f in FLAGS if f.startswith(("-fsanitize", "-fprofile-generate"))]
STRICT = MODE == "debug"


class build_mode(build_ext):
    def run(self):
        """A change of mode rebuilds everything: distutils only looks at the age of the sources."""
        self.build_temp = "build/temp"  # a profile is named after the object file, which pip puts elsewhere each time
        stamp = ROOT / "build" / "flags"
        flags = " ".join(FLAGS)
        if not stamp.exists() or stamp.read_text() != flags:
            self.force = True
            stamp.unlink(missing_ok=True)  # a build that fails half-way leaves a mixture
        super().run()
        stamp.parent.mkdir(exist_ok=True)
        stamp.write_text(flags)

    def build_extension(self, ext):
        ext.extra_compile_args += FLAGS
        ext.extra_link_args += LINK
        if ext.name == "midiopt.core.build":
            ext.define_macros += [("MIDIOPT_MODE", f'"{MODE}"'), ("MIDIOPT_FLAGS", f'"{" ".join(FLAGS)}"')]
        super().build_extension(ext)


setup(
    cmdclass={"build_ext": build_mode},
    ext_modules=cythonize(
        [Extension(".".join(p.relative_to("src").with_suffix("").parts), [str(p)]) for p in sorted(Path("src").rglob("*.pyx"))],
        build_dir="build/cython-debug" if STRICT else "build/cython",  # bounds checks are in the C code
        annotate=STRICT,
        include_path=["src"],
        compiler_directives={"language_level": 3, "boundscheck": STRICT, "wraparound": False, "cdivision": True},
    ),
)
