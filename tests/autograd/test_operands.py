"""Operators with operands of foreign types: Python asks the other operand, as with PyTorch."""
import operator

import numpy as np
import pytest

import kobai


class Other:
    def __radd__(self, x):
        return "radd"

    def __rmatmul__(self, x):
        return "rmatmul"

    def __rpow__(self, x):
        return "rpow"

    def __gt__(self, x):
        return "gt"


@pytest.mark.parametrize("value", [None, "text", [1, 2], object()])
def test_equality_with_what_is_no_number(value):
    x = kobai.ones(2)
    assert (x == value) is False and (x != value) is True
    assert value not in [kobai.ones(())] and x not in [value]


def test_reflected_operators_are_asked():
    x, other = kobai.ones(2), Other()
    assert (x + other, x @ other, x ** other, x < other) == ("radd", "rmatmul", "rpow", "gt")


@pytest.mark.parametrize("op", [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.matmul,
                                operator.lt, operator.and_, operator.iadd])
@pytest.mark.parametrize("value", [None, {}])
def test_nobody_knows(op, value):
    with pytest.raises(TypeError, match="unsupported operand|not supported between"):
        op(kobai.ones(2), value)


def test_a_number_in_a_string():
    loss = (kobai.tensor(2.5, requires_grad=True) * 2).sum()
    assert f"{loss} {loss:.2f} {kobai.tensor(3)} {kobai.ones(1)}" == "5.0 5.00 3 tensor([1.])"


def test_a_matrix_product_with_a_number_is_pythons_own_error():
    with pytest.raises(TypeError, match=r"unsupported operand type\(s\) for @: 'Tensor' and 'int'"):
        kobai.ones(2) @ 3
    with pytest.raises(TypeError, match=r"unsupported operand type\(s\) for @: 'float' and 'Tensor'"):
        2.0 @ kobai.ones(2)


@pytest.mark.parametrize("join", [kobai.stack, kobai.cat, kobai.hstack])
def test_arrays_are_not_joined_to_an_array(join):
    with pytest.raises(TypeError, match="expected Tensor as element 0 in argument 0, but got numpy.ndarray"):
        join([np.ones(2), np.ones(2)])
