"""The general way to apply an op: any inputs and outputs, promotion, half precision, views, lifted values.

`op.py` has the short ways for plain tensors of one float dtype; whatever they do not take comes here.
"""
from __future__ import annotations

from functools import lru_cache
from sys import getprofile, setprofile
from types import FunctionType

import numpy as np

from . import dtypes, large
from .autograd.mode import PASS, modes
from .autograd.node import Port, here, next_order
from .diagnose import error, warn
from .large import NEVER
from .lifted import Lifted, m
from .rules import compiled_rules
from .saved import pack_saved, tensor_of
from .tensor import LiftedTensor, Tensor, constant, edge_of, refresh, wrap

_F32, _F64 = np.dtype(np.float32), np.dtype(np.float64)
_new = object.__new__
_HALF = {d.np for d in (dtypes.float16, dtypes.bfloat16) if d is not None}


class Overridden(Exception):
    """Raised below a public function whose arguments have classes that are to be asked first: subclasses.py."""


class _Constant:
    """Stands for a Python number or array among the inputs: nothing to watch, no gradient."""

    _ver = [0, None]


CONSTANT = _Constant()


def apply_any(op, inputs):
    """Any number of inputs and outputs, and views. Plain tensors of one float dtype go straight on."""
    if op.takes is not None:
        op.takes(inputs)
    values, mask = _plain_values(op, inputs)
    if values is None:
        out = _apply_alike(op, inputs)
        return _apply_general(op, inputs) if out is None else out
    big = op.least < NEVER and _is_large(op, values)
    try:
        if modes.trace is not None:
            y = modes.trace.forward(op, values)
        else:
            y = large.forward(op, *values) if big else op.forward(*values)
    except (ValueError, TypeError) as e:
        raise failure(op, values, e) from None
    if op.outputs != 1 or op.view or modes.trace is not None \
            or mask and (modes.pack is not None or y.dtype is not _F32 and y.dtype is not _F64):
        return _finish(op, inputs, values, y, mask, False)
    out = wrap(y)
    if mask and modes.grad and op.differentiable:
        _record_plain(op, inputs, values, out, y, mask, big)
    return out


_as_always = FunctionType(apply_any.__code__, globals(), "apply_any")


def apply_unwatched(op, inputs):
    """`apply_any` while a recorder is at work, which takes its code (op.long_ways).

    What runs inside an op is none of the program's doing, and seeing each call of it takes longer than most ops do: the
    watcher looks away meanwhile, unless code of the user's may run there.
    """
    watch = getprofile()
    if watch is None or modes.trace is None or not modes.trace.watched or modes.pack is not None or modes.look is not None \
            or not type(op).__module__.startswith("kobai."):
        return _as_always(op, inputs)
    setprofile(None)
    try:
        return _as_always(op, inputs)
    finally:
        setprofile(watch)


def _record_plain(op, inputs, values, out, y, mask, big):
    """As `record`, for one output and plain tensors of one float dtype, with nobody watching."""
    save, vjp = op._compiled.get((mask, False)) or compiled_rules(type(op), mask, False)
    edges, cells, bit = [], [], 1
    for t in inputs:
        edge = None
        if mask & bit:
            edge = t._node
            if edge is None:
                edge = t
        edges.append(edge)
        cells.append(CONSTANT if t is None else t)
        bit += bit
    node = _new(op.Node)
    node.op, node.vjp, node.hooks, node.extra = op, large.backward(op, mask, vjp) if big else vjp, None, None
    node.edges, node.saved = tuple(edges), save(y, out, cells, *values)
    node.fit = fit_of(op, values, y) if op.elementwise else None
    node.where, node._order = here(3), next_order()
    out._node, out._rg = node, True


def _is_large(op, values):
    for v in values:
        if v.__class__ is np.ndarray and v.size >= op.least:
            return True
    return False


