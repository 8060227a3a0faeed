"""Weight and spectral normalisation as hooks, PyTorch's older way.

The newer way is in parametrizations.py.
"""
from __future__ import annotations

import warnings

from ... import linalg, no_grad
from ...diagnose import error
from ...tensor import Tensor
from .. import functional as F
from ..conv import _ConvTransposeNd
from ..module import Module
from ..parameter import Parameter


# -------------------------------------- weight norm (Salimans and Kingma 2016)
def norm_except_dim(v: Tensor, dim: int | None) -> Tensor:
    """The norm over all dimensions but `dim`, which keep size 1; over all of them for None or −1.

    >>> kobai.nn.utils.norm_hooks.norm_except_dim(kobai.tensor([[3.0, 4.0], [0.0, 2.0]]), 0)
    tensor([[5.],
            [2.]])
    """
    if dim is None or dim == -1:
        return linalg.vector_norm(v)
    return linalg.vector_norm(v, dim=[d for d in range(v.ndim) if d != dim % v.ndim], keepdim=True)


class WeightNorm:
    """The hook that computes weight = g · v / ‖v‖ before each call."""

    def __init__(self, name: str, dim: int | None) -> None:
        self.name, self.dim = name, -1 if dim is None else dim

    def compute_weight(self, module: Module) -> Tensor:
        """The weight from its direction and length."""
        g, v = getattr(module, self.name + "_g"), getattr(module, self.name + "_v")
        return v * (g / norm_except_dim(v, self.dim))

    @staticmethod
    def apply(module: Module, name: str, dim: int | None) -> WeightNorm:
        """Replace the parameter `name` by its length and direction."""
        for hook in module._forward_pre_hooks.values():
            if isinstance(hook, WeightNorm) and hook.name == name:
                raise error("call-order",
                            RuntimeError(f"Cannot register two weight_norm hooks on the same parameter {name}"),
                            name=name, fn="weight_norm()", why="{fn} was called on {name} before.",
                            fix="call it once for each parameter, or remove the first one before.")
        fn = WeightNorm(name, dim)
        weight = getattr(module, name)
        del module._parameters[name]
        module.register_parameter(name + "_g", Parameter(norm_except_dim(weight, fn.dim).detach()))
        module.register_parameter(name + "_v", Parameter(weight.detach()))
        setattr(module, name, fn.compute_weight(module))
        module.register_forward_pre_hook(fn)
        return fn

    def remove(self, module: Module) -> None:
        """Put the weight back as a parameter."""
        weight = self.compute_weight(module)
        delattr(module, self.name)
        for part in ("_g", "_v"):
            del module._parameters[self.name + part]
        setattr(module, self.name, Parameter(weight.detach()))

    def __call__(self, module: Module, inputs: tuple) -> None:
        setattr(module, self.name, self.compute_weight(module))


def weight_norm(module: Module, name: str = "weight", dim: int = 0) -> Module:
    """Train length `weight_g` and direction `weight_v` of the weight instead of the weight.

    >>> layer = kobai.nn.utils.weight_norm(kobai.nn.Linear(20, 40))
    >>> layer.weight_g.shape, layer.weight_v.shape
    (torch.Size([40, 1]), torch.Size([40, 20]))
    """
    warnings.warn("`torch.nn.utils.weight_norm` is deprecated in favor of "
                  "`torch.nn.utils.parametrizations.weight_norm`.", FutureWarning, stacklevel=2)
    WeightNorm.apply(module, name, dim)
    return module


def remove_weight_norm(module: Module, name: str = "weight") -> Module:
    """Make the weight an ordinary parameter again."""
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook, WeightNorm) and hook.name == name:
            hook.remove(module)
            del module._forward_pre_hooks[key]
            return module
    raise error("call-order", ValueError(f"weight_norm of '{name}' not found in {module}"), name=name,
                fn="weight_norm()", cls=type(module), why="{fn} was not called on {name} of this {cls}.",
                fix="give the module that it was called on; a model's layers have it, not the model.")


