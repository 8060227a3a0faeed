"""Adam and AdamW: steps scaled by running averages of the gradient and of its square."""
from __future__ import annotations

import sys

from ..tensor import Tensor
from .formula import decayed, lerp, m
from .optimizer import Optimizer, check, check_betas, check_fused, check_lr, check_positive


class Adam(Optimizer):
    """Adam: the mean gradient over its root mean square, both corrected for starting at 0.

        avg = avg + (1 - beta1) * (g - avg)
        sq  = beta2 * sq + (1 - beta2) * g^2
        p   = p - lr * avg / (1 - beta1^t) / (sqrt(sq / (1 - beta2^t)) + eps)

    Args:
        params: parameters, named parameters, or groups of them with options of their own.
        lr, betas, eps: as in the formula.
        weight_decay: adds weight_decay * p to the gradient; with `decoupled_weight_decay` it
            shrinks p by lr * weight_decay instead (AdamW).
        amsgrad: divide by the largest sq so far.
        maximize: go uphill.
        foreach, fused, capturable: kept for PyTorch's programs; there is one implementation here.
        differentiable: record the step, so that gradients flow through it.

    Source: Kingma and Ba, Adam: a method for stochastic optimization, 2015, algorithm 1;
    Reddi et al., On the convergence of Adam and beyond, 2018 (amsgrad).

    >>> import kobai
    >>> w = kobai.tensor([1.0, -2.0], requires_grad=True)
    >>> opt = kobai.optim.Adam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w
    tensor([ 0.9000, -1.9000], requires_grad=True)
    """

    counters = ("step",)
    sparse_hint = ", please consider SparseAdam instead"

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, amsgrad=False, *,
                 foreach=None, maximize=False, capturable=False, differentiable=False, fused=None,
                 decoupled_weight_decay=False):
        if isinstance(lr, Tensor):
            check(not foreach or capturable, "arguments-exclude",
                  "lr as a Tensor is not supported for capturable=False and foreach=True",
                  why="lr is a tensor, and foreach=True takes that only together with capturable=True.",
                  fix="leave foreach out, or write a number as lr.")
        check_lr(lr)
        check_positive(eps=eps)
        check_betas(betas)
        check_positive(weight_decay=weight_decay)
        _check_kinds(betas, foreach and not capturable)
        betas = tuple([b.squeeze() if isinstance(b, Tensor) and b.dim() else b for b in betas])
        super().__init__(params, dict(
            lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, amsgrad=amsgrad, maximize=maximize,
            foreach=foreach, capturable=capturable, differentiable=differentiable, fused=fused,
            decoupled_weight_decay=decoupled_weight_decay))
        check_fused(fused, foreach, differentiable)

    def arrays(self, h):
        return ("exp_avg", "exp_avg_sq") + ("max_exp_avg_sq",) * h.amsgrad

    def update(self, h, p, g, t, avg, sq, top=None):
        beta1, beta2 = h.betas
        p, g = decayed(h, p, g)
        avg = lerp(avg, g, 1 - beta1)
        sq = beta2 * sq + (1 - beta2) * g * g
        if h.amsgrad:
            top = m.maximum(top, sq)
        scale = m.sqrt(top if h.amsgrad else sq) / (1 - beta2 ** t) ** 0.5 + h.eps
        return p - h.lr / (1 - beta1 ** t) * avg / scale, avg, sq, top


def _check_kinds(betas, no_tensors):
    """Both decay rates are floats, or both are tensors of one element."""
    kinds = [isinstance(b, Tensor) for b in betas]
    check(all(kinds) or all(isinstance(b, float) for b in betas), "argument-value",
          "betas must be either both floats or both Tensors", what="betas", value=betas,
          must="a pair of floats, or a pair of tensors", fix="write betas=(0.9, 0.999).")
    for i, b in enumerate(betas):
        if kinds[i]:
            check(not no_tensors, "arguments-exclude",
                  f"betas[{i}] as a Tensor is not supported for capturable=False and foreach=True", what=f"betas[{i}]",
                  why="{what} is a tensor, and foreach=True takes that only together with capturable=True.",
                  fix="leave foreach out, or write betas=(0.9, 0.999).")
            check(b.numel() == 1, "tensor-shape", f"Tensor betas[{i}] must be 1-element", what=f"betas[{i}]",
                  shape=b.shape, want=())


class AdamW(Adam):
    """Adam whose weight decay shrinks the parameters and leaves the averages alone.

        p = p * (1 - lr * weight_decay), then the step of `Adam`

    Args: as `Adam`, which has `weight_decay=0` where this has 0.01.

    Source: Loshchilov and Hutter, Decoupled weight decay regularization, 2019.

    >>> import kobai
    >>> w = kobai.tensor([1.0, -2.0], requires_grad=True)
    >>> opt = kobai.optim.AdamW([w], lr=0.1, weight_decay=0.5)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> w
    tensor([ 0.8500, -1.8000], requires_grad=True)
    """

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2, amsgrad=False, *,
                 maximize=False, foreach=None, capturable=False, differentiable=False, fused=None):
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, foreach=foreach, maximize=maximize,
                         capturable=capturable, differentiable=differentiable, fused=fused,
                         decoupled_weight_decay=True)

    def __setstate__(self, state):
        super().__setstate__(state)
        for group in self.param_groups:  # a checkpoint of Adam does not turn AdamW into Adam
            group["decoupled_weight_decay"] = True


sys.modules[__package__ + ".adamw"] = sys.modules[__name__]  # where PyTorch keeps AdamW
