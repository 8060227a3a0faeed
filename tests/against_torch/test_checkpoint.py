"""torch.utils.checkpoint and anomaly mode: programs run with PyTorch and with kobai."""
import importlib

import pytest

pytest.importorskip("torch")
BOTH = pytest.mark.parametrize("reentrant", [True, False])


def ck(torch):
    return importlib.import_module(torch.__name__ + ".utils.checkpoint")


def f(x):
    return (x.exp() * x).sin()


@BOTH
def test_values_and_gradients(torch, reentrant):
    x = torch.tensor([0.5, 1.0], requires_grad=True)
    y = ck(torch).checkpoint(f, x, use_reentrant=reentrant)
    out = [y.detach(), y.requires_grad]
    y.sum().backward(retain_graph=True)
    out.append(x.grad.clone())
    y.sum().backward()
    return [*out, x.grad]


@BOTH
def test_second_backward(torch, attempt, reentrant):
    x = torch.tensor([0.5, 1.0], requires_grad=True)
    y = ck(torch).checkpoint(f, x, use_reentrant=reentrant).sum()
    y.backward()
    return attempt(y.backward)


@BOTH
def test_how_often_it_runs(torch, reentrant):
    calls = []

    def g(x):
        calls.append(torch.is_grad_enabled())
        return f(x)
    x = torch.tensor([0.5, 1.0], requires_grad=True)
    y = ck(torch).checkpoint(g, x, use_reentrant=reentrant)
    n = len(calls)
    y.sum().backward()
    with torch.no_grad():
        ck(torch).checkpoint(g, x, use_reentrant=reentrant)
    return n, calls


@BOTH
def test_network_with_dropout(torch, reentrant):
    m = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Dropout(0.5), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    x = torch.randn(3, 4, requires_grad=True)
    torch.manual_seed(1)
    ck(torch).checkpoint(m, x, use_reentrant=reentrant).sum().backward()
    after = torch.rand(2)
    return [p.grad for p in m.parameters()], x.grad, after


@BOTH
def test_sequential(torch, reentrant):
    m = torch.nn.Sequential(*[torch.nn.Linear(3, 3) for _ in range(5)])
    x = torch.randn(2, 3, requires_grad=True)
    ck(torch).checkpoint_sequential(m, 2, x, use_reentrant=reentrant).sum().backward()
    return [p.grad for p in m.parameters()], x.grad


@BOTH
def test_several_arguments_and_outputs(torch, reentrant):
    def g(x, n, d, y):
        return x * n, y + d["k"], n
    x, y = torch.ones(2, requires_grad=True), torch.ones(2)
    a, b, n = ck(torch).checkpoint(g, x, 3, {"k": 2.0}, y, use_reentrant=reentrant)
    (a.sum() * 2 + b.sum()).backward()
    return a.detach(), b.detach(), n, x.grad, b.requires_grad


@BOTH
def test_nested(torch, reentrant):
    c = ck(torch).checkpoint
    x = torch.tensor([0.5, 1.0], requires_grad=True)

    def inner(x):
        return x.exp() * x

    def outer(x):
        return c(inner, x.sin(), use_reentrant=reentrant).cos()
    c(outer, x * 2, use_reentrant=reentrant).sum().backward()
    return x.grad


@BOTH
def test_inputs_and_grad(torch, attempt, reentrant):
    x = torch.tensor([0.5, 1.0], requires_grad=True)
    c = ck(torch).checkpoint
    return attempt(lambda: torch.autograd.grad(c(f, x, use_reentrant=reentrant).sum(), x)), \
        attempt(lambda: c(f, x, use_reentrant=reentrant).sum().backward(inputs=[x])), \
        attempt(lambda: c(f, x.detach(), use_reentrant=reentrant).requires_grad)


def test_second_order(torch):
    x = torch.tensor([0.5, 1.0], requires_grad=True)
    y = ck(torch).checkpoint(f, x, use_reentrant=False).sum()
    g, = torch.autograd.grad(y, x, create_graph=True)
    return g.detach(), torch.autograd.grad(g.sum(), x)


def test_keywords_and_contexts(torch):
    import contextlib
    log = []

    @contextlib.contextmanager
    def note(name):
        log.append(name)
        yield
    x = torch.tensor([0.5, 1.0], requires_grad=True)
    y = ck(torch).checkpoint(lambda x, k=1: (x * k).exp(), x, use_reentrant=False, k=2,
                             context_fn=lambda: (note("first"), note("second")))
    y.sum().backward()
    return x.grad, log


def test_functions_inside(torch):
    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x ** 3

        @staticmethod
        def backward(ctx, g):
            return 3 * ctx.saved_tensors[0] ** 2 * g
    x = torch.tensor([0.5, 1.0], requires_grad=True)
    ck(torch).checkpoint(lambda x: Cube.apply(x.exp()), x, use_reentrant=False).sum().backward()
    return x.grad


@pytest.mark.parametrize("kind", ["more", "less", "shape"])
def test_functions_that_change(torch, attempt, kind):
    calls = []

    def g(x):
        calls.append(1)
        again = len(calls) > 1
        if kind == "less":
            return x.exp() if again else (x.exp() * 2).exp()
        if kind == "shape":
            return x[:1].exp() if again else x.exp()
        return x.exp().exp() if again else x.exp()
    x = torch.tensor([0.5, 1.0], requires_grad=True)
    return attempt(lambda: ck(torch).checkpoint(g, x, use_reentrant=False).sum().backward())


def test_errors(torch, attempt):
    c, x = ck(torch).checkpoint, torch.ones(2, requires_grad=True)
    return [attempt(c, lambda x, k: x, x, use_reentrant=True, k=2), attempt(c, f, x, use_reentrant=False, determinism_check="x"),
            attempt(c, f, x, use_reentrant=True, debug=True),
            attempt(ck(torch).checkpoint_sequential, [f, f], 2, x, use_reentrant=False, foo=1)]


# ------------------------------------------------------------------- anomaly mode
def test_nan_in_backward(torch, attempt):
    x = torch.tensor([0.0, -1.0], requires_grad=True)
    out = []
    with torch.autograd.detect_anomaly():
        out.append(attempt(x.sqrt().sum().backward))
        out.append(attempt((x * 0 / 0).sum().backward))
        out += [torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()]
        (x * 2).sum().backward()
    out += [x.grad.clone(), torch.is_anomaly_enabled()]
    torch.autograd.set_detect_anomaly(True)
    out.append(torch.is_anomaly_enabled())
    with torch.autograd.set_detect_anomaly(False):
        out.append(torch.is_anomaly_enabled())
        x.sqrt().sum().backward()
    out.append(torch.is_anomaly_enabled())
    with torch.autograd.set_detect_anomaly(True, check_nan=False):
        out.append(torch.is_anomaly_check_nan_enabled())
        x.sqrt().sum().backward()
    torch.autograd.set_detect_anomaly(False)
    return out


def test_nan_in_one_output_of_several(torch, attempt):
    a = torch.tensor([1.0], requires_grad=True)
    b = torch.tensor([0.0], requires_grad=True)
    with torch.autograd.detect_anomaly():
        return attempt((a * (b / b).detach()).backward), attempt((a ** b * float("nan")).backward)
