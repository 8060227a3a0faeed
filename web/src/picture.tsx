// The picture: cards, arrows and frames as SVG elements, the same on the screen and in a file.

import { memo } from "preact/compat";
import { type Card, LINE, PAD, PICTURE } from "./card";
import type { Graph, Item } from "./graph";
import { heatMap } from "./heat";
import type { Box, Layout, Route } from "./layout";
import { kindOf, type Palette } from "./theme";

export const MONO = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', 'Noto Sans CJK JP', monospace";

export type Detail = "full" | "title" | "box";

export interface Look {
  selected: boolean;
  current: boolean;
  found: boolean;
  value: boolean; // false: not computed yet in the film
  grad: boolean;
  ask: "" | "value" | "grad"; // hidden by the quiz
}

export interface CardProps {
  item: Item;
  card: Card;
  box: Box;
  palette: Palette;
  detail: Detail;
  look: Look;
  label: string;
}

function same(a: CardProps, b: CardProps): boolean {
  return a.card === b.card && a.box === b.box && a.palette === b.palette && a.detail === b.detail && a.label === b.label &&
    (Object.keys(a.look) as (keyof Look)[]).every((k) => a.look[k] === b.look[k]);
}

export const CardView = memo(function CardView({ item, card, box, palette: p, detail, look, label }: CardProps) {
  const kind = item.module ? "module" : kindOf(item.node!);
  const stop = item.node?.stops && item.node.kind === "op";
  const strong = look.selected || look.current;
  return (
    <g id={`item-${item.key}`} class="card" data-key={item.key} role="button" aria-label={label} aria-pressed={look.selected}
      aria-expanded={item.module ? false : undefined} transform={`translate(${box.x.toFixed(1)} ${box.y.toFixed(1)})`}>
      {item.module && detail === "full" && <rect x={3} y={3} width={box.width} height={box.height} rx={7} fill={p.fill.module} stroke={p.line.module} stroke-width={1} />}
      <rect width={box.width} height={box.height} rx={7} fill={look.found ? p.found : detail === "box" ? p.line[kind] : p.fill[kind]}
        stroke={strong ? p.accent : look.found ? p.text : stop ? p.stop : p.line[kind]} stroke-width={strong ? 3 : 1.1}
        stroke-dasharray={kind === "constant" || stop ? "4 3" : undefined} />
      {detail === "full" ? <Lines card={card} palette={p} look={look} onFound={look.found} stop={!!stop} width={box.width} /> :
        detail === "title" ? <Title text={card.lines[0].text} box={box} fill={look.found ? "#1b1f24" : p.text} /> : null}
    </g>
  );
}, same);

/** The first line alone, as large as fits, for when the picture is small. */
function Title({ text, box, fill }: { text: string; box: Box; fill: string }) {
  const size = Math.min(30, (box.width - 8) / (0.62 * text.length), box.height * 0.7);
  return (
    <text x={box.width / 2} y={box.height / 2 + size * 0.35} font-family={MONO} font-size={size.toFixed(1)} text-anchor="middle" fill={fill}>{text}</text>
  );
}

function Lines({ card, palette: p, look, onFound, stop, width }: { card: Card; palette: Palette; look: Look; onFound: boolean; stop: boolean; width: number }) {
  const rows = [];
  let y = PAD + 8;
  let pictured = false;
  const picture = () => {
    if (!card.picture || pictured) return;
    pictured = true;
    const top = y - 10;
    if (look.value && look.ask !== "value") {
      rows.push(
        <image key="map" x={PAD} y={top} width={width - 2 * PAD} height={PICTURE} preserveAspectRatio="none" href={heatMap(card.picture, p.dark)} style="image-rendering:pixelated" />,
        <rect key="edge" x={PAD} y={top} width={width - 2 * PAD} height={PICTURE} fill="none" stroke={p.edge} stroke-width={0.6} />,
      );
    } else rows.push(<rect key="edge" x={PAD} y={top} width={width - 2 * PAD} height={PICTURE} fill="none" stroke={p.edge} stroke-width={0.6} stroke-dasharray="2 3" />);
    y += PICTURE + 4;
  };
  card.lines.forEach((line, i) => {
    if (line.kind !== "title" && line.kind !== "shape") picture();
    const hidden = (line.kind === "value" && !look.value) || (line.kind === "grad" && !look.grad);
    const asked = (line.kind === "value" && look.ask === "value") || (line.kind === "grad" && look.ask === "grad");
    const text = asked ? (line.kind === "grad" ? "grad ?" : "?") : hidden ? "·" : line.text;
    const fill = onFound ? "#1b1f24" : line.kind === "grad" ? p.grad : line.kind === "meta" || line.kind === "shape" ? p.soft : line.kind === "param" ? p.line.parameter : p.text;
    rows.push(
      <text key={i} x={PAD} y={y} font-family={MONO} font-size={line.kind === "title" ? 11.8 : 11} font-weight={line.kind === "title" ? 700 : 400}
        fill={line.kind === "param" && !onFound ? (p.dark ? "#8cc8ee" : "#1d5f8a") : fill} data-param={line.node}>{text}</text>,
    );
    y += LINE;
  });
  picture();
  if (stop) rows.push(<text key="stop" x={width - PAD - 2} y={PAD + 8} font-size={12} text-anchor="end" fill={p.stop} aria-hidden="true">⊘</text>);
  return <g aria-hidden="true">{rows}</g>;
}

/** All arrows as two elements: one for the lines, one for the heads. */
export function Arrows({ routes, color, width, heads }: { routes: Route[]; color: string; width: number; heads: boolean }) {
  const lines = routes.map((r) => r.path).join("");
  const tips = heads ? routes.map((r) => head(r.tip)).join("") : "";
  return (
    <g aria-hidden="true" class="arrows">
      <path d={lines} fill="none" stroke={color} stroke-width={width} />
      {tips && <path d={tips} fill={color} />}
    </g>
  );
}

function head([x, y, angle]: [number, number, number]): string {
  const at = (turn: number, far: number) => `${(x - far * Math.cos(angle + turn)).toFixed(1)} ${(y - far * Math.sin(angle + turn)).toFixed(1)}`;
  return `M${x.toFixed(1)} ${y.toFixed(1)}L${at(0.42, 8)}L${at(-0.42, 8)}Z`;
}

export function Frames({ layout, graph, palette: p, full, label }: { layout: Layout; graph: Graph; palette: Palette; full: boolean; label: (path: string) => string }) {
  return (
    <g class="frames">
      {layout.frames.map(({ module, box }) => {
        const m = graph.modules[module];
        const text = `▾ ${m.name}${m.type && m.type !== m.name ? ` · ${m.type}` : ""}${m.call > 1 ? ` (${m.call})` : ""}`;
        const room = Math.floor((box.width - 12) / 6.4);
        return (
          <g key={module} class="frame" data-frame={module} role="button" aria-label={label(m.path)} aria-expanded={true}>
            <rect x={box.x} y={box.y} width={box.width} height={box.height} rx={10} fill={p.frameFill} stroke={p.frame} stroke-width={1} />
            {full && <rect class="handle" x={box.x} y={box.y} width={box.width} height={22} rx={10} fill="transparent" />}
            {full && <text x={box.x + 10} y={box.y + 16} font-family={MONO} font-size={11} fill={p.frameText}>{text.length > room ? `${text.slice(0, Math.max(1, room - 1))}…` : text}</text>}
          </g>
        );
      })}
    </g>
  );
}
