"""Convolutions with many output channels, in a plan: steps for the code of `kobai.backends.conv_lanes`."""
from __future__ import annotations

from itertools import product
from math import prod

from kobai.compile.graph import Value
from kobai.compile.positions import ACROSS, MOST_LINES, MOST_PLACES, MOST_WIDTH, ConvStep, as_it_lies, three
from kobai.compile.windows import Window, contiguous, own

_MANY = 24       # output channels that fill registers well enough
_SOME = 12       # those that do where positions do not lie beside each other
_LANES = 16      # of a register
_DEEP = 32       # taps of all channels that are worth turning results round
_ENOUGH = 128    # positions that are worth copying the weights,
_TURNED = 32     # which the gradient of the input would do anyway
_PLACES = 128    # of a tile
_TILES = 16


def suits(op, samples: int, rows: int, channels: int, taps: int, out, turned: bool = False) -> bool:
    """Whether channels should be in the lanes: many results, of many multiplications each."""
    if taps == prod(op.stride) == 1:
        return False  # a product of matrices
    least = _MANY if set(op.stride) == {1} else _SOME
    return rows >= least and -rows % _LANES * 4 <= rows and _DEEP <= channels * taps <= MOST_LINES and out[-1] <= MOST_WIDTH \
        and samples * prod(out) >= (_TURNED if turned else _ENOUGH)


def forward(op, x: Value, window: Window, steps, strides, w: Value, ww: Window, out: Value) -> list:
    """The steps of a convolution of x as it lies in `window`, or staged: `strides` of sample and channel, `steps` of others."""
    kernel, lie = w.shape[2:], own(out).strides
    rows, channels = w.shape[0] // op.groups, w.shape[1]
    in_order = ww.strides[1:] == contiguous(w.shape, w.dtype.itemsize)[1:]
    lines = [] if in_order else [c * ww.strides[1] + t for c in range(channels) for t in _along(range_of(kernel), ww.strides[2:])]
    panel = _panel(w, ww, op.groups, rows, channels * prod(kernel), (rows * ww.strides[0], ww.strides[0]), lines)
    phase = [prod(kernel), 0, 0, 0, 0, 0, *three(out.shape[2:], 1)]
    places = [s * t for s, t in zip(steps, op.stride)]
    sizes = _sizes(op.groups, rows, channels, prod(kernel), 1, strides, places, lie, out, (1,) * len(kernel))
    work = prod(out.shape) * channels * prod(kernel)
    return [panel, ConvStep("lanes", [window, own(panel.writes[0])], out, sizes, [*phase, *as_it_lies(op, kernel, steps)], work)]


def backward(op, a: Value, window: Window, steps, strides, lows, along, w: Value, ww: Window, out: Value) -> list:
    """The steps of the gradient of a convolution's input: the same of what came back, for each of the phases in `along`."""
    kernel, lie = w.shape[2:], own(out).strides
    rows, channels = w.shape[1], w.shape[0] // op.groups
    taps, phases, lines = [], [], []
    for some in product(*along):
        ends = list(product(*[p.ends for p in some]))
        start = sum((p.start + low) * s for p, low, s in zip(some, lows, steps))
        phases += [len(ends), len(taps), start, *three([p.first for p in some], 0), *three([p.count for p in some], 1)]
        taps += [-sum(e * s for e, s in zip(at, steps)) for at in ends]
        which = _along([[p.tap + j * p.step for j in range(len(p.ends))] for p in some], ww.strides[2:])
        lines += [c * ww.strides[0] + t for c in range(channels) for t in which]
    panel = _panel(w, ww, op.groups, rows, len(lines), (channels * ww.strides[0], ww.strides[1]), lines)
    sizes = _sizes(op.groups, rows, channels, len(taps), len(phases) // 9, strides, steps, lie, out, op.stride)
    work = prod(a.shape) * rows * prod(kernel)
    return [panel, ConvStep("lanes", [window, own(panel.writes[0])], out, sizes, [*phases, *taps], work)]


def range_of(kernel) -> list:
    """All taps of each dimension."""
    return [range(n) for n in kernel]


def _along(which, strides) -> list[int]:
    return [sum(i * s for i, s in zip(at, strides)) for at in product(*which)]


def _panel(w: Value, ww: Window, groups: int, rows: int, lines: int, steps, table) -> ConvStep:
    """Weights as lines of output channels."""
    out = Value((groups, -(-rows // ACROSS), lines, ACROSS), w.dtype)
    sizes = {"groups": groups, "w_group": steps[0], "w_row": steps[1], "rows": rows, "lines": lines, "in_order": not table}
    return ConvStep("panel", [ww], out, sizes, table, prod(out.shape))


def _sizes(groups, rows, channels, taps, phases, strides, steps, lie, out: Value, between) -> dict:
    samples, spatial = out.shape[0], three(out.shape[2:], 1)
    lines, width = prod(spatial[:2]), spatial[2]
    (plane, row, step), (sd, sh, sw) = three(steps, 0), three(between, 1)
    sizes = {"groups": groups, "rows": rows, "channels": channels, "taps": taps, "phases": phases, "samples": samples,
             "x_sample": strides[0], "x_group": channels * strides[1], "x_channel": strides[1], "x_plane": plane, "x_row": row,
             "x_step": step, "y_sample": lie[0], "y_group": rows * lie[1], "y_channel": lie[1], "height": spatial[1],
             "width": width, "lines": lines, "step_plane": sd, "step_row": sh, "step": sw}
    sizes["together"] = max(1, min(_PLACES // (lines * width), samples * groups // _TILES))
    sizes["deep"] = -(-lines // max(1, -(-lines * width // MOST_PLACES), round(lines * width / _PLACES)))
    sizes["blocks"] = -(-lines // sizes["deep"])
    tiles, slivers = -(-samples // sizes["together"]) * groups * sizes["blocks"], -(-rows // ACROSS)
    sizes["tall"] = ACROSS * -(-slivers // min(slivers, -(-_TILES // tiles)))
    sizes["across"] = -(-rows // sizes["tall"])
    return sizes
