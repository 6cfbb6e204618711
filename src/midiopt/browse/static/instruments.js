// What each General MIDI program sounds like here: a patch per family of eight, and others for programs that differ from theirs.
//
// A patch has `wave` (the name of an oscillator's wave, or the levels of its harmonics), or `partials`: pairs of frequency and level that
// ring by themselves. `detune` adds a second oscillator so many cents away. The envelope rises in `attack` seconds, falls towards
// `sustain` with the time constant `decay`, and after the note to nothing with `release`. The low-pass filter stands at `cutoff` times
// the note's frequency, begins `sweep` times as high and falls with the envelope; `bright` is how much a loud note opens it.

const PLUCK = { wave: [1, 0.62, 0.45, 0.28, 0.2, 0.12, 0.08, 0.05], attack: 0.003, decay: 0.7, sustain: 0, release: 0.12, cutoff: 5, sweep: 2, bright: 1, gain: 0.5 };
const BOWED = { wave: "sawtooth", detune: 7, attack: 0.07, decay: 1, sustain: 0.85, release: 0.18, cutoff: 5, bright: 0.6, vibrato: 5, gain: 0.2 };
const BLOWN = { wave: [1, 0.55, 0.5, 0.35, 0.25, 0.18, 0.1], attack: 0.04, decay: 0.5, sustain: 0.85, release: 0.09, cutoff: 5, bright: 0.8, vibrato: 4, gain: 0.3 };
const BELL = { partials: [[1, 1], [2.76, 0.5], [5.4, 0.25], [8.9, 0.1]], attack: 0.002, decay: 0.9, sustain: 0, release: 0.5, gain: 0.34 };
const VOICES = { wave: [1, 0.7, 0.25, 0.3, 0.1, 0.05], detune: 9, attack: 0.16, decay: 1, sustain: 0.9, release: 0.4, cutoff: 4, vibrato: 6, gain: 0.3 };

const FAMILIES = [
  { wave: [1, 0.5, 0.28, 0.2, 0.1, 0.08, 0.05], attack: 0.003, decay: 0.9, sustain: 0.02, release: 0.16, cutoff: 6, sweep: 1.6, bright: 1.2, gain: 0.46 },
  BELL,
  { wave: [1, 0.75, 0.5, 0.45, 0.02, 0.3, 0.02, 0.22], attack: 0.012, decay: 1, sustain: 1, release: 0.06, gain: 0.26 },
  PLUCK,
  { wave: [1, 0.6, 0.32, 0.16, 0.1, 0.05], attack: 0.005, decay: 0.8, sustain: 0.25, release: 0.09, cutoff: 5, sweep: 2, bright: 1, gain: 0.62 },
  BOWED,
  { ...BOWED, detune: 14, attack: 0.11, release: 0.35, gain: 0.19 },
  { wave: "sawtooth", attack: 0.035, decay: 0.25, sustain: 0.75, release: 0.1, cutoff: 3.5, sweep: 2, bright: 1.6, gain: 0.32 },
  BLOWN,
  { wave: [1, 0.16, 0.06, 0.02], attack: 0.05, decay: 0.6, sustain: 0.9, release: 0.1, vibrato: 6, gain: 0.3 },
  { wave: "sawtooth", detune: 5, attack: 0.008, decay: 0.6, sustain: 0.75, release: 0.12, cutoff: 7, bright: 0.6, gain: 0.17 },
  { wave: "sawtooth", detune: 16, attack: 0.35, decay: 2, sustain: 0.9, release: 0.8, cutoff: 3, gain: 0.17 },
  { partials: [[1, 1], [1.5, 0.3], [2.02, 0.5], [3.01, 0.2]], attack: 0.08, decay: 2, sustain: 0.4, release: 0.9, gain: 0.25 },
  { ...PLUCK, wave: [1, 0.8, 0.65, 0.5, 0.4, 0.3, 0.2, 0.15], decay: 0.45, gain: 0.36 },
  { partials: [[1, 1], [1.52, 0.4], [2.4, 0.25]], attack: 0.002, decay: 0.22, sustain: 0, release: 0.2, gain: 0.5 },
  { noise: true, attack: 0.02, decay: 0.8, sustain: 0.3, release: 0.3, cutoff: 4, gain: 0.4 },
];

