"""Arguments by name, in lists, tuples and dicts, and those that are no tensors: machine code opens them, and confuses none.

The expected results are those of the same function run eagerly.
"""
import sys

import numpy as np
import pytest

import kobai as torch

T = torch.tensor


def settled(f, *args, **kwargs):
    """A compiled function after enough calls for machine code to answer."""
    for _ in range(4):
        f(*args, **kwargs)
    return f


def python_calls(f, *args, **kwargs):
    """(the result, how many calls of Python functions it took)."""
    calls = []
    sys.setprofile(lambda frame, event, _: calls.append(frame.f_code.co_name) if event == "call" else None)
    try:
        result = f(*args, **kwargs)
    finally:
        sys.setprofile(None)
    return result, calls


def test_names_tell_arguments_apart():
    @torch.compile
    def f(a, b=None, c=None):
        return a - (b if c is None else 10 * c)

    a, b = T([1.0, 2.0]), T([3.0, 4.0])
    settled(f, a, c=b)
    assert f(a, b).tolist() == [-2.0, -2.0]
    assert f(a, b=b).tolist() == [-2.0, -2.0]
    assert f(a, c=b).tolist() == [-29.0, -38.0]


def test_a_list_is_not_its_items():
    @torch.compile
    def f(*args):
        return args[0][0] + 100.0 if len(args) == 1 else args[0] * args[1]

    a, b = T([1.0, 2.0]), T([3.0, 4.0])
    settled(f, [a, b])
    assert f(a, b).tolist() == [3.0, 8.0]
    assert f([a, b]).tolist() == [101.0, 102.0]
    assert f((a, b)).tolist() == [101.0, 102.0]
    assert f([a, b, a]).tolist() == [101.0, 102.0]
    assert f([a]).tolist() == [101.0, 102.0]


def test_the_order_of_a_dict_counts():
    @torch.compile
    def f(p):
        first, *rest = p.values()
        return first - sum(rest)

    a, b = T([1.0, 2.0]), T([3.0, 5.0])
    settled(f, {"a": a, "b": b})
    assert f({"b": b, "a": a}).tolist() == [2.0, 3.0]
    assert f({"a": a, "b": b}).tolist() == [-2.0, -3.0]
    assert f({"a": a, "c": b}).tolist() == [-2.0, -3.0]
    assert f({"a": a}).tolist() == [1.0, 2.0]


def test_what_is_no_tensor_is_compared():
    @torch.compile
    def f(x, how, scale, more=None):
        y = x.sum() if how == "sum" else x.mean()
        return y * scale if more is None else y * scale + more[0]

    x = T([1.0, 2.0, 6.0])
    settled(f, x, "sum", 2)
    assert f(x, "mean", 2).item() == 6.0
    assert f(x, "sum", 3).item() == 27.0
    assert f(x, "sum", True).item() == 9.0
    assert f(x, "sum", 2, [1.5]).item() == 19.5
    assert f(x, "sum", 2, [2.5]).item() == 20.5
    assert f(x, "sum", 2).item() == 18.0


def test_containers_are_opened_by_machine_code():
    @torch.compile
    def f(p, pair, x, flag, *, bias, more):
        y = x @ p["w"] * p["inner"]["scale"] + bias + pair[0] * more[0]
        return y if flag else -y

    def arguments():
        r = np.random.default_rng(0)

        def new(*shape):
            return T(r.standard_normal(shape).astype("f4"))
        return ({"w": new(3, 4), "inner": {"scale": new(4)}}, (new(4), [new(2)]), new(5, 3), True), {"bias": new(4), "more": [new(1)]}

    args, kwargs = arguments()
    settled(f, *args, **kwargs)
    assert f.reason is None
    args, kwargs = arguments()
    want = f.fn(*args, **kwargs)
    got, calls = python_calls(f, *args, **kwargs)
    np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-5)
    assert not calls
    args[0]["inner"]["scale"] = args[0]["inner"]["scale"].double()
    np.testing.assert_allclose(f(*args, **kwargs).numpy(), f.fn(*args, **kwargs).numpy(), rtol=1e-5)
    assert f(*args[:3], False, **kwargs).dtype == torch.float64


@pytest.mark.parametrize("wrap", [lambda w, b: {"w": w, "b": b}, lambda w, b: [w, b], lambda w, b: (w, (b,))])
def test_gradients_of_what_is_in_containers(wrap):
    def leaves(p):
        return list(p.values()) if isinstance(p, dict) else [p[0], p[1][0] if isinstance(p[1], tuple) else p[1]]

    @torch.compile
    def f(p, x):
        w, b = leaves(p)
        return (x @ w + b).square().sum()

    x = T([[1.0, 2.0], [3.0, 4.0]])
    for k in range(6):
        w, b = T([[1.0], [float(k)]], requires_grad=True), T([0.5], requires_grad=True)
        f(wrap(w, b), x).backward()
        got = w.grad, b.grad
        w.grad = b.grad = None
        f.fn(wrap(w, b), x).backward()
        assert got[0].tolist() == w.grad.tolist() and got[1].tolist() == b.grad.tolist()
    assert f.reason is None


def test_an_argument_in_a_dict_is_given_back():
    @torch.compile
    def f(p):
        return p["b"], p["a"] + 1

    for k in range(6):
        p = {"a": T([float(k)]), "b": T([2.0])}
        b, a = f(p)
        assert b is p["b"] and a.item() == k + 1


def test_references_are_given_back():
    @torch.compile
    def f(p, *, flag):
        return p["a"] * 2, p["b"]

    a, b = T([1.0]), T([2.0])
    p = {"a": a, "b": b}
    settled(f, p, flag=True)
    before = sys.getrefcount(a), sys.getrefcount(b), sys.getrefcount(p)
    for _ in range(1000):
        f(p, flag=True)
    assert (sys.getrefcount(a), sys.getrefcount(b), sys.getrefcount(p)) == before


def test_one_tensor_for_two_arguments():
    """Its gradient is that by both."""
    @torch.compile
    def f(x, y):
        return torch.autograd.grad((x * x * y).sum(), x)[0]

    def new():
        return T([3.0, 4.0], requires_grad=True)
    x = new()
    for _ in range(4):
        f(new(), new())
    assert f(x, x).tolist() == [27.0, 48.0]
    assert f(x, new()).tolist() == [18.0, 32.0]
    assert f(x, x).tolist() == [27.0, 48.0]


def test_an_argument_that_the_function_knows():
    """Its gradient is that by both names."""
    w = T([3.0, 4.0], requires_grad=True)

    @torch.compile
    def f(x):
        return torch.autograd.grad((x * x * w).sum(), x)[0]

    x = T([3.0, 4.0], requires_grad=True)
    settled(f, x)
    assert f(w).tolist() == [27.0, 48.0]
    assert f(x).tolist() == [18.0, 32.0]
    assert f(w).tolist() == [27.0, 48.0]
