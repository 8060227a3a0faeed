"""Functions with a derivative of the user's own: `class Exp(autograd.Function)`."""
from __future__ import annotations

import functools

from ..diagnose import error
from ..inplace import rebase, refuse_leaf
from ..lifted import m, top
from ..saved import alias, pack_one, tensor_of
from ..tensor import LiftedTensor, Tensor, anew, edge_of, wrap
from .dual import Dual
from .mode import PASS, enable_grad, modes, no_grad
from .node import Freed, Node, Port, here, shown_edge


class FunctionCtx(Node):
    """What `forward` and `backward` share (`ctx`); it is also the node that `grad_fn` shows."""

    materialize_grads = True
    needs_input_grad: tuple = ()
    _to_save: tuple = ()
    _dirty: tuple = ()
    _without_grad: tuple = ()
    _cls: type

    def __getattr__(self, name):
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def next_functions(self):
        """Pairs (node, output number) of the producers of the arguments that are tensors."""
        return tuple([shown_edge(e) for e, like in zip(self.edges, self.like) if like is not None])

    def __repr__(self):
        return f"<torch.autograd.function.{type(self).__name__} object at {id(self):#x}>"

    def save_for_backward(self, *tensors):
        """Keep tensors for `backward`, where they are `ctx.saved_tensors`; changes in place are noticed."""
        for i, t in enumerate(tensors):
            if t is not None and not isinstance(t, Tensor):
                raise error("argument-type", TypeError(
                    f"save_for_backward can only save variables, but argument {i} is of type {type(t).__name__}"),
                    what=f"argument {i} of save_for_backward", kind=type(t), must="a tensor or None",
                    fix="keep other values as attributes: ctx.name = value.")
        self._to_save = tensors

    save_for_forward = save_for_backward

    def mark_dirty(self, *tensors):
        """Say that `forward` changed these inputs in place (and returns them)."""
        self._dirty = tensors

    def mark_non_differentiable(self, *tensors):
        """Say that these outputs have no derivative."""
        self._without_grad = tensors

    def set_materialize_grads(self, value):
        """Whether `backward` gets zeros (the default) or None for outputs that nobody used."""
        self.materialize_grads = bool(value)

    @property
    def saved_tensors(self):
        """What `save_for_backward` kept."""
        if isinstance(self.saved, Freed):
            raise error("second-backward", node=self)
        if self._to_save is None:
            return tuple([s.tensor(self) for s in self.saved])
        return tuple(self._to_save)

    saved_variables = saved_tensors


class _Saved:
    """One saved tensor: an input or a value of forward's as it is, an output without a reference cycle."""

    __slots__ = ("value", "output", "version", "cell", "kept")

    def __init__(self, t, outs):
        self.output = next((i for i, o in enumerate(outs) if o is t), None)
        self.cell, self.version = t._ver, t._ver[0]
        self.value = t if self.output is None else t._value
        self.kept = None
        if modes.pack is not None and modes.pack is not PASS:  # the hook keeps the value, we only where it came from
            self.kept, self.value = pack_one(t._value), edge_of(t) if self.output is None else None

    def tensor(self, node):
        if self.kept is not None:
            return alias(self.kept.value(), self.value if self.output is None else self._port(node))
        if self.cell[0] != self.version:
            raise error("inplace-saved", node=node)
        return self.value if self.output is None else alias(self.value, self._port(node))

    def _port(self, node):
        return Port(node, self.output) if node.outs_many else node


