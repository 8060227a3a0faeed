"""L-BFGS: Newton's method with curvature learned from the last steps."""
from __future__ import annotations

import numpy as np

from ..autograd.mode import enable_grad, no_grad
from ..diagnose import error
from ..tensor import Tensor, wrap
from .line_search import Point, strong_wolfe
from .optimizer import Optimizer, check, check_lr
from .runner import hyperparameters


class History:
    """What L-BFGS remembers: the last steps s, the changes of the gradient y over them, and 1 / y.s."""

    def __init__(self, state):
        def array(v):
            return v._data if isinstance(v, Tensor) else v
        self.ys, self.steps, self.ro = (
            [array(v) for v in state.get(k, ())] for k in ("old_dirs", "old_stps", "ro"))
        self.scale, self.grad, self.d, self.t = (
            array(state.get(k)) for k in ("H_diag", "prev_flat_grad", "d", "t"))
        self.alphas = state.get("al")

    def save(self, state):
        """Put everything into an optimiser's state, under PyTorch's names."""
        def tensor(v):
            return wrap(np.asarray(v)) if isinstance(v, (np.ndarray, np.generic)) else v
        state.update(
            d=tensor(self.d), t=tensor(self.t), old_dirs=[tensor(v) for v in self.ys],
            old_stps=[tensor(v) for v in self.steps], ro=[tensor(v) for v in self.ro],
            H_diag=tensor(self.scale), prev_flat_grad=tensor(self.grad))
        if self.alphas is not None:
            state["al"] = [tensor(v) for v in self.alphas]

    def learn(self, grad, size):
        """Take in the last step, now that the gradient after it is known."""
        y, s = grad - self.grad, self.d * self.t
        ys = y.dot(s)
        if ys > 1e-10:  # else the loss curves down along s, and s says nothing about a minimum
            if len(self.ys) == size:
                del self.ys[0], self.steps[0], self.ro[0]
            self.ys.append(y)
            self.steps.append(s)
            self.ro.append(1.0 / ys)
            self.scale = ys / y.dot(y)

    def direction(self, grad, size):
        """-H grad, with H the inverse Hessian that the history implies: the two-loop recursion."""
        if self.alphas is None:
            self.alphas = [None] * size
        q, alphas, n = -grad, self.alphas, len(self.ys)
        for i in reversed(range(n)):
            alphas[i] = self.steps[i].dot(q) * self.ro[i]
            q = q - alphas[i] * self.ys[i]
        r = q * self.scale
        for i in range(n):
            r = r + (alphas[i] - self.ys[i].dot(r) * self.ro[i]) * self.steps[i]
        return r


