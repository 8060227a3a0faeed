"""Which loop runs over which dimension: the axes that fused ops share.

A *placement* says for each dimension of a value which axes run over it, outermost first; a dimension of size 1
has none.  Every op starts with axes of its own, and where one op takes what another gives, their axes are made
one: `Axes.match` matches two placements of the same value, and splits an axis where a reshape does.
`source` finds the placement of a value from that of a window of it (its transpose, reshape, expansion ...), so
movement between fused ops costs nothing.
"""
from __future__ import annotations

from math import prod

Placement = tuple[tuple[int, ...], ...]


class Apart(Exception):
    """Two placements that no common loops can serve."""


class Axes:
    """The axes of a fusion, as numbers, and their sizes; splits and unions are tentative until kept."""

    def __init__(self):
        self.sizes: list[int] = []
        self.changed: dict[int, tuple[int, ...]] = {}

    def new(self, shape) -> Placement:
        """Axes of its own for each dimension."""
        return tuple([() if s == 1 else (self._axis(s),) for s in shape])

    def _axis(self, size: int) -> int:
        self.sizes.append(size)
        return len(self.sizes) - 1

    def leaves(self, axes) -> tuple[int, ...]:
        """What axes have become."""
        if not self.changed or not any(a in self.changed for a in axes):
            return tuple(axes)
        return tuple([leaf for a in axes for leaf in (self.leaves(self.changed[a]) if a in self.changed else (a,))])

    def now(self, placement: Placement) -> Placement:
        """What a placement has become."""
        return tuple([self.leaves(axes) for axes in placement])

    def split(self, axis: int, inner: int) -> tuple[int, int]:
        """An axis as two, the inner of this size."""
        pair = self._axis(self.sizes[axis] // inner), self._axis(inner)
        self.changed[axis] = pair
        return pair

    def match(self, a: Placement, b: Placement):
        """Make the axes of two placements of one value the same.

        Raises:
            Apart: if that is not possible.
        """
        for ours, theirs in zip(a, b, strict=True):
            self._match(list(self.leaves(ours)), list(self.leaves(theirs)))

    def _match(self, ours: list[int], theirs: list[int]):
        while ours and theirs:
            x, y = ours.pop(), theirs.pop()
            if x == y:
                continue
            n, k = self.sizes[x], self.sizes[y]
            if n == k:
                self.changed[y] = (x,)
            elif n % k == 0:
                outer, inner = self.split(x, k)
                self.changed[y] = (inner,)
                ours.append(outer)
            elif k % n == 0:
                outer, inner = self.split(y, n)
                self.changed[inner] = (x,)
                theirs.append(outer)
            else:
                raise Apart
        if ours or theirs:
            raise Apart

    def regroup(self, axes, shape) -> Placement:
        """The same axes, from the outermost to the innermost, over the dimensions of a shape.

        Raises:
            Apart: if they do not divide so.
        """
        left, found = list(self.leaves(axes)), []
        for size in reversed(shape):
            some: list[int] = []
            while size > 1:
                if not left:
                    raise Apart
                axis = left.pop()
                have = self.sizes[axis]
                if size % have == 0:
                    some.insert(0, axis)
                    size //= have
                elif have % size == 0:
                    outer, inner = self.split(axis, size)
                    some.insert(0, inner)
                    left.append(outer)
                    size = 1
                else:
                    raise Apart
            found.append(tuple(some))
        if left:
            raise Apart
        return tuple(reversed(found))


def source(axes: Axes, shape, itemsize: int, window_shape, strides, offset: int, placement: Placement) -> Placement:
    """Where a contiguous value of `shape` is placed, when a window of it is placed so.

    Raises:
        Apart: if the window leaves elements out, or mixes them.
    """
    moving = [(st, d) for d, (s, st) in enumerate(zip(window_shape, strides)) if s != 1 and st != 0]
    moving.sort(key=lambda pair: -pair[0])
    step = itemsize
    for st, d in reversed(moving):
        if st != step:
            raise Apart
        step *= window_shape[d]
    if offset or step != itemsize * prod(shape):
        raise Apart
    return axes.regroup([a for _, d in moving for a in placement[d]], shape)


def aligned(shape, full: Placement) -> Placement:
    """The placement of a value that broadcasts to what is placed as `full`."""
    lead = len(full) - len(shape)
    return tuple([() if s == 1 else axes for s, axes in zip(shape, full[lead:])])


def steps(axes: Axes, shape, strides, placement: Placement) -> dict[int, int]:
    """The stride along each axis, in bytes, of memory whose dimensions have these strides."""
    found: dict[int, int] = {}
    for size, stride, some in zip(shape, strides, placement):
        if size == 1:
            continue
        for axis in reversed(some):
            found[axis] = stride
            stride *= axes.sizes[axis]
    return found
