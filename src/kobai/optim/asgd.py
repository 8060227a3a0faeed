"""ASGD: gradient descent and the average of where it has been."""
from __future__ import annotations

from .formula import largest, lerp
from .optimizer import Optimizer, check_lr, check_positive


class ASGD(Optimizer):
    """Averaged stochastic gradient descent; the average of the iterates is state[p]["ax"].

        p   = p * (1 - lambd * eta) - eta * g
        ax  = ax + mu * (p - ax)
        eta = lr / (1 + lambd * lr * t)^alpha,  mu = 1 / max(1, t - t0)       (for the next step)

    Args:
        params: parameters, named parameters, or groups of them with options of their own.
        lr, lambd, alpha: as in the formula; weight_decay adds weight_decay * p to the gradient.
        t0: the step at which averaging starts.
        maximize: go uphill. foreach, capturable: kept. differentiable: record the step.

    Source: Polyak and Juditsky, Acceleration of stochastic approximation by averaging, 1992.

    >>> import kobai
    >>> w = kobai.tensor([1.0, -2.0], requires_grad=True)
    >>> opt = kobai.optim.ASGD([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w
    tensor([ 0.8000, -1.6000], requires_grad=True)
    """

    counters = ("step", "eta", "mu")

    def __init__(self, params, lr=1e-2, lambd=1e-4, alpha=0.75, t0=1e6, weight_decay=0, foreach=None,
                 maximize=False, differentiable=False, capturable=False):
        check_lr(lr)
        check_positive(weight_decay=weight_decay)
        super().__init__(params, dict(
            lr=lr, lambd=lambd, alpha=alpha, t0=t0, weight_decay=weight_decay, foreach=foreach,
            maximize=maximize, differentiable=differentiable, capturable=capturable))

    def arrays(self, h):
        return ("ax",)

    def initial(self, h, name):
        return {"eta": h.lr, "mu": 1.0}.get(name, 0.0)

    def update(self, h, p, g, t, eta, mu, ax):
        if h.weight_decay:
            g = g + h.weight_decay * p
        p = p * (1 - h.lambd * eta) - eta * g
        ax = lerp(ax, p, mu)
        return p, h.lr / (1 + h.lambd * h.lr * t) ** h.alpha, 1 / largest(1.0, t - h.t0), ax
