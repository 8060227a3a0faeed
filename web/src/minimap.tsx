// The whole picture small, with a frame around what is seen; a click moves there.

import { useEffect, useRef } from "preact/hooks";
import type { Visible } from "./graph";
import type { Layout } from "./layout";
import type { Camera } from "./state";
import { kindOf, type Palette } from "./theme";

const WIDTH = 170;
const HEIGHT = 130;

interface Props {
  layout: Layout;
  visible: Visible;
  palette: Palette;
  label: string;
  listen: (moved: (c: Camera) => void) => void;
  camera: () => Camera;
  size: () => { width: number; height: number };
  onMove: (x: number, y: number) => void;
}

export function Minimap({ layout, visible, palette, label, listen, camera, size, onMove }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const scale = Math.min(WIDTH / Math.max(1, layout.width), HEIGHT / Math.max(1, layout.height));
  const left = (WIDTH - layout.width * scale) / 2;
  const top = (HEIGHT - layout.height * scale) / 2;

  const move = (c: Camera) => {
    const { width, height } = size();
    const style = frame.current?.style;
    if (!style) return;
    const x = Math.max(0, left - (c.x / c.k) * scale);
    const y = Math.max(0, top - (c.y / c.k) * scale);
    style.left = `${x}px`;
    style.top = `${y}px`;
    style.width = `${Math.max(2, Math.min(WIDTH, left + ((width - c.x) / c.k) * scale) - x)}px`;
    style.height = `${Math.max(2, Math.min(HEIGHT, top + ((height - c.y) / c.k) * scale) - y)}px`;
  };

  useEffect(() => {
    const ratio = window.devicePixelRatio || 1;
    const c = canvas.current!;
    c.width = WIDTH * ratio;
    c.height = HEIGHT * ratio;
    const pen = c.getContext("2d");
    if (!pen) return;
    pen.scale(ratio, ratio);
    pen.clearRect(0, 0, WIDTH, HEIGHT);
    for (const [key, b] of layout.boxes) {
      const item = visible.items.get(key);
      pen.fillStyle = palette.line[!item || item.module ? "module" : kindOf(item.node!)];
      pen.fillRect(left + b.x * scale, top + b.y * scale, Math.max(1, b.width * scale), Math.max(1, b.height * scale));
    }
    listen(move);
    move(camera());
  }, [layout, palette, visible]);

  const point = (e: PointerEvent) => {
    if (e.type === "pointermove" && !e.buttons) return;
    const r = canvas.current!.getBoundingClientRect();
    onMove((e.clientX - r.left - left) / scale, (e.clientY - r.top - top) / scale);
  };
  return (
    <div class="minimap" role="img" aria-label={label} onPointerDown={point} onPointerMove={point}>
      <canvas ref={canvas} style={{ width: `${WIDTH}px`, height: `${HEIGHT}px` }} />
      <div ref={frame} class="seen" />
    </div>
  );
}
