// The whole picture as an SVG or PNG file.

import { render } from "preact";
import type { Card } from "./card";
import type { Graph, Visible } from "./graph";
import type { Layout } from "./layout";
import { Arrows, CardView, Frames, type Look } from "./picture";
import type { Palette } from "./theme";

const MARGIN = 16;
const MOST_PIXELS = 12_000; // of a side of a PNG

export interface Scene {
  graph: Graph;
  visible: Visible;
  layout: Layout;
  cards: Map<string, Card>;
  palette: Palette;
  look: (key: string) => Look;
  title: string;
}

export function svgText({ graph, visible, layout, cards, palette, look, title }: Scene): string {
  const width = Math.ceil(layout.width + 2 * MARGIN);
  const height = Math.ceil(layout.height + 2 * MARGIN);
  const holder = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  holder.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  holder.setAttribute("width", String(width));
  holder.setAttribute("height", String(height));
  holder.setAttribute("viewBox", `${-MARGIN} ${-MARGIN} ${width} ${height}`);
  render(
    <>
      <title>{title}</title>
      <rect x={-MARGIN} y={-MARGIN} width={width} height={height} fill={palette.back} />
      <Frames layout={layout} graph={graph} palette={palette} full={true} label={(path) => path} />
      <Arrows routes={layout.routes} color={palette.edge} width={1.3} heads={true} />
      {[...layout.boxes].map(([key, box]) => (
        <CardView key={key} item={visible.items.get(key)!} card={cards.get(key)!} box={box} palette={palette} detail="full"
          look={{ ...look(key), selected: false, current: false, found: false }} label={cards.get(key)!.lines[0].text} />
      ))}
    </>,
    holder,
  );
  const text = new XMLSerializer().serializeToString(holder);
  render(null, holder);
  return text;
}

export function saveSvg(scene: Scene): void {
  save(new Blob([svgText(scene)], { type: "image/svg+xml" }), `${fileName(scene.title)}.svg`);
}

export async function savePng(scene: Scene): Promise<void> {
  const image = new Image();
  const address = URL.createObjectURL(new Blob([svgText(scene)], { type: "image/svg+xml" }));
  try {
    await new Promise((done, failed) => {
      image.onload = done;
      image.onerror = failed;
      image.src = address;
    });
    const scale = Math.min(2, MOST_PIXELS / Math.max(image.width, image.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(image.width * scale));
    canvas.height = Math.max(1, Math.round(image.height * scale));
    canvas.getContext("2d")!.drawImage(image, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/png"));
    if (blob) save(blob, `${fileName(scene.title)}.png`);
  } finally {
    URL.revokeObjectURL(address);
  }
}

function fileName(title: string): string {
  return title.replace(/[^\p{L}\p{N}._-]+/gu, "_").slice(0, 60) || "graph";
}

function save(blob: Blob, name: string): void {
  const a = document.createElement("a");
  a.href = URL.createObjectURL(blob);
  a.download = name;
  document.body.append(a);
  a.click();
  a.remove();
  setTimeout(() => URL.revokeObjectURL(a.href), 10_000);
}
