"""Attention: softmax(q k' / sqrt(d)) v as one op, and multi-head attention made of it (Vaswani et al. 2017)."""
from __future__ import annotations

from functools import lru_cache
from math import prod, sqrt

import numpy as np

from ..autograd.mode import modes
from ..autograd.node import shown_edge, step
from ..diagnose import error
from ..dtypes import c_name
from ..large import product
from ..op import Op, dtype_of, m
from ..public import public
from ..tensor import Tensor
from ..testing.samples import S
from .dropout import DropoutNoise
from .join import Cat
from .labels import shown_as
from .movement import Slice
from .reduce import not_implemented
from .softmax import Softmax

_PIECE = 1 << 18  # scores made at a time: they stay in the cache
_SCORES = 1 << 24  # that are kept
_BAND = 1 << 16  # of a band: with their gradients they stay in the second cache
_MOST_BANDS = 16


# ---- on arrays -------------------------------------------------------------------------------
@lru_cache(64)
def causal_mask(rows, columns, dtype):
    """0 where a position may look, up to its own, and -inf elsewhere."""
    return np.triu(np.full((rows, columns), -np.inf, dtype), 1)


def weights_of(q, k, mask, scale, causal):
    """(e, total): e / total is softmax(scale q k' + mask) over the last dimension, zero where all is masked."""
    s = product(q * q.dtype.type(scale), k.swapaxes(-1, -2))
    if causal:
        s += causal_mask(*s.shape[-2:], s.dtype)
    if mask is not None:
        s += np.where(mask, s.dtype.type(0), s.dtype.type(-np.inf)) if mask.dtype.kind == "b" else mask
    top = s.max(-1, keepdims=True, initial=-np.inf)
    if causal or mask is not None:
        top[top == -np.inf] = 0
    s -= top
    np.exp(s, out=s)
    total = s.sum(-1, keepdims=True)
    if causal or mask is not None:
        total[total == 0] = 1
    return s, total


