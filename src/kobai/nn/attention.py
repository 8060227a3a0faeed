"""Multi-head attention (Vaswani et al. 2017)."""
from __future__ import annotations

from contextlib import contextmanager
from enum import Enum
from typing import Any

from .. import empty
from ..diagnose.errors import error
from ..tensor import Tensor
from . import functional as F, init
from .linear import NonDynamicallyQuantizableLinear
from .module import Module
from .parameter import Parameter


class MultiheadAttention(Module):
    """softmax(q kᵀ / √d) v in `num_heads` subspaces of size d = embed_dim / num_heads, then a projection.

    Args:
        embed_dim: size of query and output.
        num_heads: number of subspaces.
        kdim, vdim: sizes of key and value, if they differ from `embed_dim`.
        add_bias_kv, add_zero_attn: add a learned, or a zero, key and value.
        batch_first: (batch, length, features) instead of (length, batch, features).

    Returns:
        (output, weights); the weights are averaged over heads, or None with `need_weights=False`.

    >>> attend = kobai.nn.MultiheadAttention(8, 2, batch_first=True)
    >>> x = kobai.ones(3, 5, 8)
    >>> output, weights = attend(x, x, x)
    >>> output.shape, weights.shape
    (torch.Size([3, 5, 8]), torch.Size([3, 5, 5]))
    """

    def __init__(
        self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False, kdim: int | None = None, vdim: int | None = None,
        batch_first: bool = False,
        device=None, dtype=None,
    ) -> None:
        if embed_dim <= 0 or num_heads <= 0:
            raise error("argument-value",
                        ValueError(f"embed_dim and num_heads must be greater than 0, got embed_dim={embed_dim} and "
                                   f"num_heads={num_heads} instead"),
                        what="embed_dim" if embed_dim <= 0 else "num_heads",
                        value=embed_dim if embed_dim <= 0 else num_heads, must="a positive whole number")
        super().__init__()
        self.embed_dim = embed_dim
        self.kdim = kdim if kdim is not None else embed_dim
        self.vdim = vdim if vdim is not None else embed_dim
        self._qkv_same_embed_dim = self.kdim == embed_dim and self.vdim == embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.add_zero_attn = add_zero_attn
        self.head_dim = embed_dim // num_heads
        if self.head_dim * num_heads != embed_dim:
            raise error("attention-heads", heads=num_heads, size=embed_dim)
        self._make_parameters(bias, add_bias_kv, {"device": device, "dtype": dtype})
        self._reset_parameters()

    def _make_parameters(self, bias: bool, add_bias_kv: bool, where: dict) -> None:
        e, same = self.embed_dim, self._qkv_same_embed_dim
        shapes = {"q_proj_weight": None if same else (e, e), "k_proj_weight": None if same
                  else (e, self.kdim),
                  "v_proj_weight": None if same else (e, self.vdim), "in_proj_weight": (3 * e, e) if same
                  else None,
                  "in_proj_bias": (3 * e,) if bias else None}
        for name, shape in shapes.items():
            self.register_parameter(name, None if shape is None else Parameter(empty(shape, **where)))
        self.out_proj = NonDynamicallyQuantizableLinear(e, e, bias=bias, **where)
        for name in ("bias_k", "bias_v"):
            self.register_parameter(name, Parameter(empty((1, 1, e), **where)) if add_bias_kv else None)

    def _reset_parameters(self) -> None:
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                init.xavier_uniform_(weight)
        if self.in_proj_bias is not None:
            init.zeros_(self.in_proj_bias)
            init.zeros_(self.out_proj.bias)
        for bias in (self.bias_k, self.bias_v):
            if bias is not None:
                init.xavier_normal_(bias)

    def __setstate__(self, state: dict) -> None:
        state.setdefault("_qkv_same_embed_dim", True)       # modules pickled by PyTorch before 1.1
        super().__setstate__(state)

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor, key_padding_mask: Tensor | None = None,
        need_weights: bool = True, attn_mask: Tensor | None = None, average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        swap = self.batch_first and query.ndim == 3
        if swap:
            query, key, value = _time_first(query, key, value)
        output, weights = F.multi_head_attention_forward(
            query, key, value, self.embed_dim, self.num_heads, self.in_proj_weight, self.in_proj_bias,
            self.bias_k, self.bias_v, self.add_zero_attn, self.dropout, self.out_proj.weight,
            self.out_proj.bias,
            training=self.training, key_padding_mask=key_padding_mask, need_weights=need_weights,
            attn_mask=attn_mask, use_separate_proj_weight=not self._qkv_same_embed_dim,
            q_proj_weight=self.q_proj_weight, k_proj_weight=self.k_proj_weight,
            v_proj_weight=self.v_proj_weight,
            average_attn_weights=average_attn_weights, is_causal=is_causal)
        return (output.transpose(1, 0) if swap else output), weights

    def merge_masks(self, attn_mask: Tensor | None, key_padding_mask: Tensor | None,
                    query: Tensor) -> tuple[Tensor | None, int | None]:
        """One mask (batch, heads, length, length) and its kind: 1 padding, 2 attention or both, None."""
        merged, kind = key_padding_mask, None if key_padding_mask is None else 1
        if attn_mask is not None:
            batch, length, _ = query.shape
            kind = 2
            merged = attn_mask.view(batch, -1, length, length) if attn_mask.ndim == 3 else attn_mask.view(
                1, 1, length, length).expand(batch, self.num_heads, -1, -1)
            if key_padding_mask is not None:
                padding = key_padding_mask.view(batch, 1, 1, length).expand(-1, self.num_heads, -1, -1)
                merged = merged + padding
        return merged, kind


def _time_first(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The three with batch and length swapped; what is one object stays one, which allows one projection."""
    q = query.transpose(1, 0)
    k = q if key is query else key.transpose(1, 0)
    v = q if value is query else k if value is key else value.transpose(1, 0)
    return q, k, v


class SDPBackend(Enum):
    """PyTorch's implementations of attention; here there is one."""

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4


@contextmanager
def sdpa_kernel(backends: Any, set_priority: bool = False):
    """Accepts PyTorch's choice of implementation; it changes nothing here."""
    yield {}
