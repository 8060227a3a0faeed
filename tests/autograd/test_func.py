"""torch.func: transforms and their nesting. Expected numbers are worked out by hand or computed without transforms."""
import numpy as np
import pytest

import kobai
import kobai.nn.functional as F
from kobai import func, nn
from kobai.autograd.batched import Batched

X = kobai.tensor([1.0, 2.0, 3.0])


@pytest.fixture
def no_loops(monkeypatch):
    """Fail where vmap has to take one example after the other."""
    def loop(self, op, values, size):
        raise AssertionError(f"{type(op).__name__} has no batch rule")
    monkeypatch.setattr(Batched, "_loop", loop)


# ------------------------------------------------------------------- what results are attached to
def test_results_belong_to_no_graph_unless_something_outside_is_recorded():
    assert not func.grad(kobai.sin)(X[0]).requires_grad
    assert not func.vjp(kobai.sin, X)[0].requires_grad
    assert not func.jacrev(kobai.sin)(X).requires_grad
    assert not func.hessian(lambda x: (x ** 3).sum())(X).requires_grad
    value, aux = func.grad(lambda x: ((x ** 2).sum(), x * 2), has_aux=True)(X)
    assert not aux.requires_grad
    params = {"w": kobai.ones(3)}
    assert not func.vmap(func.jacrev(lambda p, x: p["w"] * x), (None, 0))(params, kobai.ones(2, 3))["w"].requires_grad


def test_what_is_around_is_recorded():
    w = kobai.tensor(3.0, requires_grad=True)
    g = func.grad(lambda x: w * x ** 2)(kobai.tensor(2.0))
    g.backward()
    assert (g.item(), w.grad.item()) == (12.0, 4.0)
    x = kobai.tensor([1.0, 2.0], requires_grad=True)
    func.vmap(func.grad(lambda x: x ** 3))(x).sum().backward()
    assert x.grad.tolist() == [6.0, 12.0]
    with kobai.no_grad():
        assert not func.grad(lambda x: w * x)(w).requires_grad


def test_detach_cuts_at_every_level():
    assert func.grad(lambda x: x.detach() * x)(X[1]).item() == 2.0
    assert func.jvp(lambda x: x.detach() * x, (X,), (X,))[1].tolist() == [1.0, 4.0, 9.0]
    w = kobai.tensor([1.0, 2.0], requires_grad=True)
    assert not func.vmap(lambda x: x.detach() * 2)(w).requires_grad


def test_levels_are_not_confused():
    """d/dx (x * d/dy (x + y)) = 1: a tangent of one level must not count in another."""
    def f(x):
        return x * func.jvp(lambda y: x + y, (kobai.tensor(1.0),), (kobai.tensor(1.0),))[1]
    assert func.jvp(f, (kobai.tensor(2.0),), (kobai.tensor(1.0),))[1].item() == 1.0
    assert func.grad(f)(kobai.tensor(2.0)).item() == 1.0


# ------------------------------------------------------------------- nesting
def third(f):
    return func.grad(func.grad(func.grad(f)))


@pytest.mark.parametrize("derivative", [
    third, lambda f: func.grad(lambda x: func.jvp(func.grad(f), (x,), (kobai.tensor(1.0),))[1]),
    lambda f: func.jacfwd(func.jacrev(func.jacfwd(f))), lambda f: func.jacrev(func.hessian(f)),
    lambda f: lambda x: func.vmap(third(f))(x.reshape(1))[0], lambda f: func.grad(lambda x: func.vmap(
        func.hessian(f))(x.reshape(1)).sum())])
def test_third_derivative_in_many_ways(derivative):
    assert derivative(lambda x: x ** 5)(kobai.tensor(2.0)).item() == 60 * 4


def test_hessian_product_of_a_batch():
    x, v = kobai.randn(4, 3), kobai.randn(4, 3)

    def hvp(x, v):
        return func.jvp(func.grad(lambda x: (x ** 3).sum() * x[0]), (x,), (v,))[1]
    found = func.vmap(hvp)(x, v)
    for i in range(4):
        h = kobai.autograd.functional.hessian(lambda x: (x ** 3).sum() * x[0], x[i])
        assert kobai.allclose(found[i], h @ v[i], rtol=1e-4, atol=1e-5)


# ------------------------------------------------------------------- vmap
def test_trees_in_and_out():
    def f(d, k):
        return {"sum": d["a"] + d["b"][0], "k": (d["a"] * k,)}
    a, b = kobai.arange(6.0).view(2, 3), kobai.arange(3.0)
    out = func.vmap(f, in_dims=({"a": 1, "b": [0]}, None), out_dims={"sum": 0, "k": 1})({"a": a, "b": [b]}, 2)
    assert out["sum"].tolist() == [[0, 3], [2, 5], [4, 7]]
    assert out["k"][0].tolist() == (a * 2).tolist()


