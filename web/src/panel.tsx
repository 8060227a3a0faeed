// Beside the picture: all about the selected node, and the line of the program that made it.

import { useEffect, useRef } from "preact/hooks";
import { bytes, heading, num, scalar, seconds, shapeText } from "./format";
import type { Graph } from "./graph";
import { cellsOf, heatMap } from "./heat";
import { type Key, type Lang, stopText } from "./text";
import type { GraphNode, ModuleInfo, Value } from "./types";

export interface Words {
  lang: Lang;
  t: (key: Key, fill?: Record<string, string | number>) => string;
}

interface NodeProps extends Words {
  graph: Graph;
  dark: boolean;
  hidden: "" | "value" | "grad"; // asked for by the quiz
  onSelect: (key: string) => void;
  onSource: () => void;
}

export function NodePanel(props: NodeProps & { node: GraphNode; value: Value | null | undefined; grad: Value | null | undefined }) {
  const { node: n, graph, t, lang, onSelect } = props;
  const module = n.module == null ? null : graph.modules[n.module];
  const file = n.source ? graph.data.files[n.source.file] : null;
  const doc = graph.docOf(n, lang);
  const cost = [n.time == null ? "" : `${t("forward")} ${seconds(n.time)}`, n.back_time == null ? "" : `${t("backward")} ${seconds(n.back_time)}`].filter(Boolean);
  return (
    <div class="node">
      <h2>{heading(n)}</h2>
      <dl>
        <Row name={t("operation")} value={`${t(n.kind)}${n.root ? ` · ${t("result")}` : ""}`} />
        {n.grad_fn && <Row name={t("gradFn")} value={n.grad_fn} code />}
        {(n.formula || doc) && <Row name={t("formula")} value={n.formula ?? ""} code note={doc} />}
        {n.numbers && !props.hidden && <Row name={t("numbers")} value={n.numbers} code />}
        {!!n.settings?.length && <Row name={t("settings")} value={n.settings.join(", ")} code />}
        {n.shape && <Row name={t("shape")} value={`${shapeText(n.shape)}  ${n.dtype ?? ""}`} code />}
        {module && <div><dt>{t("module")}</dt><dd><button class="link" onClick={() => onSelect(`m${module.id}`)}>{module.path}</button> {module.type}</dd></div>}
        {(n.bytes || n.saved_bytes) ? <Row name={t("memory")} value={`${bytes(n.bytes)}${n.saved_bytes ? ` · ${bytes(n.saved_bytes)} ${t("saved")}` : ""}`} /> : null}
        {cost.length > 0 && <Row name={t("time")} value={cost.join(" · ")} />}
        {file && <div><dt>{t("line")}</dt><dd><button class="link" onClick={props.onSource}>{baseName(file.name)}:{n.source!.line}</button>{n.source!.function ? ` ${n.source!.function}()` : ""}</dd></div>}
      </dl>
      {n.stops && n.kind === "op" && <p class="stop">⊘ {stopText(lang, n.stops)}</p>}
      {props.value && <ValueView title={t("value")} value={props.value} dark={props.dark} t={t} lang={lang} hidden={props.hidden === "value"} />}
      {props.grad && <ValueView title={t("gradient")} value={props.grad} dark={props.dark} t={t} lang={lang} hidden={props.hidden === "grad"} />}
      <Others title={t("inputs")} nodes={graph.inputs[n.id]} graph={graph} onSelect={onSelect} />
      <Others title={t("users")} nodes={graph.users[n.id]} graph={graph} onSelect={onSelect} />
    </div>
  );
}

export function ModulePanel({ module: m, graph, t, open, onToggle, onSelect }: Words & { module: ModuleInfo; graph: Graph; open: boolean; onToggle: () => void; onSelect: (key: string) => void }) {
  const c = graph.childrenOf(m.id);
  return (
    <div class="node">
      <h2>{m.path}</h2>
      <p>{m.type} · {m.nodes} {t("ops")}{m.call > 1 ? ` · ${t("call")}${m.call}` : ""}</p>
      <button onClick={onToggle}>{t(open ? "fold" : "unfold")}</button>
      <ul class="others">
        {c.modules.slice(0, 200).map((id) => <li key={id}><button class="link" onClick={() => onSelect(`m${id}`)}>{graph.modules[id].name}</button> {graph.modules[id].type}</li>)}
      </ul>
      <Others title="" nodes={c.nodes} graph={graph} onSelect={onSelect} />
    </div>
  );
}

function Row({ name, value, code, note }: { name: string; value: string; code?: boolean; note?: string }) {
  return <div><dt>{name}</dt><dd>{code ? <code>{value}</code> : value}{note && <small>{note}</small>}</dd></div>;
}

