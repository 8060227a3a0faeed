"""interpolate and its older names."""
from __future__ import annotations

import math
import warnings
from functools import lru_cache

import numpy as np

from ..diagnose import error
from ..op import dtype_of, m
from ..public import public
from .reduce import not_implemented
from .resample import Resample

_KINDS = {  # mode -> (kind, the only number of dimensions it takes, PyTorch's label for it)
    "nearest": ("nearest", None, "UpsampleNearest{}D"),
    "nearest-exact": ("nearest-exact", None, "UpsampleNearestExact{}D"),
    "linear": ("linear", 1, "UpsampleLinear1D"), "bilinear": ("linear", 2, "UpsampleBilinear2D"),
    "trilinear": ("linear", 3, "UpsampleTrilinear3D"), "bicubic": ("cubic", 2, "UpsampleBicubic2D"),
    "lanczos": ("lanczos", 2, "UpsampleLanczos2D"), "area": ("area", None, ""),
}
_MODES = "nearest | linear | bilinear | bicubic | trilinear | lanczos | area | nearest-exact"


@public("nn.functional")
def interpolate(input, size=None, scale_factor=None, mode="nearest", align_corners=None, recompute_scale_factor=None,
                antialias=False):
    """The last dimensions brought to `size`, or to `scale_factor` times their size.

    Args: `mode` is nearest, nearest-exact, area, linear, bilinear, trilinear, bicubic or lanczos;
    `align_corners` keeps the outermost elements where they are; `antialias` smooths what shrinks.

    Shape: (N, C, *s) with one to three dimensions s -> (N, C, *size).

    >>> kobai.nn.functional.interpolate(kobai.tensor([[[0., 2.]]]), scale_factor=2, mode="linear")
    tensor([[[0.0000, 0.5000, 1.5000, 2.0000]]])
    """
    shape = tuple(input.shape)
    size, factor = (tuple(v) if isinstance(v, list) else v for v in (size, scale_factor))
    try:
        op = _op(shape, size, factor, mode, align_corners, recompute_scale_factor, antialias)
    except TypeError:  # a tensor among the sizes
        op = _op.__wrapped__(shape, size, factor, mode, align_corners, recompute_scale_factor, antialias)
    if mode == "area":
        return getattr(m, f"adaptive_avg_pool{len(shape) - 2}d")(input, op)
    d = dtype_of(input)
    if d.kind in "fV":
        return op(input)
    if d != np.uint8 or mode == "lanczos" or len(shape) == 5 and not mode.startswith("nearest"):
        raise not_implemented(_kernel(mode, len(shape) - 2), input)
    return _bytes(input, op)


@lru_cache(1024)
def _op(shape, size, factor, mode, align_corners, recompute, antialias):
    """The op for an input of this shape, once all arguments are known to be good; for area the sizes."""
    n = len(shape) - 2
    _check_mode(n, mode, align_corners, antialias)
    size, scales = _sizes(shape[2:], n, size, factor, recompute)
    if mode == "area":
        return size
    _check_sizes(shape, n, size)
    kind, _, label = _KINDS[mode]
    if antialias:
        kind, label = kind + "-smooth", label + "Aa"
    return Resample(label.format(n), kind, shape[2:], size, bool(align_corners), scales)


def _bytes(x, op):
    """Images of bytes: each dimension's result is rounded to bytes again, the last dimension's first."""
    spatial, n = op.spatial, len(op.spatial)
    for i in reversed(range(n)):
        out = (*spatial[:i], op.out[i], *spatial[i + 1:])
        step = Resample(op.label, op.kind, spatial, out, op.corners, op.scales and tuple(
            [c if k == i else 1.0 for k, c in enumerate(op.scales)]))
        y = step(m.cast(x, np.dtype(np.float32)))
        x, spatial = m.cast(m.clamp(m.floor(y + 0.5), 0, 255), np.dtype(np.uint8)), out
    return x


def _kernel(mode, n):
    """PyTorch's name of what it would have called."""
    if mode == "bicubic":
        return "compute_indices_weights_cubic"
    return f"upsample_{mode.removesuffix('-exact')}{n}d{'_channels_last' * (n > 1)}"


def _check_mode(n, mode, align_corners, antialias):
    ndim = n + 2
    if mode in ("nearest", "area", "nearest-exact"):
        if align_corners is not None:
            raise error("arguments-exclude", ValueError(
                "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | "
                "trilinear"), what="align_corners", other=f"mode={mode!r}",
                fix="leave out align_corners; it is for the modes linear, bilinear, bicubic and trilinear.")
    if antialias and not (mode in ("bilinear", "bicubic", "lanczos") and ndim == 4):
        raise error("arguments-exclude", ValueError(
            "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires a 4-D tensor as input"
        ), mode=repr(mode), ndim=ndim,
            why="antialias=True is for the modes bilinear, bicubic and lanczos and inputs of 4 dimensions; here mode "
                "is {mode}, and the input has {ndim} dimensions.", fix="leave out antialias, or change the mode.")
    if ndim not in (3, 4, 5) or mode not in _KINDS or mode in ("bicubic", "lanczos") and ndim != 4:
        raise error("tensor-dims", NotImplementedError(
            f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {ndim}D) for the modes: {_MODES} (got {mode}"
            ")"), mode=repr(mode), ndim=ndim, why="mode={mode} does not go with an input of {ndim} dimensions.",
            fix="the input is (batch, channels, *sizes), of 3 dimensions for linear, 4 for bilinear and bicubic, 5 "
                "for trilinear.")
    wanted = _KINDS[mode][1]
    if wanted not in (None, n):
        raise error("tensor-dims", NotImplementedError(f"Got {ndim}D input, but {mode} mode needs {wanted + 2}D input"),
                    mode=repr(mode), ndim=ndim, n=wanted + 2,
                    why="mode={mode} is for inputs of {n} dimensions, and this one has {ndim}.",
                    fix="use linear for 3 dimensions, bilinear or bicubic for 4, trilinear for 5.")
    if mode == "lanczos" and not antialias:
        raise error("arguments-together", ValueError("Lanczos mode requires antialias=True"), what="mode='lanczos'",
                    other="antialias=True")