def _plain_values(op, inputs):
    """(arrays, bits of the inputs that require grad), or (None, 0) if the short way does not do."""
    values, mask, bit, first = [], 0, 1, None
    for t in inputs:
        if t is None:
            if op.elementwise:  # NumPy takes it for some object
                return None, 0
            values.append(None)
        elif t.__class__ is LiftedTensor:
            return None, 0
        else:
            try:
                x = t._data
                d = x.dtype
            except AttributeError:
                return None, 0
            if d is not first:
                if first is None and (d is _F32 or d is _F64):
                    first = d
                elif op.common or d is not _I64 and d is not _BOOL:
                    return None, 0
            if t._base is not None:
                refresh(t)
            if t._rg:
                mask |= bit
            values.append(x)
        bit += bit
    if op.view:
        values[0] = inputs[0]._array()
    return values, mask


def _apply_alike(op, inputs):
    """The result where little is to be promoted: whole numbers, masks, these beside floats; Python's numbers beside one dtype.

    None where that is not known.
    """
    if op.outputs != 1 or op.view or modes.trace is not None:
        return None
    values, mask, bit, common, first, other, numbers = [], 0, 1, op.common, None, None, False
    for name, t in zip(op.inputs, inputs):
        if t.__class__ is Tensor:
            if t._base is not None:
                refresh(t)
            x = t._data
            d = x.dtype
            if d.char not in _ORDINARY:
                return None
            if name in common:
                if first is None:
                    first, flat = d, not x.ndim
                elif d is not first:
                    if other is not None and d is not other or flat is not (not x.ndim):
                        return None
                    other = d
            if t._rg:
                mask |= bit
        elif name in common and (t.__class__ is float or t.__class__ is int and -_MOST <= t < _MOST):
            x, numbers = t, True
        else:
            return None
        bit += bit
        values.append(x)
    if len(values) < len(inputs):
        return None
    if numbers:
        first = None if other is not None else _beside_numbers(first, values)
        if first is None:
            return None
        inputs = _brought(op, inputs, values, first)
    elif other is not None:
        first = _wider(first, other)
        inputs = _brought(op, inputs, values, first)
    if inputs is None or op.floats and (first is None or first.kind != "f"):
        return None
    big = op.least < NEVER and _is_large(op, values)
    try:
        y = large.forward(op, *values) if big else op.forward(*values)
    except (ValueError, TypeError) as e:
        raise failure(op, values, e) from None
    if mask and (modes.pack is not None or y.dtype is not _F32 and y.dtype is not _F64):
        return _finish(op, inputs, values, y, mask, False)
    out = wrap(y)
    if mask and modes.grad and op.differentiable:
        _record_plain(op, inputs, values, out, y, mask, big)
    return out


def _beside_numbers(d, values):
    """The dtype of a result of tensors of the dtype `d` and Python numbers; None where that takes a closer look."""
    if d is None or d.kind == "f":
        return d
    if any([v.__class__ is float for v in values]):
        return dtypes.get_default_dtype().np
    return d if d is _I64 else None


def _brought(op, inputs, values, d):
    """The inputs with those named in `common` in the dtype `d`, and so `values`; None where that is to be recorded.

    Of numbers nothing is recorded: there they are None.
    """
    inputs = list(inputs)
    for i, (name, t) in enumerate(zip(op.inputs, inputs)):
        if t.__class__ is float or t.__class__ is int:
            values[i], inputs[i] = d.type(values[i]), None
        elif name in op.common and values[i].dtype is not d:
            if t.__class__ is not Tensor or t._rg:
                return None
            values[i] = x = values[i].astype(d)
            inputs[i] = wrap(x)
    return inputs


@lru_cache(200)
def _wider(a, b):
    """The dtype of a result of two inputs of these, both with dimensions or both without."""
    return dtypes.result_type([np.empty(0, a), np.empty(0, b)]).np


_ORDINARY = "?bBhHiIlLqQfd"  # NumPy's letters for the dtypes in which everything is computed as it is
_MOST = 1 << 63
_OF_NUMBERS = "Add", "Sub", "Mul", "Div"  # PyTorch has these of two numbers, too
_I64, _BOOL = np.dtype(np.int64), np.dtype(np.bool_)


