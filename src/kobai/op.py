"""What an operation is, and how one is applied to tensors and recorded.

An op is one class: `forward` computes on NumPy arrays, rules named after its inputs (`d_x`,
`vjp_a`) give derivatives, fields hold its parameters. Rules ask for what they need by the names
of their arguments (`rules.py`); only that is saved (`saved.py`).
"""
from __future__ import annotations

import operator
from sys import _getframe

import numpy as np

from . import dtypes
from .autograd.mode import modes
from .autograd.node import Node, Port, here, inside, next_order
from .diagnose import error
from .lifted import Lifted, m, top
from .rules import compiled_rules, read_rules, read_signature
from .saved import pack_saved
from .tensor import LiftedTensor, Tensor, edge_of, refresh, wrap

registry: list[type[Op]] = []

_F32, _F64 = np.dtype(np.float32), np.dtype(np.float64)
_HALF = {d.np for d in (dtypes.float16, dtypes.bfloat16) if d is not None}
_new, _ndarray = object.__new__, np.ndarray


def dtype_of(v):
    """The NumPy dtype of an array, a Tensor, or a lifted value; of a Python number, its own."""
    if isinstance(v, Tensor):
        return v._value.dtype
    return v.dtype if hasattr(v, "dtype") else np.dtype(type(v))


class Op:
    """One operation. Instances with equal parameters are the same object.

    Class attributes: `grad_name` (PyTorch's name of the backward node, where it is not
    ClassName + "Backward0"), `linear` (its own jvp), `common` (inputs brought to one dtype),
    `floats` (integers become the default float), `outputs` ("many" if forward returns a tuple).
    """

    inputs: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    variadic = False
    grad_name = ""
    linear = False
    elementwise = False
    floats = False
    common: tuple[str, ...] = ()
    outputs = 1
    view = False
    moves = False
    differentiable = False
    abstract = True
    emit = None           # scalar code for the compiler: emit(k, *inputs), see compile/kernel.py
    lower = None          # the op in terms of simpler ops, for the compiler
    batch = None          # vmap: batch(size, batched, values) -> value with the batch first
    _instances: dict

    def __init_subclass__(cls):
        cls._instances = {}
        cls._compiled = {}
        cls._plans = [None] * 8
        cls.abstract = cls.forward is Op.forward or cls.__name__.startswith("_")
        cls.fields = tuple(n for k in reversed(cls.__mro__) for n in vars(k).get("__annotations__", ())
                           if k is not object and k is not Op)
        if not cls.abstract:
            read_signature(cls)
            read_rules(cls)
            name = cls.grad_name or cls.__name__ + "Backward0"
            cls.Node = type(name, (Node,), {"__slots__": (), "__module__": "kobai"})
            registry.append(cls)

    def __new__(cls, *args):
        key = (args, *map(type, args)) if args else ()
        try:
            return cls._instances[key]
        except KeyError:
            return cls._intern(key, args)
        except TypeError:  # a parameter that cannot be a key, such as a callable with state
            return cls._make(args)

    @classmethod
    def _intern(cls, key, args):
        if len(cls._instances) > _MANY:  # a loop over x[i] makes an op for each i: forget what was used once
            cls._instances.clear()
        return cls._instances.setdefault(key, cls._make(args))

    @classmethod
    def _make(cls, args):
        if len(args) > len(cls.fields):
            raise TypeError(f"{cls.__name__} takes {len(cls.fields)} parameters, got {len(args)}")
        self = object.__new__(cls)
        for name, value in zip(cls.fields, args):
            setattr(self, name, value)
        for name in cls.fields[len(args):]:
            setattr(self, name, getattr(cls, name))  # its default; AttributeError if it has none
        return self

    def __repr__(self):
        return f"{type(self).__name__}({', '.join(f'{n}={getattr(self, n)!r}' for n in self.fields)})"

    def __reduce__(self):
        return type(self), tuple(getattr(self, n) for n in self.fields)

    def __call__(self, *values):
        """Apply to any values: record on Tensors, interpret lifted ones, compute on arrays."""
        lifted = False
        for v in values:
            if v.__class__ is _ndarray:
                continue
            if isinstance(v, Tensor):
                return apply(self, *values)
            if isinstance(v, Lifted):
                lifted = True
        return top(values).process(self, values) if lifted else self.forward(*values)

    def forward(self, *arrays):
        """The result on NumPy arrays."""
        raise NotImplementedError


