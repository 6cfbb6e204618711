// The piano roll: a canvas as wide as the window, drawn anew for what is in view. The page scrolls an empty box as wide as the song.

import { firstFrom } from "./song.js";

const BLACK = new Set([1, 3, 6, 8, 10]);
const NAMES = ["C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B"];
const RULER = 24;
const LANE = 22;
const DRUM_ROW = 13;
const GAP = 12;
const MIN_ROWS = 24; // of pitches: a bass line shall not look like a wall
const MIN_FIRST_SCALE = 14; // pixels per second
const MAX_FIRST_SCALE = 36;
const CHORD_WIDTH = 30; // pixels for a name such as F#m
const MAX_WIDTH = 8e6; // of the box that is scrolled; browsers end at 1.7e7

export const pitchName = (pitch) => NAMES[pitch % 12] + (Math.floor(pitch / 12) - 1);

export class Roll {
  constructor(root, song) {
    this.song = song;
    this.root = root;
    this.space = root.querySelector(".roll-space");
    this.view = root.querySelector(".roll-view");
    this.canvas = root.querySelector("canvas");
    this.cursor = root.querySelector(".cursor");
    this.paint = this.canvas.getContext("2d");
    this.seconds = Math.max(song.seconds, 1);
    this.muted = new Set();
    this.second = 0;
    this.scale = 0; // pixels per second; 0 until the first layout
    this.follows = true;
    // What changes along the time axis. One meter or tempo that never changes stands above the roll already.
    const changes = { meter: song.meters, tempo: song.tempos };
    this.lanes = Object.entries(changes).filter(([, lane]) => lane.length > 1);
    this.lanes.push(...Object.entries({ key: song.keys, chords: song.chords }).filter(([, lane]) => lane.length));
    this.measure();
    new ResizeObserver(() => this.layout()).observe(root);
    root.addEventListener("scroll", () => this.draw(), { passive: true });
    for (const query of ["(prefers-color-scheme: dark)", `(resolution: ${devicePixelRatio}dppx)`]) {
      matchMedia(query).addEventListener("change", () => this.layout());
    }
  }

  /** The rows: pitches from the highest down, then the drum sounds that occur. */
  measure() {
    const { pitch, part, parts } = this.song;
    const drums = new Set();
    let low = 128;
    let high = -1;
    for (let i = 0; i < pitch.length; i++) {
      if (parts[part[i]].drums) drums.add(pitch[i]);
      else {
        low = Math.min(low, pitch[i]);
        high = Math.max(high, pitch[i]);
      }
    }
    this.drums = [...drums].sort((a, b) => b - a);
    this.rows = 0;
    if (high >= 0) {
      const more = Math.max(2, Math.ceil((MIN_ROWS - (high - low + 1)) / 2));
      this.low = Math.max(0, low - more);
      this.high = Math.min(127, high + more);
      this.rows = this.high - this.low + 1;
    }
  }

  layout() {
    const width = this.root.clientWidth;
    if (!width) return;
    const wide = width > 640;
    const room = wide ? 420 : 300;
    this.width = width;
    this.gutter = this.drums.length && wide ? 104 : this.drums.length ? 64 : 56; // 30 of keys, and C-1 before them
    this.rowHeight = this.rows ? Math.min(14, Math.max(3, Math.floor(room / this.rows))) : 0;
    this.top = RULER + LANE * this.lanes.length;
    this.drumTop = this.top + this.rows * this.rowHeight + (this.rows && this.drums.length ? GAP : 0);
    this.height = this.drumTop + this.drums.length * DRUM_ROW + 4;
    this.fit = (width - this.gutter - 8) / this.seconds;
    if (!this.scale || this.scale < this.fit) this.scale = this.firstScale();
    const ratio = devicePixelRatio || 1;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(this.height * ratio);
    this.canvas.style.width = this.view.style.width = `${width}px`;
    this.canvas.style.height = this.view.style.height = this.space.style.height = this.root.style.minHeight = `${this.height}px`;
    this.paint.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.space.style.width = `${this.gutter + this.seconds * this.scale + 8}px`;
    this.readColours();
    this.draw();
  }

  /** A short song is shown whole; of a long one so much that chords are wide enough for their names. */
  firstScale() {
    const chords = this.song.chords;
    const lengths = chords.slice(1).map((chord, i) => chord.second - chords[i].second).sort((a, b) => a - b);
    const usual = lengths.length ? CHORD_WIDTH / lengths[lengths.length >> 1] : 0;
    return Math.max(this.fit, Math.min(Math.max(usual, MIN_FIRST_SCALE), MAX_FIRST_SCALE));
  }

  readColours() {
    const style = getComputedStyle(document.documentElement);
    const read = (name) => style.getPropertyValue(name).trim();
    this.colours = read("--colours").split(/\s+/);
    this.tint = Object.fromEntries(
      ["roll-ground", "roll-black", "roll-line", "roll-bar", "roll-key", "roll-key-black", "ink", "muted", "accent-soft", "surface", "raised"].map(
        (name) => [name, read(`--${name}`)],
      ),
    );
    this.font = `11px ${getComputedStyle(document.body).fontFamily}`;
  }

