"""Objects that cannot be looked at, and what is said of them: calls are right all the same.

What is expected is what the same function gives uncompiled.
"""
import types

import pytest

import kobai as torch
from kobai.compile.guards import _Walk


def test_a_class_that_answers_nothing():
    """What looking at a user's object raises is not the program's error."""
    class Closed:
        def __getattribute__(self, name):
            return {"gain": 2.0}[name]
    closed = Closed()
    f = torch.compile(lambda x: x * closed.gain)
    assert [f(torch.ones(1) * k).tolist() for k in range(4)] == [[0.0], [2.0], [4.0], [6.0]]


def test_an_error_of_our_own_is_said(monkeypatch):
    """The function runs eagerly, but not without a word: nobody would ever see why."""
    monkeypatch.setattr(_Walk, "_class", len)  # which takes one argument
    thing = type("Thing", (), {"gain": 2.0})()
    f = torch.compile(lambda x: x * thing.gain)
    with pytest.warns(UserWarning, match="kobai.compile: its variables cannot be looked at: TypeError"):
        assert [f(torch.ones(1) * k).tolist() for k in range(3)] == [[0.0], [2.0], [4.0]]


def test_objects_that_are_nested_deeply(recwarn):
    """Longer than Python's stack: the call is eager, and that is nobody's error."""
    head = last = types.SimpleNamespace(gain=2.0)
    for _ in range(3000):
        last.next = last = types.SimpleNamespace(gain=1.0)
    f = torch.compile(lambda x: x * head.gain + head.next.gain)
    assert [f(torch.ones(1) * k).tolist() for k in range(4)] == [[1.0], [3.0], [5.0], [7.0]] and not recwarn.list


@pytest.mark.parametrize("change", [lambda d: d.update(k=9.0), lambda d: d.pop("k"), lambda d: d.update(k=torch.ones(1))])
def test_defaults_by_name_that_change_where_they_are(change):
    def f(x, *, k=2.0, w=None):
        return x * k
    compiled = torch.compile(lambda x: f(x))
    for _ in range(4):
        assert compiled(torch.ones(1)).tolist() == [2.0]
    change(f.__kwdefaults__)
    if not f.__kwdefaults__.keys() >= {"k"}:
        with pytest.raises(TypeError, match="k"):
            compiled(torch.ones(1))
    else:
        assert compiled(torch.ones(1)).tolist() == f(torch.ones(1)).tolist()
