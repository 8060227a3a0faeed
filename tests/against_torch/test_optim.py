"""Optimisers against PyTorch: the same path over many steps, the same state, exchanged checkpoints."""
import itertools

import numpy as np
import pytest

import kobai

torch = pytest.importorskip("torch")

OPTIONS = {
    "SGD": [{}, {"momentum": 0.9}, {"momentum": 0.9, "dampening": 0.5},
            {"momentum": 0.9, "nesterov": True}, {"weight_decay": 0.1, "maximize": True}],
    "Adam": [{}, {"amsgrad": True}, {"weight_decay": 0.1},
             {"weight_decay": 0.1, "decoupled_weight_decay": True},
             {"betas": (0.4, 0.5), "maximize": True}, {"eps": 0.1}],
    "AdamW": [{}, {"amsgrad": True, "weight_decay": 0.3}],
    "Adamax": [{}, {"weight_decay": 0.1, "maximize": True}],
    "NAdam": [{}, {"weight_decay": 0.1}, {"weight_decay": 0.1, "decoupled_weight_decay": True},
              {"momentum_decay": 0.1}],
    "RAdam": [{}, {"weight_decay": 0.1}, {"weight_decay": 0.1, "decoupled_weight_decay": True}],
    "Adagrad": [{}, {"lr_decay": 0.1, "initial_accumulator_value": 0.2},
                {"weight_decay": 0.1, "maximize": True}],
    "Adadelta": [{}, {"rho": 0.5, "weight_decay": 0.1}, {"maximize": True}],
    "RMSprop": [{}, {"momentum": 0.5}, {"centered": True},
                {"centered": True, "momentum": 0.5, "weight_decay": 0.1}],
    "Rprop": [{}, {"etas": (0.4, 1.3), "step_sizes": (1e-3, 0.02)}, {"maximize": True}],
    "ASGD": [{}, {"weight_decay": 0.1, "t0": 3, "lambd": 0.1}, {"alpha": 0.5, "maximize": True}],
    "Adafactor": [{}, {"weight_decay": 0.1}, {"d": 1.5, "beta2_decay": -1.0}, {"eps": (1e-3, 1e-2)}],
    "Muon": [{}, {"nesterov": False}, {"adjust_lr_fn": "match_rms_adamw"}, {"ns_steps": 3, "momentum": 0.8}],
}
CASES = [(name, options) for name, many in OPTIONS.items() for options in many]
SHAPES = [(3, 4), (4,), (2, 3, 2), (), (70, 250)]
REAL_ONLY = {"Adafactor", "Muon"}


def make_pair(name, options, dtype, shapes, seed=0):
    """The same parameters and optimizer twice: ([torch's], [kobai's], torch's optimizer, kobai's)."""
    rng = np.random.RandomState(seed)
    theirs, ours = [], []
    for shape in shapes if name != "Muon" else [(3, 4), (4, 3), (5, 5)]:
        a = random_array(rng, shape, dtype)
        theirs.append(torch.tensor(a, requires_grad=True))
        ours.append(kobai.tensor(a, requires_grad=True))
    return (theirs, ours, getattr(torch.optim, name)(theirs, **options),
            getattr(kobai.optim, name)(ours, **options))


def random_array(rng, shape, dtype):
    a = np.asarray(rng.randn(*shape))
    if dtype.startswith("complex"):
        a = a + 1j * np.asarray(rng.randn(*shape))
    return a.astype(dtype)


def give_gradients(theirs, ours, seed, skip=None):
    """Random gradients of sizes from 0.01 to 10; none for the parameter number `skip`."""
    rng = np.random.RandomState(seed + 100)
    for i, (t, k) in enumerate(zip(theirs, ours)):
        g = random_array(rng, t.shape, str(t.dtype)[6:])
        g = (g * 10.0 ** (1 - i % 4)).astype(g.dtype)
        t.grad, k.grad = (None, None) if i == skip else (torch.tensor(g), kobai.tensor(g))


def assert_close(theirs, ours, dtype):
    tolerance = {"float64": 1e-7, "complex128": 1e-7}.get(dtype, 2e-6)
    for t, k in zip(theirs, ours):
        t, k = t.detach().numpy(), k.detach().numpy()
        assert t.dtype == k.dtype and t.shape == k.shape
        np.testing.assert_allclose(k, t, rtol=tolerance, atol=tolerance * max(1, np.abs(t).max()))


