"""The benchmarks compute correctly, and the pages contain what they stored; nothing is timed here."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from rich.progress import Progress

import midiopt
from benchmarks import (
    chart,
    cluster,
    compare_builds,
    cores,
    file_reads,
    generate_collection,
    generated_blocks,
    instruction_counts,
    memory,
    paired_timing,
    results_page,
    scale,
    simulated_worker,
    sqlite_writes,
    vectorised_loops,
)
from benchmarks.ablation_session import Plan, Session
from benchmarks.mido_pipeline import key_of, song
from benchmarks.switches import SWITCHES
from benchmarks.timing_process import workloads
from benchmarks.verdict import Speedup, verdict
from midiopt.pipeline.worker import Worker
from midiopt.rows.batch import Batch
from midiopt.rows.validate import validate
from midiopt.schema import ANALYSES
from midiopt.sinks.sql import column_names
from tests.helpers.batches import query, records
from tests.helpers.vector_code import needs_avx2

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "sample" / "midi"
SRC = ROOT / "src"


def speedup(*ratios: float) -> Speedup:
    return Speedup.of("arena", "work", ("on", [1.0] * len(ratios)), ("off", ratios))


@pytest.mark.parametrize(
    ("ratios", "expected", "result"),
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
def test_the_verdict_follows_the_rule(ratios, expected, result):
    assert verdict(speedup(*ratios), expected) == result


def test_ratios_are_of_pairs():
    slow_middle = Speedup.of("arena", "work", ("on", [1, 10, 1]), ("off", [2, 20, 2]))
    assert (slow_middle.low, slow_middle.median, slow_middle.high) == (2, 2, 2)


def test_the_chart_has_a_bar_per_row_and_per_expectation():
    rows = [(speedup(2, 2.1), (1.1, 1.2)), (speedup(0.5, 0.6), None), (speedup(900, 950), (4, 6))]
    root = ET.fromstring(chart.svg(rows))
    fills = [rect.get("fill") for rect in root.iter("{http://www.w3.org/2000/svg}rect")]
    assert fills.count(chart.EXPECTED) == 1 + 2  # one in the legend
    assert fills.count(chart.FASTER) == 1 + 2
    assert fills.count(chart.SLOWER) == 1
    assert "×925" in "".join(root.itertext())


def test_stored_times_are_compared_by_variant(tmp_path):
    session = Session(Plan(), [], tmp_path, Progress(disable=True), {"command": "make ablation"})
    session.add("arena", "bytes to facts", 10, {"one, reused": [1.0, 2.0], "malloc and free per file": [3.0, 6.0]})
    suite = paired_timing.save(session.runs, str(tmp_path / "times.json"))
    [found] = results_page.compare([(benchmark.get_metadata(), benchmark.get_values()) for benchmark in suite])
    assert (found.optimisation, found.workload, found.on, found.off) == ("arena", "bytes to facts", *SWITCHES["arena", "bytes to facts"])
    assert (found.on_seconds, found.median) == (pytest.approx(0.15), pytest.approx(3))


@pytest.mark.parametrize("path", results_page.contents(), ids=lambda path: path.name)
def test_the_results_page_is_current(path):
    """`python -m benchmarks.ablation --page` writes it again."""
    assert path.read_text() == results_page.contents()[path]


def test_the_comparison_of_builds_is_current():
    """`python -m benchmarks.compare_builds --page` writes it again."""
    assert generated_blocks.read(compare_builds.PAGE, "bench") == compare_builds.comparison()


def test_the_instruction_counts_are_current():
    """`python -m benchmarks.instruction_counts --page` writes them again."""
    results = json.loads(instruction_counts.RESULTS.read_text())
    assert generated_blocks.read(instruction_counts.PAGE, "stages") == instruction_counts.table(results)


def test_the_page_about_cores_is_current():
    """`python -m benchmarks.cores --page` measures and writes it again."""
    results = json.loads(cores.RESULTS.read_text())
    assert generated_blocks.read(cores.PAGE, "cores") == cores.block(results)
    assert cores.CHART.read_text() == cores.svg(results)


def test_simulated_workers_fill_each_database(tmp_path, monkeypatch):
    for _ in generate_collection.write(tmp_path / "songs", 20):
        pass
    cores.write_canned_rows(tmp_path / "songs", tmp_path / "rows")
    cores.write_empty_files(tmp_path / "files", 20)
    monkeypatch.setenv(simulated_worker.CANNED_ROWS, str(tmp_path / "rows"))
    monkeypatch.setenv(simulated_worker.RATE, "8000")
    for open_new in cores.databases(None).values():
        with open_new() as database:
            assert cores.simulate(tmp_path / "files", database, workers=1)["files"] == 20


def test_simulated_workers_answer_with_rows_of_their_tasks():
    canned = Batch.from_bytes(Worker().analyze_files(sorted(map(bytes, (ROOT / "sample" / "midi").rglob("*.mid")))))
    paths = [b"/a", "/é/b.mid".encode(), b"/c.mid"]
    batches = [Batch.from_bytes(simulated_worker.answer(paths, canned)) for _ in range(2)]
    for batch in batches:
        assert validate(batch) is batch
        assert [row["path"] for row in records(batch, "files")] == ["/a", "/c.mid", "/é/b.mid"]
        assert (batch.files["content_hash"] == batch.analyses["content_hash"]).all()
    assert not (batches[0].files["content_hash"] == batches[1].files["content_hash"]).all(axis=1).any()


def test_sqlite_gets_the_same_rows_in_every_way(tmp_path):
    batches = sqlite_writes.make_batches(1)
    for i, name in enumerate(("as a run", "executemany()", "at best")):
        assert sqlite_writes.WAYS[name](f"{tmp_path}/{i}.db", batches) > 0
        assert query(f"sqlite:///{tmp_path}/{i}.db", "SELECT count(*), count(DISTINCT path) FROM files") == [(2048, 2048)]
    facts = f"SELECT {column_names(ANALYSES)} FROM analyses ORDER BY content_hash"
    rows = [query(f"sqlite:///{tmp_path}/{i}.db", facts) for i in range(3)]
    assert rows[0] == rows[1] == rows[2] and len(rows[0]) == 2048


def test_the_page_about_scale_is_current():
    results = json.loads(scale.RESULTS.read_text())
    assert generated_blocks.read(scale.PAGE, "scale") == scale.block(results)
    assert scale.CHART.read_text() == scale.svg(results)


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
            "ob=(1) /x/midiopt/core/smf/parser.cpython-311.so",
            "fn=(1) parse",
            "10 700",
            "cob=(2) /x/midiopt/core/harmony/key.cpython-311.so",
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
    found = [".".join(path.relative_to(SRC / "midiopt").with_suffix("").parts) for path in (SRC / "midiopt").rglob("*.pyx")]
    assert {name for name in found if instruction_counts.stage_of(name) == instruction_counts.OTHER} == set(instruction_counts.NOT_COUNTED)
    assert {instruction_counts.stage_of(name) for name in [*found, "_xxhash", "libsqlite3"]} == {
        *instruction_counts.STAGES,
        instruction_counts.OTHER,
    }


def test_readers_read_the_same(tmp_path):
    for path in file_reads.write(tmp_path, 4096)[:3]:
        contents = []
        for name in file_reads.READERS:
            reader = file_reads.READERS[name]()
            reader.read(path)
            contents.append(bytes(memoryview(reader)))
        assert contents[0] == contents[1]
        assert len(contents[0]) == 4096


def test_every_switch_has_its_workload():
    """And each runs on all files: what it computes is compared where a result comes out."""
    paths = [str(path).encode() for path in sorted(SAMPLE.rglob("*.mid"))[:3]]
    available = workloads(paths)
    assert {variant.workload for ways in SWITCHES.values() for variant in ways.values()} == set(available)
    results = {name: work() for name, work in available.items()}
    sizes = [len(midiopt.parse(path)) for path in map(Path.read_bytes, map(Path, map(bytes.decode, paths)))]
    assert [len(arena) for arena in results["events, new arena"]] == sizes


def test_the_pipeline_of_mido_finds_what_midiopt_finds():
    path = next(SAMPLE.rglob("walking home the long way.mid"))
    row, facts = song(str(path)), midiopt.analyze(path)
    assert row[2:5] == (facts.format, facts.track_count, facts.ticks_per_quarter)
    assert row[5] == pytest.approx(facts.duration_s)
    assert row[11:15] == (facts.note_count, facts.drum_note_count, facts.pitch_min, facts.pitch_max)
    assert row[18:21] == (facts.programs, facts.channels, facts.control_changes)
    assert key_of([0.0] * 12) is None


def test_what_a_cluster_costs_and_what_is_busy_first():
    """Two cores keep the workers busy, more of them the driver."""
    few, all_files = cluster.Cost(1.0, 0.5, 0.5), cluster.Cost(1.1, 0.51, 1.5)
    over = all_files.per_file(few, 1000)
    assert over.total == pytest.approx(0.00111)
    page = cluster.tables([cluster.Cost(0.001)], [over], (1.0, 2.0), 10_000.0, 500.0, (0.004, 0.001), "3 rounds")
    rows = {row.split(" | ")[0].strip("| "): row for row in page.splitlines()}
    assert rows["files per processor second, beside a local run"].endswith("0.90 (0.90 to 0.90) |")
    assert rows["2"] == "| 2 | 2,000 | 20 MB/s | 1 MB/s | workers | 139 h |"
    assert rows["256"] == "| 256 | 10,000 | 100 MB/s | 5 MB/s | driver | 28 h |"


def test_each_way_of_reading_a_library_prints_its_memory_three_times(tmp_path, capsys):
    pytest.importorskip("pyarrow")
    memory.of_library(tmp_path, 40)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) >= 8
    assert all(line.count(" MB") == (2 if line.startswith("Library.table") else 3) for line in lines), lines
    assert len({memory.spelling(tmp_path, number) for number in range(1000)}) == 1000
    assert midiopt.notes(memory.spelling(tmp_path, 999)).pitch.size == memory.NOTES


@needs_avx2
def test_the_disassembly_distinguishes_vectors_from_scalars():
    vectorised = [loop for loop in vectorised_loops.loops(SRC) if loop.packed]
    for function in ("sum_windows", "smooth_lags", "fourier_at_multiples"):
        loops = [loop for loop in vectorised if str(loop.line) == f"core/rhythm/autocorrelation.pyx: {function}"]
        assert max(loop.bits for loop in loops) >= 256
    counting = {line.code: line for line in vectorised_loops.histograms(SRC)}
    assert str(counting["notes.counts.velocities[data2_of(message)] += 1"]) == "core/notes/pairing.pyx: pair_ticks"
    assert not set(counting.values()) & {loop.line for loop in vectorised}


def test_functions_on_the_results_page_exist():
    """`python -m benchmarks.vectorised_loops --store` finds them again."""
    found = json.loads(vectorised_loops.RESULTS.read_text())
    for place in {line["place"] for line in found["loops"] + found["histograms"]}:
        file, _, function = place.partition(": ")
        assert f"{function}(" in (SRC / "midiopt" / file).read_text(), place
