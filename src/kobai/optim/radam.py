"""RAdam: Adam that waits until it can trust its scale."""
from __future__ import annotations

from .formula import choose, decayed, lerp, m
from .optimizer import Optimizer, check_betas, check_lr, check_positive


class RAdam(Optimizer):
    """RAdam: momentum alone for the first steps, Adam with a rectified step after them.

        avg = avg + (1 - beta1) * (g - avg)
        sq  = beta2 * sq + (1 - beta2) * g^2
        rho = rho_max - 2 t beta2^t / (1 - beta2^t),  rho_max = 2 / (1 - beta2) - 1
        p   = p - lr * avg / (1 - beta1^t) * (r * sqrt(1 - beta2^t) / (sqrt(sq) + eps) if rho > 5 else 1)
        r^2 = (rho - 4) (rho - 2) rho_max / ((rho_max - 4) (rho_max - 2) rho)

    Args:
        params: parameters, named parameters, or groups of them with options of their own.
        lr, betas, eps: as in the formula.
        weight_decay: adds weight_decay * p to the gradient; with `decoupled_weight_decay` it
            shrinks p by lr * weight_decay instead.
        maximize: go uphill. foreach, capturable: kept. differentiable: record the step.

    Source: Liu et al., On the variance of the adaptive learning rate and beyond, 2020.

    >>> import kobai
    >>> w = kobai.tensor([1.0, -2.0], requires_grad=True)
    >>> opt = kobai.optim.RAdam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w
    tensor([ 0.8000, -1.6000], requires_grad=True)
    """

    counters = ("step",)

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0,
                 decoupled_weight_decay=False, *, foreach=None, maximize=False, capturable=False,
                 differentiable=False):
        check_lr(lr)
        check_positive(eps=eps)
        check_betas(betas)
        check_positive(weight_decay=weight_decay)
        super().__init__(params, dict(
            lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, maximize=maximize, foreach=foreach,
            capturable=capturable, decoupled_weight_decay=decoupled_weight_decay,
            differentiable=differentiable))

    def arrays(self, h):
        return ("exp_avg", "exp_avg_sq")

    def update(self, h, p, g, t, avg, sq):
        beta1, beta2 = h.betas
        p, g = decayed(h, p, g)
        avg = lerp(avg, g, 1 - beta1)
        sq = beta2 * sq + (1 - beta2) * g * g
        correction = 1 - beta2 ** t
        most = 2 / (1 - beta2) - 1
        rho = most - 2 * t * beta2 ** t / correction

        def rectified():
            r = ((rho - 4) * (rho - 2) * most / ((most - 4) * (most - 2) * rho)) ** 0.5
            return correction ** 0.5 / (m.sqrt(sq) + h.eps) * r

        step = avg / (1 - beta1 ** t) * h.lr
        return p - step * choose(rho > 5.0, rectified, lambda: 1.0), avg, sq
