// The window onto the picture: pan, zoom, and only what is inside is drawn.

import { select } from "d3-selection";
import { zoom, zoomIdentity, type ZoomBehavior } from "d3-zoom";
import { useEffect, useImperativeHandle, useMemo, useRef, useState } from "preact/hooks";
import { forwardRef } from "preact/compat";
import type { Card } from "./card";
import type { Graph, Item, Visible } from "./graph";
import type { Box, Layout } from "./layout";
import { Minimap } from "./minimap";
import { Arrows, CardView, type Detail, Frames, type Look } from "./picture";
import type { Camera } from "./state";
import type { Palette } from "./theme";

export interface ViewHandle {
  fit(): void;
  zoomBy(factor: number): void;
  show(key: string): void; // bring an item into the window
  focus(): void;
}

interface Props {
  graph: Graph;
  visible: Visible;
  layout: Layout;
  cards: Map<string, Card>;
  palette: Palette;
  look: (key: string) => Look;
  labelOf: (item: Item) => string;
  active: string | null;
  busy: boolean;
  camera: Camera | null;
  onCamera: (c: Camera | null) => void;
  onSelect: (key: string | null) => void;
  onToggle: (module: number) => void;
  words: { graph: string; help: string; minimap: string; module: (path: string) => string };
}

interface Window {
  box: Box; // what is drawn, with a margin around what is seen
  detail: Detail;
}

const READABLE = 0.62;
const detailOf = (k: number): Detail => (k > 0.5 ? "full" : k > 0.13 ? "title" : "box");
const meets = (a: Box, b: Box) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
const inside = (a: Box, b: Box) => a.x >= b.x && a.y >= b.y && a.x + a.width <= b.x + b.width && a.y + a.height <= b.y + b.height;

