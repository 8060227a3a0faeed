"""Convolutions of groups with few channels, in a plan: steps for the code of `kobai.backends.depthwise`."""
from __future__ import annotations

from itertools import product
from math import prod

import numpy as np

from kobai.compile.graph import Value
from kobai.compile.memory import copy_step
from kobai.compile.place import zeros_step
from kobai.compile.positions import (
    STAGE,
    ConvStep,
    Staging,
    as_it_lies,
    beside,
    covers,
    phases_of,
    reached,
    staged_taps,
    three,
)
from kobai.compile.windows import Window, own

MOST_BYTES = 1 << 19   # of the planes of a group
MOST_SUMS = 1 << 12    # weights of a group
_TILES = 8             # groups of samples, for threads to have something each
_FEW = 4               # output channels of a group that are few
_SOME = 8              # those that fill registers less well than positions in long rows
_LONG = 12             # positions of a long row


def slide_forward(op, x: Value, xw: Window, w: Value, ww: Window, out: Value) -> list | None:
    """The step that computes a convolution, if groups are small."""
    groups, rows, channels = op.groups, w.shape[0] // op.groups, w.shape[1]
    lie, kernel = own(out).strides, w.shape[2:]
    made, offsets, plane = _read(x, xw, op, kernel, out.shape[2:])
    if not _suits(x, groups, rows, channels, len(offsets), made):
        return None
    sizes = _words(made, x.shape[0], groups, rows, channels, xw.strides, plane) | {
        "w_group": rows * ww.strides[0], "w_row": ww.strides[0], "w_channel": ww.strides[1],
        "taps": len(offsets), "phases": 1} | _where(lie, rows)
    phase = [len(offsets), 0, 0, *three(out.shape[2:], 1)]
    taps, sizes["tall"] = _columns(_taps(offsets, product(*map(range, kernel)), ww), kernel, sizes["plane_row"])
    table = [*taps, *phase, *_staged(made)]
    return [ConvStep("slide", [xw, ww], out, sizes, table, prod(out.shape) * channels * len(offsets))]


