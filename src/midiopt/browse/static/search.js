// The page of a search: a selected row that keys move, a song that plays while one goes on looking, and the facets, loaded apart.

import { onKey } from "./keys.js";
import { loadPart } from "./part.js";
import { Player } from "./player.js";
import { clock, loadSong } from "./song.js";

const at = (id) => document.getElementById(id);
const rows = [...document.querySelectorAll(".files tbody tr")];
const linkOf = (row) => row.querySelector(".title-cell a");
const notesOf = (row) => `/notes?path=${encodeURIComponent(new URL(linkOf(row).href).searchParams.get("path"))}`;
let selected = -1;

function select(index, moves = true) {
  rows[selected]?.classList.remove("selected");
  selected = Math.min(Math.max(index, 0), rows.length - 1);
  const row = rows[selected];
  if (!row) return;
  row.classList.add("selected");
  if (moves) {
    linkOf(row).focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }
}

rows.forEach((row, index) => {
  row.addEventListener("focusin", () => select(index, false));
  const button = row.querySelector(".play");
  if (!button) return;
  button.hidden = false;
  button.addEventListener("click", () => listen(row));
});
for (const key of ["j", "ArrowDown"]) onKey(key, () => select(selected + 1));
for (const key of ["k", "ArrowUp"]) onKey(key, () => select(selected < 0 ? 0 : selected - 1));
onKey("Enter", () => rows[selected] && linkOf(rows[selected]).click());
onKey("n", () => at("next-page")?.click());
onKey("p", () => at("first-page")?.click());
onKey(" ", () => (player?.isPlaying ? player.pause() : listen(rows[Math.max(0, selected)])));
onKey("Escape", () => player?.isPlaying && player.pause());

// What plays, and of which row. A song that arrives after another was asked for, or the same again, is not played.
let player = null;
let playing = null;
let asked = 0;
const seek = at("now-seek");

async function listen(row) {
  if (!row?.querySelector(".play")) return;
  if (playing === row && player?.isPlaying) return player.pause();
  player?.pause();
  playing = row;
  const turn = ++asked;
  const song = await loadSong(notesOf(row)).catch((problem) => ({ problem: problem.message }));
  if (turn !== asked) return;
  at("now").hidden = false;
  at("now-name").textContent = song.problem ?? linkOf(row).textContent;
  at("now-name").href = linkOf(row).href;
  if (song.problem) return;
  seek.max = song.seconds;
  player = new Player(song);
  player.addEventListener("change", () => show(row, player));
  player.play();
}

function show(row, shown) {
  if (shown !== player) return row.querySelector(".play").classList.remove("playing");
  row.querySelector(".play").classList.toggle("playing", player.isPlaying);
  at("now").hidden = !player.isPlaying;
  seek.value = player.time;
  at("now-time").textContent = clock(player.time);
  if (player.isPlaying) requestAnimationFrame(() => shown === player && show(row, shown));
}

at("now-stop").addEventListener("click", () => player?.pause());
seek.addEventListener("input", () => player?.seek(Number(seek.value)));
addEventListener("pagehide", () => player?.isPlaying && player.pause());

const narrow = at("narrow");
const facets = at("facets");

function loadFacets() {
  const wait = facets.querySelector(".wait");
  if (!narrow.open || !wait || !wait.hidden) return;
  wait.hidden = false;
  loadPart(facets.dataset.facets, facets, () => {
    wait.textContent = "The counts cannot be read.";
  });
}

narrow.addEventListener("toggle", loadFacets);
if (matchMedia("(min-width: 56.01rem)").matches) narrow.open = true;
loadFacets();
