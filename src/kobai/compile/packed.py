"""Matrices that many products of few rows multiply are copied once into the order in which these read them.

A recurrent layer multiplies the state by the same weights in each step. What a product of many rows does for itself,
to bring B into slivers, would take too long for a few rows: they read B where it is, its columns one by one, or as pieces
of rows that compete for the same places of the cache. `packed(steps, shared(steps))` puts one copy before all products of
a matrix, and makes each of them a batch: one matrix for each sliver.
"""
from __future__ import annotations

from kobai.compile.contract import ProductStep
from kobai.compile.graph import Value
from kobai.compile.memory import copy_step
from kobai.compile.windows import Window, own

LEAST = 8      # products that share a matrix
FEW = 84       # rows of A: with more a product copies B for itself
_DOTS = 4      # so few are multiplied with contiguous columns of B as they are
_SLIVER = 128  # bytes of a row in a sliver: two registers of 64 bytes, or four of 32
_MOST = 1 << 24   # bytes of a matrix
_SMALL = 1 << 14  # multiplications for which all of that makes no difference


def shared(steps) -> list[list[int]]:
    """The places of products of few rows that multiply the same matrix, of each that `LEAST` of them do."""
    groups: dict[tuple, list[int]] = {}
    for i, step in enumerate(steps):
        if isinstance(step, ProductStep) and not step.sizes and step.m <= FEW and step.dtype.kind == "f":
            b = step.reads[1]
            groups.setdefault((b.base, b.offset, step.strides[1], step.k, step.n), []).append(i)
    return [places for places in groups.values() if len(places) >= LEAST]


def packed(steps, groups) -> list:
    """The steps, with a copy of each matrix that `groups` of them share, if it gains."""
    found = {i: [step] for i, step in enumerate(steps)}
    for places in groups:
        places = [i for i in places if _gains(steps[i])]
        if len(places) >= LEAST:
            copy, copying = _copied(steps[places[0]])
            for i in places:
                found[i] = [_by_slivers(steps[i], copy)]
            found[places[0]].insert(0, copying)
    return [step for i in range(len(found)) for step in found[i]]


def _gains(step: ProductStep) -> bool:
    """Whether B does not lie as it is read, and C does."""
    size, (row, col), c = step.dtype.itemsize, step.strides[1], step.strides[2]
    return ((step.m > _DOTS or row != size) and (col != size or not _rest(step))
            and step.m * step.n * step.k >= _SMALL and step.n * step.k * size <= _MOST and step.n * size > _SLIVER
            and c[-1] == size and (c[-2] >= step.n * size or step.m == 1))


def _rest(step: ProductStep) -> int:
    """Columns of B behind the last whole sliver."""
    return step.n % (_SLIVER // step.dtype.itemsize)


def _copied(step: ProductStep):
    """What holds the slivers of B, one after the other, and the step that makes it; if they do not fit, rows of B."""
    columns, (row, col), b = _SLIVER // step.dtype.itemsize, step.strides[1], step.reads[1]
    if _rest(step):
        copy, strides = Value((step.k, step.n), step.dtype), (row, col)
    else:
        copy, strides = Value((step.n // columns, step.k, columns), step.dtype), (columns * col, row, col)
    return copy, copy_step(copy, Window(b.base, b.offset, strides), copy)


def _by_slivers(step: ProductStep, copy: Value) -> ProductStep:
    """The same product of A and the copy of B."""
    a, _, *others = step.strides
    reads, (*count, _, columns) = [step.reads[0], own(copy), *step.reads[2:]], copy.shape
    if count:
        a, others = (0, *a), [(_SLIVER, *s) for s in others]
    return ProductStep(reads, step.writes[0], step.m, columns, step.k, tuple(count), [a, own(copy).strides, *others],
                       step.alpha)
