"""Tests made from the op classes themselves: every op, every sample in its class.

The expected numbers come from mathematics: central differences of the op's own forward.
"""
import numpy as np
import pytest

import kobai  # noqa: F401  (fills the registry)
from kobai.op import registry
from kobai.testing import check

OPS = [cls for cls in registry if cls.__module__.startswith("kobai.ops")]
CASES = [pytest.param(cls, s, id=f"{cls.__name__}-{i}") for cls in OPS for i, s in enumerate(getattr(cls, "samples", ()))]
SMOOTH = [p for p in CASES if p.values[1].smooth and p.values[0].differentiable]


def made(cls, sample):
    return cls(*sample.params), [np.asarray(a) if isinstance(a, (tuple, np.ndarray, np.generic)) else a
                                 for a in sample.arrays(np.random.default_rng(0))]


def rng():
    return np.random.default_rng(1)


@pytest.mark.parametrize("cls", OPS, ids=lambda c: c.__name__)
def test_every_op_has_samples_and_a_docstring(cls):
    assert getattr(cls, "samples", None), f"{cls.__name__} declares no samples, so nothing tests its rules"
    assert cls.__doc__ and cls.__doc__ != type(cls).__doc__


@pytest.mark.parametrize("cls, sample", SMOOTH)
def test_gradient(cls, sample):
    check.check_gradient(*made(cls, sample), rng())


@pytest.mark.parametrize("cls, sample", SMOOTH)
def test_second_derivative(cls, sample):
    check.check_second(*made(cls, sample), rng())


@pytest.mark.parametrize("cls, sample", SMOOTH)
def test_jvp(cls, sample):
    check.check_jvp(*made(cls, sample), rng())


@pytest.mark.parametrize("cls, sample", CASES)
def test_vmap(cls, sample):
    check.check_vmap(*made(cls, sample), rng())


@pytest.mark.parametrize("cls, sample", [p for p in SMOOTH if not getattr(p.values[0], "random", False)])
def test_vmap_of_gradient(cls, sample):
    check.check_vmap_of_gradient(*made(cls, sample))


@pytest.mark.parametrize("cls, sample", CASES)
def test_strides(cls, sample):
    check.check_strides(*made(cls, sample))
