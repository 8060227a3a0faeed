"""Convolutions of a plan: `convolve(steps)` says of each how to go through memory.

Groups with few channels have code of their own (`depthwise.py`), and so have convolutions with many output channels
(`lanes.py`).  What is left is like a product (`kobai.backends.conv`): it reads, for each tap and each position, one element
of its input, and the elements of positions beside each other have to lie beside each other.  Where they do not (a stride),
or where taps reach beyond the border (padding), the input is *staged* first (`positions.py`): copied with zeros around it,
apart by its places modulo the stride.

The gradient of the input is a convolution, too, of what came back with the weights turned round; with a stride there is
one for each place modulo the stride, with the taps that fall on it.  The gradient of the weights is summed over parts of
the batch first, each by one thread, and then over these.
"""
from __future__ import annotations

from itertools import product
from math import prod

from kobai.compile import lanes
from kobai.compile.biases import usual
from kobai.compile.contract import ProductStep
from kobai.compile.depthwise import slide_back, slide_forward, within
from kobai.compile.fuse import OpStep
from kobai.compile.graph import Value
from kobai.compile.memory import copy_step
from kobai.compile.place import zeros_step
from kobai.compile.positions import (
    ACROSS,
    ConvStep,
    as_it_lies,
    beside,
    covers,
    padded,
    phases_of,
    reached,
    staged_taps,
    three,
)
from kobai.compile.weighted import in_order
from kobai.compile.windows import Window, is_contiguous, own

_PART = 1 << 21    # multiplications worth a part of the batch
_PARTS = 16
_TALL = 256          # outputs of a tile of gradients of weights
_LINES = 144         # taps worth a copy of what came back
_MOST_LINES = 1024   # taps of a tile
NARROW = 32        # positions that fill the registers of results
DEEP = 128         # multiplications for each result that are worth copying it


def convolve(steps) -> list:
    """The steps, with convolutions among them as `ConvStep`s and what these need before and after."""
    found = []
    for step in steps:
        rule = _RULES.get(type(step.node.op).__name__) if isinstance(step, OpStep) else None
        found += rule and _usual(step) and rule(step, *step.node.args) or [step]
    return _once(found)


def _once(steps) -> list:
    """The steps without what is staged a second time: the gradient of the weights reads what the convolution read."""
    made: dict[tuple, Value] = {}
    same: dict[Value, Value] = {}
    found = []
    for step in steps:
        if same:
            step.reads = [w._replace(base=same.get(w.base, w.base)) for w in step.reads]
        if isinstance(step, ConvStep) and step.kind == "stage":
            out, = step.writes
            key = (*step.reads, out.shape, out.dtype, *step.sizes.values(), *step.table)
            if made.setdefault(key, out) is not out:
                same[out] = made[key]
                continue
        found.append(step)
    return found


def _usual(step: OpStep) -> bool:
    """Whether there is code: for floats, no empty arrays, up to three dimensions; a bias is an op of its own."""
    node = step.node
    kernel = getattr(node.op, "kernel", None) or node.args[1].shape[2:]
    return usual(node.op, kernel, *node.values, *node.outs) and not any(isinstance(v, Value) for v in node.args[2:])


# ---- where elements lie ----------------------------------------------------------------------
class _Source:
    """An input as it is read: a window, the strides of sample and channel, and those of dimensions with tap offsets."""

    def __init__(self, window: Window, sample: int, channel: int, steps, offsets):
        self.window, self.sample, self.channel = window, sample, channel
        self.steps, self.offsets = steps, offsets


def _source(v: Value, w: Window, op, kernel, out, copies) -> _Source:
    """How taps of `kernel` at positions `out` read an input, staged if need be."""
    if not any(op.padding) and set(op.stride) == {1} and beside(v, w):
        sample, channel, *steps = w.strides
        return _Source(w, sample, channel, steps, as_it_lies(op, kernel, w.strides[2:]))
    made, offsets = staged_taps(v, w, op, kernel, out)
    staged, (sample, channel, _, *steps) = _stage(v, w, made, copies)
    return _Source(own(staged), sample, channel, steps, offsets)


def _padded(v: Value, w: Window, op, kernel, out, copies):
    """An input with zeros around it, if it needs any: (window, steps of positions, strides of samples and channels)."""
    if not any(op.padding):
        return w, w.strides[2:], w.strides[:2]
    staged, (sample, channel, _, *steps) = _stage(v, w, padded(v, w, op, kernel, out), copies)
    return own(staged), steps, (sample, channel)


