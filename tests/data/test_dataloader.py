"""`DataLoader` in one process. Orders and random numbers are PyTorch 2.13's for the same seed."""

import warnings

import pytest

import kobai
from kobai.utils.data import (
    DataLoader,
    Dataset,
    IterableDataset,
    Subset,
    TensorDataset,
    dataloader as dataloader_module,
    get_worker_info,
)


class Count(IterableDataset):
    def __init__(self, n, length=None):
        self.n = n
        self.length = length

    def __iter__(self):
        return iter(range(self.n))

    def __len__(self):
        if self.length is None:
            raise TypeError("no length")
        return self.length


def batches(loader):
    return [batch.tolist() for batch in loader]


def test_two_shuffled_epochs_and_the_random_state_after_them():
    kobai.manual_seed(0)
    loader = DataLoader(range(7), 3, shuffle=True)
    assert batches(loader) == [[0, 4, 1], [5, 2, 6], [3]]
    assert batches(loader) == [[3, 1, 4], [2, 5, 0], [6]]
    assert kobai.rand(1).item() == pytest.approx(0.455627977848053, abs=1e-8)


def test_a_pass_in_order_draws_one_seed_too():
    kobai.manual_seed(0)
    assert batches(DataLoader(range(4), 2)) == [[0, 1], [2, 3]]
    assert kobai.rand(1).item() == pytest.approx(0.08847743272781372, abs=1e-8)


def test_a_generator_of_its_own():
    loader = DataLoader(range(7), 3, shuffle=True, generator=kobai.Generator().manual_seed(42))
    before = kobai.get_rng_state().tolist()
    assert batches(loader) == [[4, 5, 3], [6, 1, 0], [2]]
    assert batches(loader) == [[6, 2, 4], [5, 3, 1], [0]]
    assert kobai.get_rng_state().tolist() == before


def test_drop_last_sampler_batch_sampler_and_no_batches():
    assert batches(DataLoader(range(5), 2, drop_last=True)) == [[0, 1], [2, 3]]
    assert list(DataLoader("abc", 2, sampler=[2, 0], collate_fn="".join)) == ["ca"]
    assert batches(DataLoader(range(5), batch_sampler=[[4], [0, 1]])) == [[4], [0, 1]]
    assert list(DataLoader([1, "a"], batch_size=None)) == [1, "a"]


def test_lengths():
    assert len(DataLoader(range(5), 2)) == 3 == len(iter(DataLoader(range(5), 2)))
    assert len(DataLoader(range(5), 2, drop_last=True)) == 2
    assert len(DataLoader(range(5), batch_size=None)) == 5
    assert len(DataLoader(Count(5, 5), 2)) == 3
    assert len(DataLoader(Count(5, 5), 2, drop_last=True)) == 2


def test_iterable_datasets():
    assert batches(DataLoader(Count(5), 2)) == [[0, 1], [2, 3], [4]]
    assert batches(DataLoader(Count(5), 2, drop_last=True)) == [[0, 1], [2, 3]]
    assert list(DataLoader(Count(2), None)) == [0, 1]
    loader = DataLoader(Count(3, length=2))
    assert len(loader) == 2
    with pytest.warns(UserWarning, match="was reported to be 2"):
        assert batches(loader) == [[0], [1], [2]]


class Tracing(TensorDataset):
    """Not plain, so that it is read sample by sample."""


@pytest.mark.parametrize("wrap", [lambda data: data, lambda data: Subset(data, [4, 2, 0, 1])])
def test_whole_batches_are_what_sample_by_sample_gives(wrap):
    tensors = kobai.arange(10.).reshape(5, 2), kobai.arange(5)
    fast = list(DataLoader(wrap(TensorDataset(*tensors)), 3))
    slow = list(DataLoader(wrap(Tracing(*tensors)), 3))
    for a, b in zip(fast, slow, strict=True):
        assert type(a) is type(b) is list
        for x, y in zip(a, b, strict=True):
            assert x.tolist() == y.tolist() and x.dtype is y.dtype and x.shape == y.shape


def test_batches_do_not_alias_the_dataset():
    x = kobai.zeros(4)
    for batch, in DataLoader(TensorDataset(x), 4):
        batch += 1
    assert x.tolist() == [0] * 4


def test_batched_reading_is_used_where_offered():
    class Many(Dataset):
        def __len__(self):
            return 3

        def __getitems__(self, indices):
            return [-index for index in indices]

    assert batches(DataLoader(Many(), 2)) == [[0, -1], [-2]]