class Elementwise(Op):
    """y[i] = f(x[i], ...), broadcasting. Rules `d_x` give dy/dx; the chain rule is added here.

    A rule may also be a number (`d_a = 1`), or a `vjp_x(g, ...)` where the product g * dy/dx would
    be wrong or wasteful. `ufunc` is NumPy's function, if there is one: then forward is that.
    """

    elementwise = True
    ufunc = None
    operator = ""      # Python's operator: "mul" gives __mul__, __rmul__, __imul__

    def __init_subclass__(cls):
        if vars(cls).get("ufunc") and "forward" not in vars(cls):
            # No Python methods, so self is not passed. Operators are ten times faster on scalars.
            cls.forward = _OPERATORS.get(cls.ufunc, cls.ufunc)
            cls.inputs = ("x",) if cls.ufunc.nin == 1 else ("a", "b")
        super().__init_subclass__()
        if not cls.abstract and "common" not in vars(cls):
            cls.common = cls.inputs


_OPERATORS = {np.add: operator.add, np.subtract: operator.sub, np.multiply: operator.mul,
              np.true_divide: operator.truediv, np.negative: operator.neg, np.equal: operator.eq,
              np.not_equal: operator.ne, np.less: operator.lt, np.less_equal: operator.le,
              np.greater: operator.gt, np.greater_equal: operator.ge, np.absolute: operator.abs}


class Movement(Op):
    """Elements move, none changes: reshape, transpose, slices. Linear; the result may be a view."""

    linear = True
    view = True        # the result may share the memory of the input
    moves = True       # no arithmetic: any dtype passes through as it is

    def __new__(cls, *args):
        try:  # parameters are ints and tuples of them: their types need not be told apart
            return cls._instances[args]
        except KeyError:
            return cls._intern(args, args)


class Reduction(Op):
    """Dimensions are summed up, or the like, over `dim`: a sorted tuple of dimensions >= 0."""

    dim: tuple
    keepdim: bool = False


class Contraction(Op):
    """Products summed over shared dimensions: matmul, convolution."""


# ---- application: the hot path ---------------------------------------------------------------
class _Constant:
    """Stands for a Python number or array among the inputs: nothing to watch, no gradient."""

    _ver = [0, None]


CONSTANT = _Constant()
_MANY = 10_000  # ops of one class that are kept


def apply1(op, a):
    """Apply an op of one input. Float32 and float64 tensors take the short way."""
    try:
        x = a._data
        d = x.dtype
    except AttributeError:  # not a plain tensor
        d = None
    if op.view:
        return apply_view(op, a)
    if d is not _F32 and d is not _F64:
        return apply_any(op, (a,))
    if a._base is not None:
        refresh(a)
    y = op.forward(x)
    out = _new(Tensor)
    out._data, out._ver, out._base, out._grad = y, [0, None], None, None
    if a._rg and modes.grad and op.differentiable:
        if modes.pack is not None or y.dtype is not d:
            out._node, out._rg = None, False
            record(op, (a,), (x,), out, y, 1, y.dtype.kind == "c")
            return out
        save, vjp = op._plans[1] or _plan(op, 1)
        f = _getframe(2)
        while inside[f.f_code.co_filename]:
            f = f.f_back
        producer = a._node
        node = _new(op.Node)
        node.op, node.vjp, node.fit, node.hooks, node.extra = op, vjp, None, None, None
        node.edges, node.saved = (a if producer is None else producer,), save(y, out, (a,), x)
        node.where, node._order = (f.f_code, f.f_lasti), next_order()
        out._node, out._rg = node, True
    else:
        out._node, out._rg = None, False
    return out


