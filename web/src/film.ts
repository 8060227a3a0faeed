// Forward and backward as one film: step i is done when i < position.

import { num, scalar } from "./format";
import type { BackStep, Description, GraphNode, Num, Value } from "./types";

export class Film {
  readonly forward: number[];
  readonly backward: BackStep[];
  readonly length: number;
  private readonly computed = new Map<number, number>(); // node -> its forward step
  private readonly sent = new Map<number, number>(); // node -> the step at which its gradient is known

  constructor(data: Description) {
    this.forward = data.forward ?? [];
    this.backward = data.backward ?? [];
    this.length = this.forward.length + this.backward.length;
    this.forward.forEach((n, i) => this.computed.set(n, i));
    this.backward.forEach((s, i) => this.sent.has(s.node) || this.sent.set(s.node, this.forward.length + i));
  }

  /** The node of the step that was done last. */
  current(position: number | null): number | null {
    if (position === null || position < 1 || position > this.length) return null;
    const i = position - 1;
    return i < this.forward.length ? this.forward[i] : this.backward[i - this.forward.length].node;
  }

  isForward(position: number): boolean {
    return position <= this.forward.length;
  }

  backStep(position: number | null): BackStep | null {
    return position === null || position <= this.forward.length ? null : this.backward[position - 1 - this.forward.length] ?? null;
  }

  hasValue(node: GraphNode, position: number | null): boolean {
    const step = this.computed.get(node.id);
    return position === null || step === undefined || step < position;
  }

  hasGradient(node: GraphNode, position: number | null): boolean {
    const step = this.sent.get(node.id);
    return position === null || (step !== undefined && step < position);
  }

  /** The number that a quiz asks for at a step: the result, or the first gradient that goes on. */
  asked(position: number | null, nodes: GraphNode[]): { text: string; value: Num } | null {
    const node = this.current(position);
    if (node === null || position === null) return null;
    const back = this.backStep(position);
    const value = back ? (back.inputs ?? []).find((i) => i.out)?.out ?? back.g : nodes[node].value;
    const found = firstNumber(value);
    return found === null ? null : { text: num(found), value: found };
  }
}

export function firstNumber(v: Value | null | undefined): Num | null {
  if (!v) return null;
  return scalar(v) ?? v.data?.[0] ?? v.corner?.data?.[0] ?? null;
}

/** Whether an answer agrees with a number as it is shown: four digits. */
export function isRight(answer: string, value: Num): boolean {
  const text = answer.trim().replace("−", "-").toLowerCase();
  if (!text) return false;
  if (typeof value === "string") return text === value;
  const given = Number(text);
  return Number.isFinite(given) && Math.abs(given - value) <= 5e-3 * Math.abs(value) + 1e-9;
}
