"""What the benchmarks say is worked out right; nothing is timed here."""

from __future__ import annotations

import platform
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from benchmarks import chart, file_reads, generated_blocks, instruction_counts, vectorised_loops
from benchmarks.mido_pipeline import key_of, song
from benchmarks.timing_process import works
from benchmarks.verdict import Measured, verdict
from midiopt.core import build

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "sample" / "midi"
SRC = ROOT / "src"


def vectors_can_be_seen() -> bool:
    processor = Path("/proc/cpuinfo")
    native = "-march=native" in build.flags and processor.exists() and " avx2 " in processor.read_text()
    fast = build.mode in ("release", "pgo-use") and (native or "-march=x86-64-v3" in build.flags)
    return platform.machine() == "x86_64" and fast and shutil.which("objdump") is not None


def measured(*ratios: float) -> Measured:
    return Measured.of("idea", "work", ("on", [1.0] * len(ratios)), ("off", ratios))


@pytest.mark.parametrize(
    ("ratios", "expected", "says"),
    [
        ((1.5, 1.6, 1.7), None, "faster"),
        ((0.5, 0.6, 0.7), None, "slower"),
        ((0.9, 1.0, 1.1), None, "no difference"),
        ((1.5, 1.6, 1.7), (1.1, 1.2), "faster: more than expected"),
        ((1.5, 1.6, 1.7), (1.1, 1.55), "faster: as expected"),
        ((1.5, 1.6, 1.7), (2, 3), "faster: less than expected"),
        ((1.0, 1.0, 1.0), (1.1, 1.2), "no difference: less than expected"),
        ((0.9, 1.05, 1.3), (1.1, 1.2), "unclear"),
    ],
)
def test_the_verdict_follows_the_rule(ratios, expected, says):
    assert verdict(measured(*ratios), expected) == says


def test_ratios_are_of_neighbours():
    slow_middle = Measured.of("idea", "work", ("on", [1, 10, 1]), ("off", [2, 20, 2]))
    assert (slow_middle.low, slow_middle.middle, slow_middle.high) == (2, 2, 2)


def test_the_chart_has_a_bar_a_row_and_one_for_each_expectation():
    rows = [(measured(2, 2.1), (1.1, 1.2)), (measured(0.5, 0.6), None), (measured(900, 950), (4, 6))]
    root = ET.fromstring(chart.svg(rows))
    fills = [rect.get("fill") for rect in root.iter("{http://www.w3.org/2000/svg}rect")]
    assert fills.count(chart.EXPECTED) == 1 + 2  # one in the legend
    assert fills.count(chart.FASTER) == 1 + 2
    assert fills.count(chart.SLOWER) == 1
    assert "×925" in "".join(root.itertext())


def test_a_table_goes_between_its_markers(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- begin a -->\nold\n<!-- end a -->\nafter\n")
    generated_blocks.fill(page, "a", r"new \1")
    assert page.read_text() == "before\n<!-- begin a -->\nnew \\1\n<!-- end a -->\nafter\n"
    with pytest.raises(SystemExit, match="no place for b"):
        generated_blocks.fill(page, "b", "x")


def test_instructions_go_to_the_stage_of_their_extension():
    profile = "\n".join(
        [
            "ob=(1) /x/midiopt/core/parser.cpython-311.so",
            "fn=(1) parse",
            "10 700",
            "cob=(2) /x/midiopt/core/key.cpython-311.so",
            "cfn=(2) estimate",
            "calls=3 20",
            "+1 999",  # the callee's, counted where it is
            "* 5",
            "ob=(2)",
            "fn=(2)",
            "20 40",
            "ob=(3) /usr/bin/python3",
            "fn=(3) eval",
            "-2 7",
        ]
    )
    assert instruction_counts.by_stage(profile) == {"parsing": 705, "key": 40, instruction_counts.OTHER: 7}


def test_every_extension_has_its_stage():
    known = {name for names in instruction_counts.STAGES.values() for name in names}
    found = {path.stem for path in (SRC / "midiopt").rglob("*.pyx")}
    assert found - known == {"build", "seen", "tar"}  # the last two are the walk's and archives', which are not counted


def test_readers_read_the_same(tmp_path):
    for path in file_reads.write(tmp_path, 4096)[:3]:
        contents = []
        for name in file_reads.READERS:
            reader = file_reads.READERS[name]()
            reader.read(path)
            contents.append(bytes(memoryview(reader)))
        assert contents[0] == contents[1]
        assert len(contents[0]) == 4096


def test_every_work_of_a_player_runs():
    paths = [str(path).encode() for path in sorted(SAMPLE.rglob("*.mid"))[:3]]
    for work in works(paths).values():
        work()


def test_the_pipeline_before_finds_what_we_find():
    import midiopt

    path = next(SAMPLE.rglob("walking home the long way.mid"))
    row, facts = song(str(path)), midiopt.analyze(path)
    assert row[2:5] == (facts.format, facts.track_count, facts.ticks_per_quarter)
    assert row[5] == pytest.approx(facts.duration_s)
    assert row[11:15] == (facts.note_count, facts.drum_note_count, facts.pitch_min, facts.pitch_max)
    assert row[18:21] == (facts.programs, facts.channels, facts.control_changes)
    assert key_of([0.0] * 12) is None


@pytest.mark.skipif(not vectors_can_be_seen(), reason="reads x86-64 instructions of a build with AVX2")
def test_the_disassembly_tells_vectors_from_scalars():
    found = {loop.code: loop for loop in vectorised_loops.loops(SRC) if loop.packed}
    [beat] = [loop for code, loop in found.items() if code.startswith("total[lag] +=")]
    assert beat.source.startswith("core/rhythm/autocorrelation.pyx:")
    assert beat.bits >= 256
    [smooth] = [loop for code, loop in found.items() if code.startswith("smooth[lag] =")]
    assert smooth.bits >= 256
    counting = dict(vectorised_loops.histograms(SRC))
    assert "notes.tally.velocities[data2_of(message)] += 1" in counting.values()
    assert not counting.keys() & {loop.source for loop in found.values()}
