"""Tools around training, under the names of `torch.utils`; each is imported when first used."""

from importlib import import_module
from importlib.util import find_spec


def __getattr__(name: str):
    if name.startswith("__") or find_spec(f"{__name__}.{name}") is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(f"{__name__}.{name}")
