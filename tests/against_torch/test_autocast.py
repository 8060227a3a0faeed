"""Networks under torch.autocast("cpu"): dtypes, names of nodes, values and gradients as PyTorch's.

bfloat16 has 8 bits: what went through several layers of it agrees to about 2 %, so such results are compared in
float32 after rounding to one figure less.
"""
import pytest


def grads(torch, module, loss):
    loss.backward()
    return [coarse(torch, p.grad) for p in module.parameters()]


def coarse(torch, x):
    """As a part of the largest, to be compared as closely as the last bits of bfloat16 allow; with dtype and size."""
    scale = x.detach().float().abs().max().clamp(min=1e-6)
    return "coarse", str(x.dtype), x.detach().float() / scale


def test_one_product_and_its_graph(torch):
    w, x = torch.full((3, 2), 0.3, requires_grad=True), torch.arange(6.0).view(2, 3)
    with torch.autocast("cpu"):
        y = x @ w
        z = torch.nn.functional.mse_loss(y, torch.ones(2, 2))
    z.backward()
    return y, z, w.grad, type(y.grad_fn.next_functions[1][0]).__name__


def test_perceptron(torch):
    net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.GELU(), torch.nn.LayerNorm(8), torch.nn.Linear(8, 3))
    x = torch.randn(6, 4)
    with torch.autocast("cpu"):
        out = net(x)
        loss = torch.nn.functional.cross_entropy(out, torch.tensor([0, 1, 2, 0, 1, 2]))
    return out.dtype == torch.bfloat16, coarse(torch, out), coarse(torch, loss), grads(torch, net, loss)


def test_convolutions(torch):
    net = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
                              torch.nn.Flatten(), torch.nn.Linear(36, 3))
    x = torch.randn(2, 1, 8, 8)
    with torch.autocast("cpu"):
        loss = torch.nn.functional.nll_loss(net(x).log_softmax(1), torch.tensor([0, 2]))
    return coarse(torch, loss), [d for d, _ in grads(torch, net, loss)]


def test_attention_layer(torch):
    layer = torch.nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
    x = torch.randn(2, 5, 8)
    with torch.autocast("cpu"):
        y = layer(x)
    loss = y.float().pow(2).mean()
    return str(y.dtype), coarse(torch, y), [d for d, _ in grads(torch, layer, loss)]


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_recurrent(torch, kind):
    """A GRU is computed in float32 altogether; PyTorch's has products in bfloat16 and also gives float32."""
    net = getattr(torch.nn, kind)(3, 4)
    with torch.autocast("cpu"):
        y, _ = net(torch.randn(5, 2, 3))
    return str(y.dtype) if kind == "GRU" else coarse(torch, y), [d for d, _ in grads(torch, net, y.float().sum())]


PROGRAMS = {
    "matrix": lambda t, h, f: [f @ f, t.mm(h, f), t.addmm(f, h, f), t.mv(h, h[0]), t.dot(f[0], f[0]), f @ f[0]],
    "batched": lambda t, h, f: [t.bmm(h[None], f[None]), t.baddbmm(f[None], h[None], f[None]), t.matmul(h[None, None], f)],
    "composed": lambda t, h, f: [t.tensordot(f, f, dims=1), t.einsum("ij,kj->ik", f, f), t.linalg.multi_dot([f, f, f]),
                                 t.outer(f[0], f[0]), t.kron(h, h), t.cov(f)],
    "losses": lambda t, h, f: [getattr(t.nn.functional, n)(h, f) for n in (
        "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "kl_div", "soft_margin_loss", "poisson_nll_loss",
        "binary_cross_entropy_with_logits", "hinge_embedding_loss")],
    "reductions": lambda t, h, f: [h.sum(), h.prod(), h.mean(), h.norm(), h.trace(), h.std(), h.quantile(0.5),
                                   h.cumsum(0), h.logsumexp(0), h.var(), h.max()],
    "activations": lambda t, h, f: [getattr(t.nn.functional, n)(h) for n in (
        "relu", "gelu", "silu", "softplus", "elu", "mish", "hardtanh", "sigmoid", "tanh")],
    "arithmetic": lambda t, h, f: [h + f, h * 2, h.exp(), h.pow(2), f.pow(2), h.sqrt(), h / f, h.log(), h.where(h > 1, f)],
    "joins": lambda t, h, f: [t.cat([h, f]), t.stack([h, f]), h.index_copy(0, t.tensor([0]), f[:1])],
    "padding": lambda t, h, f: [t.nn.functional.pad(h[None], (1, 1), mode=m) for m in ("reflect", "replicate", "constant")],
    "special": lambda t, h, f: [t.cdist(h, h), t.linalg.inv(h), t.linalg.svdvals(h), t.linalg.cholesky(h), t.fft.rfft(h).real,
                                t.linalg.norm(h), t.linalg.solve(h, h)],
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_dtypes_of_results(torch, name):
    f = torch.tensor([[1.5, 0.5], [0.5, 1.25]])
    with torch.autocast("cpu"):
        return [(str(y.dtype), coarse(torch, y)[1]) for y in PROGRAMS[name](torch, f.bfloat16(), f)]


def test_switches(torch):
    seen = []
    with torch.autocast("cpu"):
        seen.append((torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu"), torch.is_autocast_cache_enabled()))
        with torch.autocast("cpu", enabled=False):
            seen.append((torch.is_autocast_enabled("cpu"), (torch.ones(2, 2) @ torch.ones(2, 2)).dtype))
        with torch.autocast("cpu", dtype=torch.float16, cache_enabled=False):
            seen.append(((torch.ones(2, 2) @ torch.ones(2, 2)).dtype, torch.is_autocast_cache_enabled()))
    seen.append((torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu"), torch.is_autocast_enabled()))
    return [[str(v) for v in row] for row in seen]