export const GraphView = forwardRef<ViewHandle, Props>(function GraphView(props, handle) {
  const { layout, palette, visible, cards, graph } = props;
  const svg = useRef<SVGSVGElement>(null);
  const world = useRef<SVGGElement>(null);
  const behavior = useRef<ZoomBehavior<SVGSVGElement, unknown> | null>(null);
  const camera = useRef<Camera>({ x: 0, y: 0, k: 1 });
  const moved = useRef<((c: Camera) => void) | null>(null);
  const [drawn, setDrawn] = useState<Window>({ box: { x: 0, y: 0, width: 0, height: 0 }, detail: "full" });
  const drawnNow = useRef(drawn);
  const latest = useRef(props);
  latest.current = props;

  const size = () => {
    const r = svg.current!.getBoundingClientRect();
    return { width: r.width || 800, height: r.height || 600 };
  };

  /** Draw anew if what is seen is no longer inside what is drawn, or is drawn in another detail. */
  const redraw = (force = false) => {
    const { x, y, k } = camera.current;
    const { width, height } = size();
    const seen = { x: -x / k, y: -y / k, width: width / k, height: height / k };
    const now = drawnNow.current;
    const detail = detailOf(k);
    if (!force && detail === now.detail && inside(seen, now.box) && now.box.width < seen.width * 4) return;
    const box = { x: seen.x - seen.width / 2, y: seen.y - seen.height / 2, width: seen.width * 2, height: seen.height * 2 };
    setDrawn((drawnNow.current = { box, detail }));
  };

  /** All of the picture; at first no smaller than can be read, from the top, if there is not too much of it. */
  const fitted = (readable: boolean): Camera => {
    const { width, height } = size();
    const l = latest.current.layout;
    const least = readable && l.boxes.size <= 150 && l.width * READABLE <= width ? READABLE : 0;
    const k = Math.max(least, Math.min(1.25, (width - 40) / Math.max(1, l.width), (height - 40) / Math.max(1, l.height)));
    return { k, x: (width - l.width * k) / 2, y: Math.max(20, (height - l.height * k) / 2) };
  };

  const go = (c: Camera) => select(svg.current!).call(behavior.current!.transform, zoomIdentity.translate(c.x, c.y).scale(c.k));

  useEffect(() => {
    let programmed = false;
    const z = zoom<SVGSVGElement, unknown>().scaleExtent([0.005, 4]).clickDistance(4)
      .filter((e: Event) => !((e as MouseEvent).button > 0) && !(e.type === "dblclick"))
      .on("zoom", (e) => {
        camera.current = { x: e.transform.x, y: e.transform.y, k: e.transform.k };
        world.current!.setAttribute("transform", e.transform.toString());
        moved.current?.(camera.current);
        redraw();
        if (e.sourceEvent) programmed = true;
      })
      .on("end", (e) => {
        if (e.sourceEvent || programmed) latest.current.onCamera({ ...camera.current });
        programmed = false;
      });
    behavior.current = z;
    select(svg.current!).call(z);
    const observer = new ResizeObserver(() => {
      if (!svg.current) return; // it left the page with the graph that it showed
      if (latest.current.camera) redraw(true);
      else go(fitted(true));
    });
    observer.observe(svg.current!);
    return () => observer.disconnect();
  }, []);

  useEffect(() => {
    go(props.camera ?? fitted(true));
    redraw(true);
  }, [layout]);

  useEffect(() => {
    const c = props.camera;
    if (!c) go(fitted(true));
    else if (c.x !== camera.current.x || c.y !== camera.current.y || c.k !== camera.current.k) go(c);
  }, [props.camera]);

  useImperativeHandle(handle, () => ({
    fit: () => {
      const c = fitted(false);
      go(c);
      latest.current.onCamera(c);
    },
    zoomBy: (factor) => {
      select(svg.current!).call(behavior.current!.scaleBy, factor);
      latest.current.onCamera({ ...camera.current });
    },
    show: (key) => {
      const box = latest.current.layout.boxes.get(key);
      if (!box) return;
      const { width, height } = size();
      const { x, y, k } = camera.current;
      const seen = { x: -x / k, y: -y / k, width: width / k, height: height / k };
      const readable = Math.max(k, 0.7);
      if (inside(box, seen) && k > 0.5) return;
      const c = { k: readable, x: width / 2 - (box.x + box.width / 2) * readable, y: height / 2 - (box.y + box.height / 2) * readable };
      go(c);
      latest.current.onCamera(c);
    },
    focus: () => svg.current?.focus(),
  }), []);

  const shown = useMemo(() => {
    const keys = [...layout.boxes].filter(([, b]) => meets(b, drawn.box)).map(([k]) => k);
    if (props.active && layout.boxes.has(props.active) && !keys.includes(props.active)) keys.push(props.active);
    return keys;
  }, [layout, drawn.box, props.active]);
  const routes = useMemo(() => layout.routes.filter((r) => meets(grown(r.box), drawn.box)), [layout, drawn.box]);
  const lit = useMemo(() => (props.active ? layout.routes.filter((r) => r.from === props.active || r.to === props.active) : []), [layout, props.active]);

  const click = (e: MouseEvent) => {
    const target = e.target as Element;
    const parameter = target.closest("[data-param]")?.getAttribute("data-param");
    const key = target.closest("[data-key]")?.getAttribute("data-key") ?? null;
    const frame = target.closest("[data-frame]")?.getAttribute("data-frame");
    svg.current?.focus();
    if (parameter) props.onSelect(`n${parameter}`);
    else if (key) props.onSelect(key);
    else if (frame && target.classList.contains("handle")) props.onToggle(Number(frame));
    else props.onSelect(null);
  };
  const doubleClick = (e: MouseEvent) => {
    const key = (e.target as Element).closest("[data-key]")?.getAttribute("data-key");
    if (key?.startsWith("m")) props.onToggle(Number(key.slice(1)));
  };

  return (
    <div class="stage">
      <svg ref={svg} class="graph" role="application" tabindex={0} aria-label={props.words.graph} aria-describedby="graph-help" aria-busy={props.busy} data-items={layout.boxes.size} data-engine={layout.engine}
        aria-activedescendant={props.active ? `item-${props.active}` : undefined} style={{ background: palette.back }}
        onClick={click} onDblClick={doubleClick}>
        <g ref={world}>
          <Frames layout={layout} graph={graph} palette={palette} full={drawn.detail === "full"} label={props.words.module} />
          <Arrows routes={routes} color={palette.edge} width={drawn.detail === "box" ? 3 : 1.3} heads={drawn.detail !== "box"} />
          {lit.length > 0 && <Arrows routes={lit} color={palette.lit} width={2.4} heads={drawn.detail !== "box"} />}
          {shown.map((key) => {
            const item = visible.items.get(key);
            return item && (
              <CardView key={key} item={item} card={cards.get(key)!} box={layout.boxes.get(key)!} palette={palette}
                detail={drawn.detail} look={props.look(key)} label={props.labelOf(item)} />
            );
          })}
        </g>
      </svg>
      <p id="graph-help" class="hidden">{props.words.help}</p>
      <Minimap layout={layout} palette={palette} visible={visible} label={props.words.minimap} listen={(f) => { moved.current = f; }}
        camera={() => camera.current} size={() => (svg.current ? size() : { width: 1, height: 1 })}
        onMove={(x, y) => {
          const { width, height } = size();
          const k = camera.current.k;
          const c = { k, x: width / 2 - x * k, y: height / 2 - y * k };
          go(c);
          props.onCamera(c);
        }} />
    </div>
  );
});

function grown(b: Box): Box {
  return { x: b.x - 4, y: b.y - 4, width: b.width + 8, height: b.height + 8 };
}