def pieces(q, k):
    """Indices of the leading dimensions, one group at a time, so that the scores of a group fit the cache."""
    lead, each = q.shape[:-2], q.shape[-2] * k.shape[-2]
    if prod(lead) * each <= _PIECE or not lead:
        return [()]
    if len(lead) == 1 or prod(lead[1:]) * each <= _PIECE:
        step = max(1, _PIECE // max(prod(lead[1:]) * each, 1))
        return [(slice(i, i + step),) for i in range(0, lead[0], step)]
    return [(i, *rest) for i in range(lead[0]) for rest in pieces(q[0], k[0])]


def part(x, at, ndim):
    """What of x, which broadcasts to `ndim` dimensions, belongs to the piece `at` of the leading ones."""
    if x is None or not at:
        return x
    at = at[ndim - x.ndim:]  # dimensions in front that x does not have
    return x[tuple([(0 if isinstance(i, int) else slice(None)) if s == 1 else i for i, s in zip(at, x.shape)])]


def _rows(x, a, e):
    """Rows a to e of each matrix; of a mask that has one row, this."""
    return x if x is None or x.shape[-2] in (1, e - a) else Slice(len(x.shape) - 2, a, e)(x)


def _columns(x, a, e):
    """Columns a to e of each matrix."""
    return x if e - a == x.shape[-1] else Slice(len(x.shape) - 1, a, e)(x)


def _below(parts, dim):
    """Pieces as one, of which the last came first."""
    return parts[0] if len(parts) == 1 else Cat(dim)(*reversed(parts))


def _add_band(done, weights, x, start, total):
    """weights' x + total: its rows from `start` on, which no other band changes, go to `done`; the others are returned."""
    def rows(a, e):
        y = m.matmul(m.swap(_columns(weights, a, e)), x)
        return y if total is None else y + _rows(total, a, e)
    if start < weights.shape[-1]:
        done.append(rows(start, weights.shape[-1]))
    return rows(0, start) if start else None


class ScaledDotProductAttention(Op):
    """softmax(scale q k' + mask) v, the weights multiplied by `keep` before they meet v.

    q (*, L, E), k (*, S, E), v (*, S, F); mask (numbers to add, or bool) and keep broadcast to (*, L, S).
    """

    scale: float
    causal: bool = False
    keeps = True  # the weights, where it is part of a program that goes back
    grad_name = "ScaledDotProductFlashAttentionForCpuBackward0"
    samples = [S((2, 3, 4), (2, 5, 4), (2, 5, 2), None, None, params=(0.7,)),
               S((2, 1, 3, 2), (2, 1, 3, 2), (2, 1, 3, 2), (3, 3), None, params=(1.0, True)),
               S((3, 2), (4, 2), (4, 1), (3, 4), (3, 4), params=(0.5,)),
               S((2, 2, 2), (2, 3, 2), (2, 3, 2), np.array([[True, False, True], [False, False, False]]), None,
                 params=(1.0,))]

    @property
    def alone(self):
        """The same where no gradient reads what the plan of its forward pass made: no scores need memory."""
        op = object.__new__(type(self))
        op.scale, op.causal, op.keeps = self.scale, self.causal, False
        return op

    def forward(self, q, k, v, mask, keep):
        y = np.empty((*q.shape[:-1], v.shape[-1]), q.dtype)
        for at in pieces(q, k):
            e, total = weights_of(q[at], k[at], part(mask, at, q.ndim), self.scale, self.causal)
            if keep is not None:
                e *= part(keep, at, q.ndim)
            np.divide(product(e, v[at]), total, out=y[at])
        return y

    def shapes(self, q, k, v, mask=None, keep=None):
        """(shape, dtype) of the result."""
        return [((*q.shape[:-1], v.shape[-1]), q.dtype)]

    def vjp(self, g, q, k, v, mask, keep, needs):
        needs = tuple(needs) + (False,) * (5 - len(needs))
        arrays = all(x is None or type(x) is np.ndarray for x in (g, q, k, v, mask, keep))
        return (self._back_in_pieces if arrays else self._back)(g, q, k, v, mask, keep, needs)

    def _back_in_pieces(self, g, q, k, v, mask, keep, needs):
        g_q, g_k, g_v = np.empty_like(q), np.empty_like(k), np.empty_like(v)
        g_mask = np.zeros_like(mask) if needs[3] else None
        g_keep = np.zeros_like(keep) if needs[4] else None
        for at in pieces(q, k):
            some, keep_ = part(mask, at, q.ndim), part(keep, at, q.ndim)
            p, total = weights_of(q[at], k[at], some, self.scale, self.causal)
            p /= total
            kept = p if keep is None else p * keep_
            g_v[at] = product(kept.swapaxes(-1, -2), g[at])
            g_p = product(g[at], v[at].swapaxes(-1, -2))
            if needs[4]:
                target = part(g_keep, at, q.ndim)
                target += m.sum_to(g_p * p, target.shape)
            if keep is not None:
                g_p *= keep_
            g_p -= np.vecdot(g_p, p)[..., None]
            g_p *= p
            if needs[3]:
                target = part(g_mask, at, q.ndim)
                target += m.sum_to(g_p, target.shape)
            g_p *= q.dtype.type(self.scale)
            g_q[at] = product(g_p, k[at])
            g_k[at] = product(g_p.swapaxes(-1, -2), q[at])
        return g_q, g_k, g_v, g_mask, g_keep

    def _back(self, g, q, k, v, mask, keep, needs):
        """The same where it is recorded."""
        bands = self._bands(q, k, mask, keep)
        if len(bands) > 1 and (modes.trace is not None or not isinstance(q, Tensor)):  # a plan is made of it
            return *self._back_in_bands(g, q, k, v, mask, bands, needs), None
        p = self._weights(q, k, mask)
        kept = p if keep is None else p * keep
        all_p = m.matmul(g, m.swap(v))
        g_p = all_p if keep is None else all_p * keep
        g_s = p * (g_p - m.sum(g_p * p, -1, True))
        return (m.matmul(g_s, k) * self.scale, m.matmul(m.swap(g_s), q) * self.scale, m.matmul(m.swap(kept), g),
                m.sum_to(g_s, tuple(mask.shape)) if needs[3] else None,
                m.sum_to(all_p * p, tuple(keep.shape)) if needs[4] else None)

    def lower(self, q, k, v, mask, keep):
        """All scores at once, which are kept for the gradient, if they are not too many."""
        if prod(q.shape[:-1]) * k.shape[-2] > _SCORES and (self.keeps or keep is not None):
            return None
        bands = self._bands(q, k, mask, keep)
        if len(bands) > 1:
            parts = [m.matmul(self._weights(q, k, mask, *band), _rows(v, 0, band[2])) for band in bands]
            return Cat(len(q.shape) - 2)(*parts)
        p = self._weights(q, k, mask)
        return m.matmul(p if keep is None else p * keep, v)

    def _bands(self, q, k, mask, keep):
        """(first row, end, columns) of bands of scores, which stay in the cache.

        Of causal scores what lies behind the last column that a band sees is not computed.
        """
        n, columns = q.shape[-2], k.shape[-2]
        half = self.causal and mask is None and n == columns
        if keep is not None:  # made for all scores
            count = 1
        elif half:
            count = n // 64
        else:
            count = min(n // 64, -(-n * columns // _BAND))
        count = max(1, min(count, _MOST_BANDS))
        ends = [(i + 1) * n // count for i in range(count)]
        return [(a, e, e if half else columns) for a, e in zip([0, *ends], ends)]

    def _back_in_bands(self, g, q, k, v, mask, bands, needs):
        """Gradients, from the last band up: where causal, only it has looked at the last keys."""
        g_q, g_k, g_v, g_mask, k_total, v_total = [], [], [], [], None, None
        for i, (a, e, columns) in reversed([*enumerate(bands)]):
            p, g_rows = self._weights(q, k, mask, a, e, columns), _rows(g, a, e)
            g_p = m.matmul(g_rows, m.swap(_rows(v, 0, columns)))
            g_s = p * (g_p - m.sum(g_p * p, -1, True))
            if needs[3]:
                g_mask.append(m.sum_to(g_s, tuple(_rows(mask, a, e).shape)))
            g_s = g_s * self.scale
            g_q.append(m.matmul(g_s, _rows(k, 0, columns)))
            start = bands[i - 1][2] if i else 0
            k_total = _add_band(g_k, g_s, _rows(q, a, e), start, k_total)
            v_total = _add_band(g_v, p, g_rows, start, v_total)
        dim = len(q.shape) - 2
        of_mask = None
        if needs[3]:
            of_mask = _below(g_mask, len(mask.shape) - 2) if mask.shape[-2] > 1 else sum(g_mask[1:], g_mask[0])
        return _below(g_q, dim), _below(g_k, dim), _below(g_v, dim), of_mask

    def _weights(self, q, k, mask, a=0, e=None, columns=None):
        """The weights of rows a to e for the first columns; all, if nothing else is said."""
        e, columns = q.shape[-2] if e is None else e, k.shape[-2] if columns is None else columns
        s = m.matmul(_rows(q, a, e) * self.scale, m.swap(_rows(k, 0, columns)))
        minus = float("-inf")
        if self.causal:
            s = m.where(np.tri(e - a, columns, a, dtype=bool), s, minus)
        if mask is not None:
            some = _rows(mask, a, e)
            s = m.where(some, s, minus) if dtype_of(mask).kind == "b" else s + some
        softmax = Softmax(len(s.shape) - 1)
        if mask is None:  # then each row has a score: its first
            return softmax(s)
        alive = m.logical_not(m.all(m.eq(s, minus), -1, True))
        return softmax(m.where(alive, s, 0.0)) * m.cast(alive, dtype_of(q))

    def batch(self, size, dims, values):
        q, k, v, mask, keep = values
        ndim = len(q.shape)

        def broadcast(x, own):
            if x is None or not own:
                return x if x is None else m.select(x, 0, 0)
            return m.reshape(x, (size, *(1,) * (ndim - len(x.shape)), *x.shape[1:]))
        return self(q, k, v, broadcast(mask, dims[3]), broadcast(keep, dims[4]))


class WeightNoise(Op):
    """1 with probability 1 - p, else 0, for each attention weight of queries and keys."""

    p: float
    random = True
    samples = [S((2, 3, 4), (2, 5, 4), params=(0.0,), smooth=False)]

    def forward(self, q, k):
        return DropoutNoise(self.p).forward(np.empty((*q.shape[:-1], k.shape[-2]), q.dtype))


@public("nn.functional", name="scaled_dot_product_attention")
def _scaled_dot_product_attention(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None,
                                  enable_gqa=False):
    """softmax(query key' scale + attn_mask) value, with scale 1 / sqrt(E) if not given.

    Args: `attn_mask` is added, or (bool) says what takes part; with `is_causal` each position looks at
    those up to its own; `enable_gqa` lets several query heads share a key and value head.

    Shape: query (*, L, E), key (*, S, E), value (*, S, F) -> (*, L, F).

    >>> q, k = kobai.zeros(1, 2), kobai.zeros(3, 2)
    >>> kobai.nn.functional.scaled_dot_product_attention(q, k, kobai.tensor([[1.], [2.], [6.]]))
    tensor([[3.]])
    """
    _check_attention(query, key, value, attn_mask)
    if enable_gqa:
        times = query.shape[-3] // max(key.shape[-3], 1)
        key, value = (m.repeat_interleave(v, times, -3) if times != 1 else v for v in (key, value))
    if not query.shape[:-2] == key.shape[:-2] == value.shape[:-2]:
        lead = np.broadcast_shapes(*[tuple(v.shape[:-2]) for v in (query, key, value)])
        query, key, value = (m.expand_to(v, (*lead, *v.shape[-2:])) for v in (query, key, value))
    if key.shape[-2] != value.shape[-2]:
        scores = (*query.shape[:-1], key.shape[-2])
        raise error("shapes-differ", RuntimeError(_no_product(scores, tuple(value.shape))), what="key", shape=key.shape,
                    other="value", other_shape=value.shape, must="dimension -2, the number of positions, must be equal")
    scores = (*query.shape[:-1], key.shape[-2])
    if attn_mask is not None:
        _check_mask(attn_mask, scores)
        if len(attn_mask.shape) < 2:
            attn_mask = m.expand_to(attn_mask, scores[-2:])
    keep = None
    if dropout_p:
        if not 0 <= dropout_p <= 1:
            raise error("argument-value", RuntimeError(
                f"dropout probability has to be between 0 and 1, but got {dropout_p:g}"), what="dropout_p",
                value=dropout_p, must="a number between {low} and {high}", low=0, high=1)
        noise = WeightNoise(float(dropout_p))(query, key)
        keep = noise if dropout_p == 1 else noise / (1 - dropout_p)
    scale = 1 / sqrt(max(query.shape[-1], 1)) if scale is None else float(scale)
    op = ScaledDotProductAttention(scale, bool(is_causal))
    if len(query.shape) != 4 or keep is not None or attn_mask is not None and getattr(attn_mask, "requires_grad", False) \
            or query.shape[-1] != value.shape[-1]:
        op = _in_products(op, len(query.shape) > 2, is_causal or attn_mask is not None, keep is not None)
    return op(query, key, value, attn_mask, keep)


# ---- what PyTorch records where it has no kernel for all of attention ---------------------------
@lru_cache(64)
def _in_products(op, batches, masked, dropped):
    """The op, shown as the products that PyTorch makes there."""
    def shown(node):
        q, k, v, mask, _ = [shown_edge(e) for e in node.edges]
        q, k = _after(q, "MulBackward1"), _after(k, "TransposeBackward0", "MulBackward1")
        weights = _product(q, k, batches, "ReshapeAliasBackward0")
        weights = _joined("AddBackward0", weights, mask) if masked else weights
        weights = _after(weights, "SafeSoftmaxBackward0")
        weights = _joined("MulBackward0", weights, (None, 0)) if dropped else weights
        last = _product(weights, v, batches, "ViewBackward0")[0]
        return last.next_functions
    return shown_as(op, "UnsafeViewBackward0" if batches else "MmBackward0", shown)


def _after(edge, *names):
    """An edge into a chain of steps, the last of which looks at `edge`; nothing, if that is nothing."""
    for name in names:
        edge = edge if edge[0] is None else (step(name, edge), 0)
    return edge


def _joined(name, *edges):
    return (None, 0) if all(node is None for node, _ in edges) else (step(name, *edges), 0)


def _product(a, b, batches, seen):
    """The product of matrices, or of batches that are expanded and seen as one."""
    if not batches:
        return _joined("MmBackward0", a, b)
    a, b = _after(a, "ExpandBackward0", "ViewBackward0"), _after(b, "ExpandBackward0", seen)
    return _after(_joined("BmmBackward0", a, b), "UnsafeViewBackward0")


def _no_product(a, b):
    """PyTorch's words for two shapes that matmul and bmm cannot multiply."""
    if len(a) == len(b) == 2:
        return f"mat1 and mat2 shapes cannot be multiplied ({a[0]}x{a[1]} and {b[0]}x{b[1]})"
    return (f"Expected size for first two dimensions of batch2 tensor to be: [{prod(a[:-2])}, {a[-1]}] but got: "
            f"[{prod(b[:-2])}, {b[-2]}].")


def _check_attention(query, key, value, mask):
    if min(len(v.shape) for v in (query, key, value)) < 2:
        raise error("tensor-dims", RuntimeError(
            f"Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: {len(query.shape)} "
            f"key.dim: {len(key.shape)} and value.dim: {len(value.shape)} instead."), q=query.shape, k=key.shape,
            v=value.shape,
            why="query, key and value are (..., positions, features); their shapes are {q}, {k} and {v}.",
            fix="x.unsqueeze(0) adds a dimension for one position, x.unsqueeze(-1) one for a single feature.")
    d = dtype_of(query)
    if dtype_of(key) != d or dtype_of(value) != d:
        raise error("dtypes-differ", RuntimeError(
            f"Expected query, key, and value to have the same dtype, but got query.dtype: {c_name(query)} key.dtype: "
            f"{c_name(key)} and value.dtype: {c_name(value)} instead."), what="query", dtype=d,
            other="key" if dtype_of(key) != d else "value", other_dtype=dtype_of(key if dtype_of(key) != d else value))
    if d.kind == "c":
        raise not_implemented("softmax_lastdim_kernel_impl", query)
    if d.kind not in "fV":
        raise error("tensor-dtype", RuntimeError(
            f"expected m1 and m2 to have the same dtype, but got: float != {c_name(query)}"), what="query", dtype=d,
            fn="scaled_dot_product_attention()", must="floating point numbers",
            fix="convert all three first: query.float(), key.float() and value.float().")
    if mask is not None and dtype_of(mask) not in (np.bool_, np.float32, d):
        raise error("tensor-dtype", RuntimeError(
            "Expected attn_mask dtype to be bool or float or to match query dtype, but got attn_mask.dtype: "
            f"{c_name(mask)} and  query.dtype: {c_name(query)} instead."), what="attn_mask", dtype=dtype_of(mask),
            fn="scaled_dot_product_attention()", must="True and False, or numbers of the query's dtype",
            fix="mask.bool() for a mask of what may be looked at, mask.to(query.dtype) for numbers that are added to "
                "the scores.")
    if query.shape[-1] != key.shape[-1]:
        turned = (*key.shape[:-2], key.shape[-1], key.shape[-2])
        raise error("shapes-differ", RuntimeError(_no_product(tuple(query.shape), turned)), what="query",
                    shape=query.shape, other="key", other_shape=key.shape,
                    must="the last dimension must be equal: the vectors of the two are multiplied")


def _check_mask(mask, scores):
    try:
        fits = np.broadcast_shapes(tuple(mask.shape), scores) == scores
    except ValueError:
        fits = False
    if not fits:
        pairs = zip(reversed(scores), reversed(tuple(mask.shape)))
        dim = next((i for i, (a, b) in enumerate(pairs) if b not in (1, a)), 0)
        raise error("shapes-differ", RuntimeError(
            f"The size of tensor a ({scores[-1 - dim]}) must match the size of tensor b ({mask.shape[-1 - dim]}) at "
            f"non-singleton dimension {len(scores) - 1 - dim}"), what="attn_mask", shape=mask.shape,
            other="query @ key.mT", other_shape=scores,
            must="the mask must broadcast to it: counted from the right, sizes equal or 1",
            fix="a mask is (queries, keys), or (batch, 1, queries, keys) to differ from sample to sample.")
