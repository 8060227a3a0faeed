"""The same function run eagerly and compiled: `reasons(case)` compares all that a case returns.

A case is a function of `compile`, which is `kobai.compile` or does nothing.
"""
import numpy as np
import pytest

import kobai as torch


def xs(count=8, shape=(3,)):
    """Random tensors."""
    return [torch.randn(*shape) for _ in range(count)]


def training(m, opt, reduce):
    """A step of training on the reduced squares of what a module gives."""
    def step(x):
        opt.zero_grad()
        loss = reduce(m(x).square())
        loss.backward()
        opt.step()
        return loss
    return step


def attempt(fn, *args, **kwargs):
    """What a call gives, or type and first line of its error."""
    try:
        return fn(*args, **kwargs)
    except Exception as e:
        return [type(e).__name__, str(e).split("\n")[0]]


def reasons(case, tolerance=2e-5):
    """Run a case both ways and compare; for each compiled function that was called: why it runs eagerly, or None."""
    made = []

    def compile(fn):
        made.append(torch.compile(fn))
        return made[-1]
    try:
        torch.manual_seed(0)
        want = _numbers(case(lambda fn: fn))
        torch.manual_seed(0)
        have = _numbers(case(compile))
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_grad_enabled(True)
    _same(want, have, "result", tolerance)
    runs = [getattr(f, "_compiled", f) for f in made]
    return [None if any(v.programs for v in f.variants.values()) and f.reason is None else f.reason or "no program"
            for f in runs if f.variants]


def check(case, tolerance=2e-5, eagerly=None):
    """A case is the same both ways, and is recorded; or runs eagerly, with `eagerly` in the reason that is given."""
    found = reasons(case, tolerance)
    assert all(r is None for r in found) if eagerly is None else any(eagerly in r for r in found if r is not None), found


def _numbers(v):
    if isinstance(v, torch.Tensor):
        x = v.detach()
        x = x.float() if x.dtype in (torch.bfloat16, torch.float16) else x
        return (str(v.dtype), v.requires_grad), np.array(x.numpy())
    if isinstance(v, dict):
        return {k: _numbers(x) for k, x in v.items()}
    return [_numbers(x) for x in v] if isinstance(v, (tuple, list)) else v


def _same(want, have, where, tolerance):
    if isinstance(want, (tuple, list)):
        assert len(want) == len(have), where
        for i, (a, b) in enumerate(zip(want, have)):
            _same(a, b, f"{where}.{i}", tolerance)
    elif isinstance(want, dict):
        assert list(want) == list(have), where
        for k in want:
            _same(want[k], have[k], f"{where}.{k}", tolerance)
    elif isinstance(want, np.ndarray):
        scale = np.abs(want[np.isfinite(want)]).max(initial=0) if want.dtype.kind in "fc" else 0
        np.testing.assert_allclose(have, want, tolerance, tolerance * float(scale), err_msg=where)
        assert have.shape == want.shape
    elif isinstance(want, float):
        np.testing.assert_allclose(have, want, tolerance, err_msg=where)
    else:
        assert want == have, where


def close(a, b):
    """Two results made of lists, dicts and numbers are the same, but for rounding."""
    if isinstance(a, (list, tuple)):
        assert len(a) == len(b)
        for v, w in zip(a, b):
            close(v, w)
    elif isinstance(a, dict):
        assert a.keys() == b.keys()
        for k in a:
            close(a[k], b[k])
    else:
        assert a == b or a == pytest.approx(b, rel=1e-4, abs=1e-6)
