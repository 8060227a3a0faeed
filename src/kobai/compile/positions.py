"""Steps of convolutions, and where their taps read.

They read inputs as these lie, or *staged*: with zeros around them and apart by their places modulo the stride.
"""
from __future__ import annotations

from itertools import product
from math import gcd, prod
from typing import NamedTuple

from kobai.compile.graph import Value
from kobai.compile.windows import Window, contiguous

STAGE = (
    "channels", "x_sample", "x_channel", "x_plane", "x_row", "x_step",  # strides in bytes
    "depth", "height",                                                  # of the input
    "stride_plane", "stride_row",                                       # in planes and rows of the input
    "planes", "rows", "width", "phases",                                # of the result
)  # fmt: skip


ACROSS = 32          # output channels in a line of a panel of weights
MOST_LINES = 8192    # of a panel
MOST_PLACES = 256    # taken together, if a row is no longer
MOST_WIDTH = 512     # of a row


class ConvStep:
    """One call of code for convolutions: `sizes` and `table` are its words.

    `kind` is "stage", "conv", "correlate" or "gather"; "panel" or "lanes" for many output channels; "slide" or "within" for
    groups with few channels.
    """

    __slots__ = ("kind", "reads", "writes", "sizes", "table", "dtype", "parts", "work")

    def __init__(self, kind, reads, out: Value, sizes: dict, table, work: int, parts: int = 1):
        self.kind, self.reads, self.writes, self.dtype = kind, reads, [out], out.dtype
        self.sizes, self.table, self.work, self.parts = sizes, table, work, parts

    def __str__(self):
        s = self.sizes
        if self.kind == "stage":
            return f"stage {s['samples']} x {s['channels']} planes of {s['rows']} x {s['width']}, {s['phases']} times"
        if self.kind == "gather":
            return f"sum of {self.parts} times {s['groups']} x {s['rows']} x {s['taps']} weights"
        if self.kind == "panel":
            return f"panel of {s['groups']} x {s['lines']} lines of {s['rows']} weights"
        if self.kind == "lanes":
            return (f"lanes of {s['samples']} x {s['groups']} x {s['channels']} planes, {s['taps']} taps, "
                    f"{s['rows']} x {s['lines'] * s['width']} results")
        if self.kind in ("slide", "within"):
            return (f"{self.kind} of {s['samples']} x {s['groups']} groups, {s['channels']} to {s['rows']} planes, "
                    f"{s['taps']} taps, {s['phases']} times")
        return (f"{self.kind} of {s['samples']} x {s['groups']} x {s['channels']} planes, {s['taps']} taps, "
                f"{s['rows']} x {s['count']} results")


class Staging(NamedTuple):
    """How planes with zeros around them are made: the `sizes` of one, the words (`STAGE`) and the table of the code.

    The table has five words for each phase: the first plane, the first row, the first byte of a row; from which place
    of a row to which there are elements.
    """

    sizes: list
    count: int     # planes of a channel, one for each place of taps modulo the stride
    words: dict
    table: list

    def steps(self, size: int) -> tuple[int, ...]:
        """Bytes from element to element along each dimension."""
        return contiguous(self.sizes, size)


def three(values, fill) -> list:
    """Padded in front to three dimensions."""
    return [*[fill] * (3 - len(values)), *values]


def beside(v: Value, w: Window) -> bool:
    """Whether elements of a row lie beside each other."""
    return v.shape[-1] == 1 or w.strides[-1] == v.dtype.itemsize


def places(op, kernel) -> list:
    """Of each dimension, how far into the input taps reach."""
    return [[k * d for k in range(n)] for n, d in zip(kernel, op.dilation)]


def as_it_lies(op, kernel, strides) -> list[int]:
    """Offsets in bytes of all taps in an input with these strides of its last dimensions."""
    return [sum(p * s for p, s in zip(at, strides)) for at in product(*places(op, kernel))]


