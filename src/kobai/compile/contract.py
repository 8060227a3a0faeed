"""Matrix products of a plan: `contract(steps)` says of each what to multiply, in strides."""
from __future__ import annotations

from math import prod

from kobai.compile.affine import is_product
from kobai.compile.fuse import KernelStep, OpStep
from kobai.compile.graph import Value
from kobai.compile.memory import copy_step
from kobai.compile.windows import Window, own


class ProductStep:
    """C = alpha A B, or alpha A B + E, for each matrix of a batch: sizes m, n, k; of the batch `sizes` (at most two).

    `strides` in bytes has for A, B, C and perhaps E those of the batch, of rows and of columns; one of the last two
    is one element, that of columns for C and E.
    """

    __slots__ = ("reads", "writes", "m", "n", "k", "sizes", "strides", "dtype", "alpha")

    def __init__(self, reads, out, m, n, k, sizes, strides, alpha=1.0):
        self.alpha = alpha
        self.reads, self.writes, self.dtype = reads, [out], out.dtype
        self.m, self.n, self.k, self.sizes, self.strides = m, n, k, sizes, strides

    @property
    def adds(self) -> bool:
        """Whether there is an E."""
        return len(self.reads) == 3

    def __str__(self):
        return f"product of {self.m} x {self.k} and {self.k} x {self.n}" + f", {list(self.sizes)} times" * bool(self.sizes) \
            + " and a sum" * self.adds


def contract(steps) -> list:
    """The steps, with matrix products among them as `ProductStep`s and the copies these need."""
    found = []
    for step in steps:
        found += _product(step) if isinstance(step, OpStep) and is_product(step.node) else [step]
    return found


def _product(step: OpStep) -> list[KernelStep | ProductStep | OpStep]:
    a, b, *e = step.node.args
    out = step.node.outs[0]
    copies, sides = [], []
    reads = dict(zip(step.node.values, step.reads))
    for v, w in ((a, reads[a]), (b, reads[b])):
        if _batch(out.shape, w.strides) is None or not _readable(v, w):
            copy = Value(v.shape, v.dtype)
            copies.append(copy_step(v, w, copy))
            w = own(copy)
        sides.append(w)
    strides = [w.strides for w in sides] + [own(out).strides]
    for v in e:
        w = reads[v]
        if w.strides[-1] != v.dtype.itemsize and v.shape[-1] > 1:
            copy = Value(v.shape, v.dtype)
            copies.append(copy_step(v, w, copy))
            w = own(copy)
        sides.append(w)
        lead = (0,) * (len(out.shape) - len(v.shape))
        strides.append(lead + tuple([0 if n == 1 else s for n, s in zip(v.shape, w.strides)]))
    batch = merged(out.shape[:-2], [s[:-2] for s in strides])
    if len(batch) > 2:
        return [step]
    sizes = tuple([size for size, _ in batch])
    each = [(*[s[i] for _, s in batch], *strides[i][-2:]) for i in range(len(strides))]
    m, k, n = a.shape[-2], a.shape[-1], b.shape[-1]
    return [*copies, ProductStep(sides, out, m, n, k, sizes, each, getattr(step.node.op, "alpha", 1.0))]


def _readable(v: Value, w: Window) -> bool:
    """Whether rows or columns of a matrix are contiguous and do not overlap."""
    (rows, cols), (row, col), size = v.shape[-2:], w.strides[-2:], v.dtype.itemsize
    by_rows = (col == size or cols == 1) and (row >= cols * size or rows == 1)
    by_cols = (row == size or rows == 1) and (col >= rows * size or cols == 1)
    return (by_rows or by_cols) and row % size == 0 == col % size


def _batch(shape, strides):
    return strides[:-2] if len(strides) == len(shape) else None


def merged(shape, strides):
    """(size, strides) of the axes of a batch, neighbours put together where they can be."""
    merged: list = []
    for d, size in enumerate(shape):
        s = tuple([x[d] for x in strides])
        if size == 1:
            continue
        if merged and all(far == near * size for far, near in zip(merged[-1][1], s)):
            merged[-1] = (merged[-1][0] * size, s)
        else:
            merged.append((size, s))
    assert prod(x for x, _ in merged) == prod(shape)
    return merged
