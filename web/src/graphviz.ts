// Graphviz in WebAssembly, in a worker: the page stays fluid, and a layout that takes too long is given up.

import { instance } from "@viz-js/viz";

const PATIENCE = 12_000; // ms
const MOST_HERE = 700; // items, if there is no worker and the page has to wait

// The worker runs the same program as the page (see main.tsx), so it needs no file of its own.
const program = typeof document === "undefined" ? "" : document.currentScript?.textContent ?? "";

type Answer = { id: number; text?: string; error?: string };

let worker: Worker | null = null;
let broken = program === "";
let next = 0;
const waiting = new Map<number, { done: (text: string) => void; failed: (error: Error) => void; timer: ReturnType<typeof setTimeout> }>();

/** Lay out DOT text; the result is Graphviz's JSON. Fails if that takes too long. */
export async function graphviz(dot: string, items: number): Promise<string> {
  const helper = start();
  if (!helper) {
    if (items > MOST_HERE) throw new Error("too large for a layout without a worker");
    return here(dot);
  }
  return new Promise((done, failed) => {
    const id = next++;
    const timer = setTimeout(() => {
      waiting.delete(id);
      helper.terminate();
      if (worker === helper) worker = null;
      failed(new Error("Graphviz took too long"));
    }, PATIENCE);
    waiting.set(id, { done, failed, timer });
    helper.postMessage({ id, dot });
  });
}

let viz: ReturnType<typeof instance> | null = null;

async function here(dot: string): Promise<string> {
  return (await (viz ??= instance())).renderString(dot, { format: "json0", engine: "dot" });
}

function start(): Worker | null {
  if (worker || broken) return worker;
  try {
    const address = URL.createObjectURL(new Blob([program], { type: "text/javascript" }));
    worker = new Worker(address);
    worker.onmessage = (e: MessageEvent<Answer>) => {
      const asked = waiting.get(e.data.id);
      if (!asked) return;
      waiting.delete(e.data.id);
      clearTimeout(asked.timer);
      if (e.data.text !== undefined) asked.done(e.data.text);
      else asked.failed(new Error(e.data.error));
    };
    worker.onerror = (e) => { // refused by a Content-Security-Policy, for example
      e.preventDefault();
      broken = true;
      worker = null;
      for (const { failed, timer } of waiting.values()) {
        clearTimeout(timer);
        failed(new Error("no worker"));
      }
      waiting.clear();
    };
  } catch {
    broken = true;
  }
  return worker;
}

/** Whether a worker could not be had: then the layout may be tried once more in the page. */
export function withoutWorker(): boolean {
  return broken;
}

/** What the worker does. */
export function serve(): void {
  self.onmessage = async (e: MessageEvent<{ id: number; dot: string }>) => {
    const answer: Answer = { id: e.data.id };
    try {
      answer.text = await here(e.data.dot);
    } catch (error) {
      answer.error = String(error);
    }
    postMessage(answer);
  };
}