def _apply_general(op, inputs):
    """Promotion, numbers and arrays among the inputs, half precision, complex and lifted values."""
    for t in inputs:
        kind = t.__class__
        if kind is not Tensor and issubclass(kind, Tensor):
            if kind.is_meta is True:
                from .meta import apply  # noqa: PLC0415  (few programs use this device)
                return apply(op, inputs)
            if modes.overrides and getattr(kind, "_overriding", False):
                from .subclasses import at_op  # noqa: PLC0415  (only for classes that have a __torch_function__)
                return at_op(op, inputs)
    if not any([isinstance(v, (Tensor, Lifted)) for v in inputs]) and op.__class__.__name__ not in _OF_NUMBERS:
        raise error("not-tensor", function=op.__class__.__name__.lower(), place=1, got=type(inputs[0]).__name__,
                    argument="input")
    if len(inputs) == 1 and inputs[0].__class__ is LiftedTensor and (not op.floats or inputs[0]._value.dtype.kind == "f"):
        return _apply_lifted(op, inputs)
    tensors = [v if isinstance(v, Tensor) or v is None and not op.elementwise else _as_tensor(op, v, i)
               for i, v in enumerate(inputs)]
    if op.common:
        tensors = _unify(op, tensors)
    if any([type(t) is LiftedTensor for t in tensors]):
        return _apply_lifted(op, tensors)
    if op.view:
        values = [t._array() if isinstance(t, Tensor) else t for t in tensors]
    else:
        values = [t._data if isinstance(t, Tensor) else t for t in tensors]
    try:
        y = compute(op, values) if modes.trace is None else modes.trace.forward(op, values)
    except (ValueError, TypeError) as e:
        raise failure(op, values, e) from None
    is_complex = any(getattr(v, "dtype", _F32).kind == "c" for v in (*values, *(y if op.outputs != 1 else (y,))))
    return _finish(op, tensors, values, y, grad_mask(tensors), is_complex)


def grad_mask(tensors):
    mask = 0
    for i, t in enumerate(tensors):
        if isinstance(t, Tensor) and t.requires_grad:
            mask |= 1 << i
    return mask


def _finish(op, tensors, values, y, mask, is_complex):
    """Wrap the results, as views where they are, and record them."""
    if modes.trace is not None:
        y = modes.trace.call(op, tensors, values, y)
    if op.outputs == 1:
        out = wrap(y)
        if op.view:
            share(op, tensors[0], out)
    else:
        out = tuple([wrap(v) for v in y])
        if op.view:
            for i, one in enumerate(out):
                share(op.one(i), tensors[0], one)
    if mask and modes.grad and op.differentiable:
        record(op, tensors, values, out, y, mask, is_complex)
    return out


def compute(op, values):
    """forward; float16 and bfloat16 arithmetic is done in float32 and rounded once, as in PyTorch."""
    y = large.attempt(op, values) if op.least < NEVER and _is_large(op, values) else None
    return forward(op, values) if y is None else y


def forward(op, values):
    """As `compute`, on NumPy."""
    if op.moves or not any(getattr(v, "dtype", None) in _HALF for v in values):
        return op.forward(*values)
    half = next(v.dtype for v in values if getattr(v, "dtype", None) in _HALF)
    if op.narrow and half.kind == "V" and all(v.dtype == half for v in values):
        return op.narrow(*values)
    wide = [large.converted(v, _F32) if getattr(v, "dtype", None) in _HALF else v for v in values]
    y = op.forward(*wide)
    if isinstance(y, tuple):
        return tuple([large.converted(v, half) if v.dtype is _F32 else v for v in y])
    return large.converted(y, half) if y.dtype == _F32 else y


def _as_tensor(op, v, position):
    """Numbers stay (they do not decide the dtype); arrays become constants; else PyTorch's TypeError."""
    if isinstance(v, (bool, int, float, complex)):
        return v
    if isinstance(v, (np.ndarray, np.generic)):
        return constant(wrap(np.asarray(v) if isinstance(v, np.ndarray) else v))  # no subclasses, which compute otherwise
    if isinstance(v, Lifted):
        return LiftedTensor(v)
    raise error("not-tensor", function=op.__class__.__name__.lower(), place=position + 1, got=type(v).__name__,
                argument=op.inputs[min(position, len(op.inputs) - 1)])


