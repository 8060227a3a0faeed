"""The generated tests can fail: every derivative, negated or emptied, must make one of them fail.

For each op and each input with a rule, the compiled vjp is replaced by one that returns the negative
(or nothing) for that input; then the gradient check of some sample has to notice.
"""
import numpy as np
import pytest

import kobai  # noqa: F401  (fills the registry)
from kobai.op import leave_to_python, registry
from kobai.rules import compiled_rules
from kobai.testing import check

OPS = [cls for cls in registry if cls.__module__.startswith("kobai.ops") and cls.differentiable]


def samples(cls):
    for s in getattr(cls, "samples", ()):
        if s.smooth:
            op = cls(*s.params)
            yield op, [np.asarray(a) if isinstance(a, (tuple, np.ndarray, np.generic)) else a
                       for a in s.arrays(np.random.default_rng(0))]


def notices(cls):
    """Whether the gradient check fails on some sample."""
    for op, arrays in samples(cls):
        try:
            check.check_gradient(op, arrays, np.random.default_rng(1))
        except (AssertionError, RuntimeError, TypeError):
            return True
    return False


def mutants(cls):
    """(input number, what was done, patch) for each derivative that some sample shows to be non-zero."""
    for i in range(len(cls.inputs) if not cls.variadic else 1):
        if not (cls.joint or cls.inputs[i] in cls.rules):
            continue
        if any(slope(op, arrays, i) for op, arrays in samples(cls)):
            yield i, "negated", lambda g: -g
            yield i, "emptied", lambda g: None


def slope(op, arrays, i):
    """Whether the output changes with input i at all."""
    if i >= len(arrays) or not check.differentiable(op, i, arrays[i]) or not arrays[i].size:
        return False
    moved = list(arrays)
    moved[i] = arrays[i] + 1e-3 * np.random.default_rng(2).standard_normal(arrays[i].shape)
    return any(np.abs(a - b).max(initial=0) > 1e-9 for a, b in zip(check.run(op, moved), check.run(op, arrays)))


@pytest.mark.parametrize("cls", OPS, ids=lambda c: c.__name__)
def test_a_wrong_derivative_is_noticed(cls, monkeypatch):
    for i, what, change in list(mutants(cls)):
        def patched(kind, mask, is_complex, i=i, change=change):
            save, vjp = compiled_rules(kind, mask, is_complex)
            if kind is not cls:
                return save, vjp

            def wrong(node, g, s):
                grads = list(vjp(node, g, s))
                if i < len(grads) and grads[i] is not None:
                    grads[i] = change(grads[i])
                return tuple(grads)
            wrong.asks, wrong.cells = vjp.asks, vjp.cells
            return save, wrong
        kept = cls._compiled, cls._plans
        monkeypatch.setattr(cls, "_compiled", _Patched(cls, patched))
        monkeypatch.setattr(cls, "_plans", [None] * 8)
        monkeypatch.setattr("kobai.op.compiled_rules", patched)
        monkeypatch.setattr("kobai.general.compiled_rules", patched)
        leave_to_python(True)  # machine code may know the rules that were
        try:
            assert notices(cls), f"{cls.__name__}: the derivative by {cls.inputs[i]} was {what} and no check failed"
        finally:
            leave_to_python(False)
            monkeypatch.undo()
            cls._compiled, cls._plans = kept


class _Patched(dict):
    """Compiled rules that are always made anew, by the patched function."""

    def __init__(self, cls, make):
        self.cls, self.make = cls, make

    def get(self, key, default=None):
        return default

    def __setitem__(self, key, value):
        pass
