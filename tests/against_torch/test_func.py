"""torch.func: transforms and their nesting: programs run with PyTorch and with kobai."""
import pytest

pytest.importorskip("torch")


# ------------------------------------------------------------------- grad, vjp, jvp
def test_grad(torch):
    g = torch.func.grad
    x, y = torch.tensor(2.0), torch.tensor(3.0)

    def f(x, y):
        return x ** 3 * y
    return [g(f)(x, y), g(f, argnums=1)(x, y), g(f, argnums=(0, 1))(x, y), g(f, argnums=-1)(x, y), g(g(f))(x, y),
            g(lambda x, k=2: x ** k)(x, k=3), g(lambda d: d["a"] * d["b"][0])({"a": x, "b": [y]}),
            torch.func.grad_and_value(f)(x, y), g(lambda x: (x ** 2, {"aux": x + 1}), has_aux=True)(x),
            torch.func.grad_and_value(lambda x: (x ** 2, x + 1), has_aux=True)(x), g(torch.sin)(x).requires_grad]


def test_grad_errors(torch, attempt):
    g = torch.func.grad
    x = torch.ones(2)
    return [attempt(g(lambda x: x), x), attempt(g(lambda x: 3.0), x.sum()), attempt(g(lambda x: (x.sum(), 1)), x),
            attempt(g(lambda x: x.sum(), argnums=1), x), attempt(g(lambda x: x.sum()), 3.0)]


def test_grad_of_what_does_not_depend(torch):
    x = torch.tensor(2.0)
    return torch.func.grad(lambda x: torch.ones(()))(x), torch.func.grad(lambda x: x.detach() * x)(x), \
        torch.func.grad(lambda a, b: a * 2, argnums=(0, 1))(x, x)


def test_grad_sees_outer_graphs(torch):
    w = torch.tensor(3.0, requires_grad=True)
    g = torch.func.grad(lambda x: w * x ** 2)(torch.tensor(2.0))
    g.backward()
    return g.detach(), w.grad


def test_no_grad_inside_and_outside(torch):
    x = torch.tensor(2.0)

    def inside(x):
        with torch.no_grad():
            c = x ** 2
        return x * c
    with torch.no_grad():
        outer = torch.func.grad(lambda x: x ** 3)(x)
    return torch.func.grad(inside)(x), outer


def test_vjp(torch, attempt):
    vjp = torch.func.vjp
    x, y = torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0])
    out, back = vjp(lambda x, y: (x * y, {"s": (x + y).sum()}), x, y)
    a = back((torch.ones(2), {"s": torch.tensor(2.0)}))
    out2, back2 = vjp(torch.sin, x)
    out3, back3, aux = vjp(lambda x: (x ** 2, x + 1), x, has_aux=True)
    return out, a, out2, back2(torch.ones(2)), back2(y), out3, back3(y), aux, \
        attempt(back2, torch.ones(3)), attempt(vjp, lambda x: 3, x)


def test_jvp(torch, attempt):
    jvp = torch.func.jvp
    x, y = torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0])
    return [jvp(torch.sin, (x,), (y,)), jvp(lambda x, y: (x * y, x.sum()), (x, y), (y, x)),
            jvp(lambda x: (x ** 2, x + 1), (x,), (y,), has_aux=True), jvp(lambda x: torch.ones(3), (x,), (y,)),
            jvp(lambda d: d["a"] * 2, ({"a": x},), ({"a": y},)), attempt(jvp, torch.sin, x, y),
            attempt(jvp, torch.sin, (x,), (torch.ones(3),)), attempt(jvp, torch.sin, (x, y), (y,)),
            jvp(lambda x: jvp(torch.sin, (x,), (y,))[1], (x,), (y,))]


def test_linearize(torch):
    x = torch.tensor([1.0, 2.0])
    out, f = torch.func.linearize(lambda x: x.sin() * x, x)
    return out, f(torch.ones(2)), f(x)


