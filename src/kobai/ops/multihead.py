"""Multi-head attention: projections, heads, attention, and a projection back."""
from __future__ import annotations

from math import sqrt

import numpy as np

from ..diagnose import error
from ..op import dtype_of, m
from ..public import public
from .join import Cat


@public("nn.functional", name="multi_head_attention_forward")
def _multi_head_attention_forward(
    query, key, value, embed_dim_to_check, num_heads, in_proj_weight, in_proj_bias, bias_k, bias_v, add_zero_attn,
    dropout_p, out_proj_weight, out_proj_bias, training=True, key_padding_mask=None, need_weights=True, attn_mask=None,
    use_separate_proj_weight=False, q_proj_weight=None, k_proj_weight=None, v_proj_weight=None, static_k=None,
    static_v=None, average_attn_weights=True, is_causal=False,
):
    """What nn.MultiheadAttention computes: (output, weights), weights None unless needed.

    Shape: query (L, N, E) or (L, E), key (S, N, Ek), value (S, N, Ev), key_padding_mask (N, S), attn_mask
    (L, S) or (N * num_heads, L, S) -> (L, N, E), weights (N, L, S), with a dimension for the heads if not averaged.
    """
    batched = _check_ranks(query, key, value, key_padding_mask, attn_mask, num_heads)
    if not batched:
        query, key, value = _alike(query, key, value, lambda v: m.unsqueeze(v, 1))
        key_padding_mask = None if key_padding_mask is None else m.unsqueeze(key_padding_mask, 0)
    length, batch, size = query.shape
    if is_causal and attn_mask is None:
        raise error("arguments-together", RuntimeError(
            "Need attn_mask if specifying the is_causal hint. You may use the Transformer module method "
            "`generate_square_subsequent_mask` to create this mask."), what="is_causal=True", other="attn_mask",
            fix="give attn_mask=nn.Transformer.generate_square_subsequent_mask(length), or leave out is_causal.")
    if key_padding_mask is not None:
        for d, want in enumerate((batch, key.shape[0])):
            if key_padding_mask.shape[d] != want:
                raise error("dimension-size", AssertionError(
                    f"Expected key_padded_mask.shape[{d}] to be {want}, but got {key_padding_mask.shape[d]}"),
                    what="key_padding_mask", dim=d, size=key_padding_mask.shape[d], n=want, must="{n}, as in key",
                    fix="key_padding_mask is (batch, keys), True where a key is only padding.")
    padding = _as_numbers(key_padding_mask, "key_padding_mask", dtype_of(query))
    mask = None if is_causal and key_padding_mask is None and not need_weights else _as_numbers(
        attn_mask, "attn_mask", dtype_of(query))
    is_causal = is_causal and mask is None
    _check_sizes(query, key, value, embed_dim_to_check, num_heads, use_separate_proj_weight)
    weights = (q_proj_weight, k_proj_weight, v_proj_weight) if use_separate_proj_weight else None
    q, k, v = _projected(query, key, value, in_proj_weight, weights, in_proj_bias)
    mask = _checked_mask(mask, length, key.shape[0], batch * num_heads)
    if bias_k is not None and bias_v is not None:  # one more key and value, the same for all
        k = Cat(0)(k, m.expand_to(bias_k, (1, batch, size)))
        v = Cat(0)(v, m.expand_to(bias_v, (1, batch, size)))
        mask, padding = _one_wider(mask), _one_wider(padding)
    head = size // num_heads
    q = _heads(q, length, batch * num_heads, head)
    k = _heads(k, k.shape[0], batch * num_heads, head) if static_k is None else static_k
    v = _heads(v, v.shape[0], batch * num_heads, head) if static_v is None else static_v
    if add_zero_attn:
        zero = np.zeros((batch * num_heads, 1, head), dtype_of(k))
        k, v = Cat(1)(k, zero), Cat(1)(v, zero)
        mask, padding = _one_wider(mask), _one_wider(padding)
    mask = _merged(mask, padding, batch, num_heads, k.shape[1])
    y, p = _attend(q, k, v, mask, dropout_p if training else 0.0, need_weights, batch, is_causal)
    y = m.view(m.linear(y, out_proj_weight, out_proj_bias), (length, batch, out_proj_weight.shape[0]))
    if need_weights:
        p = m.view(p, (batch, num_heads, length, k.shape[1]))
        p = m.mean(p, 1) if average_attn_weights else p
    if not batched:
        y, p = m.squeeze(y, 1), None if p is None else m.squeeze(p, 0)
    return y, p


