"""Differences, numerical gradients and integrals of sampled functions."""
from __future__ import annotations

from ..diagnose import error
from ..op import dtype_of, m
from ..public import public
from ..tensor import Tensor
from .movement import Slice, normal_dim
from .reduce import normal_dims


def part(x, dim, start, end):
    """x[..., start:end, ...] in dimension `dim`; a negative `end` counts from the back."""
    n = x.shape[dim]
    end = max(end + n, 0) if end < 0 else min(end, n)
    return Slice(dim, min(start, end), end)(x)


def _from(x, dim, start):
    n = x.shape[dim]
    return Slice(dim, min(start, n), n)(x)


# ---- differences -----------------------------------------------------------------------------
@public()
def diff(input, n=1, dim=-1, prepend=None, append=None):
    """The n-th differences x[i+1] - x[i] along `dim`, after `prepend` and `append` were attached.

    >>> kobai.tensor([1, 4, 9]).diff()
    tensor([3, 5])
    """
    if not input.ndim:
        raise error("tensor-dims", RuntimeError("diff expects input to be at least one-dimensional"), what="input",
                    shape=input.shape, need="at least {n}", n=1)
    if n < 0:
        raise error("argument-value", RuntimeError(f"order must be non-negative but got {n}"), what="n", value=n,
                    must="a whole number of at least {low}", low=0)
    dim = normal_dim(dim, input.ndim)
    ends = [v for v in (prepend, append) if v is not None]
    if any(v.ndim != input.ndim for v in ends):
        raise error("shapes-differ", RuntimeError("diff expects prepend or append to be the same dimension as input"),
                    shape=input.shape, why="prepend and append are joined to the input and need its {ndim} dimensions.",
                    fix="for example prepend=x[:1], which keeps the dimension that x[0] drops.")
    if ends:
        input = m.cat([v for v in (prepend, input, append) if v is not None], dim)
    if n == 0:
        return input if ends else m.clone(input)
    for _ in range(min(n, input.shape[dim])):
        later, earlier = _from(input, dim, 1), part(input, dim, 0, -1)
        input = m.logical_xor(later, earlier) if dtype_of(input).kind == "b" else later - earlier
    return input


# ---- gradient --------------------------------------------------------------------------------
@public("torch")
def gradient(input, *, spacing=None, dim=None, edge_order=1):
    """Derivatives of a sampled function along each of `dim`, by differences of second order.

    Args: `spacing`, the distance of neighbouring samples (one number, or one for each dimension) or
    their coordinates (a tensor for each dimension); `edge_order`, the order (1 or 2) at both ends.

    >>> kobai.gradient(kobai.tensor([1., 4., 9., 16.]))
    (tensor([3., 4., 6., 7.]),)
    """
    dims = normal_dims(dim, input.ndim) if dim is None or isinstance(dim, int) else tuple(
        [normal_dim(d, input.ndim) for d in dim])
    steps = _spacings(input, spacing, dim, dims)
    if edge_order not in (1, 2):
        raise error("argument-choice", RuntimeError("torch.gradient only supports edge_order=1 and edge_order=2."),
                    what="edge_order", value=edge_order, choices=[1, 2])
    normal_dims(dims, input.ndim)  # a dimension named twice is an error
    if any(input.shape[d] <= edge_order for d in dims):
        raise error("dimension-size", RuntimeError(
            "torch.gradient expected each dimension size to be at least edge_order+1"), n=edge_order,
            needed=edge_order + 1, shape=input.shape,
            why="with edge_order={n} a dimension needs at least {needed} elements; the shape is {shape}.",
            fix="use edge_order=1, or name the longer dimensions only: dim=...")
    if dtype_of(input).kind in "bui" and dims:
        input = m.cast(input, m.true_divide(input, 1).dtype)
    return tuple([_by_coordinates(input, d, h, edge_order) if hasattr(h, "shape") and len(h.shape) else
                  _by_step(input, d, h, edge_order) for d, h in zip(dims, steps)])


def _spacings(input, spacing, dim, dims):
    """The step or the coordinates for each of `dims`."""
    if spacing is None:
        return [1.0] * len(dims)
    if isinstance(spacing, (tuple, list)):
        if len(spacing) != len(dims):
            wrong = f", or a list of length equal to 'self.dim() = {input.ndim}', since dim argument was not given, but got " \
                f"a list of length {len(spacing)}" if dim is None else \
                " or it's spacing and dim arguments to have the same length, but got a spacing argument of length " \
                f"{len(spacing)} and a dim argument of length {len(dims)}."
            raise error("argument-count", RuntimeError(
                f"torch.gradient expected spacing to be unspecified, a scalar{wrong}"), what="spacing",
                count=len(spacing), need="{n}",
                n=len(dims), fix="give one number for all dimensions, or a list of {n} entries.")
        for d, h in zip(dims, spacing):
            if isinstance(h, Tensor) and h.ndim and tuple(h.shape) != (input.shape[d],):
                raise error("tensor-shape", RuntimeError(
                    "torch.gradient expected each element of spacing to have a length equal to the input at the given "
                    "dimension"), what="spacing", shape=h.shape, want=(input.shape[d],), dim=d, size=input.shape[d],
                    fix="give a coordinate for each of the {size} elements of dimension {dim}, or one number, their "
                        "distance.")
        return list(spacing)
    return [spacing] * len(dims)


