"""Which loops the compiler vectorised, read from the disassembly: gcc reports more loops than it vectorises.

    python -m benchmarks.vectorised_loops [BUILD]              print those of a build of builds.py (default: release)
    python -m benchmarks.vectorised_loops --store              compare release with scalar, into results/vectorised_loops.json

A loop is the code between a backward jump and its target without another such jump in between. It counts as
vectorised if it does arithmetic on packed numbers; moves and clearing memory do not count. Several such
instructions of one source line outside of all loops are a loop that was unrolled completely. Lines of the
generated C are mapped to Cython source by the comments that Cython writes into it.
"""

from __future__ import annotations

import argparse
import re
import subprocess
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import builds, generated_blocks

RESULTS = Path(__file__).resolve().parent / "results" / "vectorised_loops.json"

PACKED = re.compile(
    r"v?(?:add|sub|mul|div|max|min|sqrt)p[sd]|vf(?:n?m)(?:add|sub)\d*p[sd]|v?p(?:add|sub|mull|madd|min|max|cmp|abs|sl[lr]|sr[la])[a-z0-9]*"
    r"|v?(?:cmp\w*p[sd]|cvt\w*p[sd]2?\w*)"
)
JUMP = re.compile(r"j\w+")
INSTRUCTION = re.compile(r"^\s+([0-9a-f]+):\s+(\S+)\s*(.*)$")
C_LINE = re.compile(r"^(\S+\.c):(\d+)")
CYTHON_LINE = re.compile(r'^\s*/\* "(midiopt/[\w/]+\.p(?:yx|xd))":(\d+)')
FUNCTION = re.compile(r"^\s*(?:def|cdef|cpdef)\s[^=]*?(\w+)\(")
HISTOGRAM = re.compile(r"\w\[.*\] \+= (?:1|2)$")
MIN_UNROLLED = 4  # packed instructions of one line
WIDTHS = {"z": 512, "y": 256, "x": 128}


class Instruction(NamedTuple):
    """A line of the disassembly."""

    address: int
    mnemonic: str
    operands: str
    c_line: tuple[str, int] | None  # file and number

    @property
    def is_packed(self) -> bool:
        """Whether it does arithmetic on packed numbers."""
        return bool(PACKED.fullmatch(self.mnemonic) and re.search(r"%[xyz]mm", self.operands))


@dataclass(frozen=True, order=True)
class Line:
    """A line of Cython source."""

    file: str  # "core/harmony/key.pyx"
    number: int
    function: str
    code: str

    def __str__(self) -> str:
        return f"{self.file}: {self.function}"


@dataclass(frozen=True)
class Loop:
    """An innermost loop."""

    line: Line  # to which most of its instructions belong
    bits: int  # of the widest register in packed arithmetic; 0: none
    packed: int  # instructions of packed arithmetic
    unrolled: bool = False


def loops(source_root: Path) -> list[Loop]:
    """The innermost loops of every extension below ``source_root``, in the order of the sources."""
    found = {loop for library in sorted(source_root.rglob("*.so")) for loop in _loops_of(library, source_root)}
    return sorted(found, key=lambda loop: (loop.line, loop.bits, loop.packed))


def histograms(source_root: Path) -> list[Line]:
    """Every line of the kernels that increments an element of a table."""
    return [
        source_line(path, n, source_root)
        for path in sorted((source_root / "midiopt" / "core").rglob("*.pyx"))
        for n, line in enumerate(_text(path), 1)
        if HISTOGRAM.search(line)
    ]


def source_line(path: Path, number: int, source_root: Path) -> Line:
    """Line ``number`` of a file with the function around it."""
    text = _text(path)
    code = text[number - 1]
    indent = len(code) - len(code.lstrip())
    function = ""
    for line in reversed(text[:number]):
        if line.strip() and (line is code or len(line) - len(line.lstrip()) < indent) and (match := FUNCTION.match(line)):
            function = match[1]
            break
    return Line(path.relative_to(source_root / "midiopt").as_posix(), number, function, code.strip())


@cache
def _text(path: Path) -> list[str]:
    return path.read_text().splitlines()


def store() -> None:
    """Store the vectorised loops of release, and what is left of them without the vectoriser."""
    generated_blocks.store(RESULTS, comparison())