def _unify(op, tensors):
    """Bring the inputs named in `common` to their result dtype (PyTorch's promotion)."""
    chosen = range(len(tensors)) if len(op.common) == len(op.inputs) else [op.inputs.index(n) for n in op.common]
    if _are_alike(tensors, chosen, op.floats):
        return tensors
    if len(tensors) == 2 and (with_number := _with_number(*tensors)) is not None:
        return with_number
    values = [tensors[i]._value if isinstance(tensors[i], Tensor) else tensors[i]
              for i in chosen if tensors[i] is not None]
    d = dtypes.result_type(values)
    if op.floats and d.category < dtypes.FLOAT:
        d = dtypes.get_default_dtype()
    tensors = list(tensors)
    for i in chosen:
        t = tensors[i]
        if t is None:
            continue
        if not isinstance(t, Tensor):
            tensors[i] = _number(t, d)
        elif t._value.dtype != d.np:
            tensors[i] = m.cast(t, d)
    return tensors


def _with_number(a, b):
    """A float tensor and a Python number, in the tensor's dtype; None for all else."""
    if isinstance(a, Tensor):
        d = a._value.dtype
        return [a, d.type(b)] if (b.__class__ is float or b.__class__ is int) and (d is _F32 or d is _F64) else None
    if isinstance(b, Tensor):
        d = b._value.dtype
        return [d.type(a), b] if (a.__class__ is float or a.__class__ is int) and (d is _F32 or d is _F64) else None
    return None


def _are_alike(tensors, chosen, floats):
    """Whether all are tensors of one dtype, in which the op computes."""
    first = None
    for i in chosen:
        t = tensors[i]
        if t is None:
            continue
        if not isinstance(t, Tensor):
            return False
        d = t._value.dtype
        if first is None:
            first = d
        elif d is not first:
            return False
    return first is not None and (not floats or first.kind in "fcV")


def _number(v, d):
    """A Python number as a NumPy scalar of dtype `d`; integers wrap around as in C."""
    if d.category == dtypes.INT and not isinstance(v, float):
        return np.asarray(int(v) & (2 ** (8 * d.itemsize) - 1), dtype="u" + str(d.itemsize)).astype(d.np)[()] \
            if not -(2 ** 63) <= v < 2 ** 63 or not _fits(v, d) else d.np.type(v)
    return d.np.type(v)


def _fits(v, d):
    info = np.iinfo(d.np)
    return info.min <= v <= info.max


def _apply_lifted(op, tensors):
    """Interpret; what is not of the highest level takes part as a Tensor, so that outer graphs see it."""
    highest = None
    for t in tensors:
        if t.__class__ is LiftedTensor:
            v = t._value
            if isinstance(v, Lifted) and (highest is None or v.level > highest.level):
                highest = v
    if highest is None:  # plain values were written into lifted tensors
        return apply_any(op, [_plain(t) for t in tensors])
    level = highest.level
    y = highest.process(op, [_seen_from(level, t) for t in tensors])
    if op.outputs == 1 and not op.view and isinstance(y, Lifted):
        outs = LiftedTensor(y),
    else:
        outs = tuple([tensor_of(v) for v in (y if op.outputs != 1 else (y,))])
    if op.view and type(tensors[0]) is LiftedTensor:
        for i, out in enumerate(outs):
            if type(out) is LiftedTensor:
                _register(op if op.outputs == 1 else op.one(i), tensors[0], out)
    mask = grad_mask(tensors)
    if mask and modes.grad and op.differentiable:
        inner = [t._value if isinstance(t, Tensor) else t for t in tensors]
        is_complex = any(getattr(v, "dtype", _F32).kind == "c" for v in (*inner, *[o._value for o in outs]))
        if op.outputs != 1:
            record(op, tensors, inner, outs, tuple([o._value for o in outs]), mask, is_complex)
        else:
            record(op, tensors, inner, outs[0], outs[0]._value, mask, is_complex)
    return outs if op.outputs != 1 else outs[0]


def _seen_from(level, t):
    if type(t) is not LiftedTensor:
        return _numbers_of(t) if isinstance(t, Tensor) and t.__dict__.get("_inside", 0) >= level else t
    v = t._value
    if not isinstance(v, Lifted):
        return _plain(t)
    return v if v.level == level else t


def _numbers_of(t):
    """A leaf of a transform inside that of this level, without its history: that is seen above, and only there."""
    if modes.trace is not None:
        return t
    plain = wrap(t._data)
    plain._ver = t._ver
    return plain


