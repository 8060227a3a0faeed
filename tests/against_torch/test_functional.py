"""Pooling, resampling, padding, normalisation, embeddings, dropout, attention: programs with PyTorch and kobai."""
import itertools

import numpy as np
import pytest

pytest.importorskip("torch")


def numbers(torch, *shape, dtype="float32", seed=0):
    """Normal random numbers, the same for both; `seed` also depends on the shape."""
    x = np.random.default_rng([seed, *shape]).standard_normal(shape)
    return torch.from_numpy(x).to(getattr(torch, dtype)).requires_grad_()


def gradients(torch, y, *inputs):
    """The gradients for a cotangent that tells the elements apart."""
    total = 0
    for t in y if isinstance(y, tuple) else (y,):
        if t is not None and t.requires_grad:
            total = total + (t * (torch.arange(t.numel()) % 7 + 1).reshape(t.shape).to(t.dtype)).sum()
    if not isinstance(total, torch.Tensor):
        return None
    return torch.autograd.grad(total, inputs, allow_unused=True)


def both(torch, fn, *inputs):
    y = fn(*inputs)
    return y, gradients(torch, y, *[x for x in inputs if x is not None and x.requires_grad])


SPATIAL = {1: (2, 3, 9), 2: (2, 3, 9, 8), 3: (2, 2, 6, 7, 5)}
WINDOWS = list(itertools.product((1, 2, 3), (2, 3), (None, 1, 3), (0, 1), (False, True)))


# ---- pooling ---------------------------------------------------------------------------------
@pytest.mark.parametrize("n, k, stride, padding, ceil", WINDOWS)
@pytest.mark.parametrize("dilation", [1, 2])
def test_max_pool(torch, n, k, stride, padding, ceil, dilation):
    pool = getattr(torch.nn.functional, f"max_pool{n}d")
    x = numbers(torch, *SPATIAL[n])
    return (both(torch, lambda x: pool(x, k, stride, padding, dilation, ceil), x),
            pool(x.detach().round(), k, stride, padding, dilation, ceil, True))


@pytest.mark.parametrize("n, k, stride, padding, ceil", WINDOWS)
@pytest.mark.parametrize("with_padding", [True, False])
def test_avg_pool(torch, n, k, stride, padding, ceil, with_padding):
    pool = getattr(torch.nn.functional, f"avg_pool{n}d")
    return both(torch, lambda x: pool(x, k, stride, padding, ceil, with_padding), numbers(torch, *SPATIAL[n]))


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 12])
@pytest.mark.parametrize("batched", [True, False])
def test_adaptive_pools(torch, n, size, batched):
    x = numbers(torch, *SPATIAL[n][1 - batched:])
    mean, largest = (getattr(torch.nn.functional, f"adaptive_{kind}_pool{n}d") for kind in ("avg", "max"))
    return (both(torch, lambda x: mean(x, size), x), both(torch, lambda x: largest(x, size), x),
            largest(x.detach(), size, True))


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("p", [2, 3.0, float("inf"), -float("inf")])
def test_lp_pool(torch, n, p):
    pool = getattr(torch.nn.functional, f"lp_pool{n}d")
    x = numbers(torch, *SPATIAL[n]).detach().abs().requires_grad_()
    return both(torch, lambda x: pool(x, p, 2, 3, True), x)


@pytest.mark.parametrize("n, arguments", [
    (2, dict(output_size=3)), (2, dict(output_size=1)), (3, dict(output_size=4)), (2, dict(output_ratio=(0.5, 0.4))),
    (3, dict(output_ratio=(0.5, 0.6, 0.5)))])
def test_fractional_max_pool_takes_the_same_random_windows(torch, n, arguments):
    pool = getattr(torch.nn.functional, f"fractional_max_pool{n}d")
    x = numbers(torch, *SPATIAL[n])
    return both(torch, lambda x: pool(x, 2, **arguments), x), pool(x.detach(), 2, **arguments, return_indices=True)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_max_unpool(torch, n):
    pool, unpool = (getattr(torch.nn.functional, f"max_{kind}{n}d") for kind in ("pool", "unpool"))
    x = numbers(torch, *SPATIAL[n])
    y, where = pool(x.detach(), 2, return_indices=True)
    return both(torch, lambda y: unpool(y, where, 2), y.requires_grad_()), unpool(
        y.detach(), where, 2, output_size=x.shape)


