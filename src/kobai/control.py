"""Branches and loops as functions: torch.cond and torch.while_loop.

Eager code needs neither, but programs written to be captured as a whole use them. Inside vmap, where the
condition differs from example to example, `cond` computes both branches and picks.
"""
from __future__ import annotations

from .diagnose import error
from .op import m
from .pytree import tree_map
from .tensor import LiftedTensor, Tensor

__all__ = ["cond", "while_loop"]


def cond(pred, true_fn, false_fn, operands=()):
    """`true_fn(*operands)` if `pred`, else `false_fn(*operands)`.

    Args: `pred`, a bool or a tensor of one element; the functions must give results of equal shapes where
    `pred` is batched by vmap. Raises RuntimeError if `pred` has more than one element.

    >>> kobai.cond(kobai.tensor(2.0) > 1, lambda x: x.cos(), lambda x: x.sin(), (kobai.zeros(1),))
    tensor([1.])
    """
    if isinstance(pred, Tensor) and pred._value.size != 1:
        raise error("tensor-shape",
                    RuntimeError(f"Expected pred to be bool or single-element tensor, but got {pred}."),
                    what="pred", shape=pred.shape, want=(),
                    fix="torch.where(pred, a, b) picks element by element; pred.any() or pred.all() makes one truth value.")
    if type(pred) is LiftedTensor and pred._value.per_example:
        return tree_map(lambda a, b: m.where(pred, a, b), true_fn(*operands), false_fn(*operands))
    return true_fn(*operands) if pred else false_fn(*operands)


def while_loop(cond_fn, body_fn, carried_inputs, additional_inputs=()):
    """`carried = body_fn(*carried)` for as long as `cond_fn(*carried)` holds.

    Args: both functions take the carried values and then the additional ones; `body_fn` returns the new
    carried values. Returns the last ones, as a tuple.

    >>> kobai.while_loop(lambda i, x: i < 3, lambda i, x: (i + 1, x * 2), (kobai.tensor(0), kobai.ones(2)))
    (tensor(3), tensor([8., 8.]))
    """
    if not callable(cond_fn) or not callable(body_fn):
        raise error("argument-type", RuntimeError("Expect cond_fn and body_fn to be callable."),
                    what="cond_fn or body_fn", kind="something else", must="a function")
    carried = tuple(carried_inputs)
    while cond_fn(*carried, *additional_inputs):
        new = body_fn(*carried, *additional_inputs)
        new = tuple(new) if isinstance(new, (tuple, list)) else (new,)
        if len(new) != len(carried):
            raise error("wrong-return",
                        RuntimeError(f"body_fn should return the same number of elements as carried_inputs: {len(new)} for "
                                     f"{len(carried)}"),
                        what="body_fn", kind=f"{len(new)} values", must="as many values as carried_inputs has")
        carried = new
    return carried
