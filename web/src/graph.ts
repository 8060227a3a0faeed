// The graph with its modules, and what of it is visible when some modules are open and the others folded.

import type { Lang } from "./text";
import type { Description, GraphNode, ModuleInfo } from "./types";

/** Something with a place in the picture: a node, or a folded module. */
export interface Item {
  key: string; // "n12" or "m3"
  node?: GraphNode;
  module?: ModuleInfo;
  inlined: GraphNode[]; // parameters shown in the card of the one operation that uses them
}

export interface Link {
  from: string;
  to: string;
  count: number;
}

export interface Visible {
  items: Map<string, Item>;
  links: Link[];
  frames: number[]; // open modules with something visible in them, outer ones first
}

const AT_ONCE = 60; // items shown at first

export class Graph {
  readonly nodes: GraphNode[];
  readonly modules: ModuleInfo[];
  readonly inputs: number[][] = []; // node -> the nodes it takes, by input number
  readonly users: number[][] = [];
  readonly children = new Map<number | null, { nodes: number[]; modules: number[] }>();
  readonly inlinedIn = new Map<number, number>(); // parameter -> its one user

  constructor(readonly data: Description) {
    this.nodes = data.nodes ?? [];
    this.modules = data.modules ?? [];
    for (let i = 0; i < this.nodes.length; i++) {
      this.inputs.push([]);
      this.users.push([]);
    }
    for (const [from, to] of data.edges ?? []) {
      this.inputs[to].push(from);
      this.users[from].push(to);
    }
    for (const m of this.modules) this.childrenOf(m.parent ?? null).modules.push(m.id);
    for (const n of this.nodes) this.childrenOf(n.module ?? null).nodes.push(n.id);
    for (const n of this.nodes) {
      const user = this.users[n.id][0];
      if (n.kind === "parameter" && this.users[n.id].length === 1) this.inlinedIn.set(n.id, user);
    }
  }

  /** What an operation does, in the reader's language, unless the formula says it. */
  docOf(node: GraphNode, lang: Lang): string {
    const doc = (node.doc == null ? undefined : this.data.docs?.[node.doc])?.[lang === "ja" ? 1 : 0] ?? "";
    return doc === `${node.formula}.` ? "" : doc;
  }

  childrenOf(module: number | null) {
    let found = this.children.get(module);
    if (!found) this.children.set(module, (found = { nodes: [], modules: [] }));
    return found;
  }

  /** The modules a node or module is in, outermost first. */
  chain(module: number | null | undefined): number[] {
    const out: number[] = [];
    for (let m = module ?? null; m !== null; m = this.modules[m].parent ?? null) out.unshift(m);
    return out;
  }

  /** Modules opened at first: outer ones before inner ones, as long as the picture stays small. */
  defaultOpen(): Set<number> {
    const open = new Set<number>();
    const size = (m: number | null) => {
      const c = this.childrenOf(m);
      return c.modules.length + c.nodes.filter((n) => !this.inlinedIn.has(n)).length;
    };
    let shown = size(null);
    let queue = [...this.childrenOf(null).modules];
    while (queue.length) {
      const next: number[] = [];
      const alike = new Map<string, number[]>(); // modules of one type are opened together or not at all
      for (const m of queue) alike.set(this.typeOf(m), [...(alike.get(this.typeOf(m)) ?? []), m]);
      for (const group of alike.values()) {
        const more = group.reduce((sum, m) => sum + size(m) - 1, 0);
        if (shown + more > AT_ONCE) continue;
        shown += more;
        for (const m of group) {
          open.add(m);
          next.push(...this.childrenOf(m).modules);
        }
      }
      queue = next;
    }
    return open;
  }

  private typeOf(module: number): string {
    return this.modules[module].type || this.modules[module].kind;
  }

  /** The key of what stands for a node: itself, the operation it is written in, or a folded module. */
  keyOf(node: number, open: Set<number>): string {
    for (const m of this.chain(this.nodes[node].module)) if (!open.has(m)) return `m${m}`;
    const user = this.inlinedIn.get(node);
    return user === undefined ? `n${node}` : this.keyOf(user, open);
  }

  visible(open: Set<number>): Visible {
    const items = new Map<string, Item>();
    const frames: number[] = [];
    const walk = (module: number | null) => {
      const c = this.childrenOf(module);
      for (const id of c.nodes) {
        if (!this.inlinedIn.has(id)) items.set(`n${id}`, { key: `n${id}`, node: this.nodes[id], inlined: [] });
      }
      for (const id of c.modules) {
        if (open.has(id)) {
          frames.push(id);
          walk(id);
        } else items.set(`m${id}`, { key: `m${id}`, module: this.modules[id], inlined: [] });
      }
    };
    walk(null);
    const keys = this.nodes.map((n) => this.keyOf(n.id, open));
    for (const [id] of this.inlinedIn) items.get(keys[id])?.node && items.get(keys[id])!.inlined.push(this.nodes[id]);
    const links = new Map<string, Link>();
    for (const [a, b] of this.data.edges ?? []) {
      const from = keys[a];
      const to = keys[b];
      if (from === to) continue;
      const id = `${from} ${to}`;
      const have = links.get(id);
      if (have) have.count++;
      else links.set(id, { from, to, count: 1 });
    }
    return { items, links: [...links.values()], frames };
  }

  /** The nodes whose name, operation, module, shape or line contains all words of a query. */
  search(query: string): number[] {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) return [];
    return this.nodes.filter((n) => words.every((w) => this.searchText(n).includes(w))).map((n) => n.id);
  }

  private texts = new Map<number, string>();

  private searchText(n: GraphNode): string {
    let text = this.texts.get(n.id);
    if (text === undefined) {
      const module = n.module == null ? "" : this.modules[n.module].path;
      const type = n.module == null ? "" : this.modules[n.module].type ?? "";
      text = [n.op, n.name, n.grad_fn, module, type, (n.shape ?? []).join("×"), `[${(n.shape ?? []).join(", ")}]`,
        n.dtype, n.kind, n.source ? `:${n.source.line}` : "", n.stops].join(" ").toLowerCase();
      this.texts.set(n.id, text);
    }
    return text;
  }
}
