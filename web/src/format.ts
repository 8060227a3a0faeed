// Numbers, shapes, sizes and times as texts.

import type { GraphNode, Num, Value } from "./types";

/** Four significant digits; "nan" and "inf" as they are. */
export function num(v: Num | null | undefined): string {
  if (v === null || v === undefined) return "";
  if (typeof v === "string") return v;
  if (Number.isInteger(v) && Math.abs(v) < 1e6) return String(v);
  const a = Math.abs(v);
  return a !== 0 && (a >= 1e5 || a < 1e-3) ? v.toExponential(2).replace("e+", "e") : String(Number(v.toPrecision(4)));
}

export function shapeText(shape: number[] | undefined): string {
  return `[${(shape ?? []).join(", ")}]`;
}

/** The number that a value is, if it is a single one. */
export function scalar(v: Value | null | undefined): Num | null {
  return v?.data?.length === 1 ? v.data[0] : null;
}

/** A value in one line: the number, a few numbers, or the range. */
export function brief(v: Value | null | undefined, length = 26): string {
  if (!v) return "";
  if (v.data) {
    if (!v.shape?.length && v.data.length === 1) return num(v.data[0]);
    const text = `[${v.data.map(num).join(", ")}]`;
    return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
  }
  if (v.min === undefined || v.min === null) return v.corner ? "—" : "[]";
  return `${num(v.min)} … ${num(v.max)}`;
}

export function bytes(n: number | undefined): string {
  if (!n) return "0 B";
  const units = ["B", "KiB", "MiB", "GiB"];
  let i = 0;
  while (n >= 1024 && i < units.length - 1) [n, i] = [n / 1024, i + 1];
  return `${n < 10 && i ? n.toFixed(1) : Math.round(n)} ${units[i]}`;
}

export function seconds(t: number | null | undefined): string {
  if (t === null || t === undefined) return "";
  if (t < 1e-3) return `${(t * 1e6).toPrecision(2).replace(/\.0$/, "")} µs`.replace(/(\d)\.?(\d)?e\+?(\d+)/, (m) => String(Number(m)));
  return t < 1 ? `${(t * 1e3).toPrecision(3)} ms` : `${t.toPrecision(3)} s`;
}

export function titleOf(n: GraphNode): string {
  return n.op || n.name || n.kind;
}

/** How a title and a variable's name stand together: "mul → h". */
export function heading(n: GraphNode): string {
  return n.op && n.name ? `${n.op} → ${n.name}` : titleOf(n);
}
