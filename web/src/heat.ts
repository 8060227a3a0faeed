// Heat maps: blue below zero, red above, white (or black) at zero, as a picture that SVG can hold.

import type { Value } from "./types";

const cache = new WeakMap<Value, Map<string, string>>();

interface Cells {
  rows: number;
  columns: number;
  at: (i: number) => number; // the number in a cell, NaN where it is not finite
  most: number;
}

export function cellsOf(v: Value): Cells | null {
  if (v.data) {
    const shape = v.shape ?? [];
    const columns = shape.length ? shape[shape.length - 1] : 1;
    const numbers = v.data.map((n) => (typeof n === "number" ? n : NaN));
    const most = Math.max(1e-30, ...numbers.filter(Number.isFinite).map(Math.abs));
    return numbers.length ? { rows: numbers.length / columns, columns, at: (i) => numbers[i], most } : null;
  }
  if (!v.map) return null;
  const levels = Uint8Array.from(atob(v.map.levels), (c) => c.charCodeAt(0));
  const low = Number(v.min);
  const span = Number(v.max) - low;
  const at = (i: number) => (levels[i] === 255 ? NaN : low + (levels[i] / 254) * span);
  return { rows: v.map.rows, columns: v.map.columns, at, most: Math.max(1e-30, Math.abs(low), Math.abs(low + span)) };
}

/** A data: address of the picture, one pixel a cell. */
export function heatMap(v: Value, dark: boolean): string {
  let known = cache.get(v);
  if (!known) cache.set(v, (known = new Map()));
  const key = String(dark);
  let url = known.get(key);
  if (url === undefined) known.set(key, (url = draw(v, dark)));
  return url;
}

function draw(v: Value, dark: boolean): string {
  const cells = cellsOf(v);
  if (!cells) return "";
  const canvas = document.createElement("canvas");
  canvas.width = cells.columns;
  canvas.height = cells.rows;
  const context = canvas.getContext("2d");
  if (!context) return "";
  const image = context.createImageData(cells.columns, cells.rows);
  for (let i = 0; i < cells.rows * cells.columns; i++) image.data.set([...color(cells.at(i) / cells.most, dark), 255], 4 * i);
  context.putImageData(image, 0, 0);
  return canvas.toDataURL();
}

const ZERO = { light: [247, 247, 247], dark: [38, 42, 50] };
const ABOVE = { light: [178, 24, 43], dark: [255, 110, 90] };
const BELOW = { light: [33, 102, 172], dark: [90, 165, 255] };

/** Of a number between -1 and 1; what is not finite is yellow. */
export function color(t: number, dark: boolean): number[] {
  if (!Number.isFinite(t)) return [255, 214, 0];
  const theme = dark ? "dark" : "light";
  const end = (t > 0 ? ABOVE : BELOW)[theme];
  const part = Math.min(1, Math.abs(t)) ** 0.7;
  return ZERO[theme].map((z, i) => Math.round(z + (end[i] - z) * part));
}
