// What stands on a card, and so how large it is. The same for the screen, for SVG files and for the layout.

import { brief, bytes, heading, seconds, shapeText } from "./format";
import type { Graph, Item } from "./graph";
import type { GraphNode, Value } from "./types";

export const ADVANCE = 6.7; // width of a character of the monospace font at 11 px, with some room
const WIDE = 11.6; // of a Chinese, Japanese or Korean character
export const LINE = 15;
export const PAD = 9;
export const PICTURE = 34; // height of a heat map
const MOST = 34; // characters in a line

export interface Line {
  text: string;
  kind: "title" | "shape" | "value" | "grad" | "meta" | "param";
  node?: number; // the parameter that the line is about
}

export interface Card {
  lines: Line[];
  picture: Value | null; // a heat map below the shape
  width: number;
  height: number;
}

export function clip(text: string, most = MOST): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

function widthOf(text: string): number {
  let width = 0;
  for (const c of text) width += c > "\u2e7f" ? WIDE : ADVANCE;
  return width;
}

/** Whether a value is better seen as a picture than as numbers. */
export function isPicture(v: Value | null | undefined): boolean {
  return !!v && (!!v.map || (v.data?.length ?? 0) > 4);
}

export function cardOf(item: Item, graph: Graph, words: { ops: string; node: string; call: string }): Card {
  return item.module ? moduleCard(item, graph, words) : nodeCard(item.node!, item.inlined);
}

function moduleCard(item: Item, graph: Graph, words: { ops: string; node: string; call: string }): Card {
  const m = item.module!;
  const again = m.call > 1 ? ` ${words.call}${m.call}` : "";
  const lines: Line[] = [{ text: clip(`▸ ${m.name}${again}`), kind: "title" }];
  if (m.type && m.type !== m.name) lines.push({ text: clip(m.type), kind: "shape" });
  const out = lastOutput(m.id, graph);
  if (out?.shape) lines.push({ text: clip(`→ ${shapeText(out.shape)}`), kind: "shape" });
  lines.push({ text: `${m.nodes} ${m.nodes === 1 ? words.node : words.ops}`, kind: "meta" });
  return sized(lines, null);
}

/** The last node in a module that somebody outside uses. */
function lastOutput(module: number, graph: Graph): GraphNode | undefined {
  let found: GraphNode | undefined;
  const walk = (m: number) => {
    const c = graph.childrenOf(m);
    for (const id of c.nodes) {
      const n = graph.nodes[id];
      if (n.kind === "op" && (!found || n.id > found.id)) found = n;
    }
    c.modules.forEach(walk);
  };
  walk(module);
  return found;
}

function nodeCard(n: GraphNode, inlined: GraphNode[]): Card {
  const lines: Line[] = [{ text: clip(heading(n)), kind: "title" }];
  const many = n.shape?.length ? shapeText(n.shape) : "";
  const type = n.dtype && n.dtype !== "float32" ? n.dtype : "";
  if (n.settings?.length) lines.push({ text: clip(n.settings.join(", "), 24), kind: "shape" });
  if (many || type) lines.push({ text: clip([many, type].filter(Boolean).join(" ")), kind: "shape" });
  const picture = isPicture(n.value) ? n.value! : null;
  if (n.value && !picture) lines.push({ text: clip(brief(n.value)), kind: "value" });
  if (n.grad) lines.push({ text: clip(`grad ${brief(n.grad, 24)}`), kind: "grad" });
  for (const p of inlined) {
    const short = (p.name || "param").split(".").pop()!;
    lines.push({ text: clip(`${short} ${isPicture(p.value) || !p.value ? shapeText(p.shape) : brief(p.value)}`), kind: "param", node: p.id });
  }
  const cost = n.kind === "op" ? [n.bytes ? bytes(n.bytes) : "", n.time ? seconds(n.time) : ""].filter(Boolean).join(" · ") : "";
  if (cost) lines.push({ text: cost, kind: "meta" });
  return sized(lines, picture, n.stops && n.kind === "op" ? 18 : 0);
}

/** `mark`: room at the end of the title for the sign that gradients stop. */
function sized(lines: Line[], picture: Value | null, mark = 0): Card {
  const text = Math.max(...lines.map((l) => widthOf(l.text) * (l.kind === "title" ? 1.08 : 1) + (l.kind === "title" ? mark : 0)));
  const width = Math.max(picture ? 84 : 56, text + 2 * PAD);
  return { lines, picture, width: Math.ceil(width), height: lines.length * LINE + (picture ? PICTURE + 4 : 0) + 2 * PAD - 4 };
}
