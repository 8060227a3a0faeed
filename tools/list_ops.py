"""Write docs/ops.md: which op does what on which engine.

    python tools/list_ops.py            write the file
    python tools/list_ops.py --print    show what it would hold
"""

import itertools
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

from kobai.testing.engines import EAGERLY, ENGINES, LOOP, NO, NONE, YES, rows  # noqa: E402

HEAD = f"""# Which op does what on which engine

Written by `python tools/list_ops.py`, which tries each op on the samples in its class; tests/ops/test_engines.py and
tests/compile/test_every_op.py fail when a cell gets worse. {YES} works · {LOOP}: works, example by example · {EAGERLY}:
works, but the program around it is not recorded · {NO} fails · empty: has none, as a comparison has no gradient.

- *eager*: NumPy; *strided*: on inputs that are not contiguous. *grad*, *grad of grad*, *jvp*: against finite differences.
- *vmap*: against one call for each example; *vmap of grad*: per-example gradients.
- *scalar code*: what becomes one machine-code kernel with its neighbours, forward and backward. The other ops are
  compiled as steps of their own; those that only move elements become strides.
- *compiled*: in a function given to `kobai.compile`, also with its gradient inside, and differentiated twice from
  outside. {EAGERLY}: how large the result is depends on numbers.
"""


def main():
    text = listing()
    if "--print" in sys.argv:
        sys.stdout.write(text)
    else:
        (ROOT / "docs" / "ops.md").write_text(text, encoding="utf-8")


def listing():
    """The text of docs/ops.md for the code as it is."""
    every = list(rows())
    parts = [HEAD, "\n| engine | ops |\n|---|---|\n"]
    for i, engine in enumerate(ENGINES):
        column = [r.cells[i] for r in every]
        counts = [f"{column.count(c)} {c}" for c in (YES, LOOP, EAGERLY, NO) if c in column]
        parts.append(f"| {engine} | {', '.join(counts)} of {len(column) - column.count(NONE)} |\n")
    for family, group in itertools.groupby(every, key=lambda r: r.family):
        parts.append(f"\n## {family}\n\n| op | node | {' | '.join(ENGINES)} |\n|{'---|' * (len(ENGINES) + 2)}\n")
        parts += [f"| {r.name} | {r.node} | {' | '.join(r.cells)} |\n" for r in group]
    return "".join(parts)


if __name__ == "__main__":
    main()