# ------------------------------------------------------------------- nesting
def nestings():
    return ["grad grad", "jvp grad", "grad jvp", "vmap grad", "grad vmap", "vmap vmap", "vmap jvp", "jvp vmap",
            "jacrev jacfwd", "jacfwd jacrev", "jacrev jacrev", "jacfwd jacfwd", "vmap jacrev", "vmap hessian",
            "vmap grad grad", "grad vmap grad", "jvp vmap grad", "vmap vjp", "vjp vmap", "grad grad grad", "vmap jvp grad"]


@pytest.mark.parametrize("order", nestings())
def test_nesting(torch, order):
    x = torch.randn(3, 4)

    def f(v):
        return (v.sin() * v[..., :1].exp()).sum() if order.split()[-1] != "vmap" else v.sin() * v.exp()
    fns = {
        "grad": lambda f: torch.func.grad(lambda v: f(v).sum()),
        "jvp": lambda f: lambda v: torch.func.jvp(f, (v,), (v * 2,))[1],
        "vmap": lambda f: lambda v: torch.func.vmap(f)(v),
        "jacrev": torch.func.jacrev, "jacfwd": torch.func.jacfwd, "hessian": torch.func.hessian,
        "vjp": lambda f: lambda v: (lambda out, back: back(torch.ones_like(out) * 2)[0])(*torch.func.vjp(f, v)),
    }
    for name in reversed(order.split()):
        f = fns[name](f)
    return f(x)


def test_hessian_and_jacobians(torch):
    x, y = torch.randn(3), torch.randn(2)

    def f(x, y):
        return (x ** 2).sum() * y.exp(), x * y.sum()
    fn = torch.func
    return [fn.jacrev(f)(x, y), fn.jacrev(f, argnums=(0, 1))(x, y), fn.jacfwd(f, argnums=1)(x, y),
            fn.jacfwd(f, argnums=(0, 1))(x, y), fn.hessian(lambda x: (x ** 3).sum())(x),
            fn.hessian(lambda x, y: (x.sum() * y ** 2).sum(), argnums=(0, 1))(x, y),
            fn.jacrev(lambda x: (x ** 2, x.sum()), has_aux=True)(x), fn.jacfwd(lambda x: (x ** 2, x.sum()), has_aux=True)(x),
            fn.jacrev(lambda x: {"a": x * 2, "b": [x.sum()]})(x), fn.jacfwd(lambda x: {"a": x * 2, "b": [x.sum()]})(x),
            fn.jacrev(lambda d: d["p"] * d["q"])({"p": x, "q": x + 1}), fn.jacrev(torch.sin, chunk_size=2)(x),
            fn.jacrev(lambda x: torch.ones(2))(x)]


# ------------------------------------------------------------------- vmap
def test_in_and_out_dims(torch):
    v = torch.func.vmap
    x, y = torch.randn(2, 3, 4), torch.randn(3, 4)

    def f(a, b):
        return a * b, a.sum(), {"m": a @ b if a.ndim == 1 else a}
    return [v(f, in_dims=(1, 0))(x, y), v(f, in_dims=(1, None))(x, y[0]), v(f, in_dims=(-1, -1))(x, y),
            v(f, in_dims=(1, 0), out_dims=(1, 0, {"m": 0}))(x, y), v(torch.sin, out_dims=-1)(x),
            v(torch.sin, out_dims=1)(x), v(lambda d, k: d["a"] * d["b"] + k, in_dims=({"a": 0, "b": None}, None))(
                {"a": y, "b": y[0]}, 3), v(lambda t: t[0] + t[1])((y, y)), v(lambda t: t[0] + t[1], in_dims=((0, None),))((y, y[0])),
            v(v(torch.dot))(x, x), v(v(torch.mul, in_dims=(None, 0)), in_dims=(0, None))(y, y[:, :]),
            v(lambda x, *, s: x * s)(y, s=2.0), v(lambda a: (a, [a]))(y), v(lambda a: torch.ones(2))(y),
            v(lambda x: x.sum(), chunk_size=2)(y), v(lambda x: (x, x.sum()), out_dims=(1, 0), chunk_size=2)(y)]


