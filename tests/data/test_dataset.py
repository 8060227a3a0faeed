"""Datasets: joining, cutting and splitting. Orders of `random_split` are PyTorch 2.13's."""

import warnings

import numpy as np
import pytest

import kobai
from kobai.utils.data import (
    ChainDataset,
    ConcatDataset,
    Dataset,
    IterableDataset,
    StackDataset,
    Subset,
    TensorDataset,
    random_split,
)


class Letters(Dataset):
    def __init__(self, text):
        self.text = text

    def __len__(self):
        return len(self.text)

    def __getitem__(self, index):
        return self.text[index]


class Stream(IterableDataset):
    def __init__(self, *items):
        self.items = items

    def __iter__(self):
        return iter(self.items)

    def __len__(self):
        return len(self.items)


def test_tensor_dataset_cuts_along_the_first_dimension():
    x, y = kobai.arange(6).reshape(3, 2), kobai.tensor([7, 8, 9])
    data = TensorDataset(x, y)
    assert len(data) == 3
    assert [part.tolist() for part in data[2]] == [[4, 5], 9]
    assert [part.tolist() for part in data[1:]] == [[[2, 3], [4, 5]], [8, 9]]
    assert data.tensors == (x, y)


def test_tensor_dataset_wants_equal_lengths_and_tells_them():
    with pytest.raises(AssertionError, match=r"Size mismatch between tensors\n.*\[3, 4\]"):
        TensorDataset(kobai.zeros(3), kobai.zeros(4))


def test_tensor_dataset_of_arrays_tells_how_to_convert_them():
    with pytest.raises(TypeError, match=r"(?s)argument 1 is of type ndarray.*torch.from_numpy"):
        TensorDataset(kobai.zeros(3), np.zeros(3))
    with pytest.raises(TypeError, match=r"(?s)argument 0 is of type list.*torch.tensor"):
        TensorDataset([1, 2])


def test_dataset_without_getitem_says_so():
    class Nothing(Dataset):
        pass

    with pytest.raises(NotImplementedError, match="Nothing does not define __getitem__"):
        Nothing()[0]


def test_plus_concatenates_and_indices_count_from_both_ends():
    data = Letters("ab") + Letters("") + Letters("cde")
    assert isinstance(data, ConcatDataset)
    assert "".join(data[i] for i in range(5)) == "abcde"
    assert "".join(data[i] for i in range(-5, 0)) == "abcde"
    assert ConcatDataset([Letters("ab"), Letters("cde")]).cumulative_sizes == [2, 5]


def test_concat_refuses_what_it_cannot_index():
    data = ConcatDataset([Letters("ab")])
    with pytest.raises(IndexError):
        data[2]
    with pytest.raises(ValueError, match="absolute value of index should not exceed dataset length"):
        data[-3]
    with pytest.raises(AssertionError, match="should not be an empty iterable"):
        ConcatDataset([])
    with pytest.raises(AssertionError, match="does not support IterableDataset"):
        ConcatDataset([Stream(1)])


def test_chain_joins_streams():
    data = Stream(1, 2) + Stream(3)
    assert isinstance(data, ChainDataset)
    assert list(data) == [1, 2, 3] and len(data) == 3
    with pytest.raises(AssertionError, match="ChainDataset only supports IterableDataset"):
        list(ChainDataset([Stream(1), Letters("a")]))


def test_stack_gives_tuples_or_dicts():
    assert StackDataset(Letters("ab"), Letters("cd"))[1] == ("b", "d")
    assert StackDataset(x=Letters("ab"), y=Letters("cd"))[0] == {"x": "a", "y": "c"}
    many = StackDataset(x=Letters("ab"), y=Letters("cd")).__getitems__([1, 0])
    assert many == [{"x": "b", "y": "d"}, {"x": "a", "y": "c"}]


@pytest.mark.parametrize(("args", "kwargs", "message"), [
    ((), {}, "At least one dataset"),
    (("a",), {"x": "a"}, "both types are given"),
    (("a", "bc"), {}, "Size mismatch between datasets"),
])
def test_stack_refuses(args, kwargs, message):
    with pytest.raises(ValueError, match=message):
        StackDataset(*args, **kwargs)


def test_stack_notices_a_dataset_that_returns_too_little():
    class Short(Letters):
        def __getitems__(self, indices):
            return ["a"]

    with pytest.raises(ValueError, match="Expected 2, got 1"):
        StackDataset(Short("ab"), Letters("cd")).__getitems__([0, 1])


def test_subset_of_subset_and_batched_reading():
    inner = Subset(Letters("abcdef"), [5, 3, 1])
    outer = Subset(inner, [2, 0])
    assert [outer[0], outer[1]] == ["b", "f"] == outer.__getitems__([0, 1])
    assert Subset(kobai.arange(4) * 10, [3, 1])[[0, 1]].tolist() == [30, 10]


def test_subset_with_half_an_override_is_refused_because_it_would_be_ignored():
    class Half(Subset):
        def __getitem__(self, index):
            return "changed"

    with pytest.raises(NotImplementedError, match="Half overrides __getitem__ but not __getitems__"):
        Half([1], [0])


def test_random_split_as_pytorch():
    kobai.manual_seed(0)
    assert [part.indices for part in random_split(range(10), [6, 4])] == [
        [4, 1, 7, 5, 3, 9], [0, 8, 6, 2]]
    generator = kobai.Generator().manual_seed(1)
    fractions = random_split(range(10), [0.5, 0.25, 0.25], generator=generator)
    assert [part.indices for part in fractions] == [[5, 6, 1, 2, 0, 8], [9, 3], [7, 4]]


def test_random_split_refuses_what_does_not_add_up():
    with pytest.raises(ValueError, match="Sum of input lengths does not equal.*\n.*add up to 9.*has 10"):
        random_split(range(10), [5, 4])
    with pytest.raises(ValueError, match="Fraction at index 0 is not between 0 and 1"):
        random_split(range(10), [1.5, -0.5])
    with pytest.warns(UserWarning, match="Length of split at index 1 is 0"):
        random_split(range(1), [0.5, 0.5])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        random_split(range(2), [0.5, 0.5])


def test_random_split_of_numbers_with_a_point_says_what_to_write():
    """The first words are PyTorch's."""
    with pytest.raises(TypeError, match=r"(?s)^randperm\(\) received an invalid combination.*\[0.8, 0.2\]"):
        random_split(range(10), [0.8 * 10, 0.2 * 10])
