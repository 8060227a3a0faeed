// What the reader has set: it all goes into the page's address, so that a link restores the view.

import type { Lang } from "./text";

export type Theme = "auto" | "light" | "dark";
export type Tab = "details" | "source" | "step" | "training";

export interface Camera {
  x: number;
  y: number;
  k: number;
}

export interface State {
  open: Set<number>; // modules
  selected: string | null; // key of an item, or "n12" of a parameter that is written in a card
  tab: Tab;
  film: number | null; // steps done; null: the film is off
  train: number | null; // place in the recorded steps
  quiz: boolean;
  query: string;
  theme: Theme;
  lang: Lang;
  camera: Camera | null; // null: fitted to the window
}

/** The part of the address after "#". */
export function toHash(s: State, first: State): string {
  const parts = new URLSearchParams();
  const open = [...s.open].sort((a, b) => a - b).join(".");
  if (open !== [...first.open].sort((a, b) => a - b).join(".")) parts.set("open", open);
  if (s.selected) parts.set("node", s.selected);
  if (s.tab !== (s.film === null ? "details" : "step")) parts.set("tab", s.tab);
  if (s.film !== null) parts.set("film", String(s.film));
  if (s.train !== null) parts.set("train", String(s.train));
  if (s.quiz) parts.set("quiz", "1");
  if (s.query) parts.set("q", s.query);
  if (s.theme !== "auto") parts.set("theme", s.theme);
  if (s.lang !== first.lang) parts.set("lang", s.lang);
  if (s.camera) parts.set("at", [s.camera.x, s.camera.y, s.camera.k].map((v) => Number(v.toPrecision(7))).join("_"));
  return parts.toString();
}

/** The state that an address asks for; whatever it does not say, or says wrongly, is as at first. */
export function fromHash(hash: string, first: State, modules: number, nodes: number): State {
  const parts = new URLSearchParams(hash.replace(/^#/, ""));
  const s: State = { ...first, open: new Set(first.open) };
  const whole = (name: string, below: number) => {
    const v = Number(parts.get(name) ?? NaN);
    return Number.isInteger(v) && v >= 0 && v < below ? v : null;
  };
  if (parts.has("open")) {
    s.open = new Set(parts.get("open")!.split(".").filter(Boolean).map(Number).filter((m) => m >= 0 && m < modules));
  }
  const selected = /^([nm])(\d+)$/.exec(parts.get("node") ?? "");
  if (selected && Number(selected[2]) < (selected[1] === "n" ? nodes : modules)) s.selected = selected[0];
  const tab = parts.get("tab");
  s.film = whole("film", 1e9);
  if (tab === "details" || tab === "source" || tab === "step" || tab === "training") s.tab = tab;
  else if (s.film !== null) s.tab = "step";
  s.train = whole("train", 1e9);
  s.quiz = parts.get("quiz") === "1";
  s.query = parts.get("q") ?? "";
  const theme = parts.get("theme");
  if (theme === "light" || theme === "dark") s.theme = theme;
  const lang = parts.get("lang");
  if (lang === "en" || lang === "ja") s.lang = lang;
  const at = (parts.get("at") ?? "").split("_").map(Number);
  if (at.length === 3 && at.every(Number.isFinite) && at[2] > 0) s.camera = { x: at[0], y: at[1], k: at[2] };
  return s;
}