def test_pooling_nan_and_infinities(torch):
    x = numbers(torch, 2, 3, 8, 8).detach()
    x[0, 0, 2:4, 2:5], x[1, 1] = float("nan"), -float("inf")
    x.requires_grad_()
    return [both(torch, lambda x: torch.nn.functional.max_pool2d(x, 3, 2, 1), x),
            torch.nn.functional.max_pool2d(x.detach(), 3, 2, 1, return_indices=True)]


# ---- resampling ------------------------------------------------------------------------------
RESAMPLING = [(1, "nearest"), (1, "nearest-exact"), (1, "linear"), (1, "area"), (2, "nearest"), (2, "nearest-exact"),
              (2, "bilinear"), (2, "bicubic"), (2, "area"), (3, "nearest"), (3, "trilinear"), (3, "area")]


@pytest.mark.parametrize("n, mode", RESAMPLING)
@pytest.mark.parametrize("size", [
    dict(size=5), dict(size=1), dict(size=13), dict(scale_factor=2), dict(scale_factor=0.5), dict(scale_factor=1.7),
    dict(scale_factor=1.7, recompute_scale_factor=True)])
@pytest.mark.parametrize("corners", [None, True])
def test_interpolate(torch, n, mode, size, corners):
    corners = corners if "linear" in mode or mode == "bicubic" else None
    return both(torch, lambda x: torch.nn.functional.interpolate(x, mode=mode, align_corners=corners, **size),
                numbers(torch, *SPATIAL[n], dtype="float64"))


@pytest.mark.parametrize("mode", ["bilinear", "bicubic", "lanczos"])
@pytest.mark.parametrize("size", [(4, 5), (20, 6), (3, 17)])
def test_interpolate_smooths(torch, mode, size):
    return both(torch, lambda x: torch.nn.functional.interpolate(x, size, mode=mode, antialias=True),
                numbers(torch, 2, 3, 9, 8, dtype="float64"))


@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("corners", [True, False])
def test_grid_sample(torch, mode, padding, corners):
    grid = torch.from_numpy(np.random.default_rng(0).uniform(-1.6, 1.6, (2, 4, 7, 2))).requires_grad_()
    return both(torch, lambda x, grid: torch.nn.functional.grid_sample(x, grid, mode, padding, corners),
                numbers(torch, 2, 3, 5, 6, dtype="float64"), grid)


@pytest.mark.parametrize("size", [(2, 3, 4, 5), (2, 3, 4, 5, 1)])
@pytest.mark.parametrize("corners", [True, False])
def test_affine_grid(torch, size, corners):
    n = len(size) - 2
    return both(torch, lambda theta: torch.nn.functional.affine_grid(theta, size, corners), numbers(torch, 2, n, n + 1))


# ---- padding, blocks -------------------------------------------------------------------------
@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("mode", ["constant", "reflect", "replicate", "circular"])
@pytest.mark.parametrize("pad", [(1, 2), (0, 3), (-1, 2), (1, -1), (-2, -1)])
@pytest.mark.parametrize("batched", [True, False])
def test_pad(torch, n, mode, pad, batched):
    shape = {1: (2, 3, 5), 2: (2, 3, 5, 4), 3: (2, 2, 4, 5, 4)}[n][1 - batched:]
    y, g = both(torch, lambda x: torch.nn.functional.pad(x, pad * n, mode), numbers(torch, *shape))
    return y.detach() if mode == "circular" else y, g


@pytest.mark.parametrize("kernel, dilation, padding, stride", [
    (2, 1, 0, 1), ((2, 3), 1, (1, 0), 2), (3, (1, 2), 1, (1, 2))])
def test_unfold_and_fold(torch, kernel, dilation, padding, stride):
    x = numbers(torch, 2, 3, 6, 7)
    y, g = both(torch, lambda x: torch.nn.functional.unfold(x, kernel, dilation, padding, stride), x)
    columns = y.detach().requires_grad_()
    return y, g, both(torch, lambda c: torch.nn.functional.fold(c, (6, 7), kernel, dilation, padding, stride), columns)


