"""Reverse mode: vjp, grad, grad_and_value."""
from __future__ import annotations

import functools

from ..autograd import engine
from ..autograd.mode import enable_grad, modes
from ..autograd.node import Node, Port
from ..autograd.whole import whole
from ..diagnose import error
from ..lifted import Lifted, m
from ..pytree import flatten, tree_map, unflatten
from ..tensor import LiftedTensor, Tensor, anew, edge_of


# ---- inputs of their own, and results cut off from them --------------------------------------
def _inside(t):
    """A leaf of a transform inside all that are at work now: their graphs need not see it (see general.py)."""
    if modes.dual:
        t.__dict__["_inside"] = modes.dual[-1]
    return t


class Inputs:
    """Tensors to differentiate by, which stand in the place of the user's while his function runs."""

    def __init__(self, tensors):
        self.outer = modes.grad  # does anything outside record?
        for t in tensors:
            if not isinstance(t, Tensor):
                raise error("argument-type",
                            ValueError(f"Thing passed to transform API must be Tensor, got {type(t)}"),
                            what="an argument", kind=type(t), must="a tensor")
        with enable_grad():
            self.tensors = [m.identity(t) if self.outer and t.requires_grad else _inside(anew(t).requires_grad_())
                            for t in tensors]
        self._own = {id(t) for t in self.tensors}

    def lead_further(self, tensors):
        """Whether the graph of these tensors comes to any other leaf than the inputs."""
        if not self.outer:
            return False
        stack = [edge_of(t) for t in tensors if isinstance(t, Tensor)]
        seen = set()
        while stack:
            e = stack.pop()
            e = e.node if type(e) is Port else e
            if e is None or id(e) in seen:
                continue
            seen.add(id(e))
            if isinstance(e, Node):
                stack.extend(e.edges)
            elif id(e) not in self._own and "_closed" not in e.__dict__:
                return True
        return False

    def close(self):
        """No transform outside needs these tensors: what leads only to them leads no further."""
        for t in self.tensors:
            if t.is_leaf:
                t.__dict__["_closed"] = True

    def released(self, t):
        """A result without the graph that only this transform needed, at its own level and those below."""
        if not isinstance(t, Tensor):
            return t
        v = t._value
        if isinstance(v, Lifted):
            v = v.mapped(self.released)
        further = t.requires_grad and self.lead_further([t])
        if v is t._value:
            return t if further or not t.requires_grad else anew(t)
        new = LiftedTensor(v)
        if further:
            new._node, new._rg = edge_of(t), True
        return new

    def gradients(self, outs, cotangents, graph):
        """The gradients of the inputs; zeros where nothing depends on them."""
        pairs = [(o, g) for o, g in zip(outs, cotangents) if o.requires_grad]
        found = [None] * len(self.tensors)
        if pairs:
            found = engine.grad([o for o, _ in pairs], self.tensors, [g for _, g in pairs], retain_graph=True,
                                create_graph=graph, allow_unused=True)
        return [m.zeros_like(t.detach()) if g is None else self.released(g) for g, t in zip(found, self.tensors)]


def split_aux(result, has_aux, who):
    """(output, aux) of a function that returns both; (output, None) of one that does not."""
    if not has_aux:
        return result, None
    if not (isinstance(result, tuple) and len(result) == 2):
        raise error("wrong-return",
                    RuntimeError(f"{who}: output of function f should be a tuple: (output, aux) if has_aux is True"),
                    what="f", kind=type(result), must="(output, aux)")
    return result


# ---- the transforms --------------------------------------------------------------------------
def vjp(func, *primals, has_aux=False):
    """(func(*primals), vjp_fn): vjp_fn(cotangents) gives the gradients of all primals.

    >>> out, back = kobai.func.vjp(kobai.square, kobai.tensor([1.0, 2.0]))
    >>> back(kobai.tensor([1.0, 10.0]))
    (tensor([ 2., 40.]),)
    """
    out, back, aux, inputs = pullback(func, primals, has_aux)
    out = tree_map(inputs.released, out)
    inputs.close()
    return (out, back, tree_map(inputs.released, aux)) if has_aux else (out, back)


