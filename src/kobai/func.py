"""Functions of functions: grad, vjp, jvp, vmap, jacobians, hessians (torch.func's names)."""
from __future__ import annotations

import functools

from .autograd import engine
from .autograd.batched import Batched
from .autograd.dual import Dual
from .autograd.mode import enable_grad, modes, transform_level
from .op import m
from .ops.creation import eye
from .pytree import broadcast, flatten, tree_map, unflatten
from .tensor import LiftedTensor, Tensor, anew


# ---- reverse mode ----------------------------------------------------------------------------
def _fresh(t):
    """A tensor of its own to differentiate by, still connected to what is around."""
    if not isinstance(t, Tensor):
        return t
    return m.identity(t) if t.requires_grad else anew(t).requires_grad_(t._value.dtype.kind in "fcV")


def _graph_needed(tensors):
    return any(t.requires_grad for t in tensors if isinstance(t, Tensor)) or _depth.inside > 0


class _Depth:
    inside = 0  # how many grad transforms are open: inner ones must stay differentiable


_depth = _Depth()


def vjp(func, *primals, has_aux=False):
    """(func(*primals), vjp_fn): vjp_fn(cotangents) gives the gradients of all primals."""
    leaves, spec = flatten(primals)
    graph = _graph_needed(leaves)
    with enable_grad():
        inputs = [_fresh(t) for t in leaves]
        out = func(*unflatten(inputs, spec))
    aux = None
    if has_aux:
        out, aux = out
    outs, out_spec = flatten(out)

    def back(*cotangents, retain_graph=True, create_graph=None):
        gs = flatten(cotangents[0] if len(cotangents) == 1 else cotangents)[0]
        grads = _gradients(outs, inputs, gs, graph or _graph_needed(gs) if create_graph is None else create_graph)
        result = unflatten(grads, spec)
        return result
    plain = unflatten([_unhook(o, graph) for o in outs], out_spec)
    return (plain, back, aux) if has_aux else (plain, back)


def _unhook(t, graph):
    """A result without the graph that only the transform needed."""
    return t if graph or not isinstance(t, Tensor) else anew(t)


def _gradients(outs, inputs, cotangents, create_graph):
    pairs = [(o, g) for o, g in zip(outs, cotangents) if isinstance(o, Tensor) and o.requires_grad]
    diff = [t for t in inputs if isinstance(t, Tensor) and t.requires_grad]
    found = [None] * len(diff)
    if pairs and diff:
        found = engine.grad([o for o, _ in pairs], diff, [g for _, g in pairs], retain_graph=True,
                            create_graph=create_graph, allow_unused=True)
    it = iter(found)
    out = []
    for t in inputs:
        g = next(it) if isinstance(t, Tensor) and t.requires_grad else None
        out.append(m.zeros_like(t.detach()) if g is None and isinstance(t, Tensor) else g)
    return out


def grad_and_value(func, argnums=0, has_aux=False):
    """A function that returns (gradient by argument `argnums`, value) of a scalar function."""
    @functools.wraps(func)
    def both(*args, **kwargs):
        nums = (argnums,) if isinstance(argnums, int) else tuple(argnums)
        chosen = tuple([args[i] for i in nums])
        leaves, spec = flatten(chosen)
        for t in leaves:
            if not isinstance(t, Tensor):
                raise RuntimeError(f"Expected to be given Tensors to differentiate by, got {type(t).__name__}")
        graph = _graph_needed(flatten((args, kwargs))[0])
        _depth.inside += 1
        try:
            with enable_grad():
                inputs = [_fresh(t) for t in leaves]
                full = list(args)
                for i, v in zip(nums, unflatten(inputs, spec)):
                    full[i] = v
                out = func(*full, **kwargs)
                aux = None
                if has_aux:
                    out, aux = out
                if not isinstance(out, Tensor):
                    raise RuntimeError("Expected f(*args) to return a Tensor, got " + type(out).__name__)
                if len(out.shape):
                    raise RuntimeError("Expected f(*args) to return a scalar tensor, got tensor with "
                                       f"{len(out.shape)} dims.\n  fix: reduce it, for example with .sum() or .mean().")
            grads = _gradients([out], inputs, [_one_like(out)], graph)
        finally:
            _depth.inside -= 1
        result = unflatten(grads, spec)
        result = result[0] if isinstance(argnums, int) else result
        value = _unhook(out, graph)
        return (result, (value, tree_map(lambda t: _unhook(t, graph), aux))) if has_aux else (result, value)
    return both


def _one_like(t):
    return m.zeros_like(t.detach()) + 1


