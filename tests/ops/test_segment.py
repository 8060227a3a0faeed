"""segment_reduce; the expected numbers are PyTorch 2.13's."""
import numpy as np
import pytest

import kobai

inf = float("inf")


@pytest.mark.parametrize("reduce, values, gradient", [
    ("sum", [7, 0, 7], [1, 1, 1, 1, 1, 1]),
    ("mean", [7 / 3, np.nan, 7 / 3], [1 / 3] * 6),
    ("max", [3, -inf, 5], [0, 0.5, 0.5, 0, 0, 1]),
    ("min", [1, inf, 0], [1, 0, 0, 0, 1, 0]),
    ("prod", [9, 1, 0], [9, 3, 3, 0, 10, 0]),
])
def test_values_and_gradients(reduce, values, gradient):
    x = kobai.tensor([1.0, 3, 3, 2, 0, 5], requires_grad=True)
    y = kobai.segment_reduce(x, reduce, lengths=kobai.tensor([3, 0, 3]))
    np.testing.assert_allclose(y.detach().numpy(), values, rtol=1e-6)
    y[y.isfinite()].sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), gradient, rtol=1e-6)


def test_offsets_axis_and_initial():
    x = kobai.arange(12.0)
    by_lengths = kobai.segment_reduce(x.view(2, 6), "sum", lengths=kobai.tensor([[2, 0, 4], [1, 1, 4]]), axis=1)
    assert by_lengths.tolist() == [[1, 0, 14], [6, 7, 38]]
    assert kobai.segment_reduce(x[:6], "prod", offsets=kobai.tensor([0, 2, 2, 6])).tolist() == [0, 1, 120]
    assert kobai.segment_reduce(x[:6], "min", lengths=kobai.tensor([2, 0, 4]), initial=3).tolist() == [0, 3, 2]


def test_lengths_must_cover_the_dimension():
    with pytest.raises(RuntimeError, match="Expected all rows of lengths along axis to sum to"):
        kobai.segment_reduce(kobai.arange(6.0), "sum", lengths=kobai.tensor([2, 3]))
    y = kobai.segment_reduce(kobai.arange(6.0), "sum", lengths=kobai.tensor([2, 3]), unsafe=True)
    assert y.tolist() == [1, 9]
