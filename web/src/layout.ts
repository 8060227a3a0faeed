// Where everything goes: Graphviz in WebAssembly, and a plain layered layout where that cannot run or is too slow.

import type { Visible } from "./graph";
import { graphviz, withoutWorker } from "./graphviz";

export interface Box {
  x: number; // left
  y: number; // top
  width: number;
  height: number;
}

export interface Route {
  from: string;
  to: string;
  count: number;
  path: string; // of an SVG <path>
  tip: [number, number, number]; // end of the arrow, and its direction
  box: Box;
}

export interface Layout {
  width: number;
  height: number;
  boxes: Map<string, Box>;
  routes: Route[];
  frames: { module: number; box: Box }[];
  engine: "graphviz" | "layered";
}

type Size = { width: number; height: number };
type Point = [number, number];

const MOST_FOR_GRAPHVIZ = 4000; // items
const MOST_PASSED = 40_000; // ranks that edges pass through: what Graphviz's time depends on
const MOST_FRAMES = 250;
const GAP = 22;
const RANK = 34;

/** Positions of what is visible; all lengths in pixels. */
export async function layOut(visible: Visible, sizes: Map<string, Size>, nested: (module: number) => { keys: string[]; modules: number[] }): Promise<Layout> {
  const count = visible.items.size;
  if (count <= MOST_FOR_GRAPHVIZ && passed(visible) <= MOST_PASSED) {
    const text = dotText(visible, sizes, nested);
    for (const attempt of [1, 2]) {
      try {
        return read(JSON.parse(await graphviz(text, count)), visible, sizes);
      } catch {
        if (attempt === 1 && !withoutWorker()) break; // it took too long; without a worker, once more in the page
      }
    }
  }
  return layered(visible, sizes);
}

// ---- Graphviz --------------------------------------------------------------------------------
function dotText(visible: Visible, sizes: Map<string, Size>, nested: (m: number) => { keys: string[]; modules: number[] }): string {
  const framed = visible.frames.length <= MOST_FRAMES;
  const text: string[] = ["digraph {", `graph [nodesep=${GAP / 72} ranksep=${RANK / 72}]`,
    'node [shape=box fixedsize=true label=""] edge [arrowhead=none]'];
  const declare = (key: string) => {
    const s = sizes.get(key)!;
    text.push(`${key} [width=${(s.width / 72).toFixed(3)} height=${(s.height / 72).toFixed(3)}]`);
  };
  const open = new Set(visible.frames);
  const emit = (m: number) => {
    const inner = nested(m);
    text.push(`subgraph cluster_${m} { margin=10 label=" " fontsize=14 labeljust=l`);
    for (const key of inner.keys) if (visible.items.has(key)) declare(key);
    for (const child of inner.modules) if (open.has(child)) emit(child);
    text.push("}");
  };
  if (framed) {
    const inner = nested(-1);
    for (const key of inner.keys) if (visible.items.has(key)) declare(key);
    for (const m of inner.modules) if (open.has(m)) emit(m);
  } else for (const key of visible.items.keys()) declare(key);
  visible.links.forEach((l, i) => text.push(`${l.from} -> ${l.to} [id=e${i}]`));
  text.push("}");
  return text.join("\n");
}

interface Raw {
  bb: string;
  objects?: { name: string; pos?: string; bb?: string }[];
  edges?: { id: string; pos?: string }[];
}

function read(raw: Raw, visible: Visible, sizes: Map<string, Size>): Layout {
  const [left, bottom, right, top] = raw.bb.split(",").map(Number);
  const point = (s: string): Point => {
    const [x, y] = s.split(",").map(Number);
    return [x - left, top - y];
  };
  const out: Layout = { width: right - left, height: top - bottom, boxes: new Map(), routes: [], frames: [], engine: "graphviz" };
  for (const o of raw.objects ?? []) {
    if (o.name.startsWith("cluster_")) {
      if (!o.bb) continue;
      const [a, b, c, d] = o.bb.split(",").map(Number);
      out.frames.push({ module: Number(o.name.slice(8)), box: { x: a - left, y: top - d, width: c - a, height: d - b } });
    } else if (o.pos) {
      const [x, y] = point(o.pos);
      const s = sizes.get(o.name)!;
      out.boxes.set(o.name, { x: x - s.width / 2, y: y - s.height / 2, ...s });
    }
  }
  for (const e of raw.edges ?? []) {
    const link = visible.links[Number(e.id.slice(1))];
    const points = (e.pos ?? "").replace(/[se],\S+ /g, "").trim().split(/\s+/).filter(Boolean).map(point);
    if (points.length >= 2) out.routes.push(route(link, points, true));
  }
  out.frames.sort((a, b) => visible.frames.indexOf(a.module) - visible.frames.indexOf(b.module));
  return out;
}

