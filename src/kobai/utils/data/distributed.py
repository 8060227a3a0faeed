"""`DistributedSampler`: each of several processes reads its own share of a dataset."""

import math

import kobai
from kobai.diagnose import error
from kobai.utils.data.sampler import Sampler

__all__ = ["DistributedSampler"]


class DistributedSampler(Sampler):
    """The share of one process out of `num_replicas`: every `num_replicas`-th index.

    All processes shuffle alike, seeded by ``seed + epoch``, so that the shares do not overlap.
    Call `set_epoch` before each epoch, or every epoch has the same order.

    Args:
        dataset: anything with a length.
        num_replicas: number of processes.
        rank: number of this process, from 0.
        shuffle: whether to shuffle.
        seed: the same in all processes.
        drop_last: whether to leave out samples so that the shares are equally long; otherwise
            some samples are repeated.

    Raises:
        ValueError: `rank` is not one of the processes.

    >>> data = range(5)
    >>> [list(DistributedSampler(data, 2, rank, shuffle=False)) for rank in (0, 1)]
    [[0, 2, 4], [1, 3, 0]]
    """

    def __init__(self, dataset, num_replicas=None, rank=None, shuffle: bool = True,
                 seed: int = 0, drop_last: bool = False) -> None:
        num_replicas = _world("get_world_size") if num_replicas is None else num_replicas
        rank = _world("get_rank") if rank is None else rank
        if not 0 <= rank < num_replicas:
            raise error("argument-value",
                        ValueError(f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]"),
                        what="rank", value=rank, low=0, high=num_replicas - 1,
                        must="a whole number between {low} and {high}")
        self.dataset = dataset
        self.num_replicas = num_replicas
        self.rank = rank
        self.epoch = 0
        self.drop_last = drop_last
        self.shuffle = shuffle
        self.seed = seed
        share = len(dataset) / num_replicas
        self.num_samples = math.floor(share) if drop_last else math.ceil(share)
        self.total_size = self.num_samples * num_replicas

    def __iter__(self):
        order = self._order()
        while order and len(order) < self.total_size:       # repeat from the start
            order = order + order[:self.total_size - len(order)]
        return iter(order[self.rank:self.total_size:self.num_replicas])

    def _order(self) -> list:
        n = len(self.dataset)
        if not self.shuffle:
            return list(range(n))
        generator = kobai.Generator().manual_seed(self.seed + self.epoch)
        return kobai.randperm(n, generator=generator).tolist()

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of the next pass: a different one for every `epoch`."""
        self.epoch = epoch


def _world(question: str) -> int:
    """Ask the distributed package, which only a program that set it up has."""
    package = getattr(kobai, "distributed", None)
    if package is None or not package.is_initialized():
        raise error("call-order",
                    ValueError("Default process group has not been initialized, please make sure to call "
                               "init_process_group."),
                    why="how many processes there are, and which one this is, is known only from a process group.",
                    fix="call torch.distributed.init_process_group() before, or write num_replicas=2, rank=0.")
    return getattr(package, question)()