# ---- steps -----------------------------------------------------------------------------------
def _alike(query, key, value, fn):
    """fn of the three; what is one object stays one, which allows one projection."""
    q = fn(query)
    k = q if key is query else fn(key)
    return q, k, q if value is query else k if value is key else fn(value)


def _as_numbers(mask, name, dtype):
    """A mask as numbers to add: -inf where a bool mask is True."""
    if mask is None:
        return None
    kind = dtype_of(mask)
    if kind.kind not in "bfV":
        raise error("tensor-dtype", AssertionError(f"only bool and floating types of {name} are supported"), what=name,
                    dtype=kind, fn="MultiheadAttention", must="True and False, or floating point numbers",
                    fix="convert it: {what}.bool(), True where a position is hidden.")
    if kind.kind == "b":
        return m.where(mask, np.array(-np.inf, dtype), np.array(0, dtype))
    return mask


def _projected(query, key, value, weight, separate, bias):
    """Queries, keys and values; one product where they come from one tensor."""
    size = query.shape[-1]
    if separate is not None:
        biases = (None,) * 3 if bias is None else m.chunk(bias, 3)
        return [m.linear(x, w, b) for x, w, b in zip((query, key, value), separate, biases)]
    if query is key and key is value:
        return m.chunk(m.linear(query, weight, bias), 3, -1)
    if key is value:
        of_q, of_kv = m.split(weight, (size, 2 * size))
        b_q, b_kv = (None, None) if bias is None else m.split(bias, (size, 2 * size))
        return m.linear(query, of_q, b_q), *m.chunk(m.linear(key, of_kv, b_kv), 2, -1)
    biases = (None,) * 3 if bias is None else m.chunk(bias, 3)
    return [m.linear(x, w, b) for x, w, b in zip((query, key, value), m.chunk(weight, 3), biases)]


def _one_wider(mask):
    return None if mask is None else m.pad(mask, (0, 1))


def _heads(x, length, heads, size):
    """(length, batch, features) -> (batch * heads, length, size)."""
    return m.transpose(m.reshape(x, (length, heads, size)), 0, 1)


def _merged(mask, padding, batch, heads, length):
    """Mask and padding in one, for (batch * heads, L, length)."""
    if padding is None:
        return mask
    padding = m.reshape(m.expand_to(m.reshape(padding, (batch, 1, 1, length)), (batch, heads, 1, length)),
                        (batch * heads, 1, length))
    return padding if mask is None else mask + padding