def _stage(v: Value, w: Window, made, copies) -> tuple[Value, tuple[int, ...]]:
    """What is staged, and its strides: samples, channels, planes, and those of a plane."""
    out = Value((*v.shape[:2], made.count, *made.sizes), v.dtype)
    copies.append(ConvStep("stage", [w], out, made.words, made.table, prod(out.shape)))
    return out, own(out).strides


def _positions(out, steps, size: int) -> tuple[dict, int]:
    """Words for the positions `out` in steps of bytes: rows that follow each other are one."""
    sizes, steps = three(out, 1), three(steps, 0)
    if sizes[2] == 1:
        steps[2] = size
    if sizes[1] == 1:
        sizes, steps = [1, sizes[0], sizes[2]], [0, steps[0], steps[2]]
    if sizes[0] > 1 and steps[0] == sizes[1] * steps[1]:
        sizes, steps = [1, sizes[0] * sizes[1], sizes[2]], [0, steps[1], steps[2]]
    if sizes[1] > 1 and steps[1] == sizes[2] * steps[2] and sizes[0] == 1:
        sizes, steps = [1, 1, sizes[1] * sizes[2]], [0, 0, steps[2]]
    return {"height": sizes[1], "width": sizes[2], "count": prod(sizes), "x_plane": steps[0], "x_row": steps[1]}, sizes[2]


def _in_order(v: Value, w: Window, copies, dims: int) -> Window:
    """A window of which the last `dims` dimensions lie in order, copied if they do not."""
    first = len(v.shape) - dims
    if is_contiguous(v.shape[first:], w.strides[first:], v.dtype.itemsize):
        return w
    copy = Value(v.shape, v.dtype)
    copies.append(copy_step(v, w, copy))
    return own(copy)


# ---- y = conv(x, w) --------------------------------------------------------------------------
def _forward(step: OpStep, x, w, _bias=None):
    op, out, copies = step.node.op, step.node.outs[0], []
    reads = dict(zip(step.node.values, step.reads))
    groups = slide_forward(op, x, reads[x], w, reads[w], out)
    if groups:
        return groups
    if not is_contiguous(out.shape[2:], own(out).strides[2:], out.dtype.itemsize):  # a part of something: copied there
        whole = Value(out.shape, out.dtype)
        return [*_into(whole, op, x, reads[x], w, reads[w], copies), copy_step(whole, own(whole), out, own(out).strides)]
    return _into(out, op, x, reads[x], w, reads[w], copies)


