"""Starting values for parameters.

Every function fills its tensor in place, without recording it for gradients, and returns it. For the
same seed the numbers are PyTorch's.
"""
from __future__ import annotations

import math
import warnings
from typing import Any

from .. import empty_like, linalg, no_grad, randperm, where, zeros
from ..diagnose import error
from ..tensor import Tensor

_GAINS = {
    "linear": 1.0, "identity": 1.0, "sigmoid": 1.0,
    "conv1d": 1.0, "conv2d": 1.0, "conv3d": 1.0,
    "conv_transpose1d": 1.0, "conv_transpose2d": 1.0, "conv_transpose3d": 1.0,
    "tanh": 5.0 / 3, "relu": math.sqrt(2.0), "selu": 3.0 / 4,
}


def calculate_gain(nonlinearity: str, param: int | float | None = None) -> float:
    """The factor by which weights before this nonlinearity should grow to keep the variance.

    >>> kobai.nn.init.calculate_gain("leaky_relu", 0.2)
    1.3867504905630728
    """
    if nonlinearity == "leaky_relu":
        if param is None:
            slope = 0.01
        elif isinstance(param, (int, float)) and not isinstance(param, bool):
            slope = param
        else:
            raise error("argument-value", ValueError(f"negative_slope {param} not a valid number"),
                        what="negative_slope", value=param, must="a number",
                        fix="write the slope as a number: calculate_gain('leaky_relu', 0.2).")
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity not in _GAINS:
        raise error("argument-choice", ValueError(f"Unsupported nonlinearity {nonlinearity}"), what="nonlinearity",
                    value=nonlinearity, choices=[*_GAINS, "leaky_relu"])
    return _GAINS[nonlinearity]


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """How many inputs one output sees, and how many outputs one input reaches."""
    if tensor.ndim < 2:
        raise error("tensor-dims",
                    ValueError("Fan in and fan out can not be computed for tensor with fewer than 2 dimensions"),
                    what="tensor", shape=tensor.shape, need="at least {n}", n=2,
                    fix="a bias has no fan in and fan out: fill it with nn.init.zeros_, and skip it here (if p.ndim "
                        "> 1).")
    receptive = math.prod(tensor.shape[2:])
    return tensor.shape[1] * receptive, tensor.shape[0] * receptive


def _calculate_correct_fan(tensor: Tensor, mode: str) -> int:
    mode = mode.lower()
    if mode not in ("fan_in", "fan_out"):
        raise error("argument-choice",
                    ValueError(f"Mode {mode} not supported, please use one of ['fan_in', 'fan_out']"), what="mode",
                    value=mode, choices=["fan_in", "fan_out"])
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    return fan_in if mode == "fan_in" else fan_out


# ----------------------------------------------------------------- constants
def constant_(tensor: Tensor, val: float) -> Tensor:
    """Every element `val`."""
    with no_grad():
        return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Every element 1."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Every element 0."""
    return constant_(tensor, 0.0)


