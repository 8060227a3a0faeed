// The page as a whole: what the reader does changes the State, the State says what is drawn.

import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { type Card, cardOf } from "./card";
import { changed } from "./changes";
import { savePng, saveSvg } from "./export";
import { Film } from "./film";
import { brief, heading, shapeText } from "./format";
import { Graph, type Item, type Visible } from "./graph";
import { type Layout, layOut } from "./layout";
import { ModulePanel, NodePanel, SourcePanel } from "./panel";
import type { Look } from "./picture";
import { Player } from "./player";
import { fromHash, type State, type Tab, toHash } from "./state";
import { StepPanel } from "./stepping";
import { type Key, type Lang, noteText, say, stopText } from "./text";
import { DARK, LIGHT } from "./theme";
import { Help, Toolbar } from "./toolbar";
import { TrainingPanel } from "./training";
import type { Description } from "./types";
import { GraphView, type ViewHandle } from "./view";

interface Drawn {
  layout: Layout;
  visible: Visible;
  cards: Map<string, Card>;
}

function useDark(theme: State["theme"]): boolean {
  const query = useMemo(() => window.matchMedia("(prefers-color-scheme: dark)"), []);
  const [system, setSystem] = useState(query.matches);
  useEffect(() => {
    const changed = () => setSystem(query.matches);
    query.addEventListener("change", changed);
    return () => query.removeEventListener("change", changed);
  }, []);
  return theme === "auto" ? system : theme === "dark";
}

/** A graph with a picture of it, if there is one yet, and the reader's settings. */
interface Shown {
  graph: Graph;
  version: number;
  drawn: Drawn | null;
  state: State | null;
}

/** The picture of a graph with some modules open. */
async function draw(graph: Graph, open: Set<number>, lang: Lang): Promise<Drawn> {
  const visible = graph.visible(open);
  const words = { ops: say(lang, "ops"), node: say(lang, "node"), call: say(lang, "call") };
  const cards = new Map([...visible.items].map(([k, item]) => [k, cardOf(item, graph, words)]));
  const nested = (m: number) => {
    const c = graph.childrenOf(m < 0 ? null : m);
    return { keys: [...c.nodes.map((n) => `n${n}`), ...c.modules.map((n) => `m${n}`)], modules: c.modules };
  };
  return { layout: await layOut(visible, cards, nested), visible, cards };
}

const nameOf = (open: Set<number>, lang: Lang) => `${lang} ${[...open].sort((a, b) => a - b).join(".")}`;

/** The newest graph: the embedded one, then what the server sends, once its picture is ready. */
function useLive(first: Description, now: { current: State | null }): Shown {
  const [shown, setShown] = useState<Shown>(() => ({ graph: new Graph(first), version: 0, drawn: null, state: null }));
  const modules = useRef(shown.graph.modules.length);
  useEffect(() => {
    if (!first.live) return;
    const events = new EventSource("events");
    let known = first;
    const load = async () => {
      const answer = await fetch(`graph.json?have=${known.edition ?? ""}`);
      if (!answer.ok) return;
      const news = await answer.json();
      if (news.edition === known.edition) return;
      const whole = news.changes && news.have === known.edition ? changed(known, news.changes) : news;
      const before = known;
      known = { ...(whole as Description), edition: news.edition };
      const graph = new Graph(known);
      const state = now.current && graph.modules.length === modules.current ? now.current : null;
      const drawn = state && (await draw(graph, state.open, state.lang));
      modules.current = graph.modules.length;
      setShown((s) => ({ graph, version: s.version + 1, drawn, state: state && { ...now.current!, open: state.open, train: moved(now.current!.train, before, known) } }));
    };
    let waiting = Promise.resolve(); // one after the other: each builds on the one before
    events.addEventListener("graph", () => { waiting = waiting.then(load).catch(() => undefined); });
    return () => events.close();
  }, []);
  return shown;
}

export function App({ first }: { first: Description }) {
  const now = useRef<State | null>(null);
  const shown = useLive(first, now);
  return <Page key={shown.version} {...shown} now={now} />;
}

