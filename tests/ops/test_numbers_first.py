"""Functions that PyTorch also calls with a number as their first argument; expected values are PyTorch's."""
import pytest

import kobai

f, i = kobai.tensor([2.0, 3.0]), kobai.tensor([2, 3])
CASES = [
    (kobai.add, 2, f, [4, 5]), (kobai.sub, 2.0, i, [0, -1]), (kobai.subtract, 3, i, [1, 0]), (kobai.div, 3, i, [1.5, 1]),
    (kobai.true_divide, 3, f, [1.5, 1]), (kobai.pow, 2, f, [4, 8]), (kobai.pow, 3, i, [9, 27]), (kobai.pow, 2.0, i, [4, 8]),
    (kobai.float_power, 2, i, [4, 8]), (kobai.xlogy, 2.0, f, [1.3862944, 2.1972246]),
    (kobai.special.xlog1py, 2.0, f, [2.1972246, 2.7725887]), (kobai.special.zeta, 2.0, f, [0.6449341, 0.3949341]),
    (kobai.special.chebyshev_polynomial_t, 2.0, f, [7, 26]), (kobai.special.laguerre_polynomial_l, 3, f, [-0.5, 1]),
]


@pytest.mark.parametrize("fn, number, other, expected", CASES, ids=lambda v: getattr(v, "__name__", None))
def test_values(fn, number, other, expected):
    y = fn(number, other)
    assert y.tolist() == pytest.approx(expected, rel=1e-6)
    assert y.dtype is (kobai.float64 if fn is kobai.float_power else kobai.int64
                       if isinstance(number, int) and other is i and fn in (kobai.pow, kobai.subtract) else kobai.float32)


def test_gradients():
    x = kobai.tensor([2.0, 3.0], requires_grad=True)
    (kobai.pow(2, x) + kobai.xlogy(3.0, x) + kobai.sub(1, x, alpha=2)).sum().backward()
    assert x.grad.tolist() == pytest.approx([4 * 0.6931472 + 1.5 - 2, 8 * 0.6931472 + 1 - 2], rel=1e-6)


@pytest.mark.parametrize("wrong", ["2", None, [1.0]])
def test_what_is_no_number_is_refused(wrong):
    with pytest.raises(TypeError, match="must be Tensor, not"):
        kobai.add(wrong, f)


def test_numbers_out_of_an_unsigned_range_wrap_around():
    u = kobai.tensor([1, 2, 250], dtype=kobai.uint8)
    assert u.clamp(min=-1).tolist() == [255, 255, 255]
    assert u.clamp(-1, 5).tolist() == [5, 5, 5]
    assert u.add(1, alpha=-1).tolist() == [0, 1, 249]
    assert ((-1) ** u).tolist() == [255, 1, 1]
    assert kobai.nn.functional.threshold(u, -1, -1).tolist() == [255, 255, 255]
    with pytest.raises(RuntimeError, match="cannot do hardtanh on an unsigned type with negative limits"):
        kobai.nn.functional.hardtanh(u)
    with pytest.raises(RuntimeError, match="value cannot be converted to type uint8_t without overflow"):
        kobai.nn.functional.pad(u, (1, 1), value=-1)


def test_powers_of_bools():
    b = kobai.tensor([True, False])
    assert (b**2).dtype is kobai.int64
    assert (b**2).tolist() == [1, 0]
    assert (2**b).tolist() == [2, 1]
    with pytest.raises(NotImplementedError, match="\"pow\" not implemented for 'Bool'"):  # as PyTorch
        b**b


def test_flatten_of_a_number_checks_its_dimensions():
    assert kobai.tensor(1.0).flatten().shape == (1,)
    with pytest.raises(IndexError, match="Dimension out of range"):
        kobai.tensor(1.0).flatten(2)
