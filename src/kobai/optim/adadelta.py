"""Adadelta: steps in the units of the parameters."""
from __future__ import annotations

from .formula import m
from .optimizer import Optimizer, check, check_lr, check_positive


class Adadelta(Optimizer):
    """Adadelta: the gradient scaled by past steps over past gradients.

        sq    = rho * sq + (1 - rho) * g^2
        delta = sqrt(acc + eps) / sqrt(sq + eps) * g
        acc   = rho * acc + (1 - rho) * delta^2
        p     = p - lr * delta

    Args:
        params: parameters, named parameters, or groups of them with options of their own.
        lr, rho, eps: as in the formula; weight_decay adds weight_decay * p to the gradient.
        maximize: go uphill. foreach, capturable: kept. differentiable: record the step.

    Source: Zeiler, ADADELTA: an adaptive learning rate method, 2012.

    >>> import kobai
    >>> w = kobai.tensor([1.0, -2.0], requires_grad=True)
    >>> opt = kobai.optim.Adadelta([w], lr=10.0)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w
    tensor([ 0.9684, -1.9684], requires_grad=True)
    """

    counters = ("step",)

    def __init__(self, params, lr=1.0, rho=0.9, eps=1e-6, weight_decay=0, foreach=None, *, capturable=False,
                 maximize=False, differentiable=False):
        check_lr(lr)
        check(0.0 <= rho <= 1.0, "argument-value", f"Invalid rho value: {rho}", what="rho", value=rho, low=0,
              high=1, must="a number between {low} and {high}")
        check_positive(eps=eps, weight_decay=weight_decay)
        super().__init__(params, dict(
            lr=lr, rho=rho, eps=eps, weight_decay=weight_decay, maximize=maximize, capturable=capturable,
            foreach=foreach, differentiable=differentiable))

    def arrays(self, h):
        return ("square_avg", "acc_delta")

    def update(self, h, p, g, t, sq, acc):
        if h.weight_decay:
            g = g + h.weight_decay * p
        sq = h.rho * sq + (1 - h.rho) * g * g
        delta = m.sqrt(acc + h.eps) / m.sqrt(sq + h.eps) * g
        acc = h.rho * acc + (1 - h.rho) * delta * delta
        return p - h.lr * delta, sq, acc
