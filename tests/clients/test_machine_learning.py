"""The notes of midiopt in symusic, MidiTok, pretty_midi, partitura and PyTorch, as docs/how-to/machine-learning.md shows (make clients)."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

import midiopt
from sample import conversions
from sample.smf import note_off, note_on, program_change, smf, time_signature, track
from tests.helpers.songs import write_songs

SAMPLE = Path(__file__).parents[2] / "sample" / "midi"
SONGS = [str(path) for folder in ("band", "chamber", "electronic", "piano") for path in sorted((SAMPLE / folder).glob("*.mid"))]


def test_a_score_of_symusic_is_that_of_its_loader():
    symusic = pytest.importorskip("symusic")
    for path in SONGS:
        assert conversions.symusic_score(path) == symusic.Score(path)


def test_a_score_of_a_damaged_file_has_what_can_be_read(tmp_path):
    symusic = pytest.importorskip("symusic")
    path = tmp_path / "cut.mid"
    path.write_bytes(Path(SONGS[1]).read_bytes()[:-40])
    with pytest.raises(RuntimeError):
        symusic.Score(path)
    cut, whole = ([len(track.notes) for track in conversions.symusic_score(name).tracks] for name in (str(path), SONGS[1]))
    assert cut[:-1] == whole[:-1] and 0 < cut[-1] < whole[-1]


def test_parts_that_alternate_are_gathered():
    """A file of format 0: eight parts, whose notes follow each other in turns."""
    events = [event for i in range(640) for event in ((i, note_on(i % 8, 60 + i % 5, 64)), (i + 1, note_off(i % 8, 60 + i % 5)))]
    notes = midiopt.notes(smf([track([*((0, program_change(channel, channel)) for channel in range(8)), *sorted(events)])]))
    found = list(conversions.parts(notes))
    assert [number for number, _, _ in found] == list(range(8))
    assert all((notes.channel[rows] == number).all() and len(notes.channel[rows]) == 80 for number, _, rows in found)
    assert list(conversions.parts(midiopt.notes(smf([track([])])))) == []


def test_tokens_are_those_of_the_loader():
    miditok, symusic = pytest.importorskip("miditok"), pytest.importorskip("symusic")
    tokens = miditok.REMI()
    ours, theirs = (tokens(score(SONGS[1])) for score in (conversions.symusic_score, symusic.Score))
    assert len(ours) > 2 and [sequence.ids for sequence in ours] == [sequence.ids for sequence in theirs]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"num_velocities": 16, "beat_res": {(0, 8): 12}, "pitch_range": (30, 100)},
        {"use_velocities": False, "use_pitchdrum_tokens": False},
        {"use_time_signatures": False},
    ],
    ids=str,
)
def test_ids_of_remi_are_those_of_miditok(options, tmp_path):
    miditok = pytest.importorskip("miditok")
    from sample.remi_ids import RemiIds

    songs = [
        *SONGS,
        *(str(path) for path in sorted((SAMPLE / "odd").glob("*.mid")) if path.name not in ("film cue 25 fps.mid", "not found.mid")),
    ]
    (tmp_path / "turns.mid").write_bytes(
        smf([track(sorted([(0, time_signature(3, 4)), (1440, time_signature(6, 8)), *notes_of_scale(960), (4320, time_signature(2, 4))]))])
    )
    tokenizer = miditok.REMI(miditok.TokenizerConfig(**options))
    ids = RemiIds(tokenizer)
    for path in [*songs, str(tmp_path / "turns.mid")]:
        expected = [sequence.ids for sequence in tokenizer(conversions.symusic_score(path))]
        assert [found.tolist() for found in ids(path)] == expected, path


def notes_of_scale(first: int) -> list[tuple[int, bytes]]:
    """Twelve eighths, two of them at once."""
    return [
        event
        for i in range(12)
        for event in ((first + i // 2 * 240, note_on(0, 60 + i, 70 + i)), (first + 960 + i * 240, note_off(0, 60 + i)))
    ]


@pytest.mark.parametrize("option", ["use_rests", "use_programs", "use_tempos"])
def test_other_tokens_of_remi_are_left_to_miditok(option):
    miditok = pytest.importorskip("miditok")
    from sample.remi_ids import RemiIds

    with pytest.raises(ValueError, match="use the tokenizer itself"):
        RemiIds(miditok.REMI(miditok.TokenizerConfig(**{option: True})))


@pytest.mark.filterwarnings("ignore")
def test_a_song_of_pretty_midi_is_that_of_its_loader():
    pretty_midi = pytest.importorskip("pretty_midi")

    def notes_of(song):
        found = ((i.program, i.is_drum, n.pitch, n.velocity, n.start, n.end) for i in song.instruments for n in i.notes)
        return np.array(sorted(found, key=lambda note: (note[:3], round(note[4], 3))), float)

    for path in SONGS[:3]:
        ours, theirs = notes_of(conversions.pretty_midi_song(path)), notes_of(pretty_midi.PrettyMIDI(path))
        assert ours.shape == theirs.shape and np.allclose(ours, theirs, atol=1e-6)


@pytest.mark.filterwarnings("ignore")
def test_a_part_of_partitura_is_that_of_its_loader():
    partitura = pytest.importorskip("partitura")
    ours, theirs = conversions.partitura_part(SONGS[1]).note_array(), partitura.load_performance_midi(SONGS[1]).note_array()
    for notes in (ours, theirs):
        notes.sort(order=["onset_sec", "pitch", "velocity"])
    for name in ("onset_sec", "duration_sec", "pitch", "velocity"):
        assert np.allclose(ours[name], theirs[name], atol=1e-4), name


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Path:
    """Forty songs of 60 notes, and a file without any."""
    folder = write_songs(tmp_path_factory.mktemp("songs"), 40)
    (folder / "empty.mid").write_bytes(b"MThd\0\0\0\6\0\0\0\1\0\x60MTrk\0\0\0\4\0\xff\x2f\0")
    midiopt.run([folder], folder / "x.db", workers=1)
    return folder


def names(items) -> list[str]:
    return [Path(item["path"]).stem for item in items]


def test_a_data_set_gives_the_notes_of_what_is_searched(library):
    torch = pytest.importorskip("torch")
    from midiopt.torch import NotesDataset

    files = NotesDataset(library / "x.db")
    assert names(files) == [f"{number:05}" for number in range(40)] and files.files == 40 and repr(files) == "<NotesDataset: 40 files>"
    item = next(iter(files))
    notes = midiopt.notes(item["path"])
    assert list(item) == ["path", "ticks_per_quarter", "onset", "length", "pitch", "velocity"]
    assert item["ticks_per_quarter"] == notes.ticks_per_quarter
    assert [(item[name].dtype, item[name].tolist()) for name in ("onset", "pitch")] == [
        (torch.int32, notes.onset.tolist()),
        (torch.uint8, notes.pitch.tolist()),
    ]
    few = NotesDataset(library / "x.db", "bpm:100..130", columns=["onset_s", "is_drum", "track"])
    with midiopt.Library(library / "x.db") as opened:
        assert sorted(item["path"] for item in few) == sorted(found.path for found in opened.search("bpm:100..130"))
    assert {name: value.dtype for name, value in next(iter(few)).items() if name in ("onset_s", "is_drum", "track")} == {
        "onset_s": torch.float64,
        "is_drum": torch.bool,
        "track": torch.int32,
    }
    with pytest.raises(ValueError, match="there is no column 'tone' of notes; there are onset, "):
        NotesDataset(library / "x.db", columns=["tone"])
    for size in (0, "16", 2.5):
        with pytest.raises(ValueError, match=f"batch_size is a number of files from 1 on, not {size!r}"):
            NotesDataset(library / "x.db", batch_size=size)
    assert set(next(iter(NotesDataset(library / "x.db", columns="pitch")))) == {"path", "ticks_per_quarter", "pitch"}
    with pytest.raises(midiopt.QueryError):
        NotesDataset(library / "x.db", "kye:Am")


def test_batches_are_padded(library):
    torch = pytest.importorskip("torch")
    from midiopt.torch import NotesDataset

    alone = {item["path"]: item for item in NotesDataset(library / "x.db", seed=1)}
    batches = list(NotesDataset(library / "x.db", seed=1, batch_size=16))
    assert [len(batch["path"]) for batch in batches] == [16, 16, 8]
    assert [path for batch in batches for path in batch["path"]] == list(alone)
    for batch in batches:
        assert batch["pitch"].shape == (len(batch["path"]), max(batch["notes"]))
        for row, path in enumerate(batch["path"]):
            item = alone[path]
            assert batch["ticks_per_quarter"][row] == item["ticks_per_quarter"] and batch["notes"][row] == len(item["pitch"])
            for name in ("onset", "length", "pitch", "velocity"):
                assert batch[name].dtype == item[name].dtype
                assert batch[name][row, : len(item[name])].equal(item[name]) and not batch[name][row, len(item[name]) :].any()
    loader = torch.utils.data.DataLoader(NotesDataset(library / "x.db", seed=1, batch_size=16), batch_size=None, num_workers=2)
    parts = [batch["path"] for batch in loader]
    assert sorted(map(len, parts)) == [4, 4, 16, 16] and sorted(path for part in parts for path in part) == sorted(alone)
    for size in (0, -1):
        with pytest.raises(ValueError, match=f"batch_size is a number of files from 1 on, not {size}"):
            NotesDataset(library / "x.db", batch_size=size)


def test_the_seed_and_the_epoch_give_the_order(library):
    pytest.importorskip("torch")
    from midiopt.torch import NotesDataset

    files, again, other = (NotesDataset(library / "x.db", seed=seed) for seed in (1, 1, 2))
    first = names(files)
    assert first == names(files) == names(again) != names(other) and sorted(first) == [f"{number:05}" for number in range(40)]
    files.set_epoch(1)
    assert sorted(names(files)) == sorted(first) and names(files) != first
    again.set_epoch(1)
    assert names(files) == names(again)


def test_workers_and_ranks_share_the_files(library, monkeypatch):
    torch = pytest.importorskip("torch")
    from midiopt.torch import NotesDataset

    files = NotesDataset(library / "x.db", seed=1)
    loader = torch.utils.data.DataLoader(files, batch_size=None, num_workers=2, persistent_workers=True)
    first = names(loader)
    assert sorted(first) == [f"{number:05}" for number in range(40)]
    files.set_epoch(1)
    assert sorted(names(loader)) == sorted(first) and names(loader) != first, "workers that live on have the new order, too"
    del loader

    distributed, parts = torch.distributed, []
    monkeypatch.setattr(distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(distributed, "get_world_size", lambda: 3)
    for rank in range(3):
        monkeypatch.setattr(distributed, "get_rank", lambda rank=rank: rank)
        parts.append(names(files))
    assert sorted(name for part in parts for name in part) == sorted(first) and {len(part) for part in parts} == {13, 14}


def test_workers_send_small_items_as_bytes(library, monkeypatch):
    """And large ones, of which a limit of 0 makes these, as PyTorch does: by a file descriptor for each tensor."""
    torch = pytest.importorskip("torch")
    from midiopt import torch as midiopt_torch

    def sent(size: int | None) -> list[tuple[bool, dict[str, object]]]:
        """Whether each item, as a loader gets it from a worker, is in memory that processes share, and its values."""
        files = midiopt_torch.NotesDataset(library / "x.db", batch_size=size)
        loader = torch.utils.data.DataLoader(files, batch_size=None, num_workers=1)
        return [(item["pitch"].is_shared(), {name: np.asarray(value).tolist() for name, value in item.items()}) for item in loader]

    expected = {}
    for size in (None, 16):
        items = midiopt_torch.NotesDataset(library / "x.db", batch_size=size)
        expected[size] = [{name: np.asarray(value).tolist() for name, value in item.items()} for item in items]
        assert sent(size) == [(False, item) for item in expected[size]]
    loader = torch.utils.data.DataLoader(midiopt_torch.NotesDataset(library / "x.db"), batch_size=None, num_workers=1)
    first = next(iter(loader))
    first["pitch"][0] = 127  # the bytes that arrived are the tensor's own
    monkeypatch.setattr(midiopt_torch, "MAX_SENT_BYTES", 0)
    for size in (None, 16):
        assert sent(size) == [(True, item) for item in expected[size]]


def test_a_file_that_is_gone_is_left_out_and_logged(tmp_path, caplog):
    pytest.importorskip("torch")
    from midiopt.torch import NotesDataset

    write_songs(tmp_path, 3)
    midiopt.run([tmp_path], tmp_path / "x.db", workers=1)
    files = NotesDataset(tmp_path / "x.db")
    (tmp_path / "000" / "00001.mid").unlink()
    with caplog.at_level(logging.WARNING, "midiopt"):
        assert names(files) == ["00000", "00002"]
    assert [text for name, _, text in caplog.record_tuples if name == "midiopt"] == [
        f"{tmp_path}/000/00001.mid is left out: No such file or directory"
    ]