def eye_(tensor: Tensor) -> Tensor:
    """The identity matrix.

    >>> kobai.nn.init.eye_(kobai.empty(2, 3))
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    if tensor.ndim != 2:
        raise error("tensor-dims", ValueError("Only tensors with 2 dimensions are supported"), what="tensor",
                    shape=tensor.shape, need="{n}", n=2,
                    fix="this fills a matrix, such as the weight of nn.Linear; skip other parameters (if p.ndim == 2).")
    with no_grad():
        tensor.zero_()
        tensor.diagonal().fill_(1.0)
    return tensor


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """A convolution that passes its input channels through unchanged."""
    if tensor.ndim not in (3, 4, 5):
        raise error("tensor-dims", ValueError("Only tensors with 3, 4, or 5 dimensions are supported"), what="tensor",
                    shape=tensor.shape, need="{n}, {m} or {k}", n=3, m=4, k=5,
                    fix="this fills the weight of a convolution; skip other parameters (if p.ndim > 2).")
    if tensor.shape[0] % groups:
        raise error("size-divisible", ValueError("dim 0 must be divisible by groups"), what="tensor.shape[0]",
                    value=tensor.shape[0], by=groups,
                    fix="choose groups so that it divides {value}, the number of output channels.")
    per_group = tensor.shape[0] // groups
    center = tuple(n // 2 for n in tensor.shape[2:])
    with no_grad():
        tensor.zero_()
        for group in range(groups):
            for i in range(min(per_group, tensor.shape[1])):
                tensor[(group * per_group + i, i, *center)] = 1
    return tensor


# ------------------------------------------------------------- distributions
def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Tensor:
    """Uniform between `a` and `b`.

    >>> _ = kobai.manual_seed(0)
    >>> kobai.nn.init.uniform_(kobai.empty(3))
    tensor([0.4963, 0.7682, 0.0885])
    """
    with no_grad():
        return tensor.uniform_(a, b, generator=generator)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Tensor:
    """Normal with the given mean and standard deviation."""
    with no_grad():
        return tensor.normal_(mean, std, generator=generator)


def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0,
    generator: Any = None
) -> Tensor:
    """Normal, without what falls outside [a, b]: refused numbers are drawn again."""
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn("mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The distribution of "
                      "values may be incorrect.", stacklevel=2)
    inside = _normal_cdf((b - mean) / std) - _normal_cdf((a - mean) / std)
    propose, refused = (_from_normal if inside > 0.3 else _from_uniform)(tensor, mean, std, a, b, generator)
    with no_grad():
        values = propose()
        pending = refused(values)
        while pending.any():
            again = propose()
            values = where(pending, again, values)
            pending = pending & refused(again)
        return tensor.copy_(values)


def _from_normal(tensor: Tensor, mean, std, a, b, generator):
    """Draw normal numbers, refuse what is outside: quick when little is."""
    low, high = (tensor.new_tensor(bound).item() for bound in (a, b))

    def propose() -> Tensor:
        return empty_like(tensor).normal_(mean, std, generator=generator)

    return propose, lambda x: (x < low) | (x > high)


def _from_uniform(tensor: Tensor, mean, std, a, b, generator):
    """Draw uniformly from [a, b], accept in proportion to the density: for tails and narrow ranges."""
    highest = -0.5 * ((max(a, min(mean, b)) - mean) / std) ** 2

    def propose() -> Tensor:
        return empty_like(tensor).uniform_(a, b, generator=generator)

    def refused(x: Tensor) -> Tensor:
        log_density = ((x - mean) / std).pow(2) * -0.5 - highest
        return empty_like(tensor).uniform_(generator=generator).log() > log_density

    return propose, refused


def _normal_cdf(x: float) -> float:
    return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Uniform with standard deviation gain · √(2 / (fan_in + fan_out)) (Glorot and Bengio 2010)."""
    bound = math.sqrt(3.0) * gain * math.sqrt(2.0 / sum(_calculate_fan_in_and_fan_out(tensor)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Normal with standard deviation gain · √(2 / (fan_in + fan_out)) (Glorot and Bengio 2010)."""
    std = gain * math.sqrt(2.0 / sum(_calculate_fan_in_and_fan_out(tensor)))
    return normal_(tensor, 0.0, std, generator)


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    return calculate_gain(nonlinearity, a) / math.sqrt(_calculate_correct_fan(tensor, mode))


def _nothing_to_do(tensor: Tensor) -> bool:
    if 0 not in tensor.shape:
        return False
    warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=3)
    return True


def kaiming_uniform_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
    generator: Any = None
) -> Tensor:
    """Uniform with standard deviation gain / √fan (He et al. 2015); `a` is the slope of a leaky ReLU."""
    if _nothing_to_do(tensor):
        return tensor
    bound = math.sqrt(3.0) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
    generator: Any = None
) -> Tensor:
    """Normal with standard deviation gain / √fan (He et al. 2015); `a` is the slope of a leaky ReLU."""
    if _nothing_to_do(tensor):
        return tensor
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Any = None) -> Tensor:
    """Orthonormal rows or columns (the fewer), times `gain` (Saxe et al. 2013).

    Trailing dimensions are flattened. The factor R of the QR decomposition gets a positive diagonal,
    which makes the distribution uniform over the orthogonal matrices.
    """
    if tensor.ndim < 2:
        raise error("tensor-dims", ValueError("Only tensors with 2 or more dimensions are supported"), what="tensor",
                    shape=tensor.shape, need="at least {n}", n=2,
                    fix="this fills matrices and kernels; skip biases (if p.ndim > 1).")
    if 0 in tensor.shape:
        return tensor
    rows, columns = tensor.shape[0], math.prod(tensor.shape[1:])
    with no_grad():
        flat = zeros(rows, columns, dtype=tensor.dtype).normal_(0, 1, generator=generator)
        q, r = linalg.qr(flat.t() if rows < columns else flat)
        q = q * r.diagonal().sign()
        tensor.copy_((q.t() if rows < columns else q).reshape(tensor.shape))
        return tensor.mul_(gain)


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Any = None) -> Tensor:
    """Normal, with the fraction `sparsity` of each column set to zero (Martens 2010)."""
    if tensor.ndim != 2:
        raise error("tensor-dims", ValueError("Only tensors with 2 dimensions are supported"), what="tensor",
                    shape=tensor.shape, need="{n}", n=2,
                    fix="this fills a matrix, such as the weight of nn.Linear; skip other parameters (if p.ndim == 2).")
    rows, columns = tensor.shape
    zeros_per_column = math.ceil(sparsity * rows)
    with no_grad():
        tensor.normal_(0, std, generator=generator)
        for column in range(columns):
            tensor[randperm(rows)[:zeros_per_column], column] = 0
    return tensor


# -------------------------------------------- names from before the underscore
def _old_name(new):
    """PyTorch 0.3 had these names without the underscore; they still work and say so."""
    old = new.__name__[:-1]

    def deprecated(*args, **kwargs):
        warnings.warn(f"`nn.init.{old}` is now deprecated in favor of `nn.init.{old}_`.", FutureWarning,
                      stacklevel=2)
        return new(*args, **kwargs)

    deprecated.__name__ = old
    deprecated.__doc__ = f"The old name of `{old}_`."
    return deprecated


uniform = _old_name(uniform_)
normal = _old_name(normal_)
constant = _old_name(constant_)
eye = _old_name(eye_)
dirac = _old_name(dirac_)
xavier_uniform = _old_name(xavier_uniform_)
xavier_normal = _old_name(xavier_normal_)
kaiming_uniform = _old_name(kaiming_uniform_)
kaiming_normal = _old_name(kaiming_normal_)
orthogonal = _old_name(orthogonal_)
sparse = _old_name(sparse_)
