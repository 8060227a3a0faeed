"""Worker processes: order, errors, death, waiting, leaving.

Random numbers written here are PyTorch 2.13's for the same seed and number of workers.
"""

import gc
import multiprocessing
import os
import random
import signal
import time

import numpy as np
import pytest

import kobai
from kobai.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset, get_worker_info, transport

pytestmark = pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(),
                                reason="datasets defined in tests need fork")


class Reading(Dataset):
    """Sample i is `read(i)`."""

    def __init__(self, n, read):
        self.n = n
        self.read = read

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        return self.read(index)


class Shares(IterableDataset):
    """Worker k of n yields k, k + n, ... below its limit."""

    def __init__(self, *limits):
        self.limits = limits

    def __iter__(self):
        info = get_worker_info()
        return iter(range(info.id, self.limits[info.id], info.num_workers))


def batches(loader):
    return [batch.tolist() for batch in loader]


def loader_of(n, read, batch_size=1, **options):
    return DataLoader(Reading(n, read), batch_size, num_workers=2, **options)


def no_children_left():
    gc.collect()            # iterators that tracebacks of earlier tests hold
    deadline = time.monotonic() + 5
    while multiprocessing.active_children() and time.monotonic() < deadline:
        time.sleep(0.01)
    return not multiprocessing.active_children()


# Order and randomness as in PyTorch


def test_order_is_that_of_one_process_whoever_is_slow():
    def read(index):
        time.sleep(0.02 if index % 4 == 0 else 0)
        return index

    kobai.manual_seed(0)
    loader = loader_of(7, read, 3, shuffle=True)
    assert batches(loader) == [[0, 4, 1], [5, 2, 6], [3]]
    assert batches(loader) == [[3, 1, 4], [2, 5, 0], [6]]
    assert kobai.rand(1).item() == pytest.approx(0.455627977848053, abs=1e-8)
    assert no_children_left()


def test_global_generators_draw_what_they_draw_in_pytorch():
    def read(index):
        return kobai.rand(()).item(), random.random(), np.random.rand(), get_worker_info().seed

    kobai.manual_seed(7)
    loader = loader_of(4, read)
    expected = [(0.11662513017654419, 0.9290632898373887, 0.03541536592796235, 1407639518939636932),
                (0.3148404359817505, 0.5574193789609411, 0.240715442815568, 1407639518939636933),
                (0.13414353132247925, 0.10243784940911504, 0.2915959425421556, 1407639518939636932),
                (0.28084486722946167, 0.46183154346070987, 0.9137194064224758, 1407639518939636933)]
    for batch, row in zip(loader, expected, strict=True):
        assert [x.item() for x in batch] == pytest.approx(row, abs=1e-8)
    second = [0.2734794020652771, 0.9901598691940308, 0.865173876285553, 0.11352688074111938]
    assert [batch[0].item() for batch in loader] == pytest.approx(second, abs=1e-8)


def test_persistent_workers_go_on_where_they_were():
    kobai.manual_seed(7)
    loader = loader_of(4, lambda index: (kobai.rand(()).item(), os.getpid()), persistent_workers=True)
    first, second = [[(x.item(), pid.item()) for x, pid in loader] for _ in range(2)]
    assert [pid for _, pid in first] == [pid for _, pid in second]
    assert [x for x, _ in second] == pytest.approx([0.8065624833106995, 0.8679258823394775,
                                                    0.8374578356742859, 0.4842987656593323], abs=1e-8)


def test_streams_are_shared_out_and_may_end_early():
    loader = DataLoader(Shares(2, 10), 2, num_workers=2, persistent_workers=True)
    for _ in range(2):
        assert batches(loader) == [[0], [1, 3], [5, 7], [9]]
    assert batches(DataLoader(Shares(9, 10), 2, num_workers=2, drop_last=True)) == [
        [0, 2], [1, 3], [4, 6], [5, 7]]
    assert list(DataLoader(Shares(3, 4), None, num_workers=2)) == [0, 1, 2, 3]


def test_worker_info():
    info = list(loader_of(2, lambda index: (get_worker_info().id, get_worker_info().num_workers,
                                            len(get_worker_info().dataset))))
    assert [[x.item() for x in batch] for batch in info] == [[0, 2, 2], [1, 2, 2]]
    assert get_worker_info() is None


def test_worker_init_fn_may_change_the_dataset():
    def init(worker):
        get_worker_info().dataset.read = lambda index: 10 * worker + index

    assert batches(loader_of(4, None, worker_init_fn=init)) == [[0], [11], [2], [13]]


