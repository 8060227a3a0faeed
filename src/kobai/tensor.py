"""The Tensor: an array, its gradient, and its place in the graph. No mathematics lives here.

The functions and operators of a Tensor come from the ops (see `public.py`); `backward` from
`autograd/engine.py`.
"""
from __future__ import annotations

import copy
import weakref

import numpy as np

from . import aligned, dtypes, printing
from .autograd.mode import modes
from .autograd.node import Hook, Port, face, here
from .devices import Size, cpu, strided
from .diagnose import error, warn
from .lifted import Lifted

_new_tuple = tuple.__new__


class Tensor:
    """An n-dimensional array that can take part in automatic differentiation.

    `_data` is a NumPy array, or a NumPy scalar where there are no dimensions (five times faster);
    `_ver` is a cell [count of in-place changes, where the last was] shared by all views of the
    memory; `_node` is what made the tensor; `_base` and `_chain` (see `ops_of`) tell of what it is a view.
    """

    __slots__ = ("_data", "_ver", "_base", "_grad", "_node", "_rg", "__dict__", "__weakref__")
    __array_priority__ = 1000  # NumPy leaves mixed arithmetic to us
    __hash__ = object.__hash__
    _order = None              # a leaf is no node: the engine's heap does not take it
    _rebased = 0               # how often in-place changes replaced the history, for views to notice
    _chain = ()
    _hooks = None
    _retains = False
    is_sparse = is_quantized = is_mkldnn = is_meta = is_cuda = is_nested = is_mps = is_xpu = False
    is_sparse_csr = False
    is_cpu = True
    names = property(lambda self: (None,) * self.ndim)

    # ---- subclasses ----------------------------------------------------------------------
    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if not cls.__module__.startswith("kobai."):
            from .subclasses import prepare  # noqa: PLC0415  (only programs that make such classes need it)
            prepare(cls)

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        """What a function gives on tensors of this class: as on plain ones, and of this class."""
        from .subclasses import default  # noqa: PLC0415
        return default(cls, func, types, args, kwargs)

    # ---- what it is ----------------------------------------------------------------------
    @property
    def _value(self):
        """The array, or for a LiftedTensor the lifted value."""
        return self._data

    @property
    def shape(self):
        return _new_tuple(Size, self._data.shape)

    @property
    def dtype(self):
        return dtypes._of.get(self._value.dtype) or dtypes.of(self._value.dtype)

    @property
    def ndim(self):
        return self._data.ndim

    device = property(lambda self: cpu)
    layout = property(lambda self: strided)
    itemsize = property(lambda self: self._value.dtype.itemsize)
    nbytes = property(lambda self: self._value.size * self._value.dtype.itemsize)

    @property
    def is_leaf(self):
        if self._base is not None:
            refresh(self)
        return self._node is None

    @property
    def requires_grad(self):
        if self._base is not None:
            refresh(self)
        return self._rg

    @requires_grad.setter
    def requires_grad(self, value):
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad=True):
        """Record operations on this tensor from now on (or no longer). Only leaves can change."""
        if requires_grad and self._value.dtype.kind not in "fcV":
            raise error("int-requires-grad", tensor=self)
        if not requires_grad and self._node is not None:
            raise error("nonleaf-requires-grad", tensor=self)
        self._rg = bool(requires_grad)
        return self

    def why_no_grad(self, *, show=True):
        """Print why `.grad` is None or `requires_grad` False, with the lines that made it so."""
        from .diagnose.no_grad import why_no_grad  # noqa: PLC0415  (it looks at what stands above)
        return why_no_grad(self, show=show)

    @property
    def grad_fn(self):
        if self._base is not None:
            refresh(self)
        node = self._node
        if type(node) is Port:
            return face(node.node, node.number)
        return node if node is None else face(node)

    @property
    def output_nr(self):
        return self._node.number if type(self._node) is Port else 0

    @property
    def grad(self):
        g = self._grad
        if modes.trace is not None:
            modes.trace.looks_at_gradient(self)
        if g is None and self._node is not None and not self._retains:
            warn("nonleaf-grad", tensor=self)
        return g

    @grad.setter
    def grad(self, g):
        if g is not None:
            if not isinstance(g, Tensor):
                raise error("argument-type", TypeError(
                    f"assigned grad expected to be a Tensor or None but got grad of type {type(g).__name__}"),
                    what="grad", kind=type(g), must="a tensor or None")
            if g is self:
                raise error("argument-value", RuntimeError("can't assign Variable as its own grad"),
                            what="grad", value="", must="a tensor", why="a tensor and its gradient are two tensors.",
                            fix="x.grad = torch.zeros_like(x), or x.grad = x.detach().clone().")
            if g._value.dtype != self._value.dtype:
                raise error("assigned-grad-dtype", tensor=self, a=g, b=self)
            if g._value.shape != self._value.shape:
                raise error("assigned-grad-shape", tensor=self, have=g.shape, want=self.shape)
        if modes.trace is not None:
            modes.trace.touch(self, True)
        self._grad = g

    @grad.deleter
    def grad(self):
        self.grad = None

    @property
    def data(self):
        """The same memory as a tensor of its own, outside the graph and its version counter."""
        return wrap(self._array(), type(self)) if type(self) is not LiftedTensor else self.detach()

    @data.setter
    def data(self, other):
        if type(self) is not LiftedTensor and getattr(other, "_data", None) is self._data:  # x.data -= 1
            return
        if not isinstance(other, Tensor):
            raise error("argument-type", TypeError(f"Variable data has to be a tensor, but got {type(other).__name__}"),
                        what="data", kind=type(other), must="a tensor")
        if type(self) is not LiftedTensor and self._rg and other._value.dtype.kind not in "fcV":
            raise error("tensor-dtype",
                        RuntimeError("data set to a tensor that requires gradients must be floating point or complex dtype"),
                        what="data", dtype=other._value.dtype, fn="x.data = ...", must="floating point or complex numbers",
                        fix="convert it first: {what}.float().")
        if modes.trace is not None:
            modes.trace.stop("x.data = ... gives a tensor other memory")
        if type(self) is LiftedTensor:
            self._value = other._value
        else:
            self._data = other._data

    @property
    def grad_dtype(self):
        """The dtype of `grad`: always the tensor's own, as only leaves have one."""
        if self.grad_fn is not None:
            raise error("call-order", RuntimeError("grad_dtype can only be accessed on leaf tensors."),
                        why="only leaves keep a gradient, and {made_by} made this tensor.", made_by=self.grad_fn.name(),
                        fix="ask a leaf (a parameter, or a tensor made with requires_grad=True).")
        return self.dtype

    @property
    def _version(self):
        return self._ver[0]

    def _is_view(self):
        if self._base is None:
            return False
        op = getattr(self._node, "op", None)
        return op is None or not op.shown_new

    def detach(self):
        """The same memory without history; in-place changes of either are noticed by both."""
        if type(self) is LiftedTensor:
            v = self._value.detached()
            return LiftedTensor(v) if isinstance(v, Lifted) else v
        out = wrap(self._array())
        out._ver = self._ver
        if self._rg:
            out._cut = ".detach()", here()  # for the error of a backward() that starts from it
        return out

    def detach_(self):
        """Forget the history of this tensor itself."""
        if self._base is not None:
            raise error("memory", RuntimeError("Can't detach views in-place. Use detach() instead."),
                        why="a view shares its history with the tensor it looks into.",
                        fix="y = x.detach() gives a new tensor on the same memory.")
        self._node, self._rg = None, False
        self._rebased += 1
        return self

    def is_inference(self):
        """Whether the tensor was made in inference mode: tensors do not remember that here."""
        return False

    def retain_grad(self):
        """Keep the gradient of this non-leaf tensor in `.grad` when backward passes it."""
        if not self.requires_grad:
            raise error("retain-no-grad", tensor=self)
        if self._node is not None and not self._retains:
            self._keep_grad()

    def _keep_grad(self):
        """Have the node that made this tensor put its gradient into `.grad`."""
        me = weakref.ref(self)

        def keep(g):
            t = me()
            if t is not None:
                t._grad = g if t._grad is None else t._grad + g
        kept = self._node_hooks("retain")
        kept.append(keep)
        self._retains = kept, keep

    def _came_from(self, node, requires_grad):
        """Take another history, after a change in place; `.grad` is kept for the new value then."""
        self._node, self._rg = node, requires_grad
        if self._retains:
            kept, keep = self._retains
            kept.remove(keep)
            self._retains = False
            if node is not None:
                self._keep_grad()

    @property
    def retains_grad(self):
        return bool(self._retains)

    # ---- hooks ---------------------------------------------------------------------------
    def register_hook(self, hook):
        """Call `hook(grad)` when this tensor's gradient is computed; it may return another one."""
        if not self.requires_grad:
            raise error("hook-no-grad", tensor=self)
        if self._node is None:
            if self._hooks is None:
                self._hooks = {}, {}
            return Hook(self._hooks[0], hook)
        return Hook(self._node_hooks("tensor"), hook)

    def register_post_accumulate_grad_hook(self, hook):
        """Call `hook(tensor)` after this leaf's `.grad` was updated."""
        if not self.requires_grad:
            raise error("hook-no-grad", tensor=self)
        if self._node is not None:
            raise error("call-order",
                        RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors"),
                        why="only leaves add up a gradient in .grad, and {made_by} made this tensor.",
                        made_by=self.grad_fn.name(), fix="x.register_hook(fn) sees the gradient of any tensor.")
        if self._hooks is None:
            self._hooks = {}, {}
        return Hook(self._hooks[1], hook)

    def _node_hooks(self, kind):
        """Hooks on this output of its node: {"tensor": {id: hook}, "retain": [keep, ...]}."""
        if self._base is not None:
            refresh(self)
        node = self._node.node if type(self._node) is Port else self._node
        by_output = node._hook_lists()[2]
        mine = by_output.setdefault(self.output_nr, {"tensor": {}, "retain": []})
        return mine[kind]

    # ---- its memory ----------------------------------------------------------------------
    def _array(self):
        """The ndarray, for writing or for views; a scalar becomes an array first."""
        data = self._data
        if type(data) is not np.ndarray:
            self._data = np.array(data)
            if modes.trace is not None:
                modes.trace.same(data, self._data)
        return self._data

    def _array_told(self):
        """The same while a recorder is at work (op.long_ways): it is told who looks at this memory."""
        data = self._data
        trace = modes.trace
        if type(data) is not np.ndarray:
            self._data = np.array(data)
            if trace is not None:
                trace.same(data, self._data)
        if trace is not None:
            trace.uses(self, self._data)
        return self._data

    def _bump(self):
        """Say that the memory was changed in place."""
        if modes.trace is not None:
            modes.trace.changed(self)
        self._ver[0] += 1

    def numpy(self, *, force=False):
        """The values as a NumPy array on the same memory."""
        if type(self) is LiftedTensor:
            return _plain(self, "numpy()").numpy(force=force)
        if modes.trace is not None:
            modes.trace.looked("numpy()")
        if force:
            return self._array()
        if self.requires_grad:
            raise error("numpy-requires-grad", tensor=self)
        return self._array()

    def __array__(self, dtype=None, copy=None):
        a = self.numpy()
        if dtype is not None and a.dtype != dtype:
            return a.astype(dtype)
        return a.copy() if copy else a

    def __array_wrap__(self, array, context=None, return_scalar=False):
        return wrap(np.asarray(array))

    def item(self):
        """The Python number of a tensor with one element."""
        if self.__class__ is Tensor and modes.trace is None and self._data.size == 1:
            v = self._data.item()
            if v.__class__ in _NUMBERS:
                return v
        value = self._value
        if modes.trace is not None:
            later = modes.trace.item(self)
            if later is not None:
                return later
        if isinstance(value, Lifted):
            return _plain(self, "item()").item()
        if value.size != 1:
            raise error("item-size", tensor=self, size=value.size)
        v = value.item()
        return float(v) if value.dtype.kind == "V" else v

    def tolist(self):
        """Nested lists of Python numbers."""
        if modes.trace is not None:
            modes.trace.looked("tolist()")
        if isinstance(self._value, Lifted):
            return _plain(self, "tolist()").tolist()
        return (self._data.astype(np.float32) if self._data.dtype.kind == "V" else self._data).tolist()

    def __len__(self):
        if not self._value.shape:
            raise error("no-dim-len", tensor=self)
        return self._value.shape[0]

    def __iter__(self):
        if not self._value.shape:
            raise error("no-dim-iteration", tensor=self)
        return iter(self.unbind(0))

    def __bool__(self):
        if self._value.size != 1:
            raise error("bool-many", tensor=self, how_many="more than one value" if self._value.size else "no values")
        if type(self) is LiftedTensor and self._value.per_example:
            raise error("lifted-branch", tensor=self)
        return bool(self.item())

    def __float__(self):
        return float(self._one())

    def __int__(self):
        return int(self._one())

    def __complex__(self):
        return complex(self._one())

    def _one(self):
        """The only element; Python's conversions have an error of their own for several."""
        if getattr(self._value, "size", 1) != 1:
            raise error("scalar-many", tensor=self)
        return self.item()

    def __index__(self):
        if self._value.dtype.kind not in "iub" or self._value.size != 1:
            raise TypeError(  # plain: Python asks, and goes on without
                "only integer tensors of a single element can be converted to an index")
        return int(self.item())

    def __format__(self, spec):
        if type(self) is Tensor and not self._data.shape:
            return format(self.item(), spec)
        return object.__format__(self, spec) if spec else repr(self)

    def __repr__(self):
        if modes.trace is not None:
            modes.trace.looked("printing")
        return printing.repr_of(self)

    def __setstate__(self, state):
        self.__dict__.update(state)

    def __reduce_ex__(self, protocol):
        if modes.trace is not None:
            modes.trace.looked("pickling")
        extra = {k: v for k, v in self.__dict__.items() if k not in _IN_THE_GRAPH}
        # Not by its name, torch.Tensor, which in a process of PyTorch's would be another class.
        kind = None if type(self) is Tensor else type(self)
        return _rebuild, (kind, self._array(), self._rg and self._node is None), extra or None

    def __deepcopy__(self, memo):
        if modes.trace is not None:
            modes.trace.looked("deepcopy()")
        if self._node is not None:
            raise error("deepcopy-computed", tensor=self)
        if id(self) in memo:
            return memo[id(self)]
        out = wrap(aligned.copied(self._data) if type(self._data) is np.ndarray else np.array(self._data), type(self))
        out._rg = self._rg
        memo[id(self)] = out
        if self._grad is not None:
            out._grad = self._grad.__deepcopy__(memo)
        if self.__dict__:
            out.__dict__.update(copy.deepcopy({k: v for k, v in self.__dict__.items() if k not in _IN_THE_GRAPH}, memo))
        return out


