"""Stochastic gradient descent, with momentum."""
from __future__ import annotations

from ..diagnose import error
from .formula import given
from .optimizer import Optimizer, check, check_fused, check_lr, check_positive
from .runner import touched


class SGD(Optimizer):
    """Gradient descent: p = p - lr * g, with momentum (a heavy ball) if asked for.

    With momentum mu, dampening tau and weight decay lambda:

        g   = g + lambda * p
        buf = mu * buf + (1 - tau) * g        (the first buf is g)
        p   = p - lr * buf                    (nesterov: p - lr * (g + mu * buf))

    Args:
        params: parameters, named parameters, or groups of them with options of their own.
        lr: step length.
        momentum, dampening, weight_decay, nesterov, maximize: as in the formula.
        foreach, fused: kept for PyTorch's programs; there is one implementation here.
        differentiable: record the step, so that gradients flow through it.

    Source: Sutskever et al., On the importance of initialization and momentum, 2013.

    >>> import kobai
    >>> w = kobai.tensor([1.0, 2.0], requires_grad=True)
    >>> opt = kobai.optim.SGD([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w
    tensor([0.8000, 1.6000], requires_grad=True)
    """

    def __init__(self, params, lr=1e-3, momentum=0, dampening=0, weight_decay=0, nesterov=False, *,
                 maximize=False, foreach=None, differentiable=False, fused=None):
        check_lr(lr)
        check_positive(momentum=momentum, weight_decay=weight_decay)
        check(not nesterov or momentum > 0 and dampening == 0, "arguments-together",
              "Nesterov momentum requires a momentum and zero dampening", momentum=momentum, dampening=dampening,
              why="nesterov=True looks ahead along the momentum; here momentum is {momentum} and dampening "
                  "{dampening}.",
              fix="write momentum=0.9, nesterov=True, without dampening.")
        super().__init__(params, dict(
            lr=lr, momentum=momentum, dampening=dampening, weight_decay=weight_decay, nesterov=nesterov,
            maximize=maximize, foreach=foreach, differentiable=differentiable, fused=fused))
        check_fused(fused, foreach, differentiable)

    def arrays(self, h):
        return ("momentum_buffer",) if given(h.momentum) else ()

    def initial(self, h, name):
        return None  # the first buffer is the first gradient

    def update(self, h, p, g, buf=None):
        if h.weight_decay:
            g = g + h.weight_decay * p
        if not given(h.momentum):
            return (p - h.lr * g,)
        buf = g if buf is None else h.momentum * buf + (1 - h.dampening) * g
        return p - h.lr * (g + h.momentum * buf if h.nesterov else buf), buf

    def neutral(self, h, name):
        return None if given(h.dampening) else 0.0  # momentum * 0 + g

    def update_sparse(self, p, grad, h):
        """Only the rows that have a gradient move."""
        if h.momentum or h.weight_decay:
            raise error("layout", RuntimeError("SGD does not support sparse gradients with momentum or weight_decay"),
                        why="momentum and weight_decay change all elements in each step, and a sparse gradient names "
                            "only some rows.",
                        fix="leave both out, or use a dense gradient: nn.Embedding without sparse=True.")
        at, g = touched(grad)
        a = p._array()
        a[at] = self.update(h, a[at], -g if h.maximize else g)[0]
        p._bump()
