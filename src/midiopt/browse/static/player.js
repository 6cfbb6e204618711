// Plays a song: gives the synthesizer its notes a little ahead of time, and knows where in the song it is.

import { firstFrom } from "./song.js";
import { Synth } from "./synth.js";

const AHEAD = 0.35; // seconds that notes are given ahead
const AHEAD_HIDDEN = 2.5; // the same while the page is hidden: browsers then call a timer once a second
const INTERVAL = 60; // milliseconds between two looks at what comes next
const LEAD = 0.06; // seconds from a call of play() to the first note
const TAIL = 1; // seconds after the last note
const HELD = 0.15; // a note that has begun is played if it has so many seconds left
const MAX_NOTE = 30; // seconds: a note that hangs shall not hum for ever

let synth = null; // one for the page: browsers allow few audio contexts

export class Player extends EventTarget {
  constructor(song) {
    super();
    this.song = song;
    this.position = 0; // while it does not play
    this.isPlaying = false;
    this.turn = 0; // of play() and halt(): what waits for the sound goes on only if it is the latest
    this.muted = new Set();
    this.volume = 0.8;
  }

  /** Seconds from the beginning of the song. */
  get time() {
    if (!this.isPlaying) return this.position;
    return Math.min(this.offset + Math.max(0, synth.context.currentTime - this.startedAt), this.song.seconds);
  }

  /** Root mean square of what is being heard. */
  get loudness() {
    return this.isPlaying ? synth.loudness() : 0;
  }

  async play(from = this.position) {
    synth ??= new Synth(new AudioContext({ latencyHint: "interactive" }));
    this.halt();
    this.isPlaying = true;
    this.offset = this.position = from >= this.song.seconds ? 0 : from;
    this.startedAt = Infinity;
    this.dispatchEvent(new Event("change"));
    const { turn } = this;
    await synth.context.resume();
    if (turn !== this.turn) return;
    synth.muted = new Set(this.muted);
    this.setVolume(this.volume);
    synth.begin(this.song.parts.length);
    this.startedAt = synth.context.currentTime + LEAD;
    this.next = firstFrom(this.song.onset, this.offset);
    this.playHeld();
    this.schedule();
    this.timer = setInterval(() => this.schedule(), INTERVAL);
  }

  pause() {
    const time = this.time;
    this.halt();
    this.position = time;
    this.dispatchEvent(new Event("change"));
  }

  toggle() {
    return this.isPlaying ? this.pause() : this.play();
  }

  /** Go to a time, playing or not. */
  seek(second) {
    const time = Math.min(Math.max(0, second), this.song.seconds);
    if (this.isPlaying) return this.play(time);
    this.position = time;
    this.dispatchEvent(new Event("change"));
  }

  /** To the beginning of a bar, so many away; the present one counts once it is half a second old. Without bars, by two seconds. */
  seekBars(count) {
    const { bars } = this.song;
    if (bars.length < 2) return this.seek(this.time + 2 * count);
    const present = firstFrom(bars, this.time + 0.001) - 1;
    const isInside = count < 0 && this.time - bars[Math.max(0, present)] > 0.5;
    const bar = present + count + (isInside ? 1 : 0);
    return this.seek(bar < bars.length ? bars[Math.max(0, bar)] : this.song.seconds);
  }

  mute(part, isMuted) {
    if (isMuted) this.muted.add(part);
    else this.muted.delete(part);
    if (this.isPlaying) synth.mute(part, isMuted);
  }

  setVolume(volume) {
    this.volume = volume;
    synth?.volume.gain.setTargetAtTime(volume ** 1.5, synth.context.currentTime, 0.01);
  }

  halt() {
    this.turn++;
    clearInterval(this.timer);
    if (this.isPlaying) synth.begin(0);
    this.isPlaying = false;
  }

  /** The notes that began before and still sound. */
  playHeld() {
    const { latestEnd, end } = this.song;
    for (let i = firstFrom(latestEnd, this.offset + HELD); i < this.next; i++) {
      if (end[i] >= this.offset + HELD) this.give(i, this.offset);
    }
  }

  schedule() {
    const { onset, seconds } = this.song;
    const elapsed = synth.context.currentTime - this.startedAt;
    const horizon = this.offset + elapsed + (document.hidden ? AHEAD_HIDDEN : AHEAD);
    while (this.next < onset.length && onset[this.next] < horizon) this.give(this.next++, 0);
    if (this.offset + elapsed > seconds + TAIL) {
      this.halt();
      this.position = 0;
      this.dispatchEvent(new Event("change"));
    }
  }

  give(i, from) {
    const { onset, end, part, parts, pitch, velocity, program } = this.song;
    const begin = Math.max(onset[i], from);
    const when = Math.max(this.startedAt + begin - this.offset, synth.context.currentTime);
    if (!parts[part[i]].drums) synth.note(part[i], when, Math.min(end[i] - begin, MAX_NOTE), pitch[i], velocity[i], program[i]);
    else if (!from) synth.drum(part[i], when, pitch[i], velocity[i]);
  }
}
