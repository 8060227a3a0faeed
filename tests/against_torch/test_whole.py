"""Transforms in loops: the programs of the other files, and more of them, give what PyTorch gives when they run again
and again, when whole transforms and gradients of gradients run as recorded programs."""
import importlib.util
import inspect
import pathlib

import pytest

import kobai
from kobai.autograd import again, repeated, whole
from kobai.compile import transform

pytest.importorskip("torch")
TIMES = 7


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """What a line makes is recorded at once, and used one call later."""
    for module in (whole, again, repeated):
        monkeypatch.setattr(module, "PATIENCE", 0)
        monkeypatch.setattr(module, "_sites", module._Sites())
    for module in (transform, again, repeated):
        monkeypatch.setattr(module, "WAIT", 1)


def _last(torch, program):
    """What the program gives after it has run some times; with PyTorch once is enough."""
    state = torch.get_rng_state()
    for _ in range(TIMES if torch is kobai else 1):
        torch.set_rng_state(state)
        torch.set_grad_enabled(True)
        result = program()
    return result


def _in_use():
    """How many programs of transforms run by now."""
    known = [t for site in whole._sites.of.values() for t in (site.known or {}).values()]
    return sum(kind.program is not None and kind.job is None for t in known for kind in t.kinds.values())


# ---- the programs of other files ---------------------------------------------------------------
def _programs():
    for name in ("test_func", "test_functional", "test_forward_mode"):
        spec = importlib.util.spec_from_file_location(name, pathlib.Path(__file__).with_name(name + ".py"))
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for k, v in vars(module).items():
            if k.startswith("test_") and inspect.isfunction(v) and {"torch"} <= set(inspect.signature(v).parameters) \
                    <= {"torch", "attempt"}:
                yield pytest.param(v, id=f"{name[5:]}-{k[5:]}")


@pytest.mark.parametrize("program", list(_programs()))
def test_again(torch, attempt, program):
    options = {"attempt": attempt} if "attempt" in inspect.signature(program).parameters else {}
    return _last(torch, lambda: program(torch, **options))


# ---- more --------------------------------------------------------------------------------------
def _numbers(torch, *shape):
    n = 1
    for s in shape:
        n *= s
    return (torch.arange(n, dtype=torch.float64) * 0.37 + 0.1 * len(shape)).sin().reshape(shape)


class Functions:
    """Functions of vectors, and arguments for them."""

    def __init__(self, torch):
        t = self.torch = torch
        self.F, self.fn, self.af = t.nn.functional, t.func, t.autograd.functional
        self.x, self.v, self.X, self.w = [_numbers(t, *s) for s in ((5,), (3,), (4, 5), (5, 3))]
        self.y = t.tensor([0, 2, 1, 1])
        self.P = {"w": self.w, "b": self.v}

    def f(self, x):
        return (x.sin() * x).exp()

    def g(self, x):
        return self.torch.stack([x.sum(), (x * x).prod(), x[0] * x[-1]])

    def s(self, x):
        return (self.torch.tanh(x[:, None] * x) + x.cos()).sum()

    def m(self, x, w):
        return self.torch.tanh(x @ w)

    def tree(self, p, x):
        return {"a": self.torch.tanh(x @ p["w"] + p["b"]), "b": (p["w"] ** 2).sum()}

    def loss(self, p, x, y):
        return self.F.cross_entropy((x @ p["w"] + p["b"]).unsqueeze(0), y.unsqueeze(0))


