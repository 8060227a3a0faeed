"""Containers of other types as arguments and results: what they keep beside their items counts, too."""
import collections
import typing

import pytest
from eager_and_compiled import check, reasons

import kobai as torch


class Row(tuple):
    factor = 2.0


class Rows(list):
    pass


class Table(dict):
    pass


class Pair(typing.NamedTuple):
    x: torch.Tensor
    n: float = 1.0


@pytest.mark.parametrize("make", [lambda x, k: _with(Rows([x]), k), lambda x, k: _with(Table({0: x}), k), lambda x, k: _with(Row((x,)), k)])
def test_attributes_of_containers(make):
    def case(compile):
        step = compile(lambda c: c[0] * c.factor)
        return [step(make(torch.ones(2), k)) for k in (1.0, 1.0, 1.0, 2.0, 3.0)]
    check(case, eagerly="which may keep more than its items")


def _with(container, factor):
    container.factor = factor
    return container


def test_attributes_of_their_classes(monkeypatch):
    monkeypatch.setattr(Pair, "factor", 1.0, raising=False)

    def case(compile):
        step, out = compile(lambda p: p.x * p.factor + p.n), []
        for k in (1.0, 1.0, 1.0, 2.0, 3.0, 3.0):
            monkeypatch.setattr(Pair, "factor", k)
            out.append(step(Pair(torch.ones(2))))
        return out
    check(case)


@pytest.mark.parametrize("make", [lambda x: Rows([x]), lambda x: Table(a=x), lambda x: Row((x,)), lambda x: Pair(x), lambda x: (None, Pair(x.t())),
                                  lambda x: collections.defaultdict(int, a=x), lambda x: collections.OrderedDict(a=x)])
def test_types_of_results(make):
    def case(compile):
        step = compile(lambda x: make(x * 2))
        return [(type(r).__name__, r) for r in [step(torch.ones(2, 3)) for _ in range(4)]]
    reasons(case)


@pytest.mark.parametrize("make, read", [
    (lambda x: collections.defaultdict(int, a=x), lambda d: d["a"] * 2), (lambda x: collections.deque([x], maxlen=3), lambda d: d[0] * 2),
    (lambda x: collections.defaultdict(lambda: x), lambda d: d["new"] * 2)])
def test_pythons_own(make, read):
    def case(compile):
        step = compile(read)
        return [step(make(torch.ones(2) * i)) for i in range(4)]
    reasons(case)


def test_types_and_devices_are_results():
    def case(compile):
        step = compile(lambda x: (x.shape, x * 2, x.dtype == torch.float32, str(x.device)))
        same = compile(lambda x: (x * 2, x.dtype, x.device))
        return [(*step(torch.ones(2)), *[v if isinstance(v, torch.Tensor) else str(v) for v in same(torch.ones(2))]) for _ in range(4)]
    found = reasons(case)
    assert found[1] is None


def test_one_list_in_several_places_of_a_result():
    """Who appends to the one has to find it in the other."""
    @torch.compile
    def f(x):
        inner = [x * 2]
        return inner, {"same": inner, "other": [x]}
    for _ in range(4):
        inner, found = f(torch.ones(2))
        inner.append(3)
        assert found["same"] is inner and len(found["other"]) == 1
    assert "one list or dict in several places" in f.reason
