"""no_grad, enable_grad, inference_mode: programs run with PyTorch and with kobai."""
import pytest

pytest.importorskip("torch")


def test_contexts(torch):
    x = torch.tensor(1.0, requires_grad=True)
    out = [torch.is_grad_enabled()]
    with torch.no_grad():
        out += [torch.is_grad_enabled(), (x * 2).requires_grad, torch.ones(1, requires_grad=True).requires_grad]
        with torch.enable_grad():
            out += [torch.is_grad_enabled(), (x * 2).requires_grad]
        out.append(torch.is_grad_enabled())
    with torch.set_grad_enabled(False):
        out.append((x * 2).requires_grad)
        with torch.set_grad_enabled(True):
            out.append((x * 2).requires_grad)
    torch.set_grad_enabled(False)
    out.append(torch.is_grad_enabled())
    torch.set_grad_enabled(True)
    return [*out, torch.is_grad_enabled()]


def test_after_an_error(torch):
    try:
        with torch.no_grad():
            raise KeyError
    except KeyError:
        pass
    return torch.is_grad_enabled()


def test_decorators(torch):
    @torch.no_grad()
    def a():
        return torch.is_grad_enabled()

    @torch.no_grad
    def b():
        return torch.is_grad_enabled()

    @torch.enable_grad()
    def c():
        return torch.is_grad_enabled()

    @torch.set_grad_enabled(False)
    def d():
        return torch.is_grad_enabled()

    @torch.inference_mode()
    def e():
        return torch.is_grad_enabled(), torch.is_inference_mode_enabled()

    @torch.inference_mode
    def f():
        return torch.is_inference_mode_enabled()

    class Net(torch.nn.Module):
        @torch.no_grad()
        def forward(self, x):
            """Doc."""
            return x * 2
    with torch.no_grad():
        inner = c()
    net = Net()(torch.ones(1, requires_grad=True)).requires_grad
    return a(), b(), c(), inner, d(), e(), f(), net, torch.is_grad_enabled(), a.__name__, Net.forward.__doc__


def test_recursive_decorated(torch):
    @torch.no_grad()
    def f(n):
        return [torch.is_grad_enabled()] + (f(n - 1) if n else [])
    return f(3), torch.is_grad_enabled()


def test_generators(torch):
    log = []

    @torch.no_grad()
    def numbers():
        try:
            for i in range(3):
                log.append(("in", torch.is_grad_enabled()))
                got = yield i
                log.append(("got", got, torch.is_grad_enabled()))
        except ValueError as e:
            log.append(("thrown", str(e), torch.is_grad_enabled()))
            yield "caught"
        finally:
            log.append(("closed", torch.is_grad_enabled()))
        return "end"
    for _ in numbers():
        log.append(("out", torch.is_grad_enabled()))
    g = numbers()
    next(g)
    log.append(g.send("hello"))
    log.append(g.throw(ValueError("x")))
    g.close()
    h = numbers()
    next(h)
    h.close()

    def outer():
        log.append((yield from numbers()))
    list(outer())
    return log


def test_inference_mode(torch):
    x = torch.ones(2, requires_grad=True)
    with torch.inference_mode():
        y = x * 2
        out = [y.requires_grad, torch.is_inference_mode_enabled(), torch.is_grad_enabled(), y.is_leaf]
        with torch.inference_mode(False):
            out += [torch.is_inference_mode_enabled(), torch.is_grad_enabled(), (x * 2).requires_grad]
        z = torch.ones(2)
        z.add_(1)
        with torch.enable_grad():
            out += [torch.is_grad_enabled(), torch.is_inference_mode_enabled()]
    w = y.clone().requires_grad_()
    (w * y.clone()).sum().backward()
    return [*out, torch.is_inference_mode_enabled(), w.grad]


def test_normal_tensor_changed_in_inference_mode(torch):
    t = torch.ones(2)
    with torch.inference_mode():
        t.mul_(3)
    return t, t.is_inference()


def test_threads_have_their_own_mode(torch):
    import threading
    log, ready, go = [], threading.Event(), threading.Event()

    def work():
        log.append(torch.is_grad_enabled())
        with torch.no_grad():
            ready.set()
            go.wait()
            log.append(torch.is_grad_enabled())
    t = threading.Thread(target=work)
    with torch.no_grad():
        t.start()
        ready.wait()
    log.append(torch.is_grad_enabled())
    go.set()
    t.join()
    return log


def test_no_grad_views_and_leaves(torch, attempt):
    x = torch.ones(4, requires_grad=True)
    with torch.no_grad():
        x[0] = 5
        x.mul_(2)
        v = x.view(2, 2)
        v[1] += 1
        x.data[3] = 100
    out = [x, x.is_leaf, x._version]
    (x * x).sum().backward()
    return [*out, x.grad]


def test_set_multithreading_and_others(torch):
    with torch.autograd.set_multithreading_enabled(False):
        pass
    with torch.autograd.grad_mode.no_grad():
        return torch.is_grad_enabled()


def test_grad_mode_inside_backward(torch):
    log = []

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            log.append(torch.is_grad_enabled())
            return x * 2

        @staticmethod
        def backward(ctx, g):
            log.append(torch.is_grad_enabled())
            return g * 2
    x = torch.ones(1, requires_grad=True)
    F.apply(x).backward()
    F.apply(x).backward(create_graph=True)
    return log
