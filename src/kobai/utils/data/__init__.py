"""Loading data: datasets, samplers and `DataLoader`, under the names of `torch.utils.data`.

Read `dataset` and `sampler` for where samples come from and in which order, `dataloader` for
the loop over batches, and `worker`, `pool`, `transport` and `randomness` for what happens with
``num_workers > 0``.
"""

from kobai.utils.data.collate import default_collate, default_convert
from kobai.utils.data.dataloader import DataLoader, _DatasetKind
from kobai.utils.data.dataset import (
                                      ChainDataset,
                                      ConcatDataset,
                                      Dataset,
                                      IterableDataset,
                                      StackDataset,
                                      Subset,
                                      TensorDataset,
                                      random_split,
)
from kobai.utils.data.distributed import DistributedSampler
from kobai.utils.data.info import get_worker_info
from kobai.utils.data.sampler import (
                                      BatchSampler,
                                      RandomSampler,
                                      Sampler,
                                      SequentialSampler,
                                      SubsetRandomSampler,
                                      WeightedRandomSampler,
)

__all__ = ["BatchSampler", "ChainDataset", "ConcatDataset", "DataLoader", "Dataset",
           "DistributedSampler", "IterableDataset", "RandomSampler", "Sampler",
           "SequentialSampler", "StackDataset", "Subset", "SubsetRandomSampler", "TensorDataset",
           "WeightedRandomSampler", "_DatasetKind", "default_collate", "default_convert",
           "get_worker_info", "random_split"]