  colour(part) {
    return this.colours[part % this.colours.length];
  }

  x(second) {
    return this.gutter + second * this.scale - this.root.scrollLeft;
  }

  secondAt(x) {
    return Math.min(this.seconds, Math.max(0, (x - this.gutter + this.root.scrollLeft) / this.scale));
  }

  y(pitch) {
    return this.top + (this.high - pitch) * this.rowHeight;
  }

  /** Zoom about the cursor if it is in view, else about the middle. */
  zoom(factor, about = null) {
    const inView = this.x(this.second) >= this.gutter && this.x(this.second) <= this.width;
    const x = about ?? (inView ? this.x(this.second) : this.width / 2);
    const second = this.secondAt(x);
    this.scale = Math.min(Math.max(this.scale * factor, this.fit), MAX_WIDTH / this.seconds, 4000);
    this.space.style.width = `${this.gutter + this.seconds * this.scale + 8}px`;
    this.root.scrollLeft = this.gutter + second * this.scale - x;
    this.draw();
  }

  zoomAll() {
    this.zoom(this.fit / this.scale);
  }

  /** Put the cursor at a time; a playing one is kept in view. */
  setTime(second, playing) {
    this.second = second;
    const x = this.x(second);
    if (playing && (x > this.width - 24 || x < this.gutter)) {
      this.root.scrollLeft = second * this.scale - (this.width - this.gutter) * 0.1;
    }
    this.placeCursor();
  }

  placeCursor() {
    const x = this.x(this.second);
    this.cursor.hidden = x < this.gutter || x > this.width;
    this.cursor.style.transform = `translateX(${x.toFixed(1)}px)`;
  }