def test_out_of_order_a_slow_worker_holds_up_nobody():
    def read(index):
        time.sleep(0.3 if index == 0 else 0)
        return index

    seen = [batch.item() for batch in loader_of(8, read, in_order=False)]
    assert sorted(seen) == list(range(8)) and seen[0] != 0


def test_more_workers_than_batches_and_none_at_all():
    assert batches(loader_of(1, int)) == [[0]]
    assert batches(loader_of(0, int)) == []


def test_threads_of_the_main_process_do_not_hang_a_forked_worker():
    def work(index):
        a = kobai.ones(200, 200)
        return (a @ a)[0, 0] + kobai.ones(2_000_000).mul(2).max()

    assert work(0).item() == 202                # starts what threads there are
    assert batches(loader_of(2, work)) == [[202.0], [202.0]]


# What travels


def refuse(*args):
    raise OSError("not here")


@pytest.mark.parametrize(("name", "value"), [("CAN_SHARE", transport.CAN_SHARE), ("CAN_SHARE", False),
                                             ("_new_memory", refuse)])
def test_large_batches_arrive_whole_writable_and_aligned(monkeypatch, name, value):
    monkeypatch.setattr(transport, name, value)

    def read(index):
        return {"x": kobai.full((3, 50_000), float(index)), "s": "text", "a": np.arange(index, index + 2)}

    for index, batch in enumerate(loader_of(5, read)):
        assert batch["x"].shape == (1, 3, 50_000) and batch["x"].dtype is kobai.float32
        assert bool((batch["x"] == index).all())
        assert batch["s"] == ["text"] and batch["a"].tolist() == [[index, index + 1]]
        assert batch["x"].numpy().ctypes.data % 64 == 0
        batch["x"] += 1


needs_sharing = pytest.mark.skipif(not transport.CAN_SHARE, reason="needs memfd")


@needs_sharing
def test_shared_memory_is_used_again_but_never_while_somebody_reads_it():
    loader = loader_of(60, lambda index: np.full(20_000, index), persistent_workers=True)
    kept = {}
    for index, batch in enumerate(loader):
        if index % 4 == 0:
            kept[index] = batch[0, 5:]          # a view is enough
    assert all((batch == index).all() for index, batch in kept.items())
    segments = [len(receiver.segments) for receiver in loader._iterator._pool.receivers]
    assert segments[0] == transport.SEGMENTS and segments[1] <= 4       # worker 0 had all kept ones
    kept.clear()
    del batch
    assert all((batch == index).all() for index, batch in enumerate(loader))
    assert [len(receiver.segments) for receiver in loader._iterator._pool.receivers] == segments