def test_randomness():
    x = kobai.zeros(3)
    with pytest.raises(RuntimeError, match="vmap: called random operation while in randomness error mode"):
        func.vmap(lambda x: x + kobai.rand(2))(x)
    for draw in (lambda x: x + kobai.rand(20), lambda x: nn.functional.dropout(x + kobai.ones(20), 0.5),
                 lambda x: kobai.bernoulli(kobai.full((20,), 0.5) + x), lambda x: (x + kobai.ones(20)).uniform_()):
        a, b, c = func.vmap(draw, randomness="different")(x)
        assert not a.equal(b) and not b.equal(c)
        if draw(x[0]).sum() > 0:
            a, b, c = func.vmap(lambda x, draw=draw: x + draw(kobai.zeros(())), randomness="same")(x)
            assert a.equal(b) and b.equal(c)


def test_changes_in_place_and_views(no_loops):
    def f(x):
        y = x.clone()
        y[0] = 0
        y[1:].mul_(x[1])
        y.view(3, 1)[2] += 1
        y[x > 2.5] = 7.0
        return y
    found = func.vmap(f)(kobai.stack([X, X * 2]))
    assert found.tolist() == [f(X).tolist(), f(X * 2).tolist()]


@pytest.mark.parametrize("f", [
    lambda x, i: x[i], lambda x, i: x[:, i], lambda x, i: x[:, i[:, None], i], lambda x, i: x[i, :, i],
    lambda x, i: kobai.zeros_like(x).index_put((i,), x[:2]), lambda x, i: x.index_add(1, i, x[:, :2]),
    lambda x, i: x.index_copy(0, i, x[1:]), lambda x, i: x.index_fill(2, i, 5.0), lambda x, i: x.index_select(1, i),
    lambda x, i: x.take(i), lambda x, i: nn.functional.embedding(i, x[0]), lambda x, i: x.gather(1, i.view(1, 2, 1)),
    lambda x, i: nn.functional.cross_entropy(x[0, :2], i), lambda x, i: x.roll(1), lambda x, i: x[0].trace()])
def test_positions_of_each_example(no_loops, f):
    x = kobai.randn(4, 3, 3, 3)
    i = kobai.tensor([[0, 2], [1, 0], [2, 1], [2, 0]])
    for a, b in ((x, i), (x, i[0]), (x[0], i)):
        dims = (0 if a is x else None, 0 if b is i else None)
        found = func.vmap(f, in_dims=dims)(a, b)
        grads = func.vmap(func.grad(lambda x, i: (f(x, i) ** 2).sum()), in_dims=dims)(a, b)
        for k in range(4):
            xk, ik = (a[k] if a is x else a).clone().requires_grad_(), b[k] if b is i else b
            y = f(xk, ik)
            assert kobai.allclose(found[k], y, atol=1e-6)
            (y ** 2).sum().backward()
            assert kobai.allclose(grads[k], xk.grad, atol=1e-5)


