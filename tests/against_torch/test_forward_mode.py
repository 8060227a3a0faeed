"""Forward mode and autograd.functional: programs run with PyTorch and with kobai."""
import importlib

import pytest

pytest.importorskip("torch")


def fw(torch):
    return importlib.import_module(torch.__name__ + ".autograd.forward_ad")


def functional(torch):
    return importlib.import_module(torch.__name__ + ".autograd.functional")


# ------------------------------------------------------------------- dual tensors
def test_dual_numbers(torch):
    f = fw(torch)
    out = []
    with f.dual_level():
        x = f.make_dual(torch.tensor([1.0, 2.0]), torch.tensor([1.0, -1.0]))
        y = (x.sin() * x).sum() + 3
        p, t = f.unpack_dual(y)
        out += [p, t, f.unpack_dual(torch.ones(2)).tangent, f.unpack_dual(x).tangent]
        out += [x.shape == (2,), x.requires_grad, x]
        z = x.clone()
        z[0] = 5
        out.append(f.unpack_dual(z).tangent)
        out.append(f.unpack_dual(x * x.detach()).tangent)
        with torch.no_grad():
            out.append(f.unpack_dual(x * 2).tangent)
        out += [repr(x), repr((x * 2).sum()), f.unpack_dual(x.detach()).tangent, bool(x[0] > 0), x.tolist()]
    return [*out, f.unpack_dual(x).tangent, repr(x)]


def test_unpacked_has_names(torch):
    f = fw(torch)
    with f.dual_level():
        u = f.unpack_dual(f.make_dual(torch.ones(1), torch.ones(1)))
        return u.primal, u.tangent, type(u).__name__


def test_dual_errors(torch, attempt):
    f = fw(torch)
    out = [attempt(f.make_dual, torch.ones(1), torch.ones(1)), attempt(f.exit_dual_level)]
    with f.dual_level():
        out += [attempt(f.make_dual, torch.ones(1), torch.ones(2)), attempt(f.make_dual, torch.ones(1).long(), torch.ones(1)),
                attempt(f.make_dual, torch.ones(1), torch.ones(1).long()), attempt(f.enter_dual_level)]
    return out


def test_duals_of_parameters(torch):
    f = fw(torch)
    m = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1))
    params = dict(m.named_parameters())
    with f.dual_level():
        dual = {n: f.make_dual(p, torch.ones_like(p)) for n, p in params.items()}
        y = torch.func.functional_call(m, dual, torch.ones(4, 2))
        return f.unpack_dual(y).tangent


def test_forward_over_reverse(torch):
    f = fw(torch)
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with f.dual_level():
        d = f.make_dual(x, torch.tensor([1.0, 0.0]))
        y = (d ** 3).sum()
        g, = torch.autograd.grad(y, d, create_graph=True)
        return f.unpack_dual(g)[0].detach(), f.unpack_dual(g)[1].detach()


def test_reverse_over_forward(torch):
    f = fw(torch)
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with f.dual_level():
        y = (f.make_dual(x, torch.tensor([1.0, 1.0])) ** 3).sum()
        t = f.unpack_dual(y).tangent
        return torch.autograd.grad(t, x)


def test_enter_and_exit(torch):
    f = fw(torch)
    level = f.enter_dual_level()
    x = f.make_dual(torch.ones(1), torch.full((1,), 2.0))
    t = f.unpack_dual(x * 3).tangent
    f.exit_dual_level()
    return level, t


# ------------------------------------------------------------------- autograd.functional
@pytest.mark.parametrize("vectorize", [False, True])
@pytest.mark.parametrize("strategy", ["reverse-mode", "forward-mode"])
def test_jacobian(torch, attempt, vectorize, strategy):
    j = functional(torch).jacobian
    x, y = torch.tensor([1.0, 2.0]), torch.tensor([[3.0, 4.0]])

    def one(x):
        return x.exp() * x.sum()

    def pair(x, y):
        return x * y, (x + y).sum(), y.t() * 2
    options = {"vectorize": vectorize, "strategy": strategy}
    if strategy == "forward-mode" and not vectorize:  # PyTorch refuses
        return None
    return [attempt(j, one, x, **options), attempt(j, one, (x,), **options), attempt(j, pair, (x, y), **options),
            attempt(j, lambda x: x.sum(), torch.tensor(2.0), **options),
            attempt(j, lambda x, y: x * 2, (x, y), **options), attempt(j, lambda x: torch.ones(2), x, **options)]