function Others({ title, nodes, graph, onSelect }: { title: string; nodes: number[]; graph: Graph; onSelect: (key: string) => void }) {
  if (!nodes.length) return null;
  const some = [...new Set(nodes)].slice(0, 60);
  return (
    <>
      {title && <h3>{title}</h3>}
      <ul class="others">
        {some.map((id) => <li key={id}><button class="link" onClick={() => onSelect(`n${id}`)}>{heading(graph.nodes[id])}</button> <span class="soft">{shapeText(graph.nodes[id].shape)}</span></li>)}
        {some.length < nodes.length && <li class="soft">…</li>}
      </ul>
    </>
  );
}

const PER_LINE = 5;
const FEW = 16; // numbers that are shown without being asked for

/** A value: the number, or the heat map with statistics, and the numbers on demand. */
export function ValueView({ title, value: v, dark, t, hidden }: Words & { title: string; value: Value; dark: boolean; hidden?: boolean }) {
  const one = scalar(v);
  if (hidden) return <section class="value"><h3>{title}</h3><p class="number">?</p></section>;
  const cells = one === null ? cellsOf(v) : null;
  const numbers = v.data ?? v.corner?.data;
  const wide = v.data ? v.shape?.[v.shape.length - 1] ?? 1 : v.corner?.columns ?? 1;
  const columns = v.shape?.length === 1 ? Math.min(wide, PER_LINE) : wide; // a vector has lines, a matrix its rows
  const stats = [["min", v.min], ["max", v.max], ["mean", v.mean], ["std", v.std], ["nan", v.nan], ["inf", v.inf]] as const;
  return (
    <section class="value">
      <h3>{title} <span class="soft">{shapeText(v.shape)} {v.dtype}</span></h3>
      {one !== null ? <p class="number">{num(one)}</p> : null}
      {cells && <img class="map" alt={title} src={heatMap(v, dark)} style={{ aspectRatio: String(Math.min(8, Math.max(0.6, cells.columns / cells.rows))), maxHeight: `${Math.min(180, Math.max(24, 26 * cells.rows))}px` }} />}
      {!v.data && <p class="stats">{stats.filter(([k, s]) => s !== undefined && s !== null && !(s === 0 && (k === "nan" || k === "inf"))).map(([k, s]) =>
        <span key={k} class={k === "nan" || k === "inf" ? "bad" : ""}>{t(k)} {num(s)}</span>)}</p>}
      {one === null && !!numbers?.length && (
        <details open={numbers.length <= FEW}>
          <summary>{t(v.data ? "numbers" : "firstNumbers")}</summary>
          <div class="scroll"><table><tbody>{rowsOf(numbers, columns).map((row, i) => <tr key={i}>{row.map((x, j) => <td key={j}>{num(x)}</td>)}</tr>)}</tbody></table></div>
        </details>
      )}
    </section>
  );
}

function rowsOf<T>(list: T[], columns: number): T[][] {
  const rows: T[][] = [];
  for (let i = 0; i < list.length; i += Math.max(1, columns)) rows.push(list.slice(i, i + Math.max(1, columns)));
  return rows;
}

export function baseName(path: string): string {
  return path.split(/[\\/]/).pop() || path;
}

const AROUND = 400; // lines before and after the line that are shown

export function SourcePanel({ node, graph, t }: Words & { node: GraphNode | null; graph: Graph }) {
  const line = useRef<HTMLDivElement>(null);
  const source = node?.source ?? null;
  useEffect(() => {
    const here = line.current;
    const box = here?.closest(".code");
    if (here && box) box.scrollTop = Math.max(0, here.offsetTop - box.clientHeight / 2);
  }, [source?.file, source?.line]);
  if (!node) return <p class="soft">{t("selectHint")}</p>;
  if (!source) return <p class="soft">{t("noPlace")}</p>;
  const file = graph.data.files[source.file];
  if (!file?.text) return <p class="soft">{file?.name}:{source.line}<br />{t("noSource")}</p>;
  const all = file.text.split("\n");
  const first = Math.max(0, source.line - AROUND);
  return (
    <>
      <h2 title={file.name}>{baseName(file.name)}:{source.line}</h2>
      <div class="code" tabIndex={0} role="region" aria-label={`${baseName(file.name)} ${t("line")} ${source.line}`}>
        {all.slice(first, source.line + AROUND).map((text, i) => {
          const n = first + i + 1;
          const on = n === source.line;
          return <div key={n} ref={on ? line : undefined} class={on ? "line on" : "line"} aria-current={on ? "true" : undefined}><span class="no">{n}</span><span class="text">{text || " "}</span></div>;
        })}
      </div>
    </>
  );
}
