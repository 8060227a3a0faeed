"""Samplers. Every order and every number drawn afterwards is PyTorch 2.13's for the same seed."""

import pytest

import kobai
from kobai.utils.data import (
    BatchSampler,
    DistributedSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)

NEXT_AFTER_ONE_DRAW = 0.08847743272781372        # torch.rand(1) after one int64 of seed 0


@pytest.fixture(autouse=True)
def seed():
    kobai.manual_seed(0)


def test_random_sampler_draws_one_seed_from_the_default_generator():
    assert list(RandomSampler(range(8))) == [2, 5, 4, 6, 1, 7, 0, 3]
    assert kobai.rand(1).item() == pytest.approx(NEXT_AFTER_ONE_DRAW, abs=1e-8)


def test_random_sampler_with_replacement():
    drawn = list(RandomSampler(range(5), replacement=True, num_samples=40))
    assert drawn == [1, 0, 4, 3, 4, 0, 2, 3, 4, 1, 3, 0, 1, 4, 0, 0, 3, 3, 0, 0,
                     1, 4, 0, 2, 3, 3, 4, 2, 2, 2, 2, 4, 4, 1, 3, 3, 3, 2, 3, 4]


def test_random_sampler_longer_than_the_data_and_the_state_it_leaves():
    generator = kobai.Generator().manual_seed(3)
    assert list(RandomSampler(range(3), num_samples=8, generator=generator)) == [1, 0, 2, 1, 2, 0, 1, 0]
    assert list(RandomSampler(range(3), num_samples=3, generator=generator)) == [0, 2, 1]
    assert kobai.rand(1, generator=generator).item() == pytest.approx(0.45103132724761963, abs=1e-8)


def test_subset_random_sampler():
    assert list(SubsetRandomSampler([10, 20, 30, 40, 50])) == [50, 10, 20, 40, 30]


def test_weighted_random_sampler():
    assert list(WeightedRandomSampler([.1, .9, .4, .7, 3., .6], 8)) == [5, 4, 4, 5, 4, 4, 2, 3]
    kobai.manual_seed(0)
    without = WeightedRandomSampler([.9, .4, .05, .2, .3, .1], 5, replacement=False)
    assert list(without) == [1, 4, 0, 2, 3]


def test_sequential_follows_data_that_grows():
    data = [1, 2]
    sampler, shuffled = SequentialSampler(data), RandomSampler(data)
    data.append(3)
    assert list(sampler) == [0, 1, 2] and len(shuffled) == 3


@pytest.mark.parametrize(("drop_last", "batches"), [(False, [[0, 1], [2, 3], [4]]), (True, [[0, 1], [2, 3]])])
def test_batch_sampler(drop_last, batches):
    sampler = BatchSampler(SequentialSampler(range(5)), 2, drop_last)
    assert list(sampler) == batches and len(sampler) == len(batches)


def test_distributed_sampler():
    sampler = DistributedSampler(range(7), 3, 1)
    assert list(sampler) == [0, 2, 4]
    sampler.set_epoch(2)
    assert list(sampler) == [4, 6, 2]
    assert [list(DistributedSampler(range(7), 3, rank, drop_last=True, seed=5)) for rank in range(3)] == [
        [1, 2], [0, 6], [4, 5]]
    assert [list(DistributedSampler(range(2), 5, rank, shuffle=False)) for rank in range(5)] == [
        [0], [1], [0], [1], [0]]


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: RandomSampler([]), ValueError, "num_samples should be a positive integer value, but got "
                                            "num_samples=0\n  cause: the dataset is empty"),
    (lambda: RandomSampler([1], replacement=1), TypeError, "replacement should be a boolean value"),
    (lambda: WeightedRandomSampler([1.], True), ValueError, "num_samples should be a positive integer"),
    (lambda: WeightedRandomSampler([[1.]], 1), ValueError, r"1d sequence .* shape \(1, 1\)"),
    (lambda: BatchSampler([1], 0, False), ValueError, "batch_size should be a positive integer"),
    (lambda: BatchSampler([1], 1, 0), ValueError, "drop_last should be a boolean"),
    (lambda: DistributedSampler([1], 2, 2), ValueError, r"Invalid rank 2.*\[0, 1\]"),
    (lambda: DistributedSampler([1]), ValueError, "Default process group has not been initialized"),
    (lambda: iter(Sampler()), NotImplementedError, "needs __iter__"),
])
def test_refusals(make, error, message):
    with pytest.raises(error, match=message):
        make()
