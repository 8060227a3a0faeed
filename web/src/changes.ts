// What a running program's page gets of a new graph: only what has changed. See src/kobai/viewer/changes.py.

type Change = [unknown] | { [key: string]: Change | number };

/** The old value with a change made; parts without changes are shared with the old value. */
export function changed(old: unknown, change: Change): unknown {
  if (Array.isArray(change)) return change[0];
  const list = Array.isArray(old);
  const out: Record<string, unknown> = list ? ((old as unknown[]).slice(0, change["#"] as number) as never) : { ...(old as object) };
  for (const [key, part] of Object.entries(change)) {
    if (key !== "#") out[key] = changed((old as Record<string, unknown>)[key], part as Change);
  }
  return out;
}
