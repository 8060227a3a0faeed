"""Nonlinear functions of each element, and the softmax family."""
from __future__ import annotations

from .. import full
from ..diagnose import error
from ..tensor import Tensor
from . import functional as F
from .module import Module
from .parameter import Parameter


class _Inplace(Module):
    """A function that can overwrite its input."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""

    def _and_inplace(self) -> str:
        return ", inplace=True" if self.inplace else ""


class ReLU(_Inplace):
    """max(0, x).

    >>> kobai.nn.ReLU()(kobai.tensor([-1.0, 0.0, 2.0]))
    tensor([0., 0., 2.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.relu(input, self.inplace)


class RReLU(_Inplace):
    """x if x ≥ 0, otherwise a x; in training a is uniform in [lower, upper] per element, else their mean.

    >>> kobai.nn.RReLU(0.1, 0.3).eval()(kobai.tensor([-1.0, 2.0]))
    tensor([-0.2000,  2.0000])
    """

    def __init__(self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.lower = lower
        self.upper = upper

    def forward(self, input: Tensor) -> Tensor:
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"lower={self.lower}, upper={self.upper}" + self._and_inplace()


class Hardtanh(_Inplace):
    """x clamped to [min_val, max_val].

    >>> kobai.nn.Hardtanh()(kobai.tensor([-3.0, 0.5, 3.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """

    def __init__(
        self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False,
        min_value: float | None = None, max_value: float | None = None,
    ) -> None:
        super().__init__(inplace)
        self.min_val = min_val if min_value is None else min_value
        self.max_val = max_val if max_value is None else max_value
        if not self.max_val > self.min_val:
            raise error("argument-value",
                        AssertionError(f"max_val ({self.max_val}) must be greater than min_val ({self.min_val})"),
                        what="max_val", value=self.max_val, low=self.min_val, must="a number above {low}")

    def forward(self, input: Tensor) -> Tensor:
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)

    def extra_repr(self) -> str:
        return f"min_val={self.min_val}, max_val={self.max_val}" + self._and_inplace()


class ReLU6(Hardtanh):
    """min(max(0, x), 6).

    >>> kobai.nn.ReLU6()(kobai.tensor([-1.0, 3.0, 9.0]))
    tensor([0., 3., 6.])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class Threshold(_Inplace):
    """x if x > threshold, otherwise value.

    >>> kobai.nn.Threshold(0.1, 20)(kobai.tensor([0.0, 1.0]))
    tensor([20.,  1.])
    """

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.threshold = threshold
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.threshold(input, self.threshold, self.value, self.inplace)

    def extra_repr(self) -> str:
        return f"threshold={self.threshold}, value={self.value}" + self._and_inplace()


class LeakyReLU(_Inplace):
    """x if x > 0, otherwise negative_slope · x.

    >>> kobai.nn.LeakyReLU(0.1)(kobai.tensor([-1.0, 2.0]))
    tensor([-0.1000,  2.0000])
    """

    def __init__(self, negative_slope: float = 1e-2, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.negative_slope = negative_slope

    def forward(self, input: Tensor) -> Tensor:
        return F.leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}" + self._and_inplace()


class PReLU(Module):
    """x if x > 0, otherwise a x, where a is learned: one number, or one per channel (dimension 1).

    >>> kobai.nn.PReLU()(kobai.tensor([-1.0, 2.0])).detach()
    tensor([-0.2500,  2.0000])
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device=None, dtype=None) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(full((num_parameters,), init, device=device, dtype=dtype))

    def reset_parameters(self) -> None:
        """Every slope `init`."""
        self.weight.data.fill_(self.init)

    def forward(self, input: Tensor) -> Tensor:
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class ELU(_Inplace):
    """x if x > 0, otherwise α (eˣ − 1).

    >>> kobai.nn.ELU()(kobai.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        return F.elu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}" + self._and_inplace()


class CELU(_Inplace):
    """max(0, x) + min(0, α (e^(x/α) − 1)).

    >>> kobai.nn.CELU(2.0)(kobai.tensor([-1.0, 2.0]))
    tensor([-0.7869,  2.0000])
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        return F.celu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}" + self._and_inplace()