# ------------------------------------------------------------------- modules
NETWORKS = {
    "mlp": (lambda: nn.Sequential(nn.Linear(8, 4), nn.LayerNorm(4), nn.Tanh(), nn.Linear(4, 3)), (8,)),
    "cnn": (lambda: nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), nn.GroupNorm(2, 4), nn.ReLU(), nn.MaxPool2d(2),
                                  nn.Conv2d(4, 6, 2, groups=2), nn.GELU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(6, 3)),
            (2, 6, 6)),
    "eval": (lambda: nn.Sequential(nn.Conv1d(2, 4, 3), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout(), nn.Flatten(),
                                   nn.Linear(8, 3)).eval(), (2, 4)),
    "transposed": (lambda: nn.Sequential(nn.ConvTranspose1d(2, 4, 3, stride=2), nn.Flatten(), nn.Linear(36, 3)), (2, 4)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_per_sample_gradients(no_loops, name):
    make, shape = NETWORKS[name]
    model = make()
    params = {k: p.detach() for k, p in model.named_parameters()}
    x, t = kobai.randn(5, *shape), kobai.tensor([0, 1, 2, 1, 0])

    def loss(params, x, t):
        return nn.functional.cross_entropy(func.functional_call(model, params, (x[None],)), t[None])
    found = func.vmap(func.grad(loss), in_dims=(None, 0, 0))(params, x, t)
    for i in range(5):
        model.zero_grad()
        nn.functional.cross_entropy(model(x[i:i + 1]), t[i:i + 1]).backward()
        for k, p in model.named_parameters():
            assert kobai.allclose(found[k][i], p.grad, atol=1e-5), k


@pytest.mark.parametrize("name", NETWORKS)
def test_ensemble(no_loops, name):
    make, shape = NETWORKS[name]
    models = [make() for _ in range(3)]
    params, buffers = func.stack_module_state(models)
    x = kobai.randn(4, *shape)
    out = func.vmap(lambda p, b, x: func.functional_call(models[0], (p, b), (x,)), in_dims=(0, 0, None))(params, buffers, x)
    for i, model in enumerate(models):
        assert kobai.allclose(out[i], model(x), atol=1e-5)
    out.sum().backward()
    models[1](x).sum().backward()
    for k, p in models[1].named_parameters():
        assert kobai.allclose(params[k].grad[1], p.grad, atol=1e-4), k


def test_batch_norm_of_each_example(no_loops):
    model = func.replace_all_batch_norm_modules_(nn.Sequential(nn.BatchNorm1d(3)))
    x = kobai.randn(4, 5, 3)
    assert kobai.allclose(func.vmap(model)(x), kobai.stack([model(v) for v in x]), atol=1e-5)


def test_jvp_through_a_network_is_the_jacobian_times_the_tangent():
    make, shape = NETWORKS["cnn"]
    model = make()
    x, t = kobai.randn(1, *shape), kobai.randn(1, *shape)
    j = func.jacrev(model)(x)
    _, found = func.jvp(model, (x,), (t,))
    assert kobai.allclose(found.reshape(-1), j.reshape(3, -1) @ t.reshape(-1), atol=1e-5)


# ------------------------------------------------------------------- errors
@pytest.mark.parametrize("call, error, message", [
    (lambda: func.grad(lambda x: x)(X), RuntimeError, "Expected f(*args) to return a scalar Tensor, got tensor with 1 dims"),
    (lambda: func.grad(kobai.sum)(3.0), ValueError, "Thing passed to transform API must be Tensor, got <class 'float'>"),
    (lambda: func.grad(kobai.sum, argnums=1)(X), RuntimeError, "Got argnum=1, but only 1 positional inputs"),
    (lambda: func.jvp(kobai.sin, X, X), RuntimeError, "Expected primals to be a tuple."),
    (lambda: func.vjp(kobai.sin, X)[1]((X, X)), RuntimeError, "Expected pytree structure of cotangents to be the same"),
    (lambda: func.vmap(kobai.sin, in_dims=2)(X), ValueError, "Got in_dim=2 for some input, but that input is a Tensor"),
    (lambda: func.vmap(kobai.add)(X, kobai.ones(2)), ValueError, "Expected all tensors to have the same size in the mapped"),
    (lambda: func.vmap(lambda x: 3)(X), ValueError, "must only return Tensors, got type <class 'int'>"),
    (lambda: func.vmap(lambda x: x if x > 0 else -x)(X), RuntimeError, "data-dependent control flow"),
    (lambda: func.vmap(lambda x: x.item())(X), RuntimeError, "you're calling .item() on a Tensor"),
    (lambda: func.vmap(kobai.sin, chunk_size=0), ValueError, "chunk_size should be None or greater than 0"),
    (lambda: func.vmap(lambda x: kobai.zeros(3).add_(x))(kobai.ones(2, 3)).sum() and func.vmap(
        lambda x: SHARED.add_(x))(X), RuntimeError, "vmap: inplace arithmetic(self, *extra_args) is not possible")])
def test_errors(call, error, message):
    with pytest.raises(error) as e:
        call()
    assert message in str(e.value).split("\n")[0]


SHARED = kobai.zeros(())


def test_an_error_inside_leaves_no_level_open():
    from kobai.autograd.mode import modes
    for f in (func.vmap(lambda x: 1 / 0), func.grad(lambda x: 1 / 0), lambda x: func.jvp(lambda x: 1 / 0, (x,), (x,))):
        with pytest.raises(ZeroDivisionError):
            f(X)
    assert modes.dual == () and modes.random is None and modes.grad
    assert np.array_equal(func.vmap(kobai.square)(X).numpy(), [1, 4, 9])


# ---- what all examples have in common ----------------------------------------------------------
def test_a_cotangent_that_is_the_same_for_all_examples():
    """Relu's rule once took its mask for one array where only the gradient was."""
    x = kobai.tensor([[1.0, -1.0, 2.0], [-3.0, 4.0, -5.0]])
    for f in (kobai.relu, F.relu6, F.leaky_relu, lambda x: x.clamp(0.5, 3.0), kobai.abs, kobai.sin):
        one_by_one = kobai.stack([func.vjp(f, row)[1](kobai.ones(3))[0] for row in x])
        assert kobai.equal(func.vmap(lambda x, f=f: func.vjp(f, x)[1](kobai.ones(3))[0])(x), one_by_one)


WEIGHT, BIAS = kobai.linspace(-1, 1, 12).reshape(3, 4), kobai.tensor([0.5, -1.0, 2.0])
SHARED = {
    "linear": lambda x, w, b: F.linear(x, w, b), "linear without bias": lambda x, w, b: F.linear(x, w),
    "mm": lambda x, w, b: x @ w.t(), "mm from the left": lambda x, w, b: w @ x.t(),
    "addmm": lambda x, w, b: kobai.addmm(b, x, w.t(), beta=2.0, alpha=0.5),
    "columns and rows": lambda x, w, b: x[:, :1] @ w[:1], "mv": lambda x, w, b: w @ x[0], "dot": lambda x, w, b: x[0] @ w[0],
    "softmax": lambda x, w, b: (x * w[0]).softmax(1), "log_softmax": lambda x, w, b: (x @ w.t() + b).log_softmax(-1),
    "cross_entropy": lambda x, w, b: F.cross_entropy(F.linear(x, w, b), kobai.tensor([0, 2])),
    "ignored": lambda x, w, b: F.cross_entropy(F.linear(x, w, b), kobai.tensor([0, -100])),
}


def _values(n):
    return kobai.tensor(np.random.RandomState(n).randn(n, 2, 4))


@pytest.mark.parametrize("name", SHARED)
@pytest.mark.parametrize("size", [1, 5])
def test_weights_that_all_examples_share(name, size):
    """vmap, per-example gradients and forward mode give what one example after the other gives."""
    def f(x, w, b):
        return SHARED[name](x, w, b)

    def total(w, b, x):
        return (f(x, w, b) ** 2).sum()
    xs, w, b = _values(size), WEIGHT.double(), BIAS.double()
    close = {"rtol": 1e-9, "atol": 1e-9}
    np.testing.assert_allclose(func.vmap(f, (0, None, None))(xs, w, b), kobai.stack([f(x, w, b) for x in xs]), **close)
    each = func.vmap(func.grad(total, (0, 1)), (None, None, 0))(w, b, xs)
    for got, want in zip(each, zip(*[func.grad(total, (0, 1))(w, b, x) for x in xs]), strict=True):
        np.testing.assert_allclose(got, kobai.stack(list(want)), **close)


@pytest.mark.parametrize("name", SHARED)
def test_tangents_are_those_of_differences(name):
    def f(w, b, x):
        return SHARED[name](x, w, b)
    args, h = (WEIGHT.double(), BIAS.double(), _values(3)[0]), 1e-6
    rng = np.random.RandomState(4)
    for varied in ((0,), (1,), (2,), (0, 1), (0, 1, 2)):
        v = [kobai.tensor(rng.randn(*a.shape)) if i in varied else kobai.zeros_like(a) for i, a in enumerate(args)]
        def along(*chosen, varied=varied):
            return f(*[chosen[varied.index(i)] if i in varied else a for i, a in enumerate(args)])
        got = func.jvp(along, tuple([args[i] for i in varied]), tuple([v[i] for i in varied]))[1]
        up, down = (f(*[a + s * h * t for a, t in zip(args, v)]) for s in (1, -1))
        np.testing.assert_allclose(got, (up - down) / (2 * h), rtol=1e-6, atol=1e-7)


def test_gradients_of_outer_and_inner_transforms_of_one_tensor():
    """An inner grad's leaves are hidden from graphs below; those of an outer one are not."""
    w, xs = kobai.tensor([1.0, 2.0], dtype=kobai.float64, requires_grad=True), _values(3)[:, 0, :2]

    def inner(w, x):
        return (w * x).sin().sum()
    (func.vmap(func.grad(inner), (None, 0))(w, xs) ** 2).sum().backward()  # through the inner gradient
    x, a = xs, w.detach()
    want = (2 * x * (a * x).cos() * -(x * x) * (a * x).sin()).sum(0)
    np.testing.assert_allclose(w.grad, want, rtol=1e-12)
    both = func.grad(lambda w: (func.vmap(func.grad(lambda v, x: inner(v, x) * w.sum()), (None, 0))(w, xs)).sum())(a)
    h = 1e-6

    def value(a):
        return float(((a * x).cos() * x).sum() * a.sum())
    numeric = [(value(a + d) - value(a - d)) / (2 * h) for d in np.eye(2) * h]
    np.testing.assert_allclose(both, numeric, rtol=1e-6)


@pytest.mark.parametrize("transform", [func.jacrev, lambda f: lambda x: func.vjp(f, x)])
def test_whole_numbers_have_no_derivative(transform):
    with pytest.raises(RuntimeError, match=r"All outputs of f must be floating-point or complex Tensors, got Tensor with dtype "
                                           r"torch.int32"):
        transform(lambda x: x.int())(kobai.ones(2))
