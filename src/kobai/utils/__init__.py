"""Tools around training, under the names of `torch.utils`."""

from kobai.utils import data

__all__ = ["data"]
