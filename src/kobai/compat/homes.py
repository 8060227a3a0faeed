"""Under the hook, kobai's classes carry the module names of PyTorch's: `print(type(layer))` is in articles, and pickles
name classes by them.

Like `missing` it imports nothing of the engine.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

from kobai.compat.names import kobai_name, program_name

# Where PyTorch keeps what stands in a file of kobai's, if that is not the same place.
_FILES = {
    "kobai.autograd.anomaly": "torch.autograd.anomaly_mode", "kobai.autograd.mode": "torch.autograd.grad_mode",
    "kobai.autograd.variable": "torch.autograd.variable", "kobai.devices": "torch", "kobai.dtypes": "torch",
    "kobai.ops.conversion": "torch", "kobai.ops.types": "torch",
    "kobai.generator": "torch._C", "kobai.nn.attention": "torch.nn.modules.activation",
    "kobai.nn.containers": "torch.nn.modules.container", "kobai.nn.hooks": "torch.nn.modules.module",
    "kobai.nn.init": "torch.nn.init", "kobai.nn.norm": "torch.nn.modules.normalization",
    "kobai.nn.parallel": "torch.nn.parallel.data_parallel", "kobai.nn.parameter": "torch.nn.parameter",
    "kobai.nn.state": "torch.nn.modules.module", "kobai.optim.adafactor": "torch.optim",
    "kobai.optim.muon": "torch.optim", "kobai.distributions.composed_transforms": "torch.distributions.transforms",
    "kobai.distributions.transform": "torch.distributions.transforms",
    "kobai.nn.linear_cross_entropy": "torch.nn.modules.loss",
}  # fmt: skip
# Classes that PyTorch keeps elsewhere than their neighbours.
_CLASSES = {
    "AdamW": "torch.optim.adamw", "ChannelShuffle": "torch.nn.modules.channelshuffle",
    "DistributedDataParallel": "torch.nn.parallel.distributed", "ExponentialFamily": "torch.distributions.exp_family",
    "OneHotCategoricalStraightThrough": "torch.distributions.one_hot_categorical",
    "RelaxedOneHotCategorical": "torch.distributions.relaxed_categorical",
}  # fmt: skip
_SERVED = ("kobai.nn", "kobai.optim", "kobai.utils.data", "kobai.distributions", "kobai.autograd", "kobai.amp",
           "kobai.generator", "kobai.devices", "kobai.dtypes", "kobai.ops.conversion", "kobai.ops.types")  # fmt: skip
_moved: list[tuple[type, str]] = []
_aliases: list[str] = []


def move_in(module: ModuleType) -> None:
    """Give the classes of one module of kobai their addresses in PyTorch, until `move_out()`."""
    ours = module.__name__
    if not ours.startswith(_SERVED):
        return
    if ours == "kobai.nn":
        importlib.import_module("kobai.nn.modules")  # the second addresses of the layers
    for value in list(vars(module).values()):
        if isinstance(value, type) and value.__module__ == ours:
            home = home_of(ours, value.__name__)
            _moved.append((value, ours))
            value.__module__ = home
            _alias(home)


def _alias(home: str) -> None:
    """Let `inspect` find the source of a class: it looks its module up among the imported ones."""
    target = sys.modules.get(kobai_name(home))
    if home.count(".") > 1 and target is not None and home not in sys.modules:
        sys.modules[home] = target
        _aliases.append(home)


def move_in_all() -> None:
    """The same for all modules that are imported already."""
    if "kobai.nn" in sys.modules:
        move_in(sys.modules["kobai.nn"])
    for name, module in list(sys.modules.items()):
        if name.startswith(_SERVED) and module.__name__ == name:
            move_in(module)


def move_out() -> None:
    """Leave every class as it was found."""
    while _moved:
        cls, ours = _moved.pop()
        cls.__module__ = ours
    while _aliases:
        sys.modules.pop(_aliases.pop(), None)


def home_of(module: str, name: str) -> str:
    """PyTorch's module of a class of kobai.

    >>> home_of("kobai.nn.linear", "Linear"), home_of("kobai.nn.norm", "BatchNorm1d")
    ('torch.nn.modules.linear', 'torch.nn.modules.batchnorm')
    >>> home_of("kobai.distributions.positive", "HalfNormal"), home_of("kobai.optim.lr_scheduler.factors", "StepLR")
    ('torch.distributions.half_normal', 'torch.optim.lr_scheduler')
    """
    if name in _CLASSES:
        return _CLASSES[name]
    if module == "kobai.nn.norm" and ("BatchNorm" in name or "InstanceNorm" in name):
        return f"torch.nn.modules.{'batchnorm' if 'BatchNorm' in name else 'instancenorm'}"
    if module in _FILES:
        return _FILES[module]
    if module.startswith("kobai.optim.lr_scheduler."):
        return "torch.optim.lr_scheduler"
    parts = program_name(module).split(".")
    if parts[:2] == ["torch", "nn"] and len(parts) == 3:
        return f"torch.nn.modules.{parts[2]}"
    if parts[:2] == ["torch", "distributions"]:
        return _file_of_its_own(module.rpartition(".")[0], name) or ".".join(parts)
    return ".".join(parts)


def _file_of_its_own(package: str, name: str) -> str | None:
    """PyTorch has a file for each distribution; the names are at hand as second addresses of kobai's modules."""
    for address in list(sys.modules):  # a copy: other threads import too
        last = address.rpartition(".")[2]
        if address.startswith(package + ".") and last.replace("_", "").lower() == name.lower():
            return program_name(address)
    return None
