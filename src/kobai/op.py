"""What an operation is, and how one is applied to tensors and recorded.

An op is one class: `forward` computes on NumPy arrays, rules named after its inputs (`d_x`,
`vjp_a`) give derivatives, fields hold its parameters. Rules ask for what they need by the names
of their arguments (`rules.py`); only that is saved (`saved.py`).
"""
from __future__ import annotations

import operator
import os
from itertools import repeat
from sys import _getframe
from threading import RLock, get_ident

import numpy as np

from .autograd.mode import modes
from .autograd.node import UNRECORDED, Node, here, inside, many, next_order
from .general import CONSTANT, apply_any, apply_unwatched, failure, fit_of, grad_mask, record, share
from .large import (
    LARGE,
    NEVER,
    backward as large_backward,
    forward as large_forward,
    forward1,
    forward2,
    forward3,
    least_of,
)
from .later import Registry
from .lifted import Lifted, m as m, top
from .rules import compiled_rules, read_rules, read_signature
from .tensor import Tensor, refresh

registry: list[type[Op]] = Registry()

_F32, _F64 = np.dtype(np.float32), np.dtype(np.float64)
_new, _ndarray = object.__new__, np.ndarray
_MANY = 10_000  # ops of one class that are kept


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

    __slots__ = ("_native", "__dict__", "__weakref__")  # what machine code has to know, see backends/apply.py
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
    narrow = None         # narrow(*arrays): the result on arrays of bfloat16 as they are, rounded once
    differentiable = False
    abstract = True
    takes = None          # takes(inputs): raises where PyTorch has no such op for their dtypes, see takes.py
    faces = None          # faces(node, number): what the picture shows for an output, where that is not the node
    shown_new = False     # its result is a view here and none in PyTorch
    gradient_shown = None  # gradient_shown(node, number, g): what PyTorch records for the gradient of an input
    ties: tuple[str, ...] = ()  # inputs whose shapes alone PyTorch's backward takes, as tensors: see saved.tie
    least = NEVER         # elements from which on machine code may compute it, see large.py
    uses: dict = {}       # what is known about that for this instance
    quick: dict = {}
    pace = None           # what machine code has to know of that: a large.Pace
    backs: dict = {}
    dynamic = None        # dynamic(*arrays): whether the shape of the result depends on numbers
    emit = None           # scalar code for the compiler: emit(k, *inputs), see compile/kernel.py
    lower = None          # the op in terms of simpler ops, for the compiler
    planned = False       # whether the compiler has steps for it, which serve eager mode, too
    visits = None         # visits(given): how often NumPy goes through the input, for what is given by name; None: once
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
            cls.least = least_of(cls)
            cls.Node = type(name, (Node,), {"__slots__": (), "__module__": "builtins"})
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
        zeros = [v for v in args if v.__class__ is float and v == 0]
        if zeros:  # -0.0 equals 0.0, and is another parameter
            key = key, str(zeros)
            return cls._instances.get(key) or cls._instances.setdefault(key, cls._make(args))
        return cls._instances.setdefault(key, cls._make(args))

    @classmethod
    def _make(cls, args):
        if len(args) > len(cls.fields):
            raise TypeError(f"{cls.__name__} takes {len(cls.fields)} parameters, got {len(args)}")  # plain: a fault of kobai's own
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
        if lifted:
            return top(values).process(self, values)
        v = values[0]
        if v.__class__ is _ndarray and v.size >= LARGE and v.size >= self.least:
            return large_forward(self, *values)
        return self.forward(*values)

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
    big = type(x) is _ndarray and x.size >= LARGE and x.size >= op.least
    try:
        y = forward1(op, x) if big else op.forward(x)
    except TypeError as e:
        raise failure(op, (x,), e) from None
    out = _new(Tensor)
    out._data, out._ver, out._base, out._grad = y, [0, None], None, None
    if a._rg and modes.grad and op.differentiable:
        if modes.pack is not None or y.dtype is not d:
            out._node, out._rg = None, False
            record(op, (a,), (x,), out, y, 1, y.dtype.kind == "c")
            return out
        save, vjp = op._plans[1] or _plan(op, 1)
        if big:
            vjp = large_backward(op, 1, vjp)
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
        try:
            unrecorded()
        except StopIteration:
            _begin()
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
    share(op, a, out)
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
    v = x if type(x) is _ndarray else y
    big = type(v) is _ndarray and v.size >= LARGE and v.size >= op.least
    try:
        z = forward2(op, x, y) if big else op.forward(x, y)
    except (ValueError, TypeError) as e:
        raised = e
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
            _record2(op, needs, a, b, x, y, z, out, big)
        else:
            out._node, out._rg = None, False
            try:
                unrecorded()
            except StopIteration:
                _begin()
        return out
    raise failure(op, (x, y), raised)