def test_vmap_errors(torch, attempt):
    v = torch.func.vmap
    x, y = torch.ones(2, 3), torch.ones(3)
    return [attempt(v(torch.mul), x, y), attempt(v(torch.sin, in_dims=None), x), attempt(v(torch.sin, in_dims=2), x),
            attempt(v(lambda x: 3), x), attempt(v(lambda x: x.item()), y), attempt(v(lambda x: x if x > 0 else -x), y),
            attempt(v(torch.mul, in_dims=(0,)), x, x), attempt(v(torch.sin), 3), attempt(v(torch.sin), torch.tensor(1.0)),
            attempt(v(lambda: torch.ones(2))), attempt(v(torch.sin, in_dims=(0.5,)), x),
            attempt(v(torch.sin, out_dims=(0, 1)), x), attempt(v(torch.sin, in_dims=[0]), x),
            attempt(lambda: v(torch.sin, randomness="foo")(x)), attempt(lambda: v(torch.sin, chunk_size=0)(x))]


def test_randomness(torch, attempt):
    v = torch.func.vmap
    x = torch.zeros(3)
    same = v(lambda x: x + torch.randn(2), randomness="same")(x)
    different = v(lambda x: x + torch.randn(2), randomness="different")(x)
    drop = v(lambda x: torch.nn.functional.dropout(x + torch.ones(50), 0.5), randomness="different")(x)
    drop_same = v(lambda x: torch.nn.functional.dropout(x + torch.ones(50), 0.5), randomness="same")(x)
    return bool((same[0] == same[1]).all()), bool((different[0] == different[1]).any()), same.shape, different.shape, \
        bool((drop[0] == drop[1]).all()), bool((drop_same[0] == drop_same[1]).all()), \
        attempt(v(lambda x: x + torch.randn(2)), x), attempt(v(lambda x: torch.nn.functional.dropout(x, 0.5)), x), \
        attempt(v(lambda x: torch.rand_like(x)), x)


