"""vmap: a function of one example becomes a function of a whole batch."""
from __future__ import annotations

import functools

from ..autograd.batched import Batched, Randomness
from ..autograd.mode import modes, transform_level
from ..autograd.whole import whole
from ..diagnose import error
from ..op import m
from ..pytree import broadcast, flatten, unflatten
from ..tensor import LiftedTensor, Tensor


def vmap(func, in_dims=0, out_dims=0, randomness="error", *, chunk_size=None):
    """`func` of one example becomes a function of a whole batch.

    Args: `in_dims`, the dimension that counts the examples in each input (None: the same for all),
    an int or a tree like the arguments; `out_dims`, where it goes in each output; `randomness`,
    whether random numbers inside are "different" for each example, the "same", or an "error";
    `chunk_size`, how many examples to take at once.

    >>> kobai.vmap(kobai.dot)(kobai.ones(2, 3), kobai.ones(2, 3))
    tensor([3., 3.])
    """
    if randomness not in ("error", "different", "same"):
        raise error("argument-choice",
                    RuntimeError(f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}"),
                    what="randomness", value=randomness, choices=["error", "different", "same"])
    if chunk_size is not None and chunk_size <= 0:
        raise error("argument-value",
                    ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})"),
                    what="chunk_size", value=chunk_size, must="a positive whole number")
    name = getattr(func, "__name__", repr(func))

    def all_examples(*args, **kwargs):
        leaves, spec, dims, size = _inputs(name, in_dims, args)
        if not chunk_size or size <= chunk_size:
            outs, out_spec, o_dims = _once(func, name, leaves, spec, dims, size, out_dims, randomness, kwargs)
            return unflatten(outs, out_spec)
        parts = []
        for at in range(0, size, chunk_size):
            n = min(chunk_size, size - at)
            part = [t if d is None else m.narrow(t, d, at, n) for t, d in zip(leaves, dims)]
            parts.append(_once(func, name, part, spec, dims, n, out_dims, randomness, kwargs))
        columns = zip(*[outs for outs, _, _ in parts])
        _, out_spec, o_dims = parts[0]
        return unflatten([c[0] if d is None else m.cat(list(c), d) for c, d in zip(columns, o_dims)], out_spec)
    all_examples.__wrapped__ = func

    @functools.wraps(func)
    def batched(*args, **kwargs):
        return whole(all_examples, args, kwargs)
    return batched


def _once(func, name, leaves, spec, dims, size, out_dims, randomness, kwargs):
    """(outputs, their structure, their dims) of one call with all examples."""
    with transform_level() as level:
        inner = [t if d is None else LiftedTensor(Batched(m.movedim(t, d, 0) if d else t, level))
                 for t, d in zip(leaves, dims)]
        before, modes.random = modes.random, Randomness(randomness, level, size, modes.random)
        try:
            out = func(*unflatten(inner, spec), **kwargs)
        finally:
            modes.random = before
        outs, out_spec = flatten(out)
        o_dims = _output_dims(name, out_dims, out, len(outs))
        return [_unbatch(o, level, size, d, name) for o, d in zip(outs, o_dims)], out_spec, o_dims


# ---- inputs ----------------------------------------------------------------------------------
def _inputs(name, in_dims, args):
    """(leaves, structure, the dimension of each, size of the batch)."""
    who = f"vmap({name}, in_dims={in_dims}, ...)(<inputs>)"
    if not isinstance(in_dims, (int, tuple)):
        raise error("argument-type",
                    ValueError(f"{who}: expected `in_dims` to be int or a (potentially nested) tuple matching the structure "
                               f"of inputs, got: {type(in_dims)}."),
                    what="in_dims", kind=type(in_dims), must="a whole number, or a tuple like the arguments")
    leaves, spec = flatten(args)
    if not leaves:
        raise error("argument-missing",
                    ValueError(f"vmap({name})(<inputs>): got no inputs. Maybe you forgot to add inputs, or you are trying to "
                               "vmap over a function with no inputs. The latter is unsupported."),
                    fn=name, what="inputs", must="a tensor",
                    why="vmap takes the number of examples from its inputs, and there are none.",
                    fix="pass the tensors as arguments: vmap(f)(xs).")
    try:
        dims = [in_dims] * len(leaves) if isinstance(in_dims, int) else broadcast(in_dims, args)
    except (ValueError, KeyError) as e:
        raise error("argument-value", ValueError(f"{who}: in_dims is not compatible with the structure of `inputs`."),
                    what="in_dims", value=in_dims, must="a tuple like the arguments",
                    why="in_dims and the arguments are built differently: {detail}.", detail=str(e),
                    fix="give one entry (a number or None) for each argument: in_dims=(0, None).") from None
    dims = [_input_dim(who, d, t) for d, t in zip(dims, leaves)]
    sizes = [t.shape[d] for t, d in zip(leaves, dims) if d is not None]
    if not sizes:
        raise error("argument-value", ValueError("vmap: Expected at least one Tensor to vmap over"),
                    what="in_dims", value=in_dims, must="a number for at least one argument",
                    fix="write 0 (the dimension of the examples) for the arguments that hold examples.")
    if len(set(sizes)) > 1:
        raise error("vmap-sizes", sizes=str(sizes))
    return leaves, spec, dims, sizes[0]


