// The page of a file: the roll, the transport and the list of tracks.

import { onKey } from "./keys.js";
import { loadPart } from "./part.js";
import { Player } from "./player.js";
import { Roll, pitchName } from "./roll.js";
import { clock, loadSong } from "./song.js";

const box = document.getElementById("player");
const at = (id) => document.getElementById(id);
const BACK = at("back");

onKey("Escape", () => BACK.click());
BACK.addEventListener("click", (event) => {
  const before = document.referrer && new URL(document.referrer);
  if (before && before.origin === location.origin && before.pathname === "/" && history.length > 1) {
    event.preventDefault();
    history.back(); // the list as it was left: the same page of it, at the same place
  }
});

const similar = at("similar");
if (similar) loadPart(similar.dataset.similar, similar);

if (box) {
  loadSong(box.dataset.notes).then(start, (problem) => {
    at("under").textContent = `No notes: ${problem.message}`;
    at("under").classList.add("bad");
    at("roll").hidden = true;
  });
}

function start(song) {
  const roll = new Roll(at("roll"), song);
  const player = new Player(song);
  const play = at("play");
  const seek = at("seek");
  const level = document.querySelector(".meter-level");
  seek.max = song.seconds;
  play.disabled = false;
  say(song);

  let label = "";
  const show = () => {
    const { time, isPlaying } = player;
    if (isPlaying) requestAnimationFrame(show);
    roll.setTime(time, isPlaying);
    const text = clock(time);
    if (text !== label) at("time").textContent = label = text;
    if (document.activeElement !== seek || isPlaying) seek.value = time;
    seek.setAttribute("aria-valuetext", text);
    level.setAttribute("width", (60 * Math.min(1, 2.2 * Math.sqrt(player.loudness))).toFixed(1));
  };
  player.addEventListener("change", () => {
    play.classList.toggle("playing", player.isPlaying);
    play.lastElementChild.textContent = player.isPlaying ? "Stop" : "Play";
    show();
  });
  play.addEventListener("click", () => player.toggle());
  seek.addEventListener("input", () => player.seek(Number(seek.value)));
  at("volume").addEventListener("input", (event) => player.setVolume(Number(event.target.value)));
  at("zoom-in").addEventListener("click", () => roll.zoom(1.5));
  at("zoom-out").addEventListener("click", () => roll.zoom(1 / 1.5));
  at("zoom-all").addEventListener("click", () => roll.zoomAll());
  addEventListener("pagehide", () => player.isPlaying && player.pause());

  onKey(" ", () => player.toggle());
  onKey("ArrowRight", (event) => player.seekBars(event.shiftKey ? 4 : 1));
  onKey("ArrowLeft", (event) => player.seekBars(event.shiftKey ? -4 : -1));
  onKey("Home", () => player.seek(0));
  onKey("+", () => roll.zoom(1.5));
  onKey("=", () => roll.zoom(1.5));
  onKey("-", () => roll.zoom(1 / 1.5));
  onKey("0", () => roll.zoomAll());

  roll.root.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    roll.zoom(Math.exp(-event.deltaY / 240), event.clientX - roll.root.getBoundingClientRect().left);
  });
  roll.canvas.addEventListener("click", (event) => {
    if (event.offsetX >= roll.gutter) player.seek(roll.secondAt(event.offsetX));
  });
  roll.canvas.addEventListener("pointermove", (event) => {
    const i = roll.noteAt(event.offsetX, event.offsetY);
    if (i < 0) return say(song);
    const part = song.parts[song.part[i]];
    const sound = part.drums ? (song.drums[song.pitch[i]] ?? `drum ${song.pitch[i]}`) : pitchName(song.pitch[i]);
    at("under").textContent = `${sound} · ${part.name} · ${clock(song.onset[i])} · ${(song.end[i] - song.onset[i]).toFixed(2)} s · velocity ${song.velocity[i]}`;
  });
  roll.canvas.addEventListener("pointerleave", () => say(song));
  listParts(song, roll, player);
}

function say(song) {
  const shown = song.onset.length;
  const cut = shown < song.notes ? ` The first ${shown.toLocaleString("en")} of ${song.notes.toLocaleString("en")} notes are shown.` : "";
  const how = matchMedia("(hover: hover)").matches ? "Click to go to a place; Ctrl and the wheel zoom." : "Tap to go to a place.";
  at("under").textContent = how + cut;
}

/** A checkbox per part, with its colour: what is not checked is not heard. */
function listParts(song, roll, player) {
  const list = at("parts");
  const SVG = "http://www.w3.org/2000/svg";
  const dots = song.parts.map((part, i) => {
    const label = document.createElement("label");
    const box = document.createElement("input");
    box.type = "checkbox";
    box.checked = true;
    box.addEventListener("change", () => {
      player.mute(i, !box.checked);
      if (box.checked) roll.muted.delete(i);
      else roll.muted.add(i);
      roll.draw();
    });
    const dot = document.createElementNS(SVG, "svg");
    dot.setAttribute("viewBox", "0 0 8 8");
    dot.setAttribute("aria-hidden", "true");
    const circle = document.createElementNS(SVG, "circle");
    for (const name of ["cx", "cy", "r"]) circle.setAttribute(name, "4");
    dot.append(circle);
    const name = document.createElement("bdi");
    name.textContent = part.name;
    label.append(box, dot, name);
    if (part.sound !== part.name) {
      const sound = document.createElement("span");
      sound.className = "sound";
      sound.textContent = part.sound;
      label.append(sound);
    }
    list.append(label);
    return circle;
  });
  const paint = () => dots.forEach((dot, i) => dot.setAttribute("fill", roll.colour(i)));
  const wait = () => (roll.colours ? paint() : requestAnimationFrame(wait));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => requestAnimationFrame(paint));
  wait();
  list.hidden = song.parts.length === 0;
}