def grad(func, argnums=0, has_aux=False):
    """A function that returns the gradient of a scalar function by argument `argnums`.

    >>> import kobai
    >>> kobai.func.grad(kobai.func.grad(lambda x: x ** 3))(kobai.tensor(2.0))
    tensor(12.)
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def only(*args, **kwargs):
        g, rest = both(*args, **kwargs)
        return (g, rest[1]) if has_aux else g
    return only


# ---- forward mode ----------------------------------------------------------------------------
def jvp(func, primals, tangents, *, strict=False, has_aux=False):
    """(func(*primals), directional derivative of func along `tangents`)."""
    if not isinstance(primals, tuple) or not isinstance(tangents, tuple):
        raise RuntimeError("jvp: Expected primals and tangents to be tuples of inputs")
    leaves, spec = flatten(primals)
    t_leaves = flatten(tangents)[0]
    with transform_level() as level:
        duals = [LiftedTensor(Dual(p, t, level)) for p, t in zip(leaves, t_leaves, strict=True)]
        out = func(*unflatten(duals, spec))
        aux = None
        if has_aux:
            out, aux = out
        outs, out_spec = flatten(out)
        pairs = [_split(o, level) for o in outs]
        if has_aux:
            aux = tree_map(lambda t: _split(t, level)[0], aux)
    result = unflatten([p for p, _ in pairs], out_spec), unflatten([t for _, t in pairs], out_spec)
    return (*result, aux) if has_aux else result


def _split(t, level):
    """(primal, tangent) of a result; a zero tangent for one that does not vary."""
    if not isinstance(t, Tensor):
        return t, None
    v = t._value
    if isinstance(v, Dual) and v.level == level:
        return v.primal, v.tangent
    return t, m.zeros_like(t)


def linearize(func, *primals):
    """(func(*primals), jvp_fn)."""
    return func(*primals), lambda *tangents: jvp(func, primals, tangents)[1]


# ---- vmap ------------------------------------------------------------------------------------
def vmap(func, in_dims=0, out_dims=0, randomness="error", *, chunk_size=None):
    """`func` of one example becomes a function of a whole batch.

    >>> import kobai
    >>> kobai.func.vmap(kobai.dot)(kobai.ones(2, 3), kobai.ones(2, 3))
    tensor([3., 3.])
    """
    @functools.wraps(func)
    def batched(*args, **kwargs):
        leaves, spec = flatten(args)
        try:
            dims = broadcast(in_dims, args) if not isinstance(in_dims, int) else [
                in_dims if isinstance(t, Tensor) else None for t in leaves]
        except ValueError as e:
            raise ValueError(f"vmap({getattr(func, '__name__', func)}, in_dims={in_dims}, ...)(<inputs>): in_dims is "
                             f"not compatible with the structure of inputs: {e}") from None
        sizes = {t.shape[d] for t, d in zip(leaves, dims) if d is not None}
        if not sizes:
            raise ValueError("vmap: all in_dims are None; at least one input must be mapped over")
        if len(sizes) > 1:
            raise ValueError("vmap: Expected all tensors to have the same size in the mapped dimension, got sizes "
                             f"{sorted(sizes)} for the mapped dimension")
        size = sizes.pop()
        if chunk_size and size > chunk_size:
            return _in_chunks(batched_once, leaves, dims, spec, kwargs, size)
        return batched_once(leaves, dims, spec, kwargs, size)

    def batched_once(leaves, dims, spec, kwargs, size):
        with transform_level() as level:
            inner = [t if d is None else LiftedTensor(Batched(m.movedim(t, d, 0) if d else t, level))
                     for t, d in zip(leaves, dims)]
            out = func(*unflatten(inner, spec), **kwargs)
            outs, out_spec = flatten(out)
            o_dims = broadcast(out_dims, out) if not isinstance(out_dims, int) else [out_dims] * len(outs)
            return unflatten([_unbatch(o, level, size, d) for o, d in zip(outs, o_dims)], out_spec)

    def _in_chunks(once, leaves, dims, spec, kwargs, size):
        parts = []
        for at in range(0, size, chunk_size):
            n = min(chunk_size, size - at)
            part = [t if d is None else m.narrow(t, d, at, n) for t, d in zip(leaves, dims)]
            parts.append(once(part, dims, spec, kwargs, n))
        columns = [flatten(p)[0] for p in parts]
        out_spec = flatten(parts[0])[1]
        o_dims = broadcast(out_dims, parts[0]) if not isinstance(out_dims, int) else [out_dims] * len(columns[0])
        return unflatten([m.cat(list(c), d) for c, d in zip(zip(*columns), o_dims)], out_spec)
    return batched


def _unbatch(t, level, size, dim):
    if not isinstance(t, Tensor):
        raise ValueError("vmap: the function must only return Tensors, got type "
                         f"{type(t).__name__}. Did you mean to return a Tensor?")
    v = t._value
    if isinstance(v, Batched) and v.level == level:
        value = v.value
    else:
        value = m.expand_to(m.unsqueeze(t, 0), (size, *t.shape))
    return m.movedim(value, 0, dim) if dim else value


# ---- jacobians -------------------------------------------------------------------------------
def jacrev(func, argnums=0, *, has_aux=False, chunk_size=None, _preallocate_and_copy=False):
    """The Jacobian of `func` by reverse mode: one vmapped vjp for all outputs."""
    @functools.wraps(func)
    def jacobian(*args):
        nums = (argnums,) if isinstance(argnums, int) else tuple(argnums)

        def of(*chosen):
            full = list(args)
            for i, v in zip(nums, chosen):
                full[i] = v
            return func(*full)
        _depth.inside += 1
        try:
            got = vjp(of, *[args[i] for i in nums], has_aux=has_aux)
        finally:
            _depth.inside -= 1
        out, back = got[0], got[1]
        outs, out_spec = flatten(out)
        rows = []
        for k, o in enumerate(outs):
            basis = _basis(o)

            def row(e, k=k):
                return back(unflatten([e if j == k else m.zeros_like(q) for j, q in enumerate(outs)], out_spec),
                            create_graph=modes.grad)
            grads = vmap(row, chunk_size=chunk_size)(basis)
            grads = tree_map(lambda g, o=o: m.reshape(g, (*o.shape, *g.shape[1:])), grads)
            rows.append(grads[0] if isinstance(argnums, int) else grads)
        result = unflatten(rows, out_spec)
        outer = _graph_needed(flatten(args)[0])
        result = result if outer else tree_map(lambda t: _unhook(t, False), result)
        return (result, got[2]) if has_aux else result
    return jacobian


def _basis(t):
    """The unit vectors of t's space, along a new first dimension."""
    n = t.numel()
    return eye(n, dtype=t.dtype).reshape(n, *t.shape)