def _input_dim(who, d, t):
    if d is None:
        return None
    if not isinstance(d, int):
        raise error("argument-type",
                    ValueError(f"{who}: Got in_dim={d} for an input but in_dim must be either an integer dimension or None."),
                    what="an entry of in_dims", kind=type(d), must="a whole number or None")
    if not isinstance(t, Tensor):
        raise error("argument-type",
                    ValueError(f"{who}: Got in_dim={d} for an input but the input is of type {type(t)}. We cannot vmap over "
                               "non-Tensor arguments, please use None as the respective in_dim"),
                    what="an argument with in_dim", kind=type(t), must="a tensor",
                    fix="write None in in_dims for arguments that are no tensors.")
    if not -t.ndim <= d < t.ndim:
        raise error("argument-value",
                    ValueError(f"{who}: Got in_dim={d} for some input, but that input is a Tensor of dimensionality {t.ndim} "
                               f"so expected in_dim to satisfy -{t.ndim} <= in_dim < {t.ndim}."),
                    what="in_dim", value=d, must="a whole number between {low} and {high}", low=-t.ndim,
                    high=t.ndim - 1)
    return d % t.ndim


# ---- outputs ---------------------------------------------------------------------------------
def _output_dims(name, out_dims, out, count):
    if out_dims is None or isinstance(out_dims, int):
        return [out_dims] * count
    if not isinstance(out_dims, (tuple, list, dict)):
        raise error("argument-type",
                    ValueError(f"vmap({name}, ..., out_dims={out_dims}): `out_dims` must be an int, None or a python "
                               "collection of ints representing where in the outputs the vmapped dimension should appear."),
                    what="out_dims", kind=type(out_dims), must="a whole number, None, or a tuple like the outputs")
    try:
        if isinstance(out, Tensor) and isinstance(out_dims, tuple):
            (dim,) = out_dims
            return [dim]
        return broadcast(out_dims, out)
    except (ValueError, KeyError) as e:
        raise error("argument-value",
                    ValueError(f"vmap({name}, ..., out_dims={out_dims})(<inputs>): out_dims is not compatible with the "
                               "structure of `outputs`."),
                    what="out_dims", value=out_dims, must="a tuple like the outputs",
                    why="out_dims and the outputs are built differently: {detail}.", detail=str(e),
                    fix="give one entry (a number or None) for each output.") from None


def _unbatch(t, level, size, dim, name):
    """An output with its batch dimension at `dim`."""
    value = t._value if isinstance(t, Tensor) else None
    mine = isinstance(value, Batched) and value.level == level
    if dim is None:
        if mine:
            raise error("argument-value",
                        ValueError(f"vmap({name}, ...): `{name}` can not return a BatchedTensor when out_dim is None"),
                        what="out_dims", value=dim, must="a whole number",
                        why="the output differs from example to example, so it must have a dimension for them.",
                        fix="write a number (0) in out_dims for this output.")
        return t
    if value is None:
        raise error("wrong-return",
                    ValueError(f"vmap({name}, ...): `{name}` must only return Tensors, got type {type(t)}. Did you mean to "
                               "set out_dims= to None for output?"),
                    what=name, kind=type(t), must="a tensor")
    y = value.value if mine else m.expand_to(m.unsqueeze(t, 0), (size, *t.shape))
    return m.movedim(y, 0, dim) if dim else y


def debug_unwrap(tensor, *, recurse=True):
    """The tensor that a transform works on, below all transforms or (`recurse=False`) the innermost: to print it.

    >>> seen = []
    >>> _ = kobai.vmap(lambda x: seen.append(kobai.func.debug_unwrap(x)) or x)(kobai.ones(2, 3)); seen[0].shape
    torch.Size([2, 3])
    """
    while type(tensor) is LiftedTensor:
        v = tensor._value
        below = getattr(v, "value", None) if isinstance(v, Batched) else getattr(v, "primal", None)
        if below is None:
            return tensor
        tensor = below
        if not recurse:
            break
    return tensor