def apply_view(op, a):
    """Apply a view op of one input and one output; the dtype does not matter."""
    try:
        x = a._data
    except AttributeError:  # not a plain tensor
        return apply_any(op, (a,))
    if x.__class__ is not _ndarray:
        x = a._array()
    if a._base is not None:
        refresh(a)
    y = op.forward(x)
    out = _new(Tensor)
    out._data, out._ver, out._base, out._grad, out._node, out._rg = y, [0, None], None, None, None, False
    _share(op, a, out)
    if a._rg and modes.grad and op.differentiable:
        if modes.pack is not None or y.dtype is not _F32 and y.dtype is not _F64:
            record(op, (a,), (x,), out, y, 1, y.dtype.kind == "c")
        else:
            save, vjp = op._plans[1] or _plan(op, 1)
            producer = a._node
            node = _new(op.Node)
            node.op, node.vjp, node.fit, node.hooks, node.extra = op, vjp, None, None, None
            node.edges, node.saved = (a if producer is None else producer,), save(y, out, (a,), x)
            node.where, node._order = here(2), next_order()
            out._node, out._rg = node, True
    return out


def apply2(op, a, b):
    """Apply an op of two inputs; either may be a Python number. Equal float dtypes take the short way."""
    try:
        x = a._data
        d = x.dtype
    except AttributeError:
        x, d = a if type(a) is float or type(a) is int else None, None
    try:
        y = b._data
        e = y.dtype
    except AttributeError:
        y, e = b if type(b) is float or type(b) is int else None, d
    if d is None:
        d = e
    if d is not e or d is not _F32 and d is not _F64 or x is None or y is None:
        return apply_any(op, (a, b))
    try:
        z = op.forward(x, y)
    except ValueError as error_:
        failure = error_
    else:
        out = _new(Tensor)
        out._data, out._ver, out._base, out._grad = z, [0, None], None, None
        needs = 0
        if x is not a:
            if a._base is not None:
                refresh(a)
            needs = a._rg
        if y is not b:
            if b._base is not None:
                refresh(b)
            needs += 2 * b._rg
        if needs and modes.grad and op.differentiable:
            _record2(op, needs, a, b, x, y, z, out)
        else:
            out._node, out._rg = None, False
        return out
    raise _broadcast_error(op, (x, y), failure)


def _record2(op, needs, a, b, x, y, z, out):
    """The node of an elementwise op of two inputs; x, y are their values, z the result's."""
    if modes.pack is not None:
        out._node, out._rg = None, False
        return record(op, (a, b), (x, y), out, z, needs, False)
    save, vjp = op._plans[needs] or _plan(op, needs)
    f = _getframe(3)
    while inside[f.f_code.co_filename]:
        f = f.f_back
    ea = eb = fit = None
    if needs & 1:
        ea = a._node
        if ea is None:
            ea = a
    if needs & 2:
        eb = b._node
        if eb is None:
            eb = b
    if x is not a and y is not b and op.elementwise:
        sx, sy = x.shape, y.shape
        if sx != sy:
            shape = z.shape
            fit = (None if sx == shape else sx, None if sy == shape else sy)
    node = _new(op.Node)
    node.op, node.vjp, node.fit, node.hooks, node.extra = op, vjp, fit, None, None
    node.edges = (ea, eb)
    node.saved = save(z, out, (CONSTANT if x is a else a, CONSTANT if y is b else b), x, y)
    node.where, node._order = (f.f_code, f.f_lasti), next_order()
    out._node, out._rg = node, True