OPS = {
    "index": lambda x, t: x[0] + x[-1], "slice": lambda x, t: x[1:, ::2], "ellipsis": lambda x, t: x[..., 1],
    "newaxis": lambda x, t: x[None, :, None], "list": lambda x, t: x[[0, 2]], "mask where": lambda x, t: t.where(x > 0, x, -x),
    "gather": lambda x, t: x.gather(1, t.tensor([[0, 1], [1, 0], [2, 2]])), "take": lambda x, t: x.take(t.tensor([0, 3])),
    "index_select": lambda x, t: x.index_select(0, t.tensor([2, 0])), "cumsum": lambda x, t: x.cumsum(1),
    "softmax": lambda x, t: x.softmax(-1), "log_softmax": lambda x, t: x.log_softmax(0), "logsumexp": lambda x, t: x.logsumexp(1),
    "sum": lambda x, t: x.sum(), "mean": lambda x, t: x.mean(0), "var": lambda x, t: x.var(1), "std": lambda x, t: x.std(),
    "max": lambda x, t: x.max(), "max dim": lambda x, t: x.max(1), "amax": lambda x, t: x.amax(0), "argmax": lambda x, t: x.argmax(1),
    "sort": lambda x, t: x.sort(1), "topk": lambda x, t: x.topk(2, 1), "prod": lambda x, t: x.prod(1), "norm": lambda x, t: x.norm(),
    "matmul": lambda x, t: x @ x.T, "mv": lambda x, t: x @ x[0], "outer": lambda x, t: t.outer(x[0], x[1]),
    "einsum": lambda x, t: t.einsum("ij,kj->ik", x, x), "bmm": lambda x, t: t.bmm(x[None], x.T[None]),
    "reshape": lambda x, t: x.reshape(-1), "view": lambda x, t: x.view(4, 3), "permute": lambda x, t: x.permute(1, 0),
    "flatten": lambda x, t: x.flatten(), "squeeze": lambda x, t: x[:1].squeeze(0), "expand": lambda x, t: x[:1].expand(5, 4),
    "repeat": lambda x, t: x.repeat(2, 1), "flip": lambda x, t: x.flip(0), "roll": lambda x, t: x.roll(1, 0),
    "cat": lambda x, t: t.cat([x, x + 1]), "stack": lambda x, t: t.stack([x, x]), "split": lambda x, t: x.split(2, 1),
    "chunk": lambda x, t: x.chunk(2, 1)[1], "unbind": lambda x, t: x.unbind(0)[1], "tril": lambda x, t: x.tril(),
    "diag": lambda x, t: x[:3, :3].diagonal(), "trace": lambda x, t: x[:3, :3].trace(), "clamp": lambda x, t: x.clamp(-1, 1),
    "pow": lambda x, t: x ** 2, "unfold": lambda x, t: x.unfold(1, 2, 1), "masked_fill": lambda x, t: x.masked_fill(x > 0, 0.0),
    "one_hot": lambda x, t: t.nn.functional.one_hot(x.argmax(1), 4), "pad": lambda x, t: t.nn.functional.pad(x, (1, 1)),
    "layer_norm": lambda x, t: t.nn.functional.layer_norm(x, (4,)), "relu": lambda x, t: t.relu(x), "gelu": lambda x, t: t.nn.functional.gelu(x),
    "linear": lambda x, t: t.nn.functional.linear(x, x), "cross_entropy": lambda x, t: t.nn.functional.cross_entropy(x, t.tensor([0, 1, 2])),
    "mse": lambda x, t: t.nn.functional.mse_loss(x, x + 1), "nll": lambda x, t: t.nn.functional.nll_loss(x, t.tensor([0, 1, 2])),
    "conv1d": lambda x, t: t.nn.functional.conv1d(x[None], x[None, :, :2]),
    "max_pool": lambda x, t: t.nn.functional.max_pool1d(x[None], 2), "avg_pool": lambda x, t: t.nn.functional.avg_pool1d(x[None], 2),
    "adaptive": lambda x, t: t.nn.functional.adaptive_avg_pool1d(x[None], 2), "where scalar": lambda x, t: t.where(x > 0, 1.0, x),
    "zeros_like": lambda x, t: t.zeros_like(x), "new_zeros": lambda x, t: x.new_zeros(2), "eye": lambda x, t: t.eye(3) @ x,
    "inverse": lambda x, t: t.linalg.inv(x[:3, :3]), "det": lambda x, t: t.det(x[:3, :3]),
    "solve": lambda x, t: t.linalg.solve(x[:3, :3], x), "cdist": lambda x, t: t.cdist(x, x), "logical": lambda x, t: (x > 0) & (x < 1),
    "type": lambda x, t: x.double().sum(), "int": lambda x, t: x.long(), "scatter": lambda x, t: x.scatter(1, t.tensor([[0], [1], [2]]), 9.0),
    "index_add": lambda x, t: x.index_add(0, t.tensor([0, 1]), x[:2]), "embedding": lambda x, t: t.nn.functional.embedding(t.tensor([0, 2]), x),
    "interpolate": lambda x, t: t.nn.functional.interpolate(x[None], scale_factor=2), "attention": lambda x, t:
        t.nn.functional.scaled_dot_product_attention(x[None], x[None], x[None]), "any": lambda x, t: (x > 0).any(1),
    "count": lambda x, t: (x > 0).sum(), "median": lambda x, t: x.median(1), "cumprod": lambda x, t: x.cumprod(0), "dist": lambda x, t: t.dist(x, x * 2),
    "meshgrid": lambda x, t: t.meshgrid(x[0], x[1], indexing="ij")[0], "tensordot": lambda x, t: t.tensordot(x, x, dims=([1], [1])),
    "kron": lambda x, t: t.kron(x[:2, :2], x[:2, :2]), "cross": lambda x, t: t.linalg.cross(x[:, :3], x[:, 1:]), "lerp": lambda x, t: t.lerp(x, x + 1, 0.3),
    "group_norm": lambda x, t: t.nn.functional.group_norm(x[None], 3), "batch_norm": lambda x, t: t.nn.functional.batch_norm(
        x[None].transpose(0, 1).reshape(1, 3, 4), t.zeros(3), t.ones(3)), "bce": lambda x, t: t.nn.functional.binary_cross_entropy_with_logits(x, (x > 0).float()),
    "unflatten": lambda x, t: x.unflatten(1, (2, 2)), "movedim": lambda x, t: x.movedim(0, 1), "narrow": lambda x, t: x.narrow(1, 1, 2),
    "atleast": lambda x, t: t.atleast_3d(x), "broadcast": lambda x, t: t.broadcast_to(x[0], (3, 4)), "diff": lambda x, t: t.diff(x), "aminmax": lambda x, t: x.aminmax(dim=1),
}


