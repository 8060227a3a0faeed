"""torch.distributed with one process: a script for a cluster runs alone, and says why it cannot be more."""
import pytest

import kobai
from kobai import distributed as dist
from kobai.nn.parallel import DistributedDataParallel


@pytest.fixture
def group(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "1")
    dist.init_process_group("nccl")
    yield
    if dist.is_initialized():
        dist.destroy_process_group()


def test_a_group_of_one(group):
    assert (dist.get_rank(), dist.get_world_size(), dist.get_backend(), dist.is_initialized()) == (0, 1, "nccl", True)
    x, gathered, objects = kobai.arange(3.0), [kobai.zeros(3)], [None]
    assert dist.all_reduce(x) is None and dist.broadcast(x, 0, async_op=True).wait()
    dist.all_gather(gathered, x)
    dist.all_gather_object(objects, "mine")
    dist.barrier()
    assert x.tolist() == gathered[0].tolist() == [0, 1, 2] and objects == ["mine"]
    with pytest.raises(ValueError, match="twice"):
        dist.init_process_group("gloo")
    dist.destroy_process_group()
    assert not dist.is_initialized()


def test_without_a_group_it_is_an_error():
    for question in (dist.get_rank, dist.get_world_size, dist.barrier, dist.destroy_process_group):
        with pytest.raises(ValueError, match="Default process group has not been initialized"):
            question()
    with pytest.raises(ValueError, match="Default process group has not been initialized"):
        DistributedDataParallel(kobai.nn.Linear(1, 1))


def test_more_than_one_is_refused(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "4")
    with pytest.raises(RuntimeError, match="one process, and the group is to have 4"):
        dist.init_process_group("gloo")


def test_training_goes_on_as_without(group):
    kobai.manual_seed(0)
    model = kobai.nn.Linear(2, 1)
    wrapped = DistributedDataParallel(model)
    sampler = kobai.utils.data.distributed.DistributedSampler(range(4), shuffle=False)
    assert list(sampler) == [0, 1, 2, 3]
    with wrapped.no_sync():
        wrapped(kobai.ones(1, 2)).sum().backward()
    wrapped(kobai.ones(1, 2)).sum().backward()
    assert model.weight.grad.tolist() == [[2, 2]]
    assert list(wrapped.state_dict()) == ["module.weight", "module.bias"]