const OTHERS = {
  4: { ...FAMILIES[0], partials: [[1, 1], [2, 0.12], [14, 0.05]], decay: 1.1, gain: 0.42 },
  5: { ...FAMILIES[0], partials: [[1, 1], [3, 0.16], [7, 0.07]], decay: 1.1, gain: 0.4 },
  6: { ...PLUCK, wave: "sawtooth", decay: 0.5, cutoff: 9, gain: 0.36 },
  7: { ...PLUCK, wave: "square", decay: 0.35, cutoff: 7, gain: 0.28 },
  11: { ...BELL, partials: [[1, 1], [4, 0.18]], decay: 1.6 },
  12: { ...BELL, partials: [[1, 1], [3.93, 0.28], [9.2, 0.08]], decay: 0.22, release: 0.2, gain: 0.5 },
  13: { ...BELL, partials: [[1, 1], [3, 0.3], [6.2, 0.12]], decay: 0.12, release: 0.1, gain: 0.5 },
  21: { ...FAMILIES[2], wave: "sawtooth", detune: 8, cutoff: 5, gain: 0.16 },
  22: { ...FAMILIES[2], wave: "sawtooth", cutoff: 5, vibrato: 4, gain: 0.18 },
  28: { ...PLUCK, decay: 0.13 },
  29: { ...PLUCK, wave: "sawtooth", sustain: 0.7, decay: 1.5, cutoff: 6, gain: 0.19 },
  30: { ...PLUCK, wave: "square", detune: 4, sustain: 0.8, decay: 1.5, cutoff: 8, gain: 0.13 },
  36: { ...FAMILIES[4], wave: [1, 0.9, 0.7, 0.5, 0.4, 0.3, 0.2, 0.15], sweep: 5, decay: 0.4, sustain: 0.12, click: true, gain: 0.46 },
  37: { ...FAMILIES[4], wave: [1, 0.85, 0.75, 0.6, 0.45, 0.3, 0.25, 0.15], sweep: 6, decay: 0.32, sustain: 0.1, click: true, gain: 0.44 },
  38: { ...FAMILIES[4], wave: "sawtooth", sweep: 4, decay: 0.3, sustain: 0.5, cutoff: 3, resonance: 6, gain: 0.34 },
  39: { ...FAMILIES[4], wave: "square", sweep: 2, decay: 0.3, sustain: 0.6, cutoff: 3, gain: 0.3 },
  45: { ...PLUCK, decay: 0.16, gain: 0.45 },
  46: { ...PLUCK, wave: [1, 0.4, 0.2, 0.1], decay: 1.1 },
  47: { partials: [[1, 1], [1.5, 0.55], [1.99, 0.4], [2.44, 0.2]], attack: 0.003, decay: 0.6, sustain: 0, release: 0.4, gain: 0.7 },
  52: VOICES,
  53: VOICES,
  54: { ...VOICES, attack: 0.08 },
  55: { ...FAMILIES[7], detune: 12, decay: 0.2, sustain: 0.1, release: 0.3 },
  68: { ...BLOWN, wave: [0.6, 1, 0.9, 0.6, 0.4, 0.25, 0.15], gain: 0.24 },
  70: { ...BLOWN, wave: [0.8, 1, 0.6, 0.3, 0.2, 0.1], gain: 0.28 },
  71: { ...BLOWN, wave: [1, 0.04, 0.6, 0.05, 0.35, 0.03, 0.18], gain: 0.32 },
  80: { ...FAMILIES[10], wave: "square", detune: 0, gain: 0.17 },
  105: { ...FAMILIES[13], decay: 0.28 },
  108: { ...BELL, partials: [[1, 1], [5.9, 0.16]], decay: 0.35, gain: 0.5 },
  109: { ...BLOWN, wave: "sawtooth", attack: 0.02, sustain: 1, cutoff: 6, vibrato: 0, gain: 0.16 },
  110: BOWED,
  111: { ...BLOWN, wave: "sawtooth", cutoff: 5, gain: 0.2 },
  112: { ...BELL, decay: 1.2 },
  114: { ...BELL, partials: [[1, 1], [2, 0.55], [3.01, 0.2]], decay: 0.5, gain: 0.45 },
  119: { noise: true, attack: 1.2, decay: 0.2, sustain: 0.1, release: 0.1, cutoff: 12, gain: 0.2 },
};

/** The patch of a program, from 0 to 127. */
export const patchOf = (program) => OTHERS[program] ?? FAMILIES[program >> 3];