function route(link: { from: string; to: string; count: number }, points: Point[], curved: boolean): Route {
  const f = (p: Point) => `${p[0].toFixed(1)} ${p[1].toFixed(1)}`;
  let path = `M${f(points[0])}`;
  if (curved) for (let i = 1; i + 2 < points.length; i += 3) path += `C${f(points[i])} ${f(points[i + 1])} ${f(points[i + 2])}`;
  else for (let i = 1; i < points.length; i++) {
    const [a, b] = [points[i - 1], points[i]];
    const middle = (a[1] + b[1]) / 2;
    path += `C${f([a[0], middle])} ${f([b[0], middle])} ${f(b)}`;
  }
  const end = points[points.length - 1];
  const before = curved ? points[points.length - 2] : ([end[0], end[1] - 1] as Point);
  const xs = points.map((p) => p[0]);
  const ys = points.map((p) => p[1]);
  const x = Math.min(...xs);
  const y = Math.min(...ys);
  const angle = Math.atan2(end[1] - before[1], end[0] - before[0]);
  return { ...link, path, tip: [end[0], end[1], angle], box: { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y } };
}

// ---- layered, after Sugiyama: ranks, order within ranks, coordinates ---------------------------
function layered(visible: Visible, sizes: Map<string, Size>): Layout {
  const { keys, before, after, rank } = ranked(visible);
  const rows: string[][] = [];
  for (const k of keys) (rows[rank.get(k)!] ??= []).push(k);
  const filled = rows.filter(Boolean);
  const place = new Map<string, number>();
  const number = () => filled.forEach((row) => row.forEach((k, i) => place.set(k, i - row.length / 2)));
  number();
  for (let sweep = 0; sweep < 6; sweep++) {
    const near = sweep % 2 ? after : before;
    for (const row of filled) {
      const wish = new Map(row.map((k) => [k, mean(near.get(k)!.map((n) => place.get(n)!), place.get(k)!)]));
      row.sort((a, b) => wish.get(a)! - wish.get(b)!);
    }
    number();
  }
  const boxes = new Map<string, Box>();
  let y = 0;
  for (const row of filled) {
    const total = row.reduce((sum, k) => sum + sizes.get(k)!.width + GAP, -GAP);
    let x = -total / 2;
    const height = Math.max(...row.map((k) => sizes.get(k)!.height));
    for (const k of row) {
      const s = sizes.get(k)!;
      boxes.set(k, { x, y: y + (height - s.height) / 2, ...s });
      x += s.width + GAP;
    }
    y += height + RANK;
  }
  const left = Math.min(0, ...[...boxes.values()].map((b) => b.x));
  for (const b of boxes.values()) b.x -= left;
  const width = [...boxes.values()].reduce((most, b) => Math.max(most, b.x + b.width), 0);
  const routes = visible.links.map((l) => {
    const a = boxes.get(l.from)!;
    const b = boxes.get(l.to)!;
    return route(l, [[a.x + a.width / 2, a.y + a.height], [b.x + b.width / 2, b.y]], false);
  });
  return { width, height: Math.max(0, y - RANK), boxes, routes, frames: [], engine: "layered" };
}

/** How many ranks the edges pass through, all together. */
function passed(visible: Visible): number {
  const { rank } = ranked(visible);
  return visible.links.reduce((sum, l) => sum + Math.max(0, rank.get(l.to)! - rank.get(l.from)! - 1), 0);
}

function ranked(visible: Visible) {
  const keys = [...visible.items.keys()];
  const before = new Map<string, string[]>(keys.map((k) => [k, []]));
  const after = new Map<string, string[]>(keys.map((k) => [k, []]));
  for (const l of visible.links) {
    before.get(l.to)!.push(l.from);
    after.get(l.from)!.push(l.to);
  }
  return { keys, before, after, rank: ranks(keys, before, after) };
}

/** Each item below all it needs; items in a cycle (there should be none) keep what they have. */
function ranks(keys: string[], before: Map<string, string[]>, after: Map<string, string[]>): Map<string, number> {
  const rank = new Map<string, number>(keys.map((k) => [k, 0]));
  const missing = new Map(keys.map((k) => [k, before.get(k)!.length]));
  const ready = keys.filter((k) => !missing.get(k));
  const order: string[] = [];
  while (ready.length) {
    const k = ready.pop()!;
    order.push(k);
    for (const n of after.get(k)!) {
      rank.set(n, Math.max(rank.get(n)!, rank.get(k)! + 1));
      missing.set(n, missing.get(n)! - 1);
      if (!missing.get(n)) ready.push(n);
    }
  }
  for (const k of order.reverse()) { // right above the first user, where there is one
    const users = after.get(k)!;
    if (users.length) rank.set(k, Math.max(rank.get(k)!, users.reduce((least, n) => Math.min(least, rank.get(n)!), Infinity) - 1));
  }
  return rank;
}

function mean(values: number[], otherwise: number): number {
  return values.length ? values.reduce((a, b) => a + b) / values.length : otherwise;
}