def assert_same_state(one, other):
    """Keys in the same order, dtypes, shapes and numbers of two state_dicts."""
    a, b = one.state_dict(), other.state_dict()
    assert [list(g) for g in a["param_groups"]] == [list(g) for g in b["param_groups"]]
    assert list(a["state"]) == list(b["state"])
    for i in a["state"]:
        assert list(a["state"][i]) == list(b["state"][i])
        for name, t in a["state"][i].items():
            k = b["state"][i][name]
            assert str(t.dtype) == str(k.dtype) and tuple(t.shape) == tuple(k.shape)
            np.testing.assert_allclose(k.numpy(), t.numpy(), rtol=1e-4, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64"])
@pytest.mark.parametrize(("name", "options"), CASES)
def test_the_same_path(name, options, dtype):
    if name in REAL_ONLY and dtype == "complex64":
        pytest.skip("not for complex parameters")
    theirs, ours, a, b = make_pair(name, options, dtype, SHAPES)
    for step in range(12):
        give_gradients(theirs, ours, step)
        a.step(), b.step()
    assert_close(theirs, ours, dtype)
    assert_same_state(a, b)


@pytest.mark.parametrize("name", list(OPTIONS))
def test_gradients_that_come_and_go(name):
    theirs, ours, a, b = make_pair(name, OPTIONS[name][-1], "float32", SHAPES)
    for step in range(9):
        give_gradients(theirs, ours, step, skip=step % 4)
        a.step(), b.step()
    assert_close(theirs, ours, "float32")
    assert_same_state(a, b)


@pytest.mark.parametrize("name", list(OPTIONS))
def test_the_learning_rate_as_a_tensor(name):
    for dtype in ("float32", "float64"):
        theirs, ours, _, _ = make_pair(name, {}, dtype, SHAPES)
        a = getattr(torch.optim, name)(theirs, lr=torch.tensor(0.05))
        b = getattr(kobai.optim, name)(ours, lr=kobai.tensor(0.05))
        for step in range(5):
            give_gradients(theirs, ours, step)
            a.step(), b.step()
        assert_close(theirs, ours, dtype)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", ["SGD", "AdamW", "RMSprop", "Adagrad"])
def test_half_precision(name, dtype):
    """To the precision of the type: PyTorch rounds between operations, which we do not."""
    rng = np.random.RandomState(0)
    w = rng.randn(3, 4).astype(np.float32)
    t = torch.tensor(w).to(getattr(torch, dtype)).requires_grad_()
    k = kobai.tensor(w).to(getattr(kobai, dtype)).requires_grad_()
    a, b = (getattr(lib.optim, name)([p], lr=0.1) for lib, p in ((torch, t), (kobai, k)))
    for _ in range(4):
        g = rng.randn(3, 4).astype(np.float32)
        t.grad, k.grad = torch.tensor(g).to(t.dtype), kobai.tensor(g).to(k.dtype)
        a.step(), b.step()
    got, expected = k.detach().to(kobai.float32).numpy(), t.detach().float().numpy()
    np.testing.assert_allclose(got, expected, atol=0.04 if dtype == "bfloat16" else 0.004)


# ---- checkpoints go both ways ----------------------------------------------------------------
def to_kobai(v):
    """A PyTorch state_dict with kobai's tensors in it."""
    return convert(v, torch.Tensor, lambda t: kobai.tensor(t.detach().numpy()))


def to_torch(v):
    return convert(v, kobai.Tensor, lambda t: torch.tensor(np.array(t.detach().numpy())))


def convert(v, kind, fn):
    if isinstance(v, kind):
        return fn(v)
    if isinstance(v, dict):
        return {k: convert(x, kind, fn) for k, x in v.items()}
    if isinstance(v, (list, tuple)):
        return type(v)(convert(x, kind, fn) for x in v)
    return v


@pytest.mark.parametrize(("name", "options"), CASES)
def test_checkpoints_are_exchanged(name, options):
    """Train here, go on there, and the other way round."""
    for dtype, ours_first in itertools.product(("float32", "float64"), (False, True)):
        theirs, ours, a, b = make_pair(name, options, dtype, SHAPES)
        for step in range(3):
            give_gradients(theirs, ours, step)
            a.step(), b.step()
        if ours_first:
            with torch.no_grad():
                for t, k in zip(theirs, ours):
                    t.copy_(torch.tensor(np.array(k.detach().numpy())))
            a = getattr(torch.optim, name)(theirs, **options)
            a.load_state_dict(to_torch(b.state_dict()))
        else:
            ours = [kobai.tensor(t.detach().numpy(), requires_grad=True) for t in theirs]
            b = getattr(kobai.optim, name)(ours, **options)
            b.load_state_dict(to_kobai(a.state_dict()))
        a.load_state_dict(a.state_dict())  # loading casts what is kept to the parameter's dtype
        b.load_state_dict(b.state_dict())
        for step in range(3, 6):
            give_gradients(theirs, ours, step)
            a.step(), b.step()
        assert_close(theirs, ours, dtype)
        assert_same_state(a, b)


# ---- L-BFGS ----------------------------------------------------------------------------------
def lbfgs_pair(options, dtype="float64"):
    """Two L-BFGS on one loss, whose gradients PyTorch computes for both."""
    rng = np.random.RandomState(0)
    start = [rng.randn(*s).astype(dtype) for s in ((3, 4), (4,), (4, 1), (1,))]
    x, y = torch.tensor(rng.randn(8, 3).astype(dtype)), torch.tensor(rng.randn(8, 1).astype(dtype))
    theirs = [torch.tensor(a, requires_grad=True) for a in start]
    ours = [kobai.tensor(a, requires_grad=True) for a in start]
    a, b = torch.optim.LBFGS(theirs, **options), kobai.optim.LBFGS(ours, **options)

    def loss(ps):
        return (((x @ ps[0] + ps[1]).tanh() @ ps[2] + ps[3] - y) ** 2).mean()

    def closure_a():
        a.zero_grad()
        value = loss(theirs)
        value.backward()
        return value

    def closure_b():
        copies = [torch.tensor(p.detach().numpy(), requires_grad=True) for p in ours]
        value = loss(copies)
        value.backward()
        for p, c in zip(ours, copies):
            p.grad = kobai.from_numpy(c.grad.numpy())
        return kobai.tensor(value.item(), dtype=ours[0].dtype)
    return (a, closure_a), (b, closure_b), theirs, ours


@pytest.mark.parametrize("options", [
    {"lr": 0.1, "max_iter": 6},
    {"line_search_fn": "strong_wolfe"},
    {"history_size": 3, "max_iter": 7, "lr": 0.5},
    {"line_search_fn": "strong_wolfe", "history_size": 2, "max_iter": 5},
    {"max_iter": 9, "max_eval": 4}])
def test_lbfgs_evaluates_where_pytorch_does(options):
    (a, closure_a), (b, closure_b), theirs, ours = lbfgs_pair(options)
    for _ in range(3):
        first = a.step(closure_a).item()
        assert b.step(closure_b).item() == pytest.approx(first, rel=1e-6)
    one, other = a.state_dict()["state"][0], b.state_dict()["state"][0]
    assert set(one) == set(other)
    assert (one["n_iter"], one["func_evals"]) == (other["n_iter"], other["func_evals"])
    for t, k in zip(theirs, ours):
        np.testing.assert_allclose(k.detach().numpy(), t.detach().numpy(), rtol=1e-5, atol=1e-7)


def test_lbfgs_goes_on_from_pytorchs_checkpoint():
    options = {"line_search_fn": "strong_wolfe", "max_iter": 4}
    (a, closure_a), (b, closure_b), theirs, ours = lbfgs_pair(options)
    a.step(closure_a)
    with kobai.no_grad():
        for t, k in zip(theirs, ours):
            k.copy_(kobai.tensor(t.detach().numpy()))
    b.load_state_dict(to_kobai(a.state_dict()))
    a.step(closure_a), b.step(closure_b)
    for t, k in zip(theirs, ours):
        np.testing.assert_allclose(k.detach().numpy(), t.detach().numpy(), rtol=1e-7, atol=1e-9)


# ---- sparse gradients ------------------------------------------------------------------------
class Rows:
    """A sparse gradient of PyTorch's, for ours: what the optimisers ask of one."""

    is_sparse = True

    def __init__(self, t):
        self.t = t

    def coalesce(self):
        return Rows(self.t.coalesce())

    def indices(self):
        return kobai.from_numpy(self.t.indices().numpy())

    def values(self):
        return kobai.from_numpy(self.t.values().numpy())


@pytest.mark.parametrize(("name", "options"), [
    ("SparseAdam", {}), ("SparseAdam", {"lr": 0.1, "betas": (0.5, 0.6), "eps": 0.1, "maximize": True}),
    ("SGD", {"lr": 0.1}), ("SGD", {"lr": 0.1, "maximize": True}), ("Adagrad", {"lr": 0.1, "lr_decay": 0.5})])
def test_sparse_gradients(name, options):
    rng = np.random.RandomState(0)
    start = rng.randn(6, 3)
    t, k = torch.tensor(start, requires_grad=True), kobai.tensor(start, requires_grad=True)
    a, b = getattr(torch.optim, name)([t], **options), getattr(kobai.optim, name)([k], **options)
    for _ in range(5):
        rows = rng.randint(0, 6, (1, 4))
        t.grad = torch.sparse_coo_tensor(torch.tensor(rows), torch.tensor(rng.randn(4, 3)), (6, 3))
        k._grad = Rows(t.grad)
        a.step(), b.step()
    np.testing.assert_allclose(k.detach().numpy(), t.detach().numpy(), rtol=1e-12)
    assert list(a.state_dict()["state"].get(0, {})) == list(b.state_dict()["state"].get(0, {}))
