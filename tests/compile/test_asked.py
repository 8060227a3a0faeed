"""What a compiled function may ask about its arguments beside their numbers: who they are, what the user added to them.

What is expected is what the same function gives uncompiled, call after call.
"""
import operator
import subprocess
import sys

import pytest

import kobai as torch
from kobai.backends.entry_open import table_of

CALLS = 9
W = torch.ones(3)
TABLE, BY_ID, WEIGHTS = {W: 5.0}, {id(W): 5.0}, [torch.zeros(1), W]


def fresh(k):
    return torch.tensor([1.0, 2.0, 3.0]) + k


def tagged(k):
    x = fresh(k)
    x.scale = 1.0 + k // 4
    return (x,)


def tagged_late(k):
    x = fresh(k)
    if k == 6:
        x.scale = 5.0
    return (x,)


def with_attribute(x):
    try:
        return x * x.scale
    except AttributeError:
        return x


def changed_before(k):
    x = fresh(k)
    for _ in range(k // 4):
        x.add_(1)
    return (x,)


def known_at_times(k):
    return (W if k % 3 == 2 else fresh(k),)


def the_same_at_times(k):
    x = fresh(k)
    return x, x if k % 3 == 2 else fresh(k)


def into_a_larger_one(k):
    return (torch.arange(9.0)[k % 3:k % 3 + 3],)


def a_view_at_times(k):
    return (torch.arange(6.0)[:3] if k % 3 == 2 else fresh(k),)


def leaf_or_not(k):
    x = fresh(k).requires_grad_()
    return (x if k % 2 else x * 2,)


def retained_at_times(k):
    x = fresh(k).requires_grad_() * 2
    if k % 2:
        x.retain_grad()
    return (x,)


CASES = {
    "attribute": (lambda x: x * x.scale, tagged), "attribute that comes": (with_attribute, tagged_late),
    "whether there is an attribute": (lambda x: x * (2 if hasattr(x, "scale") else 3), tagged_late),
    "version": (lambda x: x * (x._version + 1), changed_before),
    "version by name": (lambda x: x * (getattr(x, "_version") + 1), changed_before),  # noqa: B009
    "is": (lambda x: x * (2 if x is W else 3), known_at_times),
    "is not": (lambda x: x * (2 if x is not W else 3), known_at_times),
    "operator.is_": (lambda x: x * (2 if operator.is_(x, W) else 3), known_at_times),
    "one of a list": (lambda x: x * (2 if any(x is w for w in WEIGHTS) else 3), known_at_times),
    "key": (lambda x: x * TABLE.get(x, 1.0), known_at_times), "id": (lambda x: x * BY_ID.get(id(x), 1.0), known_at_times),
    "hash": (lambda x: x * (2 if hash(x) == hash(W) else 3), known_at_times),
    "two are one": (lambda x, y: x * (2 if x is y else 3), the_same_at_times),
    "two are one, as keys": (lambda x, y: x * len({x: 1, y: 2}), the_same_at_times),
    "offset": (lambda x: x * (1 + x.storage_offset()), into_a_larger_one),
    "base": (lambda x: x * (2 if x._base is None else 3), a_view_at_times),
    "leaf": (lambda x: x * (2 if x.is_leaf else 3), leaf_or_not),
    "history": (lambda x: x * (2 if x.grad_fn is None else 3), leaf_or_not),
    "retained": (lambda x: x * (2 if x.retains_grad else 3), retained_at_times)}


@pytest.mark.parametrize("name", CASES)
def test_what_a_function_asks(name):
    f, arguments = CASES[name]
    compiled = torch.compile(f)
    for k in range(CALLS):
        torch_args = arguments(k)
        assert compiled(*torch_args).tolist() == f(*torch_args).tolist(), k


@pytest.mark.parametrize("f", [lambda x, w=None: x * (2 if w is None else 3), lambda x: x * (2 if x.is_leaf else 3),
                               lambda x: x * (2 if x is W else 3), lambda x: x * (2 if x.requires_grad else 3)])
def test_such_questions_are_answered_by_machine_code(f):
    compiled = torch.compile(f)
    for k in range(4):
        compiled(fresh(k))
    assert hasattr(compiled, "_entry") and compiled(fresh(1)).tolist() == f(fresh(1)).tolist()


def test_an_attribute_that_the_function_sets():
    def f(x):
        x.seen = 1
        return x * 2
    compiled = torch.compile(f)
    for k in range(5):
        x = fresh(k)
        compiled(x)
        assert x.seen == 1
    assert "attributes of an argument" in compiled.reason


@pytest.mark.parametrize("later", [torch.tensor([2.0, 3.0, 4.0]), torch.ones(0), None, float("nan")])
def test_an_attribute_that_becomes_something_else(later):
    """It is not asked what it is as a truth value: of a tensor that is an error."""
    def f(x):
        return x * x.scale if isinstance(x.scale, float) else x + 1
    compiled = torch.compile(f)
    for k in range(9):
        x = fresh(k)
        x.scale = 2.0 if k < 5 else later
        assert str(compiled(x).tolist()) == str(f(x).tolist())


NUMBER = complex(-1, 0.0)


@pytest.mark.parametrize("kind", ["argument", "variable", "attribute", "default"])
def test_complex_numbers_that_differ_in_the_sign_of_zero(monkeypatch, kind):
    """The square root of -1 + 0j is another than that of -1 - 0j."""
    functions = {"argument": lambda x, c: torch.sqrt(torch.full((2,), c)) + x * 0,
                 "variable": lambda x, c: torch.sqrt(torch.full((2,), NUMBER)) + x * 0,
                 "attribute": lambda x, c: torch.sqrt(torch.full((2,), x.number)) + x * 0,
                 "default": lambda x, c, d=NUMBER: torch.sqrt(torch.full((2,), d)) + x * 0}
    f = functions[kind]
    compiled = torch.compile(f)
    for c in [complex(-1, 0.0)] * 4 + [complex(-1, -0.0)] * 4:
        monkeypatch.setattr(sys.modules[__name__], "NUMBER", c)
        f.__defaults__ = f.__defaults__ and (c,)
        x = torch.ones(2)
        x.number = c
        assert str(compiled(x, c).tolist()) == str(f(x, c).tolist())


def test_a_list_as_attribute():
    def make(compile):
        f, found, values = compile(lambda x: x * x.values[0]), [], [1.0]
        for k in range(6):
            x, values[0] = fresh(k), float(k)
            x.values = values
            found.append(f(x).tolist())
        return found
    assert make(torch.compile) == make(lambda f: f)


def test_an_argument_that_is_a_gradient():
    """A gradient that backward() adds to is an argument on some calls, under its other name."""
    def run(compile):
        w = torch.nn.Parameter(torch.ones(3))

        def step(x):
            (w * x).sum().backward()
            return x * 2
        f = compile(step)
        return [(f(w.grad if k % 3 == 2 else fresh(k)).tolist(), w.grad.tolist()) for k in range(9)]
    assert run(torch.compile) == run(lambda f: f)


def test_versions_of_arguments_that_are_written():
    """The caller's autograd sees that a compiled function has changed what it had saved."""
    def double(x):
        x.mul_(2)
        return x + 1
    f, w = torch.compile(double), torch.ones(3, requires_grad=True)
    for k in range(5):
        x = fresh(k)
        y = (x * w).sum()  # which saves x
        f(x)
        assert x._version == 1
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            y.backward()


def test_versions_of_arguments_that_were_views_of_one_tensor():
    """The two had one count of changes as they were recorded, and have their own on later calls."""
    def f(a, b):
        a.add_(1)
        b.mul_(2)
        return a + b
    f = torch.compile(f)
    for _ in range(5):
        both = torch.ones(6)
        f(both[:3], both[3:])
        assert both._version == 2
    for _ in range(5):
        a, b = fresh(0), fresh(1)
        f(a, b)
        assert (a._version, b._version) == (1, 1)


def test_versions_of_an_argument_that_was_a_view_of_a_tensor_with_a_name():
    kept = torch.ones(6)

    def f(x):
        kept[3:].add_(1)
        return x + 1
    f = torch.compile(f)
    for k in range(5):
        f(kept[:3])
        assert kept._version == k + 1
    for k in range(5):
        x = fresh(k)
        f(x)
        assert (x._version, kept._version) == (0, k + 6)


def test_a_result_and_its_detached_twin_share_memory():
    m = torch.nn.Linear(3, 3)

    def f(x):
        y = m(x)
        return y.detach(), y
    f = torch.compile(f)
    for k in range(5):
        detached, y = f(fresh(k))
        before = y.tolist()
        detached.add_(1)
        assert y.tolist() == pytest.approx([v + 1 for v in before])
        assert y._version == detached._version == 1


def test_a_tensor_that_is_returned_twice():
    f = torch.compile(lambda x: (lambda y: (y, y, y.view(3, 1)))(x * 2))
    for k in range(5):
        one, other, view = f(fresh(k))
        one.add_(1)
        assert one is other and view.flatten().tolist() == one.tolist() and view._version == 1


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 100])
def test_tables_of_addresses(count):
    addresses = [id(object) + 16 * (i * i) for i in range(count)]
    mask, *places = table_of(addresses)
    assert len(places) == mask + 1 and sorted(a for a in places if a) == sorted(addresses) and 0 in places
    for a in addresses:
        at = a >> 4 & mask
        while places[at] != a:
            assert places[at]
            at = at + 1 & mask


@pytest.mark.parametrize("by_dict", [False, True])
def test_attributes_are_seen_by_machine_code(by_dict):
    """In a row of values, in a dict, and where this Python keeps them elsewhere."""
    script = """if True:
        import sys
        from kobai.backends import entry_attributes
        if sys.argv[1] == "True":
            entry_attributes.keeps_values = lambda: False
        import kobai as torch
        f = torch.compile(lambda x: x * getattr(x, "scale", 1.0))
        for k in range(4):
            f(torch.ones(2) * k)
        assert hasattr(f, "_entry")
        x, y, z = torch.ones(2), torch.ones(2), torch.ones(2)
        x.scale = 2.0
        y.scale = 3.0
        vars(y)
        vars(z)
        assert [f(v).tolist()[0] for v in (x, y, z, torch.ones(2), x, y, z)] == [2.0, 3.0, 1.0, 1.0, 2.0, 3.0, 1.0]
        del x.scale
        assert f(x).tolist() == [1.0, 1.0]
    """
    subprocess.run([sys.executable, "-c", script, str(by_dict)], check=True)