function Page({ graph, version, drawn: ready, state: before, now }: Shown & { now: { current: State | null } }) {
  const data = graph.data;
  const film = useMemo(() => new Film(data), [data]);
  const initial = useMemo<State>(() => ({
    open: graph.defaultOpen(), selected: null, tab: "details", film: null, train: null, quiz: false, query: "",
    theme: "auto", lang: data.lang === "ja" ? "ja" : "en", camera: null,
  }), [graph]);
  const restored = () => fromHash(location.hash, initial, graph.modules.length, graph.nodes.length);
  const [state, setState] = useState<State>(() => (before ? checked(before, graph) : restored()));
  const latest = useRef(state);
  now.current = latest.current; // several keys may come before the page is drawn again
  const set = useCallback((change: Partial<State>) => setState((latest.current = { ...latest.current, ...change })), []);
  const dark = useDark(state.theme);
  const palette = dark ? DARK : LIGHT;
  const lang: Lang = state.lang;
  const t = useCallback((key: Key, fill?: Record<string, string | number>) => say(lang, key, fill), [lang]);
  const [drawn, setDrawn] = useState<Drawn | null>(ready);
  const [message, setMessage] = useState(version ? t("update") : "");
  const [playing, setPlaying] = useState(false);
  const [speed, setSpeed] = useState(1);
  const [asking, setAsking] = useState(true);
  const [score, setScore] = useState<[number, number]>([0, 0]);
  const [busy, setBusy] = useState(false); // the layout is being computed
  const [help, setHelp] = useState(false);
  const view = useRef<ViewHandle>(null);
  const searchBox = useRef<HTMLInputElement>(null);
  const layouts = useRef(new Map<string, Drawn>(ready && before ? [[nameOf(before.open, before.lang), ready]] : []));
  const pending = useRef<string | null>( // what to bring into the window once it is laid out
    state.camera ? null : keyOfSelected(state.selected) ?? keyOfStep(state.film));

  /** What stands in the picture for a node or module: itself, or the folded module it is in. */
  function keyOfSelected(selected: string | null, open = state.open): string | null {
    if (!selected) return null;
    if (selected.startsWith("n")) return graph.keyOf(Number(selected.slice(1)), open);
    const m = graph.modules[Number(selected.slice(1))];
    for (const outer of graph.chain(m.parent)) if (!open.has(outer)) return `m${outer}`;
    return selected;
  }
  function keyOfStep(position: number | null): string | null {
    const id = film.current(position);
    return id === null ? null : graph.keyOf(id, state.open);
  }

  // ---- the address ----------------------------------------------------------------------------
  useEffect(() => {
    const timer = setTimeout(() => {
      try {
        const hash = toHash(state, initial);
        if (hash !== location.hash.slice(1)) history.replaceState(null, "", `#${hash}`);
      } catch { /* a page inside another one may not have an address */ }
    }, 150);
    return () => clearTimeout(timer);
  }, [state]);
  useEffect(() => {
    const changed = () => set(restored());
    window.addEventListener("hashchange", changed);
    return () => window.removeEventListener("hashchange", changed);
  }, [initial]);
  useEffect(() => {
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    document.documentElement.lang = lang;
  }, [dark, lang]);

  // ---- layout ---------------------------------------------------------------------------------
  useEffect(() => {
    const key = nameOf(state.open, lang);
    const known = layouts.current.get(key);
    if (known) {
      setDrawn(known);
      setBusy(false);
      return;
    }
    let live = true;
    setBusy(true);
    void draw(graph, state.open, lang).then((result) => {
      layouts.current.set(key, result);
      if (live) setDrawn(result);
      setBusy(false);
    });
    return () => { live = false; };
  }, [graph, state.open, lang]);
  useEffect(() => {
    if (drawn && pending.current) {
      view.current?.show(pending.current);
      pending.current = null;
    }
  }, [drawn]);

  // ---- what is selected -----------------------------------------------------------------------
  const found = useMemo(() => graph.search(state.query), [graph, state.query]);
  const foundKeys = useMemo(() => new Set(found.map((n) => graph.keyOf(n, state.open))), [found, state.open]);
  const node = state.selected?.startsWith("n") ? graph.nodes[Number(state.selected.slice(1))] : null;
  const module = state.selected?.startsWith("m") ? graph.modules[Number(state.selected.slice(1))] : null;
  const current = film.current(state.film);
  const currentKey = keyOfStep(state.film);
  const active = keyOfSelected(state.selected) ?? currentKey;

  const select = useCallback((key: string | null) => set({ selected: key, ...(key ? { tab: "details" as Tab } : {}) }), []);
  /** Open what hides a node or module, select it, and bring it into the window. */
  const reveal = (key: string) => {
    const inner = key.startsWith("n") ? graph.nodes[Number(key.slice(1))].module : graph.modules[Number(key.slice(1))].parent;
    const open = new Set([...state.open, ...graph.chain(inner)]);
    const place = keyOfSelected(key, open)!;
    set({ selected: key, tab: state.tab === "source" ? "source" : "details", ...(open.size > state.open.size ? { open } : {}) });
    if (open.size > state.open.size) pending.current = place;
    else view.current?.show(place);
  };
  const toggle = (m: number) => {
    const open = new Set(state.open);
    if (!open.delete(m)) open.add(m);
    pending.current = open.has(m) ? null : `m${m}`;
    set({ open, selected: `m${m}` });
  };

  // ---- the film -------------------------------------------------------------------------------
  const goTo = (position: number | null) => {
    const p = position === null ? null : Math.max(0, Math.min(film.length, position));
    setAsking(true);
    const id = film.current(p);
    set({ film: p, ...(p === null ? { tab: "details" } : { tab: "step", selected: null }) });
    if (id !== null) view.current?.show(graph.keyOf(id, state.open));
    if (p === null || p >= film.length) setPlaying(false);
  };
  const asks = state.quiz && asking && film.asked(state.film, graph.nodes) !== null;
  useEffect(() => {
    if (!playing || asks) return;
    const timer = setTimeout(() => goTo((state.film ?? 0) + 1), 1100 / speed);
    return () => clearTimeout(timer);
  });
  const play = () => {
    if (!playing && (state.film === null || state.film >= film.length)) goTo(0);
    setPlaying(!playing);
  };
  const answered = (right: boolean) => {
    setAsking(false);
    setScore(([a, b]) => [a + (right ? 1 : 0), b + 1]);
  };

  const step = film.backStep(state.film);
  const lookOf = (key: string): Look => {
    const n = key.startsWith("n") ? graph.nodes[Number(key.slice(1))] : null;
    const isCurrent = key === currentKey;
    const ask = asks && isCurrent && n && n.id === current ? (step ? "" : "value") : asks && n && step?.inputs?.find((i) => i.out)?.to === n.id ? "grad" : "";
    return {
      selected: key === active && state.selected !== null, current: isCurrent, found: state.query !== "" && foundKeys.has(key),
      value: !n || film.hasValue(n, state.film), grad: !n || film.hasGradient(n, state.film), ask,
    };
  };
  const labelOf = (item: Item): string => {
    if (item.module) return `${t("module")} ${item.module.path} ${item.module.type ?? ""}, ${item.module.nodes} ${t("ops")}`;
    const n = item.node!;
    const value = film.hasValue(n, state.film) && n.value ? `, ${t("value")} ${brief(n.value)}` : "";
    const grad = film.hasGradient(n, state.film) && n.grad ? `, ${t("gradient")} ${brief(n.grad)}` : "";
    return `${heading(n)}, ${t(n.kind)} ${shapeText(n.shape)}${asks ? "" : value + grad}${n.stops && n.kind === "op" ? `, ${stopText(lang, n.stops)}` : ""}`;
  };

  // ---- keys -----------------------------------------------------------------------------------
  const neighbour = (direction: string): string | null => {
    if (!drawn) return null;
    const boxes = drawn.layout.boxes;
    if (!active || !boxes.has(active)) return boxes.keys().next().value ?? null;
    const from = boxes.get(active)!;
    const middle = (key: string) => boxes.get(key)!.x + boxes.get(key)!.width / 2;
    const x = middle(active);
    if (direction === "ArrowUp" || direction === "ArrowDown") {
      const near = drawn.visible.links.filter((l) => (direction === "ArrowUp" ? l.to : l.from) === active).map((l) => (direction === "ArrowUp" ? l.from : l.to));
      return near.sort((a, b) => Math.abs(middle(a) - x) - Math.abs(middle(b) - x))[0] ?? null;
    }
    const y = from.y + from.height / 2;
    const side = [...boxes].filter(([k, b]) => k !== active && b.y < y && b.y + b.height > y && (direction === "ArrowLeft" ? middle(k) < x : middle(k) > x)).map(([k]) => k);
    return side.sort((a, b) => Math.abs(middle(a) - x) - Math.abs(middle(b) - x))[0] ?? null;
  };
  /** Keys work wherever the focus is, but not those that the focused control has a use for. */
  const onKey = (e: KeyboardEvent) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented) return;
    const at = e.target as Element;
    const free = at === document.body || at.closest("svg.graph") !== null;
    if (at.closest("input, select, textarea") || !free && OWN_KEYS.has(e.key)) {
      if (e.key !== "Escape" || !help) return;
    }
    if (help && e.key !== "Escape" && e.key !== "?") return;
    if (keyAction(e.key)) e.preventDefault();
  };
  const keys = useRef(onKey);
  keys.current = onKey;
  useEffect(() => {
    const pressed = (e: KeyboardEvent) => keys.current(e);
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, []);
  const closeHelp = () => {
    setHelp(false);
    view.current?.focus(); // where it was opened from, or where keys lead anyway
  };
  const keyAction = (key: string): boolean => {
    if (key.startsWith("Arrow")) {
      const next = neighbour(key);
      if (next) {
        select(next);
        view.current?.show(next);
      }
      return true;
    }
    const inner = node ? node.module ?? null : module?.parent ?? null;
    const actions: Record<string, () => void> = {
      Enter: () => module ? toggle(module.id) : active && select(active), f: () => inner !== null && state.open.has(inner) && toggle(inner),
      "+": () => view.current?.zoomBy(1.3), "=": () => view.current?.zoomBy(1.3), "-": () => view.current?.zoomBy(1 / 1.3),
      "0": () => view.current?.fit(), "/": () => searchBox.current?.focus(), " ": play, ",": () => goTo((latest.current.film ?? 1) - 1),
      ".": () => goTo((latest.current.film ?? 0) + 1), Home: () => goTo(0), End: () => goTo(film.length), t: nextTheme,
      l: () => set({ lang: latest.current.lang === "en" ? "ja" : "en" }), "?": () => help ? closeHelp() : setHelp(true),
      Escape: () => (help ? closeHelp() : set({ selected: null, query: "" })),
    };
    actions[key]?.();
    return key in actions;
  };
  const nextTheme = () => {
    const now = latest.current.theme;
    set({ theme: now === "auto" ? "light" : now === "light" ? "dark" : "auto" });
  };

  const copyLink = async () => {
    try {
      await navigator.clipboard.writeText(location.href);
      setMessage(t("copied"));
    } catch {
      setMessage(location.href);
    }
  };
  const scene = () => ({ graph, ...drawn!, palette, look: lookOf, title: data.title ?? "kobai" });

  // ---- a training step shown in the graph ------------------------------------------------------
  const recorded = (what: "values" | "grads") => {
    const i = data.training?.parameters.findIndex((p) => p.node === node?.id) ?? -1;
    return state.train !== null && i >= 0 ? data.training!.steps[state.train]?.[what]?.[i] : undefined;
  };

  const words = { lang, t };
  const notes = (data.notes ?? []).map((n) => noteText(lang, n));
  const tabs: [Tab, Key][] = [["details", "details"], ["source", "source"], ["step", "step"], ...(data.training ? [["training", "training"] as [Tab, Key]] : [])];
  const panel = () => {
    const own = asks && node && node.id === current && !step ? "value" as const : asks && node && step?.inputs?.find((i) => i.out)?.to === node.id ? "grad" as const : "" as const;
    if (state.tab === "source") return <SourcePanel {...words} graph={graph} node={node ?? (current === null ? null : graph.nodes[current])} />;
    if (state.tab === "step") return <StepPanel {...words} notes={notes} film={film} graph={graph} position={state.film} dark={dark} quiz={state.quiz} asking={asking} score={score} onAnswered={answered} onSelect={reveal} />;
    if (state.tab === "training" && data.training) return <TrainingPanel {...words} training={data.training} graph={graph} at={state.train} dark={dark} onAt={(train) => set({ train })} onSelect={reveal} />;
    if (node) {
      return <NodePanel {...words} graph={graph} node={node} dark={dark} hidden={own} onSelect={reveal} onSource={() => set({ tab: "source" })}
        value={film.hasValue(node, state.film) ? recorded("values") ?? node.value : null} grad={film.hasGradient(node, state.film) ? recorded("grads") ?? node.grad : null} />;
    }
    if (module) return <ModulePanel {...words} module={module} graph={graph} open={state.open.has(module.id)} onToggle={() => toggle(module.id)} onSelect={reveal} />;
    return <p class="soft">{t("selectHint")}</p>;
  };

  if (!graph.nodes.length) return <p class="empty">{t("empty")}</p>;
  return (
    <div class="page">
      <Toolbar {...words} state={state} set={set} title={data.title ?? ""} found={found} searchBox={searchBox} onFound={(n) => reveal(`n${n}`)}
        onZoom={(f) => view.current?.zoomBy(f)} onFit={() => view.current?.fit()} onTheme={nextTheme} onHelp={() => setHelp(!help)}
        canFold={graph.modules.length > 0} onFold={() => set({ open: new Set(), camera: null })} onUnfold={() => set({ open: unfolded(graph, state.open), camera: null })}
        onSvg={() => drawn && saveSvg(scene())} onPng={() => drawn && void savePng(scene())} onLink={location.protocol === "about:" ? null : () => void copyLink()} />
      {(data.notes?.length || message || busy && drawn) ? <p class="notes" role="status">{[busy && drawn ? t("laidOut") : "", message, ...notes].filter(Boolean).join(" ")}</p> : null}
      <main>
        {drawn ? <GraphView ref={view} graph={graph} {...drawn} palette={palette} look={lookOf} labelOf={labelOf} active={active} busy={busy} camera={state.camera}
          onCamera={(camera) => set({ camera })} onSelect={select} onToggle={toggle}
          words={{ graph: `${t("graph")}: ${data.title ?? ""}`, help: t("graphHelp"), minimap: t("minimap"), module: (path) => `${t("module")} ${path}` }} /> :
          <div class="stage"><p class="empty">{t("laidOut")}</p></div>}
        <aside aria-label={t("panel")}>
          <div role="tablist" class="tabs">
            {tabs.map(([tab, key]) => <button key={tab} id={`tab-${tab}`} role="tab" aria-selected={state.tab === tab} aria-controls="tab-panel" onClick={() => set({ tab })}>{t(key)}</button>)}
          </div>
          <div id="tab-panel" role="tabpanel" aria-labelledby={`tab-${state.tab}`} class="panel">{panel()}</div>
        </aside>
      </main>
      <Player {...words} film={film} position={state.film} playing={playing} speed={speed} quiz={state.quiz} onPlay={play} onGo={goTo}
        onSpeed={setSpeed} onQuiz={() => { setAsking(true); setScore([0, 0]); set({ quiz: !state.quiz }); }} />
      {help && <Help {...words} onClose={closeHelp} />}
    </div>
  );
}