def _by_step(x, d, h, order):
    inner = (_from(x, d, 2) - part(x, d, 0, -2)) / (2 * h)
    first, last = part(x, d, 0, 3), _from(x, d, x.shape[d] - 3) if order == 2 else None
    at = lambda v, i: Slice(d, i, i + 1)(v)  # noqa: E731
    if order == 1:
        n = x.shape[d]
        left, right = (at(x, 1) - at(x, 0)) / h, (at(x, n - 1) - at(x, n - 2)) / h
    else:
        left = (4 * at(first, 1) - 3 * at(first, 0) - at(first, 2)) / (2 * h)
        right = (3 * at(last, 2) - 4 * at(last, 1) + at(last, 0)) / (2 * h)
    return m.cat([left, inner, right], d)


def _by_coordinates(x, d, points, order):
    """Uneven distances: weights that make the formula exact for parabolas (lines, at ends of order 1)."""
    n, shape = x.shape[d], [1] * x.ndim
    shape[d] = -1
    step = m.reshape(diff(points), shape)
    at = lambda v, i: Slice(d, i, i + 1)(v)  # noqa: E731
    a, b = part(step, d, 0, -1), _from(step, d, 1)
    inner = (part(x, d, 0, -2) * (-b / (a * (a + b))) + part(_from(x, d, 1), d, 0, -1) * ((b - a) / (a * b))
             + _from(x, d, 2) * (a / (b * (a + b))))
    if order == 1:
        left, right = (at(x, 1) - at(x, 0)) / at(step, 0), (at(x, n - 1) - at(x, n - 2)) / at(step, n - 2)
    else:
        a, b = at(step, 0), at(step, 1)
        left = (at(x, 0) * (-(2 * a + b) / (a * (a + b))) + at(x, 1) * ((a + b) / (a * b))
                - at(x, 2) * (a / (b * (a + b))))
        a, b = at(step, n - 3), at(step, n - 2)
        right = (at(x, n - 3) * (b / (a * (a + b))) - at(x, n - 2) * ((a + b) / (a * b))
                 + at(x, n - 1) * ((a + 2 * b) / (b * (a + b))))
    return m.cat([left, inner, right], d)


# ---- integrals -------------------------------------------------------------------------------
def _areas(y, x, dx, dim, name):
    """(areas of the trapezoids, their dimension): the width is `dx`, or the differences of `x`."""
    if dtype_of(y).kind == "b":
        raise error("tensor-dtype", RuntimeError(
            f"{name}: received a bool input for {'`y`' if x is None else '`x` or `y`'}, but bool is not supported"),
            what="y", dtype=dtype_of(y), fn=f"{name}()", must="numbers",
                    fix="convert it first: {what}.float() or {what}.int().")
    if not y.ndim:
        raise error("tensor-dims", IndexError(f"Dimension specified as {dim} but tensor has no dimensions"), what="y",
                    shape=y.shape, need="at least {n}", n=1)
    dim = normal_dim(dim, y.ndim)
    sums = part(y, dim, 0, -1) + _from(y, dim, 1)
    if x is None:
        return sums * (dx / 2), dim
    if dtype_of(x).kind == "b":
        raise error("tensor-dtype", RuntimeError(
            f"{name}: received a bool input for `x` or `y`, but bool is not supported"), what="x",
            dtype=dtype_of(x), fn=f"{name}()", must="numbers", fix="convert it first: {what}.float() or {what}.int().")
    if x.ndim == 1 and y.ndim > 1:
        if x.shape[0] != y.shape[dim]:
            raise error("shapes-differ", RuntimeError(f"{name}: There must be one `x` value for each sample point"),
                        what="x", shape=x.shape, other="y", other_shape=y.shape, dim=dim,
                        must="x needs one coordinate for each sample of y along dimension {dim}")
        x = m.reshape(x, (-1, *(1,) * (y.ndim - dim - 1)))
    elif x.ndim < y.ndim:
        x = m.reshape(x, (*(1,) * (y.ndim - x.ndim), *x.shape))
    at = dim + x.ndim - y.ndim
    return sums * (_from(x, at, 1) - part(x, at, 0, -1)) / 2, dim


def _integral_arguments(y, x, name):
    if not isinstance(y, Tensor):
        raise error("not-tensor", function=name, argument="y", place=1, got=type(y).__name__)
    if x is not None and not isinstance(x, Tensor):
        raise error("argument-type", TypeError(
            f"{name}() received an invalid combination of arguments - got (Tensor, {type(x).__name__})"), what="x",
            kind=type(x), must="a tensor",
            fix="give the coordinates of the samples as a tensor; for their distance write dx=...")


@public("torch", alias=("trapz",))
def trapezoid(y, x=None, *, dx=1, dim=-1):
    """The integral of samples `y` along `dim` by trapezoids, at coordinates `x` or at distance `dx`.

    >>> kobai.trapezoid(kobai.tensor([1., 2., 3.]))
    tensor(4.)
    """
    _integral_arguments(y, x, "trapezoid")
    areas, dim = _areas(y, x, dx, dim, "trapezoid")
    return m.sum(areas, dim)


@public("torch")
def cumulative_trapezoid(y, x=None, *, dx=1, dim=-1):
    """The running integral of samples `y` along `dim` by trapezoids; one element fewer than `y`."""
    _integral_arguments(y, x, "cumulative_trapezoid")
    areas, dim = _areas(y, x, dx, dim, "cumulative_trapezoid")
    return m.cumsum(areas, dim)


