"""Compiles the parser's target and the mutator, in place; fuzz/run.py calls it in a build of the package.

Neither is instrumented: they are not what is tested.
"""

from Cython.Build import cythonize
from setuptools import Extension, setup

setup(
    name="midiopt-fuzz",
    ext_modules=[
        *cythonize([Extension("parser_target", ["parser_target.pyx"])], include_path=["../src"], language_level=3),
        Extension("mutator", ["mutator.c"], extra_compile_args=["-O2"]),
    ],
)