CASES = {
    "jacrev": lambda o: (o.fn.jacrev(o.f)(o.x), o.fn.jacrev(o.g)(o.x), o.fn.jacrev(o.f, chunk_size=2)(o.x)),
    "jacfwd": lambda o: (o.fn.jacfwd(o.f)(o.x), o.fn.jacfwd(o.g)(o.x), o.fn.jacfwd(o.m, argnums=1)(o.X, o.w)),
    "argnums": lambda o: (o.fn.jacrev(o.m, (0, 1))(o.X, o.w), o.fn.jacrev(o.m, -1)(o.X, o.w)),
    "trees": lambda o: (o.fn.jacrev(o.tree)(o.P, o.x), o.fn.grad(lambda p: o.tree(p, o.x)["b"])(o.P)),
    "aux": lambda o: (o.fn.jacrev(lambda x: (o.f(x), x * 2), has_aux=True)(o.x),
                      o.fn.jacfwd(lambda x: (o.f(x), x * 2), has_aux=True)(o.x),
                      o.fn.grad_and_value(lambda x: (o.s(x), {"z": x + 1}), has_aux=True)(o.x),
                      o.fn.jvp(lambda x: (o.f(x), x), (o.x,), (o.X[0],), has_aux=True)),
    "hessian": lambda o: (o.fn.hessian(o.s)(o.x), o.fn.jacrev(o.fn.jacrev(o.s))(o.x), o.fn.jacfwd(o.fn.jacfwd(o.s))(o.x),
                          o.fn.jacrev(o.fn.jacfwd(o.s))(o.x)),
    "hvp": lambda o: (o.fn.jvp(o.fn.grad(o.s), (o.x,), (o.X[0],)), o.fn.grad(lambda x: (o.fn.grad(o.s)(x) * o.X[0]).sum())(o.x)),
    "jvp": lambda o: (o.fn.jvp(o.f, (o.x,), (o.X[0],)),
                      o.fn.jvp(lambda x: o.fn.jvp(o.f, (x,), (o.X[0],))[1], (o.x,), (o.X[1],))),
    "per_sample": lambda o: (o.fn.vmap(o.fn.grad(o.loss), in_dims=(None, 0, 0))(o.P, o.X, o.y),
                             o.fn.vmap(o.fn.grad_and_value(o.loss), in_dims=({"w": None, "b": None}, 0, 0))(o.P, o.X, o.y)),
    "dims": lambda o: (o.fn.vmap(o.g, out_dims=1)(o.X), o.fn.vmap(o.g, in_dims=1)(o.X), o.fn.vmap(o.g, -1, -1)(o.X),
                       o.fn.vmap(lambda a, b: (a + b, a * 2), (0, None), (1, 0))(o.X, o.x), o.fn.vmap(o.g, chunk_size=3)(o.X)),
    "vmap_of": lambda o: (o.fn.vmap(o.fn.jacrev(o.g))(o.X), o.fn.vmap(o.fn.hessian(o.s))(o.X),
                          o.fn.vmap(lambda x: o.fn.vjp(o.f, x)[1](x)[0])(o.X), o.fn.vmap(lambda x, v: o.fn.jvp(o.f, (x,), (v,)))(o.X, o.X),
                          o.fn.vmap(o.fn.vmap(lambda a, b: (a * b).sin(), (0, None)), (None, 0))(o.x, o.v)),
    "of_vmap": lambda o: (o.fn.jacrev(o.fn.vmap(o.g))(o.X), o.fn.grad(lambda X: o.fn.vmap(o.g)(X).sum())(o.X)),
    "captured": lambda o: (o.fn.jacrev(lambda w: o.m(o.X, w))(o.w), o.fn.jacrev(lambda w, x=o.X: o.m(x, w))(o.w)),
    "constants": lambda o: (o.fn.jacrev(lambda x: o.torch.ones(2))(o.x), o.fn.jacfwd(lambda x: o.torch.ones(2) + 0 * x[:2])(o.x)),
    "identity": lambda o: (o.fn.jacrev(lambda x: x)(o.x), o.fn.jacfwd(lambda x: x)(o.x), o.fn.vmap(lambda x: x[1:])(o.X),
                           o.fn.grad(lambda x: (o.s(x), x[:2] * 1), has_aux=True)(o.x)),
    "functional": lambda o: (o.af.jacobian(o.f, o.x), o.af.hessian(o.s, o.x), o.af.vjp(o.f, o.x, o.X[0]),
                             o.af.jvp(o.f, o.x, o.X[0]), o.af.hvp(o.s, o.x, o.X[0]), o.af.vhp(o.s, o.x, o.X[0]),
                             o.af.jacobian(o.m, (o.X, o.w)), o.af.jacobian(o.f, o.x, vectorize=True)),
    "scalars": lambda o: (o.fn.grad(o.fn.grad(lambda x: x ** 3))(o.torch.tensor(2.0)), o.fn.jacrev(o.torch.sin)(o.x[0])),
    "nothing": lambda o: (o.fn.jacrev(lambda x: x * 2)(o.x[:0]), o.fn.vmap(lambda x: x.sum())(o.torch.ones(3, 0))),
    "one": lambda o: (o.fn.jacrev(o.f)(o.x[:1]), o.fn.vmap(o.g)(o.X[:1]), o.fn.hessian(o.s)(o.x[2:3])),
    "strides": lambda o: (o.fn.jacrev(o.f)(o.X.t()[:, 1]), o.fn.vmap(o.g)(o.X.t()), o.fn.jacfwd(lambda a: a.t() * 2)(o.X)),
    "layers": lambda o: (o.fn.hessian(lambda x: o.F.log_softmax(x, 0)[1])(o.x), o.fn.jacfwd(lambda x: o.F.layer_norm(x, (5,)))(o.x),
                         o.fn.jacrev(lambda w: o.F.conv1d(o.X[None], w).sum(1))(_numbers(o.torch, 2, 4, 3)),
                         o.fn.jacrev(lambda x: o.F.max_pool1d(x[None, None], 2)[0, 0])(o.x)),
    "where": lambda o: o.fn.vmap(o.fn.grad(lambda x: o.torch.where(x > 0, x, x * x).sum()))(o.X),
    "products": lambda o: (o.fn.jacrev(lambda a, b: o.torch.einsum("bij,bjk->bik", a, b), (0, 1))(
        _numbers(o.torch, 2, 3, 4), _numbers(o.torch, 2, 4, 2)), o.fn.grad(lambda a: o.torch.linalg.cholesky(
            a @ a.T + 5 * o.torch.eye(4, dtype=a.dtype)).sum())(o.X)),
    "in_place": lambda o: o.fn.vmap(lambda x: x.clone().add_(1).mul_(x))(o.X),
    "the_same_twice": lambda o: o.fn.jacrev(lambda a, b: a * b, (0, 1))(o.x, o.x),
    "integers": lambda o: o.fn.vmap(lambda i, x: x * i)(o.y, o.X),
    "floats": lambda o: (o.fn.hessian(o.s)(o.x.float()), o.fn.jacrev(o.f)(o.x.float()), o.fn.vmap(o.g)(o.X.float())),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_case(torch, case):
    functions = Functions(torch)
    result = _last(torch, lambda: case(functions))
    assert torch is not kobai or _in_use()
    return result