def apply3(op, a, b, c):
    """Apply an op of three inputs with one output. Three plain tensors of one float dtype take the short way."""
    try:
        x, y, z = a._data, b._data, c._data
        d = x.dtype
    except AttributeError:
        d = None
    if d is not _F32 and d is not _F64 or y.dtype is not d or z.dtype is not d or modes.pack is not None:
        return apply_any(op, (a, b, c))
    try:
        r = op.forward(x, y, z)
    except ValueError as e:
        failure = e
    else:
        out = _new(Tensor)
        out._data, out._ver, out._base, out._grad, out._node, out._rg = r, [0, None], None, None, None, False
        if a._base is not None or b._base is not None or c._base is not None:
            needs = _grad_mask((a, b, c))
        else:
            needs = a._rg + 2 * b._rg + 4 * c._rg
        if needs and modes.grad and op.differentiable:
            save, vjp = op._plans[needs] or _plan(op, needs)
            f = _getframe(2)
            while inside[f.f_code.co_filename]:
                f = f.f_back
            node = _new(op.Node)
            node.op, node.vjp, node.hooks, node.extra = op, vjp, None, None
            node.fit = _fit_of(op, (x, y, z), r) if op.elementwise else None
            node.edges = (None if not needs & 1 else a if a._node is None else a._node,
                          None if not needs & 2 else b if b._node is None else b._node,
                          None if not needs & 4 else c if c._node is None else c._node)
            node.saved = save(r, out, (a, b, c), x, y, z)
            node.where, node._order = (f.f_code, f.f_lasti), next_order()
            out._node, out._rg = node, True
        return out
    raise _broadcast_error(op, (x, y, z), failure)


def _plan(op, needs):
    op._plans[needs] = found = compiled_rules(type(op), needs, False)
    return found


def apply(op, *inputs):
    """Apply `op` to Tensors, arrays and numbers; the result is a Tensor, or a tuple of them."""
    if len(inputs) == 1:
        return apply1(op, inputs[0]) if op.outputs == 1 else apply_any(op, inputs)
    if op.outputs == 1 and not op.view:
        if len(inputs) == 2:
            return apply2(op, *inputs)
        if len(inputs) == 3:
            return apply3(op, *inputs)
    return apply_any(op, inputs)


# ---- application: everything else ------------------------------------------------------------
def apply_any(op, inputs):
    """Any number of inputs and outputs, and views. Plain tensors of one float dtype go straight on."""
    values, mask = _plain_values(op, inputs)
    if values is None:
        return _apply_general(op, inputs)
    try:
        y = op.forward(*values)
    except ValueError as e:
        raise _broadcast_error(op, values, e) from None
    return _finish(op, inputs, values, y, mask, False)


def _plain_values(op, inputs):
    """(arrays, bits of the inputs that require grad), or (None, 0) if the short way does not do."""
    values, mask, bit, first = [], 0, 1, None
    for t in inputs:
        if t is None:
            values.append(None)
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


_I64, _BOOL = np.dtype(np.int64), np.dtype(np.bool_)


def _apply_general(op, inputs):
    """Promotion, numbers and arrays among the inputs, half precision, complex and lifted values."""
    tensors = [v if isinstance(v, Tensor) or v is None else _as_tensor(op, v, i) for i, v in enumerate(inputs)]
    if op.common:
        tensors = _unify(op, tensors)
    if any(type(t) is LiftedTensor for t in tensors):
        return _apply_lifted(op, tensors)
    if op.view:
        values = [t._array() if isinstance(t, Tensor) else t for t in tensors]
    else:
        values = [t._data if isinstance(t, Tensor) else t for t in tensors]
    try:
        y = _compute(op, values)
    except ValueError as e:
        raise _broadcast_error(op, values, e) from None
    is_complex = any(getattr(v, "dtype", _F32).kind == "c" for v in (*values, *(y if op.outputs != 1 else (y,))))
    return _finish(op, tensors, values, y, _grad_mask(tensors), is_complex)


def _grad_mask(tensors):
    mask = 0
    for i, t in enumerate(tensors):
        if isinstance(t, Tensor) and t.requires_grad:
            mask |= 1 << i
    return mask


def _finish(op, tensors, values, y, mask, is_complex):
    """Wrap the results, as views where they are, and record them."""
    if op.outputs == 1:
        out = wrap(y)
        if op.view:
            _share(op, tensors[0], out)
    else:
        out = tuple([wrap(v) for v in y])
        if op.view:
            for i, one in enumerate(out):
                _share(op.one(i), tensors[0], one)
    if mask and modes.grad and op.differentiable:
        record(op, tensors, values, out, y, mask, is_complex)
    return out