@pytest.mark.parametrize("name", OPS)
@pytest.mark.parametrize("in_dim", [0, 1])
def test_vmap_of(torch, name, in_dim):
    x = torch.randn(2, 3, 4) + 0.1
    f = OPS[name]
    v = torch.func.vmap(lambda x: f(x, torch), in_dims=in_dim)
    out = v(x.movedim(0, in_dim))
    if not hasattr(out, "dtype"):
        return [o.detach() for o in out]
    if in_dim == 0 and out.is_floating_point() and name not in ("zeros_like", "new_zeros"):
        g = torch.func.vmap(torch.func.grad(lambda x: f(x, torch).sum()))(x)
        return out, g
    return out


def test_in_place_and_views(torch):
    v = torch.func.vmap
    x = torch.randn(3, 4)

    def zero_first(x):
        y = x.clone()
        y[0] = 0
        y[1:3].mul_(2)
        y += 1
        return y

    def fill(x):
        out = torch.zeros_like(x)
        for i in range(4):
            out[i] = x[i] * i
        return out

    def view(x):
        y = x * 1
        y.view(2, 2).t()[0].exp_()
        return y
    return [v(zero_first)(x), v(fill)(x), v(view)(x), v(torch.func.grad(lambda x: fill(x).sum()))(x),
            v(torch.func.grad(lambda x: view(x).sum()))(x), torch.func.grad(lambda x: v(zero_first)(x).sum())(x),
            torch.func.jvp(lambda x: v(fill)(x), (x,), (x,))]


def test_batch_of_indices(torch):
    x, i = torch.randn(5, 4), torch.tensor([0, 3, 3])
    v = torch.func.vmap
    return [v(lambda i: x[i])(i), v(lambda i: x[:, i % 4])(i), v(lambda r, i: r[i % 4], in_dims=(0, 0))(x[:3], i),
            v(lambda i: x.index_select(0, i.reshape(1)))(i), v(lambda i: torch.nn.functional.embedding(i, x))(i),
            v(lambda i: x.gather(0, i.expand(1, 4)))(i), v(lambda i: torch.nn.functional.one_hot(i, 5))(i),
            v(lambda r, i: torch.nn.functional.cross_entropy(r, i % 4))(x[:3], i)]


# ------------------------------------------------------------------- modules
def test_per_sample_gradients_of_an_mlp(torch):
    m = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.Tanh(), torch.nn.Linear(5, 2))
    params = {k: v.detach() for k, v in m.named_parameters()}
    x, y = torch.randn(4, 3), torch.tensor([0, 1, 1, 0])

    def loss(params, x, y):
        out = torch.func.functional_call(m, params, (x.unsqueeze(0),))
        return torch.nn.functional.cross_entropy(out, y.unsqueeze(0))
    return torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0, 0))(params, x, y)


