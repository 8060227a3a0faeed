"""In-place changes: `x.add_(y)`, `x[i] = v`, `out=`. Memory, version counter and history together."""
from __future__ import annotations

import warnings

import numpy as np

from . import dtypes
from .autograd.mode import modes
from .autograd.node import here, shown_edge
from .diagnose import error
from .general import record
from .op import Op, m
from .saved import alias
from .tensor import LiftedTensor, Tensor, anew, edge_of, lift, ops_of, refresh, wrap


class CopySlices(Op):
    """The base of a view after the view was written: `new` in the view's place (PyTorch's CopySlices)."""

    chain: tuple
    grad_name = "CopySlices"
    linear = moves = True

    def _view(self, array):
        for op in self.chain:
            array = op(array)
        return array

    def forward(self, base, new):
        out = np.array(base)
        self._view(out)[...] = new
        return out

    def vjp_base(self, g, new_shape, new_dtype):
        return self(g, np.zeros(new_shape, new_dtype))

    def vjp_new(self, g):
        return self._view(g)

    def shown(self, node):
        """As PyTorch shows it: the base's history, and what the change used beside the view itself."""
        base, new = map(shown_edge, node.edges)
        return [base, *(new[0].next_functions[1:] if new[0] is not None and hasattr(new[0], "edges") else ())]

    def batch(self, size, dims, values):
        base, new = (m.reshape(v, (size, -1)) for v in values)
        shape = tuple(values[0].shape)
        where = self._view(np.arange(base.shape[1]).reshape(shape[1:]))
        return m.reshape(m.index_put(base, (None, where.ravel()), new), shape)


def inplace(fn, a, *args, **kwargs):
    """Replace the contents of `a` by `fn(a, *args)`, and its history by that of the result."""
    if isinstance(fn, Op):
        return inplace_op(fn, a, *args)
    if a._base is not None:
        refresh(a)
    refuse_leaf(a)
    if a._rg and modes.grad:  # fn may record several ops: none may have saved memory we write to
        a_before = m.identity(a) if isinstance(a, LiftedTensor) else _copy_with_history(a)
        return replace(a, fn(a_before, *args, **kwargs))
    return replace(a, fn(a, *args, **kwargs))


def inplace_op(op, a, *args):
    """As `inplace`, for an op."""
    if a._base is not None:
        refresh(a)
    refuse_leaf(a)
    if _fits_ufunc(op, a, args):
        x = a._array()
        y = args[0]._data if args and isinstance(args[0], Tensor) else args[0] if args else None
        try:
            op.ufunc(*((x,) if y is None else (x, y)), out=x)
        except ValueError:
            if not x.flags.writeable:
                raise error("inplace-expanded", tensor=a) from None
            raise _shape_error(x.shape, y.shape) from None
        changed(a)
        return a
    return replace(a, op(a, *args))


def _shape_error(have, other):
    try:
        return error("inplace-shape", have=have, want=np.broadcast_shapes(have, other))
    except ValueError:  # these two do not fit each other at all
        return error("shape-broadcast", shapes=(have, other))


def changed(a):
    """Count a change of the memory of `a`, and note the user's line for an error about it."""
    if modes.trace is not None:
        modes.trace.changed(a)
    a._ver[0] += 1
    a._ver[1] = here(2)


def _fits_ufunc(op, a, args):
    """Whether NumPy can write the result into `a` at once: plain arrays of one float dtype, no gradient."""
    if getattr(op, "ufunc", None) is None or isinstance(a, LiftedTensor) or a._data.dtype.kind != "f" \
            or modes.trace is not None or a.is_meta:
        return False
    if (a._rg or a._base is not None) and modes.grad:
        return False
    for v in args:
        if isinstance(v, Tensor):
            if isinstance(v, LiftedTensor) or v.is_meta or v._data.dtype is not a._data.dtype or modes.grad and v.requires_grad:
                return False
        elif type(v) not in (int, float):
            return False
    return True


def refuse_leaf(a):
    """In-place changes of a leaf that requires grad would lose the value its gradient belongs to."""
    if modes.grad and a._rg and a._node is None:
        raise error("inplace-leaf", tensor=a)
    base = a._base
    if base is not None and modes.grad and base._rg and base._node is None:
        raise error("inplace-leaf-view", tensor=a)


