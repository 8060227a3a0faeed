"""Compiled functions whose caller calls backward(): gradients, versions and errors are those of the function itself."""
import threading

import numpy as np
import pytest

import kobai


def leaf(*shape, start=0.5):
    return (kobai.arange(float(np.prod(shape, dtype=int))).reshape(shape) / 7 + start).requires_grad_()


def ready(fn, *args, calls=4):
    """`fn` compiled, and called so often that its program runs."""
    compiled = kobai.compile(fn)
    for _ in range(calls):
        compiled(*args)
    assert compiled.reason is None, compiled.reason
    return compiled


def both(fn, args, use):
    """What `use(call)` gives with the function itself, and with the compiled one."""
    compiled = ready(fn, *args)
    found = []
    for call in (fn, compiled):
        for a in args:
            a.grad = None
        found.append((use(call), [None if a.grad is None else a.grad.clone() for a in args]))
    return found


def same(found):
    (want, grads), (got, other) = found
    for a, b in zip([*want, *grads], [*got, *other]):
        assert (a is None) == (b is None)
        if a is not None:
            kobai.testing.assert_close(b, a, rtol=1e-5, atol=1e-4)


FUNCTIONS = {
    "exp": (lambda x: kobai.exp(x), [(5,)]),
    "two arguments": (lambda x, w: x * w + x, [(2, 3), (3,)]),
    "number": (lambda x: (x * x).sum(), [(7,)]),
    "nothing saved": (lambda x: x + 1, [(3,)]),
    "an argument without part": (lambda x, w: x * 2 + w.detach(), [(3,), (3,)]),
    "empty": (lambda x: x * 3, [(0, 2)]),
    "layer_norm": (lambda x, w, b: kobai.nn.functional.layer_norm(x, (4,), w, b), [(3, 4), (4,), (4,)]),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("kind", ["ones", "expanded", "transposed memory", "keeps"])
def test_gradients(name, kind):
    fn, shapes = FUNCTIONS[name]

    def use(call):
        y = call(*args)
        g = kobai.ones(y.shape) * 1.5
        if kind == "expanded":
            g = kobai.tensor(1.5).expand(y.shape)
        if kind == "transposed memory" and y.ndim == 2:
            g = kobai.arange(float(y.numel())).reshape(y.shape[::-1]).t()
        if kind == "keeps":
            y.backward(g, retain_graph=True)
        y.backward(g)
        return [y.detach()]
    args = [leaf(*s) for s in shapes]
    same(both(fn, args, use))


def test_a_number_starts_with_one():
    x = leaf(4)
    mean = ready(lambda v: (v ** 2).mean(), x)
    mean(x).backward()
    np.testing.assert_allclose(x.grad.numpy(), (x / 2).detach().numpy(), rtol=1e-6)


def test_several_results_of_which_some_are_used():
    def fn(x, w):
        return x * w, (x + w).sum(), x.detach() * 2
    args = [leaf(3), leaf(3, start=2)]

    def first(call):
        a, _, c = call(*args)
        assert not c.requires_grad
        a.backward(kobai.ones(3))
        return [a.detach(), c]

    def all_of_them(call):
        a, b, _ = call(*args)
        (a.sum() * b).backward()
        return [a.detach(), b.detach()]

    def in_a_dict(call):
        a, b, _ = call(*args)
        kobai.autograd.backward([a, b], [kobai.ones(3), kobai.tensor(2.0)])
        return []
    for use in (first, all_of_them, in_a_dict):
        same(both(fn, args, use))


def test_results_in_a_dict():
    args = [leaf(3)]
    same(both(lambda x: {"y": x.exp(), "z": [x * 2]}, args,
              lambda call: [(call(*args)["y"] * call(*args)["z"][0]).sum().backward()]))


def test_what_was_saved_must_not_change():
    x = leaf(3)
    for fn, target in ((lambda v: v * v, "argument"), (lambda v: v.exp(), "result")):
        compiled = ready(fn, x)
        y = compiled(x)
        with kobai.no_grad():
            (x if target == "argument" else y).add_(1)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            y.backward(kobai.ones(3))
        assert x.grad is None


def test_a_second_pass_is_refused():
    x = leaf(3)
    y = ready(lambda v: v * v, x)(x)
    y.backward(kobai.ones(3))
    before = x.grad.tolist()
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        y.backward(kobai.ones(3))
    assert x.grad.tolist() == before


def test_gradients_of_gradients():
    x = leaf(3)
    cube = ready(lambda v: v ** 3, x)
    y = cube(x).sum()
    first, = kobai.autograd.grad(y, x, create_graph=True)
    second, = kobai.autograd.grad(first.sum(), x)
    kobai.testing.assert_close(second, (6 * x).detach())
    cube(x).backward(kobai.ones(3), create_graph=True)
    kobai.testing.assert_close(x.grad.detach(), (3 * x ** 2).detach())
    assert x.grad.requires_grad


def test_hooks():
    x, seen = leaf(3), []
    compiled = ready(lambda v: v * 2, x)
    x.register_hook(lambda g: seen.append("leaf") or g * 10)
    y = compiled(x)
    y.register_hook(lambda g: seen.append("result") or g + 1)
    y.backward(kobai.ones(3))
    assert seen == ["result", "leaf"]
    assert x.grad.tolist() == [40, 40, 40]


def test_a_parameter_may_be_given_other_memory_and_its_own_again():
    w, x = leaf(3), leaf(3, start=1)

    def fn(v):
        return v * w
    compiled = ready(fn, x)
    own, other = w.data, kobai.full((3,), 100.0)
    for memory in (other, own, other, own):
        w.data = memory
        x.grad = w.grad = None
        compiled(x).backward(kobai.ones(3))
        assert x.grad.tolist() == memory.tolist()  # what was multiplied with in this call


def test_a_parameter_that_stands_in_two_places():
    w, x = leaf(3), leaf(3)
    compiled = ready(lambda v: (v * w).sum() + w.sum(), x)
    compiled(x).backward()
    np.testing.assert_allclose(w.grad.numpy(), x.detach().numpy() + 1, rtol=1e-6)


def test_the_node_tells_the_line_of_the_call():
    from kobai.autograd.node import line_of
    x = leaf(3)
    compiled = ready(lambda v: v.exp(), x)
    y = compiled(x)
    file, _, function = line_of(y.grad_fn.where)
    assert file == __file__
    assert function == "test_the_node_tells_the_line_of_the_call"


def test_more_of_the_graph_before_and_behind():
    x, w = leaf(4), leaf(4, start=1)
    compiled = ready(lambda v, u: (v * u).exp(), x, w)

    def step(call):
        x.grad = w.grad = None
        (call(x * 1, w).sum() ** 2).backward()
        return [x.grad.clone(), w.grad.clone()]
    for a, b in zip(step(lambda v, u: (v * u).exp()), step(compiled)):
        kobai.testing.assert_close(b, a)


def test_threads():
    compiled = ready(lambda v: (v * v).exp(), leaf(50))
    wrong = []

    def run():
        x = leaf(50)
        want = (2 * x * (x * x).exp()).detach()
        for _ in range(50):
            x.grad = None
            compiled(x).backward(kobai.ones(50))
            if not kobai.allclose(x.grad, want):
                wrong.append(x.grad)
    threads = [threading.Thread(target=run) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_a_parameter_that_is_frozen_later_gets_no_gradient():
    w, x = leaf(3), leaf(3)
    compiled = ready(lambda v: v * w, x)
    w.requires_grad_(False)
    compiled(x).backward(kobai.ones(3))
    assert w.grad is None
    assert x.grad.tolist() == w.tolist()
    w.requires_grad_()
    compiled(x).backward(kobai.ones(3))
    assert w.grad.tolist() == x.tolist()


def test_an_argument_that_is_a_view():
    w, base = leaf(3), kobai.arange(6.0)
    compiled = ready(lambda v: v * w, base[3:])
    base.add_(1)
    compiled(base[3:]).backward(kobai.ones(3))
    assert w.grad.tolist() == [4, 5, 6]
    compiled(base[:3]).backward(kobai.ones(3))
    assert w.grad.tolist() == [5, 7, 9]


def test_what_a_call_held_is_given_free():
    import gc
    import weakref
    x = leaf(3)
    compiled = ready(lambda v: v.exp(), x)
    gc.collect()
    gc.disable()
    try:
        y = compiled(x)
        kept = weakref.ref(y)
        y.backward(kobai.ones(3))
        del y
        assert kept() is None
    finally:
        gc.enable()


def test_views_that_the_backward_pass_needs_are_made_there():
    """Transposed weights are not copied for it: what they look into is there anyway."""
    kobai.manual_seed(0)
    x, w, v = kobai.randn(5, 3, requires_grad=True), kobai.randn(4, 3, requires_grad=True), kobai.randn(4, 6, requires_grad=True)

    def f(x):
        return (kobai.tanh(x @ w.t()) @ v).t().reshape(3, 10).permute(1, 0)
    step = ready(f, x)
    for _ in range(3):
        found = [kobai.autograd.grad(y.square().sum(), (x, w, v)) for y in (f(x), step(x))]
        for a, b in zip(*found):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5, atol=1e-6)
        assert f(x).stride() == step(x).stride()
    program = step._last
    kept = [program.plan.original.outputs[i] for i in program.joint.saved]
    assert kept and not any(u.node is not None and u.node.op.view for u in kept)


def test_several_results_with_a_history_that_lie_turned_in_memory():
    w = leaf(3, 4)

    def f(x):
        y = x * w
        return y.t(), {"sum": y.sum(), "wide": (y + 1).unsqueeze(0).permute(2, 0, 1)}
    x = kobai.ones(3, 4)
    step = ready(f, x)
    for a, b in zip(kobai.utils._pytree.tree_flatten(f(x))[0], kobai.utils._pytree.tree_flatten(step(x))[0], strict=True):
        assert a.stride() == b.stride() and a.requires_grad == b.requires_grad
        kobai.testing.assert_close(a, b)
        grads = [kobai.autograd.grad((v * v).sum(), w, retain_graph=True)[0] for v in (a, b)]
        kobai.testing.assert_close(*grads)
