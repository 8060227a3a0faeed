"""docs/gradients-at-kinks.md line by line; its values are PyTorch 2.13's (tests/against_torch/test_kinks.py)."""
import pathlib
import re

import numpy as np
import pytest

import kobai
from kobai.func import jvp

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's, of divisions by 0

DOCUMENT = pathlib.Path(__file__).parents[2] / "docs" / "gradients-at-kinks.md"
LINE = re.compile(r"\| `(.+?)` \| `(\[.*?\])` \| `(\[.*?\])` \|")


def lines():
    """(section, function, x, gradient) of each line of the tables."""
    section = ""
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        section = line[3:] if line.startswith("## ") else section
        if found := LINE.fullmatch(line):
            numbers = {"nan": float("nan"), "inf": float("inf")}
            yield section, found[1], *[eval(text, numbers) for text in found.groups()[1:]]


CASES = [pytest.param(*case[1:], id=f"{case[1]} at {case[2]}") for case in lines()]


def function(text, torch=kobai):
    return eval(f"lambda x: {text}", {"torch": torch, "F": torch.nn.functional})


def test_the_document_has_tables():
    assert len(CASES) > 150


@pytest.mark.parametrize("text, at, expected", CASES)
def test_backward(text, at, expected):
    x = kobai.tensor(at, requires_grad=True)
    (g,) = kobai.autograd.grad(function(text)(x).sum(), x)
    np.testing.assert_allclose(g.numpy(), expected, atol=2e-5)


@pytest.mark.parametrize("text, at, expected", CASES)
def test_backward_that_is_recorded(text, at, expected):
    x = kobai.tensor(at, requires_grad=True)
    (g,) = kobai.autograd.grad(function(text)(x).sum(), x, create_graph=True)
    np.testing.assert_allclose(g.detach().numpy(), expected, atol=2e-5)


@pytest.mark.parametrize("text, at, expected", CASES)
def test_forward(text, at, expected):
    """The derivative along each axis, where it is finite (in sums inf and NaN would hide the others)."""
    if not np.isfinite(expected).all():
        pytest.skip("infinite")
    for i, slope in enumerate(expected):
        direction = kobai.zeros(len(at))
        direction[i] = 1.0
        _, t = jvp(lambda x: function(text)(x).sum(), (kobai.tensor(at),), (direction,))
        np.testing.assert_allclose(t.item(), slope, atol=2e-5)