def _plain(t):
    """A plain tensor for a lifted one that holds an array, with its history."""
    if type(t) is not LiftedTensor:
        return t
    plain = wrap(t._value)
    plain._node, plain._rg = t._node, t._rg and t._node is not None
    return plain


def record(op, tensors, values, out, y, mask, is_complex):
    """Give the outputs their node; bit i of `mask` says that input i requires grad."""
    able = (y.dtype.kind in "fcV") if op.outputs == 1 else any(v.dtype.kind in "fcV" for v in y)
    if not able:
        return
    save, vjp = op._compiled.get((mask, is_complex)) or compiled_rules(type(op), mask, is_complex)
    cells, edges, bit = [], [], 1
    for t in tensors:
        cells.append(t if isinstance(t, Tensor) else CONSTANT)
        edges.append(edge_of(t) if mask & bit else None)
        bit += bit
    saved = save(y, out, cells, *values)
    if op.least < NEVER and not is_complex and modes.trace is None and _is_large(op, values):
        vjp = large.backward(op, mask, vjp)
    if not op.moves and any(getattr(v, "dtype", None) in _HALF for v in values):
        vjp = _in_float32(vjp, [getattr(v, "dtype", None) for v in values])
    if modes.pack is not None and modes.pack is not PASS:
        saved = pack_saved(vjp, saved)
    fit = fit_of(op, values, y) if op.elementwise else None
    node = op.Node(op, tuple(edges), saved, vjp, fit, here(3))
    if modes.anomaly and _has_nan(y) and not any(map(_has_nan, values)):
        warn("nan-forward", node=node)
    if modes.look is not None:
        modes.look.recorded(node, tensors, values, y)
    if op.outputs == 1:
        out._node, out._rg = node, True
        return
    node.extra = {"outs": [(v.shape, v.dtype) for v in y]}
    for i, (t, v) in enumerate(zip(out, y)):
        if v.dtype.kind in "fcV":
            t._node, t._rg = Port(node, i), True


def _has_nan(v):
    if isinstance(v, tuple):
        return any(map(_has_nan, v))
    return isinstance(v, (np.ndarray, np.generic)) and v.dtype.kind in "fc" and bool(np.isnan(v).any())


def _in_float32(vjp, kinds):
    """The rules of an op on float16 or bfloat16: computed in float32, as its forward, and rounded once."""
    def back(node, g, s):
        if s.__class__ is tuple:
            s = (*[_widened(v) for v in s[:len(vjp.asks)]], *s[len(vjp.asks):])
        grads = vjp(node, _widened(g), s)
        return tuple([v if v is None or i >= len(kinds) or kinds[i] not in _HALF else m.cast(v, kinds[i])
                      for i, v in enumerate(grads)])
    back.asks, back.cells = vjp.asks, vjp.cells
    return back


def _widened(v):
    if isinstance(v, tuple):
        return tuple([_widened(x) for x in v])
    d = v._value.dtype if isinstance(v, Tensor) else getattr(v, "dtype", None)
    return m.cast(v, _F32) if d in _HALF else v


def fit_of(op, values, y):
    shapes = [getattr(v, "shape", ()) for v in values]
    if all(s == y.shape for s in shapes):
        return None
    return tuple([None if s == y.shape else s for s in shapes])


def share(op, base, out):
    """`out` is a view of `base`: one version counter, and in-place changes reach the base's history."""
    x, y = base._data, out._data
    below = y.base
    if below is not x and (below is None or below is not x.base) and not np.may_share_memory(x, y):
        return  # NumPy had to copy
    _register(op, base, out)


def _register(op, base, out):
    out._ver = base._ver
    out._base, out._chain = base if base._base is None else base._base, (base._chain, op)
    out._seen = out._base._rebased


def _differ(shapes) -> bool:
    """Whether these shapes do not go together."""
    try:
        np.broadcast_shapes(*shapes)
    except ValueError:
        return True
    return False


def failure(op, values, e):
    """The error to raise where `forward` raised `e`."""
    if isinstance(e, TypeError) and op.takes is not None:
        op.takes(values)
    shapes = [np.shape(v) for v in values if isinstance(v, (np.ndarray, np.generic))]
    if "broadcast" in str(e) and len(shapes) > 1 and (op.elementwise or _differ(shapes)):
        return error("shape-broadcast", shapes=shapes, arrays=values)
    return e