# Attributes that tell of a tensor's place in the graph: copies of it have their own.
_IN_THE_GRAPH = frozenset(("_chain", "_seen", "_rebased", "_hooks", "_accumulator", "_retains", "_cut"))
_held = Tensor.__dict__["_data"]
_NUMBERS = float, int, bool, complex


class LiftedTensor(Tensor):
    """A Tensor over a lifted value: inside vmap, forward mode, or a trace.

    It has no `_data`; the short way of `op.apply1` stumbles over that and takes the general one. (The value
    is in that slot, so that a plain tensor can become a lifted one when a lifted value is written into it.)
    """

    __slots__ = ()

    def __new__(cls, value):
        t = object.__new__(cls)
        _held.__set__(t, value)
        t._ver, t._base, t._grad, t._node, t._rg = [0, None], None, None, None, False
        return t

    @property
    def _value(self):
        if self._base is not None:
            refresh(self)
        return _held.__get__(self)

    @_value.setter
    def _value(self, value):
        _held.__set__(self, value)

    shape = property(lambda self: _new_tuple(Size, self._value.shape))
    ndim = property(lambda self: len(self._value.shape))
    layout = property(lambda self: self._value.layout or strided)
    is_sparse = property(lambda self: self.layout.name == "sparse_coo")
    is_sparse_csr = property(lambda self: self.layout.name == "sparse_csr")

    @property
    def _data(self):
        raise AttributeError("a tensor inside vmap, forward mode or a trace has no array")  # plain: caught by the ops

    def __deepcopy__(self, memo):
        return _rebuild_lifted(self._value, self._rg and self._node is None)  # lifted values do not change

    def __reduce_ex__(self, protocol):
        return _rebuild_lifted, (self._value, self._rg and self._node is None)