def comparison() -> dict[str, Any]:
    """``loops``: the widest loop per source line; ``histograms``: the lines that cannot be vectorised."""
    release = builds.build("release")
    found = {name: [loop for loop in loops(builds.build(name)) if loop.packed] for name in ("release", "scalar")}
    bits = {name: {loop.line: loop.bits for loop in sorted(every, key=lambda loop: loop.bits)} for name, every in found.items()}
    widest = {loop.line: loop for loop in sorted(found["release"], key=lambda loop: loop.bits)}
    cpuinfo = Path("/proc/cpuinfo")
    model = re.search(r"model name\s*: (.*)", cpuinfo.read_text()) if cpuinfo.exists() else None
    return {
        "processor": model[1] if model else "unknown processor",
        "loops": [
            {
                "place": str(line),
                "code": line.code,
                "bits": loop.bits,
                "packed": loop.packed,
                "unrolled": int(loop.unrolled),
                "scalar_bits": bits["scalar"].get(line, 0),
            }
            for line, loop in sorted(widest.items())
        ],
        "histograms": [{"place": str(line), "code": line.code, "bits": bits["release"].get(line, 0)} for line in histograms(release)],
    }


def _loops_of(library: Path, source_root: Path) -> Iterator[Loop]:
    command = ["objdump", "-d", "-l", "--no-show-raw-insn", str(library)]
    disassembly = subprocess.run(command, capture_output=True, text=True, check=True, errors="replace").stdout
    function: list[Instruction] = []
    c_line = None
    for line in [*disassembly.splitlines(), "0 <end>:"]:
        if match := INSTRUCTION.match(line):
            function.append(Instruction(int(match[1], 16), match[2], match[3], c_line))
        elif match := C_LINE.match(line):
            c_line = (match[1], int(match[2]))
        elif line.endswith(">:"):
            yield from _loops_in(function, source_root)
            function = []


def _loops_in(function: list[Instruction], source_root: Path) -> Iterator[Loop]:
    spans = list(_backward_jumps(function))
    innermost = [s for s in spans if not any(o != s and s[0] <= o[0] and o[1] <= s[1] for o in spans)]
    for start, end in innermost:
        body = [i for i in function if start <= i.address <= end]
        yield from _loop(body, [i for i in body if i.is_packed], source_root, unrolled=False)
    straight: dict[tuple[str, int], list[Instruction]] = defaultdict(list)
    for i in function:
        if i.c_line and i.is_packed and not any(start <= i.address <= end for start, end in spans):
            straight[i.c_line].append(i)
    for packed in straight.values():
        if len(packed) >= MIN_UNROLLED:
            yield from _loop(packed, packed, source_root, unrolled=True)


def _backward_jumps(function: list[Instruction]) -> Iterator[tuple[int, int]]:
    """(target, jump): the addresses of the first and the last instruction of a loop."""
    for i in function:
        target = re.match(r"([0-9a-f]+) ", i.operands)
        if target and JUMP.fullmatch(i.mnemonic) and function[0].address <= int(target[1], 16) <= i.address:
            yield int(target[1], 16), i.address


def _loop(body: list[Instruction], packed: list[Instruction], source_root: Path, unrolled: bool) -> Iterator[Loop]:
    c_lines = Counter(i.c_line for i in packed or body if i.c_line)
    line = _cython_line(*c_lines.most_common(1)[0][0], source_root) if c_lines else None
    if line and not line.code.startswith("cdef class"):  # what Cython adds to a class
        widest = max((WIDTHS[w] for i in packed for w in re.findall(r"%([xyz])mm", i.operands)), default=0)
        yield Loop(line, widest, len(packed), unrolled)


@cache
def _comments(c_file: Path) -> tuple[list[int], list[tuple[str, int]]]:
    """The lines of a C file with a comment that names a line of Cython source, and those names."""
    numbers, names = [], []
    if c_file.exists():
        for n, line in enumerate(c_file.read_text().splitlines(), 1):
            if match := CYTHON_LINE.match(line):
                numbers.append(n)
                names.append((match[1], int(match[2])))
    return numbers, names


def _cython_line(c_file: str, number: int, source_root: Path) -> Line | None:
    """The Cython source of a line of C: what the nearest comment above names."""
    numbers, names = _comments(source_root.parent / c_file[max(0, c_file.find("build/cython")) :])
    i = bisect_right(numbers, number) - 1
    if i < 0:
        return None
    name, line = names[i]
    path = source_root / name
    return source_line(path, line, source_root) if path.exists() else None  # an extension whose source was deleted


def main() -> None:
    """Print the vectorised loops of a build, or store the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", metavar="BUILD", nargs="?", choices=builds.BUILDS, default="release", help=", ".join(builds.BUILDS))
    parser.add_argument("--store", action="store_true", help="for `python -m benchmarks.ablation --page`")
    options = parser.parse_args()
    if options.store:
        store()
        return
    for loop in loops(builds.build(options.build)):
        if loop.packed:
            unrolled = "unrolled  " * loop.unrolled
            print(f"{loop.line!s:50} {loop.bits:4} bits  {loop.packed:3} packed  {unrolled}{loop.line.code}")


if __name__ == "__main__":
    main()