# -------------------------------------- spectral norm (Miyato et al. 2018)
class SpectralNorm:
    """The hook that computes weight / σ before each call, σ being its largest singular value.

    σ comes from the power method, which goes on from where it stopped at the last call in training.
    """

    _version = 1

    def __init__(self, name: str = "weight", n_power_iterations: int = 1, dim: int = 0,
                 eps: float = 1e-12) -> None:
        if n_power_iterations <= 0:
            raise error("argument-value",
                        ValueError("Expected n_power_iterations to be positive, but got "
                                   f"n_power_iterations={n_power_iterations}"),
                        what="n_power_iterations", value=n_power_iterations, must="a positive whole number")
        self.name, self.dim, self.n_power_iterations, self.eps = name, dim, n_power_iterations, eps

    def reshape_weight_to_matrix(self, weight: Tensor) -> Tensor:
        """`dim` first, all other dimensions joined."""
        if self.dim != 0:
            weight = weight.permute(self.dim, *(d for d in range(weight.ndim) if d != self.dim))
        return weight.reshape(weight.shape[0], -1)

    def compute_weight(self, module: Module, do_power_iteration: bool) -> Tensor:
        """The weight divided by its largest singular value."""
        weight, u, v = (getattr(module, self.name + part) for part in ("_orig", "_u", "_v"))
        matrix = self.reshape_weight_to_matrix(weight)
        if do_power_iteration:
            with no_grad():
                for _ in range(self.n_power_iterations):
                    v.copy_(F.normalize(matrix.t().mv(u), dim=0, eps=self.eps))
                    u.copy_(F.normalize(matrix.mv(v), dim=0, eps=self.eps))
                u, v = u.clone(), v.clone()     # the next call changes them; this one's backward needs them
        return weight / u.dot(matrix.mv(v))

    @staticmethod
    def apply(module: Module, name: str, n_power_iterations: int, dim: int, eps: float) -> SpectralNorm:
        """Replace the parameter `name` by the original one and two vectors."""
        for hook in module._forward_pre_hooks.values():
            if isinstance(hook, SpectralNorm) and hook.name == name:
                raise error("call-order",
                            RuntimeError(f"Cannot register two spectral_norm hooks on the same parameter {name}"),
                            name=name, fn="spectral_norm()", why="{fn} was called on {name} before.",
                            fix="call it once for each parameter, or remove the first one before.")
        fn = SpectralNorm(name, n_power_iterations, dim, eps)
        weight = module._parameters[name]
        if weight is None:
            raise error("argument-value", ValueError(f"`SpectralNorm` cannot be applied as parameter `{name}` is None"),
                        name=name, why="{name} is None, as in a layer made with bias=False.",
                        fix="name a parameter that the layer has.")
        with no_grad():
            rows, columns = fn.reshape_weight_to_matrix(weight).shape
            u = F.normalize(weight.new_empty(rows).normal_(0, 1), dim=0, eps=eps)
            v = F.normalize(weight.new_empty(columns).normal_(0, 1), dim=0, eps=eps)
        del module._parameters[name]
        module.register_parameter(name + "_orig", weight)
        setattr(module, name, weight.data)
        module.register_buffer(name + "_u", u)
        module.register_buffer(name + "_v", v)
        module.register_forward_pre_hook(fn)
        return fn

    def remove(self, module: Module) -> None:
        """Put the normalised weight back as a parameter."""
        with no_grad():
            weight = self.compute_weight(module, do_power_iteration=False)
        delattr(module, self.name)
        for part in ("_u", "_v", "_orig"):
            delattr(module, self.name + part)
        module.register_parameter(self.name, Parameter(weight.detach()))

    def __call__(self, module: Module, inputs: tuple) -> None:
        setattr(module, self.name, self.compute_weight(module, do_power_iteration=module.training))


def spectral_norm(module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12,
                  dim: int | None = None) -> Module:
    """Divide the weight by its largest singular value at each call.

    >>> layer = kobai.nn.utils.spectral_norm(kobai.nn.Linear(20, 40))
    >>> layer.weight_u.shape
    torch.Size([40])
    """
    if dim is None:
        dim = 1 if isinstance(module, _ConvTransposeNd) else 0
    SpectralNorm.apply(module, name, n_power_iterations, dim, eps)
    return module


def remove_spectral_norm(module: Module, name: str = "weight") -> Module:
    """Make the weight an ordinary parameter again."""
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook, SpectralNorm) and hook.name == name:
            hook.remove(module)
            del module._forward_pre_hooks[key]
            return module
    raise error("call-order", ValueError(f"spectral_norm of '{name}' not found in {module}"), name=name,
                fn="spectral_norm()", cls=type(module), why="{fn} was not called on {name} of this {cls}.",
                fix="give the module that it was called on; a model's layers have it, not the model.")
