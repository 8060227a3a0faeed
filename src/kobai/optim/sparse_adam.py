"""SparseAdam: Adam for embeddings, where a batch touches few rows."""
from __future__ import annotations

from ..diagnose import error
from .formula import lerp, m
from .optimizer import Optimizer, check, check_betas, check_lr
from .runner import touched


class SparseAdam(Optimizer):
    """Adam on the rows that have a gradient; the averages of all others stay as they are.

        avg = avg + (1 - beta1) * (g - avg)
        sq  = sq + (1 - beta2) * (g^2 - sq)
        p   = p - lr * sqrt(1 - beta2^t) / (1 - beta1^t) * avg / (sqrt(sq) + eps)

    Args:
        params: dense parameters whose gradients are sparse, as an Embedding's with sparse=True.
        lr, betas, eps: as in the formula; t counts all steps, not those of a row.
        maximize: go uphill.
    """

    elementwise = False

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, maximize=False):
        check_lr(lr, strict=True)
        check(0.0 < eps, "argument-value", f"Invalid epsilon value: {eps}", what="eps", value=eps,
              must="a positive number")
        check_betas(betas)
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps, maximize=maximize))
        where = [([i, j], p) for i, g in enumerate(self.param_groups) for j, p in enumerate(g["params"])]
        sparse = [at for at, p in where if p.is_sparse]
        check(not sparse, "layout",
              f"Sparse params at indices {sparse}: SparseAdam requires dense parameter tensors", places=sparse,
              why="the parameters at {places} are stored as sparse tensors; only their gradients may be sparse.",
              fix="make ordinary parameters of them: nn.Parameter(x.to_dense()).")
        complex_ = [at for at, p in where if p.dtype.is_complex]
        check(not complex_, "tensor-dtype",
              f"Complex params at indices {complex_}: SparseAdam does not support complex parameters", places=complex_,
              why="the parameters at {places} are complex.", fix="use another optimizer, such as Adam.")

    def arrays(self, h):
        return ("exp_avg", "exp_avg_sq")

    def _state_of(self, p, h, neutral=False):
        kept = self.state[p]
        kept.setdefault("step", 0)  # a Python number, as in PyTorch's checkpoints
        return super()._state_of(p, h, neutral)

    def update_sparse(self, p, grad, h):
        kept = self._state_of(p, h)
        kept["step"] += 1
        at, g = touched(grad)
        arrays = [t._array() for t in (p, kept["exp_avg"], kept["exp_avg_sq"])]
        values, *averages = [a[at] for a in arrays]
        for a, new in zip(arrays, self.formula(h, values, -g if h.maximize else g, kept["step"], *averages)):
            a[at] = new
        p._bump()

    def formula(self, h, p, g, t, avg, sq):
        """The new values of the touched rows."""
        beta1, beta2 = h.betas
        avg = lerp(avg, g, 1 - beta1)
        sq = sq + (1 - beta2) * (g * g - sq)
        step = h.lr * (1 - beta2 ** t) ** 0.5 / (1 - beta1 ** t)
        return p - step * (avg / (m.sqrt(sq) + h.eps)), avg, sq

    def update(self, h, p, g, *kept):
        raise error("layout", RuntimeError("SparseAdam does not support dense gradients, please consider Adam instead"),
                    why="SparseAdam moves the rows that a sparse gradient names, and this gradient is dense.",
                    fix="make the layer with sparse=True, nn.Embedding(10, 3, sparse=True), or use Adam.")
