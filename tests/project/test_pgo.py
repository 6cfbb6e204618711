"""The files that `make pgo` trains on, and that training reaches every extension. Nothing is compiled here.

``census`` computed both columns of the table in pgo/training_files.py: it shares no code with midiopt, reads valid
files, and stops reading a damaged track at the first error.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

import midiopt
from benchmarks.timing_process import parsable_contents
from midiopt.core import build
from midiopt.rows.batch import Batch
from midiopt.schema import ISSUES, REPAIRS
from pgo import choose_modules, measure_gain, table, train, training_files

ROOT = Path(__file__).resolve().parents[2]
TYPES = {8: "note off", 9: "note on", 10: "pressure", 11: "control", 12: "program", 13: "pressure", 14: "bend"}
TEMPO = 0x51


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return dict(training_files.everything())


def varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    while True:
        value = value << 7 | data[at] & 127
        at += 1
        if data[at - 1] < 128:
            return value, at


def events(track: bytes) -> Iterator[tuple[int, bool, str, int]]:
    """Per event: bytes of the delta time, whether it uses running status, its type, and its first data byte or meta type."""
    at = status = 0
    while at < len(track):
        start = at
        _, at = varint(track, at)
        width, running = at - start, track[at] < 128
        if not running:
            status, at = track[at], at + 1
        if status in (0xF0, 0xF7, 0xFF):
            at += status == 0xFF
            kind = track[at - 1]
            length, at = varint(track, at)
            at += length
            yield width, False, "meta" if status == 0xFF else "sysex", kind
            status = 0
        elif 0x80 <= status < 0xF0:
            first, size = track[at], 1 if status >> 5 == 6 else 2
            silent = status >> 4 == 9 and track[at + 1] == 0
            yield width, running, "note on 0" if silent else TYPES[status >> 4], first
            at += size
        else:
            return


def tracks(data: bytes) -> Iterator[bytes]:
    at = 14
    while at + 8 <= len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "big")
        if data[at : at + 4] == b"MTrk":
            yield data[at + 8 : at + 8 + length]
        at += 8 + length


def census(contents: Iterable[bytes]) -> dict[str, str]:
    """The rows of the table, formatted like it."""
    types: Counter[str] = Counter()
    widths: Counter[int] = Counter()
    formats: Counter[int] = Counter()
    sizes, track_counts, several_tempos, running, channel = [], [], 0, 0, 0
    repaired, damaged_events = 0, 0
    for data in contents:
        if data[:4] != b"MThd" or len(data) < 22:
            continue
        size = tempos = count = 0
        for track in tracks(data):
            count += 1
            try:
                for width, omitted, kind, first in events(track):
                    size += 1
                    types[kind] += 1
                    widths[width] += 1
                    running += omitted
                    channel += kind not in ("meta", "sysex")
                    tempos += kind == "meta" and first == TEMPO
            except IndexError:
                pass
        sizes.append(size)
        track_counts.append(count)
        formats[data[9]] += 1
        several_tempos += tempos > 1
        try:
            is_repaired = midiopt.analyze(data).status == "repaired"
        except midiopt.MidiError:
            is_repaired = False
        repaired += is_repaired
        damaged_events += size * is_repaired
    total, n = sum(sizes), len(sizes)

    def percentiles(values: list[int]) -> str:
        values = sorted(values)
        return ", ".join(str(values[n * q // 100]) for q in (5, 25, 50, 75, 95))

    def share(*counts: int, of: int = total, digits: int = 1) -> str:
        return ", ".join(f"{100 * count / of:.{digits}f}" for count in counts) + " %"

    return {
        "events per file (5, 25, 50, 75, 95 %)": percentiles(sizes),
        "tracks per file (5, 25, 50, 75, 95 %)": percentiles(track_counts),
        "note on": share(types["note on"]),
        "note on, velocity 0": share(types["note on 0"]),
        "note off": share(types["note off"]),
        "control change": share(types["control"]),
        "pitch bend": share(types["bend"]),
        "key and channel pressure": share(types["pressure"]),
        "program change": share(types["program"], digits=2),
        "meta": share(types["meta"]),
        "system exclusive": share(types["sysex"], digits=2),
        "delta time of 1, 2, 3 bytes": share(widths[1], widths[2], widths[3], digits=2),
        "running status": share(running, of=channel),
        "files of format 0, 1, 2": share(formats[0], formats[1], formats[2], of=n),
        "files with several tempo events": share(several_tempos, of=n),
        "files repaired": share(repaired, of=n),
        "events in files repaired": share(damaged_events, digits=2),
    }


def test_the_table_of_the_training_files_is_current(files):
    rows = re.findall(r"^(\w.*?)  +(\S.*?)  +(\S.*)$", training_files.__doc__, re.M)
    assert {name: generated for name, _, generated in rows} == census(files.values())


def test_the_same_bytes_every_time(files, tmp_path):
    subprocess.run([sys.executable, "-m", "pgo.training_files", tmp_path], cwd=ROOT, check=True)
    assert {path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == files


def test_it_is_small(files):
    assert 300 <= len(files) <= 400
    assert sum(map(len, files.values())) < 5_000_000


@pytest.mark.parametrize("name", ISSUES)
def test_every_issue_has_its_file(name):
    assert name in midiopt.analyze(training_files.ISSUES[name]).issue_names


def test_no_file_is_named_after_another_issue():
    assert set(training_files.ISSUES) == set(ISSUES)


def test_valid_files_are_valid(files):
    for path, data in files.items():
        if path.split("/")[0] in (*training_files.FAMILIES, "unusual"):
            assert not set(midiopt.analyze(data).issue_names) & set(REPAIRS), path


def test_every_reason_to_reject_a_file_has_one():
    reasons = set()
    for data in training_files.UNUSABLE.values():
        with pytest.raises(midiopt.MidiError) as caught:
            midiopt.analyze(data)
        reasons.add(caught.value.reason)
    assert len(reasons) == len(training_files.UNUSABLE)


def test_rare_features_are_present(files):
    facts = {path: midiopt.analyze(data) for path, data in files.items() if not path.startswith("unusable")}
    assert {f.format for f in facts.values()} == {0, 1, 2}
    assert facts["unusual/karaoke.kar"].lyric_count > 50
    assert facts["unusual/bank.mid"].sysex_count > 100
    assert facts["unusual/cue.mid"].ticks_per_quarter is None
    assert max(f.track_count for f in facts.values()) >= 16
    assert {"folk/000.mid", "folk/copy of 000.mid"} <= {path for path, data in files.items() if data == files["folk/000.mid"]}
    with_pedal = [f for f in facts.values() if f.sustain_pedals]
    drums_alone = [f for f in facts.values() if f.note_count and f.drum_note_count == f.note_count]
    rubato = [f for f in facts.values() if f.tempo_changes > 10]
    assert len(with_pedal) > 100
    assert len(drums_alone) > 30
    assert len(rubato) > 10


def test_some_files_have_running_status_and_some_have_none(files):
    bands = [data for path, data in files.items() if path.startswith("band")]
    used = [any(running for track in tracks(data) for _, running, *_ in events(track)) for data in bands]
    assert 0.2 < sum(used) / len(used) < 0.8


def test_training_loads_every_extension(tmp_path):
    """The training itself, on few files, in its own process; this build writes no profile."""
    training_files.write(tmp_path, training_files.rare())
    code = (
        "import sys; from pathlib import Path; from midiopt.core import build; build.mode = 'pgo-generate'\n"
        "from pgo import train; train.train([Path(sys.argv[1])])\n"
        "print([name for name in map('.'.join, train.EXTENSIONS) if name not in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], cwd=ROOT, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_a_profile_is_required_of_every_extension():
    sources = {path.relative_to(ROOT / "src").as_posix() for path in ROOT.glob("src/**/*.pyx")}
    assert {"/".join(name) + ".pyx" for name in train.EXTENSIONS} == sources


def test_the_table_of_profiled_modules_names_modules():
    """setup.py looks them up by name: a module that was renamed would lose its profile without a word."""
    rows = table.read()
    assert rows and not {module for _, module in rows} - {".".join(name) for name in train.EXTENSIONS}
    for row in rows.values():
        assert float(row["low"]) <= float(row["ratio"]) <= float(row["high"])


def test_a_module_is_profiled_where_it_wins_on_this_processor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["\t".join(table.COLUMNS)]
    for processor, module, low in [("AuthenticAMD", "a", 1.01), ("AuthenticAMD", "b", 1.0), ("GenuineIntel", "b", 1.02)]:
        lines.append("\t".join((processor, module, "parse", "7.00", "6.50", "1.077", str(low), "1.100")))
    monkeypatch.setattr(table, "TABLE", tmp_path / "modules.tsv")
    table.TABLE.write_text("\n".join(lines) + "\n")
    assert [table.profiled_modules(maker) for maker in ("AuthenticAMD", "GenuineIntel", "")] == [["a"], ["b"], []]
    before = table.TABLE.read_text()
    table.store(table.read())
    assert table.TABLE.read_text() == before


def test_a_mixture_has_one_module_of_the_other_build(tmp_path: Path) -> None:
    for name in ("release", "profiled"):
        for module in ("a.so", "core/b.so"):
            (tmp_path / name / module).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / module).write_text(f"{name} {module}")
    mixed = choose_modules.mixture(tmp_path / "release", tmp_path / "profiled", Path("core/b.so"), tmp_path / "mixed")
    assert {path.name: path.read_text() for path in mixed.rglob("*.so")} == {"a.so": "release a.so", "b.so": "profiled core/b.so"}
    assert (tmp_path / "release/core/b.so").read_text() == "release core/b.so"


def test_only_a_build_that_writes_a_profile_is_trained(tmp_path, monkeypatch):
    monkeypatch.setattr(build, "mode", "release")
    with pytest.raises(SystemExit, match="only pgo-generate writes a profile"):
        train.train([tmp_path])


def test_a_crash_of_the_training_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, -signal.SIGSEGV)

    monkeypatch.setattr(train, "PROFILE", tmp_path)
    monkeypatch.setattr(sys, "argv", ["train"])
    monkeypatch.setattr(subprocess, "run", crash)
    with pytest.raises(SystemExit, match="killed by SIGSEGV"):
        train.main()


def test_the_workloads_of_the_measured_gain_process_every_file():
    workloads = measure_gain.workloads(measure_gain.SAMPLE)
    assert set(workloads) == set(measure_gain.WORKLOADS)
    results = {name: work() for name, work in workloads.items()}
    files = measure_gain.files_of(measure_gain.SAMPLE)
    assert len(results["parse"]) == len(parsable_contents(files)) == len(files) - 1  # a web page is among them
    assert len(Batch.from_bytes(results["work"]).files) == len(files)


def test_git_ignores_the_profile():
    assert f"/{train.PROFILE.relative_to(ROOT).as_posix()}/" in (ROOT / ".gitignore").read_text().splitlines()