def staging(v: Value, w: Window, phases, sizes, stride, padding) -> Staging:
    """`v` with zeros around it: planes of `sizes` for each of the phases, dimension by dimension."""
    strides = w.strides
    d, h, n = three(v.shape[2:], 1)
    planes, rows, width = three(sizes, 1)
    (td, th, t), (pd, ph, p) = three(stride, 1), three(padding, 0)
    step = strides[-1]
    xd, xh = three(strides[2:-1], 0)[1:]
    table = []
    for fd, fh, f in product(*three(phases, [0])):
        low, high = max(0, -((f - p) // t)), min(width, (n - 1 + p - f) // t + 1)
        table += [fd - pd, fh - ph, (f - p) * step, low, max(low, high)]
    words = {"channels": v.shape[1], "x_sample": strides[0], "x_channel": strides[1], "x_plane": xd, "x_row": xh,
             "x_step": step * t, "depth": d, "height": h, "stride_plane": td, "stride_row": th, "planes": planes,
             "rows": rows, "width": width, "phases": len(table) // 5, "samples": v.shape[0]}
    return Staging(list(sizes), len(table) // 5, words, table)


def padded(v: Value, w: Window, op, kernel, out) -> Staging:
    """An input with zeros around it, as far as taps at positions `out` reach."""
    sizes = [(n - 1) * t + some[-1] + 1 for n, t, some in zip(out, op.stride, places(op, kernel))]
    return staging(v, w, [[0]] * len(sizes), sizes, (1,) * len(sizes), op.padding)


def reached(v: Value, w: Window, along) -> tuple[list[int], Staging | None]:
    """For phases of each dimension: how many zeros they need before the first element, and how to stage if they need any."""
    lows = [max(0, *[-p.low for p in some]) for some in along]
    sizes = [max(p.high for p in some) + low for low, some in zip(lows, along)]
    if not any(lows) and beside(v, w) and all(n <= m for n, m in zip(sizes, v.shape[2:])):
        return lows, None
    return lows, staging(v, w, [[0]] * len(sizes), sizes, (1,) * len(sizes), lows)


def covers(along, spatial) -> bool:
    """Whether every place is in a phase."""
    return sum(prod(p.count for p in some) for some in product(*along)) == prod(spatial)


def staged_taps(v: Value, w: Window, op, kernel, out) -> tuple[Staging, list[int]]:
    """How to stage an input for taps at positions `out`, and where these read then, in bytes from a channel's first plane."""
    along = places(op, kernel)
    phases = [sorted({p % s for p in some}) for some, s in zip(along, op.stride)]
    sizes = [n + max(p // s for p in some) for n, some, s in zip(out, along, op.stride)]
    made, size = staging(v, w, phases, sizes, op.stride, op.padding), v.dtype.itemsize
    offsets = []
    for at in product(*along):
        phase = 0
        for p, s, found in zip(at, op.stride, phases):
            phase = phase * len(found) + found.index(p % s)
        offsets.append(phase * prod(sizes) * size + sum(p // s * step for p, s, step in zip(at, op.stride, made.steps(size))))
    return made, offsets


class Phase:
    """Places of one dimension of an input's gradient that the same taps reach.

    They are ``first + i * stride`` for i below `count`; taps `tap + j * step` for j below `taps` read the elements
    ``start + i - ends[j]``, which lie from `low` to below `high`.
    """

    def __init__(self, stride, first, count, start, tap, step, ends):
        self.stride, self.first, self.count, self.start = stride, first, count, start
        self.tap, self.step, self.ends = tap, step, ends
        self.low, self.high = start - max(ends), start + count - min(ends)


def phases_of(size: int, kernel: int, stride: int, padding: int, dilation: int) -> list[Phase]:
    """The phases of one dimension: places modulo the stride that any tap reaches."""
    found = []
    for place in range(stride):
        taps = [k for k in range(kernel) if k * dilation % stride == place]
        start = -((place - padding) // stride) if place < padding else 0
        first = place - padding + stride * start
        count = -(-(size - first) // stride)
        if taps and count > 0:
            found.append(Phase(stride, first, count, start, taps[0], stride // gcd(stride, dilation),
                               [(k * dilation - place) // stride for k in taps]))
    return found