class SELU(_Inplace):
    """ELU scaled so that activations keep mean 0 and variance 1 (Klambauer et al. 2017).

    >>> kobai.nn.SELU()(kobai.tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.selu(input, self.inplace)


class GELU(Module):
    """x Φ(x), Φ the normal distribution function; `approximate="tanh"` uses a cheaper formula.

    >>> kobai.nn.GELU()(kobai.tensor([-1.0, 2.0]))
    tensor([-0.1587,  1.9545])
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        return F.gelu(input, approximate=self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class SiLU(_Inplace):
    """x σ(x), also called swish.

    >>> kobai.nn.SiLU()(kobai.tensor([-1.0, 2.0]))
    tensor([-0.2689,  1.7616])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.silu(input, inplace=self.inplace)


class Mish(_Inplace):
    """x tanh(softplus(x)).

    >>> kobai.nn.Mish()(kobai.tensor([-1.0, 2.0]))
    tensor([-0.3034,  1.9440])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.mish(input, inplace=self.inplace)


class Hardswish(_Inplace):
    """x · clamp(x + 3, 0, 6) / 6.

    >>> kobai.nn.Hardswish()(kobai.tensor([-1.0, 4.0]))
    tensor([-0.3333,  4.0000])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.hardswish(input, self.inplace)

    def extra_repr(self) -> str:
        return ""


class Hardsigmoid(_Inplace):
    """clamp(x + 3, 0, 6) / 6.

    >>> kobai.nn.Hardsigmoid()(kobai.tensor([-4.0, 0.0, 4.0]))
    tensor([0.0000, 0.5000, 1.0000])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.hardsigmoid(input, self.inplace)

    def extra_repr(self) -> str:
        return ""


class Sigmoid(Module):
    """1 / (1 + e⁻ˣ).

    >>> kobai.nn.Sigmoid()(kobai.tensor([-1.0, 0.0]))
    tensor([0.2689, 0.5000])
    """

    def forward(self, input: Tensor) -> Tensor:
        return input.sigmoid()


class LogSigmoid(Module):
    """log(1 / (1 + e⁻ˣ)), without overflow.

    >>> kobai.nn.LogSigmoid()(kobai.tensor([-100.0, 0.0]))
    tensor([-100.0000,   -0.6931])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.logsigmoid(input)


class Tanh(Module):
    """Hyperbolic tangent.

    >>> kobai.nn.Tanh()(kobai.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """

    def forward(self, input: Tensor) -> Tensor:
        return input.tanh()


class Tanhshrink(Module):
    """x − tanh(x).

    >>> kobai.nn.Tanhshrink()(kobai.tensor([0.0, 1.0]))
    tensor([0.0000, 0.2384])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.tanhshrink(input)


class Softsign(Module):
    """x / (1 + |x|).

    >>> kobai.nn.Softsign()(kobai.tensor([-1.0, 3.0]))
    tensor([-0.5000,  0.7500])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softsign(input)


class Softplus(Module):
    """log(1 + e^(βx)) / β, and x itself where βx > threshold.

    >>> kobai.nn.Softplus()(kobai.tensor([0.0, 30.0]))
    tensor([ 0.6931, 30.0000])
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Tensor) -> Tensor:
        return F.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class _Shrink(Module):
    """A function with one number, lambd."""

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def extra_repr(self) -> str:
        return str(self.lambd)


class Hardshrink(_Shrink):
    """x where |x| > λ, otherwise 0.

    >>> kobai.nn.Hardshrink()(kobai.tensor([-1.0, 0.3]))
    tensor([-1.,  0.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.hardshrink(input, self.lambd)


class Softshrink(_Shrink):
    """x moved towards 0 by λ, and 0 where |x| ≤ λ.

    >>> kobai.nn.Softshrink()(kobai.tensor([-1.0, 0.3]))
    tensor([-0.5000,  0.0000])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softshrink(input, self.lambd)


class GLU(Module):
    """a · σ(b), a and b being the halves of the input along `dim`.

    >>> kobai.nn.GLU()(kobai.tensor([2.0, 0.0]))
    tensor([1.])
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return F.glu(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


# ----------------------------------------------------------- the softmax family
class _AlongDim(Module):
    """A function along one dimension. Without `dim` the function chooses it and warns, as in PyTorch."""

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim


class Softmax(_AlongDim):
    """exp(x_i) / Σ_j exp(x_j) along `dim`.

    >>> kobai.nn.Softmax(dim=0)(kobai.tensor([1.0, 2.0, 3.0]))
    tensor([0.0900, 0.2447, 0.6652])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softmax(input, self.dim, _stacklevel=5)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmin(_AlongDim):
    """Softmax of −x along `dim`.

    >>> kobai.nn.Softmin(dim=0)(kobai.tensor([1.0, 2.0, 3.0]))
    tensor([0.6652, 0.2447, 0.0900])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softmin(input, self.dim, _stacklevel=5)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class LogSoftmax(_AlongDim):
    """log of Softmax along `dim`, computed without overflow.

    >>> kobai.nn.LogSoftmax(dim=0)(kobai.tensor([0.0, 0.0]))
    tensor([-0.6931, -0.6931])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.log_softmax(input, self.dim, _stacklevel=5)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax2d(Module):
    """Softmax over the channels of an image (N, C, H, W) or (C, H, W).

    >>> kobai.nn.Softmax2d()(kobai.zeros(2, 1, 1)).flatten()
    tensor([0.5000, 0.5000])
    """

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim not in (3, 4):
            raise error("tensor-dims",
                        ValueError(f"Softmax2d: expected input to be 3D or 4D, got {input.ndim}D instead"),
                        what="input", shape=input.shape, need="{n} or {m}", n=3, m=4,
                        fix="bring it to (channels, height, width), or (batch, channels, height, width); "
                            "F.softmax(x, dim) takes every shape.")
        return F.softmax(input, -3, _stacklevel=5)
