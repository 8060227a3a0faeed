"""Arguments and results with attributes: kobai's own do not matter to machine code, the user's do.

What is expected is what the same function gives uncompiled.
"""
import pytest

import kobai as torch
from kobai.backends import llvm
from kobai.compile import program

pytestmark = pytest.mark.skipif(not llvm.available, reason="without llvmlite nothing is compiled")
W = torch.ones(3, requires_grad=True)


def detached(i):
    return (W * i).detach()  # notes where it was detached


def in_a_graph_once(i):
    x = torch.full((3,), float(i), requires_grad=True)
    assert (x * 2).grad_fn.next_functions  # notes who accumulates its gradient
    return x.requires_grad_(False)


@pytest.mark.parametrize("make", [detached, in_a_graph_once, lambda i: torch.full((3,), float(i))])
def test_own_attributes_are_left_to_machine_code(make, monkeypatch):
    f = torch.compile(lambda x: x * 2 + 1)
    for i in range(4):
        f(make(i))

    def looked_at(*args):
        raise AssertionError("Python looked at the arguments")
    monkeypatch.setattr(program.Program, "bind", looked_at)
    for i in range(6):
        assert f(make(i)).tolist() == [2.0 * i + 1] * 3


@pytest.mark.parametrize("name", ["scale", "ångström", "x", "_scale"])
def test_attributes_of_the_users_are_seen(name):
    def f(x):
        return x * (getattr(x, "scale", 1.0) + getattr(x, "ångström", 10.0) + getattr(x, "x", 100.0) + getattr(x, "_scale", 7.0))
    compiled = torch.compile(f)
    for i in range(12):
        x = detached(1.0)
        if i % 3 == 2:
            setattr(x, name, 5.0)
        if i == 10:
            assert x.__dict__ is not None  # it is made now
        assert compiled(x).tolist() == f(x).tolist(), i


def test_attributes_whose_names_begin_with_a_line_may_be_the_users():
    kept = torch.ones(3)
    f, g = torch.compile(lambda x: x * x._scale), torch.compile(lambda x: x * kept._scale)
    for i in range(6):
        x = torch.ones(3)
        x._scale = kept._scale = i
        assert f(x).tolist() == g(x).tolist() == [i] * 3


def test_results_have_the_attributes_that_they_were_given():
    @torch.compile
    def f(x):
        y, z = x * 2, x + 1
        z._info = y.tag = len(x)
        return y, [z]
    for _ in range(4):
        y, (z,) = f(torch.ones(3))
        assert y.tag == z._info == 3
    assert "gives attributes" in f.reason
