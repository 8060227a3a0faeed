"""Hooks on tensors, nodes and saved values: programs run with PyTorch and with kobai."""
import pytest

pytest.importorskip("torch")


# ------------------------------------------------------------------- tensors
def test_order_and_replacement(torch):
    x, log = torch.tensor([1.0, 2.0], requires_grad=True), []

    def note(name, factor=None):
        def hook(g):
            log.append((name, g.clone()))
            return None if factor is None else g * factor
        return hook
    y = x * 2
    y.register_hook(note("y1", 10))
    y.register_hook(note("y2"))
    x.register_hook(note("x1", 3))
    h = x.register_hook(note("x2", 100))
    x.register_hook(note("x3"))
    h.remove()
    z = y.sum()
    z.register_hook(note("z"))
    z.backward()
    return log, x.grad


def test_removed_within_a_with(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with x.register_hook(lambda g: g * 10):
        (x * 1).sum().backward()
    (x * 1).sum().backward()
    return x.grad


def test_hooks_of_a_value_used_twice_see_the_sum(torch):
    x, log = torch.tensor([1.0, 2.0], requires_grad=True), []
    y = x * 2
    y.register_hook(lambda g: log.append(g.clone()))
    (y * 3 + y * 4).sum().backward()
    return log


def test_hook_removes_itself(torch):
    x, log = torch.tensor([1.0], requires_grad=True), []

    def hook(g):
        log.append(1)
        handle.remove()
    handle = x.register_hook(hook)
    (x * 1).backward()
    (x * 1).backward()
    return log


def test_hooks_with_grad(torch):
    x, log = torch.tensor([1.0, 2.0], requires_grad=True), []
    x.register_hook(lambda g: g * 2)
    y = x * 3
    y.register_hook(lambda g: log.append(g.clone()))
    g = torch.autograd.grad(y.sum(), (x, y))
    return g, log, x.grad


def test_hooks_with_inputs(torch):
    x, w, log = torch.tensor([1.0, 2.0], requires_grad=True), torch.ones(2, requires_grad=True), []
    x.register_hook(lambda g: log.append("x"))
    w.register_hook(lambda g: log.append("w"))
    (x * w).sum().backward(inputs=[x])
    return log, x.grad, w.grad


def test_hooks_inside_create_graph(torch):
    x, log = torch.tensor([1.0, 2.0], requires_grad=True), []
    y = x ** 3
    y.register_hook(lambda g: log.append((g.requires_grad, torch.is_grad_enabled())) or g * x)
    g, = torch.autograd.grad(y.sum(), x, create_graph=True)
    h, = torch.autograd.grad(g.sum(), x)
    return g.detach(), h, log


def test_hook_on_one_of_several_outputs(torch):
    x = torch.arange(4.0, requires_grad=True)
    a, b = x.split(2)
    b.register_hook(lambda g: g * 10)
    (a + b).sum().backward()
    return x.grad


def test_hook_sees_grad_mode(torch):
    x, log = torch.tensor([1.0], requires_grad=True), []
    y = x * 2
    y.register_hook(lambda g: log.append((torch.is_grad_enabled(), g.requires_grad)))
    y.backward(retain_graph=True)
    y.backward(create_graph=True)
    return log


def test_hook_before_and_after_a_change_in_place(torch):
    x, log = torch.tensor([1.0, 2.0], requires_grad=True), []
    y = x * 2
    y.register_hook(lambda g: log.append(("before", g.clone())))
    y.mul_(3)
    y.register_hook(lambda g: log.append(("after", g.clone())))
    y.sum().backward()
    return log, x.grad


def test_hook_errors(torch, attempt):
    x = torch.tensor([1.0, 2.0], requires_grad=True)

    def with_hook(hook):
        y = x * 2
        y.register_hook(hook)
        y.sum().backward()
    return [attempt(with_hook, lambda g: 3), attempt(with_hook, lambda g: torch.ones(3)),
            attempt(with_hook, lambda g: torch.ones(2, dtype=torch.float64)),
            attempt(torch.ones(2).register_hook, lambda g: g),
            attempt((x * 2).register_post_accumulate_grad_hook, lambda g: g),
            attempt(torch.ones(2).register_post_accumulate_grad_hook, lambda g: g)]


def test_an_error_in_a_hook_comes_through(torch, attempt):
    x = torch.tensor([1.0], requires_grad=True)

    def bad(g):
        raise ValueError("my own")
    x.register_hook(bad)
    out = attempt((x * 2).backward)
    return out, torch.is_grad_enabled(), x.grad


def test_post_accumulate(torch):
    x, log = torch.tensor([1.0, 2.0], requires_grad=True), []
    x.register_hook(lambda g: log.append("hook") or g * 2)
    h = x.register_post_accumulate_grad_hook(lambda t: log.append(t.grad.clone()))
    (x * 3).sum().backward()
    (x * 3).sum().backward()
    h.remove()
    (x * 3).sum().backward()
    return log, x.grad


def test_optimizer_inside_backward(torch):
    m = torch.nn.Linear(2, 1)
    opts = {p: torch.optim.SGD([p], lr=0.1) for p in m.parameters()}

    def step(p):
        opts[p].step()
        opts[p].zero_grad()
    for p in m.parameters():
        p.register_post_accumulate_grad_hook(step)
    for _ in range(3):
        m(torch.ones(4, 2)).pow(2).mean().backward()
    return m.weight, m.bias, m.weight.grad


# ------------------------------------------------------------------- nodes
def test_node_hooks(torch):
    x, log = torch.tensor([1.0, 2.0], requires_grad=True), []
    y = x * 3
    h = y.grad_fn.register_hook(lambda g_in, g_out: log.append((g_in[0], g_out[0])) or (g_in[0] * 10, *g_in[1:]))
    y.sum().backward(retain_graph=True)
    h.remove()
    y.sum().backward()
    return log, x.grad


def test_node_prehooks(torch):
    x, log = torch.tensor([1.0, 2.0], requires_grad=True), []
    y = x * 3
    y.register_hook(lambda g: log.append(("tensor", g.clone())))
    y.grad_fn.register_prehook(lambda gs: log.append(("pre", gs[0].clone())) or (gs[0] * 10,))
    y.sum().backward()
    return log, x.grad


def test_node_hooks_of_several_outputs(torch):
    x, log = torch.arange(4.0, requires_grad=True), []
    a, b = x.unbind(0)[:2]
    a.grad_fn.register_prehook(lambda gs: log.append([None if g is None else g.clone() for g in gs]))
    (a * 2).backward()
    return len(log[0]), log[0][0], x.grad


def test_accumulate_grad_hooks(torch):
    x, log = torch.tensor([1.0, 2.0], requires_grad=True), []
    y = x * 3
    acc = y.grad_fn.next_functions[0][0]
    acc.register_hook(lambda g_in, g_out: log.append(("post", len(g_in), x.grad.clone())))
    acc.register_prehook(lambda gs: log.append(("pre", gs[0].clone())) or (gs[0] * 2,))
    y.sum().backward()
    return log, x.grad


def test_multi_grad_hook(torch):
    x, log = torch.tensor([1.0, 2.0], requires_grad=True), []
    a, b, c = x * 2, x * 3, x * 4
    h = torch.autograd.graph.register_multi_grad_hook((a, b, c), lambda gs: log.append(
        [None if g is None else g.clone() for g in gs]))
    (a + b + c).sum().backward(retain_graph=True)
    (a + b).sum().backward(retain_graph=True)
    h.remove()
    (a + b + c).sum().backward()
    return log


def test_multi_grad_hook_any(torch):
    x, log = torch.tensor([1.0, 2.0], requires_grad=True), []
    a, b = x * 2, x * 3
    torch.autograd.graph.register_multi_grad_hook((a, b), lambda g: log.append(g.clone()), mode="any")
    (a + b).sum().backward(retain_graph=True)
    (a + b).sum().backward()
    return log


# ------------------------------------------------------------------- saved values
def test_saved_tensors_hooks(torch):
    log = []

    def pack(t):
        log.append(("pack", t.detach().clone()))
        return t.detach().numpy()

    def unpack(v):
        log.append(("unpack", v))
        return torch.from_numpy(v)
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(pack, unpack):
        y = x.exp() * x
    y.sum().backward()
    return log, x.grad


def test_saved_tensors_hooks_change_the_gradient(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t * 10, lambda t: t):
        y = x ** 2
    y.sum().backward()
    return x.grad


def test_saved_tensors_hooks_nest_and_end(torch):
    log = []

    def hooks(name):
        return torch.autograd.graph.saved_tensors_hooks(lambda t: log.append(name) or t, lambda t: t)
    x = torch.tensor([1.0], requires_grad=True)
    with hooks("outer"):
        x.exp()
        with hooks("inner"):
            x.exp()
        x.exp()
    x.exp()
    return log


def test_saved_tensors_hooks_and_second_order(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t):
        y = (x ** 3).sum()
        g, = torch.autograd.grad(y, x, create_graph=True)
    h, = torch.autograd.grad(g.sum(), x)
    return g.detach(), h


def test_saved_tensors_hooks_and_function(torch):
    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x ** 3

        @staticmethod
        def backward(ctx, g):
            x, = ctx.saved_tensors
            return 3 * x ** 2 * g
    x, log = torch.tensor([1.0, 2.0], requires_grad=True), []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: log.append("pack") or (t, 2), lambda p: p[0] * p[1]):
        y = Cube.apply(x)
    y.sum().backward()
    return x.grad, log