def test_per_sample_gradients_of_a_cnn(torch):
    m = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3, padding=1), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
                            torch.nn.Conv2d(2, 3, 3, stride=2), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(3, 2))
    params = {k: v.detach() for k, v in m.named_parameters()}
    x, y = torch.randn(3, 1, 6, 6), torch.tensor([0, 1, 1])

    def loss(params, x, y):
        out = torch.func.functional_call(m, params, (x.unsqueeze(0),))
        return torch.nn.functional.cross_entropy(out, y.unsqueeze(0))
    return torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0, 0))(params, x, y)


def test_ensemble(torch):
    models = [torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2)) for _ in range(3)]
    params, buffers = torch.func.stack_module_state(models)
    x = torch.randn(5, 3)

    def call(p, b, x):
        return torch.func.functional_call(models[0], (p, b), (x,))
    out = torch.func.vmap(call, in_dims=(0, 0, None))(params, buffers, x)
    out.sum().backward()
    return out.detach(), {k: (p.requires_grad, p.is_leaf, p.grad) for k, p in params.items()}


def test_batch_norm_eval_and_lstm(torch):
    bn = torch.nn.BatchNorm1d(3).eval()
    x = torch.randn(4, 5, 3)
    return torch.func.vmap(bn)(x).detach()


def test_functional_call(torch, attempt):
    m = torch.nn.Linear(2, 1)
    p = {"weight": torch.ones(1, 2), "bias": torch.zeros(1)}
    x = torch.ones(3, 2)
    g = torch.func.grad(lambda p: torch.func.functional_call(m, p, x).sum())(p)
    return torch.func.functional_call(m, p, (x,)), g, torch.func.functional_call(m, {"weight": p["weight"]}, x).shape, \
        attempt(torch.func.functional_call, m, {"nope": p["weight"]}, x), m.weight.requires_grad, \
        torch.func.functional_call(m, p, None, {"input": x})


def test_jvp_through_a_network(torch):
    m = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2), torch.nn.GELU(), torch.nn.MaxPool2d(2),
                            torch.nn.Flatten(), torch.nn.LayerNorm(8), torch.nn.Linear(8, 3), torch.nn.LogSoftmax(1)).eval()
    x, t = torch.randn(2, 1, 6, 6), torch.randn(2, 1, 6, 6)
    a, b = torch.func.jvp(m, (x,), (t,))
    return a.detach(), b.detach()


def test_maml(torch):
    w, xs, ys = torch.tensor(0.5), torch.randn(3, 4), torch.randn(3, 4)

    def loss(w, x, y):
        return ((w * x - y) ** 2).mean()

    def adapted(w, x, y):
        return loss(w - 0.1 * torch.func.grad(loss)(w, x, y), x, y)
    return torch.func.grad(lambda w: torch.func.vmap(adapted, in_dims=(None, 0, 0))(w, xs, ys).mean())(w)


def test_ntk(torch):
    m = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
    p = {k: v.detach() for k, v in m.named_parameters()}
    x = torch.randn(4, 3)
    j = torch.func.vmap(torch.func.jacrev(lambda p, x: torch.func.functional_call(m, p, x)), (None, 0))(p, x)
    return sum(torch.einsum("naf,maf->nm", a.flatten(2), a.flatten(2)) for a in j.values())


def test_replace_all_batch_norm(torch):
    m = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    torch.func.replace_all_batch_norm_modules_(m)
    x = torch.randn(4, 5, 2)
    return torch.func.vmap(m)(x).detach(), m[1].track_running_stats, m[1].running_mean


def test_names(torch):
    return sorted(n for n in ("grad", "vjp", "jvp", "vmap", "jacrev", "jacfwd", "hessian", "functional_call", "linearize",
                              "stack_module_state", "grad_and_value", "functionalize",
                              "replace_all_batch_norm_modules_") if hasattr(torch.func, n)), torch.vmap is torch.func.vmap