class LBFGS(Optimizer):
    """L-BFGS: for smooth losses of the whole data set, where it needs few evaluations.

    Each call of `step(closure)` makes up to `max_iter` iterations along -H g, where H is the inverse
    Hessian as far as the last `history_size` steps show it, and calls the closure for each.

    Args:
        params: parameters; there are no groups.
        lr: step length along -H g (1 is Newton's step).
        max_iter, max_eval: iterations, and calls of the closure, in one `step` (max_iter * 5 // 4).
        tolerance_grad: stop when no component of the gradient is larger.
        tolerance_change: stop when the loss or the parameters change by less.
        history_size: how many steps to remember.
        line_search_fn: "strong_wolfe" to search along the line, None for steps of `lr`.

    Source: Nocedal and Wright, Numerical Optimization, 2006, algorithms 7.4 and 7.5.

    >>> import kobai
    >>> w = kobai.tensor([-1.0, 2.0], requires_grad=True)
    >>> opt = kobai.optim.LBFGS([w], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     opt.zero_grad()
    ...     loss = (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2
    ...     loss.backward()
    ...     return loss
    >>> for _ in range(5):
    ...     loss = opt.step(closure)
    >>> w
    tensor([1.0000, 1.0000], requires_grad=True)
    """

    def __init__(self, params, lr=1, max_iter=20, max_eval=None, tolerance_grad=1e-7, tolerance_change=1e-9,
                 history_size=100, line_search_fn=None):
        check_lr(lr)
        if max_eval is None:
            max_eval = max_iter * 5 // 4
        super().__init__(params, dict(
            lr=lr, max_iter=max_iter, max_eval=max_eval, tolerance_grad=tolerance_grad,
            tolerance_change=tolerance_change, history_size=history_size, line_search_fn=line_search_fn))
        check(len(self.param_groups) == 1, "argument-count",
              "LBFGS doesn't support per-parameter options (parameter groups)", what="params",
              count=len(self.param_groups),
              why="LBFGS looks for one step of all parameters together, so they cannot be in {count} groups.",
              fix="give it one list: LBFGS(net.parameters()).")
        self._params = self.param_groups[0]["params"]

    def step(self, closure):
        """Iterate until a limit or a tolerance is reached; returns the closure's first result."""
        with no_grad():
            return self._iterate(enable_grad()(closure))

    def _iterate(self, closure):
        h, state = hyperparameters(self.param_groups[0]), self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        first = closure()
        loss, grad, evals = float(first), self._gradient(), 1
        state["func_evals"] += 1
        if not np.abs(grad).max() <= h.tolerance_grad:
            history = History(state)
            for n in range(1, h.max_iter + 1):
                state["n_iter"] += 1
                self._aim(history, grad, h, state["n_iter"] == 1)
                before, state["prev_loss"] = loss, loss
                slope = grad.dot(history.d)
                if slope > -h.tolerance_change:
                    break
                loss, grad, used = self._advance(
                    closure, history, loss, grad, slope, h, evals, n < h.max_iter)
                evals += used
                state["func_evals"] += used
                if evals >= h.max_eval or np.abs(grad).max() <= h.tolerance_grad \
                        or np.abs(history.d * history.t).max() <= h.tolerance_change \
                        or abs(loss - before) < h.tolerance_change:
                    break
            history.save(state)
        return first

    def _aim(self, history, grad, h, very_first):
        """Choose the direction d and the step t to try."""
        if very_first:
            history.d, history.scale = -grad, 1
            history.t = min(1.0, 1.0 / np.abs(grad).sum()) * h.lr
        else:
            history.learn(grad, h.history_size)
            history.d, history.t = history.direction(grad, h.history_size), h.lr
        history.grad = grad

    def _advance(self, closure, history, loss, grad, slope, h, evals, evaluate):
        """Move the parameters; the loss and gradient there, and how often the closure was called."""
        if h.line_search_fn is None:
            self._move(history.d, history.t)
            if not evaluate:  # the last iteration: nobody would look
                return loss, grad, 0
            return float(closure()), self._gradient(), 1
        if h.line_search_fn != "strong_wolfe":
            raise error("argument-choice", RuntimeError("only 'strong_wolfe' is supported"), what="line_search_fn",
                        value=h.line_search_fn, choices=["strong_wolfe", None])
        origin = [p._array().copy() for p in self._params]

        def at(t):
            self._move(history.d, t)
            value, g = float(closure()), self._gradient()
            for p, a in zip(self._params, origin):
                p._array()[...] = a
                p._bump()
            return Point(t, value, g, g.dot(history.d))
        best, used = strong_wolfe(at, Point(0, loss, grad, slope), history.t, np.abs(history.d).max(),
                                  1e-9, h.max_eval - evals)
        history.t = best.t
        self._move(history.d, best.t)
        return best.loss, best.grad, used

    def _gradient(self):
        """All gradients in one row, zeros where there is none."""
        parts = []
        for p in self._params:
            g = np.zeros_like(p._data) if p.grad is None else _dense(p.grad)
            parts.append(_row(np.asarray(g)))
        return np.concatenate(parts)

    def _move(self, d, t):
        """Add t * d to the parameters."""
        start = 0
        for p in self._params:
            a = p._array()
            n = a.size * (1 + (a.dtype.kind == "c"))
            a += (t * d[start:start + n]).view(a.dtype).reshape(a.shape)
            p._bump()
            start += n


def _dense(grad):
    return (grad.to_dense() if grad.is_sparse else grad)._data


def _row(a):
    """The elements in a row, complex ones as pairs of real numbers."""
    a = np.ascontiguousarray(a).reshape(-1)
    return a.view(a.real.dtype) if a.dtype.kind == "c" else a
