"""Adafactor: Adam's scale from row and column means, so that a matrix needs little memory."""
from __future__ import annotations

from .formula import largest, lerp, m, smallest
from .optimizer import Optimizer, check, check_lr

EPSILON = {"float16": 2.0 ** -10, "bfloat16": 2.0 ** -7, "float32": 2.0 ** -23, "float64": 2.0 ** -52}


class Adafactor(Optimizer):
    """Adafactor: the mean square of the gradient is kept as one row and one column for each matrix.

        row = mean of g^2 over columns, col = over rows, each a running average: + t^beta2_decay * (new - old)
        var = row @ col / mean(row)                      (vectors: a running average of g^2)
        u   = g / sqrt(var)
        p   = p - max(eps2, rms(p)) * min(lr, 1 / sqrt(t)) * u / max(1, rms(u) / d)

    Args:
        params: parameters, named parameters, or groups of them with options of their own.
        lr: largest relative step.
        beta2_decay: how fast the averages get longer (negative).
        eps: (eps1, eps2); eps1 keeps var away from 0 (None: the dtype's epsilon).
        d: clips u to this root mean square.
        weight_decay: shrinks p by lr * weight_decay.
        maximize: go uphill. foreach: kept for PyTorch's programs.

    Source: Shazeer and Stern, Adafactor: adaptive learning rates with sublinear memory cost, 2018.

    >>> import kobai
    >>> w = kobai.tensor([[1.0, -2.0]], requires_grad=True)
    >>> opt = kobai.optim.Adafactor([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w
    tensor([[ 0.8419, -1.8419]], requires_grad=True)
    """

    counters = ("step",)
    elementwise = False

    def __init__(self, params, lr=1e-2, beta2_decay=-0.8, eps=(None, 1e-3), d=1.0, weight_decay=0.0, *,
                 foreach=None, maximize=False):
        check_lr(lr, "Learning rate should be >= 0 but is: {}")
        check(0.0 >= beta2_decay, "argument-value", f"beta2_decay should be <= 0 but is: {beta2_decay}",
              what="beta2_decay", value=beta2_decay, high=0, must="a number of at most {high}")
        check(eps[0] is None or 0.0 <= eps[0], "argument-value", f"epsilon1 should be >= 0 but is: {eps[0]}",
              what="eps[0]", value=eps[0], low=0, must="a number of at least {low}")
        check(0.0 <= eps[1], "argument-value", f"epsilon2 should be >= 0 but is: {eps[1]}", what="eps[1]",
              value=eps[1], low=0, must="a number of at least {low}")
        check(1.0 <= d, "argument-value", f"Clipping threshold d should be >= 1 but is: {d}", what="d", value=d,
              low=1, must="a number of at least {low}")
        check(0.0 <= weight_decay, "argument-value", f"weight_decay should be >= 0 but is: {weight_decay}",
              what="weight_decay", value=weight_decay, low=0, must="a number of at least {low}")
        super().__init__(params, dict(
            lr=lr, beta2_decay=beta2_decay, eps=eps, d=d, weight_decay=weight_decay, foreach=foreach,
            maximize=maximize))

    def arrays(self, h):
        return ("row_var", "col_var", "variance")

    def initial(self, h, name):
        return None if name in self.arrays(h) else 0.0  # at t = 1 the average is the new value

    def update(self, h, p, g, t, row, col, var):
        eps1, eps2 = h.eps
        if eps1 is None:
            eps1 = EPSILON[h.dtype.name]
        fresh = t ** h.beta2_decay
        step = largest(rms(p), eps2) * smallest(h.lr, 1 / t ** 0.5)
        if h.weight_decay:
            p = p * (1 - h.lr * h.weight_decay)
        if g.ndim > 1:
            row = blend(row, m.mean(g * g, -1, True), fresh)
            col = blend(col, m.mean(g * g, -2, True), fresh)
            estimate = row @ col / m.maximum(m.mean(row, -2, True), eps1)
        else:
            var = estimate = blend(var, g * g, fresh)
        u = g / m.sqrt(m.maximum(estimate, eps1 * eps1))
        return p - step / m.maximum(rms(u) / h.d, 1.0) * u, row, col, var


def rms(x):
    """Root mean square of all elements."""
    return m.mean(x * x) ** 0.5


def blend(average, new, w):
    return new if average is None else lerp(average, new, w)
