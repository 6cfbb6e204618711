// The synthesizer: voices of a few oscillators, a filter and an envelope, and a drum kit of tones and noise (Web Audio).
//
// Voices are given with the time at which they begin, some time ahead, so that they are on time whatever else the page does.

import { drumOf } from "./drums.js";
import { patchOf } from "./instruments.js";

const MAX_VOICES = 64; // that sound at once; the oldest make room
const SILENCE = 0.0001;
const STOP_TIME = 0.03; // seconds in which a part is faded out
const SPREAD = 0.5; // of the parts between left and right

export class Synth {
  constructor(context) {
    this.context = context;
    this.level = new AnalyserNode(context, { fftSize: 1024 });
    this.volume = new GainNode(context, { gain: 0.8 });
    const limiter = new DynamicsCompressorNode(context, { threshold: -14, knee: 12, ratio: 6, attack: 0.004, release: 0.16 });
    limiter.connect(this.volume).connect(this.level).connect(context.destination);
    this.out = limiter;
    this.samples = new Float32Array(this.level.fftSize);
    this.noise = whiteNoise(context);
    this.waves = new Map();
    this.muted = new Set();
    this.begin(0);
  }

  /** Buses for so many parts; what sounded before fades out. */
  begin(parts) {
    for (const bus of this.buses ?? []) bus.gain.setTargetAtTime(0, this.context.currentTime, STOP_TIME / 3);
    const old = { buses: this.buses ?? [], voices: this.voices ?? [] };
    setTimeout(() => {
      for (const voice of old.voices) voice.stop(0);
      for (const bus of old.buses) bus.disconnect();
    }, STOP_TIME * 1000 * 2);
    this.voices = [];
    this.choked = new Map();
    this.buses = Array.from({ length: parts }, (_, part) => {
      const bus = new GainNode(this.context, { gain: this.muted.has(part) ? 0 : 1 });
      const pan = parts > 1 ? (((part * 0.618 + 0.5) % 1) - 0.5) * SPREAD : 0;
      bus.connect(new StereoPannerNode(this.context, { pan })).connect(this.out);
      return bus;
    });
  }

  /** Silence a part, or let it sound again. */
  mute(part, isMuted) {
    if (isMuted) this.muted.add(part);
    else this.muted.delete(part);
    this.buses[part]?.gain.setTargetAtTime(isMuted ? 0 : 1, this.context.currentTime, STOP_TIME / 3);
  }

  /** Root mean square of what is being heard, 0 to 1. */
  loudness() {
    this.level.getFloatTimeDomainData(this.samples);
    let sum = 0;
    for (const sample of this.samples) sum += sample * sample;
    return Math.sqrt(sum / this.samples.length);
  }

  /** A note of an instrument, from `when` for so many seconds. */
  note(part, when, seconds, pitch, velocity, program) {
    const patch = patchOf(program);
    const { context } = this;
    const frequency = 440 * 2 ** ((pitch - 69) / 12);
    const force = velocity / 127;
    const end = when + Math.max(seconds, patch.attack + 0.02);
    const done = end + patch.release * 4;
    const peak = patch.gain * force ** 1.6;
    const envelope = new GainNode(context, { gain: 0 });
    const decay = patch.decay * Math.min(2, Math.max(0.35, (261 / frequency) ** 0.45)); // low strings ring longer
    envelope.gain.setValueAtTime(0, when);
    envelope.gain.linearRampToValueAtTime(peak, when + patch.attack);
    envelope.gain.setTargetAtTime(Math.max(peak * patch.sustain, SILENCE), when + patch.attack, decay);
    envelope.gain.setTargetAtTime(0, end, patch.release);
    envelope.connect(this.buses[part]);
    const sources = this.sources(patch, frequency, when);
    let target = envelope;
    if (patch.cutoff) {
      target = new BiquadFilterNode(context, { type: "lowpass", Q: patch.resonance ?? 0.7 });
      const cutoff = Math.min(18000, frequency * patch.cutoff * (1 + (patch.bright ?? 0) * (force - 0.5)) + 220);
      target.frequency.setValueAtTime(Math.min(18000, cutoff * (patch.sweep ?? 1)), when);
      target.frequency.setTargetAtTime(cutoff, when + patch.attack, decay * 0.4);
      target.connect(envelope);
    }
    for (const source of sources) {
      (source.into ?? source.node).connect(target);
      source.node.start(when);
      source.node.stop(done);
    }
    if (patch.click) this.burst(this.buses[part], when, { filter: "bandpass", frequency: 2600, q: 0.8, seconds: 0.02, level: 0.25 }, force);
    this.keep({ end: done, envelope, nodes: sources.map((source) => source.node) });
  }

