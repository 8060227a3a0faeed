"""Backward passes through one node, which take a short way: it has to end as the way through the graph does."""
import numpy as np
import pytest

import kobai

G = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]


def leaf(*shape):
    return kobai.full(shape, 2.0).requires_grad_()


def longer(y):
    """The same value two nodes further on: its passes go the long way."""
    return (y * 1) * 1


SINGLE = {
    "add": lambda a, b: a + b,
    "multiply": lambda a, b: a * b,
    "the same leaf twice": lambda a, b: a * a,
    "a number": lambda a, b: a - 1,
    "sum": lambda a, b: (a * 1).sum(0).expand(2, 3),
    "transposed": lambda a, b: a.t(),
    "row": lambda a, b: a[1],
    "rows at places": lambda a, b: a[kobai.tensor([1, 0, 1])],
    "broadcast": lambda a, b: a + b[0],
    "together": lambda a, b: kobai.cat([a, b, a]),
    "product": lambda a, b: a @ b.detach().t(),
    "clone": lambda a, b: a.clone(),
    "part": lambda a, b: a.split(1)[1],
    "layer": lambda a, b: kobai.nn.functional.layer_norm(a, (3,)),
}


@pytest.mark.parametrize("name", SINGLE)
@pytest.mark.parametrize("before", [False, True])
def test_gradients_are_those_of_the_long_way(name, before):
    found = []
    for way in (lambda y: y, longer):
        a, b = leaf(2, 3), leaf(2, 3)
        if before:
            a.grad, b.grad = kobai.ones(2, 3), kobai.ones(2, 3)
        y = way(SINGLE[name](a, b))
        g = kobai.arange(1.0, y.numel() + 1).reshape(y.shape)
        y.backward(g)
        assert g.tolist() == kobai.arange(1.0, y.numel() + 1).reshape(y.shape).tolist()
        found.append([None if t.grad is None else t.grad.tolist() for t in (a, b)])
    assert found[0] == found[1]


def test_a_gradient_has_memory_of_its_own():
    a, b = leaf(2, 3), leaf(2, 3)
    g = kobai.tensor(G)
    (a + b).backward(g)
    a.grad.zero_()
    assert b.grad.tolist() == G
    b.grad.zero_()
    assert g.tolist() == G
    y = a.clone()
    y.backward(g)
    a.grad.add_(1)
    assert g.tolist() == G
    z = a.exp()  # whose rule may give what it saved
    z.backward(kobai.ones(2, 3))
    a.grad.zero_()
    assert z.min() > 1


def test_a_gradient_that_is_there_is_added_to_in_place_and_counts_the_change():
    a = leaf(3)
    (a * 3).backward(kobai.ones(3))
    first, version = a.grad, a.grad._version
    (a * 4).backward(kobai.ones(3))
    assert a.grad is first
    assert a.grad._version == version + 1
    assert a.grad.tolist() == [7, 7, 7]
    a.grad = kobai.zeros(1).expand(3)
    with pytest.raises(RuntimeError, match="more than one element of the written-to tensor"):
        (a * 4).backward(kobai.ones(3))


def test_a_gradient_lies_in_memory_as_its_leaf():
    a = kobai.ones(3, 2).t().detach().requires_grad_()
    (a * 2).backward(kobai.tensor(G))
    assert a.grad.stride() == a.stride() or a.grad.is_contiguous()
    assert a.grad.tolist() == (2 * np.array(G)).tolist()


def test_hooks_see_it():
    a, seen = leaf(3), []
    a.register_hook(lambda g: seen.append("leaf") or g * 10)
    y = a * 2
    y.register_hook(lambda g: seen.append("result") or g + 1)
    y.grad_fn.register_hook(lambda *_: seen.append("after"))
    y.retain_grad()
    a.register_post_accumulate_grad_hook(lambda t: seen.append(t.grad.tolist()))
    y.backward(kobai.ones(3))
    assert seen == ["result", "after", "leaf", [40, 40, 40]]
    assert y.grad.tolist() == [2, 2, 2]


def test_a_second_pass_needs_retain_graph():
    a = leaf(3)
    y = a * a
    y.backward(kobai.ones(3), retain_graph=True)
    y.backward(kobai.ones(3))
    assert a.grad.tolist() == [8, 8, 8]
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        y.backward(kobai.ones(3))
    assert a.grad.tolist() == [8, 8, 8]


def test_an_error_leaves_all_as_it_was():
    a, b = leaf(3), leaf(3)
    c = b * 1
    y = a * c
    with kobai.no_grad():
        c.add_(1)
    z = kobai.exp(a)
    with kobai.no_grad():
        z.add_(1)
    for broken in (y, z):
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            broken.backward(kobai.ones(3))
        assert a.grad is None
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            broken.backward(kobai.ones(3))  # not "a second time": nothing was freed


def test_wrong_gradients_are_refused():
    y = leaf(3).exp()
    with pytest.raises(RuntimeError, match=r"Mismatch in shape: grad_output\[0\] has a shape of"):
        y.backward(kobai.ones(2))
    with pytest.raises(RuntimeError, match="grad can be implicitly created only for scalar outputs"):
        y.backward()
    with pytest.raises(TypeError, match="gradients can be either Tensors or None"):
        y.backward([1.0, 1.0, 1.0])


def test_a_gradient_of_another_dtype_is_converted():
    a = leaf(3)
    (a * 2).backward(kobai.ones(3, dtype=kobai.float64))
    assert a.grad.dtype == kobai.float32


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_one_element_needs_no_gradient(shape):
    a = leaf(*shape)
    (a * 3).backward()
    assert a.grad.shape == shape
    assert a.grad.item() == 3


def test_saved_tensor_hooks_and_anomaly_mode():
    a, seen = leaf(3), []
    with kobai.autograd.graph.saved_tensors_hooks(lambda t: seen.append("pack") or t, lambda t: seen.append("unpack") or t):
        y = a * a
    y.backward(kobai.ones(3))
    assert "unpack" in seen
    assert a.grad.tolist() == [4, 4, 4]
    b = kobai.zeros(2, requires_grad=True)
    with kobai.autograd.detect_anomaly(), pytest.raises(RuntimeError, match="returned nan values"):
        b.sqrt().backward(kobai.zeros(2))


def test_a_film_of_the_pass_sees_it(monkeypatch):
    from kobai.autograd import engine
    seen, ordinary = [], engine.propagate
    monkeypatch.setattr(engine, "propagate", lambda *a, **k: seen.append(1) or ordinary(*a, **k))
    leaf(3).exp().backward(kobai.ones(3))
    assert seen
