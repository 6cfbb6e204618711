"""The ids of MidiTok's REMI from arrays of notes; docs/how-to/machine-learning.md shows these lines."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from sample.conversions import symusic_score

UNSUPPORTED = (
    "chords",
    "rests",
    "tempos",
    "key_signatures",
    "sustain_pedals",
    "pitch_bends",
    "control_changes",
    "programs",
    "pitch_intervals",
)


class RemiIds:
    """The ids that ``[sequence.ids for sequence in tokenizer(score)]`` has for a miditok.REMI: MidiTok prepares the notes, numpy makes ids.

    Such a tokenizer has bars, positions, time signatures, pitches, velocities and durations, one sequence per track, and is not trained.
    A file without notes has no ids; MidiTok makes a sequence of its time signatures.
    """

    def __init__(self, tokenizer: Any) -> None:
        config, vocab = tokenizer.config, tokenizer.vocab
        plain = not any(getattr(config, f"use_{name}") for name in UNSUPPORTED) and not any(config.additional_params.values())
        if not plain or tokenizer.is_trained or not set(range(-1, 128)).issubset(config.use_note_duration_programs):
            raise ValueError("use the tokenizer itself")

        def ids(kind: str, values: Any) -> npt.NDArray[np.int32]:
            return np.array([vocab.get(f"{kind}_{value}", -1) for value in values], np.int32)

        self.tokenizer, self.vocab, self.signs = tokenizer, vocab, bool(config.use_time_signatures)
        self.pitches = [ids("Pitch", range(128)), ids("PitchDrum" if config.use_pitchdrum_tokens else "Pitch", range(128))]
        self.velocities = ids("Velocity", range(128)) if config.use_velocities else None
        self.positions = ids("Position", range(len(vocab)))
        self.durations = {
            beat: ids("Duration", [values.get(ticks) for ticks in range(max(values) + 1)])
            for beat, values in tokenizer._tpb_ticks_to_tokens.items()
        }

    def __call__(self, path: str) -> list[npt.NDArray[np.int32]]:
        """The ids of each track."""
        score = self.tokenizer.preprocess_score(symusic_score(path))
        signs = [(sign.time, sign.numerator, sign.denominator) for sign in score.time_signatures] if self.signs else [(0, 4, 4)]
        last = max([signs[-1][0], *(track.notes[-1].start for track in score.tracks if track.notes)])
        starts, about = [], []  # of each bar: its tick, and its signature, ticks per position and ticks per beat
        for (start, beats, unit), end in zip(signs, [*(sign[0] for sign in signs[1:]), last + 1], strict=True):
            beat = score.ticks_per_quarter * 4 // unit
            bars = np.arange(start, end, beats * beat)
            starts.append(bars)
            row = (self.vocab[f"TimeSig_{beats}/{unit}"] if self.signs else 0, beat // self.tokenizer.config.max_num_pos_per_beat, beat)
            about.append(np.tile(row, (len(bars), 1)))
        bar_starts, bar_about = np.concatenate(starts), np.concatenate(about)
        return [self.track(track, bar_starts, bar_about, signs[-1][0]) for track in score.tracks]

    def track(self, track: Any, starts: Any, about: Any, last: int) -> npt.NDArray[np.int32]:
        """The ids of a track: each bar, its signature, and before the notes of each tick the position."""
        notes = track.notes.numpy()
        ticks, pitch = notes["time"], self.pitches[track.is_drum][notes["pitch"]]
        bar = np.searchsorted(starts, ticks, "right") - 1
        _, ticks_per_position, beat = about[bar].T
        durations = np.empty(len(ticks), np.int32)
        for value in set(beat.tolist()):
            durations[beat == value] = self.durations[value][notes["duration"][beat == value]]
        columns = [pitch, durations] if self.velocities is None else [pitch, self.velocities[notes["velocity"]], durations]
        is_first = np.diff(ticks, prepend=-1) != 0
        positions, before, per_bar = np.cumsum(is_first), np.arange(len(ticks)) * len(columns), 1 + self.signs
        at = (bar + 1) * per_bar + positions + before  # of the first id of each note
        bars = int(np.searchsorted(starts, max([last, *ticks[-1:].tolist()]), "right"))
        note = np.searchsorted(ticks, starts[:bars])  # the first one of each bar
        bar_at = np.arange(bars) * per_bar + np.concatenate([[0], positions])[note] + note * len(columns)
        made = np.empty(bars * per_bar + int(positions[-1:].sum()) + len(ticks) * len(columns), np.int32)
        made[bar_at] = self.vocab["Bar_None"]
        if self.signs:
            made[bar_at + 1] = about[:bars, 0]
        made[at[is_first] - 1] = self.positions[((ticks - starts[bar]) // ticks_per_position)[is_first]]
        for number, column in enumerate(columns):
            made[at + number] = column
        return made