class Function:
    """A differentiable function with hand-written derivative.

    Subclasses define the static methods `forward(ctx, *args)` and `backward(ctx, *grads)`, or
    `forward(*args)`, `setup_context(ctx, inputs, output)` and `backward`; and call `apply`.

    >>> import kobai
    >>> class Square(kobai.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         x, = ctx.saved_tensors
    ...         return 2 * x * g
    >>> x = kobai.tensor(3.0, requires_grad=True)
    >>> Square.apply(x).backward(); x.grad
    tensor(6.)
    """

    generate_vmap_rule = True

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        cls._ctx_class = type(cls.__name__ + "Backward", (FunctionCtx,), {"_cls": cls})

    def __init__(self, *args, **kwargs):
        raise error("function-instance", function=type(self).__name__)

    @staticmethod
    def forward(*args, **kwargs):
        """The value; the first argument is ctx unless `setup_context` is defined."""
        raise error("method-missing",
                    NotImplementedError("You must implement the forward function for custom autograd.Function."),
                    cls="the Function", what="forward",
                    fix="write `@staticmethod` and `def forward(ctx, x): ...` in the class.")

    @staticmethod
    def setup_context(ctx, inputs, output):
        """Fill ctx after a forward that has no ctx."""
        raise error("method-missing", NotImplementedError("setup_context is not implemented."),
                    cls="the Function", what="setup_context",
                    fix="write `@staticmethod` and `def setup_context(ctx, inputs, output): ...` in the class.")

    @staticmethod
    def backward(ctx, *grad_outputs):
        """The gradients of the inputs of forward, from those of its outputs."""
        raise error("function-backward")

    vjp = backward

    @staticmethod
    def jvp(ctx, *grad_inputs):
        """The tangents of the outputs, from those of the inputs (forward mode)."""
        raise error("method-missing", NotImplementedError(
            "You must implement the jvp function for custom autograd.Function to use it with forward mode AD."),
            cls="the Function", what="jvp",
            fix="write `@staticmethod` and `def jvp(ctx, *tangents): ...` in the class, one tangent for each output.")

    @classmethod
    def apply(cls, *args, **kwargs):
        """Call the function and record it."""
        tensors = [a for a in args if isinstance(a, Tensor)]
        lifted = top([t._value for t in tensors])
        if isinstance(lifted, Dual) and cls.jvp is not Function.jvp:
            return _forward_mode(cls, args, kwargs, lifted.level)
        ctx = cls._ctx_class(None, (), (), _vjp, None, here(1))
        needs = modes.grad and any(t.requires_grad for t in tensors)
        ctx.needs_input_grad = tuple([isinstance(a, Tensor) and a.requires_grad and needs for a in args])
        ctx.edges = tuple([edge_of(a) if needed else None for a, needed in zip(args, ctx.needs_input_grad)])
        ctx.like = tuple([(a._value.shape, a._value.dtype) if isinstance(a, Tensor) else None for a in args])
        out = _run_forward(cls, ctx, args, kwargs)
        return _finish(ctx, args, out, needs)


def _run_forward(cls, ctx, args, kwargs):
    with no_grad():
        if cls.setup_context is not Function.setup_context:
            out = cls.forward(*args, **kwargs)
            cls.setup_context(ctx, args, out)
            return out
        return cls.forward(ctx, *args, **kwargs)


def _finish(ctx, args, out, needs):
    """Give the outputs their node and put away what was saved."""
    many = isinstance(out, (tuple, list))
    originals = list(out if many else (out,))
    outs = [_fresh_output(ctx, o, args) for o in originals]
    ctx.outs_many = many
    for t in ctx._dirty:
        t._ver[0] += 1
    ctx.saved = tuple([_Saved(_renamed(t, originals, outs), outs) if t is not None else _NONE for t in ctx._to_save])
    ctx._to_save = None
    if many:
        ctx.extra = {"outs": [(t._value.shape, t._value.dtype) if isinstance(t, Tensor) else None for t in outs]}
    without = [id(t) for t in ctx._without_grad]
    for i, (t, before) in enumerate(zip(outs, originals)):
        if needs and isinstance(t, Tensor) and id(before) not in without and t._value.dtype.kind in "fcV":
            _connect(t, Port(ctx, i) if many else ctx, any(t is d for d in ctx._dirty))
    return type(out)(outs) if many and type(out) in (tuple, list) else tuple(outs) if many else outs[0]


def _connect(t, node, dirty):
    """Record that `node` made `t`, or changed it in place."""
    if dirty:
        refuse_leaf(t)
        new = LiftedTensor(t._value) if isinstance(t, LiftedTensor) else wrap(t._data)
        new._node, new._rg = node, True
        rebase(t, new)
    else:
        t._node, t._rg = node, True


class _None:
    value = output = kept = None

    def tensor(self, node):
        return None


_NONE = _None()


def _renamed(t, originals, outs):
    return next((o for b, o in zip(originals, outs) if b is t), t)


def _fresh_output(ctx, o, args):
    """An output of forward that can take the node: not an input itself, unless that was marked dirty."""
    if not isinstance(o, Tensor) or any(o is d for d in ctx._dirty):
        return o
    if any(o is a for a in args) or o._rg or o._base is not None:
        return anew(o)
    return o