def _sizes(spatial, n, size, factor, recompute):
    """The sizes of the result, and the distance of results in elements where it was given (else ())."""
    if size is not None and factor is not None:
        raise error("arguments-exclude", ValueError("only one of size or scale_factor should be defined"), what="size",
                    other="scale_factor")
    if size is None and factor is None:
        raise error("argument-missing", ValueError("either size or scale_factor should be defined"),
                    why="neither size nor scale_factor was given.",
                    fix="give size, the size of the result, or scale_factor, its ratio to that of the input.")
    if size is not None:
        if recompute:
            raise error("arguments-exclude", ValueError(
                "recompute_scale_factor is not meaningful with an explicit size."), what="recompute_scale_factor=True",
                other="size")
        return _given_size(size, spatial, n), ()
    factors = tuple(factor) if isinstance(factor, (tuple, list)) else (factor,) * n
    if len(factors) != n:
        raise error("argument-count", ValueError(
            "Input and scale_factor must have the same number of spatial dimensions, but got input with spatial "
            f"dimensions of {list(spatial)} and scale_factor of shape {factor}. Please provide input tensor in (N, C, "
            "d1, d2, ...,dK) format and scale_factor in (s1, s2, ...,sK) format."), what="scale_factor",
            count=len(factors), need="{n}", n=n,
            fix="give one number, or one for each of the {n} dimensions after batch and channels.")
    factors = tuple([float(f) for f in factors])
    size = tuple([math.floor(s * f) for s, f in zip(spatial, factors)])
    return size, () if recompute else tuple([1 / f if f > 0 else 0.0 for f in factors])


def _given_size(size, spatial, n):
    if hasattr(size, "__index__") and not isinstance(size, (tuple, list)):
        return (int(size),) * n
    if not isinstance(size, (tuple, list)) or any(isinstance(s, float) for s in size):
        kinds = [type(s) for s in size] if isinstance(size, (tuple, list)) else type(size)
        raise error("argument-type", TypeError(
            "expected size to be one of int or Tuple[int] or Tuple[int, int] or Tuple[int, int, int], but got size "
            f"with types {kinds}"), value=size,
            why="size is {value}; it must be a whole number or a tuple of whole numbers.",
            fix="write size=(64, 64); where a size is computed, use // instead of /.")
    if len(size) != n:
        raise error("argument-count", ValueError(
            "Input and output must have the same number of spatial dimensions, but got input with spatial dimensions "
            f"of {list(spatial)} and output size of {size}. Please provide input tensor in (N, C, d1, d2, ...,dK) "
            "format and output size in (o1, o2, ...,oK) format."), what="size", count=len(size), need="{n}", n=n,
            fix="give one number, or one for each of the {n} dimensions after batch and channels.")
    return tuple([int(s) for s in size])


def _check_sizes(shape, n, size):
    spatial = shape[2:]
    if min(spatial) <= 0 or min(size) <= 0:
        names = "DHW"[3 - n:] if n != 1 else "W"
        before, after = (", ".join(f"{a}: {s}" for a, s in zip(names, v)) for v in (spatial, size))
        raise error("dimension-size", RuntimeError(
            f"Input and output sizes should be greater than 0, but got input ({before}) output ({after})"),
            have=tuple(spatial), want=tuple(size),
            why="the input measures {have} and the result would measure {want}; no size can be 0.",
            fix="look why the input is empty, or give a larger size or scale_factor.")
    if shape[1] == 0:
        raise error("tensor-empty", RuntimeError(
            f"Non-empty {n + 2}D data tensor expected but got a tensor with sizes {list(shape)}"), what="input",
            fn="interpolate()")


@public("nn.functional")
def upsample(input, size=None, scale_factor=None, mode="nearest", align_corners=None):
    """The older name of `interpolate`."""
    _deprecated("upsample")
    return interpolate(input, size, scale_factor, mode, align_corners)


@public("nn.functional")
def upsample_nearest(input, size=None, scale_factor=None):
    """The older name of `interpolate(mode="nearest")`."""
    _deprecated("upsample_nearest")
    return interpolate(input, size, scale_factor, "nearest")


@public("nn.functional")
def upsample_bilinear(input, size=None, scale_factor=None):
    """The older name of `interpolate(mode="bilinear", align_corners=True)`."""
    _deprecated("upsample_bilinear")
    return interpolate(input, size, scale_factor, "bilinear", True)


def _deprecated(name):
    warnings.warn(f"`nn.functional.{name}` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=4)
