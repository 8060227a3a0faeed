// Recorded steps of a training loop: loss, parameters and gradients as they move.

import { Fragment } from "preact";
import { num, scalar, shapeText } from "./format";
import type { Graph } from "./graph";
import { heatMap } from "./heat";
import type { Words } from "./panel";
import type { Num, Training, Value } from "./types";

interface Props extends Words {
  training: Training;
  graph: Graph;
  at: number | null;
  dark: boolean;
  onAt: (i: number) => void;
  onSelect: (key: string) => void;
}

export function TrainingPanel({ training, at, dark, onAt, onSelect, t }: Props) {
  const steps = training.steps;
  const i = Math.min(at ?? steps.length - 1, steps.length - 1);
  const step = steps[i];
  return (
    <div class="node">
      <h2>{t("trainStep")} {step.step}</h2>
      <input type="range" class="wide" min={0} max={steps.length - 1} value={i} aria-label={t("trainStep")} aria-valuetext={`${t("trainStep")} ${step.step}`}
        onInput={(e) => onAt(Number(e.currentTarget.value))} />
      <p>{t("loss")} <strong class="loss">{num(step.loss)}</strong></p>
      <Curve values={steps.map((s) => s.loss ?? null)} at={i} label={t("loss")} wide />
      <table class="training">
        <thead><tr><th scope="col">{t("params")}</th><th scope="col">{t("value")}</th><th scope="col">{t("gradient")}</th></tr></thead>
        <tbody>
          {training.parameters.map((p, k) => (
            <tr key={k}>
              <th scope="row">{p.node == null ? p.name : <button class="link" onClick={() => onSelect(`n${p.node}`)}>{broken(p.name)}</button>}<br /><span class="soft">{shapeText(p.shape)}</span></th>
              {(["values", "grads"] as const).map((what) => (
                <td key={what}>
                  <Small value={step[what]?.[k]} dark={dark} />
                  <Curve values={steps.map((s) => level(s[what]?.[k]))} at={i} label={`${p.name} ${t(what === "values" ? "value" : "gradient")}`} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A path that may be broken into lines at its dots. */
function broken(path: string) {
  return path.split(/(?<=\.)/).map((part, i) => <Fragment key={i}>{i > 0 && <wbr />}{part}</Fragment>);
}

/** One number that says how a value moves: itself, or the standard deviation. */
function level(v: Value | null | undefined): Num | null {
  if (!v) return null;
  const one = scalar(v);
  if (one !== null) return one;
  if (!v.data) return v.std ?? null;
  const numbers = v.data.filter((x): x is number => typeof x === "number");
  return numbers.length ? Math.sqrt(numbers.reduce((a, b) => a + b * b, 0) / numbers.length) : null;
}

function Small({ value, dark }: { value: Value | null | undefined; dark: boolean }) {
  if (!value) return <span class="soft">—</span>;
  const one = scalar(value);
  if (one !== null) return <span>{num(one)}</span>;
  if (value.data) return <img class="small" alt={value.data.slice(0, 8).map(num).join(", ")} src={heatMap(value, dark)} />;
  return <span class="soft">{num(value.mean)} ± {num(value.std)}</span>;
}

export function Curve({ values, at, label, wide }: { values: (Num | null)[]; at: number; label: string; wide?: boolean }) {
  const [width, height] = wide ? [300, 70] : [90, 24];
  const finite = values.filter((v): v is number => typeof v === "number");
  if (!finite.length) return null;
  const low = Math.min(...finite);
  const span = Math.max(...finite) - low || 1;
  const x = (i: number) => 3 + (i / Math.max(1, values.length - 1)) * (width - 6);
  const y = (v: number) => height - 3 - ((v - low) / span) * (height - 6);
  const path = values.map((v, i) => (typeof v === "number" ? `${x(i).toFixed(1)},${y(v).toFixed(1)}` : "")).filter(Boolean).join(" ");
  const here = values[at];
  return (
    <svg class={wide ? "curve wide" : "curve"} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={`${label}: ${num(here)}`}>
      <polyline points={path} fill="none" stroke="currentColor" stroke-width={1.4} />
      {typeof here === "number" && <circle cx={x(at)} cy={y(here)} r={3} class="dot" />}
    </svg>
  );
}
