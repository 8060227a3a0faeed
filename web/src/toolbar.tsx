// The row of tools above the picture.

import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Words } from "./panel";
import type { State } from "./state";

interface Props extends Words {
  state: State;
  set: (change: Partial<State>) => void;
  title: string;
  found: number[];
  searchBox: RefObject<HTMLInputElement | null>;
  canFold: boolean;
  onFound: (node: number) => void;
  onZoom: (factor: number) => void;
  onFit: () => void;
  onFold: () => void;
  onUnfold: () => void;
  onTheme: () => void;
  onSvg: () => void;
  onPng: () => void;
  onLink: (() => void) | null; // a frame in a notebook has no address
  onHelp: () => void;
}

export function Toolbar(p: Props) {
  const { t, state, set, found } = p;
  const [place, setPlace] = useState(-1);
  const next = (e: KeyboardEvent) => {
    if (e.key === "Escape") {
      set({ query: "" });
      e.currentTarget instanceof HTMLElement && e.currentTarget.blur();
    }
    if (e.key !== "Enter" || !found.length) return;
    const i = (place + (e.shiftKey ? found.length - 1 : 1)) % found.length;
    setPlace(i);
    p.onFound(found[i]);
  };
  const themes = { auto: "◐", light: "☀", dark: "☾" };
  return (
    <div class="bar top" role="toolbar" aria-label={t("toolbar")}>
      <h1>{p.title}</h1>
      <div class="search">
        <input ref={p.searchBox as RefObject<HTMLInputElement>} type="search" aria-label={t("search")} placeholder={`${t("search")}: ${t("searchHint")}`} value={state.query}
          onInput={(e) => { setPlace(-1); set({ query: e.currentTarget.value }); }} onKeyDown={next} />
        <span role="status">{state.query ? (found.length ? `${place >= 0 ? `${place + 1} / ` : ""}${t("found", { n: found.length })}` : t("none")) : ""}</span>
      </div>
      <div class="group">
        <button onClick={() => p.onZoom(1.3)} aria-label={t("zoomIn")} title={t("zoomIn")}>+</button>
        <button onClick={() => p.onZoom(1 / 1.3)} aria-label={t("zoomOut")} title={t("zoomOut")}>−</button>
        <button onClick={p.onFit} aria-label={t("fit")} title={t("fit")}>⤢</button>
      </div>
      {p.canFold && (
        <div class="group">
          <button onClick={p.onFold}>{t("foldAll")}</button>
          <button onClick={p.onUnfold}>{t("unfoldAll")}</button>
        </div>
      )}
      <div class="group">
        <button onClick={p.onSvg}>{t("exportSvg")}</button>
        <button onClick={p.onPng}>{t("exportPng")}</button>
        {p.onLink && <button onClick={p.onLink}>{t("link")}</button>}
      </div>
      <div class="group">
        <button onClick={p.onTheme} aria-label={`${t("theme")}: ${t(state.theme)}`} title={`${t("theme")}: ${t(state.theme)}`}>{themes[state.theme]}</button>
        <button onClick={() => set({ lang: state.lang === "en" ? "ja" : "en" })} lang={state.lang === "en" ? "ja" : "en"}>{t("language")}</button>
        <button onClick={p.onHelp} aria-label={t("help")} title={t("help")}>?</button>
      </div>
    </div>
  );
}

/** The keys; it takes the focus, so that Escape or Enter close it. */
export function Help({ t, onClose }: Words & { onClose: () => void }) {
  const close = useRef<HTMLButtonElement>(null);
  useEffect(() => close.current?.focus(), []);
  return (
    <div class="help" role="dialog" aria-modal="true" aria-labelledby="help-title"
      onKeyDown={(e) => e.key === "Tab" && e.preventDefault()}>
      <h2 id="help-title">{t("help")}</h2>
      <ul>{t("keys").split(" · ").map((k) => <li key={k}>{k}</li>)}</ul>
      <button ref={close} onClick={onClose}>{t("close")}</button>
    </div>
  );
}
