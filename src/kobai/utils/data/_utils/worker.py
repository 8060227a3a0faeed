"""PyTorch's path of `kobai.utils.data.info`."""

from kobai.utils.data.info import WorkerInfo, get_worker_info

__all__ = ["WorkerInfo", "get_worker_info"]
