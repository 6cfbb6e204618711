"""The names of General MIDI, against the numbers that the specification gives, which count programs from 1."""

from __future__ import annotations

from midiopt.general_midi import DRUM_SOUNDS, FAMILIES, PROGRAMS, program_family


def test_programs():
    assert len(PROGRAMS) == len(set(PROGRAMS)) == 128 and len(FAMILIES) == 16
    specified = {
        1: "Acoustic Grand Piano",
        25: "Acoustic Guitar (nylon)",
        37: "Slap Bass 1",
        41: "Violin",
        57: "Trumpet",
        65: "Soprano Sax",
    }
    specified |= {74: "Flute", 81: "Lead 1 (square)", 105: "Sitar", 113: "Tinkle Bell", 128: "Gunshot"}
    assert {number: PROGRAMS[number - 1] for number in specified} == specified
    assert [program_family(number - 1) for number in (1, 8, 9, 33, 40, 128)] == [
        *("Piano", "Piano", "Chromatic Percussion", "Bass", "Bass", "Sound Effects")
    ]


def test_drum_sounds():
    assert list(DRUM_SOUNDS) == list(range(35, 82)) and len(set(DRUM_SOUNDS.values())) == 47
    specified = {36: "Bass Drum 1", 38: "Acoustic Snare", 42: "Closed Hi-Hat", 49: "Crash Cymbal 1", 56: "Cowbell", 60: "Hi Bongo"}
    specified |= {69: "Cabasa", 75: "Claves", 81: "Open Triangle"}
    assert {pitch: DRUM_SOUNDS[pitch] for pitch in specified} == specified