def test_jacobian_create_graph(torch):
    j = functional(torch).jacobian
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    a = j(lambda x: x ** 3, x, create_graph=True)
    b = j(lambda x: x ** 3, x)
    return a.detach(), b, torch.autograd.grad(a.sum(), x), \
        j(lambda x: x ** 3, x.detach(), create_graph=True).requires_grad


@pytest.mark.parametrize("vectorize", [False, True])
@pytest.mark.parametrize("strategy", ["reverse-mode", "forward-mode"])
def test_hessian(torch, attempt, vectorize, strategy):
    h = functional(torch).hessian
    x, y = torch.tensor([1.0, 2.0]), torch.tensor([3.0])

    def f(x):
        return (x ** 3).sum() * x[0]

    def g(x, y):
        return (x ** 2 * y).sum()
    options = {"vectorize": vectorize, "outer_jacobian_strategy": strategy}
    if strategy == "forward-mode" and not vectorize:  # PyTorch refuses
        return None
    return [_numbers(v) for v in (attempt(h, f, x, **options), attempt(h, g, (x, y), **options),
                                  attempt(h, lambda x: x * 2, x, **options), attempt(h, lambda x: x.sum(), x, **options))]


def test_hessian_create_graph(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    h = functional(torch).hessian(lambda x: (x ** 4).sum(), x, create_graph=True)
    return h.detach(), torch.autograd.grad(h.sum(), x)


def products(torch):
    f = functional(torch)
    return {"vjp": f.vjp, "jvp": f.jvp, "vhp": f.vhp, "hvp": f.hvp}


@pytest.mark.parametrize("name", ["vjp", "jvp", "vhp", "hvp"])
def test_products(torch, attempt, name):
    p = products(torch)[name]
    second = name in ("vhp", "hvp")
    x, y, v, w = torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0]), torch.tensor([1.0, -1.0]), torch.tensor([0.5, 2.0])

    def f(x):
        return (x ** 3).sum() * x[0] if second else x ** 3 * x[0]

    def g(x, y):
        return (x ** 2 * y).sum() if second else (x * y, x + y)
    out = [attempt(p, f, x, v), attempt(p, g, (x, y), (v, w)), attempt(p, f, x, v, create_graph=True),
           attempt(p, f, x), attempt(p, f, x, torch.ones(3)), attempt(p, f, (x,), (v,)),
           attempt(p, lambda x: (torch.ones(()) if second else torch.ones(2)), x, v),
           attempt(p, lambda x: (torch.ones(()) if second else torch.ones(2)), x, v, strict=True),
           attempt(p, lambda x, y: (x ** 2).sum() if second else x * 2, (x, y), (v, w) if second or name == "jvp" else v),
           attempt(p, lambda x: 3, x, v), attempt(p, f, 3.0, v), attempt(p, f, x, (v, v)),
           attempt(p, lambda x: x.sum(), x, v) if second else None]
    return [_values(o) for o in out]


def _numbers(o):
    """Without requires_grad, which PyTorch leaves on some results."""
    return tuple([_numbers(v) for v in o]) if isinstance(o, (tuple, list)) and o[0] != "raised" else \
        o.detach() if hasattr(o, "detach") else o


def _values(o):
    """Without grad_fn: the names of nodes inside these functions are nobody's business."""
    if isinstance(o, tuple) and o[:1] != ("raised",):
        return tuple([_values(v) for v in o])
    return (o.detach(), o.requires_grad) if hasattr(o, "detach") else o


def test_strict(torch, attempt):
    f = functional(torch)
    x, y = torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0])

    def unused(x, y):
        return (x ** 2).sum()

    def linear(x):
        return (x * 3).sum()
    return [attempt(f.jacobian, unused, (x, y), strict=True), attempt(f.hessian, linear, x, strict=True),
            attempt(f.jacobian, lambda x: torch.ones(2), x, strict=True),
            attempt(f.jacobian, lambda x: x * 2, x, strict=True, create_graph=True),
            attempt(f.vjp, unused, (x, y), strict=True), attempt(f.hvp, linear, x, x, strict=True),
            attempt(f.jvp, lambda x, y: x * 2, (x, y), (x, y), strict=True),
            attempt(f.jacobian, lambda x: x, x, strict=True, vectorize=True)]


def test_nested_functional(torch):
    f = functional(torch)
    x = torch.tensor([0.3, 0.7])
    inner = f.jacobian(lambda x: f.jacobian(lambda z: z.sin() * z.sum(), x, create_graph=True), x)
    return inner
