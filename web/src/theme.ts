// Colours of the picture. They are written into the elements, so that an exported SVG looks the same.

import type { GraphNode } from "./types";

export interface Palette {
  dark: boolean;
  back: string;
  text: string;
  soft: string;
  edge: string;
  lit: string;
  accent: string;
  grad: string;
  stop: string;
  found: string;
  frame: string;
  frameFill: string;
  frameText: string;
  fill: Record<"op" | "leaf" | "parameter" | "constant" | "root" | "module", string>;
  line: Record<"op" | "leaf" | "parameter" | "constant" | "root" | "module", string>;
}

export const LIGHT: Palette = {
  dark: false, back: "#ffffff", text: "#1b1f24", soft: "#57606a", edge: "#8c959f", lit: "#0a58ca", accent: "#0a58ca",
  grad: "#a4262c", stop: "#b3261e", found: "#ffd33d", frame: "#b9c1cc", frameFill: "#5b6b8008", frameText: "#57606a",
  fill: { op: "#f3f4f6", leaf: "#cfe6f5", parameter: "#dcecf8", constant: "#ffffff", root: "#d8f0b0", module: "#ece6f8" },
  line: { op: "#8c959f", leaf: "#3f86b5", parameter: "#3f86b5", constant: "#8c959f", root: "#5f9a2c", module: "#8668bd" },
};

export const DARK: Palette = {
  dark: true, back: "#14171c", text: "#e8ebef", soft: "#a5aeb9", edge: "#6c7683", lit: "#6cb2ff", accent: "#6cb2ff",
  grad: "#ff9d90", stop: "#ff8a80", found: "#e3b341", frame: "#414a57", frameFill: "#ffffff06", frameText: "#a5aeb9",
  fill: { op: "#252a32", leaf: "#17374d", parameter: "#1b3142", constant: "#181b21", root: "#2c4316", module: "#322a47" },
  line: { op: "#6c7683", leaf: "#4d9fd4", parameter: "#4d9fd4", constant: "#6c7683", root: "#86c24a", module: "#a68be0" },
};

export function kindOf(n: GraphNode): keyof Palette["fill"] {
  return n.root ? "root" : n.kind;
}
