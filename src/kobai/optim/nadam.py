"""NAdam: Adam with Nesterov's look-ahead."""
from __future__ import annotations

from .formula import decayed, lerp, m
from .optimizer import Optimizer, check_betas, check_lr, check_positive


class NAdam(Optimizer):
    """NAdam: Adam whose momentum mu grows with the step count and looks one step ahead.

        mu   = beta1 * (1 - 0.96^(t * psi) / 2),  mu' the same for t + 1,  M = product of all mu
        avg  = avg + (1 - beta1) * (g - avg)
        sq   = beta2 * sq + (1 - beta2) * g^2
        p    = p - lr * ((1 - mu) / (1 - M) * g + mu' / (1 - M mu') * avg) / (sqrt(sq / (1 - beta2^t)) + eps)

    Args:
        params: parameters, named parameters, or groups of them with options of their own.
        lr, betas, eps: as in the formula; momentum_decay is psi.
        weight_decay: adds weight_decay * p to the gradient; with `decoupled_weight_decay` it
            shrinks p by lr * weight_decay instead.
        maximize: go uphill. foreach, capturable: kept. differentiable: record the step.

    Source: Dozat, Incorporating Nesterov momentum into Adam, 2016.

    >>> import kobai
    >>> w = kobai.tensor([1.0, -2.0], requires_grad=True)
    >>> opt = kobai.optim.NAdam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w
    tensor([ 0.8944, -1.8944], requires_grad=True)
    """

    counters = ("step", "mu_product")

    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, momentum_decay=4e-3,
                 decoupled_weight_decay=False, *, foreach=None, maximize=False, capturable=False,
                 differentiable=False):
        check_lr(lr)
        check_positive(eps=eps)
        check_betas(betas)
        check_positive(weight_decay=weight_decay, momentum_decay=momentum_decay)
        super().__init__(params, dict(
            lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, momentum_decay=momentum_decay,
            decoupled_weight_decay=decoupled_weight_decay, maximize=maximize, foreach=foreach,
            capturable=capturable, differentiable=differentiable))

    def arrays(self, h):
        return ("exp_avg", "exp_avg_sq")

    def initial(self, h, name):
        return 1.0 if name == "mu_product" else 0.0

    def update(self, h, p, g, t, product, avg, sq):
        beta1, beta2 = h.betas
        p, g = decayed(h, p, g)
        mu = beta1 * (1 - 0.5 * 0.96 ** (t * h.momentum_decay))
        ahead = beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * h.momentum_decay))
        product = product * mu
        avg = lerp(avg, g, 1 - beta1)
        sq = beta2 * sq + (1 - beta2) * g * g
        scale = m.sqrt(sq / (1 - beta2 ** t)) + h.eps
        p = p - h.lr * (1 - mu) / (1 - product) * g / scale
        return p - h.lr * ahead / (1 - product * ahead) * avg / scale, product, avg, sq