  /** The oscillators of a note, or its noise. */
  sources(patch, frequency, when) {
    const { context } = this;
    if (patch.noise) return [{ node: new AudioBufferSourceNode(context, { buffer: this.noise, loop: true, playbackRate: Math.min(2, frequency / 440) }) }];
    if (patch.partials) {
      return patch.partials
        .filter(([ratio]) => frequency * ratio < 16000)
        .map(([ratio, level]) => {
          const node = new OscillatorNode(context, { frequency: frequency * ratio });
          const into = new GainNode(context, { gain: level });
          into.gain.setTargetAtTime(level * 0.3, when, (patch.decay * 1.5) / ratio); // high partials fade first
          node.connect(into);
          return { node, into };
        });
    }
    const detunes = patch.detune ? [-patch.detune / 2, patch.detune / 2] : [0];
    const voices = detunes.map((detune) => {
      const options = typeof patch.wave === "string" ? { type: patch.wave } : { type: "custom", periodicWave: this.wave(patch.wave) };
      return { node: new OscillatorNode(context, { ...options, frequency, detune }) };
    });
    if (!patch.vibrato) return voices;
    const depth = new GainNode(context, { gain: 0 });
    depth.gain.setTargetAtTime(patch.vibrato, when + 0.25, 0.2);
    const vibrato = { node: new OscillatorNode(context, { frequency: 5.2 }), into: depth };
    vibrato.node.connect(depth);
    for (const voice of voices) depth.connect(voice.node.detune);
    return [...voices, { node: vibrato.node, into: new GainNode(context, { gain: 0 }) }];
  }

  wave(harmonics) {
    if (!this.waves.has(harmonics)) {
      const imag = Float32Array.from([0, ...harmonics]);
      this.waves.set(harmonics, new PeriodicWave(this.context, { real: new Float32Array(imag.length), imag }));
    }
    return this.waves.get(harmonics);
  }

  /** A drum note. */
  drum(part, when, pitch, velocity) {
    const { context } = this;
    const sound = drumOf(pitch);
    const force = (velocity / 127) ** 1.4;
    const out = new GainNode(context, { gain: 1.2 });
    out.connect(this.buses[part]);
    if (sound.choke) {
      this.choked.get(sound.choke)?.gain.setTargetAtTime(0, when, 0.006);
      this.choked.set(sound.choke, out);
    }
    const nodes = [];
    let longest = 0;
    for (const { from, to, seconds, level, wave } of sound.tones ?? []) {
      const oscillator = new OscillatorNode(context, { type: wave, frequency: from });
      const gain = new GainNode(context, { gain: 0 });
      oscillator.frequency.setValueAtTime(from, when);
      oscillator.frequency.exponentialRampToValueAtTime(to, when + Math.min(0.09, seconds));
      gain.gain.setValueAtTime(level * force, when);
      gain.gain.setTargetAtTime(0, when, seconds / 2.3);
      oscillator.connect(gain).connect(out);
      oscillator.start(when);
      oscillator.stop(when + seconds * 3);
      nodes.push(oscillator);
      longest = Math.max(longest, seconds * 3);
    }
    for (const part of sound.noises ?? []) {
      for (const delay of part.delays) nodes.push(this.burst(out, when + delay, part, force));
      longest = Math.max(longest, part.seconds * 3 + 0.1);
    }
    this.keep({ end: when + longest, envelope: out, nodes });
  }

  burst(out, when, { filter, frequency, q, seconds, level }, force) {
    const { context } = this;
    const source = new AudioBufferSourceNode(context, { buffer: this.noise, loop: true });
    const gain = new GainNode(context, { gain: 0 });
    gain.gain.setValueAtTime(level * force, when);
    gain.gain.setTargetAtTime(0, when, seconds / 2.3);
    source.connect(new BiquadFilterNode(context, { type: filter, frequency, Q: q })).connect(gain).connect(out);
    source.start(when, Math.random());
    source.stop(when + seconds * 3);
    return source;
  }

  /** Remember a voice until its end; of too many, the oldest is ended. */
  keep({ end, envelope, nodes }) {
    const now = this.context.currentTime;
    this.voices = this.voices.filter((voice) => voice.end > now);
    const stop = (after) => {
      for (const node of nodes) node.stop(now < end ? this.context.currentTime + after : 0);
    };
    this.voices.push({ end, envelope, stop });
    while (this.voices.length > MAX_VOICES) {
      const voice = this.voices.shift();
      voice.envelope.gain.cancelScheduledValues(this.context.currentTime);
      voice.envelope.gain.setTargetAtTime(0, this.context.currentTime, STOP_TIME / 3);
      voice.stop(STOP_TIME * 2);
    }
  }
}

function whiteNoise(context) {
  const buffer = new AudioBuffer({ length: 2 * context.sampleRate, sampleRate: context.sampleRate });
  const samples = buffer.getChannelData(0);
  for (let i = 0; i < samples.length; i++) samples[i] = 2 * Math.random() - 1;
  return buffer;
}