  draw() {
    if (!this.scale) return;
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.drawNow());
  }

  drawNow() {
    const { paint, width, height } = this;
    paint.clearRect(0, 0, width, height);
    paint.font = this.font;
    paint.textBaseline = "middle";
    this.drawGround();
    this.drawBars();
    this.drawNotes();
    this.drawLanes();
    this.drawGutter();
    this.placeCursor();
  }

  drawGround() {
    const { paint, tint, width } = this;
    paint.fillStyle = tint["roll-ground"];
    paint.fillRect(0, 0, width, this.height);
    for (let pitch = this.low; this.rows && pitch <= this.high; pitch++) {
      if (BLACK.has(pitch % 12)) {
        paint.fillStyle = tint["roll-black"];
        paint.fillRect(0, this.y(pitch), width, this.rowHeight);
      } else if (pitch % 12 === 0 || pitch % 12 === 5) {
        paint.fillStyle = tint["roll-line"];
        paint.fillRect(0, this.y(pitch) + this.rowHeight - 0.5, width, 1);
      }
    }
    this.drums.forEach((_, row) => {
      if (row % 2) return;
      paint.fillStyle = tint["roll-black"];
      paint.fillRect(0, this.drumTop + row * DRUM_ROW, width, DRUM_ROW);
    });
  }

  /** Lines at the bars, or at every second, fourth ... of them where they would stand too close; without bars, at seconds. */
  drawBars() {
    const { paint, tint, song } = this;
    const bars = song.bars;
    const from = this.secondAt(this.gutter);
    const to = this.secondAt(this.width);
    const first = Math.max(0, firstFrom(bars, from) - 1);
    const spacing = bars.length > 1 ? (this.scale * (bars[bars.length - 1] - bars[0])) / (bars.length - 1) : 0;
    paint.fillStyle = tint.surface;
    paint.fillRect(0, 0, this.width, RULER);
    let step = 1;
    let label = 1;
    while (step * spacing < 7) step *= 2;
    while (label * spacing < 34) label *= 2;
    if (bars.length > 1) {
      for (let i = first - (first % step); i < bars.length && bars[i] <= to; i += step) {
        this.barLine(this.x(bars[i]), i % label === 0 ? String(i + 1) : "");
      }
      return;
    }
    for (step = 1; step * this.scale < 48; ) step *= step % 3 === 1 ? 5 : 2;
    for (let second = Math.floor(from / step) * step; second <= to; second += step) this.barLine(this.x(second), `${second} s`);
  }

  barLine(x, text) {
    const { paint, tint } = this;
    paint.fillStyle = text ? tint["roll-bar"] : tint["roll-line"];
    paint.fillRect(Math.round(x), text ? 4 : RULER - 4, 1, this.height);
    if (text) {
      paint.fillStyle = tint.muted;
      paint.fillText(text, Math.round(x) + 4, RULER / 2 + 1);
    }
  }

  drawNotes() {
    const { paint, song, muted } = this;
    const { onset, end, part, parts, pitch, velocity } = song;
    const from = this.secondAt(this.gutter);
    const to = this.secondAt(this.width);
    const shift = this.gutter - this.root.scrollLeft;
    const rows = new Map(this.drums.map((sound, row) => [sound, this.drumTop + row * DRUM_ROW + 1.5]));
    const round = this.rowHeight >= 6 && paint.roundRect;
    for (let i = firstFrom(song.latestEnd, from); i < onset.length && onset[i] <= to; i++) {
      if (end[i] < from) continue;
      const x = shift + onset[i] * this.scale;
      paint.fillStyle = this.colour(part[i]);
      paint.globalAlpha = muted.has(part[i]) ? 0.12 : 0.55 + (0.45 * velocity[i]) / 127;
      if (parts[part[i]].drums) {
        paint.fillRect(x, rows.get(pitch[i]), Math.min(7, Math.max(2.5, this.scale / 14)), DRUM_ROW - 3);
      } else {
        const w = Math.max(1.5, (end[i] - onset[i]) * this.scale - 0.75);
        if (round && w > 4) {
          paint.beginPath();
          paint.roundRect(x, this.y(pitch[i]) + 0.5, w, this.rowHeight - 1, 2);
          paint.fill();
        } else paint.fillRect(x, this.y(pitch[i]) + 0.25, w, Math.max(2, this.rowHeight - 0.5));
      }
    }
    paint.globalAlpha = 1;
  }

  /** Keys, chords and the like, each from where it begins to where the next one does; a name stays in view while its piece does. */
  drawLanes() {
    const { paint, tint } = this;
    this.lanes.forEach(([kind, lane], row) => {
      const y = RULER + row * LANE;
      paint.fillStyle = tint.surface;
      paint.fillRect(0, y, this.width, LANE);
      lane.forEach(({ second, name }, i) => {
        const x = this.x(second);
        const end = this.x(i + 1 < lane.length ? lane[i + 1].second : this.seconds);
        if (end < this.gutter || x > this.width) return;
        paint.fillStyle = kind === "key" ? tint["accent-soft"] : tint.raised;
        paint.fillRect(x + 0.5, y + 1, Math.max(1, end - x - 1), LANE - 2);
        const at = Math.max(x, this.gutter) + (kind === "key" ? 5 : 3);
        if (at + paint.measureText(name).width + 1 > end) return;
        paint.fillStyle = tint.ink;
        paint.fillText(name, at, y + LANE / 2 + 1);
      });
    });
  }

  drawGutter() {
    const { paint, tint, gutter } = this;
    paint.fillStyle = tint.surface;
    paint.fillRect(0, 0, gutter, this.height);
    const keys = 30;
    for (let pitch = this.low; this.rows && pitch <= this.high; pitch++) {
      paint.fillStyle = tint[BLACK.has(pitch % 12) ? "roll-key-black" : "roll-key"];
      paint.fillRect(gutter - keys, this.y(pitch), BLACK.has(pitch % 12) ? keys * 0.62 : keys - 1, this.rowHeight - (this.rowHeight > 4 ? 0.5 : 0));
    }
    paint.fillStyle = tint.muted;
    paint.textAlign = "right";
    for (let pitch = this.low; this.rows && pitch <= this.high; pitch++) {
      if (pitch % 12 === 0) paint.fillText(pitchName(pitch), gutter - keys - 4, this.y(pitch) + this.rowHeight / 2);
    }
    this.lanes.forEach(([kind], row) => paint.fillText(kind, gutter - 6, RULER + (row + 0.5) * LANE + 1));
    paint.fillText(this.song.bars.length > 1 ? "bar" : "", gutter - 6, RULER / 2 + 1);
    this.drums.forEach((sound, row) => {
      paint.fillText(this.cut(this.song.drums[sound] ?? `Drum ${sound}`, gutter - 10), gutter - 6, this.drumTop + (row + 0.5) * DRUM_ROW);
    });
    paint.textAlign = "left";
    paint.fillStyle = tint["roll-bar"];
    paint.fillRect(gutter - 1, 0, 1, this.height);
  }

  cut(text, width) {
    if (this.paint.measureText(text).width <= width) return text;
    let end = text.length;
    while (end > 1 && this.paint.measureText(`${text.slice(0, end)}…`).width > width) end--;
    return `${text.slice(0, end)}…`;
  }

  /** The index of the note at a place of the canvas, the one drawn last; -1 where there is none. */
  noteAt(x, y) {
    const { onset, end, part, parts, pitch, latestEnd } = this.song;
    const second = this.secondAt(x);
    const slack = 3 / this.scale;
    let found = -1;
    for (let i = firstFrom(latestEnd, second - 8 / this.scale); i < onset.length && onset[i] <= second + slack; i++) {
      const drums = parts[part[i]].drums;
      const top = drums ? this.drumTop + this.drums.indexOf(pitch[i]) * DRUM_ROW : this.y(pitch[i]);
      const until = drums ? onset[i] + 8 / this.scale : end[i] + slack;
      if (second <= until && y >= top && y < top + (drums ? DRUM_ROW : this.rowHeight)) found = i;
    }
    return found;
  }
}
