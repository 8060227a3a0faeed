"""Layers that learn their input size from the first batch."""
from __future__ import annotations

from typing import Any

from ..diagnose import error
from .parameter import is_lazy


class LazyModuleMixin:
    """Makes a layer wait for its first input before its parameters have a shape.

    A lazy layer starts with `UninitializedParameter`s, defines
    `initialize_parameters(*args, **kwargs)`, which gives them shapes for that input, and becomes the
    class `cls_to_become` after its first call.

    >>> layer = kobai.nn.LazyLinear(2)
    >>> layer
    LazyLinear(in_features=0, out_features=2, bias=True)
    >>> _ = layer(kobai.ones(1, 5))
    >>> layer
    Linear(in_features=5, out_features=2, bias=True)
    """

    cls_to_become: type | None = None

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._initialize_hook = self.register_forward_pre_hook(self._infer_parameters, with_kwargs=True)
        self._load_hook = self._register_load_state_dict_pre_hook(self._lazy_load_hook)

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Give the parameters their shapes, for an input like this."""
        raise error("method-missing",
                    NotImplementedError(f"initialize_parameters is not implemented for {type(self).__name__}"),
                    cls=type(self), what="initialize_parameters")

    def has_uninitialized_params(self) -> bool:
        """Whether a parameter or buffer still has no shape."""
        return any(is_lazy(t) for table in (self._parameters, self._buffers) for t in table.values())

    def _infer_parameters(self, module, args: tuple, kwargs: dict | None = None) -> None:
        """The hook before the first call: find the shapes, then stop being lazy."""
        module.initialize_parameters(*args, **(kwargs or {}))
        if module.has_uninitialized_params():
            raise error("call-order", RuntimeError(f"module {self._get_name()} has not been fully initialized"),
                        name=self._get_name(),
                        why="initialize_parameters() of {name} has run, and some parameters still have no shape.",
                        fix="call param.materialize(shape) there for each lazy parameter.")
        module._initialize_hook.remove()
        module._load_hook.remove()
        del module._initialize_hook
        del module._load_hook
        if module.cls_to_become is not None:
            module.__class__ = module.cls_to_become

    def _lazy_load_hook(self, state_dict, prefix, *ignored) -> None:
        """Before loading: take the shapes from the checkpoint."""
        for table in (self._parameters, self._buffers):
            for name, tensor in table.items():
                loaded = state_dict.get(prefix + name)
                if is_lazy(tensor) and loaded is not None and not is_lazy(loaded):
                    tensor.materialize(loaded.shape)
