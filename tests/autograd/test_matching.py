"""A pattern fits graphs that are alike in all that a recorded backward pass depends on, and no others."""
import numpy as np
import pytest

import kobai as torch
from kobai.autograd.matching import Pattern

G = np.float32(1)


def leaf(*shape, dtype=torch.float32):
    return torch.ones(*shape, dtype=dtype, requires_grad=True)


def same(a, b):
    return ((a * b).exp() * a).sum()


LIKE = {
    "the same": (lambda: same(leaf(2, 3), leaf(2, 3)), lambda: same(leaf(2, 3), leaf(2, 3))),
    "another shape": (None, lambda: same(leaf(3, 2), leaf(3, 2))),
    "another dtype": (None, lambda: same(leaf(2, 3, dtype=torch.float64), leaf(2, 3, dtype=torch.float64))),
    "other strides": (None, lambda: same(leaf(3, 2).t(), leaf(3, 2).t())),
    "broadcast": (None, lambda: same(leaf(2, 3), leaf(3))),
    "one leaf in two places": (None, lambda: (lambda a: same(a, a))(leaf(2, 3))),
    "another op": (None, lambda: ((lambda a: ((a * leaf(2, 3)).sin() * a).sum())(leaf(2, 3)))),
    "an input without gradient": (None, lambda: same(leaf(2, 3), torch.ones(2, 3))),
    "another parameter of an op": (None, lambda: (lambda a: ((a * leaf(2, 3)).exp() * a).sum(1)[0])(leaf(2, 3))),
}


@pytest.mark.parametrize("name", LIKE)
def test_graphs_alike(name):
    first = LIKE["the same"][0]()
    match = Pattern([(first._node, G)]).function([0])
    other = LIKE[name][1]()
    assert (match([(other._node, G)]) is not None) == (name == "the same")


def test_what_is_found():
    a, b = leaf(2, 3), leaf(2, 3)
    y = same(a, b)
    match = Pattern([(y._node, G)]).function([0, 1])
    c, d = leaf(2, 3) * 3, torch.full((2, 3), 5.0, requires_grad=True)
    c = c.detach().requires_grad_()
    z = same(c, d)
    (g, saved), leaves, nodes = match([(z._node, np.float32(7))])
    assert g.tolist() == 7 and saved.tolist() in (c.tolist(), (c * d).exp().tolist())
    assert {id(t) for t in leaves} == {id(c), id(d)} and z._node.edges[0] in nodes


def scaled(number):
    return lambda x: (x * number).exp().sum()


@pytest.mark.parametrize("one, other, alike", [(2.0, 2.0, True), (2.0, 3.0, False), (0.0, -0.0, False), (2.0, 2, False),
                                               (float("nan"), float("nan"), True)])
def test_numbers_that_were_saved(one, other, alike):
    match = Pattern([(scaled(one)(leaf(3))._node, G)]).function([0])
    assert (match([(scaled(other)(leaf(3))._node, G)]) is not None) == alike


def test_nodes_with_hooks_or_changed_or_freed_values_do_not_match():
    x = leaf(3)
    match = Pattern([(scaled(2.0)(x)._node, G)]).function([0])

    def of(y):
        return match([(y._node, G)])
    hooked = (x * 2.0).exp()
    hooked.register_hook(lambda g: g)
    assert of(hooked.sum()) is None
    with torch.no_grad():
        changed = (x * 2.0).exp()
    changed = (x * 2.0).exp()
    loss = changed.sum()
    changed.detach().add_(1)
    assert of(loss) is None
    freed = scaled(2.0)(x)
    assert of(freed) is not None
    freed.backward()
    assert of(freed) is None


def test_arrays_that_were_one_must_be_one():
    """The recorded program reads one of them for both."""
    a, b = torch.ones(3), torch.full((3,), 2.0)

    def f(x, p, q):
        return ((x * p).exp() * q).sum()
    match = Pattern([(f(leaf(3), a, a)._node, G)]).function([0])
    assert match([(f(leaf(3), b, b)._node, G)]) is not None
    assert match([(f(leaf(3), a, b)._node, G)]) is None


def test_nodes_that_were_two_must_be_two():
    def f(p, q):
        return (p.exp() * q.exp()).sum()
    x = leaf(3)
    match = Pattern([(f(x * 2.0, x * 2.0)._node, G)]).function([0])
    assert match([(f(x * 2.0, x * 2.0)._node, G)]) is not None
    one = x * 2.0
    assert match([(f(one, one)._node, G)]) is None


def test_several_roots():
    x = leaf(3)

    def roots():
        return [((x * 2.0).exp()._node, np.ones(3, "f4")), ((x * 3.0).exp()._node, np.ones(3, "f4"))]
    match = Pattern(roots()).function([0, 1])
    assert match(roots()) is not None
    assert match(roots()[::-1]) is None
    assert match([(n, np.ones((1, 3), "f4")) for n, _ in roots()]) is None
    assert match(roots()[:1]) is None and match(roots() * 2) is None
