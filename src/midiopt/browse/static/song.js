// The notes of a song, as browse/song.py sends them.

const TYPES = { f4: Float32Array, u2: Uint16Array, u1: Uint8Array };
const ALIGNMENT = 8;

/** Resolves to the song behind an address: its head, and a typed array per column. */
export async function loadSong(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(await response.text());
  return decode(await response.arrayBuffer());
}

function decode(buffer) {
  const size = new DataView(buffer).getUint32(0, true);
  const song = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, size)));
  let at = 4 + size;
  for (const { name, type, length } of song.columns) {
    const column = new TYPES[type](buffer, at, length);
    song[name] = column;
    at += Math.ceil(column.byteLength / ALIGNMENT) * ALIGNMENT;
  }
  song.latestEnd = latestEnds(song.end);
  return song;
}

/** For each note, the latest end of it and all before it: what finds the notes that still sound. */
function latestEnds(ends) {
  const latest = new Float32Array(ends.length);
  let end = -Infinity;
  for (let i = 0; i < ends.length; i++) latest[i] = end = Math.max(end, ends[i]);
  return latest;
}

/** The index of the first item of a sorted array that is at least `value`. */
export function firstFrom(sorted, value) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function clock(seconds) {
  const whole = Math.floor(seconds);
  const minutes = Math.floor(whole / 60);
  const two = (n) => String(n).padStart(2, "0");
  return minutes < 60 ? `${minutes}:${two(whole % 60)}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}