def _plain(t, what):
    """The Tensor whose numbers a lifted one shows; an error if there are none."""
    found = t._value.plain()
    if found is not None:
        return found
    if t.layout is strided:
        raise error("lifted-value", what=what, tensor=t)
    raise error("layout", TypeError("can't convert Sparse layout tensor to numpy. Use Tensor.to_dense() first."),
                what="the tensor", layout=t.layout, fn=what, must="ordinary tensors",
                fix="x.to_dense() gives all elements, x.values() those that are stored.")


_new = object.__new__


def wrap(data, cls=Tensor):
    """A Tensor on this array or NumPy scalar, without copying it."""
    t = _new(cls)
    t._data, t._ver, t._base, t._grad, t._node, t._rg = data, [0, None], None, None, None, False
    return t


def constant(t):
    """A tensor whose numbers are the same in every run of the program; a recorder is told so."""
    return t if modes.trace is None else modes.trace.constant(t)


def anew(t):
    """The same values as a tensor without history; what a lifted value knows of other transforms stays."""
    return LiftedTensor(t._value) if type(t) is LiftedTensor else t.detach()


def refresh(view):
    """Give a view its history anew if its base was changed in place since."""
    base = view._base
    if view._seen != base._rebased:
        before, modes.grad = modes.grad, True
        try:
            t = base
            for op in ops_of(view._chain):
                t = op(t)
        finally:
            modes.grad = before
        view._seen = base._rebased
        view._came_from(t._node, t._rg)
        if type(t) is LiftedTensor:  # its value is no memory shared with the base
            lift(view)._value = t._value


def lift(t):
    """Turn a plain tensor into a lifted one, in place; its value is to be set."""
    if type(t) is not LiftedTensor:
        t.__class__ = LiftedTensor
    return t


def ops_of(chain):
    """The ops that lead from the base to a view, from (those before the last, the last)."""
    ops = []
    while chain:
        chain, op = chain
        ops.append(op)
    return tuple(ops[::-1])


def edge_of(t):
    """Where gradients for `t` go: the node that made it, the leaf itself, or nowhere (None)."""
    if t._base is not None:
        refresh(t)
    return t._node if t._node is not None else t if t._rg else None


def _rebuild(cls, array, requires_grad):
    t = wrap(array, cls or Tensor)
    t._rg = requires_grad
    return t


def _rebuild_lifted(value, requires_grad):
    t = LiftedTensor(value)
    t._rg = requires_grad
    return t


Tensor.__module__ = LiftedTensor.__module__ = "torch"  # print(type(x)), as in articles
LiftedTensor.__name__ = LiftedTensor.__qualname__ = "Tensor"