def pullback(func, primals, has_aux=False):
    """(output still in its graph, vjp_fn, aux, the Inputs)."""
    leaves, spec = flatten(primals)
    inputs = Inputs(leaves)
    with enable_grad():
        out = func(*unflatten(inputs.tensors, spec))
    out, aux = split_aux(out, has_aux, "vjp(f, *primals)")
    outs, out_spec = flatten(out)
    for o in outs:
        if not isinstance(o, Tensor):
            raise error("wrong-return",
                        RuntimeError("vjp(f, *primals): expected f(*primals) to return only tensors, got unsupported type "
                                     f"{type(o)}"),
                        what="f", kind=type(o), must="tensors only")
        if not (o.dtype.is_floating_point or o.dtype.is_complex):
            raise error("tensor-dtype", RuntimeError(
                f"vjp(f, ...): All outputs of f must be floating-point or complex Tensors, got Tensor with dtype {o.dtype}"),
                what="f", dtype=o.dtype, fn="vjp()", must="floating point numbers")
    further = inputs.lead_further(outs)

    def back(cotangents, retain_graph=True, create_graph=None):
        given, given_spec = flatten(cotangents)
        if given_spec != out_spec:
            raise error("lengths-differ", RuntimeError(
                "Expected pytree structure of cotangents to be the same as pytree structure of outputs to the function."),
                what="the cotangents", count=len(given), other="the outputs", other_count=len(outs),
                fix="give one cotangent for each output, nested as f returns them.")
        if create_graph is None:
            create_graph = modes.grad and (further or any(g.requires_grad for g in given))
        return unflatten(inputs.gradients(outs, given, create_graph), spec)
    return out, back, aux, inputs


def arguments(argnums, args):
    """The positions named by `argnums`, counted from the front."""
    if not isinstance(argnums, (int, tuple)) or isinstance(argnums, bool):
        raise error("argument-type", RuntimeError(f"argnums must be int or Tuple[int, ...], got: {type(argnums)}"),
                    what="argnums", kind=type(argnums), must="a whole number or a tuple of them")
    nums = (argnums,) if isinstance(argnums, int) else argnums
    if not nums:
        raise error("argument-count", RuntimeError("argnums must be non-empty"),
                    what="argnums", count=0, need="at least {n}", n=1)
    for n in nums:
        if not -len(args) <= n < len(args):
            raise error("position-range", RuntimeError(f"Got argnum={n}, but only {len(args)} positional inputs"),
                        what="argnum", value=n, size=len(args), last=len(args) - 1)
    return [n % len(args) for n in nums]


def put(args, nums, values):
    """`args` with other values at the positions `nums`."""
    full = list(args)
    for n, v in zip(nums, values):
        full[n] = v
    return full


def grad_and_value(func, argnums=0, has_aux=False):
    """A function that returns (gradient by argument `argnums`, value) of a scalar function."""
    def gradient_and_value(*args, **kwargs):
        nums = arguments(argnums, args)
        leaves, spec = flatten(tuple([args[i] for i in nums]))
        inputs = Inputs(leaves)
        with enable_grad():
            out = func(*put(args, nums, unflatten(inputs.tensors, spec)), **kwargs)
            out, aux = split_aux(out, has_aux, _WHO)
            _check_scalar(out)
        found = inputs.gradients([out], [m.zeros_like(out.detach()) + 1], inputs.lead_further([out]))
        result = unflatten(found, spec)
        result = result[0] if isinstance(argnums, int) else result
        value = inputs.released(out)
        return (result, (value, tree_map(inputs.released, aux))) if has_aux else (result, value)
    gradient_and_value.__wrapped__ = func

    @functools.wraps(func)
    def both(*args, **kwargs):
        return whole(gradient_and_value, args, kwargs)
    return both


_WHO = "grad_and_value(f)(*args)"


def _check_scalar(out):
    if not isinstance(out, Tensor):
        raise error("wrong-return", RuntimeError(f"{_WHO}: Expected f(*args) to return a Tensor, got {type(out)}"),
                    what="f", kind=type(out), must="a tensor of one element")
    if len(out.shape):
        raise error("wrong-return",
                    RuntimeError(f"{_WHO}: Expected f(*args) to return a scalar Tensor, got tensor with {len(out.shape)} dims. "
                                 "Maybe you wanted to use the vjp or jacrev APIs instead?\n"
                                 "  fix: reduce it, for example with .sum() or .mean()."),
                    what="f", kind=f"a tensor of shape {tuple(out.shape)}", must="a tensor of one element",
                    fix="sum it up (return y.sum()), or use torch.func.jacrev, vjp or vmap(grad(f)).")


def grad(func, argnums=0, has_aux=False):
    """A function that returns the gradient of a scalar function by argument `argnums`.

    >>> kobai.func.grad(kobai.func.grad(lambda x: x ** 3))(kobai.tensor(2.0))
    tensor(12.)
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def only(*args, **kwargs):
        g, rest = both(*args, **kwargs)
        return (g, rest[1]) if has_aux else g
    return only
