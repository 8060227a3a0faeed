"""torch.testing: assert_close and make_tensor; texts and numbers are PyTorch 2.13's."""
import pytest

import kobai
from kobai.testing import assert_close, make_tensor

t = kobai.tensor
ABOUT = "Greatest absolute difference: {} at index {} (up to 1e-05 allowed)\nGreatest relative difference: {} at index {} (up to 1.3e-06 allowed)"


def text(*args, **kwargs):
    with pytest.raises((AssertionError, TypeError, ValueError)) as caught:
        assert_close(*args, **kwargs)
    return str(caught.value)


@pytest.mark.parametrize("a, b, kwargs", [
    (t([1.0]), t([1.0 + 1e-6]), {}), (1.0, 1.0, {}), (None, None, {}), ([], [], {}), (t([1.0]).bfloat16(), t([1.01]).bfloat16(), {}),
    (t([1.0, 2.0]), t([1.0, 2.0]).double(), {"check_dtype": False}), (t([float("nan")]), t([float("nan")]), {"equal_nan": True}),
    ({"a": [t(1.0)]}, {"a": [t(1.0)]}, {}), (t([1.0], requires_grad=True), t([1.0]), {}), (t([1.0]), t([1.5]), {"rtol": 0, "atol": 0.5}),
])
def test_close(a, b, kwargs):
    assert_close(a, b, **kwargs)


def test_messages():
    assert text(t([1.0, 2.0]), t([1.0, 3.0])) == (
        "Tensor-likes are not close!\n\nMismatched elements: 1 / 2 (50.0%)\n" + ABOUT.format(1.0, (1,), 0.3333333432674408, (1,)))
    assert text(t([1, 2]), t([1, 3])) == (
        "Tensor-likes are not equal!\n\nMismatched elements: 1 / 2 (50.0%)\nGreatest absolute difference: 1 at index (1,)\n"
        "Greatest relative difference: 0.3333333432674408 at index (1,)")
    assert text([t(1.0), t(2.0)], [t(1.0), t(3.0)]) == (
        "Scalars are not close!\n\nExpected 3.0 but got 2.0.\nAbsolute difference: 1.0 (up to 1e-05 allowed)\n"
        "Relative difference: 0.3333333333333333 (up to 1.3e-06 allowed)\n\nThe failure occurred for item [1]")
    assert text(t([1.0]), t([1.0, 2.0])) == "The values for attribute 'shape' do not match: torch.Size([1]) != torch.Size([2])."
    assert text(t([1.0]), t([1.0]).double()) == "The values for attribute 'dtype' do not match: torch.float32 != torch.float64."
    assert text({"a": 1}, {"b": 1}).endswith("actual mapping: ['b']\nAdditional keys in the actual mapping: ['a']")
    assert text([1], [1, 2]) == "The length of the sequences mismatch: 1 != 2"
    assert text(1, 1.0) == "The (d)types do not match: <class 'int'> != <class 'float'>."
    assert text("a", "a").startswith("No comparison pair was able to handle inputs of type <class 'str'>")
    assert text(t([1.0]), t([2.0]), rtol=1e-3).split("\n")[0].endswith("but got no atol.")
    assert text(t([1.0]), t([2.0]), msg="mine") == "mine"
    assert text(t([1.0]), t([2.0]), msg=lambda m: "mine: " + m).startswith("mine: Tensor-likes")


def test_make_tensor_draws_what_pytorch_draws():
    kobai.manual_seed(0)
    x = make_tensor((2, 3), dtype=kobai.float32, device="cpu")
    assert_close(x, t([[-0.0674, 4.8280, -7.4074], [-6.6235, -3.4664, 2.4134]]), rtol=0, atol=1e-4)
    assert make_tensor(3, dtype=kobai.int64, device="cpu").tolist() == [-4, 0, 0]


def test_make_tensor_keeps_to_what_it_is_told():
    x = make_tensor(4, 5, dtype=kobai.float64, device="cpu", low=2, high=3, noncontiguous=True, requires_grad=True)
    assert x.is_leaf and x.requires_grad and not x.is_contiguous() and x.shape == (4, 5)
    assert bool((x >= 2).all() and (x < 3).all())
    assert bool((make_tensor(200, dtype=kobai.uint8, device="cpu", exclude_zero=True) != 0).all())
    with pytest.raises(ValueError, match="`low` must be less than `high`"):
        make_tensor(2, dtype=kobai.float32, device="cpu", low=1, high=1)
    with pytest.raises(ValueError, match="not supported for boolean and integral dtypes"):
        make_tensor(2, dtype=kobai.int32, device="cpu", requires_grad=True)
