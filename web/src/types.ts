// The data that `kobai.viewer.model` describes: see the docstring there. Empty fields may be missing.

export type Num = number | string;

export interface Value {
  shape?: number[];
  dtype?: string;
  data?: Num[];
  min?: Num;
  max?: Num;
  mean?: Num;
  std?: Num;
  nan?: number;
  inf?: number;
  map?: { rows: number; columns: number; levels: string };
  corner?: { rows: number; columns: number; data?: Num[] };
}

export interface GraphNode {
  id: number;
  kind: "op" | "leaf" | "parameter" | "constant";
  op?: string;
  grad_fn?: string;
  name?: string;
  module?: number | null;
  root?: boolean;
  shape?: number[];
  dtype?: string;
  value?: Value | null;
  outputs?: number;
  grad?: Value | null;
  bytes?: number;
  saved_bytes?: number;
  time?: number | null;
  back_time?: number | null;
  source?: { file: number; line: number; function?: string } | null;
  formula?: string;
  doc?: number | null;
  numbers?: string;
  settings?: string[];
  stops?: string | null;
}

export interface ModuleInfo {
  id: number;
  parent?: number | null;
  name: string;
  path: string;
  type?: string;
  call: number;
  nodes: number;
  kind: "module" | "run";
}

export interface BackInput {
  to?: number | null;
  name?: string;
  formula?: string;
  rule?: string;
  derivative?: string;
  local?: Value | null;
  out?: Value | null;
  text?: string;
  stop?: string | null;
}

export interface BackStep {
  node: number;
  g?: Value | null;
  parts?: { from?: number | null; value?: Value | null }[];
  inputs?: BackInput[];
  leaf?: boolean;
}

export interface TrainingStep {
  step: number;
  loss?: Num | null;
  values?: (Value | null)[];
  grads?: (Value | null)[];
}

export interface Training {
  parameters: { name: string; shape?: number[]; node?: number | null }[];
  steps: TrainingStep[];
}

export interface Description {
  title?: string;
  lang?: string;
  live?: boolean;
  edition?: number; // counts what a running program has shown
  notes?: string[];
  nodes: GraphNode[];
  edges: [number, number, number, number][];
  modules: ModuleInfo[];
  files: { name: string; text?: string }[];
  docs?: [string, string][];
  forward: number[];
  backward: BackStep[];
  training?: Training | null;
}
