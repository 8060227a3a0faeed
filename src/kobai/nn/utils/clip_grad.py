"""Limiting gradients before an optimizer step."""
from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

from ... import linalg, no_grad, stack, tensor
from ...diagnose import error
from ...tensor import Tensor


def _grads(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    if isinstance(parameters, Tensor):
        parameters = [parameters]
    listed = list(parameters)
    if not listed and isinstance(parameters, Iterator):
        warnings.warn("`parameters` is an empty generator, no gradient clipping will occur.", stacklevel=3)
    return [g for p in listed if (g := p.grad) is not None]


def get_total_norm(tensors: Tensor | Iterable[Tensor], norm_type: float = 2.0,
                   error_if_nonfinite: bool = False,
                   foreach: bool | None = None) -> Tensor:
    """The norm of all elements of several tensors, as if they were one vector.

    >>> kobai.nn.utils.get_total_norm([kobai.tensor([3.0]), kobai.tensor([4.0])])
    tensor(5.)
    """
    tensors = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    norm_type = float(norm_type)
    if not tensors:
        return tensor(0.0)
    norms = [linalg.vector_norm(t, norm_type) for t in tensors]
    total = linalg.vector_norm(stack(norms), norm_type)
    if error_if_nonfinite and not math.isfinite(total.item()):
        raise error("data-range",
                    RuntimeError(f"The total norm of order {norm_type} for gradients from `parameters` is "
                                 "non-finite, so it cannot be clipped. To disable this error and scale the "
                                 "gradients by the non-finite norm anyway, set `error_if_nonfinite=False`"),
                    norm=norm_type, why="a gradient holds NaN or inf, so their norm of order {norm} is not finite.",
                    fix="find where it begins with torch.autograd.set_detect_anomaly(True); a smaller learning rate, "
                        "or eps under sqrt, log and /, often helps.")
    return total


def clip_grads_with_norm_(parameters: Tensor | Iterable[Tensor], max_norm: float, total_norm: Tensor,
                          foreach: bool | None = None) -> None:
    """Scale gradients by max_norm / total_norm, if that is less than 1."""
    with no_grad():
        _scale(_grads(parameters), max_norm, total_norm)


def _scale(grads: list[Tensor], max_norm: float, total_norm: Tensor) -> None:
    factor = (float(max_norm) / (total_norm + 1e-6)).clamp(max=1.0)
    for grad in grads:
        grad.mul_(factor)


def clip_grad_norm_(parameters: Tensor | Iterable[Tensor], max_norm: float, norm_type: float = 2.0,
                    error_if_nonfinite: bool = False, foreach: bool | None = None) -> Tensor:
    """Scale all gradients together so that their norm is at most `max_norm`; returns the norm before.

    >>> w = kobai.tensor([3.0, 4.0], requires_grad=True)
    >>> (w * kobai.tensor([3.0, 4.0])).sum().backward()
    >>> kobai.nn.utils.clip_grad_norm_([w], 1.0), w.grad
    (tensor(5.), tensor([0.6000, 0.8000]))
    """
    with no_grad():
        grads = _grads(parameters)
        total = get_total_norm(grads, norm_type, error_if_nonfinite)
        _scale(grads, max_norm, total)
        return total


def clip_grad_norm(*args: Any, **kwargs: Any) -> Tensor:
    """The old name of `clip_grad_norm_`."""
    warnings.warn("torch.nn.utils.clip_grad_norm is now deprecated in favor of "
                  "torch.nn.utils.clip_grad_norm_.",
                  FutureWarning, stacklevel=2)
    return clip_grad_norm_(*args, **kwargs)


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float,
                     foreach: bool | None = None) -> None:
    """Clamp every element of every gradient to [−clip_value, clip_value].

    >>> w = kobai.tensor([3.0, 0.1], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> kobai.nn.utils.clip_grad_value_([w], 1.0)
    >>> w.grad
    tensor([1.0000, 0.2000])
    """
    limit = float(clip_value)
    with no_grad():
        for grad in _grads(parameters):
            grad.clamp_(min=-limit, max=limit)
