"""Forward mode: jvp, linearize."""
from __future__ import annotations

from ..autograd.dual import Dual
from ..autograd.mode import transform_level
from ..autograd.whole import whole
from ..diagnose import error
from ..op import m
from ..pytree import flatten, tree_map, unflatten
from ..tensor import LiftedTensor, Tensor
from .reverse import split_aux

_WHO = "jvp(f, primals, tangents)"


def jvp(func, primals, tangents, *, strict=False, has_aux=False):
    """(func(*primals), directional derivative of func along `tangents`).

    >>> kobai.func.jvp(kobai.square, (kobai.tensor(3.0),), (kobai.tensor(1.0),))
    (tensor(9.), tensor(6.))
    """
    def along(primals, tangents):
        return _jvp(func, primals, tangents, strict, has_aux)
    return whole(along, (primals, tangents), {})


def _jvp(func, primals, tangents, strict, has_aux):
    """jvp op by op."""
    leaves, t_leaves, spec = _checked(primals, tangents)
    with transform_level() as level:
        duals = [LiftedTensor(Dual(p, t, level)) for p, t in zip(leaves, t_leaves)]
        out, aux = split_aux(func(*unflatten(duals, spec)), has_aux, _WHO)
        outs, out_spec = flatten(out)
        pairs = [_split(o, level, strict) for o in outs]
        aux = tree_map(lambda t: _primal(t, level), aux)
    result = unflatten([p for p, _ in pairs], out_spec), unflatten([t for _, t in pairs], out_spec)
    return (*result, aux) if has_aux else result


def _checked(primals, tangents):
    """(primals, tangents, their structure), flattened."""
    if not isinstance(primals, tuple):
        raise error("argument-type",
                    RuntimeError(f"{_WHO}: Expected primals to be a tuple. E.g. it should be valid to call f(*primals)."),
                    what="primals", kind=type(primals), must="a tuple of tensors",
                    fix="write (x,) with a comma for one tensor.")
    (leaves, spec), (t_leaves, t_spec) = flatten(primals), flatten(tangents)
    if spec != t_spec:
        raise error("argument-value",
                    RuntimeError(f"{_WHO}: Expected primals and tangents to have the same python structure. For example, if "
                                 "primals is a tuple of 3 tensors, tangents also must be."),
                    what="tangents", value=tangents, must="built like primals",
                    why="primals and tangents are built differently.",
                    fix="give one tangent for each primal, nested in the same way: jvp(f, (x, y), (tx, ty)).")
    if not leaves:
        raise error("argument-count", RuntimeError(f"{_WHO}: Expected primals to contain at least one Tensor."),
                    what="primals", count=0, need="at least {n}", n=1)
    for name, values in (("primals", leaves), ("tangents", t_leaves)):
        for v in values:
            if not isinstance(v, Tensor):
                raise error("argument-type",
                            RuntimeError(f"{_WHO}: Expected {name} to only contain Tensors, got {type(v)}"),
                            what=f"an entry of {name}", kind=type(v), must="a tensor")
    for p, t in zip(leaves, t_leaves):
        if tuple(p.shape) != tuple(t.shape):
            raise error("tensor-shape", RuntimeError(
                "Trying to set a forward gradient that has a different size than that of the original Tensor, this is not "
                f"supported. Tensor is of size {list(p.shape)} while the given forward gradient is of size "
                f"{list(t.shape)}."), what="tangents", shape=t.shape, want=p.shape)
    return leaves, t_leaves, spec


def _primal(t, level):
    v = t._value if isinstance(t, Tensor) else None
    return v.primal if isinstance(v, Dual) and v.level == level else t


def _split(t, level, strict):
    """(primal, tangent) of a result; a zero tangent for one that does not vary."""
    if not isinstance(t, Tensor):
        raise error("wrong-return",
                    RuntimeError(f"{_WHO}: expected f(*primals) to return only tensors, got unsupported type {type(t)}"),
                    what="f", kind=type(t), must="tensors only")
    v = t._value
    if isinstance(v, Dual) and v.level == level:
        return v.primal, v.tangent
    if strict:
        raise error("wrong-return",
                    RuntimeError("jvp(f, primals, tangents, strict=True): The output of f is independent of the inputs. This "
                                 "is not allowed with strict=True."),
                    what="f", kind="a constant", must="a result that depends on its input",
                    why="the output does not depend on the inputs, and strict=True does not allow that.",
                    fix="look for .detach() or .item() in f, or leave out strict=True to get zeros.")
    return t, m.zeros_like(t)


def linearize(func, *primals):
    """(func(*primals), the linear function tangents -> directional derivative)."""
    return func(*primals), lambda *tangents: jvp(func, primals, tangents)[1]
