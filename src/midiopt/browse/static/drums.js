// The drum kit: each sound is made of tones that fall in pitch and of noise through a filter.
//
// A tone is [frequency, frequency that it falls to, seconds to a tenth of it, level, wave]; a noise is [kind of filter, its frequency,
// its Q, seconds, level, delays]. `choke` names a group of which one sounds at a time.

const noise = (filter, frequency, q, seconds, level, delays = [0]) => ({ filter, frequency, q, seconds, level, delays });
const tone = (from, to, seconds, level, wave = "sine") => ({ from, to, seconds, level, wave });

const kick = (from, seconds) => ({ tones: [tone(from, 46, seconds, 1)], noises: [noise("lowpass", 1800, 0.7, 0.012, 0.35)] });
const snare = (body, seconds) => ({ tones: [tone(body * 1.5, body, 0.1, 0.5, "triangle")], noises: [noise("highpass", 1400, 0.6, seconds, 0.6)] });
const tom = (frequency) => ({ tones: [tone(frequency * 1.6, frequency, 0.3, 0.85)], noises: [noise("lowpass", 2200, 0.7, 0.02, 0.2)] });
const hat = (seconds, level = 0.5) => ({ noises: [noise("highpass", 7600, 0.9, seconds, level), noise("bandpass", 10400, 3, seconds, level)], choke: "hat" });
const cymbal = (seconds, frequency = 5200, level = 0.4) => ({
  tones: [tone(frequency * 0.79, frequency * 0.79, seconds * 0.3, 0.04, "square"), tone(frequency * 1.13, frequency * 1.13, seconds * 0.3, 0.03, "square")],
  noises: [noise("highpass", frequency, 0.5, seconds, level)],
});
const skin = (frequency, seconds) => ({ tones: [tone(frequency * 1.3, frequency, seconds, 0.7)], noises: [noise("bandpass", frequency * 5, 1, 0.015, 0.3)] });
const bell = (frequency, seconds, level = 0.22) => ({
  tones: [tone(frequency, frequency, seconds, level, "square"), tone(frequency * 1.48, frequency * 1.48, seconds * 0.8, level * 0.8, "square")],
});
const wood = (frequency, seconds = 0.05) => ({ tones: [tone(frequency, frequency, seconds, 0.9, "triangle")] });
const shaken = (seconds, frequency = 6500, level = 0.7) => ({ noises: [noise("bandpass", frequency, 1.4, seconds, level)] });

const SOUNDS = {
  35: kick(110, 0.26),
  36: kick(150, 0.2),
  37: { ...wood(1700, 0.025), noises: [noise("bandpass", 3800, 1.5, 0.02, 0.5)] },
  38: snare(185, 0.17),
  39: { noises: [noise("bandpass", 1500, 1.2, 0.03, 1.2, [0, 0.011, 0.022]), noise("bandpass", 1400, 0.9, 0.13, 0.8, [0.03])] },
  40: snare(225, 0.13),
  41: tom(82),
  42: hat(0.045),
  43: tom(98),
  44: hat(0.03, 0.36),
  45: tom(118),
  46: hat(0.34),
  47: tom(140),
  48: tom(165),
  49: cymbal(1.3),
  50: tom(196),
  51: cymbal(0.5, 6400, 0.22),
  52: cymbal(0.9, 4200),
  53: bell(2650, 0.4, 0.1),
  54: shaken(0.11, 8800),
  55: cymbal(0.6, 6200),
  56: bell(562, 0.16),
  57: cymbal(1.1, 4700),
  58: { noises: [noise("bandpass", 2600, 4, 0.4, 0.4)] },
  59: cymbal(0.6, 5900, 0.24),
  60: skin(420, 0.08),
  61: skin(300, 0.11),
  62: skin(345, 0.05),
  63: skin(335, 0.13),
  64: skin(245, 0.15),
  65: skin(470, 0.16),
  66: skin(350, 0.18),
  67: bell(910, 0.14, 0.14),
  68: bell(680, 0.14, 0.14),
  69: shaken(0.07, 7200),
  70: shaken(0.045, 8600),
  71: { tones: [tone(2300, 2300, 0.12, 0.2)] },
  72: { tones: [tone(2250, 2250, 0.35, 0.2)] },
  73: shaken(0.06, 3200),
  74: shaken(0.2, 3000),
  75: wood(2450, 0.035),
  76: wood(1100),
  77: wood(800),
  78: skin(610, 0.06),
  79: skin(480, 0.16),
  80: { tones: [tone(5200, 5200, 0.08, 0.25)] },
  81: { tones: [tone(5200, 5200, 0.9, 0.2)] },
};

/** The sound of a drum note; a pitch that General MIDI does not name is a skin of its pitch. */
export const drumOf = (pitch) => SOUNDS[pitch] ?? skin(440 * 2 ** ((pitch - 69) / 12), 0.1);