def test_an_error_keeps_its_type_and_tells_the_sample():
    class Broken(Dataset):
        def __len__(self):
            return 4

        def __getitem__(self, index):
            return {0: 1, 1: 2}[index]

    loader = iter(DataLoader(Broken(), 2))
    assert next(loader).tolist() == [1, 2]
    with pytest.raises(KeyError) as caught:
        next(loader)
    assert caught.value.__notes__ == ["The error came while reading sample 2 of the batch [2, 3]."]


def test_stop_iteration_in_getitem_does_not_end_the_epoch_silently():
    class Ending(Dataset):
        def __len__(self):
            return 4

        def __getitem__(self, index):
            return next(iter([]))

    with pytest.raises(RuntimeError, match="raised StopIteration"):
        list(DataLoader(Ending()))


@pytest.mark.parametrize(("args", "error", "message"), [
    (dict(num_workers=-1), ValueError, "num_workers option should be non-negative"),
    (dict(timeout=-1), ValueError, "timeout option should be non-negative"),
    (dict(prefetch_factor=2), ValueError, "prefetch_factor option could only be specified"),
    (dict(prefetch_factor=-2, num_workers=1), ValueError, "prefetch_factor option should be non-neg"),
    (dict(persistent_workers=True), ValueError, "persistent_workers option needs num_workers > 0"),
    (dict(shuffle=True, sampler=[0]), ValueError, "sampler option is mutually exclusive with shuffle"),
    (dict(batch_sampler=[[0]], batch_size=2), ValueError, "batch_sampler option is mutually exclusive"),
    (dict(batch_size=None, drop_last=True), ValueError, "batch_size=None option disables auto-batching"),
    (dict(batch_size=0), ValueError, "batch_size should be a positive integer value"),
    (dict(multiprocessing_context="fork"), ValueError, "can only be used with multi-process loading"),
    (dict(multiprocessing_context="forq", num_workers=1), ValueError, "valid start method in"),
    (dict(multiprocessing_context=3, num_workers=1), TypeError, "a valid context object or a string"),
])
def test_refusals(args, error, message):
    with pytest.raises(error, match=message):
        DataLoader(range(3), **args)


@pytest.mark.parametrize("args", [dict(shuffle=True), dict(sampler=[0]), dict(batch_sampler=[[0]])])
def test_streams_have_no_order_to_choose(args):
    with pytest.raises(ValueError, match=f"expected unspecified {next(iter(args))} option"):
        DataLoader(Count(3), **args)


def test_what_a_loader_is_made_of_stays():
    loader = DataLoader(range(3))
    with pytest.raises(ValueError, match="batch_size attribute should not be set after DataLoader"):
        loader.batch_size = 2
    loader.collate_fn = list
    assert list(loader) == [[0], [1], [2]]


def test_timeout_without_workers():
    with pytest.raises(AssertionError, match="requires timeout == 0"):
        iter(DataLoader(range(3), timeout=1))


def test_without_processes_workers_are_left_out_with_one_warning(monkeypatch):
    monkeypatch.setattr(dataloader_module, "find_spec", lambda name: None)
    monkeypatch.setattr(dataloader_module, "_warned", [])
    kobai.manual_seed(0)
    loader = DataLoader(range(7), 3, shuffle=True, num_workers=2, timeout=5, persistent_workers=True)
    with pytest.warns(UserWarning, match="num_workers is ignored"):
        assert batches(loader) == [[0, 4, 1], [5, 2, 6], [3]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert batches(loader) == [[3, 1, 4], [2, 5, 0], [6]]
    assert get_worker_info() is None


def test_pin_memory_without_a_gpu_warns_and_works():
    with pytest.warns(UserWarning, match="no accelerator is found"):
        assert batches(DataLoader(range(2), pin_memory=True)) == [[0], [1]]


def test_printed_as_in_articles():
    """What PyTorch 2.13 prints, but for the address."""
    loader = DataLoader(TensorDataset(kobai.zeros(2)), shuffle=True)
    printed = [repr(each).split(" at ")[0] for each in (loader, loader.dataset, loader.sampler)]
    assert printed == ["<torch.utils.data.dataloader.DataLoader object",
                       "<torch.utils.data.dataset.TensorDataset object",
                       "<torch.utils.data.sampler.RandomSampler object"]


def test_paths_of_pytorch():
    from kobai.utils.data import _utils, dataset, distributed, sampler

    assert _utils.collate.default_collate is kobai.utils.data.default_collate
    assert _utils.worker.get_worker_info is get_worker_info
    assert dataloader_module.default_collate is kobai.utils.data.default_collate
    assert sampler.RandomSampler is kobai.utils.data.RandomSampler
    assert dataset.TensorDataset is TensorDataset
    assert distributed.DistributedSampler is kobai.utils.data.DistributedSampler
    assert DataLoader[int] and Dataset[int]         # as in annotations
