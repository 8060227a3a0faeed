"""Adagrad: each element's steps shrink with the gradients it has seen."""
from __future__ import annotations

from ..diagnose import error
from .formula import m
from .optimizer import Optimizer, check_fused, check_lr, check_positive
from .runner import hyperparameters, store, touched


class Adagrad(Optimizer):
    """Adagrad: the gradient over the root of the sum of all squared gradients.

        sum = sum + g^2
        p   = p - lr / (1 + (t - 1) * lr_decay) * g / (sqrt(sum) + eps)

    Args:
        params: parameters, named parameters, or groups of them with options of their own.
        lr, lr_decay, eps: as in the formula; weight_decay adds weight_decay * p to the gradient.
        initial_accumulator_value: what `sum` starts from.
        maximize: go uphill. foreach, fused: kept. differentiable: record the step.

    Source: Duchi, Hazan and Singer, Adaptive subgradient methods, 2011.

    >>> import kobai
    >>> w = kobai.tensor([1.0, -2.0], requires_grad=True)
    >>> opt = kobai.optim.Adagrad([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w
    tensor([ 0.9000, -1.9000], requires_grad=True)
    """

    counters = ("step",)

    def __init__(self, params, lr=1e-2, lr_decay=0, weight_decay=0, initial_accumulator_value=0, eps=1e-10,
                 foreach=None, *, maximize=False, differentiable=False, fused=None):
        check_lr(lr)
        check_positive(lr_decay=lr_decay, weight_decay=weight_decay,
                       initial_accumulator_value=initial_accumulator_value, eps=eps)
        super().__init__(params, dict(
            lr=lr, lr_decay=lr_decay, eps=eps, weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value, foreach=foreach, maximize=maximize,
            differentiable=differentiable, fused=fused))
        check_fused(fused, foreach, differentiable)
        for group in self.param_groups:
            for p in group["params"]:
                self._state_of(p, hyperparameters(group))

    def arrays(self, h):
        return ("sum",)

    def initial(self, h, name):
        return h.initial_accumulator_value if name == "sum" else 0.0

    def update(self, h, p, g, t, total):
        if h.weight_decay:
            g = g + h.weight_decay * p
        total = total + g * g
        return p - h.lr / (1 + (t - 1) * h.lr_decay) * g / (m.sqrt(total) + h.eps), total

    def update_sparse(self, p, grad, h):
        """As `update`, of the rows that have a gradient."""
        if h.weight_decay:
            raise error("layout", RuntimeError("weight_decay option is not compatible with sparse gradients"),
                        why="weight_decay changes all elements in each step, and a sparse gradient names only some "
                            "rows.",
                        fix="leave weight_decay out, or use a dense gradient: nn.Embedding without sparse=True.")
        kept, (at, g) = self._state_of(p, h), touched(grad)
        t = kept["step"].item() + 1
        store(kept["step"], t)
        a, total = p._array(), kept["sum"]._array()
        a[at], total[at] = self.update(h, a[at], -g if h.maximize else g, t, total[at])
        p._bump()

    def share_memory(self):
        """Kept for PyTorch's programs; there are no processes to share with."""
