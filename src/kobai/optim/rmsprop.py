"""RMSprop: the gradient over its root mean square."""
from __future__ import annotations

from .formula import given, lerp, m
from .optimizer import Optimizer, check_lr, check_positive


class RMSprop(Optimizer):
    """RMSprop: steps of about lr, whatever the scale of the gradient.

        sq  = alpha * sq + (1 - alpha) * g^2
        rms = sqrt(sq) + eps                  (centered: sqrt(sq - avg^2) + eps)
        p   = p - lr * g / rms                (momentum mu: buf = mu * buf + g / rms, p - lr * buf)

    Args:
        params: parameters, named parameters, or groups of them with options of their own.
        lr, alpha, eps, momentum: as in the formula; weight_decay adds weight_decay * p to the gradient.
        centered: divide by the standard deviation instead; avg is a running mean of the gradient.
        maximize: go uphill. foreach, capturable: kept. differentiable: record the step.

    Source: Hinton, Neural networks for machine learning, lecture 6e, 2012; Graves, Generating
    sequences with recurrent neural networks, 2013 (centered).

    >>> import kobai
    >>> w = kobai.tensor([1.0, -2.0], requires_grad=True)
    >>> opt = kobai.optim.RMSprop([w], lr=0.01)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w
    tensor([ 0.9000, -1.9000], requires_grad=True)
    """

    counters = ("step",)

    def __init__(self, params, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0, momentum=0, centered=False,
                 capturable=False, foreach=None, maximize=False, differentiable=False):
        check_lr(lr)
        check_positive(eps=eps, momentum=momentum, weight_decay=weight_decay, alpha=alpha)
        super().__init__(params, dict(
            lr=lr, momentum=momentum, alpha=alpha, eps=eps, centered=centered, weight_decay=weight_decay,
            capturable=capturable, foreach=foreach, maximize=maximize, differentiable=differentiable))

    def arrays(self, h):
        return ("square_avg",) + ("momentum_buffer",) * given(h.momentum) + ("grad_avg",) * h.centered

    def update(self, h, p, g, t, sq, *more):
        buf, avg = more[0] if given(h.momentum) else None, more[-1] if h.centered else None
        if h.weight_decay:
            g = g + h.weight_decay * p
        sq = h.alpha * sq + (1 - h.alpha) * g * g
        if h.centered:
            avg = lerp(avg, g, 1 - h.alpha)
        rms = m.sqrt(sq - avg * avg if h.centered else sq) + h.eps
        if not given(h.momentum):
            return p - h.lr * g / rms, sq, avg
        buf = h.momentum * buf + g / rms
        return p - h.lr * buf, sq, buf, avg
