"""Whole numbers divided by 0: PyTorch raises, and so do machine code's calls, early and late, large and small."""
import pytest

import kobai as torch

DIVISIONS = [lambda a, b: a // b, lambda a, b: a % b, torch.fmod, lambda a, b: torch.div(a, b, rounding_mode="trunc")]


@pytest.mark.parametrize("divide", DIVISIONS)
@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.uint8])
def test_eager_calls_raise_each_time(divide, dtype):
    """Large arrays were divided by machine code from some call on, which gave numbers."""
    torch.manual_seed(0)
    x = (torch.arange(300_000) % 100 + 1).to(dtype)
    zero = x.clone()
    zero[7] = 0
    for _ in range(12):
        with pytest.raises(RuntimeError, match="ZeroDivisionError"):
            divide(x, zero)


@pytest.mark.parametrize("divide", DIVISIONS)
@pytest.mark.parametrize("n", [1, 5, 300_000])
def test_compiled_functions_raise(divide, n):
    f, x = torch.compile(lambda a, b: divide(a + 1, b) * 2), torch.arange(n)
    for _ in range(5):
        assert f(x, x + 3).tolist() == (divide(x + 1, x + 3) * 2).tolist()
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        f(x, x)


@pytest.mark.parametrize("divide", DIVISIONS)
def test_known_divisors_and_floats(divide):
    f = torch.compile(lambda a: (divide(a, 3), divide(a, -2), divide(a.double(), 0.0)))
    for k in range(5):
        x = torch.arange(-7, 8) + k
        want = divide(x, 3), divide(x, -2), divide(x.double(), 0.0)
        assert [str(y.tolist()) for y in f(x)] == [str(y.tolist()) for y in want]
