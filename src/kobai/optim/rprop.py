"""Rprop: only the sign of the gradient counts."""
from __future__ import annotations

from .formula import m
from .optimizer import Optimizer, check, check_lr


class Rprop(Optimizer):
    """Resilient propagation: a step length for each element, longer while the sign stays the same.

        same sign as last time:  size = min(size * eta_plus, size_max)
        other sign:              size = max(size * eta_minus, size_min) and no step (g = 0)
        p = p - sign(g) * size

    For full batches: with the noise of small ones the signs say little.

    Args:
        params: parameters, named parameters, or groups of them with options of their own.
        lr: the first step length.
        etas: (eta_minus, eta_plus).
        step_sizes: (size_min, size_max).
        maximize: go uphill. foreach, capturable: kept. differentiable: record the step.

    Source: Riedmiller and Braun, A direct adaptive method for faster backpropagation learning, 1993.

    >>> import kobai
    >>> w = kobai.tensor([1.0, -2.0], requires_grad=True)
    >>> opt = kobai.optim.Rprop([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w
    tensor([ 0.9000, -1.9000], requires_grad=True)
    """

    counters = ("step",)

    def __init__(self, params, lr=1e-2, etas=(0.5, 1.2), step_sizes=(1e-6, 50), *, capturable=False,
                 foreach=None, maximize=False, differentiable=False):
        check_lr(lr)
        check(0.0 < etas[0] < 1.0 < etas[1], "argument-value", f"Invalid eta values: {etas[0]}, {etas[1]}",
              what="etas", value=etas,
              must="two numbers, one between 0 and 1, which shrinks steps, and one above 1, which lengthens them",
              fix="write etas=(0.5, 1.2).")
        super().__init__(params, dict(
            lr=lr, etas=etas, step_sizes=step_sizes, foreach=foreach, maximize=maximize,
            differentiable=differentiable, capturable=capturable))

    def arrays(self, h):
        return ("prev", "step_size")

    def initial(self, h, name):
        return h.lr if name == "step_size" else 0.0

    def update(self, h, p, g, t, before, size):
        (shrink, grow), (low, high) = h.etas, h.step_sizes
        agree = g * before
        size = m.where(agree > 0, size * grow, m.where(agree < 0, size * shrink, size))
        size = m.minimum(m.maximum(size, low), high)
        g = m.where(agree < 0, 0 * g, g)
        return p - m.sign(g) * size, g, size