@pytest.mark.parametrize("name, shape, factor", [
    ("pixel_shuffle", (2, 8, 3, 2), 2), ("pixel_shuffle", (9, 1, 2), 3), ("pixel_unshuffle", (2, 2, 4, 6), 2),
    ("channel_shuffle", (2, 6, 4), 2), ("channel_shuffle", (1, 6, 2, 2), 3)])
def test_shuffles(torch, name, shape, factor):
    return both(torch, lambda x: getattr(torch.nn.functional, name)(x, factor), numbers(torch, *shape))


# ---- normalisation ---------------------------------------------------------------------------
SHAPES = [(5, 3), (2, 3, 8), (2, 3, 5, 4), (2, 3, 2, 3, 4), (1, 3, 30)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("affine", [(True, True), (True, False), (False, True), (False, False)])
def test_batch_norm(torch, shape, training, affine):
    x, weight, bias = (numbers(torch, *s, dtype="float64", seed=i) for i, s in enumerate((shape, (3,), (3,))))
    mean, var = numbers(torch, 3, seed=5, dtype="float64").detach(), torch.tensor([0.5, 1.0, 2.0]).double()
    given = [x, weight if affine[0] else None, bias if affine[1] else None]
    return both(torch, lambda x, w, b: torch.nn.functional.batch_norm(x * 3 + 1, mean, var, w, b, training, 0.3, 1e-3),
                *given), mean, var


@pytest.mark.parametrize("shape", SHAPES[1:])
@pytest.mark.parametrize("stats", [True, False])
def test_instance_norm(torch, shape, stats):
    x, weight, bias = (numbers(torch, *s, dtype="float64", seed=i) for i, s in enumerate((shape, (3,), (3,))))
    mean, var = numbers(torch, 3, seed=5, dtype="float64").detach(), torch.tensor([0.5, 1.0, 2.0]).double()
    return both(torch, lambda x, w, b: torch.nn.functional.instance_norm(x, mean, var, w, b, stats, 0.3), x, weight,
                bias), mean, var


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("affine", [(True, True), (True, False), (False, True), (False, False)])
def test_layer_norm(torch, shape, n, affine):
    if n >= len(shape):
        pytest.skip("more dimensions than there are")
    sizes = shape, shape[-n:], shape[-n:]
    x, weight, bias = (numbers(torch, *s, seed=i, dtype="float64") for i, s in enumerate(sizes))
    given = [x, weight if affine[0] else None, bias if affine[1] else None]
    return (both(torch, lambda x, w, b: torch.nn.functional.layer_norm(x * 3 + 1, shape[-n:], w, b), *given),
            both(torch, lambda x, w: torch.nn.functional.rms_norm(x, shape[-n:], w), *given[:2]))


@pytest.mark.parametrize("shape", SHAPES[1:])
@pytest.mark.parametrize("groups", [1, 3])
def test_group_norm(torch, shape, groups):
    x, weight, bias = (numbers(torch, *s, seed=i, dtype="float64") for i, s in enumerate((shape, (3,), (3,))))
    return both(torch, lambda x, w, b: torch.nn.functional.group_norm(x, groups, w, b), x, weight, bias)


@pytest.mark.parametrize("shape", SHAPES[1:])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_local_response_norm(torch, shape, size):
    return both(torch, lambda x: torch.nn.functional.local_response_norm(x, size, alpha=0.1), numbers(torch, *shape))


@pytest.mark.parametrize("p", [1, 2, 3, 0.5, float("inf")])
def test_distances(torch, p):
    f, a, b = torch.nn.functional, numbers(torch, 4, 5), numbers(torch, 4, 5, seed=1)
    return (both(torch, lambda a, b: f.pairwise_distance(a, b, p), a, b), both(torch, lambda a: f.normalize(a, p), a),
            both(torch, lambda a, b: f.cosine_similarity(a, b, -1), a, b))


# ---- embeddings ------------------------------------------------------------------------------
@pytest.mark.parametrize("padding", [None, 2, -1])
@pytest.mark.parametrize("by_frequency", [False, True])
def test_embedding(torch, padding, by_frequency):
    index = torch.tensor([[1, 2, 6], [6, 1, 6]])
    return both(torch, lambda w: torch.nn.functional.embedding(index, w, padding, scale_grad_by_freq=by_frequency),
                numbers(torch, 7, 3))


def test_sparse_embedding(torch):
    w = numbers(torch, 7, 3)
    torch.nn.functional.embedding(torch.tensor([1, 2, 1]), w, padding_idx=2, sparse=True).sum().backward()
    return w.grad.coalesce().indices(), w.grad.coalesce().values(), w.grad.to_dense()


def test_embedding_shortens_rows_in_place(torch):
    w = (numbers(torch, 7, 3) * 3).detach()
    return torch.nn.functional.embedding(torch.tensor([1, 4, 1]), w, max_norm=1.0), w


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
@pytest.mark.parametrize("padding", [None, 2])
@pytest.mark.parametrize("last", [False, True])
def test_embedding_bag(torch, mode, padding, last):
    index, offsets = torch.tensor([4, 1, 2, 2, 6, 0, 5]), torch.tensor([0, 3, 3, 7] if last else [0, 3, 3])
    bag = torch.nn.functional.embedding_bag
    return (both(torch, lambda w: bag(index, w, offsets, mode=mode, padding_idx=padding, include_last_offset=last),
                 numbers(torch, 7, 3)),
            both(torch, lambda w: bag(index[:6].reshape(2, 3), w, mode=mode), numbers(torch, 7, 3)))


def test_embedding_bag_with_weights(torch):
    index, offsets = torch.tensor([4, 1, 2, 2, 6]), torch.tensor([0, 2])
    bag = torch.nn.functional.embedding_bag
    return both(torch, lambda w, s: bag(index, w, offsets, mode="sum", per_sample_weights=s),
                numbers(torch, 7, 3), numbers(torch, 5))


# ---- dropout ---------------------------------------------------------------------------------
DROPOUTS = ["dropout", "alpha_dropout", "feature_alpha_dropout", "dropout1d", "dropout2d", "dropout3d"]


@pytest.mark.parametrize("name", DROPOUTS)
@pytest.mark.parametrize("shape", [(8,), (3, 40), (2, 3, 4), (2, 3, 4, 4), (2, 3, 2, 2, 2)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_dropout_takes_the_same_random_numbers(torch, name, shape, dtype):
    return both(torch, lambda x: getattr(torch.nn.functional, name)(x, 0.3, True), numbers(torch, *shape, dtype=dtype))


@pytest.mark.parametrize("dims", [(1, 0, 2), (2, 1, 0), (0, 2, 1)])
def test_dropout_goes_through_memory_in_its_order(torch, dims):
    return torch.nn.functional.dropout(numbers(torch, 3, 4, 5).permute(dims), 0.4), torch.rand(3)


@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize("dim", [0, -1])
def test_gumbel_softmax(torch, hard, dim):
    return both(torch, lambda x: torch.nn.functional.gumbel_softmax(x, 0.7, hard, dim=dim), numbers(torch, 4, 5))


# ---- attention -------------------------------------------------------------------------------
MASKS = [None, (3, 5), (2, 1, 1, 5), (4, 3, 5), (1, 5)]


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("numbers_or_bool", ["numbers", "bool"])
def test_attention(torch, mask, causal, numbers_or_bool):
    if causal and mask:
        pytest.skip("PyTorch takes one of the two")
    q, k, v = (numbers(torch, 2, 4, n, 4, seed=i, dtype="float64") for i, n in enumerate((3, 5, 5)))
    if mask:
        mask = numbers(torch, *mask, dtype="float64").detach()
        mask = mask > -0.5 if numbers_or_bool == "bool" else mask
    attend = torch.nn.functional.scaled_dot_product_attention
    y, g = both(torch, lambda q, k, v: attend(q, k, v, mask, is_causal=causal), q, k, v)
    return y.detach(), g


def test_attention_where_all_is_masked(torch):
    q, mask = numbers(torch, 1, 2, 3, 4), torch.tensor([[True, False, False], [False] * 3, [True] * 3])
    y, g = both(torch, lambda q: torch.nn.functional.scaled_dot_product_attention(q, q, q, mask), q)
    return y.detach(), g


def test_attention_with_dropout_and_shared_heads(torch):
    q, k = numbers(torch, 2, 4, 3, 4), numbers(torch, 2, 2, 5, 4)
    y, g = both(torch, lambda q, k: torch.nn.functional.scaled_dot_product_attention(q, k, k, dropout_p=0.4,
                                                                                     enable_gqa=True), q, k)
    return y.detach(), g


@pytest.mark.parametrize("shape", [(8, 4, 70, 16), (3, 2, 300, 8), (2, 3, 2, 200, 8)])
@pytest.mark.parametrize("mask", ["none", "causal", "first", "heads"])
def test_attention_in_pieces(torch, shape, mask):
    """Larger than what is worked on at a time."""
    q, length = numbers(torch, *shape, dtype="float64"), shape[-2]
    masks = {"first": (shape[0], *(1,) * (len(shape) - 2), length), "heads": (shape[-3], length, length)}
    given = numbers(torch, *masks[mask]).detach() > 0 if mask in masks else None
    y, g = both(torch, lambda q: torch.nn.functional.scaled_dot_product_attention(q, q, q, given,
                                                                                  is_causal=mask == "causal"), q)
    return y.detach(), g


@pytest.mark.parametrize("weights", [True, False])
@pytest.mark.parametrize("bias_kv, zero", [(False, False), (True, True)])
@pytest.mark.parametrize("masks", ["none", "attention", "padding", "both"])
@pytest.mark.parametrize("same", [True, False])
def test_multi_head_attention(torch, weights, bias_kv, zero, masks, same):
    layer = torch.nn.MultiheadAttention(8, 2, add_bias_kv=bias_kv, add_zero_attn=zero).double()
    x = numbers(torch, 3, 2, 8, dtype="float64")
    other = x if same else numbers(torch, 5, 2, 8, seed=1, dtype="float64")
    given = {}
    if masks in ("attention", "both"):
        given["attn_mask"] = numbers(torch, 3, len(other), dtype="float64").detach()
    if masks in ("padding", "both"):
        given["key_padding_mask"] = torch.tensor([[False] * len(other), [False] * (len(other) - 1) + [True]])
    y, p = layer(x, other, other, need_weights=weights, **given)
    return y.detach(), None if p is None else p.detach(), gradients(torch, y, x, *layer.parameters())


# ---- errors ----------------------------------------------------------------------------------
ERRORS = """
f.max_pool2d(x, 2, padding=2)|f.max_pool2d(x, 0)|f.max_pool2d(x, 2, 0)|f.max_pool2d(x, (2, 2, 2))|f.max_pool2d(x, 9)
f.max_pool2d(x[0, 0], 2)|f.max_pool2d(x, 2, 2, -1)|f.max_pool2d(x, 2, 2, 0, 0)|f.max_pool1d(x, 2)|f.max_pool1d(x[0], 9)
f.max_pool1d(x[0], 2, padding=2)|f.max_pool3d(x, 9)|f.avg_pool2d(x, 9)|f.avg_pool2d(x[0, 0], 2)|f.avg_pool1d(x, 2)
f.avg_pool2d(x, 2, divisor_override=0)|f.avg_pool3d(x, 9)|f.adaptive_avg_pool2d(x, -1)|f.adaptive_avg_pool2d(x[0, 0], 2)
f.adaptive_avg_pool2d(x, (2, 3, 4))|f.adaptive_max_pool2d(x, (2, 3, 4))|f.adaptive_max_pool2d(x.long(), 2)
f.max_unpool2d(x, x.long(), 2, output_size=(40, 40))|f.max_unpool2d(x, x, 2)|f.fractional_max_pool2d(x, 2)
f.fractional_max_pool2d(x, 4, 7)|f.interpolate(x)|f.interpolate(x, 3, 2)|f.interpolate(x, (3,))
f.interpolate(x, scale_factor=(3.0,))|f.interpolate(x, 3, align_corners=True)|f.interpolate(x, 3, mode='foo')
f.interpolate(x, 3, mode='linear')|f.interpolate(x, 0)|f.interpolate(x, 3, antialias=True)|f.interpolate(x.long(), 3)
f.interpolate(x, (3.5, 3))|f.grid_sample(x, x[..., :3])|f.grid_sample(x, x[..., :2], 'foo')
f.affine_grid(x[:, 0, :3, :3], (2, 3, 4, 4))|f.pad(x, (1,))|f.pad(x, (1, 1) * 5)|f.pad(x, (8, 1), 'reflect')
f.pad(x, (8, 1, 1, 1), 'reflect')|f.pad(x, (1, 1), 'foo')|f.pad(x, (9, 1, 0, 0), 'circular')
f.pad(x, (1, 1, 1, 1), 'reflect', 3)|f.pad(x, (1.5, 1))|f.pad(x, (1, 1), value='a')|f.unfold(x, 9)|f.fold(x[0], 8, 3)
f.pixel_shuffle(x, 2)|f.pixel_unshuffle(x, 3)|f.channel_shuffle(x, 2)|f.channel_shuffle(x, 0)
f.pixel_shuffle(x[0, 0], 2)
f.batch_norm(x, o[:2], o[:3])|f.batch_norm(x, o[:3], o[:2])|f.batch_norm(x, None, None)
f.batch_norm(x, None, None, o[:2], training=True)|f.batch_norm(x[:1, :, 0, 0], None, None, training=True)
f.batch_norm(x.double(), o[:3], o[:3], o[:3])|f.layer_norm(x, (7,))|f.layer_norm(x, (8,), o[:7])|f.layer_norm(x, ())
f.layer_norm(x, 8)|f.layer_norm(x.double(), (8,), o[:8])|f.layer_norm(x.long(), (8,))|f.group_norm(x, 2)
f.group_norm(x, 3, o[:4])|f.group_norm(x, 0)|f.instance_norm(x[:, :, :1, :1])|f.instance_norm(x, None, None, o[:4])
f.rms_norm(x, (7,))|f.rms_norm(x, (8,), o[:7])|f.local_response_norm(x[0, 0], 2)|f.embedding(i + 9, w)
f.embedding(i - 9, w)|f.embedding(i.float(), w)|f.embedding(i, w, 9)|f.embedding(i, w[0])|f.embedding_bag(i, w)
f.embedding_bag(i, w, i)|f.embedding_bag(i[None], w, i)|f.embedding_bag(i, w, i * 9)|f.embedding_bag(i, w, i, mode='x')
f.embedding_bag(i, w, o[:1].long() * 0, per_sample_weights=w[0, :2])|f.one_hot(i, 1)|f.one_hot(i - 9)
f.one_hot(i.float())
f.one_hot(i[:0])|f.dropout(x, 1.5)|f.dropout(x.long())|f.dropout1d(x)|f.alpha_dropout(x, 2)|f.cosine_similarity(w, o)
f.cosine_similarity(i, i)|f.pairwise_distance(w, o)|f.normalize(x, dim=5)|f.gumbel_softmax(x, dim=5)
f.scaled_dot_product_attention(x, x[..., :3], x)|f.scaled_dot_product_attention(x, x, x, x[0, 0, :2])
f.scaled_dot_product_attention(x, x, x.double())|f.scaled_dot_product_attention(x, x, x, x.double())
f.scaled_dot_product_attention(x[0, 0, 0], x, x)|f.scaled_dot_product_attention(x, x, x, dropout_p=1.5)
mha(x[0], x[0], x[0][:, :2])|mha(x[0], x[0], x[0], attn_mask=w)|mha(x[0], x[0], x[0], is_causal=True)
mha(x[0, 0], x[0], x[0])|mha(x, x, x)|mha(x[0][..., :4], x[0], x[0])|mha(x[0], x[0], x[0], key_padding_mask=w)
""".replace("\n", "|").strip("|").split("|")


@pytest.mark.parametrize("text", ERRORS)
def test_errors(torch, attempt, text):
    x, w, i = numbers(torch, 2, 3, 8, 8).detach(), numbers(torch, 5, 3).detach(), torch.tensor([1, 4])
    scope = {"f": torch.nn.functional, "x": x, "w": w, "i": i, "o": torch.ones(8), "torch": torch,
             "mha": torch.nn.MultiheadAttention(8, 2)}
    error = attempt(eval, text, scope)
    assert isinstance(error, tuple) and error[0] == "raised", f"no error, but {error}"
    return error


# ---- recurrent layers ------------------------------------------------------------------------
OPTIONS = [dict(), dict(bias=False), dict(num_layers=2, bidirectional=True), dict(num_layers=2, batch_first=True),
           dict(num_layers=2, dropout=0.4)]


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("state", [False, True])
def test_recurrent_layers(torch, kind, options, packed, state):
    layer = getattr(torch.nn, kind)(4, 6, **options).double()
    first = options.get("batch_first", False)
    x = numbers(torch, *((3, 5) if first else (5, 3)), 4, dtype="float64")
    inputs = torch.nn.utils.rnn.pack_padded_sequence(x, torch.tensor([3, 5, 1]), first, False) if packed else x
    k = options.get("num_layers", 1) * (1 + options.get("bidirectional", False))
    h = [numbers(torch, k, 3, 6, dtype="float64", seed=i) for i in range(2 if kind == "LSTM" else 1)] if state else []
    y, last = layer(inputs, None if not h else tuple(h) if kind == "LSTM" else h[0])
    y, last = y.data if packed else y, last if isinstance(last, tuple) else (last,)
    return y.detach(), [t.detach() for t in last], gradients(torch, (y, *last), x, *h, *layer.parameters())


@pytest.mark.parametrize("packed", [False, True])
def test_projected_lstm(torch, packed):
    layer = torch.nn.LSTM(4, 6, 2, proj_size=2, bidirectional=True).double()
    x = numbers(torch, 5, 3, 4, dtype="float64")
    inputs = torch.nn.utils.rnn.pack_padded_sequence(x, torch.tensor([5, 3, 3])) if packed else x
    y, last = layer(inputs)
    y = y.data if packed else y
    return y.detach(), [t.detach() for t in last], gradients(torch, (y, *last), x, *layer.parameters())


@pytest.mark.parametrize("name, gates", [("lstm", 4), ("gru", 3), ("rnn_tanh", 1), ("rnn_relu", 1)])
def test_recurrent_functions(torch, name, gates):
    x, hx = numbers(torch, 5, 2, 3).detach(), numbers(torch, 1, 2, 4).detach()
    params = [numbers(torch, *s).detach() for s in ((4 * gates, 3), (4 * gates, 4), (4 * gates,), (4 * gates,))]
    state = (hx, hx * 2) if name == "lstm" else hx
    layer, cell = getattr(torch, name), getattr(torch, name + "_cell")
    step = (hx[0], hx[0]) if name == "lstm" else hx[0]
    rows = torch.tensor([2, 2, 1])
    return (layer(x, state, params, True, 1, 0.0, False, False, False),
            layer(x.reshape(-1, 3)[:5], rows, state, params, True, 1, 0.0, False, False), cell(x[0], step, *params))


# ---- half precision --------------------------------------------------------------------------
HALF = """
f.max_pool2d(x, 2)|f.max_pool2d(x, 3, 1, 1)|f.avg_pool2d(x, 3, 2, 1)|f.adaptive_avg_pool2d(x, 3)
f.interpolate(x, 5, mode='bilinear')|f.pad(x, (1, 1, 1, 1), 'reflect')|f.layer_norm(x, (8,), w[0], w[1])
f.group_norm(x, 3, w[0, :3], w[1, :3])|f.batch_norm(x, None, None, w[0, :3], w[1, :3], True)|f.rms_norm(x, (8,), w[0])
f.embedding(torch.tensor([1, 2, 1]), w)|f.scaled_dot_product_attention(x, x, x)|f.unfold(x, 2)|f.gelu(x) * 0.5 + x ** 3
f.normalize(x)|f.cosine_similarity(w, w + 1)|f.linear(x, w, w[0])|f.mse_loss(w, w * 0.3)
""".replace("\n", "|").strip("|").split("|")


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("text", HALF)
def test_gradients_in_half_precision(torch, text, dtype):
    """Gradients have the dtype of their inputs, and are about those of float64."""
    def result(dtype, *given):
        x, w = given or (numbers(torch, 2, 3, 8, 8, dtype=dtype), numbers(torch, 8, 8, dtype=dtype))
        y = eval(text, {"f": torch.nn.functional, "x": x, "w": w, "torch": torch})
        return (x, w), (y, *torch.autograd.grad((y * 0.1).sum(), [x, w], allow_unused=True))

    inputs, half = result(dtype)
    _, exact = result("", *[t.detach().double().requires_grad_() for t in inputs])
    near = [None if h is None else bool(((h.double() - e).abs() < 0.04 * (0.5 + e.abs())).all())
            for h, e in zip(half, exact)]
    return [None if h is None else str(h.dtype) for h in half], near