def _compute(op, values):
    """forward; float16 and bfloat16 arithmetic is done in float32 and rounded once, as in PyTorch."""
    if op.moves or not any(getattr(v, "dtype", None) in _HALF for v in values):
        return op.forward(*values)
    half = next(v.dtype for v in values if getattr(v, "dtype", None) in _HALF)
    wide = [v.astype(_F32) if getattr(v, "dtype", None) in _HALF else v for v in values]
    y = op.forward(*wide)
    if isinstance(y, tuple):
        return tuple([v.astype(half) if v.dtype is _F32 else v for v in y])
    return y.astype(half) if y.dtype == _F32 else y


def _as_tensor(op, v, position):
    """Numbers stay (they do not decide the dtype); arrays become constants; else PyTorch's TypeError."""
    if isinstance(v, (bool, int, float, complex)):
        return v
    if isinstance(v, (np.ndarray, np.generic)):
        return wrap(v)
    if isinstance(v, Lifted):
        return LiftedTensor(v)
    raise TypeError(
        f"{op.__class__.__name__.lower()}(): argument {op.inputs[min(position, len(op.inputs) - 1)]!r} "
        f"(position {position + 1}) must be Tensor, not {type(v).__name__}")


def _unify(op, tensors):
    """Bring the inputs named in `common` to their result dtype (PyTorch's promotion)."""
    chosen = range(len(tensors)) if len(op.common) == len(op.inputs) else [op.inputs.index(n) for n in op.common]
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
    """Interpret; what is not lifted takes part as a Tensor, so that outer graphs see it."""
    values = [t._value if type(t) is LiftedTensor else t for t in tensors]
    y = top(values).process(op, values)
    outs = tuple([LiftedTensor(v) if isinstance(v, Lifted) else v if isinstance(v, Tensor) else wrap(v)
                  for v in (y if op.outputs != 1 else (y,))])
    mask = _grad_mask(tensors)
    if mask and modes.grad and op.differentiable:
        inner = [t._value if isinstance(t, Tensor) else t for t in tensors]
        is_complex = any(getattr(v, "dtype", _F32).kind == "c" for v in (*inner, *[o._value for o in outs]))
        if op.outputs != 1:
            record(op, tensors, inner, outs, tuple([o._value for o in outs]), mask, is_complex)
        else:
            record(op, tensors, inner, outs[0], outs[0]._value, mask, is_complex)
    return outs if op.outputs != 1 else outs[0]


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
    if modes.pack is not None:
        saved = pack_saved(vjp, saved)
    fit = _fit_of(op, values, y) if op.elementwise else None
    node = op.Node(op, tuple(edges), saved, vjp, fit, here(3))
    if op.outputs == 1:
        out._node, out._rg = node, True
        return
    node.extra = {"outs": [(v.shape, v.dtype) for v in y]}
    for i, (t, v) in enumerate(zip(out, y)):
        if v.dtype.kind in "fcV":
            t._node, t._rg = Port(node, i), True


def _fit_of(op, values, y):
    shapes = [getattr(v, "shape", ()) for v in values]
    if all(s == y.shape for s in shapes):
        return None
    return tuple([None if s == y.shape else s for s in shapes])


def _share(op, base, out):
    """`out` is a view of `base`: one version counter, and in-place changes reach the base's history."""
    x, y = base._data, out._data
    below = y.base
    if below is not x and (below is None or below is not x.base) and not np.may_share_memory(x, y):
        return  # NumPy had to copy
    out._ver = base._ver
    if base._base is None:
        out._base, out._chain = base, (op,)
    else:
        out._base, out._chain = base._base, (*base._chain, op)
    out._seen = out._base._rebased


def _broadcast_error(op, values, e):
    shapes = [np.shape(v) for v in values if isinstance(v, (np.ndarray, np.generic))]
    if op.elementwise and "broadcast" in str(e) and len(shapes) > 1:
        return error("shape-broadcast", shapes=shapes)
    return e