/** The place of a training step among those of a newer graph: of a long training every second step is forgotten. */
function moved(place: number | null, before: Description, after: Description): number | null {
  const step = place === null ? undefined : before.training?.steps[place]?.step;
  if (step === undefined) return place;
  const found = after.training?.steps.findIndex((s) => s.step >= step) ?? -1;
  return found < 0 ? null : found;
}

/** Settings that were made for another version of the graph. */
function checked(s: State, graph: Graph): State {
  const number = Number(s.selected?.slice(1) ?? 0);
  const known = number < (s.selected?.startsWith("m") ? graph.modules : graph.nodes).length;
  return { ...s, selected: known ? s.selected : null };
}

const OWN_KEYS = new Set(["Enter", " ", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End"]); // of buttons, lists and sliders
const MOST_UNFOLDED = 4000;

/** All modules open, outer ones first, as long as the picture can still be laid out. */
function unfolded(graph: Graph, open: Set<number>): Set<number> {
  if (graph.nodes.length <= MOST_UNFOLDED) return new Set(graph.modules.map((m) => m.id));
  const out = new Set(open);
  let shown = graph.visible(out).items.size;
  for (const m of graph.modules) { // the first ones that are folded
    const size = graph.childrenOf(m.id).nodes.length + graph.childrenOf(m.id).modules.length;
    if (out.has(m.id) || !graph.chain(m.parent).every((outer) => out.has(outer)) || shown + size > MOST_UNFOLDED) continue;
    out.add(m.id);
    shown += size;
  }
  return out;
}