def _vjp(node, g, s):
    """Call the user's backward; gradients come and go as arrays, or as Tensors for create_graph."""
    gs = g if isinstance(g, tuple) else (g,)
    graph = any(isinstance(v, Tensor) for v in gs)
    given = [tensor_of(v) for v in gs]
    cls = node._cls
    backward = cls.backward if cls.backward is not Function.backward else cls.vjp
    with enable_grad() if graph else no_grad():
        out = backward(node, *given)
    out = out if isinstance(out, (tuple, list)) else (out,)
    return _checked(node, out, graph)


_vjp.asks, _vjp.cells = (), 0


def _checked(node, out, graph):
    n = len(node.edges)
    if len(out) > n and all(v is None for v in out[n:]):
        out = out[:n]
    if len(out) != n:
        raise error("function-count", function=type(node).__name__, expected=n, got=len(out))
    result = []
    for i, (v, edge, like) in enumerate(zip(out, node.edges, node.like)):
        if v is not None and like is None:
            raise error("wrong-return",
                        RuntimeError(f"function {type(node).__name__} returned a gradient different from None at "
                                     f"position {i + 1}, but the corresponding forward input was not a Variable"),
                        what=f"{type(node).__name__} (argument {i + 1})", kind=type(v), must="None",
                        why="argument {number} of forward was no tensor, so there is nothing to give a gradient to.",
                        number=i + 1, fix="return None in that place.")
        if v is None or edge is None:
            result.append(None)
            continue
        v = _fitting(node, i, v, *like)
        result.append(v if graph else v._value)
    return tuple(result)


def _fitting(node, i, v, shape, dtype):
    """A gradient from the user's backward, summed and cast to what its input was."""
    if not isinstance(v, Tensor):
        raise error("wrong-return", RuntimeError(f"expected Variable or None (got {type(v).__name__})"),
                    what="backward", kind=type(v), must="a tensor or None")
    have = tuple(v._value.shape)
    if have != shape:
        lead = len(have) - len(shape)
        if lead < 0 or any(a not in (1, b) for a, b in zip(shape, have[lead:])):
            raise error("function-shape", function=type(node).__name__, index=i, have=have, want=shape)
        v = m.sum_to(v, shape)
    return v if v._value.dtype == dtype else m.cast(v, dtype)


def _forward_mode(cls, args, kwargs, level):
    """The user's jvp: forward on the primals, then tangents through `jvp`."""
    pairs = [(a._value.primal, a._value.tangent) if isinstance(a, LiftedTensor) and isinstance(a._value, Dual)
             and a._value.level == level else (a, None) for a in args]
    ctx = cls._ctx_class(None, (), (), _vjp, None, here(1))
    ctx.needs_input_grad = tuple([t is not None for _, t in pairs])
    out = _run_forward(cls, ctx, tuple([p for p, _ in pairs]), kwargs)
    tangents = cls.jvp(ctx, *[t for _, t in pairs])
    if not isinstance(out, tuple):
        return LiftedTensor(Dual(out, tangents, level))
    return tuple([LiftedTensor(Dual(o, t, level)) if t is not None else o for o, t in zip(out, tangents)])


def once_differentiable(fn):
    """Decorator for `backward`: its result has no derivative of its own, and asking for one is an error."""
    @functools.wraps(fn)
    def once(ctx, *args):
        with no_grad():
            out = fn(ctx, *args)
        if not (modes.grad and any(isinstance(a, Tensor) and a.requires_grad for a in args)):
            return out
        many = isinstance(out, tuple)
        result = tuple([_dead_end(o) for o in (out if many else (out,))])
        return result if many else result[0]
    return once


def _dead_end(t):
    if not isinstance(t, Tensor):
        return t
    t = anew(t)
    t._node, t._rg = _DeadEnd(None, (), (), _raise_once, None, here(1)), True
    return t


class _DeadEnd(Node):
    __slots__ = ()


def _raise_once(node, g, s):
    raise error("not-defined",
                RuntimeError("trying to differentiate twice a function that was marked with @once_differentiable"),
                what="the second derivative",
                why="its backward is marked with @once_differentiable: it was written for values only.",
                fix="remove @once_differentiable and write backward with tensor operations, or leave out create_graph=True.")


_raise_once.asks, _raise_once.cells = (), 0


BackwardCFunction = FunctionCtx


class InplaceFunction(Function):
    """Kept for old programs: a Function."""


class NestedIOFunction(Function):
    """Kept for old programs: a Function."""