@needs_sharing
def test_batches_that_grow_are_shared_too():
    sizes = [len(batch[0]) for batch in loader_of(12, lambda index: np.zeros(5_000 << index // 2))]
    assert sizes == [5_000 << index // 2 for index in range(12)]


@needs_sharing
def test_kept_batches_keep_few_descriptors():
    loader = loader_of(100, lambda index: np.zeros(20_000), persistent_workers=True)
    before = len(os.listdir("/proc/self/fd"))
    kept = list(loader)
    assert len(kept) == 100
    assert len(os.listdir("/proc/self/fd")) < before + 2 * transport.SEGMENTS + 10


def test_leaves_keep_requires_grad_and_graphs_are_refused():
    parameter = kobai.ones(2, requires_grad=True)
    options = dict(batch_size=None)
    sent, = loader_of(1, lambda index: parameter, **options)
    assert sent.requires_grad and sent.is_leaf and sent.tolist() == [1, 1]
    with pytest.raises(RuntimeError, match="Cowardly refusing to serialize non-leaf tensor"):
        list(loader_of(1, lambda index: parameter * 2, **options))


def test_a_batch_that_cannot_be_pickled_says_so():
    with pytest.raises(Exception, match=r"sending the batch \[0\].*cannot be pickled"):
        list(loader_of(1, lambda index: (lambda: 0), collate_fn=lambda batch: batch[0]))


# Errors


def test_an_error_has_its_type_the_workers_traceback_and_the_sample():
    def deep_in_the_dataset(index):
        if index == 5:
            raise ValueError("broken picture")
        return index

    loader = iter(loader_of(8, deep_in_the_dataset, 2))
    assert [next(loader).tolist() for _ in range(2)] == [[0, 1], [2, 3]]
    with pytest.raises(ValueError) as caught:
        next(loader)
    text = str(caught.value)
    assert text.startswith("Caught ValueError in DataLoader worker process 0.\n")
    assert "while reading sample 5 of the batch [4, 5]." in text
    assert "Original Traceback" in text and "in deep_in_the_dataset" in text and "broken picture" in text
    assert "worker.py" not in text and "fetch.py" not in text
    assert next(loader).tolist() == [6, 7]          # the others can still be had


def test_a_key_error_is_readable():
    with pytest.raises(KeyError) as caught:
        list(loader_of(2, {0: 0}.__getitem__))
    assert "\nOriginal Traceback" in str(caught.value)


def test_errors_that_cannot_be_made_or_sent_become_runtime_errors():
    class Local(Exception):
        pass

    def read(index):
        if index:
            raise Local("inner")
        b"\xff".decode("utf8")

    loader = iter(loader_of(2, read))
    with pytest.raises(RuntimeError, match="Caught UnicodeDecodeError in DataLoader worker process 0"):
        next(loader)
    with pytest.raises(RuntimeError, match=r"Caught Local in DataLoader worker process 1(.*\n)*.*inner"):
        next(loader)


def test_stop_iteration_in_getitem_does_not_end_the_epoch():
    with pytest.raises(RuntimeError, match="raised StopIteration"):
        list(loader_of(2, lambda index: next(iter(()))))


def test_errors_of_collation_of_init_and_of_iter_say_where_they_come_from():
    with pytest.raises(RuntimeError, match=r"while collating the samples \[0, 1\](.*\n)*.*equal size"):
        list(loader_of(2, lambda index: kobai.zeros(index + 1), 2))

    def refuse(worker):
        raise OSError("no disk")

    with pytest.raises(OSError, match=r"came from worker_init_fn(.*\n)*.*no disk"):
        list(loader_of(2, int, worker_init_fn=refuse))

    class NoStream(IterableDataset):
        def __iter__(self):
            raise ZeroDivisionError("no stream")

    with pytest.raises(ZeroDivisionError, match="came from the dataset's __iter__"):
        list(DataLoader(NoStream(), num_workers=1))


# Death and waiting


@pytest.mark.parametrize(("end", "reason"), [
    (lambda: os.kill(os.getpid(), signal.SIGKILL), "SIGKILL.*out of memory"),
    (lambda: os.kill(os.getpid(), signal.SIGTERM), "signal SIGTERM"),
    (lambda: os._exit(3), "exit code 3"),
])
def test_a_worker_that_dies_is_an_error_at_once(end, reason):
    def read(index):
        if index == 2:
            end()
        return index

    loader = iter(loader_of(6, read))
    start = time.monotonic()
    text = r"DataLoader worker \(pid\(s\) \d+\) exited unexpectedly\n.*" + reason
    with pytest.raises(RuntimeError, match=text):
        batches(loader)
    assert time.monotonic() - start < 3
    assert no_children_left()
    assert list(loader) == []


def test_a_dead_persistent_worker_is_replaced_in_the_next_epoch():
    loader = loader_of(4, lambda index: os.getpid(), persistent_workers=True)
    pids = {batch.item() for batch in loader}
    os.kill(pids.pop(), signal.SIGKILL)
    with pytest.raises(RuntimeError, match="exited unexpectedly"):
        list(loader)
    assert len({batch.item() for batch in loader}) == 2


def test_timeout_tells_which_worker_and_the_batch_can_still_be_had():
    def read(index):
        time.sleep(0.5 if index == 1 else 0)
        return index

    loader = iter(loader_of(2, read, timeout=0.2))
    assert next(loader).item() == 0
    with pytest.raises(RuntimeError, match=r"DataLoader timed out after 0.2 seconds\n.*worker 1 \(pid"):
        next(loader)
    time.sleep(0.4)
    assert next(loader).item() == 1


# Leaving


def test_breaking_off_ends_the_workers_between_two_samples():
    def read(index):
        time.sleep(1 if index >= 20 else 0)
        return index

    start = time.monotonic()
    for _ in loader_of(1000, read, 20):
        break
    assert no_children_left()
    assert time.monotonic() - start < 10       # the batch they were at takes 20 s


def test_breaking_off_with_persistent_workers_starts_the_next_epoch_cleanly():
    loader = loader_of(6, int, persistent_workers=True)
    for _ in range(3):
        assert next(iter(loader)).item() == 0
    assert batches(loader) == [[0], [1], [2], [3], [4], [5]]
    del loader
    assert no_children_left()


def test_a_loader_of_tensors_in_workers():
    data = TensorDataset(kobai.arange(6.).reshape(3, 2), kobai.tensor([0, 1, 2]))
    (x, y), (x2, y2) = DataLoader(data, 2, num_workers=1)
    assert x.tolist() == [[0, 1], [2, 3]] and y2.tolist() == [2] and x2.shape == (1, 2)
