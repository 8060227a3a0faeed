"""Adamax: Adam with the largest gradient in place of the root mean square."""
from __future__ import annotations

from .formula import lerp, m
from .optimizer import Optimizer, check_betas, check_lr, check_positive


class Adamax(Optimizer):
    """Adamax: the mean gradient over a decaying maximum of its absolute value.

        avg = avg + (1 - beta1) * (g - avg)
        inf = max(beta2 * inf, |g| + eps)
        p   = p - lr / (1 - beta1^t) * avg / inf

    Args:
        params: parameters, named parameters, or groups of them with options of their own.
        lr, betas, eps: as in the formula; weight_decay adds weight_decay * p to the gradient.
        maximize: go uphill. foreach, capturable: kept. differentiable: record the step.

    Source: Kingma and Ba, Adam: a method for stochastic optimization, 2015, algorithm 2.

    >>> import kobai
    >>> w = kobai.tensor([1.0, -2.0], requires_grad=True)
    >>> opt = kobai.optim.Adamax([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w
    tensor([ 0.9000, -1.9000], requires_grad=True)
    """

    counters = ("step",)

    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, foreach=None, *,
                 maximize=False, differentiable=False, capturable=False):
        check_lr(lr)
        check_positive(eps=eps)
        check_betas(betas)
        check_positive(weight_decay=weight_decay)
        super().__init__(params, dict(
            lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, foreach=foreach, maximize=maximize,
            differentiable=differentiable, capturable=capturable))

    def arrays(self, h):
        return ("exp_avg", "exp_inf")

    def update(self, h, p, g, t, avg, inf):
        beta1, beta2 = h.betas
        if h.weight_decay:
            g = g + h.weight_decay * p
        avg = lerp(avg, g, 1 - beta1)
        inf = m.maximum(beta2 * inf, m.abs(g) + h.eps)
        return p - h.lr / (1 - beta1 ** t) * avg / inf, avg, inf
