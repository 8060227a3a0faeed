"""`explain` on every op: its gradients are those of backward(), and its formulas are true.

A formula is checked by computing it: the names in it stand for the inputs, `y` for the result, `g` for the
gradient, and the functions are kobai's own.
"""
import ast
import math

import numpy as np
import pytest

import kobai
from kobai.diagnose.formula import formula
from kobai.op import Elementwise, registry
from kobai.saved import raw_saved

CASES = [pytest.param(c, c.samples[0], id=c.__name__) for c in registry
         if c.__module__.startswith("kobai.ops") and c.differentiable and getattr(c, "samples", None)]


def applied(cls, sample):
    """(leaves, loss) of the op on its sample."""
    op = cls(*sample.params)
    leaves, inputs = [], []
    for a in sample.arrays(np.random.default_rng(0)):
        if not isinstance(a, (np.ndarray, np.generic)):
            inputs.append(a)
            continue
        t = kobai.tensor(a)
        if t.is_floating_point():
            leaves.append(t.requires_grad_())
        inputs.append(t)
    return op, leaves, op(*inputs)


@pytest.mark.parametrize("cls, sample", CASES)
def test_the_gradients_are_those_of_backward(cls, sample):
    _, leaves, result = applied(cls, sample)
    results = [r for r in (result if isinstance(result, tuple) else (result,)) if r.requires_grad]
    if not results:
        pytest.skip("no input of the sample has a gradient")
    loss = sum((r * kobai.arange(1.0, 1 + r.numel()).double().reshape(r.shape)).sum() for r in results)
    if loss.is_complex():
        loss = loss.abs()
    try:
        loss.backward(retain_graph=True)
    except (RuntimeError, NotImplementedError) as e:
        if "not implemented" not in str(e) and "@once_differentiable" not in str(e):
            raise
        pytest.skip(str(e).split("\n")[0])
    told = kobai.explain(loss, show=False)
    for i, leaf in enumerate(leaves):
        have = told.facts["gradients"].get(f"leaves[{i}]")
        if leaf.grad is None:
            assert have is None
        else:
            np.testing.assert_allclose(have, leaf.grad.numpy(), rtol=1e-12, atol=1e-12)


FACTORS = [p for p in CASES if issubclass(p.values[0], Elementwise) and any(
    (f := formula(p.values[0](*p.values[1].params), i)) and f.factor for i in range(len(p.values[0].inputs)))]


def value_of(text, known):
    """A formula computed with NumPy's and kobai's functions."""
    def function(name):
        if hasattr(np, name) and name not in ("abs",):
            return getattr(np, name)
        public = getattr(kobai, name, None) or getattr(kobai.special, name)
        return lambda *a: public(*[v if type(v) is float else kobai.tensor(v) for v in a]).numpy()
    scope = {**known, "math": math}
    for name in set(_names(text)) - set(scope):
        scope[name] = function(name)
    return eval(text, {"__builtins__": {}}, scope)


def _names(text):
    return [n.id for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Name)]


@pytest.mark.parametrize("cls, sample", FACTORS)
def test_the_formulas_are_true(cls, sample):
    op, leaves, result = applied(cls, sample)
    node = result.grad_fn
    known = dict(zip(op.inputs, [t.detach().numpy() for t in leaves])) | {"y": result.detach().numpy()}
    if len(leaves) != len(op.inputs):
        pytest.skip("an input that is no float")
    ones = np.ones(result.shape)
    fit, node.fit = node.fit, None
    try:
        local = node.vjp(node, ones, raw_saved(node))
    except RuntimeError as e:
        if "not implemented" not in str(e) and "@once_differentiable" not in str(e):
            raise
        pytest.skip(str(e).split("\n")[0])
    node.fit = fit
    for i in range(len(op.inputs)):
        f = formula(op, i)
        if f is None or not f.factor:
            continue
        try:
            have = value_of(f.text, known)
        except AttributeError as e:
            pytest.skip(f"{f.text} has a function without a public name: {e}")
        # Constants such as log(2) stand in the text with six digits.
        np.testing.assert_allclose(np.broadcast_to(have, local[i].shape), local[i], rtol=1e-5, atol=1e-12)