def replace(a, new):
    """Write `new` into `a`; `a` keeps its shape and dtype."""
    if not isinstance(new, Tensor):
        raise error("argument-type", TypeError(f"expected a Tensor, got {type(new).__name__}"),
                    what="the value", kind=type(new), must="a tensor")
    have, want = a._value.shape, new._value.shape
    if have != want:
        raise error("inplace-shape", have=have, want=want)
    if new._value.dtype != a._value.dtype:
        if not dtypes.can_cast(new.dtype, a.dtype):
            raise error("result-cast", a=dtypes.type_word(new.dtype), b=dtypes.type_word(a.dtype))
        new = m.cast(new, a.dtype)
    write(a, new)
    return a


def write(a, new):
    """Put the values and the history of `new` (of equal shape and dtype) into `a` and its base."""
    if a._base is not None and (a._rg or new._rg) and modes.grad:
        refuse_leaf(a)
    if isinstance(a, LiftedTensor) or isinstance(new, LiftedTensor):
        _write_lifted(a, new)
    elif a.is_meta or new.is_meta:
        _write_without_numbers(a)
    else:
        if new._node is not None:
            _keep_saved(new._node, a)
        target = a._array()
        if not target.flags.writeable:
            raise error("inplace-expanded", tensor=a)
        if modes.trace is None or not modes.trace.wrote(a, new):
            target[...] = new._data
    changed(a)
    if modes.grad and (new._rg or a._rg):
        rebase(a, new)
    return a


def _write_without_numbers(a):
    """On the device "meta" there is nothing to write, and elsewhere nothing to write from it."""
    if not a.is_meta:
        from .meta import no_data  # noqa: PLC0415  (few programs use this device)
        raise no_data()


def rebase(a, new):
    """`a` now has the history of `new`; if it is a view, its base has it too."""
    base = a._base
    if base is None:
        a._came_from(new._node, new._rg)
        a._rebased += 1
        return
    record(CopySlices(ops_of(a._chain)), [base, new], [base._value, new._value], base, base._value,
           base._rg + 2 * new._rg, base._value.dtype.kind == "c")
    base._came_from(base._node, base._rg)
    base._rebased += 1


def _write_lifted(a, new):
    """Lifted values are immutable: the tensor gets another one, and its base a patched one."""
    base = a._base
    if type(a) is not LiftedTensor and (new._value.per_example or type(a) is not Tensor):
        raise error("lifted-into-plain", tensor=a)
    if base is None:
        lift(a)._value = new._value
        a._rebased += 1
        return
    patched = CopySlices(ops_of(a._chain))(anew(base), anew(new))
    lift(base)._value = patched._value
    base._rebased += 1
    lift(a)._value, a._seen = new._value, base._rebased


def _keep_saved(node, a):
    """If the node of the new value saved the memory that is about to be overwritten, save a copy."""
    node = getattr(node, "node", node)
    saved, x = node.saved, a._data
    if not isinstance(saved, tuple) or node.vjp.__class__ is not _function:
        return
    n = len(node.vjp.asks)
    values = [_copied(v) if isinstance(v, np.ndarray) and np.may_share_memory(v, x) else v for v in saved[:n]]
    cells = [[0, None] if c is a._ver else c for c in saved[n:n + node.vjp.cells]]
    node.saved = (*values, *cells, sum([c[0] for c in cells]))


_function = type(lambda: None)


def _copy_with_history(a):
    if a._node is None:
        t = wrap(_copied(a._data, a))
        t._rg = a._rg
        return t
    return alias(_copied(a._data, a), edge_of(a))


def _copied(v, owner=None):
    new = np.array(v)
    return new if modes.trace is None else modes.trace.copied(v, new, owner)


def into(out, result):
    """The `out=` argument: write `result` into `out` (resized if it does not fit) and return `out`."""
    if isinstance(result, tuple):
        for o, r in zip(out, result):
            into(o, r)
        return type(result)(out) if type(result) is tuple else type(result)(*out)
    if modes.grad and (out.requires_grad or result._rg):
        raise error("out-recorded")
    if not dtypes.can_cast(result.dtype, out.dtype):
        raise error("result-cast", a=dtypes.type_word(result.dtype), b=dtypes.type_word(out.dtype))
    if out._data.shape != result._data.shape:
        if out._data.size:
            warnings.warn(
                f"An output with one or more elements was resized since it had shape {list(out.shape)}, which "
                f"does not match the required output shape {list(result.shape)}.", UserWarning, stacklevel=4)
        out._data = np.empty(result._data.shape, out._data.dtype)
    out._array()
    if modes.trace is None or not modes.trace.wrote(out, result):
        out._data[...] = result._data
    changed(out)
    return out
