"""How messages call dtypes: the words are those of PyTorch 2.13's messages."""
import pytest

import kobai as torch

WORDS = {"float16": ("Half", "c10::Half"), "bfloat16": ("BFloat16", "c10::BFloat16"), "int16": ("Short", "short int"),
         "int8": ("Char", "signed char"), "uint16": ("UInt16", "short unsigned int"),
         "uint64": ("UInt64", "long unsigned int"), "complex64": ("ComplexFloat", "c10::complex<float>")}


@pytest.mark.parametrize("name", WORDS)
def test_the_name_in_cpp(name):
    mask = torch.ones(2).to(getattr(torch, name))
    with pytest.raises(RuntimeError) as caught:
        torch.zeros(2).masked_fill(mask, 1.0)
    first = str(caught.value).split("\n")[0]
    assert first == f"masked_fill_ only supports boolean masks, but got mask with dtype {WORDS[name][1]}"


@pytest.mark.parametrize("name", WORDS)
def test_the_word(name):
    x = torch.ones(2).to(getattr(torch, name))
    assert x.type() == f"torch.{WORDS[name][0]}Tensor"
    assert torch.zeros(2).type(x.type()).dtype is x.dtype


@pytest.mark.parametrize("name, value, words", [
    ("float16", 1j, "c10::Half"), ("bfloat16", 1j, "c10::BFloat16"), ("float32", 1j, "float"),
    ("int8", 300, "int8_t"), ("int64", 1j, "int64_t")])
def test_conversions_name_integers_by_their_width(name, value, words):
    with pytest.raises(RuntimeError) as caught:
        torch.zeros(2, dtype=getattr(torch, name)).fill_(value)
    assert str(caught.value).split("\n")[0] == f"value cannot be converted to type {words} without overflow"


def test_a_dimension_named_twice_is_the_same_mistake_everywhere():
    x = torch.zeros(2, 1, 1)
    for call in (lambda: x.sum((1, -2)), lambda: x.flip(1, 1), lambda: x.squeeze((1, 1))):
        with pytest.raises(RuntimeError, match="^dim 1 appears multiple times in the list of dims"):
            call()
