"""docs/gradients-at-kinks.md has PyTorch's values, but for the section that says otherwise."""
import importlib.util
import pathlib

import numpy as np
import pytest

torch = pytest.importorskip("torch")
spec = importlib.util.spec_from_file_location("kinks", pathlib.Path(__file__).parents[1] / "autograd" / "test_kinks.py")
kinks = importlib.util.module_from_spec(spec)
spec.loader.exec_module(kinks)
CASES = [pytest.param(*case, id=f"{case[1]} at {case[2]}") for case in kinks.lines()]


@pytest.mark.parametrize("section, text, at, expected", CASES)
def test_gradient(section, text, at, expected):
    x = torch.tensor(at, requires_grad=True)
    (g,) = torch.autograd.grad(kinks.function(text, torch)(x).sum(), x)
    same = np.allclose(g.numpy(), expected, atol=2e-5, equal_nan=True)
    assert same == (section != "Where kobai differs"), f"PyTorch gives {g.tolist()}"
