"""Muon: momentum whose matrix is replaced by the nearest orthogonal one."""
from __future__ import annotations

import numpy as np

from .formula import lerp, m
from .optimizer import Optimizer, check, check_lr


class Muon(Optimizer):
    """Muon: for the weight matrices of hidden layers; every direction gets a step of the same length.

        buf = buf + (1 - momentum) * (g - buf)
        u   = orthogonalize(g + momentum * (buf - g))        (without nesterov: of buf)
        p   = p * (1 - lr * weight_decay) - lr * ratio * u

    Args:
        params: matrices; give biases, embeddings and the like to another optimizer.
        lr, weight_decay, momentum, nesterov: as in the formula.
        ns_coefficients, ns_steps, eps: of the iteration in `orthogonalize`.
        adjust_lr_fn: the ratio for an (a, b) matrix: "original" (or None) is sqrt(max(1, a / b)),
            "match_rms_adamw" is 0.2 * sqrt(max(a, b)), which lets AdamW's lr and decay be used.

    Source: Jordan et al., Muon: an optimizer for hidden layers in neural networks, 2024;
    Liu et al., Muon is scalable for LLM training, 2025 (match_rms_adamw).

    >>> import kobai
    >>> w = kobai.tensor([[1.0, 0.0], [0.0, 2.0]], requires_grad=True)
    >>> opt = kobai.optim.Muon([w], lr=0.1, weight_decay=0.0)
    >>> (w * w).sum().backward()
    >>> opt.step()
    >>> (w.detach().diag() < kobai.tensor([1.0, 2.0])).all()
    tensor(True)
    """

    elementwise = False

    def __init__(self, params, lr=1e-3, weight_decay=0.1, momentum=0.95, nesterov=True,
                 ns_coefficients=(3.4445, -4.775, 2.0315), eps=1e-7, ns_steps=5, adjust_lr_fn=None):
        check_lr(lr, "Learning rate should be >= 0 but is: {}")
        check(0.0 <= momentum, "argument-value", f"momentum should be >= 0 but is: {momentum}", what="momentum",
              value=momentum, low=0, must="a number of at least {low}")
        check(0.0 <= weight_decay, "argument-value", f"weight decay should be >= 0 but is: {weight_decay}",
              what="weight_decay", value=weight_decay, low=0, must="a number of at least {low}")
        check(adjust_lr_fn in (None, "original", "match_rms_adamw"), "argument-choice",
              f"Adjust learning rate function {adjust_lr_fn} is not supported", what="adjust_lr_fn", value=adjust_lr_fn,
              choices=["original", "match_rms_adamw"])
        super().__init__(params, dict(
            lr=lr, weight_decay=weight_decay, momentum=momentum, nesterov=nesterov,
            ns_coefficients=ns_coefficients, eps=eps, ns_steps=ns_steps, adjust_lr_fn=adjust_lr_fn))
        for group in self.param_groups:
            for p in group["params"]:
                check(p.ndim == 2, "tensor-dims",
                      f"Muon only supports 2D parameters whereas we found a parameter with size: {p.shape}",
                      what="params", shape=p.shape, need="{n}", n=2,
                      fix="give matrices only, [p for p in net.parameters() if p.ndim == 2], and the rest to another "
                          "optimizer such as AdamW.")

    def arrays(self, h):
        return ("momentum_buffer",)

    def update(self, h, p, g, buf):
        buf = lerp(buf, g, 1 - h.momentum)
        u = lerp(g, buf, h.momentum) if h.nesterov else buf
        u = orthogonalize(u, h.ns_coefficients, h.ns_steps, h.eps)
        return p * (1 - h.lr * h.weight_decay) - h.lr * ratio(h.adjust_lr_fn, *p.shape) * u, buf


def ratio(rule, a, b):
    """How a learning rate is adjusted to the shape (a, b) of a matrix."""
    return 0.2 * max(a, b) ** 0.5 if rule == "match_rms_adamw" else max(1, a / b) ** 0.5


def orthogonalize(x, coefficients, steps, eps):
    """The matrix U V^T of x = U S V^T, about: singular values end between 0.7 and 1.2.

    Each step of this Newton-Schulz iteration applies the polynomial a s + b s^3 + c s^5 to the
    singular values, which lifts small ones quickly. Its precision is bfloat16's, as in PyTorch.

    Raises:
        ValueError: for 100 steps or more, and unless there are three coefficients.
    """
    check(steps < 100, "argument-value", "Number of steps must be less than 100 for computational efficiency",
          what="ns_steps", value=steps, high=100, must="a whole number below {high}")
    check(len(coefficients) == 3, "argument-count", "Coefficients must be a tuple of exactly 3 values",
          what="ns_coefficients", count=len(coefficients), need="{n}", n=3)
    a, b, c = coefficients
    tall = x.shape[0] > x.shape[1]
    x = bfloat16(x.T if tall else x)
    x = bfloat16(x / m.maximum(bfloat16(m.sum(x * x) ** 0.5), eps))
    for _ in range(steps):
        gram = bfloat16(x @ x.T)
        poly = bfloat16(b * gram + c * (gram @ gram))
        x = bfloat16(a * x + poly @ x)
    return x.T if tall else x


def bfloat16(x):
    """x rounded to the 8 significant bits of bfloat16; its dtype stays."""
    bits = np.asarray(x, np.float32).view(np.uint32)
    bits = bits + 0x7FFF + (bits >> 16 & 1) & np.uint32(0xFFFF0000)  # round half to even
    return bits.view(np.float32).astype(np.asarray(x).dtype)