def jacfwd(func, argnums=0, has_aux=False, *, chunk_size=None, randomness="error"):
    """The Jacobian of `func` by forward mode: one vmapped jvp for all inputs."""
    @functools.wraps(func)
    def jacobian(*args):
        nums = (argnums,) if isinstance(argnums, int) else tuple(argnums)

        def of(*chosen):
            full = list(args)
            for i, v in zip(nums, chosen):
                full[i] = v
            return func(*full)
        chosen = tuple([args[i] for i in nums])
        leaves, spec = flatten(chosen)
        columns, aux = [], None
        for k, t in enumerate(leaves):
            def column(e, k=k):
                tangents = unflatten([e if j == k else m.zeros_like(q) for j, q in enumerate(leaves)], spec)
                got = jvp(of, chosen, tangents, has_aux=has_aux)
                return (got[1], got[2]) if has_aux else got[1]
            got = vmap(column, chunk_size=chunk_size)(_basis(t))
            if has_aux:
                got, aux = got[0], tree_map(lambda a: a[0], got[1])
            columns.append(tree_map(lambda j, t=t: m.reshape(m.movedim(j, 0, -1), (*j.shape[1:], *t.shape)), got))
        result = _transpose(columns, spec)
        result = tree_map(lambda j: j, result)
        result = _pick(result, isinstance(argnums, int))
        return (result, aux) if has_aux else result
    return jacobian


def _transpose(columns, spec):
    """From one tree of outputs per input to one tree of inputs per output."""
    flat = [flatten(c) for c in columns]
    out_spec = flat[0][1]
    return unflatten([_Inputs(unflatten([f[0][k] for f in flat], spec)) for k in range(len(flat[0][0]))], out_spec)


class _Inputs:
    """The inputs' tree of one output, kept whole while the outputs' tree is walked."""

    def __init__(self, tree):
        self.tree = tree


def _pick(tree, single):
    return tree_map(lambda leaf: leaf.tree[0] if single else leaf.tree, tree)


def hessian(func, argnums=0):
    """Second derivatives: forward mode over reverse mode."""
    return jacfwd(jacrev(func, argnums), argnums)


def functional_call(module, parameters_and_buffers, args=None, kwargs=None, *, tie_weights=True, strict=False):
    """Call `module` with these parameters and buffers instead of its own."""
    from .nn.utils.stateless import functional_call as call  # noqa: PLC0415  (nn stands above this module)
    return call(module, parameters_and_buffers, args, kwargs, tie_weights=tie_weights, strict=strict)


def stack_module_state(models):
    """(params, buffers): the states of equal modules, stacked, for vmap over an ensemble."""
    if not models:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    params = {n: m.stack([dict(mod.named_parameters())[n] for mod in models]).detach().requires_grad_(p.requires_grad)
              for n, p in models[0].named_parameters()}
    buffers = {n: m.stack([dict(mod.named_buffers())[n] for mod in models]).detach()
               for n, _ in models[0].named_buffers()}
    return params, buffers


def functionalize(func, *, remove="mutations"):
    """`func` itself: transforms here take in-place changes as they are."""
    return func


__all__ = ["functional_call", "functionalize", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp",
           "linearize", "stack_module_state", "vjp", "vmap"]
