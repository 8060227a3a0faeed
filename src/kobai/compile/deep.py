"""Deep products, such as gradients of small layers' weights over a large batch: `in_stretches(steps)`.

Of few rows and columns there are too few tiles for threads to share.  So the inner dimension is cut into stretches, a batch
of products, and a kernel adds their results.  Into how many follows from the shape alone: so do the sums, to the bit.
"""
from __future__ import annotations

from functools import lru_cache

from kobai.compile.builder import Builder
from kobai.compile.contract import ProductStep
from kobai.compile.fuse import KernelStep
from kobai.compile.graph import Value
from kobai.compile.kernel import Kernel
from kobai.compile.windows import Window, contiguous

_ROWS, _COLUMNS, _ENOUGH = 28, 64, 8  # of the least tile; tiles that are enough for threads to share
_MOST, _PART, _DEPTH = 16, 1 << 19, 512  # stretches at most; multiplications and depth of each at least
_TRAFFIC = 8  # numbers of A and B for each one that is added at the end


@lru_cache(1024)
def stretches(m: int, n: int, k: int) -> int:
    """Into how many stretches the inner dimension of a product is cut: 1 where there are tiles enough, or no fitting divisor.

    >>> stretches(10, 32, 50_000), stretches(10, 32, 50_021), stretches(1000, 1000, 50_000)
    (16, 1, 1)
    """
    if -(-m // _ROWS) * -(-n // _COLUMNS) >= _ENOUGH or not m * n:
        return 1
    most = min(_MOST, m * n * k // _PART, k // _DEPTH, (m + n) * k // (_TRAFFIC * m * n))
    return next((p for p in range(most, 1, -1) if k % p == 0), 1)


@lru_cache(32)
def adding(types: tuple, row: bool = False) -> Kernel:
    """The kernel that sums rows of elements of each of these types; `row`: and adds a number that the row has."""
    k = Builder("added")
    sums = [k.sum(k.operand(t)) for t in types]
    return k.finish(*[y + k.operand(t, per_row=True) for y, t in zip(sums, types)] if row else sums)


def in_stretches(steps) -> list:
    """The steps, with deep products as batches whose results are added."""
    found = []
    for step in steps:
        parts = stretches(step.m, step.n, step.k) if isinstance(step, ProductStep) and not step.sizes \
            and step.dtype.char in "fd" else 1
        found += _cut(step, parts) if parts > 1 else [step]
    return found


def _cut(step: ProductStep, parts: int) -> list:
    m, n, each = step.m, step.n, step.k // parts
    between = Value((parts, m, n), step.dtype)
    a, b, c, *e = step.strides
    whole = contiguous(between.shape, step.dtype.itemsize)
    products = ProductStep(step.reads[:2], between, m, n, each, (parts,),
                           [(a[-1] * each, *a), (b[-2] * each, *b), whole], step.alpha)
    reads = [Window(between, 0, (*whole[1:], whole[0])), *step.reads[2:]]
    strides = [(*x, 0) for x in (*e, c)]
    add = KernelStep(adding((step.dtype,), bool(e)), (m, n, parts), 1, reads, step.writes,
                     [reads[0].strides, *strides], ["sum"] + ["add"] * len(e))
    return [products, add]