def _into(out: Value, op, x: Value, xw: Window, w: Value, ww: Window, copies) -> list:
    kernel, channels = w.shape[2:], w.shape[1]
    if lanes.suits(op, x.shape[0], w.shape[0] // op.groups, channels, prod(kernel), out.shape[2:]):
        window, steps, strides = _padded(x, xw, op, kernel, out.shape[2:], copies)
        return [*copies, *lanes.forward(op, x, window, steps, strides, w, ww, out)]
    source = _source(x, xw, op, kernel, out.shape[2:], copies)
    weights = _in_order(w, ww, copies, len(w.shape))
    return [*copies, *_conv(source, weights, out, op.groups, w.shape[0], w.shape[1])]


def _conv(source: _Source, weights: Window, out: Value, groups: int, all_rows: int, channels: int):
    """The steps that compute `out` from weights (all_rows, channels, taps)."""
    size, strides, samples = out.dtype.itemsize, own(out).strides, out.shape[0]
    rows, taps = all_rows // groups, len(source.offsets)
    where, width = _positions(out.shape[2:], source.steps, size)
    work = samples * all_rows * channels * taps * where["count"]
    window = source.window._replace(offset=source.window.offset + source.offsets[0])
    if taps == 1 and width == where["count"] and min(rows, channels) > 1:
        return [_as_product(source, window, weights, out, groups, rows, channels, width)]
    first = source.offsets[0]
    sizes = where | {
        "samples": samples, "groups": groups, "rows": rows, "channels": channels, "taps": taps,
        "x_sample": source.sample, "x_group": channels * source.channel, "x_channel": source.channel,
        "y_sample": strides[0], "y_group": rows * strides[1], "y_channel": strides[1]}
    fold = _fold(sizes)
    made = _folded(sizes, fold, out) if fold > 1 else out
    steps = [ConvStep("conv", [window, weights], made, sizes, [o - first for o in source.offsets], work)]
    if fold > 1:
        n = sizes["samples"]
        whole = Value((n, fold, all_rows, sizes["count"] // fold), out.dtype)
        lie = own(made).strides
        to = (fold * strides[0], strides[0], strides[1], size)
        steps.append(copy_step(whole, Window(made, 0, (lie[0], lie[2], lie[1], lie[3])), out, to))
    return steps


# ---- few positions: those of several samples beside each other ---------------------------------
def _fold(sizes) -> int:
    """How many samples to take together, for the registers of results to be full."""
    samples, count = sizes["samples"], sizes["count"]
    full = count >= NARROW and (-count % NARROW * 4 < count or sizes["channels"] * sizes["taps"] < DEEP)
    if full or sizes["height"] * sizes["width"] != count:
        return 1
    parts = [p for p in range(1, _PARTS + 1) if samples % p == 0 and samples // p * count >= 4 * NARROW]
    return samples // max(parts, default=1)


def _folded(sizes, fold: int, like: Value) -> Value:
    """A value (samples, channels, samples taken together, positions), after changing the words to fit it."""
    size, count, channels = like.dtype.itemsize, sizes["count"], sizes["groups"] * sizes["rows"]
    row = fold * count * size
    sizes |= {"x_plane": sizes["x_sample"], "x_sample": fold * sizes["x_sample"], "samples": sizes["samples"] // fold,
              "count": fold * count, "y_channel": row, "y_group": sizes["rows"] * row, "y_sample": channels * row}
    return Value((sizes["samples"], channels, fold, count), like.dtype)


def _as_product(source, window, weights, out, groups, rows, channels, count):
    """One tap: the product of the weights with each sample."""
    size, strides = out.dtype.itemsize, own(out).strides
    a = (0, rows * channels * size, channels * size, size)
    b = (source.sample, channels * source.channel, source.channel, size)
    c = (strides[0], rows * strides[1], strides[1], size)
    batch = [i for i, n in enumerate((out.shape[0], groups)) if n > 1]
    each = [(*[s[i] for i in batch], *s[2:]) for s in (a, b, c)]
    return ProductStep([weights, window], out, rows, count, channels, tuple([(out.shape[0], groups)[i] for i in batch]), each)


# ---- x = what conv gives back ----------------------------------------------------------------
def _backward(step: OpStep, a, w, _bias=None):
    """One convolution for each place modulo the stride, with the taps that fall on it."""
    op, out, copies = step.node.op, step.node.outs[0], []
    reads = dict(zip(step.node.values, step.reads))
    groups = slide_back(op, a, reads[a], w, reads[w], out)
    if groups:
        return groups
    along = [phases_of(*v) for v in zip(op.spatial, w.shape[2:], op.stride, op.padding, op.dilation)]
    if not all(along):
        return [zeros_step(out)]
    lows, made = reached(a, reads[a], along)
    window, (sample, channel, *steps) = reads[a], reads[a].strides
    if made is not None:
        staged, (sample, channel, _, *steps) = _stage(a, window, made, copies)
        window = own(staged)
    in_order, channels = is_contiguous(op.spatial, own(out).strides[2:], a.dtype.itemsize), a.shape[1] // op.groups
    if in_order and lanes.suits(op, a.shape[0], w.shape[1], channels, prod(w.shape[2:]), op.spatial, True):
        return [*copies, *lanes.backward(op, a, window, steps, (sample, channel), lows, along, w, reads[w], out)]
    alone = covers(along, op.spatial) and prod(map(len, along)) == 1 and in_order
    if not covers(along, op.spatial):
        copies.append(zeros_step(out))
    for phases in product(*along):
        offsets = [sum((p.start + low - e) * s for p, low, e, s in zip(phases, lows, ends, steps))
                   for ends in product(*[p.ends for p in phases])]
        turned = _turned(w, reads[w], op.groups, phases, copies)
        part = out if alone else Value((*out.shape[:2], *[p.count for p in phases]), out.dtype)
        source = _Source(window, sample, channel, steps, offsets)
        copies += _conv(source, own(turned), part, op.groups, out.shape[1], channels)
        if not alone:
            lie = own(out).strides
            copy = copy_step(part, own(part), out, (*lie[:2], *[s * p.stride for s, p in zip(lie[2:], phases)]))
            copy.offset = sum(s * p.first for s, p in zip(lie[2:], phases))
            copies.append(copy)
    return copies


def _turned(w: Value, window: Window, groups: int, phases, copies) -> Value:
    """The weights (groups, channels, outputs, taps of the phases), in order."""
    rows, strides = w.shape[0] // groups, window.strides
    turned = Value((groups, w.shape[1], rows, *[len(p.ends) for p in phases]), w.dtype)
    view = Window(window.base, window.offset + sum(p.tap * s for p, s in zip(phases, strides[2:])),
                  (rows * strides[0], strides[1], strides[0], *[p.step * s for p, s in zip(phases, strides[2:])]))
    copies.append(copy_step(turned, view, turned))
    return turned


# ---- w = what conv gives back ----------------------------------------------------------------
def _weights(step: OpStep, x, a):
    out = step.node.outs[0]
    into = in_order(out)
    steps = _weights_into(into, step, x, a)
    return steps if into is out else [*steps, copy_step(into, own(into), out, own(out).strides)]


def _weights_into(out: Value, step: OpStep, x, a):
    op, copies = step.node.op, []
    reads = dict(zip(step.node.values, step.reads))
    groups = within(op, x, reads[x], a, reads[a], out)
    if groups:
        return groups
    source = _strided(x, reads[x], op, a.shape, copies) or _source(x, reads[x], op, op.kernel, a.shape[2:], copies)
    given = _in_order(a, reads[a], copies, len(a.shape) - 2)
    sizes, taps = _stretches(a.shape[2:], source.steps), len(source.offsets)
    channels, rows, strides = x.shape[1] // op.groups, a.shape[1] // op.groups, given.strides
    sizes |= {
        "samples": x.shape[0], "groups": op.groups, "rows": rows, "channels": channels, "taps": taps,
        "x_sample": source.sample, "x_group": channels * source.channel, "x_channel": source.channel,
        "y_sample": strides[0], "y_group": rows * strides[1], "y_channel": strides[1]}
    work = x.shape[0] * a.shape[1] * channels * taps * sizes["count"]
    parts = _share(sizes, work)
    sums = out if parts == 1 else Value((parts, op.groups, channels * taps, rows), out.dtype)
    copies.append(ConvStep("correlate", [source.window, given], sums, sizes, source.offsets, work, parts))
    if parts > 1:
        all_taps = {"groups": op.groups, "taps": sums.shape[2], "rows": rows}
        copies.append(ConvStep("gather", [own(sums)], out, all_taps, [], prod(sums.shape), parts))
    return copies


def _strided(v: Value, w: Window, op, shape, copies) -> _Source | None:
    """How taps read an input wherever positions lie; not if the convolution has it apart by places modulo the stride."""
    suits = lanes.suits(op, shape[0], shape[1] // op.groups, v.shape[1] // op.groups, prod(op.kernel), shape[2:])
    if any(op.padding) and not suits:
        return None
    window, steps, strides = _padded(v, w, op, op.kernel, shape[2:], copies)
    sample, channel = strides
    return _Source(window, sample, channel, [s * t for s, t in zip(steps, op.stride)], as_it_lies(op, op.kernel, steps))


def _stretches(out, steps) -> dict:
    """Words for the positions `out`, in steps of bytes: stretches as long as there are."""
    sizes, steps = three(out, 1), three(steps, 0)
    for at in (2, 1, 2):
        while sizes[at] == 1 and at and prod(sizes[:at]) > 1:
            sizes, steps = [1, *sizes[:at], *sizes[at + 1:]], [0, *steps[:at], *steps[at + 1:]]
        if sizes[at - 1] == 1 or steps[at - 1] == sizes[at] * steps[at]:
            sizes[at - 1: at + 1] = [1, sizes[at - 1] * sizes[at]]
    return {"height": sizes[1], "width": sizes[2], "count": prod(sizes), "x_plane": steps[0], "x_row": steps[1],
            "x_step": steps[2]}


def _share(sizes, work: int) -> int:
    """How many parts of the batch: the channels are shared first, then the batch, then outputs; their words are added."""
    rows, channels, taps, samples = sizes["rows"], sizes["channels"], sizes["taps"], sizes["samples"]
    wanted = -(-min(_PARTS, max(1, work // _PART)) // sizes["groups"])
    least, most = -(-channels * taps // _MOST_LINES), max(1, channels * taps // _LINES)
    chunks = min(channels, max(least, min(-(-wanted * _TALL // rows) if rows > _TALL else wanted, most)))
    sizes["deep"] = max(1, min(-(-channels // chunks), _MOST_LINES // taps))
    sizes["chunks"] = -(-channels // sizes["deep"])
    across = max(-(-rows // _TALL), min(-(-wanted // (sizes["chunks"] * samples)), -(-rows // ACROSS)))
    sizes["tall"] = min(rows, ACROSS * -(-rows // (ACROSS * across)))
    parts = max(1, min(samples, -(-wanted // (sizes["chunks"] * -(-rows // sizes["tall"])))))
    return -(-samples // -(-samples // parts))


_RULES = {"Conv": _forward, "ConvInput": _backward, "ConvWeight": _weights}
