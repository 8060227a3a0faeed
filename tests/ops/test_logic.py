"""Comparisons and truth values."""
import pytest

import kobai


def test_what_can_be_in_a_tensor():
    x = kobai.tensor([1.0, 2.0])
    assert 2 in x and 3 not in x and kobai.tensor(1) in x and True in x
    with pytest.raises(RuntimeError, match=r"only supports Tensor or scalar, but you passed in a <class 'str'>"):
        "a" in x  # noqa: B015
