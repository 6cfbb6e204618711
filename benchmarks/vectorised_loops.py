"""Which loops the compiler made vectors of, as the disassembly has it and not as the compiler says.

    python -m benchmarks.vectorised_loops [BUILD]              (a build of builds.py; default: release)

A loop is what lies between a backward jump and its target, without another such jump in between. It
counts as vectorised when it does arithmetic on packed numbers; moves and the clearing of memory do not
count. Several such instructions of one line of source outside of all loops are a loop that was unrolled
whole. Lines of the C that Cython made are led back to those of the .pyx by the comments it leaves.
"""

from __future__ import annotations

import re
import subprocess
import sys
from bisect import bisect_right
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from benchmarks import builds

PACKED = re.compile(
    r"v?(?:add|sub|mul|div|max|min|sqrt)p[sd]|vf(?:n?m)(?:add|sub)\d*p[sd]|v?p(?:add|sub|mull|madd|min|max|cmp|abs|sl[lr]|sr[la])[a-z0-9]*"
    r"|v?(?:cmp\w*p[sd]|cvt\w*p[sd]2?\w*)"
)
JUMP = re.compile(r"j\w+")
INSTRUCTION = re.compile(r"^\s+([0-9a-f]+):\s+(\S+)\s*(.*)$")
PLACE = re.compile(r"^(\S+\.c):(\d+)")
ORIGIN = re.compile(r'^\s*/\* "(?:midiopt/(?:core|sinks)/|midiopt/)?(\w+\.p(?:yx|xd))":(\d+)')  # Cython names a .pxd without its folder
HISTOGRAM = re.compile(r"\w\[.*\] \+= (?:1|2)$")
UNROLLED = 4  # packed instructions, at least, of a loop that is none any more
WIDTHS = {"z": 512, "y": 256, "x": 128}


@dataclass(frozen=True)
class Loop:
    source: str  # "core/harmony/key.pyx:93"
    code: str  # that line
    bits: int  # of the widest register in packed arithmetic; 0: none
    packed: int  # instructions that do it
    unrolled: bool = False


def loops(where: Path) -> list[Loop]:
    """The innermost loops of every extension below `where`, in the order of the sources."""
    found = [loop for library in sorted(where.rglob("*.so")) for loop in _loops_of(library, where)]
    return sorted(set(found), key=lambda loop: (loop.source.split(":")[0], int(loop.source.split(":")[1])))


def histograms(where: Path) -> list[tuple[str, str]]:
    """(place, line) of every line of the kernels that counts into a table."""
    return [
        (f"core/{path.name}:{n}", line.strip())
        for path in sorted((where / "midiopt" / "core").glob("*.pyx"))
        for n, line in enumerate(path.read_text().splitlines(), 1)
        if HISTOGRAM.search(line)
    ]


def _loops_of(library: Path, where: Path) -> list[Loop]:
    text = subprocess.run(
        ["objdump", "-d", "-l", "--no-show-raw-insn", str(library)], capture_output=True, text=True, check=True, errors="replace"
    ).stdout
    found: list[Loop] = []
    function: list[tuple[int, str, str, tuple[str, int] | None]] = []
    place = None
    for line in [*text.splitlines(), "0 <end>:"]:
        if match := INSTRUCTION.match(line):
            function.append((int(match[1], 16), match[2], match[3], place))
        elif match := PLACE.match(line):
            place = (match[1], int(match[2]))
        elif line.endswith(">:"):
            found += _loops_in(function, where)
            function = []
    return found


def _loops_in(function: list, where: Path) -> list[Loop]:
    if not function:
        return []
    first = function[0][0]
    spans = []
    for address, name, operands, _ in function:
        if JUMP.fullmatch(name) and (target := re.match(r"([0-9a-f]+) ", operands)) and first <= int(target[1], 16) <= address:
            spans.append((int(target[1], 16), address))
    innermost = [s for s in spans if not any(o != s and s[0] <= o[0] and o[1] <= s[1] for o in spans)]
    bodies = [[i for i in function if begin <= i[0] <= end] for begin, end in innermost]
    found = [_loop(body, [i for i in body if _is_packed(i)], where, False) for body in bodies]
    straight: dict[tuple[str, int], list] = defaultdict(list)
    for i in function:
        if i[3] and _is_packed(i) and not any(begin <= i[0] <= end for begin, end in spans):
            straight[i[3]].append(i)
    found += [_loop(packed, packed, where, True) for packed in straight.values() if len(packed) >= UNROLLED]
    return [loop for loop in found if loop]


def _is_packed(instruction: tuple) -> bool:
    return bool(PACKED.fullmatch(instruction[1]) and re.search(r"%[xyz]mm", instruction[2]))


def _loop(body: list, packed: list, where: Path, unrolled: bool) -> Loop | None:
    places = Counter(i[3] for i in packed or body if i[3])
    source = _origin(*places.most_common(1)[0][0], where) if places else None
    if source is None or source[1].startswith("cdef class"):  # what Cython adds to a class
        return None
    widest = max((WIDTHS[w] for i in packed for w in re.findall(r"%([xyz])mm", i[2])), default=0)
    return Loop(*source, widest, len(packed), unrolled)


@cache
def _lines(name: str, where: Path) -> tuple[list[int], list[tuple[str, int]]]:
    """Where in a C file the comments stand that name a line of a .pyx or .pxd, and which."""
    path = where.parent / name
    at, origins = [], []
    if path.exists():
        for n, line in enumerate(path.read_text().splitlines(), 1):
            if match := ORIGIN.match(line):
                at.append(n)
                origins.append((match[1], int(match[2])))
    return at, origins


@cache
def _source(name: str, where: Path) -> Path | None:
    return next(where.rglob(name), None)


def _origin(name: str, line: int, where: Path) -> tuple[str, str] | None:
    at, origins = _lines(name[name.find("build/cython") :], where)
    i = bisect_right(at, line) - 1
    if i < 0:
        return None
    source, number = origins[i]
    if (path := _source(source, where)) is None:
        return None
    return f"{path.relative_to(where / 'midiopt')}:{number}", path.read_text().splitlines()[number - 1].strip()


def main() -> None:
    for loop in loops(builds.site(sys.argv[1] if len(sys.argv) > 1 else "release")):
        if loop.packed:
            print(f"{loop.source:28} {loop.bits:4} bits  {loop.packed:3} packed  {'unrolled  ' * loop.unrolled}{loop.code}")


if __name__ == "__main__":
    main()