def _record2(op, needs, a, b, x, y, z, out, big):
    """The node of an elementwise op of two inputs; x, y are their values, z the result's."""
    if modes.pack is not None:
        out._node, out._rg = None, False
        return record(op, (a, b), (x, y), out, z, needs, False)
    save, vjp = op._plans[needs] or _plan(op, needs)
    if big:
        vjp = large_backward(op, needs, vjp)
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
    big = type(x) is _ndarray and x.size >= LARGE and x.size >= op.least
    try:
        r = forward3(op, x, y, z) if big else op.forward(x, y, z)
    except (ValueError, TypeError) as e:
        raised = e
    else:
        out = _new(Tensor)
        out._data, out._ver, out._base, out._grad, out._node, out._rg = r, [0, None], None, None, None, False
        if a._base is not None or b._base is not None or c._base is not None:
            needs = grad_mask((a, b, c))
        else:
            needs = a._rg + 2 * b._rg + 4 * c._rg
        if needs and modes.grad and op.differentiable:
            save, vjp = op._plans[needs] or _plan(op, needs)
            if big:
                vjp = large_backward(op, needs, vjp)
            f = _getframe(2)
            while inside[f.f_code.co_filename]:
                f = f.f_back
            node = _new(op.Node)
            node.op, node.vjp, node.hooks, node.extra = op, vjp, None, None
            node.fit = fit_of(op, (x, y, z), r) if op.elementwise else None
            node.edges = (None if not needs & 1 else a if a._node is None else a._node,
                          None if not needs & 2 else b if b._node is None else b._node,
                          None if not needs & 4 else c if c._node is None else c._node)
            node.saved = save(r, out, (a, b, c), x, y, z)
            node.where, node._order = (f.f_code, f.f_lasti), next_order()
            out._node, out._rg = node, True
        return out
    raise failure(op, (x, y, z), raised)


def _begin():
    """So many ops left no node that more are likely to come: machine code is worth its making."""
    global unrecorded
    unrecorded = repeat(None).__next__
    many.begin()


unrecorded = repeat(None, UNRECORDED).__next__  # counts in 20 nanoseconds: those of inference, which no backward pass sees


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
        if len(inputs) == 3 and inputs[2] is not None:
            return apply3(op, *inputs)
    return apply_any(op, inputs)


# ---- while something is recorded ---------------------------------------------------------------
def _long1(op, a):
    return apply_any(op, (a,))


def _long2(op, a, b):
    return apply_any(op, (a, b))


def _long3(op, a, b, c):
    return apply_any(op, (a, b, c))


_WAYS = [(apply1, _long1), (apply_view, _long1), (apply2, _long2), (apply3, _long3),
         (apply_any, apply_unwatched), (Tensor._array, Tensor._array_told)]
_SHORT = [short.__code__ for short, _ in _WAYS]
# As Python functions, whatever these names mean later, for backends/apply.py.
short_ways, large_ways = (apply1, apply_view, apply2, apply3), (forward1, forward2, forward3)
any_way = apply
watched = np.zeros(1, np.int64)  # while it is not 0, backends/apply.py leaves all ops to these functions
_watching: list = []             # for whom: threads, recorders, or all (None)
_RECORDER = "a recorder"
_recorders = 0
_lock = RLock()  # the collector or a signal may run a program's code in its midst, and that ops


def long_ways(on):
    """Send all ops the general way while a recorder is at work, so that the short ways need not ask for one.

    The general way gives the same; other threads are only slower meanwhile.
    """
    global _recorders
    leave_to_python(on, _RECORDER)
    with _lock:
        _recorders += 1 if on else -1
        for (short, long), code in zip(_WAYS, _SHORT):
            short.__code__ = long.__code__ if _recorders else code


def leave_to_python(on, who=None):
    """Have no op applied by machine code while somebody watches or replaces what Python's functions do.

    One who does so in its own thread only gives that thread's number: in a process forked by another it is not there.
    """
    with _lock:
        if on:
            _watching.append(who)
        elif who in _watching:
            _watching.remove(who)
        watched[0] = len(_watching)


def _alone():
    """In a forked child: what other threads did has ended, and whoever had the lock does not give it back."""
    global _recorders
    _lock._at_fork_reinit()
    _recorders = 1 if modes.trace is not None else 0
    _watching[:] = [_RECORDER] * _recorders + [who for who in _watching if who in (None, get_ident())]
    watched[0] = len(_watching)
    for (short, _), code in zip(_WAYS, _SHORT):
        if not _recorders:
            short.__code__ = code


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_alone)
