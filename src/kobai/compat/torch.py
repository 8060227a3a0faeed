"""What `import torch` gives under the hook: kobai's public names, and a version like PyTorch's.

It is a module of its own only for the sake of what must differ from `kobai`: `torch.__version__`,
`torch.version` and `torch.backends`. Everything else, submodules included, is the very object that kobai has.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType

import kobai
from kobai.compat import torch_backends, torch_c, torch_version
from kobai.compat.missing import explain_in, missing_attribute

# Modules that PyTorch, too, loads when a program first asks for them.
_LATER = {name: f"kobai.compat.torch{name}" for name in ("_dynamo", "_inductor", "_logging")}


class TorchNames(ModuleType):
    """A module that looks each name up in kobai once and keeps it; assignments reach kobai too."""

    def __getattr__(self, name: str):
        if name.startswith("__"):
            raise AttributeError(f"module 'torch' has no attribute {name!r}")
        try:
            value = import_module(_LATER[name]) if name in _LATER else getattr(kobai, name)
        except AttributeError:
            raise missing_attribute("kobai", name, dir(kobai)) from None
        if isinstance(value, ModuleType):
            explain_in(value)
        self.__dict__[name] = value
        return value

    def __setattr__(self, name: str, value) -> None:
        if not name.startswith("__"):
            setattr(kobai, name, value)
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        self.__dict__.pop(name, None)
        delattr(kobai, name)

    def __dir__(self):
        return sorted({*dir(kobai), *self.__dict__})


names = TorchNames("torch", kobai.__doc__)
names.__dict__.update(
    __file__=kobai.__file__,
    __path__=[],
    __all__=kobai.__all__,
    __version__=torch_version.__version__,
    version=torch_version,
    backends=torch_backends,
    _C=torch_c,
)
# Importing this file gives that module instead of this one.
sys.modules[__name__] = names