def slide_back(op, a: Value, aw: Window, w: Value, ww: Window, out: Value) -> list | None:
    """The steps that compute the gradient of a convolution's input, if groups are small."""
    groups, channels, rows = op.groups, w.shape[0] // op.groups, w.shape[1]
    size, kernel = a.dtype.itemsize, w.shape[2:]
    along = [phases_of(*v) for v in zip(op.spatial, kernel, op.stride, op.padding, op.dilation)]
    if not all(along):
        return None
    lows, made = reached(a, aw, along)
    steps = aw.strides[2:] if made is None else made.steps(size)
    if not _suits(a, groups, rows, channels, prod(kernel), made):
        return None
    taps, table, lie = [], [], own(out).strides
    for some in product(*along):
        reads = product(*[[p.start + low - e for e in p.ends] for p, low in zip(some, lows)])
        which = product(*[[p.tap + j * p.step for j in range(len(p.ends))] for p in some])
        found = _taps([sum(i * s for i, s in zip(at, steps)) for at in reads], which, ww)
        offset = sum(p.first * s for p, s in zip(some, lie[2:]))
        table += [len(found) // 2, len(taps) // 2, offset, *three([p.count for p in some], 1)]
        taps += found
    strided = (*lie[:2], *[s * t for s, t in zip(lie[2:], op.stride)])
    words = _words(made, a.shape[0], groups, rows, channels, aw.strides, steps) | {
        "w_group": channels * ww.strides[0], "w_row": ww.strides[1], "w_channel": ww.strides[0],
        "taps": len(taps) // 2, "phases": len(table) // 6} | _where(strided, rows)
    if len(table) == 6:
        taps, words["tall"] = _columns(taps, kernel, words["plane_row"])
    work = a.shape[0] * groups * rows * channels * prod(kernel) * prod(a.shape[2:])
    step = ConvStep("slide", [aw, ww], out, words, [*taps, *table, *_staged(made)], work)
    return [step] if covers(along, op.spatial) else [zeros_step(out), step]


def within(op, x: Value, xw: Window, a: Value, aw: Window, out: Value) -> list | None:
    """The steps that compute the gradient of a convolution's weights, if groups are small and many.

    Where all input channels lead to a few output channels, each of them is a group, that reads the same of what came back.
    """
    groups, rows, channels = op.groups, a.shape[1] // op.groups, x.shape[1] // op.groups
    alone = groups == 1 and rows <= _FEW and a.shape[-1] >= _LONG
    if alone:
        groups, channels = channels, 1
    made, offsets, plane = _read(x, xw, op, op.kernel, a.shape[2:])
    if groups < _TILES or not _fits(made, channels) or rows * channels * len(offsets) > MOST_SUMS or not beside(a, aw) \
            or rows > (_SOME if a.shape[-1] >= _LONG else _FEW):
        return None
    sizes = _words(made, x.shape[0], groups, rows, channels, xw.strides, plane) | {
        "w_group": 0, "w_row": 0, "w_channel": 0, "taps": len(offsets), "phases": 1} | _where(aw.strides, rows)
    phase = [len(offsets), 0, 0, *three(a.shape[2:], 1)]
    table = [*[word for offset in offsets for word in (offset, 0)], *phase, *_staged(made)]
    work = prod(a.shape) * channels * len(offsets)
    if not alone:
        return [ConvStep("within", [xw, aw], out, sizes, table, work)]
    sizes["y_group"] = 0
    turned = Value((groups, rows, *op.kernel), out.dtype)
    group, row, *rest = own(turned).strides
    return [ConvStep("within", [xw, aw], turned, sizes, table, work * groups),
            copy_step(out, Window(turned, 0, (row, group, *rest)), out)]


def _read(x: Value, w: Window, op, kernel, out):
    """(how the input is staged, if it is; where taps read; strides of what they read)."""
    if not any(op.padding) and set(op.stride) == {1} and beside(x, w):
        return None, as_it_lies(op, kernel, w.strides[2:]), w.strides[2:]
    made, offsets = staged_taps(x, w, op, kernel, out)
    return made, offsets, made.steps(x.dtype.itemsize)


def _fits(made: Staging | None, channels: int) -> bool:
    return made is None or prod(made.sizes) * made.count * channels * 8 <= MOST_BYTES


def _suits(x: Value, groups: int, rows: int, channels: int, taps: int, made: Staging | None) -> bool:
    return rows <= _FEW and taps > 1 and x.shape[0] * groups >= _TILES and _fits(made, channels)


def _words(made, samples, groups, rows, channels, strides, steps) -> dict:
    plane, row, _ = three(steps, 0)
    return {"staged": made is not None, "samples": samples, "groups": groups, "rows": rows, "channels": channels,
            "x_sample": strides[0], "x_group": channels * strides[1], "x_channel": strides[1], "plane_row": row,
            "plane_plane": plane, "tall": 0}


def _where(strides, rows: int) -> dict:
    plane, row, step = three(strides[2:], 0)
    return {"y_sample": strides[0], "y_group": rows * strides[1], "y_channel": strides[1], "y_plane": plane, "y_row": row,
            "y_step": step}


def _taps(offsets, which, w: Window) -> list[int]:
    """Where each tap reads, and where its weight lies."""
    return [word for offset, at in zip(offsets, which)
            for word in (offset, sum(k * s for k, s in zip(at, w.strides[2:])))]


def _columns(taps: list[int], kernel, row: int) -> tuple[list[int], int]:
    """The same taps column by column from above, and how many a column has; 0 if they are not a row apart each."""
    kd, tall, kw = three(kernel, 1)
    if len(taps) != 2 * kd * tall * kw:
        return taps, 0
    at = np.array(taps).reshape(kd, tall, kw, 2).swapaxes(1, 2)
    steps = np.diff(at[..., 0])
    if (steps == -row).all():
        at, steps = at[:, :, ::-1], -steps
    return (at.ravel().tolist(), tall) if tall > 1 and (steps == row).all() else (taps, 0)


def _staged(made: Staging | None) -> list[int]:
    """The words of `kobai.backends.stage`, and its table."""
    return [0] * len(STAGE) if made is None else [*[made.words[name] for name in STAGE], *made.table]