def _attend(q, k, v, mask, dropout, need_weights, batch, is_causal):
    """(output (L * batch, features), weights or None)."""
    n, length, head = q.shape
    if need_weights:
        scaled = q * sqrt(1.0 / head)
        scores = m.bmm(scaled, m.transpose(k, -2, -1)) if mask is None else m.baddbmm(
            mask, scaled, m.transpose(k, -2, -1))
        p = m.softmax(scores, -1)
        p = m.dropout(p, dropout) if dropout > 0 else p
        y = m.bmm(p, v)
        return m.reshape(m.transpose(y, 0, 1), (length * batch, n // batch * head)), p
    if mask is not None:
        mask = m.unsqueeze(mask, 0) if mask.shape[0] == 1 and len(mask.shape) == 3 else m.reshape(
            m.expand_to(mask, (n, *mask.shape[-2:])), (batch, n // batch, *mask.shape[-2:]))
    q, k, v = (m.reshape(x, (batch, n // batch, *x.shape[1:])) for x in (q, k, v))
    y = m.scaled_dot_product_attention(q, k, v, mask, dropout, is_causal)
    return m.reshape(m.permute(y, (2, 0, 1, 3)), (length * batch, n // batch * head)), None


# ---- checks ----------------------------------------------------------------------------------
def _check_ranks(query, key, value, padding, mask, heads):
    """Whether there is a batch dimension."""
    ndim = len(query.shape)
    if ndim not in (2, 3):
        raise error("tensor-dims", AssertionError(
            f"query should be unbatched 2D or batched 3D tensor but received {ndim}-D query tensor"), what="query",
            shape=query.shape, need="{n} or {m}", n=2, m=3,
            fix="query is (positions, batch, features), with batch_first=True (batch, positions, features), or "
                "(positions, features).")
    kind, n = ("batched (3-D)", 3) if ndim == 3 else ("unbatched (2-D)", 2)
    if (len(key.shape), len(value.shape)) != (n, n):
        raise error("tensor-dims", AssertionError(
            f"For {kind} `query`, expected `key` and `value` to be {n}-D but found {len(key.shape)}-D and "
            f"{len(value.shape)}-D tensors respectively"), n=n, k=len(key.shape), v=len(value.shape),
            why="query has {n} dimensions, key has {k} and value has {v}; all three need the same number.",
            fix="x.unsqueeze(0) adds a dimension in front, x.squeeze(0) drops one of size 1.")
    if padding is not None and len(padding.shape) != n - 1:
        raise error("tensor-dims", AssertionError(
            f"For {kind} `query`, expected `key_padding_mask` to be `None` or {n - 1}-D but found {len(padding.shape)}"
            "-D tensor instead"), what="key_padding_mask", shape=padding.shape, need="{n}", n=n - 1,
            fix="key_padding_mask is (batch, keys), or (keys,) without a batch.")
    if mask is not None and len(mask.shape) not in (2, 3):
        raise error("tensor-dims", AssertionError(
            f"For {kind} `query`, expected `attn_mask` to be `None`, 2-D or 3-D but found {len(mask.shape)}-D tensor "
            "instead"), what="attn_mask", shape=mask.shape, need="{n} or {m}", n=2, m=3,
            fix="attn_mask is (queries, keys), or (batch * heads, queries, keys).")
    if ndim == 2 and mask is not None and len(mask.shape) == 3:
        want = (heads, query.shape[0], key.shape[0])
        if tuple(mask.shape) != want:
            raise error("tensor-shape", AssertionError(f"Expected `attn_mask` shape to be {want} but got {mask.shape}"),
                        what="attn_mask", shape=mask.shape, want=want,
                        fix="attn_mask is (queries, keys), or (batch * heads, queries, keys).")
    return ndim == 3


def _check_sizes(query, key, value, size, heads, separate):
    if query.shape[2] != size:
        raise error("attention-size", wanted=size, got=query.shape[2], size=query.shape[2], grown=query)
    if size // heads * heads != size:
        raise error("size-divisible", AssertionError(f"embed_dim {size} not divisible by num_heads {heads}"),
                    what="embed_dim", value=size, by=heads, fix="choose num_heads so that it divides {value}.")
    if separate and key.shape[:2] != value.shape[:2]:
        raise error("shapes-differ", AssertionError(
            f"key's sequence and batch dims {key.shape[:2]} do not match value's {value.shape[:2]}"), what="key",
            shape=key.shape, other="value", other_shape=value.shape,
            must="dimensions 0 and 1, positions and batch, must be equal")
    if not separate and key.shape != value.shape:
        raise error("shapes-differ", AssertionError(f"key shape {key.shape} does not match value shape {value.shape}"),
                    what="key", shape=key.shape, other="value", other_shape=value.shape,
                    must="both must have the same shape")


def _checked_mask(mask, length, keys, heads):
    """The mask as (1 or batch * heads, L, S)."""
    if mask is None:
        return None
    want = (length, keys) if len(mask.shape) == 2 else (heads, length, keys)
    if tuple(mask.shape) != want:
        raise error("tensor-shape", RuntimeError(
            f"The shape of the {len(want)}D attn_mask is {mask.shape}, but should be {want}."), what="attn_mask",
            shape=mask.shape, want=want, fix="attn_mask is (queries, keys), or (batch * heads, queries, keys).")
    return m.unsqueeze(mask, 0) if len(want) == 2 else mask