def test_saved_tensors_hooks_errors(torch, attempt):
    x = torch.tensor([1.0], requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: 3):
        y = x.exp()
    out = [attempt(y.backward)]

    def disabled():
        with torch.autograd.graph.disable_saved_tensors_hooks("not here"):
            with torch.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t):
                x.exp()
    out.append(attempt(disabled))
    return out


def test_save_on_cpu(torch):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with torch.autograd.graph.save_on_cpu():
        y = x.exp() * x.sin()
    y.sum().backward()
    return x.grad


def test_pack_hook_of_integers(torch):
    log, x = [], torch.randn(3, 4, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: log.append(str(t.dtype)) or t, lambda t: t):
        y = x[torch.tensor([0, 2])].max(1).values
    y.sum().backward()
    return x.grad


def test_whole_network_on_disk(torch, tmp_path):
    import os
    names = []

    def pack(t):
        names.append(os.path.join(tmp_path, f"{len(names)}"))
        t.detach().numpy().tofile(names[-1])
        return names[-1], t.shape

    def unpack(where):
        import numpy as np
        return torch.from_numpy(np.fromfile(where[0], dtype=np.float32).reshape(tuple(where[1])).copy())
    m = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
    with torch.autograd.graph.saved_tensors_hooks(pack, unpack):
        loss = m(torch.randn(5, 3)).pow(2).mean()
    loss.backward()
    return [p.grad for p in m.parameters()]
